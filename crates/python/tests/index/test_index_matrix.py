"""What becomes of every kind of input: the table of docs/reliability.md, row by row. And what has no room."""

from pathlib import Path

import numpy as np
import pytest

import linjin
from support import child_output

PAGE = Path(__file__).resolve().parents[4] / "docs" / "reliability.md"


def rows():
    lines = PAGE.read_text(encoding="utf-8").split("\n")
    start = lines.index("| input | what happens |") + 2
    end = lines.index("", start)
    return [line.split(" | ")[0].removeprefix("| ").replace("`", "") for line in lines[start:end]]


@pytest.fixture
def index():
    """Three vectors with the ids 5, 6 and 7."""
    index = linjin.Index(2, "cosine")
    index.add([[1, 0], [0, 1], [1, 1]], ids=[5, 6, 7])
    return index


def refused(index, error, text, call):
    before = index.ids.tolist(), index.get(index.ids).tolist()
    with pytest.raises(error, match=text or None):
        call()
    assert (index.ids.tolist(), index.get(index.ids).tolist()) == before


def not_finite(index):
    for value in (np.nan, np.inf, -np.inf):
        refused(index, ValueError, "row 1.*column 1", lambda: index.add([[1, 0], [2, value]]))
        refused(index, ValueError, "query 1.*column 0", lambda: index.search([[1, 0], [value, 1]]))


def beyond(index):
    refused(index, ValueError, "row 0.*column 1.*inf", lambda: index.add(np.array([1, 1e300])))
    refused(index, ValueError, "column 0", lambda: index.search(np.array([-1e300, 1])))


def zeros(index):
    index.add([0, 0], ids=8)
    hits = index.search([1, 0], 9, exact=True)
    assert dict(zip(hits.ids.tolist(), hits.distances.tolist()))[8] == 1
    assert index.search([0, 0], 9).distances.tolist() == [1] * 4


def dimension(index):
    refused(index, ValueError, "3.*2|2.*3", lambda: index.add([[1, 2, 3]]))
    refused(index, ValueError, "1.*2|2.*1", lambda: index.search([1]))


def no_numbers(index):
    for wrong in ([[1j, 1]], [["a", "b"]], np.zeros((1, 2), "M8[s]")):
        refused(index, (TypeError, ValueError), "", lambda: index.add(wrong))
        refused(index, (TypeError, ValueError), "", lambda: index.search(wrong))


def bits(index):
    binary = linjin.Index(8, "hamming")
    for wrong in ([[0.5] * 8], np.zeros((1, 8), np.float32)):
        with pytest.raises((TypeError, ValueError)):
            binary.add(wrong)
    assert len(binary) == 0


def in_use(index):
    refused(index, ValueError, "row 1: the id 6", lambda: index.add([[1, 0], [0, 1]], ids=[9, 6]))
    index.add([9, 9], ids=6, replace=True)
    assert index.get(6).tolist() == [9, 9]


def twice(index):
    for replace in (False, True):
        add = lambda: index.add([[1, 0], [0, 1]], ids=[9, 9], replace=replace)  # noqa: E731
        refused(index, ValueError, "row 1: the id 9", add)


def reserved(index):
    for id in (linjin.NO_ID, -1, -(2**63)):
        refused(index, ValueError, "", lambda: index.add([1, 0], ids=[id]))
    assert linjin.NO_ID not in index
    assert -1 not in index


def no_number_left(index):
    index.add([1, 0], ids=linjin.NO_ID - 1)
    refused(index, ValueError, "stands for no id", lambda: index.add([1, 0]))
    index.add([1, 0], ids=40)


def unknown(index):
    for call in (lambda: index.remove([5, 8]), lambda: index.get([5, 8]), lambda: index.update([5, 8], [[1, 1]] * 2)):
        refused(index, KeyError, "8", call)


def removed_twice(index):
    index.remove([5, 5])
    assert index.ids.tolist() == [6, 7]


def k_of_none(index):
    assert index.search([1, 0], 0).ids.shape == (0,)
    assert index.search([[1, 0], [0, 1]], 0).ids.shape == (2, 0)


def k_beyond(index):
    assert index.search([1, 0.1], 9).ids.tolist() == [5, 7, 6]
    assert index.search([[1, 0.1]], 4).ids.tolist() == [[5, 7, 6, linjin.NO_ID]]


def k_without_memory(index):
    for k in (2**60, 2**63 - 1, 2**50):
        assert index.search([1, 0.1], k).ids.tolist() == [5, 7, 6]
        refused(index, MemoryError, "", lambda: index.search([[1, 0.1], [1, 0]], k))


def small_ef(index):
    refused(index, ValueError, "ef has to be at least 1", lambda: index.search([1, 0], ef=0))
    assert index.search([1, 0.1], 2, ef=1).ids.tolist() == [5, 7]


def large_ef(index):
    for ef in (100_000, 2**62):
        assert index.search([1, 0.1], 2, ef=ef).ids.tolist() == [5, 7]


def recalls(index):
    for recall in (0, -1, 1.01, np.nan, np.inf):
        refused(index, ValueError, "recall", lambda: index.search([1, 0], recall=recall))


def nothing(index):
    assert index.add([]).tolist() == []
    index.remove([])
    assert index.search(np.empty((0, 2)), 3).ids.shape == (0, 3)
    assert len(index) == 3


def empty(index, tmp_path):
    none = linjin.Index(2)
    none.save(tmp_path / "x")
    for verify in ("header", "lazy", "full"):
        opened = linjin.open(tmp_path / "x", verify=verify)
        for how in ({}, {"ef": 3}, {"exact": True}, {"filter": [3]}):
            assert opened.search([1, 0], 3, **how).ids.tolist() == []
            assert opened.search([[1, 0]], 2, **how).ids.tolist() == [[linjin.NO_ID] * 2]
    assert linjin.verify(tmp_path / "x")["len"] == 0


def dimensions(index):
    for dim in (0, -1, 65_536, 2**62):
        with pytest.raises(ValueError, match="65535|at least 1"):
            linjin.Index(dim)


CHECKS = {
    "NaN or an infinity in a vector or a query": not_finite,
    "a float64 beyond the range of float32": beyond,
    "a vector of zeros under cosine": zeros,
    "vectors or a query of another dimension": dimension,
    "complex numbers, text, dates as vectors": no_numbers,
    "floats for hamming, bits for another metric": bits,
    "an id that is in use": in_use,
    "an id twice in one call": twice,
    "2⁶⁴ − 1, or a negative number, as an id": reserved,
    "numbers by themselves after the id 2⁶⁴ − 2": no_number_left,
    "remove, get, update of an id that is not there": unknown,
    "remove of an id twice": removed_twice,
    "k of 0": k_of_none,
    "k beyond the number of vectors": k_beyond,
    "k for which there is no memory": k_without_memory,
    "ef of 0, or below k": small_ef,
    "ef beyond the number of vectors": large_ef,
    "a recall of 0, above 1, or NaN": recalls,
    "no vectors in a call": nothing,
    "vectors for which there is no memory": None,  # test_no_memory_is_an_error
    "an empty index": empty,
    "a dimension of 0 or above 65,535": dimensions,
    # No machine here has the memory for it.
    "more than 2³² − 1 vectors": None,
}


def test_every_row_is_looked_at():
    assert rows() == list(CHECKS)


@pytest.mark.parametrize("row", [row for row, check in CHECKS.items() if check])
def test_row(row, index, tmp_path):
    check = CHECKS[row]
    check(index, tmp_path) if check is empty else check(index)


# --- damage ---------------------------------------------------------------------------------------------------------


def damaged(tmp_path):
    """A file in which the block of all vectors but the last 488 is damaged, and where that begins."""
    index = linjin.Index(32, "euclidean")
    vectors = np.random.default_rng(0).standard_normal((1000, 32)).astype(np.float32)
    index.add(vectors, ids=np.arange(1000) * 3)
    index.save(tmp_path / "x")
    whole = bytearray((tmp_path / "x").read_bytes())
    start = whole.index(vectors[0].tobytes())
    whole[start + 100] ^= 1
    (tmp_path / "x").write_bytes(whole)
    return vectors, start


def test_damage_is_an_error_where_it_is_met(tmp_path):
    vectors, start = damaged(tmp_path)
    with pytest.raises(linjin.IndexFileError, match=f"section Rows, from byte {start} on"):
        linjin.verify(tmp_path / "x")
    with pytest.raises(linjin.IndexFileError):
        linjin.open(tmp_path / "x", verify="full")
    assert len(linjin.open(tmp_path / "x", verify="header").search(vectors[0], 5).ids) == 5
    for use in (
        lambda index: index.search(vectors[0], 5),
        lambda index: index.search(vectors[:3], 5),
        lambda index: index.get(0),
        lambda index: index.get([2997, 0]),
        lambda index: index.save(tmp_path / "y"),
        lambda index: index.optimize(),
    ):
        index = linjin.open(tmp_path / "x")
        # Another block, and another section.
        assert np.array_equal(index.get(2997), vectors[999])
        assert len(index.ids) == 1000
        with pytest.raises(linjin.IndexFileError, match="section Rows"):
            use(index)
        for later in (lambda: index.ids, lambda: 3 in index, lambda: index.remove([3]), lambda: index.get(2997)):
            with pytest.raises(linjin.IndexFileError):
                later()
    assert not (tmp_path / "y").exists()


def test_what_is_sound_can_be_saved(tmp_path):
    vectors, _ = damaged(tmp_path)
    assert linjin.salvage(tmp_path / "x", tmp_path / "y") == {"kept": 488, "lost": 512}
    saved = linjin.open(tmp_path / "y", verify="full")
    assert np.array_equal(saved.ids, np.arange(512, 1000) * 3)
    assert np.array_equal(saved.get(saved.ids), vectors[512:])
    with pytest.raises(FileNotFoundError):
        linjin.salvage(tmp_path / "none", tmp_path / "y")
    (tmp_path / "x").write_bytes(b"hello")
    with pytest.raises(linjin.IndexFileError):
        linjin.salvage(tmp_path / "x", tmp_path / "y")


def test_unknown_verify(tmp_path):
    with pytest.raises(ValueError, match='"header", "lazy" or "full", not "deep"'):
        linjin.open(tmp_path / "x", verify="deep")


# --- no room --------------------------------------------------------------------------------------------------------


def test_no_memory_is_an_error(tmp_path):
    """In a process that may have little memory: sizes come from the caller."""
    code = """
    import linjin, resource
    index = linjin.Index(4)
    index.add(make_data("cosine", 2000, 4))
    index.search(np.zeros((4, 4)), 5)
    used = int(open("/proc/self/statm").read().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (used + (256 << 20), -1))
    for k in (1 << 24, 1 << 28, 1 << 40, 1 << 60):
        try:
            index.search(np.zeros((16, 4)), k)
            print("no error")
        except MemoryError:
            pass
    print(len(index.search(np.zeros(4), 1 << 40).ids))
    more = np.broadcast_to(np.float32(1), (5_000_000, 4))
    try:
        index.add(more)
        print("no error")
    except MemoryError:
        print(len(index))
    """
    if not Path("/proc/self/statm").exists():
        pytest.skip("the limit is Linux's")
    assert child_output(code, tmp_path) == "2000\n2000\n"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="the limit is Unix's")
def test_a_full_disk_at_any_byte_leaves_the_old_file(tmp_path):
    """Every limit on the size of a file, in steps of a page: the old file is there, and nothing else."""
    code = """
    import linjin, resource, signal
    path = sys.argv[1]
    index = linjin.Index(16, "euclidean")
    index.add(make_data("euclidean", 100, 16))
    index.save(path)
    before = open(path, "rb").read()
    index.add(make_data("euclidean", 2500, 16))
    index.save(path + "2")
    size = os.path.getsize(path + "2")
    os.remove(path + "2")
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    failed = 0
    for limit in range(0, size, 4096):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, -1))
        for write in (lambda: index.save(path), lambda: linjin.salvage(path, path + "3")):
            try:
                write()
            except OSError:
                failed += 1
        if limit < size // 2:
            assert not os.path.exists(path + "3") or limit >= len(before)
        assert open(path, "rb").read() == before, limit
        assert set(os.listdir(os.path.dirname(path))) <= {"x", "x3"}
    resource.setrlimit(resource.RLIMIT_FSIZE, (-1, -1))
    assert failed > size // 4096
    assert len(linjin.open(path, verify="full")) == 100
    index.save(path)
    print(len(linjin.open(path, verify="full")))
    """
    assert child_output(code, tmp_path / "x", timeout=120) == "2600\n"
