"""Vectors of other libraries, where they lie, and hits as their tables: PyArrow, Polars, pandas, DuckDB, DLPack, buffers."""

import array
import sys
from pathlib import Path

import numpy as np
import pytest

import linjin
from index_support import contents, filled, make_vectors
from support import child_output

N, DIM = 300, 8
FLOATS = make_vectors("cosine", N, DIM)
NUMBERS = {
    "float16": FLOATS.astype(np.float16),
    "float32": FLOATS,
    "float64": FLOATS.astype(np.float64),
    "int8": (FLOATS * 40).clip(-128, 127).astype(np.int8),
    "uint8": (FLOATS * 40).clip(0, 255).astype(np.uint8),
    "int32": (FLOATS * 1000).astype(np.int32),
}


def added(vectors, metric="euclidean", dim=DIM):
    index = linjin.Index(dim, metric)
    index.add(vectors)
    return index


def assert_holds(index, vectors):
    assert np.array_equal(index.get(index.ids), np.asarray(vectors).astype(np.float32))


# --- NumPy, buffers, DLPack -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", NUMBERS)
def test_numbers_of_every_type_are_stored_as_float32(dtype):
    vectors = NUMBERS[dtype]
    index = added(vectors)
    assert_holds(index, vectors)
    alike = filled("euclidean", vectors.astype(np.float32))
    for queries in (vectors[:7], vectors[0], vectors[:14:2], np.asfortranarray(vectors[:7])):
        found, wanted = index.search(queries, 5), alike.search(queries.astype(np.float32), 5)
        assert np.array_equal(found.ids, wanted.ids)
        assert np.array_equal(found.distances, wanted.distances)
    index.update(3, vectors[4])
    assert np.array_equal(index.get(3), index.get(4))


@pytest.mark.parametrize("stored_as", ["uint8", "int8"])
def test_many_whole_numbers_take_a_byte_a_value(stored_as):
    limits = np.iinfo(stored_as)
    vectors = np.random.default_rng(5).integers(limits.min, limits.max, (3000, 16), stored_as, endpoint=True)
    index = added(vectors.astype(np.float32), dim=16)
    assert index.info["stored_as"] == stored_as
    assert_holds(index, vectors)
    distances = np.linalg.norm(vectors.astype(np.float64) - vectors[0], axis=1)
    assert np.allclose(index.search(vectors[0], 5, exact=True).distances, np.sort(distances)[:5])
    index.update(7, np.full(16, 0.5))
    assert index.info["stored_as"] == "float32"
    assert np.array_equal(index.get(8), vectors[8])


@pytest.mark.parametrize("dtype", ["float16", "float64"])
def test_values_that_are_not_finite_are_named(dtype):
    vectors = NUMBERS[dtype].copy()
    vectors[17, 3] = np.nan
    index = linjin.Index(DIM)
    with pytest.raises(ValueError, match=r"row 17.*column 3|17.*3"):
        index.add(vectors)
    assert len(index) == 0


def test_beyond_float32_is_not_finite():
    vectors = NUMBERS["float64"].copy()
    vectors[5, 2] = 1e300
    with pytest.raises(ValueError, match="row 5"):
        linjin.Index(DIM).add(vectors)


def test_a_buffer():
    values = array.array("f", FLOATS.ravel().tolist())
    assert_holds(added(memoryview(values).cast("B").cast("f", FLOATS.shape)), FLOATS)


class OnlyDLPack:
    """A tensor of a library that knows nothing of NumPy."""

    def __init__(self, values):
        self.values = values

    def __dlpack__(self, *args, **kwargs):
        return self.values.__dlpack__(*args, **kwargs)

    def __dlpack_device__(self):
        return self.values.__dlpack_device__()


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
def test_dlpack(dtype):
    assert_holds(added(OnlyDLPack(NUMBERS[dtype])), NUMBERS[dtype])


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="looks at the peak of the process")
@pytest.mark.parametrize("kind", ["float16", "float32", "float64", "arrow"])
def test_no_second_full_copy(kind):
    """The peak grows by what the index keeps, and not by the vectors in float32 once more."""
    if kind == "arrow":
        pytest.importorskip("pyarrow")
    code = f"""
    import numpy as np, linjin
    def memory(name):
        lines = open("/proc/self/status").read().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(name))
    n, dim, arrow = 1900, 16384, {kind == "arrow"}
    values = np.ones((n, dim), "float32" if arrow else {kind!r})
    if arrow:
        import pyarrow as pa
        values = pa.FixedSizeListArray.from_arrays(values.ravel(), dim)
    index = linjin.Index(dim, "euclidean")
    open("/proc/self/clear_refs", "w").write("5")
    before = memory("VmRSS")
    index.add(values, threads=1)
    print((memory("VmHWM") - before) / (n * dim * 4))
    """
    assert 0.9 < float(child_output(code)) < 1.5


# --- Arrow ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", NUMBERS)
def test_pyarrow(dtype):
    pa = pytest.importorskip("pyarrow")
    vectors = NUMBERS[dtype]
    lists = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), DIM)
    assert_holds(added(lists), vectors)
    assert_holds(added(lists[40:90]), vectors[40:90])
    chunks = pa.chunked_array([lists[:100], lists[100:100], lists[100:]])
    assert_holds(added(chunks), vectors)
    assert_holds(added(chunks.cast(pa.list_(lists.type.value_type))), vectors)
    assert_holds(added(chunks.cast(pa.large_list(lists.type.value_type))[3:]), vectors[3:])
    table = pa.table({"vector": chunks})
    assert_holds(added(table), vectors)
    assert_holds(added(table.to_batches()[0]), vectors[:100])
    assert np.array_equal(added(table).search(table[:4], 3).ids[:, 0], range(4))


def test_arrow_without_rows():
    pa = pytest.importorskip("pyarrow")
    index = linjin.Index(DIM)
    assert index.add(pa.array([], pa.list_(pa.float32(), DIM))).shape == (0,)
    assert index.add(pa.array([], pa.list_(pa.float32()))).shape == (0,)


def test_arrow_bits():
    pa = pytest.importorskip("pyarrow")
    bits = make_vectors("hamming", 50, 16)
    wanted = filled("hamming", bits)
    packed = np.packbits(bits, axis=1, bitorder="little")
    for values, width in ((bits, 16), (packed, 2)):
        lists = pa.FixedSizeListArray.from_arrays(pa.array(values.ravel()), width)
        assert contents(added(lists, "hamming", 16)) == contents(wanted)


def test_arrow_that_is_refused():
    pa = pytest.importorskip("pyarrow")
    index = linjin.Index(2)
    index.add([[1.0, 2.0]])
    fixed = pa.list_(pa.float32(), 2)
    refused = [
        (pa.array([[1.0, 2.0], None], fixed), "row 1 is null", ValueError),
        (pa.array([[1.0, 2.0], [1.0, None]], fixed), "row 1, column 1 is null", ValueError),
        (pa.array([[1.0, 2.0], [1.0]], pa.list_(pa.float32())), "row 1 has 1 values", ValueError),
        (pa.array([[1.0, 2.0, 3.0]], pa.list_(pa.float32(), 3)), r"got one of shape \(1, 3\)", ValueError),
        (pa.array([["a", "b"]], pa.list_(pa.string(), 2)), "lists of", TypeError),
        (pa.array([[1.0, float("nan")]], fixed), "row 0", ValueError),
    ]
    for values, what, kind in refused:
        with pytest.raises(kind, match=what):
            index.add(values)
    with pytest.raises(ValueError, match="the first one has 2"):
        index.add(pa.chunked_array([pa.array([[1.0, 2.0]]), pa.array([[1.0]])]))
    assert len(index) == 1


def test_polars():
    pl = pytest.importorskip("polars")
    series = pl.Series("vector", FLOATS, dtype=pl.Array(pl.Float32, DIM))
    assert_holds(added(series), FLOATS)
    assert_holds(added(pl.DataFrame({"vector": series})), FLOATS)
    assert_holds(added(series.cast(pl.List(pl.Float64))), FLOATS)
    assert_holds(added(pl.DataFrame(FLOATS)), FLOATS)  # a column for each dimension


def test_pandas():
    pd = pytest.importorskip("pandas")
    pa = pytest.importorskip("pyarrow")
    lists = pa.FixedSizeListArray.from_arrays(FLOATS.ravel(), DIM)
    series = pd.Series(lists, dtype=pd.ArrowDtype(lists.type))
    assert_holds(added(series), FLOATS)
    assert_holds(added(pd.DataFrame({"vector": series})), FLOATS)
    assert_holds(added(pd.DataFrame(FLOATS)), FLOATS)
    assert_holds(added(pd.Series(list(FLOATS))), FLOATS)  # arrays as objects


def test_duckdb():
    duckdb = pytest.importorskip("duckdb")
    pa = pytest.importorskip("pyarrow")
    items = pa.table({"id": np.arange(N), "vector": pa.FixedSizeListArray.from_arrays(FLOATS.ravel(), DIM)})
    relation = duckdb.connect().from_arrow(items)
    assert_holds(added(relation.order("id").select(duckdb.ColumnExpression("vector"))), FLOATS)


def test_torch():
    torch = pytest.importorskip("torch")
    assert_holds(added(torch.from_numpy(FLOATS)), FLOATS)
    assert_holds(added(torch.from_numpy(FLOATS).half()), NUMBERS["float16"])


# --- results --------------------------------------------------------------------------------------------------------


def table_of(kind, hits):
    """The columns of the table, as NumPy arrays."""
    pytest.importorskip({"arrow": "pyarrow"}.get(kind, kind))
    table = getattr(hits, f"to_{kind}")()
    names = table.column_names if kind == "arrow" else list(table.columns)
    return {name: np.asarray(table[name]) for name in names}


@pytest.mark.parametrize("kind", ["arrow", "polars", "pandas"])
def test_hits_as_tables(kind):
    index = filled("cosine", FLOATS[:6])
    one = index.search(FLOATS[0], k=4)
    table = table_of(kind, one)
    assert list(table) == ["id", "distance", "score"]
    assert np.array_equal(table["id"], one.ids)
    assert table["id"].dtype == np.uint64
    assert np.array_equal(table["distance"], one.distances)
    assert np.array_equal(table["score"], one.scores)

    many = index.search(FLOATS[:3], k=9, filter=[[0, 1, 2], [4], []])
    table = table_of(kind, many)
    assert table["query"].tolist() == [0, 0, 0, 1]
    assert table["id"].tolist() == [*many.ids[0, :3], 4]
    assert np.isfinite(table["distance"]).all()
    assert list(table_of(kind, filled("manhattan", FLOATS).search(FLOATS[:2]))) == ["query", "id", "distance"]


@pytest.mark.parametrize("kind", ["arrow", "polars", "pandas"])
def test_a_library_that_is_missing_is_named(kind, monkeypatch):
    monkeypatch.setitem(sys.modules, {"arrow": "pyarrow"}.get(kind, kind), None)
    hits = filled("cosine", FLOATS[:6]).search(FLOATS[0])
    with pytest.raises(ImportError, match=rf"pip install linjin\[{kind}\]"):
        getattr(hits, f"to_{kind}")()
