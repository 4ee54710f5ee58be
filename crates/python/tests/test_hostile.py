"""Damaged, foreign and vanishing files: an OSError or valid answers, soon, in little memory, and never a crash."""

import json
import os
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from support import (
    EXHAUSTIVE,
    INT_MAX,
    IS_LINJIN,
    METRICS,
    AnnoyIndex,
    build_index,
    load_index,
    make_data,
    node_size,
    run_child,
)

pytestmark = pytest.mark.beyond

MUTATIONS = 200
F, N_ITEMS, N_TREES = 10, 500, 6
WIDTH = {"hamming": 64}  # bits, where F columns would give too many equal rows


def width(metric):
    return WIDTH.get(metric, F)


# --- mutations: each takes the file's bytes and a generator, and gives other bytes ----------------------------------


class File:
    """An Annoy file as rows of nodes."""

    def __init__(self, metric, content):
        self.stride = node_size(metric, width(metric))
        self.first_child = 8 if metric in ("euclidean", "manhattan") else 4
        self.vector_at = self.stride - 4 * width(metric) if metric != "hamming" else 16
        self.content = content
        self.nodes = np.frombuffer(content, np.uint8).reshape(-1, self.stride).copy()

    def put(self, node, offset, *values):
        self.nodes[node, offset : offset + 4 * len(values)] = np.array(values, "<i4").view(np.uint8)

    def children(self, node, *ids):
        self.put(node, self.first_child, *ids)

    def tree_node(self, rng):
        return int(rng.integers(N_ITEMS, len(self.nodes)))

    def split_node(self, rng):
        """A node with more items below it than a bucket can hold."""
        capacity = (self.stride - self.first_child) // 4
        counts = self.nodes[:, :4].copy().view("<i4")[:, 0]
        return int(rng.choice(np.flatnonzero(counts > capacity)))

    def bytes(self):
        return self.nodes.tobytes()


def cut_anywhere(file, rng):
    size = int(rng.integers(1, len(file.content)))
    return file.content[: size if size % file.stride else size - 1]


def cut_between_nodes(file, rng):
    return file.content[: file.stride * int(rng.integers(1, len(file.nodes)))]


def cut_the_roots(file, rng):
    return file.content[: file.stride * (len(file.nodes) - int(rng.integers(1, N_TREES + 2)))]


def cut_the_front(file, rng):
    return file.content[file.stride * int(rng.integers(1, len(file.nodes))) :]


def flip_bytes(file, rng):
    content = bytearray(file.content)
    for position in rng.integers(0, len(content), int(rng.integers(1, 40))):
        content[position] ^= int(rng.integers(1, 256))
    return bytes(content)


def flip_bytes_of_trees(file, rng):
    for _ in range(int(rng.integers(1, 30))):
        file.nodes[file.tree_node(rng), int(rng.integers(0, 16))] ^= int(rng.integers(1, 256))
    return file.bytes()


def fill_page(value):
    def fill(file, rng):
        content = bytearray(file.content)
        start = 4096 * int(rng.integers(0, len(content) // 4096))
        content[start : start + 4096] = bytes([value]) * len(content[start : start + 4096])
        return bytes(content)

    return fill


def foreign_children(file, rng):
    values = [-1, -INT_MAX - 1, INT_MAX, len(file.nodes), len(file.nodes) + 1, 2**20, 2**30, -2, N_ITEMS]
    for _ in range(int(rng.integers(1, 20))):
        file.children(file.split_node(rng), *rng.choice(values, 2))
    return file.bytes()


def later_children(file, rng):
    for _ in range(int(rng.integers(1, 20))):
        node = file.split_node(rng)
        file.children(node, *rng.integers(node, len(file.nodes), 2))
    return file.bytes()


def foreign_items_in_buckets(file, rng):
    for _ in range(30):
        node = file.tree_node(rng)
        file.put(node, 0, int(rng.integers(2, 6)))
        file.children(node, *rng.choice([-1, INT_MAX, N_ITEMS, N_ITEMS + 5, len(file.nodes) - 1, 3], 4))
    return file.bytes()


def nodes_that_are_their_own_children(file, rng):
    for _ in range(int(rng.integers(1, 10))):
        node = file.split_node(rng)
        file.children(node, node, node)
    return file.bytes()


def rings(file, rng):
    nodes = [file.split_node(rng) for _ in range(4)]
    for node, following in zip(nodes, nodes[1:] + nodes[:1]):
        file.children(node, following, following)
    return file.bytes()


def every_split_points_at_the_roots(file, rng):
    last = len(file.nodes) - 1
    for _ in range(60):
        file.children(file.split_node(rng), last - int(rng.integers(0, N_TREES)), last)
    return file.bytes()


def diamonds(file, rng):
    """Both children of each split are the split before it: 2 to the power of the depth ways down."""
    splits = sorted({file.split_node(rng) for _ in range(200)})
    for before, node in zip(splits, splits[1:]):
        file.children(node, before, before)
    for root in range(len(file.nodes) - N_TREES, len(file.nodes)):
        file.children(root, splits[-1], splits[-1])
    return file.bytes()


def huge_counts(file, rng):
    values = [INT_MAX, -1, -INT_MAX - 1, 2**30, N_ITEMS + 1, 2**24, 0]
    for _ in range(int(rng.integers(1, 20))):
        file.put(file.tree_node(rng), 0, int(rng.choice(values)))
    return file.bytes()


def other_number_of_items(file, rng):
    last = len(file.nodes)
    values = [0, 1, 2, 5, N_ITEMS - 1, N_ITEMS + 1, 2 * N_ITEMS, last - 1, last, last + 1, 2**30, INT_MAX, -1]
    value = int(rng.choice(values))
    for root in range(last - N_TREES, last):
        file.put(root, 0, value)
    return file.bytes()


def one_root_counts_otherwise(file, rng):
    file.put(len(file.nodes) - 1 - int(rng.integers(0, N_TREES)), 0, int(rng.choice([0, 1, 3, 499, 501, INT_MAX, -7])))
    return file.bytes()


def items_count_otherwise(file, rng):
    for item in rng.integers(0, N_ITEMS, 20):
        file.put(item, 0, int(rng.choice([0, 2, 5, 300, INT_MAX, -1])))
    return file.bytes()


def values_not_finite(file, rng):
    for _ in range(50):
        node = int(rng.integers(0, len(file.nodes)))
        offset = file.vector_at + 4 * int(rng.integers(0, (file.stride - file.vector_at) // 4))
        bits = rng.choice([0x7FC00000, 0x7F800000, 0xFF800000, 0xFFFFFFFF, 0x7F7FFFFF]).astype(np.uint32)
        file.nodes[node, offset : offset + 4] = np.frombuffer(bits.tobytes(), np.uint8)
    return file.bytes()


def shuffled(file, rng):
    start = int(rng.choice([0, N_ITEMS]))
    file.nodes[start:] = rng.permutation(file.nodes[start:])
    return file.bytes()


def twice(file, rng):
    return file.content * 2


def nodes_appended(file, rng):
    extra = rng.integers(0, 256, (int(rng.integers(1, 50)), file.stride)).astype(np.uint8)
    return file.content + extra.tobytes()


def all_random(file, rng):
    return rng.integers(0, 256, len(file.content)).astype(np.uint8).tobytes()


def all_zero(file, rng):
    return bytes(file.stride * int(rng.integers(1, len(file.nodes))))


KINDS = [
    cut_anywhere,
    cut_between_nodes,
    cut_the_roots,
    cut_the_front,
    flip_bytes,
    flip_bytes_of_trees,
    fill_page(0),
    fill_page(255),
    foreign_children,
    later_children,
    foreign_items_in_buckets,
    nodes_that_are_their_own_children,
    rings,
    every_split_points_at_the_roots,
    diamonds,
    huge_counts,
    other_number_of_items,
    one_root_counts_otherwise,
    items_count_otherwise,
    values_not_finite,
    shuffled,
    twice,
    nodes_appended,
    all_random,
    all_zero,
]


def mutations(metric, content):
    """MUTATIONS seeded (kind, number, bytes), after the untouched file itself."""
    yield "untouched", 0, content
    for number in range(MUTATIONS):
        kind = KINDS[number % len(KINDS)]
        yield kind.__name__, number, kind(File(metric, content), np.random.default_rng([number, METRICS.index(metric)]))


# --- the child process ----------------------------------------------------------------------------------------------


def memory():
    """Most memory held so far and most address space, in bytes."""
    status = Path("/proc/self/status")
    if status.exists():
        fields = dict(line.split(":", 1) for line in status.read_text().splitlines())
        return [int(fields[name].split()[0]) * 1024 for name in ("VmHWM", "VmPeak")]
    import resource

    held = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return [held * (1 if sys.platform == "darwin" else 1024), 0]


def tell(call, said, allowed=(OSError, IndexError)):
    """The answer or None; what happened goes into `said`."""
    try:
        answer = call()
    except allowed as error:
        said.add(type(error).__name__)
        return None
    except BaseException as error:
        said.add(f"not allowed: {error!r}")
        return None
    said.add("answered")
    return answer


def query(index, metric, said):
    """Twenty queries; the ids must be of this index."""
    f = width(metric)
    vectors = make_data(metric, 2, f, seed=3).tolist()
    n_items = tell(index.get_n_items, said)
    tell(index.get_n_trees, said)

    def ids_of(call):
        ids = tell(call, said)
        if ids is not None:
            ids = [i for i in np.asarray(ids).ravel().tolist() if i != -1]
            if not all(type(i) is int and 0 <= i < n_items for i in ids):
                said.add(f"ids out of range: {ids}")
        return ids

    for vector in vectors:
        for n, search_k in ((10, -1), (10, 1), (50, 300), (10, EXHAUSTIVE), (-1, -1), (10, INT_MAX)):
            ids = ids_of(lambda: index.get_nns_by_vector(vector, n, search_k))
            if ids is not None and len(set(ids)) != len(ids):
                said.add(f"ids twice: {ids}")
    for item in (0, n_items // 2, n_items - 1, N_ITEMS - 1):
        if item >= 0:
            ids_of(lambda: index.get_nns_by_item(item, 10))
            tell(lambda: index.get_item_vector(item), said)
            tell(lambda: index.get_distance(item, 0), said)
    ids_of(lambda: index.get_nns_by_vectors(vectors, 5, 200))
    ids_of(lambda: index.get_nns_within(vectors[0], 3.0))
    live = tell(lambda: len(index), said)
    if live is not None and not 0 <= live <= n_items:
        said.add(f"{live} live items of {n_items}")


def alter(index, metric, said, folder):
    """Changes of the loaded index, a save of what it then is, and a build over its items."""
    allowed = (OSError, IndexError, KeyError)
    f = width(metric)
    tell(lambda: index.add_items(make_data(metric, 30, f, seed=5)), said, allowed)
    tell(lambda: index.add_item(1, make_data(metric, 1, f, seed=6)[0]), said, allowed)
    tell(lambda: index.delete_item(2), said, allowed)
    tell(lambda: index.delete_items(range(5, 25)), said, allowed)
    query(index, metric, said)
    if tell(lambda: index.save(folder / "altered.ann"), said, allowed):
        tell(lambda: load_index(metric, f, folder / "altered.ann"), said)
    tell(lambda: index.build(2, 1), said, allowed)
    query(index, metric, said)


def work_through(metric, folder):
    """Loads and queries every mutation, and says what happened as one line of JSON each."""
    folder = Path(folder)
    content = (folder / "good.ann").read_bytes()
    query(load_index(metric, width(metric), folder / "good.ann"), metric, set())
    for name, number, mutated in mutations(metric, content):
        print(f"{name} {number}", flush=True)
        path = folder / "bad.ann"
        path.unlink(missing_ok=True)
        path.write_bytes(mutated)
        before, start = memory(), time.monotonic()
        index, loaded, said = AnnoyIndex(width(metric), metric), set(), set()
        tell(lambda: index.load(str(path)), loaded, OSError)
        if loaded == {"answered"}:
            query(index, metric, said)
        seconds = time.monotonic() - start
        grown = [now - then for now, then in zip(memory(), before)]
        altered = set()
        if loaded == {"answered"}:
            alter(index, metric, altered, folder)
        report = {"loaded": sorted(loaded), "said": sorted(said), "altered": sorted(altered)}
        report |= {"seconds": seconds, "all seconds": time.monotonic() - start, "grown": grown, "size": len(mutated)}
        print(json.dumps(report), flush=True)
    print("done")


@pytest.mark.parametrize("metric", METRICS)
def test_damaged_files(metric, tmp_path):
    data = make_data(metric, N_ITEMS, width(metric))
    build_index(metric, data, N_TREES, seed=1).save(tmp_path / "good.ann")
    code = "import test_hostile; test_hostile.work_through(*sys.argv[1:])"
    done = run_child(code, metric, tmp_path, timeout=300)
    lines = done.stdout.splitlines()
    assert done.returncode == 0 and lines[-1] == "done", f"{done.returncode} in {lines[-1]}\n{done.stderr[-3000:]}"
    names, reports = lines[0:-1:2], [json.loads(line) for line in lines[1:-1:2]]
    assert len(reports) == MUTATIONS + 1

    faults = []
    for name, report in zip(names, reports):
        said = report["loaded"] + report["said"] + report["altered"]
        faults += [(name, word) for word in said if word not in ("answered", "OSError", "IndexError", "KeyError")]
        if report["seconds"] >= 1 or report["all seconds"] >= 5:
            faults.append((name, "slow", report["seconds"], report["all seconds"]))
        held, space = report["grown"]
        if held > report["size"] + (64 << 20) or space > report["size"] + (2 << 30):
            faults.append((name, "memory", held, space))
    assert not faults, faults[:10]

    assert reports[0]["loaded"] == reports[0]["said"] == reports[0]["altered"] == ["answered"]
    for name, report in zip(names, reports):
        if name.startswith("cut_anywhere"):
            assert "OSError" in report["loaded"] + report["said"], name
    refused = [report["loaded"] == ["OSError"] or "OSError" in report["said"] for report in reports]
    assert sum(refused) > MUTATIONS / 4


@pytest.mark.parametrize("metric", METRICS)
def test_a_file_cut_between_nodes_never_passes_for_a_smaller_index(metric, tmp_path):
    """It is refused, or complains when asked, or has lost no more than copies of its roots."""
    f = width(metric)
    data = make_data(metric, N_ITEMS, f)
    build_index(metric, data, N_TREES, seed=1).save(tmp_path / "good.ann")
    content = (tmp_path / "good.ann").read_bytes()
    stride = node_size(metric, f)
    n_nodes = len(content) // stride
    passed = []
    for size in (*range(1, 12), *range(12, n_nodes - 20, 9), *range(n_nodes - 20, n_nodes)):
        (tmp_path / "cut.ann").unlink(missing_ok=True)
        (tmp_path / "cut.ann").write_bytes(content[: size * stride])
        try:
            index = load_index(metric, f, tmp_path / "cut.ann")
            ids = [index.get_nns_by_vector(data[3], -1, search_k) for search_k in (-1, 50, EXHAUSTIVE)][-1]
        except OSError:
            continue
        if sorted(ids) != list(range(N_ITEMS)):
            passed.append((size, index.get_n_items()))
    assert passed == []


# --- files that change under a mapped index -------------------------------------------------------------------------

TRUNCATE = """
metric, path, how = sys.argv[1:4]
data = make_data(metric, 4000, 64)
reach = float("-inf" if metric == "dot" else "inf")
good = open(path, "rb").read()
said = set()


def tell(call):
    try:
        answer = call()
    except OSError:
        said.add("OSError")
        return None
    said.add("answered")
    return answer


for size in map(int, sys.argv[4:]):
    print(f"cut to {size} of {len(good)} bytes", flush=True)
    said.clear()
    path += "x"
    open(path, "wb").write(good)
    index = load_index(metric, 64, path)
    if how == "saved":
        path += "s"
        index.save(path)
    n = index.get_n_items()
    assert len(index.get_nns_by_vector(data[0], 10)) == 10
    os.truncate(path, size)
    for _ in range(3):
        assert tell(lambda: index.get_nns_by_vector(data[0], -1, EXHAUSTIVE)) is None
        assert tell(lambda: index.get_nns_by_vectors(data[:40], 10, EXHAUSTIVE)) is None
        assert tell(lambda: index.get_nns_within(data[0], reach)) is None
    for query in data[:50]:
        ids = tell(lambda: index.get_nns_by_vector(query, 10, 100))
        assert ids is None or all(0 <= i < n for i in ids)
    for item in range(0, n, 100):
        ids = tell(lambda: index.get_nns_by_item(item, 10))
        assert ids is None or all(0 <= i < n for i in ids)
        vector = tell(lambda: index.get_item_vector(item))
        assert vector is None or vector == data[item].tolist()
        tell(lambda: index.get_distance(item, 0))
    if size == 0:
        assert "answered" not in said
    tell(lambda: len(index))
    tell(lambda: n - 1 in index)
    tell(lambda: index.add_items(data[:20]))
    tell(lambda: index.delete_item(n - 1))
    tell(lambda: index.save(path + ".other"))
    tell(lambda: index.build(1))
    index.unload()
    index.add_items(data[:100])
    index.build(2)
    assert len(index.get_nns_by_vector(data[0], 10)) == 10
print("alive")
"""


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("how", ["loaded", "saved"])
def test_file_truncated_while_mapped(metric, how, tmp_path):
    path = tmp_path / "x.ann"
    build_index(metric, make_data(metric, 4000, 64), 3).save(path)
    size, stride = path.stat().st_size, node_size(metric, 64)
    sizes = (0, 4096, size // 2, size // 3 // stride * stride, size // 2 // 4096 * 4096, size - stride)
    done = run_child(TRUNCATE, metric, path, how, *sizes)
    assert done.returncode == 0, f"{done.returncode} after {done.stdout.splitlines()[-1:]}\n{done.stderr[-2000:]}"
    assert done.stdout.endswith("alive\n")


@pytest.mark.parametrize("metric", METRICS)
def test_file_truncated_while_threads_query(metric, tmp_path):
    path = tmp_path / "x.ann"
    build_index(metric, make_data(metric, 4000, 64), 3).save(path)
    code = """
    import threading
    index = load_index(sys.argv[1], 64, sys.argv[2])
    data = make_data(sys.argv[1], 40, 64)
    refused = []

    def ask(row):
        for _ in range(5000):
            try:
                ids = index.get_nns_by_vector(row, 50, 2000)
                assert all(0 <= i < 4000 for i in ids)
            except OSError:
                refused.append(row)
                return

    threads = [threading.Thread(target=ask, args=(row,)) for row in data[:4]]
    for thread in threads:
        thread.start()
    os.truncate(sys.argv[2], 0)
    for thread in threads:
        thread.join()
    assert len(refused) == 4
    print("alive")
    """
    done = run_child(code, metric, path)
    assert (done.returncode, done.stdout) == (0, "alive\n"), f"{done.returncode}: {done.stderr[-2000:]}"


def test_other_faults_still_end_the_process():
    """What guards the maps must not swallow a real crash elsewhere in the process."""
    code = """
    index = build_index("dot", make_data("dot", 500, 8), 2)
    index.save(sys.argv[1])
    import mmap
    with open(sys.argv[1] + ".other", "w+b") as file:
        file.truncate(8192)
        other = mmap.mmap(file.fileno(), 8192)
        file.truncate(0)
        other[5000]
    """
    if sys.platform != "linux":
        pytest.skip("needs SIGBUS as Linux sends it")
    import signal
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        done = run_child(code, os.path.join(folder, "x.ann"), timeout=30)
    assert done.returncode == -signal.SIGBUS


def test_file_replaced_by_rename_while_mapped(metric, data, saved_file, tmp_path):
    index = load_index(metric, data.shape[1], saved_file)
    before = [index.get_nns_by_item(i, 10, -1, True) for i in range(50)]
    build_index(metric, data[:50], 2).save(tmp_path / "other.ann")
    os.replace(tmp_path / "other.ann", saved_file)
    assert [index.get_nns_by_item(i, 10, -1, True) for i in range(50)] == before
    assert load_index(metric, data.shape[1], saved_file).get_n_items() == 50


# --- things that are no index at all --------------------------------------------------------------------------------


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\n",
        b"text\n" * 1000,
        bytes(52 * 56 * 60),
        b"\x93NUMPY" + bytes(4096),
        bytes(range(256)) * 200,
        b"\xff" * 100_000,
    ],
    ids=["empty", "one byte", "text", "zeros", "npy", "ramp", "ones"],
)
def test_foreign_files(metric, content, tmp_path):
    (tmp_path / "x").write_bytes(content)
    for f in (1, 3, 10, 11, 64):
        index = AnnoyIndex(f, metric)
        index.add_item(0, [1] * f)
        try:
            index.load(tmp_path / "x")
        except OSError:
            assert index.get_item_vector(0) == [1] * f
        else:
            n = index.get_n_items()
            for search_k in (-1, EXHAUSTIVE):
                assert all(0 <= i < n for i in index.get_nns_by_vector([1] * f, 20, search_k))


@pytest.mark.parametrize("metric", METRICS)
def test_paths_that_are_no_files(metric, tmp_path):
    index = AnnoyIndex(10, metric)
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "dangling").symlink_to(tmp_path / "absent")
    for path in (tmp_path, tmp_path / "loop", tmp_path / "dangling", tmp_path / "absent" / "x", "/dev/null", ""):
        with pytest.raises(OSError):
            index.load(path)
    assert index.get_n_items() == 0


@pytest.mark.parametrize("metric", METRICS)
def test_file_of_another_width_or_metric_is_refused_or_answers_validly(metric, tmp_path):
    build_index(metric, make_data(metric, 300, 12), 4).save(tmp_path / "x.ann")
    refused = 0
    for other in METRICS:
        for f in (1, 2, 3, 4, 6, 11, 12, 13, 24, 25, 26, 64, 128):
            index = AnnoyIndex(f, other)
            try:
                index.load(tmp_path / "x.ann")
                ids = index.get_nns_by_vector([1] * f, 20, EXHAUSTIVE)
            except OSError:
                refused += 1
            else:
                assert all(0 <= i < index.get_n_items() for i in ids)
    assert refused >= 40


@pytest.mark.skipif(not IS_LINJIN, reason="linjin's own files")
def test_an_index_file_of_linjins_own_is_told(metric, tmp_path):
    import linjin

    index = linjin.Index(10)
    index.add(np.eye(10))
    index.save(tmp_path / "x.linjin")
    with pytest.raises(OSError, match="which `linjin.open` opens"):
        AnnoyIndex(10, metric).load(tmp_path / "x.linjin")
