"""What an index knows of its items besides their vectors: columns that come back with hits and that filters ask for, and
strings as ids."""

import datetime
import pickle
import subprocess
import sys

import numpy as np
import pytest

import linjin
from index_support import make_vectors

DIM = 6
LANGUAGES = ["zh", "en", "ja", None]


def rows(n, start=0):
    """Columns of n items, as Python's values."""
    numbers = range(start, start + n)
    return {
        "price": [i * 0.5 for i in numbers],
        "stock": [i % 7 if i % 5 else None for i in numbers],
        "lang": [LANGUAGES[i % 4] for i in numbers],
        "sale": [i % 3 == 0 for i in numbers],
        "added": [datetime.date(2026, 1, 1) + datetime.timedelta(days=i) for i in numbers],
    }


def shop(n=200, **options):
    index = linjin.Index(DIM, "euclidean")
    index.add(make_vectors("euclidean", n, DIM), columns=rows(n), **options)
    return index


def wanted(known, condition):
    n = len(known["price"])
    return [i for i in range(n) if condition({name: values[i] for name, values in known.items()})]


EXPRESSIONS = {
    "price < 30": lambda row: row["price"] < 30,
    "price < 30 and lang == 'zh'": lambda row: row["price"] < 30 and row["lang"] == "zh",
    'lang = "ja" or stock >= 5': lambda row: row["lang"] == "ja" or (row["stock"] or 0) >= 5,
    "not sale": lambda row: not row["sale"],
    "lang in ('zh', 'en') and not (price between 10 and 40)": lambda row: row["lang"] in ("zh", "en")
    and not 10 <= row["price"] <= 40,
    "lang is null": lambda row: row["lang"] is None,
    "lang like 'z%'": lambda row: row["lang"] == "zh",
    "added >= '2026-03-01'": lambda row: row["added"] >= datetime.date(2026, 3, 1),
    "stock != 3": lambda row: row["stock"] is not None and row["stock"] != 3,
    "price > 1000": lambda row: False,
    "price * 1.1 < 30 and stock % 2 = 0": lambda row: row["price"] * 1.1 < 30 and row["stock"] is not None and row["stock"] % 2 == 0,
    "-(price - 40) / 2 >= stock": lambda row: row["stock"] is not None and -(row["price"] - 40) / 2 >= row["stock"],
    "10 / stock is null": lambda row: not row["stock"],
    "stock + 1 in (2, 4)": lambda row: row["stock"] in (1, 3),
}


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_filters_are_expressions(expression):
    index, known = shop(), rows(200)
    expected = set(wanted(known, EXPRESSIONS[expression]))
    for query in make_vectors("euclidean", 5, DIM, seed=2):
        hits = index.search(query, k=200, exact=True, filter=expression)
        assert set(hits.ids.tolist()) == expected
        others = index.search(query, k=200, exact=True, exclude=expression)
        assert set(others.ids.tolist()) == set(range(200)) - expected
    batch = index.search(make_vectors("euclidean", 5, DIM, seed=2), k=200, exact=True, filter=expression)
    assert batch.counts.tolist() == [len(expected)] * 5


def test_hits_know_their_columns():
    index, known = shop(), rows(200)
    hits = index.search(make_vectors("euclidean", 1, DIM, seed=3)[0], k=9)
    for name, values in known.items():
        assert hits[name] == [values[i] for i in hits.ids]
    assert hits.columns.names == list(known)
    assert hits.columns.to_dict() == {name: hits[name] for name in known}
    many = index.search(make_vectors("euclidean", 4, DIM, seed=3), k=300)
    assert many["price"] == [[known["price"][i] for i in ids[:200]] for ids in many.ids.tolist()]
    assert len(many.columns) == 800
    with pytest.raises(KeyError, match=r'there is no column "colour", but \["price"'):
        hits["colour"]
    assert np.array_equal(hits[0], hits.ids)


def test_hits_are_of_the_moment_of_the_search():
    index = shop(10)
    hits = index.search(np.zeros(DIM), k=10)
    before = hits.columns.to_dict()
    index.set_columns(range(10), {"price": [0.0] * 10})
    index.remove(range(5))
    assert hits.columns.to_dict() == before
    assert index.search(np.zeros(DIM), k=1)["price"] == [0.0]


def test_columns_of_items():
    index, known = shop(), rows(200)
    assert index.columns([7, 3])["price"] == [known["price"][7], known["price"][3]]
    assert index.columns().to_dict() == known
    assert index.columns(5).to_dict() == {name: [values[5]] for name, values in known.items()}
    with pytest.raises(KeyError, match="200"):
        index.columns([0, 200])
    assert repr(index.columns([])) == "linjin.Columns({'price': [], 'stock': [], 'lang': [], 'sale': [], 'added': []})"


def test_columns_may_come_later():
    index = linjin.Index(DIM, "euclidean")
    index.add(np.zeros((3, DIM)))
    index.add(np.ones((2, DIM)), columns={"colour": ["red", None]})
    index.set_columns([0], {"size": [4]})
    assert index.columns().to_dict() == {"colour": [None, None, None, "red", None], "size": [4, None, None, None, None]}
    # All that was known of an item is replaced.
    index.update(3, np.ones(DIM), columns={"size": [5]})
    assert index.columns(3).to_dict() == {"colour": [None], "size": [5]}
    # A vector alone leaves it.
    index.update(3, np.zeros(DIM))
    index.add(np.zeros(DIM), ids=3, replace=True)
    assert index.columns(3)["size"] == [5]


def test_a_new_item_with_an_old_id_is_another():
    index = shop(5)
    index.remove(2)
    index.add(np.zeros(DIM), ids=2)
    assert index.columns(2)["price"] == [None]
    assert 2 not in index.search(np.zeros(DIM), k=5, filter="price >= 0").ids


@pytest.mark.parametrize(
    "columns, error, text",
    [
        ({"price": [1.0]}, ValueError, 'column "price" has 1 values for 2 items'),
        ({"price": ["a", 1]}, TypeError, 'column "price": row 1 is Int, the rows before it are Text'),
        ({"price": [object(), 1]}, TypeError, 'column "price": row 0 is .*object'),
        ({"price": "ab"}, TypeError, 'column "price": one value for each item'),
        ({"price": np.zeros((2, 2))}, ValueError, 'column "price": it has one value for each item, not 2 dimensions'),
        ({"price": [1.5, 2.5], "stock": [1, "b"]}, TypeError, "stock"),
        ({3: [1, 2]}, TypeError, "the names of columns are strings"),
        ({"": [1, 2]}, ValueError, "name"),
        ({"_linjin_x": [1, 2]}, ValueError, "_linjin"),
        ({"stock": ["many", "few"]}, ValueError, "stock.*int64"),
        ([1, 2], TypeError, "columns are a dict"),
    ],
)
def test_columns_that_do_not_fit(columns, error, text):
    index = shop(5)
    with pytest.raises(error, match=text):
        index.add(np.zeros((2, DIM)), columns=columns)
    assert len(index) == 5 and index.columns().to_dict() == rows(5)


@pytest.mark.parametrize(
    "expression, text",
    [
        ("prise < 3", "there is no column `prise`, did you mean `price`?"),
        ("price < 'abc'", "price.*cannot be compared"),
        ("price <", "cannot be read"),
        ("price", "is no condition"),
        ("price < 3 and price + lang < 3", r"the operator \+ takes numbers here: the column `lang` of type text at Line: 1, Column: 23"),
        ("price / 0 < 3", "the operator / gives no number with what stands at Line: 1, Column: 9: it is zero"),
        ("count(price) > 3", "not supported"),
        ("", "cannot be read"),
        ("(" * 100_000, "bytes"),
    ],
)
def test_expressions_that_are_none(expression, text):
    with pytest.raises(ValueError, match=text):
        shop(5).search(np.zeros(DIM), filter=expression)


def test_an_index_without_columns():
    index = linjin.Index(DIM, "euclidean")
    index.add(np.zeros((3, DIM)))
    hits = index.search(np.zeros(DIM))
    assert hits.columns.names == [] and len(hits.columns) == 3
    assert index.columns().to_dict() == {}
    with pytest.raises(ValueError, match="there is no column `price`"):
        index.search(np.zeros(DIM), filter="price < 3")


TYPES = {
    "bool": (np.array([True, False, True]), "flag", [0, 2]),
    "int8": (np.array([-1, 0, 1], np.int8), "flag > 0", [2]),
    "uint64": (np.array([0, 1, 2**64 - 1], np.uint64), "flag > 18446744073709551614", [2]),
    "float16": (np.array([0.5, 1.5, 2.5], np.float16), "flag >= 1.5", [1, 2]),
    "float32": (np.array([0.1, 0.2, 0.3], np.float32), "flag = 0.2", [1]),
    "text": (np.array(["a", "b", "c"]), "flag > 'a'", [1, 2]),
    "objects": (np.array(["a", None, "c"], object), "flag is not null", [0, 2]),
    "days": (np.array(["2026-01-01", "NaT", "2026-01-03"], "datetime64[D]"), "flag > '2026-01-02'", [2]),
    "seconds": (np.array(["2026-01-01T10:00", "2026-01-01T11:00", "NaT"], "datetime64[s]"), "flag > '2026-01-01T10:30:00'", [1]),
    "huge": ([2**63, 1, None], "flag > 9223372036854775807", [0]),
    "times": ([datetime.datetime(2026, 1, 1, 12), None, datetime.datetime(2027, 1, 1)], "flag < '2026-06-01'", [0]),
}


@pytest.mark.parametrize("kind", TYPES)
def test_types_of_columns(kind, tmp_path):
    values, expression, expected = TYPES[kind]
    index = linjin.Index(DIM, "euclidean")
    index.add(np.zeros((3, DIM)), columns={"flag": values})
    index.save(tmp_path / "x.linjin")
    for one in (index, linjin.open(tmp_path / "x.linjin")):
        assert one.search(np.zeros(DIM), k=3, filter=expression).ids.tolist() == expected
        back = one.columns()["flag"]
        plain = values.tolist() if isinstance(values, np.ndarray) else values
        assert [None if value != value else value for value in back] == plain


# --- files and commits ----------------------------------------------------------------------------------------------


def test_columns_in_files_and_pickles(tmp_path):
    index = shop()
    index.save(tmp_path / "x.linjin")
    linjin.salvage(tmp_path / "x.linjin", tmp_path / "y.linjin")
    twins = [linjin.open(tmp_path / "x.linjin"), linjin.open(tmp_path / "y.linjin"), pickle.loads(pickle.dumps(index))]
    for twin in twins:
        assert twin.columns().to_dict() == rows(200)
        assert twin.search(np.zeros(DIM), filter="price < 3").ids.max() < 6


def test_columns_are_committed_with_their_vectors(tmp_path):
    path = tmp_path / "x.linjin"
    with linjin.open(path, writable=True, dim=DIM, metric="euclidean") as index:
        index.add(np.zeros((3, DIM)), columns=rows(3))
        index.commit()
        reader = linjin.open(path)
        index.add(np.ones((2, DIM)), columns=rows(2, start=3))
        index.rollback()
        assert index.columns().to_dict() == rows(3)
        index.add(np.ones((2, DIM)), columns=rows(2, start=3))
        index.commit()
        assert len(reader.columns()) == 3
        assert reader.refresh()
        assert reader.columns().to_dict() == rows(5)
        assert reader.search(np.ones(DIM), filter="price >= 1.5").ids.tolist() == [3, 4]
        index.set_columns([0], {"price": [9.0]})  # not committed below
        raise_in_block(index)
    assert linjin.open(path).columns(0)["price"] == [9.0]


def raise_in_block(index):
    """An index that is open for writing is committed at the end of its block."""
    assert index.info["uncommitted"] == 1


def test_many_small_changes_stay_small(tmp_path):
    path = tmp_path / "x.linjin"
    with linjin.open(path, writable=True, dim=DIM, metric="euclidean") as index:
        index.add(np.zeros((10, DIM)), columns={"n": [0] * 10})
        index.commit()
        index.checkpoint()
        first = path.stat().st_size
        for i in range(10_000):
            index.set_columns([i % 10], {"n": [i]})
        index.commit()
        index.checkpoint()
        # What was replaced is left out now and then.
        assert path.stat().st_size < first + (4096 * 2 + 64) * 600
        assert index.columns()["n"] == list(range(9990, 10_000))
    assert linjin.open(path).columns()["n"] == list(range(9990, 10_000))


def test_damaged_columns_are_refused(tmp_path):
    shop().save(tmp_path / "x.linjin")
    whole = (tmp_path / "x.linjin").read_bytes()
    at = whole.index(b"_linjin_id")
    (tmp_path / "x.linjin").write_bytes(whole[:at] + b"?" + whole[at + 1 :])
    index = linjin.open(tmp_path / "x.linjin")
    with pytest.raises(linjin.IndexFileError, match="section Notes"):
        index.columns()


def test_columns_of_another_process(tmp_path):
    shop().save(tmp_path / "x.linjin")
    code = "import linjin, sys; print(linjin.open(sys.argv[1]).search([0.0] * 6, k=3, filter=\"lang = 'zh'\")['lang'])"
    done = subprocess.run([sys.executable, "-c", code, tmp_path / "x.linjin"], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "['zh', 'zh', 'zh']"


# --- strings as ids -------------------------------------------------------------------------------------------------


def named(n=50):
    index = linjin.Index(DIM, "euclidean")
    names = [f"item {i}" for i in range(n)]
    index.add(make_vectors("euclidean", n, DIM), ids=names)
    return index, names


def test_strings_as_ids(tmp_path):
    index, names = named()
    vectors = make_vectors("euclidean", 50, DIM)
    index.save(tmp_path / "x.linjin")
    for one in (index, linjin.open(tmp_path / "x.linjin"), pickle.loads(pickle.dumps(index))):
        assert one.ids.tolist() == names
        hits = one.search(vectors[7], k=3)
        assert hits.ids[0] == "item 7" and hits.ids.dtype == object
        many = one.search(vectors[:4], k=60)
        assert many.ids.shape == (4, 60) and many.ids[2, 0] == "item 2" and many.ids[0, 59] is None
        assert "item 9" in one and "item 99" not in one and "" not in one
        assert np.array_equal(one.get("item 3"), vectors[3])
        assert np.array_equal(one.get(["item 3", "item 5"]), vectors[[3, 5]])
        only = one.search(vectors[0], k=5, filter=["item 4", "item 8", "nobody"])
        assert set(only.ids) == {"item 4", "item 8"}
        assert "item 0" not in one.search(vectors[0], exclude={"item 0"}).ids
        each = one.search(vectors[:3], k=2, filter=[["item 4"], None, ["item 1", "item 2"]])
        assert each.counts.tolist() == [1, 2, 2] and each.ids[0, 0] == "item 4"


def test_strings_as_ids_change():
    index, names = named(5)
    assert index.add(np.zeros((2, DIM)), ids=np.array(["x", "y"])).tolist() == ["x", "y"]
    index.remove(["item 0", "x"])
    assert index.ids.tolist() == names[1:] + ["y"]
    index.update("y", np.ones(DIM))
    assert np.array_equal(index.get("y"), np.ones(DIM))
    index.add(np.zeros(DIM), ids="y", replace=True, columns={"price": [3.0]})
    assert index.search(np.zeros(DIM), k=1, filter="price = 3").ids.tolist() == ["y"]
    index.add(np.zeros(DIM), ids="x")
    assert index.columns("x")["price"] == [None]
    assert len(index) == 6


def test_strings_stay_ids_when_none_is_left():
    index, names = named(5)
    index.remove(names)
    with pytest.raises(TypeError, match="strings as ids, not numbers"):
        index.add(np.zeros(DIM))
    index.add(np.zeros(DIM), ids="again")
    assert index.ids.tolist() == ["again"]


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda index: index.add(np.zeros(DIM), ids="item 1"), ValueError, 'row 0: the name "item 1" is in use'),
        (lambda index: index.add(np.zeros((2, DIM)), ids=["a", "a"]), ValueError, 'row 1: the name "a" is in use'),
        (lambda index: index.add(np.zeros((2, DIM)), ids=["a"]), ValueError, "1 ids for 2 vectors"),
        (lambda index: index.add(np.zeros(DIM)), TypeError, "strings as ids, not numbers"),
        (lambda index: index.add(np.zeros(DIM), ids=77), TypeError, "strings as ids, not numbers"),
        (lambda index: index.add(np.zeros((2, DIM)), ids=["a", 3]), TypeError, "names are strings"),
        (lambda index: index.remove("nobody"), KeyError, "nobody"),
        (lambda index: index.remove(3), TypeError, "strings as ids, not numbers"),
        (lambda index: index.get(["item 1", "nobody"]), KeyError, "nobody"),
        (lambda index: index.search(np.zeros(DIM), filter=[3]), TypeError, "strings as ids, not numbers"),
    ],
)
def test_strings_that_do_not_fit(call, error, text):
    index, names = named(5)
    with pytest.raises(error, match=text):
        call(index)
    assert index.ids.tolist() == names


def test_strings_in_an_index_of_numbers():
    index = shop(5)
    with pytest.raises(TypeError, match="numbers as ids, not strings"):
        index.add(np.zeros(DIM), ids="a")
    for call in (index.get, index.remove, index.columns, index.__contains__):
        with pytest.raises(TypeError, match="numbers as ids, not strings"):
            call("a")
    assert len(index) == 5
    assert "a" not in linjin.Index(3)


# --- tables of other libraries --------------------------------------------------------------------------------------


def test_tables_of_pyarrow():
    pyarrow = pytest.importorskip("pyarrow")
    table = pyarrow.table(rows(20))
    index = linjin.Index(DIM, "cosine")
    index.add(make_vectors("cosine", 20, DIM), columns=table)
    assert index.columns().to_dict() == rows(20)
    assert pyarrow.table(index.columns()).to_pydict() == rows(20)
    hits = index.search(np.ones(DIM), k=4, filter="stock > 2").to_arrow()
    assert hits.column_names == ["id", "distance", "score", *rows(1)]
    assert hits["price"].to_pylist() == [rows(20)["price"][i] for i in hits["id"].to_pylist()]
    zoned = pyarrow.array([datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)] * 20, pyarrow.timestamp("us", "UTC"))
    index.set_columns(range(20), {"id": zoned, "dict": pyarrow.array(["a", "b"] * 10).dictionary_encode()})
    assert index.columns(0)["id"] == [datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)]
    assert "id_" in index.search(np.ones(DIM)).to_arrow().column_names


def test_frames():
    polars, pandas = pytest.importorskip("polars"), pytest.importorskip("pandas")
    for frame in (polars.DataFrame(rows(20)), pandas.DataFrame(rows(20))):
        index = linjin.Index(DIM, "euclidean")
        index.add(make_vectors("euclidean", 20, DIM), columns=frame)
        hits = index.search(np.ones(DIM), k=4, filter="lang = 'zh'")
        assert set(hits["lang"]) == {"zh"}
        assert hits.to_polars()["price"].to_list() == hits["price"]
        assert hits.to_pandas()["price"].tolist() == hits["price"]
    assert polars.DataFrame(index.columns()).shape == (20, 5)
