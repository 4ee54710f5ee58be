"""What the package shows: stubs and class name the same methods, docstrings, signatures, metadata of the wheel."""

import ast
import importlib.metadata
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

from support import AnnoyIndex, child_output

pytestmark = pytest.mark.beyond

SIGNATURES = {
    "add_item": "(self, i, vector)",
    "add_items": "(self, matrix, ids=None)",
    "build": "(self, n_trees, n_jobs=-1, *, progress=None)",
    "delete_item": "(self, i)",
    "delete_items": "(self, ids)",
    "get_distance": "(self, i, j, /)",
    "get_item_vector": "(self, i, /)",
    "get_n_items": "(self)",
    "get_n_trees": "(self)",
    "get_nns_by_item": "(self, i, n, search_k=-1, include_distances=False)",
    "get_nns_by_items": "(self, items, n, search_k=-1, include_distances=False, n_jobs=-1)",
    "get_nns_by_vector": "(self, vector, n, search_k=-1, include_distances=False)",
    "get_nns_by_vectors": "(self, matrix, n, search_k=-1, include_distances=False, n_jobs=-1)",
    "get_nns_within": "(self, vector, radius, include_distances=False)",
    "load": "(self, fn, prefault=False)",
    "on_disk_build": "(self, fn)",
    "save": "(self, fn, prefault=False)",
    "set_seed": "(self, s, /)",
    "unbuild": "(self)",
    "unload": "(self)",
    "verbose": "(self, v, /)",
}
PROPERTIES = {"f", "metric"}


def annoy_package():
    import linjin.annoy

    return Path(linjin.annoy.__file__).parent


def stub_class():
    """The class in the stub file, as a syntax tree."""
    tree = ast.parse((annoy_package() / "__init__.pyi").read_text(encoding="utf-8"))
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    names = {"AnnoyIndex", "Annoy"} & set(classes)
    assert len(names) == 1
    return classes[names.pop()]


def stub_functions():
    return [node for node in stub_class().body if isinstance(node, ast.FunctionDef)]


def is_property(function):
    return any(isinstance(d, ast.Name) and d.id == "property" for d in function.decorator_list)


def public(cls):
    return {name for name in dir(cls) if not name.startswith("_")}


def test_public_names_of_the_class():
    assert public(AnnoyIndex) == set(SIGNATURES) | PROPERTIES


def test_stubs_name_exactly_the_public_methods():
    functions = stub_functions()
    methods = {f.name for f in functions if not f.name.startswith("_") and not is_property(f)}
    fields = {f.name for f in functions if is_property(f)}
    fields |= {node.target.id for node in stub_class().body if isinstance(node, ast.AnnAssign)}
    assert methods == set(SIGNATURES)
    assert fields == PROPERTIES


def test_stubs_know_the_special_methods():
    special = {f.name for f in stub_functions() if f.name.startswith("__")}
    assert {"__len__", "__contains__", "__enter__", "__exit__"} <= special
    assert all(hasattr(AnnoyIndex, name) for name in special)


@pytest.mark.parametrize("name", SIGNATURES)
def test_stub_parameters_are_those_of_the_signature(name):
    overloads = [f for f in stub_functions() if f.name == name]
    want = list(inspect.signature(eval(f"lambda {SIGNATURES[name][1:-1]}: 0")).parameters.values())
    for function in overloads:
        arguments = function.args
        got = [a.arg for a in arguments.posonlyargs + arguments.args + arguments.kwonlyargs]
        assert got == [p.name for p in want]
        if any(p.kind is p.POSITIONAL_ONLY for p in want):
            assert len(arguments.posonlyargs) == len(want)


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(name):
    method = getattr(AnnoyIndex, name)
    want = SIGNATURES[name]
    got = str(inspect.signature(method)).replace("$self", "self")
    assert got in (want, re.sub(r"^\(self, /?(, )?", "(self, /, ", want), want.replace("(self", "(self, /", 1))


@pytest.mark.parametrize("name", sorted(set(SIGNATURES) | PROPERTIES))
def test_every_public_name_has_a_docstring(name):
    doc = inspect.getdoc(getattr(AnnoyIndex, name))
    assert doc and len(doc) > 15
    assert doc[0].isupper() or doc[0] in "`'\""


def test_class_and_modules_have_docstrings():
    import linjin
    import linjin.annoy
    import linjin.annoy.annoylib

    for thing in (AnnoyIndex, linjin, linjin.annoy, linjin.annoy.annoylib, linjin.annoy.install):
        assert inspect.getdoc(thing)


def test_package_is_marked_as_typed():
    import linjin

    assert (Path(linjin.__file__).parent / "py.typed").exists()


def test_metadata():
    import linjin

    meta = importlib.metadata.metadata("linjin")
    assert meta["Name"] == "linjin"
    assert meta["Version"] == importlib.metadata.version("linjin") == linjin.__version__
    assert re.fullmatch(r"\d+\.\d+\.\d+.*", linjin.__version__)
    assert meta["Requires-Python"] == ">=3.10"
    assert meta["Summary"]
    required = [r for r in importlib.metadata.requires("linjin") or [] if "extra ==" not in r]
    assert [re.match(r"[\w-]+", r).group() for r in required] == ["numpy"]


def test_import_is_fast():
    """In a fresh process, the best of five; NumPy is imported when the first array is made."""
    code = "import time; start = time.perf_counter(); import linjin; print(time.perf_counter() - start)"
    command = [sys.executable, "-c", code]
    assert min(float(subprocess.run(command, capture_output=True, check=True).stdout) for _ in range(5)) < 0.08


def test_import_is_light():
    """Only numpy and the standard library come along; no warning, no output."""
    code = """
    import warnings
    warnings.simplefilter("error")
    import linjin.annoy
    foreign = {name.split(".")[0] for name in sys.modules} - set(sys.stdlib_module_names)
    print(sorted(name for name in foreign if name not in ("linjin", "numpy", "support", "__main__", "__mp_main__")
                 and not name.startswith(("_", "sitecustomize", "usercustomize"))))
    """
    assert child_output(code) == "[]\n"
