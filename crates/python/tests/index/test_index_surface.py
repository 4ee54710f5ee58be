"""What the package shows: stubs and classes name the same things, docstrings, signatures, refusals, the examples."""

import ast
import copy
import inspect
import pickle
import re
from pathlib import Path

import numpy as np
import pytest

import linjin
from index_support import contents, filled, make_vectors

SIGNATURES = {
    "add": "(self, vectors, ids=None, *, columns=None, replace=False, threads=None, progress=None)",
    "checkpoint": "(self)",
    "close": "(self)",
    "columns": "(self, ids=None)",
    "commit": "(self)",
    "get": "(self, ids)",
    "optimize": "(self, queries=None)",
    "refresh": "(self)",
    "remove": "(self, ids)",
    "rollback": "(self)",
    "save": "(self, path)",
    "set_columns": "(self, ids, columns)",
    "search": "(self, query, k=10, *, recall=None, ef=None, exact=False, filter=None, exclude=None, threads=None)",
    "update": "(self, ids, vectors, *, columns=None, threads=None, progress=None)",
}
PROPERTIES = {
    linjin.Index: {"dim", "ids", "info", "metric"},
    linjin.Hits: {"columns", "counts", "distances", "ids", "scores"},
    linjin.Columns: {"names"},
}
METHODS = {
    linjin.Index: set(SIGNATURES),
    linjin.Hits: {"to_arrow", "to_pandas", "to_polars"},
    linjin.Columns: {"to_dict"},
}
FUNCTIONS = {
    "open": "(path, *, verify='lazy', writable=False, autocommit=None, dim=None, metric=None, memory=None)",
    "salvage": "(path, to)",
    "verify": "(path)",
}
INFO = ["dim", "metric", "stored_as", "len", "bytes", "mapped", "leaves", "graph", "memory", "curve"]
INFO += ["generation", "journal", "uncommitted", "recovered", "trouble"]
CLASSES = [linjin.Index, linjin.Hits, linjin.Columns]


def stub():
    source = Path(linjin.__file__).parent / "_linjin.pyi"
    return ast.parse(source.read_text(encoding="utf-8")).body


def stub_members(cls):
    (found,) = (node for node in stub() if isinstance(node, ast.ClassDef) and node.name == cls.__name__)
    return [node for node in found.body if isinstance(node, ast.FunctionDef)]


def is_property(function):
    return any(isinstance(d, ast.Name) and d.id == "property" for d in function.decorator_list)


def written(function):
    """A stub's parameters as `inspect` writes a signature, without types."""
    plain = ast.parse(f"def f({ast.unparse(function.args)}): 0").body[0].args
    for argument in (*plain.posonlyargs, *plain.args, *plain.kwonlyargs):
        argument.annotation = None
    return f"({ast.unparse(plain)})"


def test_names_of_the_package():
    assert set(linjin.__all__) == {
        "DEFAULT_RECALL",
        "NO_ID",
        "Columns",
        "Filter",
        "Hits",
        "Index",
        "IndexFileError",
        "IndexLockedError",
        "__version__",
        "annoy",
        "open",
        "salvage",
        "verify",
    }
    assert all(hasattr(linjin, name) for name in linjin.__all__)
    assert linjin.NO_ID == 2**64 - 1
    assert linjin.DEFAULT_RECALL == 0.95


@pytest.mark.parametrize("cls", CLASSES)
def test_stubs_name_exactly_what_is_there(cls):
    members = stub_members(cls)
    public = {name for name in dir(cls) if not name.startswith("_")}
    assert public == METHODS[cls] | PROPERTIES[cls]
    assert {f.name for f in members if is_property(f)} == PROPERTIES[cls]
    assert {f.name for f in members if not is_property(f) and not f.name.startswith("_")} == METHODS[cls]
    assert all(hasattr(cls, f.name) for f in members)
    assert all(f.returns is not None for f in members)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    got = str(inspect.signature(getattr(linjin.Index, name)))
    assert got.replace("(self, /, ", "(self, ").replace("(self, /)", "(self)") == SIGNATURES[name]
    (function,) = (f for f in stub_members(linjin.Index) if f.name == name)
    assert written(function) == SIGNATURES[name]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions(name):
    function = getattr(linjin, name)
    assert str(inspect.signature(function)) == FUNCTIONS[name]
    (node,) = (node for node in stub() if isinstance(node, ast.FunctionDef) and node.name == name)
    assert written(node) == FUNCTIONS[name]


def test_everything_has_a_docstring():
    things = [linjin, linjin.IndexFileError, linjin.open, linjin.salvage, linjin.verify, *CLASSES]
    things += [getattr(cls, name) for cls in CLASSES for name in METHODS[cls] | PROPERTIES[cls]]
    for thing in things:
        doc = inspect.getdoc(thing)
        assert doc
        assert doc[0].isupper() or doc.startswith("linjin")


def test_classes_say_where_they_live():
    assert [f"{c.__module__}.{c.__qualname__}" for c in (*CLASSES, linjin.IndexFileError)] == [
        "linjin.Index",
        "linjin.Hits",
        "linjin.Columns",
        "linjin.IndexFileError",
    ]


def test_repr_of_an_index():
    index = linjin.Index(3, "dot")
    assert repr(index) == "linjin.Index(dim=3, metric='dot', len=0)"
    index.add(np.zeros((12_345, 3)))
    assert repr(index) == "linjin.Index(dim=3, metric='dot', len=12,345)"


def test_info():
    info = filled("cosine", make_vectors("cosine", 10, 4)).info
    assert list(info) == INFO
    assert (info["dim"], info["metric"], info["len"], info["mapped"]) == (4, "cosine", 10, 0)
    assert isinstance(info["bytes"], int)
    assert all(len(pair) == 2 for pair in info["curve"])


@pytest.mark.parametrize("call", [lambda index: pickle.loads(pickle.dumps(index)), copy.copy, copy.deepcopy])
@pytest.mark.parametrize("n", [0, 50, 3000])
def test_pickled_and_copied(call, n, tmp_path):
    """A twin that answers alike and goes its own way, of an index in memory and of one in a file."""
    vectors = make_vectors("cosine", n, 12)
    index = filled("cosine", vectors, np.arange(n) * 3)
    index.save(tmp_path / "x.linjin")
    for original in (index, linjin.open(tmp_path / "x.linjin")):
        twin = call(original)
        assert (twin.dim, twin.metric, contents(twin)) == (12, "cosine", contents(original))
        assert twin.info["curve"] == original.info["curve"]
        if n:
            assert np.array_equal(twin.search(vectors[:20]).ids, original.search(vectors[:20]).ids)
        twin.add(np.ones(12), ids=7)
        assert 7 not in original


def test_damaged_pickle():
    whole = pickle.dumps(filled("cosine", make_vectors("cosine", 50, 12)), protocol=4)
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for hurt in (whole.replace(b"LINJIN", b"LUNJIN"), flipped):
        with pytest.raises(linjin.IndexFileError):
            pickle.loads(hurt)


@pytest.mark.parametrize("name", ["dim", "metric", "ids", "info", "new"])
def test_attributes_cannot_be_set(name):
    with pytest.raises(AttributeError):
        setattr(linjin.Index(3), name, 4)


def examples():
    """The indented code at the end of each docstring."""
    found = []
    things = {
        "linjin": linjin,
        "Index": linjin.Index,
        "Hits": linjin.Hits,
        "Hits.columns": linjin.Hits.columns,
        "Columns": linjin.Columns,
        "Filter": linjin.Filter,
        "open": linjin.open,
        "verify": linjin.verify,
    }
    things |= {name: getattr(linjin.Index, name) for name in SIGNATURES}
    for name, thing in things.items():
        code = re.findall(r"(?:^    .*\n?)+", inspect.getdoc(thing), flags=re.MULTILINE)
        if code:
            found.append(pytest.param(inspect.cleandoc(code[-1]), id=name))
    return found


@pytest.mark.parametrize("code", examples())
def test_examples_of_the_docstrings(code, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    vectors, queries = make_vectors("cosine", 100, 40), make_vectors("cosine", 5, 40, seed=1)
    index = filled("cosine", vectors)
    prices, languages = np.arange(100.0), ["zh", "en"] * 50
    index.set_columns(range(100), {"price": prices, "lang": languages})
    if "items.linjin" in code and "index.save" not in code:
        index.save("items.linjin")
    names = {
        "linjin": linjin,
        "index": index,
        "vectors": vectors,
        "vector": vectors[0],
        "queries": queries,
        "query": queries[0],
        "hits": index.search(queries[0]),
        "seen": [1, 2, 3],
        "prices": prices,
        "languages": languages,
    }
    exec(code, names)  # noqa: S102
