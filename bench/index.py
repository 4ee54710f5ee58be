"""linjin.Index beside other libraries: queries a second at a recall, builds, memory; one thread, one query a call.

    python bench/index.py --data DIR --sets glove mnist --peers hnswlib symqg [--rounds 3] [--record FILE]

DIR/SET holds base.npy (n, d), query.npy (q, d), gt.npy (q, >= 10: the true neighbours) and metric.txt (angular,
euclidean or ip). Every engine builds with two threads, in a process of its own so that its memory is its own; then the
engines take turns, round after round, over all their settings. A peer that is not installed is passed over.
"""

import argparse
import json
import multiprocessing
import os
import statistics
import time
from pathlib import Path

import numpy as np

K, THREADS, SECONDS = 10, 2, 2.0
TARGETS = (0.90, 0.95, 0.99)
EF = (10, 12, 16, 20, 24, 28, 34, 40, 50, 60, 80, 100, 130, 160, 200, 300, 400, 600, 800, 1200)


def unit(rows):
    return np.ascontiguousarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-20))


class Engine:
    """A library: `build`, then `query` at each of the settings in `grid`."""

    grid = EF

    def prepare(self, queries):
        return queries

    def set(self, setting):
        self.setting = setting


class Linjin(Engine):
    # A recall of 0.99 of 860,000 sentence embeddings takes more than the graphs of others are asked for.
    grid = (*EF, 1800, 2700)
    memory = "full"

    def build(self, base, metric):
        import linjin

        metric = {"angular": "cosine", "ip": "dot"}.get(metric, metric)
        self.index = linjin.Index(base.shape[1], metric, memory=self.memory)
        self.index.add(base, threads=THREADS)

    def query(self, query):
        return self.index.search(query, k=K, ef=self.setting).ids

    def map(self, file, dim, metric):
        """The index in a file, mapped."""
        import linjin

        self.index = linjin.open(file)


class LinjinSmall(Linjin):
    """linjin without a graph."""

    memory = "small"


class Hnswlib(Engine):
    def build(self, base, metric):
        import hnswlib

        space = {"angular": "cosine", "euclidean": "l2", "ip": "ip"}[metric]
        self.index = hnswlib.Index(space, base.shape[1])
        self.index.init_index(len(base), M=16, ef_construction=200)
        self.index.add_items(base, num_threads=THREADS)
        self.index.set_num_threads(1)

    def set(self, setting):
        self.index.set_ef(setting)

    def query(self, query):
        return self.index.knn_query(query, K)[0][0]


class SymphonyQG(Engine):
    """Graph with co-located 1-bit codes, from the package rabitqlib."""

    grid = (10, 13, 16, 20, 24, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 800, 1200, 2000)

    def build(self, base, metric):
        import rabitqlib

        self.unit = metric == "angular"
        base = unit(base) if self.unit else base
        self.index = rabitqlib.SymqgIndex(base.shape[1], 32, "ip" if metric == "ip" else "l2", 0)
        self.index.build(base, 400, THREADS)

    def prepare(self, queries):
        return unit(queries) if self.unit else queries

    def query(self, query):
        return self.index.search(query[None], K, self.setting, 1)[0][0]


class Scann(Engine):
    grid = ((5, 30), (10, 30), (20, 50), (40, 60), (60, 100), (100, 100), (150, 150), (250, 200), (400, 300))

    def build(self, base, metric):
        import scann

        self.unit = metric == "angular"
        base = unit(base) if self.unit else base
        distance = "squared_l2" if metric == "euclidean" else "dot_product"
        n = len(base)
        tree = scann.scann_ops_pybind.builder(base, K, distance).tree(
            int(3 * n**0.5), 100, training_sample_size=min(n, 250_000)
        )
        threshold = float("nan") if metric == "euclidean" else 0.2
        self.index = tree.score_ah(2, anisotropic_quantization_threshold=threshold).reorder(100).build()

    def prepare(self, queries):
        return unit(queries) if self.unit else queries

    def query(self, query):
        leaves, kept = self.setting
        return self.index.search(
            query, final_num_neighbors=K, leaves_to_search=leaves, pre_reorder_num_neighbors=kept
        )[0]


class FaissScan(Engine):
    """faiss: inverted lists with 4-bit codes, and a second look at the floats."""

    grid = ((1, 5), (2, 5), (4, 10), (8, 10), (16, 10), (32, 10), (64, 20), (128, 20), (256, 40))

    def build(self, base, metric):
        import faiss

        self.unit, self.faiss = metric == "angular", faiss
        base = unit(base) if self.unit else base
        faiss.omp_set_num_threads(THREADS)
        n, d = base.shape
        kind = faiss.METRIC_L2 if metric == "euclidean" else faiss.METRIC_INNER_PRODUCT
        self.index = faiss.index_factory(d, f"IVF{int(2 * n**0.5)},PQ{d // 2}x4fs,RFlat", kind)
        self.index.train(base[np.random.default_rng(0).permutation(n)[:100_000]])
        self.index.add(base)
        faiss.omp_set_num_threads(1)

    def prepare(self, queries):
        return unit(queries) if self.unit else queries

    def set(self, setting):
        self.index.k_factor = setting[1]
        self.faiss.extract_index_ivf(self.index.base_index).nprobe = setting[0]

    def query(self, query):
        return self.index.search(query[None], K)[1][0]


class Lorann(Engine):
    grid = ((8, 100), (16, 100), (24, 200), (32, 200), (64, 400), (96, 400), (128, 600), (256, 1000), (512, 2000))

    def build(self, base, metric):
        import lorann

        self.unit = metric == "angular"
        base = unit(base) if self.unit else base
        n, d = base.shape
        self.index = lorann.LorannIndex(
            data=base,
            n_clusters=2 ** int(round(np.log2(2 * n**0.5))),
            global_dim=min(256, d - d % 64) if d >= 64 else None,
            quantization_bits=8,
            distance=lorann.L2 if metric == "euclidean" else lorann.IP,
        )
        self.index.build(n_threads=THREADS)

    def prepare(self, queries):
        return unit(queries) if self.unit else queries

    def query(self, query):
        return self.index.search(query, K, *self.setting)


class Glass(Engine):
    def build(self, base, metric):
        import glass

        glass.set_num_threads(THREADS)
        self.unit = metric == "angular"
        base = unit(base) if self.unit else base
        kind = "L2" if metric == "euclidean" else "IP"
        graph = glass.Index("HNSW", kind, "SQ8U", 32, 200).build(base)
        self.index, self.base = glass.Searcher(graph, base, kind, "SQ8U", ""), base
        glass.set_num_threads(1)

    def prepare(self, queries):
        return unit(queries) if self.unit else queries

    def set(self, setting):
        self.index.set_ef(setting)

    def query(self, query):
        found = self.index.search(query, K)
        return found[0] if isinstance(found, tuple) else found


class Usearch(Engine):
    def empty(self, dim, metric):
        from usearch.index import Index

        kind = {"angular": "cos", "euclidean": "l2sq", "ip": "ip"}[metric]
        self.index = Index(ndim=dim, metric=kind, dtype="f32", connectivity=16, expansion_add=200)

    def map(self, file, dim, metric):
        """The index in a file, mapped."""
        self.empty(dim, metric)
        self.index.view(file)

    def build(self, base, metric):
        self.empty(base.shape[1], metric)
        self.index.add(np.arange(len(base)), base, threads=THREADS)

    def set(self, setting):
        self.index.expansion_search = setting

    def query(self, query):
        return self.index.search(query, K, threads=1).keys


class Voyager(Engine):
    def build(self, base, metric):
        import voyager

        space = {
            "angular": voyager.Space.Cosine,
            "euclidean": voyager.Space.Euclidean,
            "ip": voyager.Space.InnerProduct,
        }[metric]
        self.index = voyager.Index(space, base.shape[1], M=16, ef_construction=200, max_elements=len(base))
        self.index.add_items(base, num_threads=THREADS)

    def query(self, query):
        return self.index.query(query, K, num_threads=1, query_ef=self.setting)[0]


class Vsag(Engine):
    """VSAG's HGraph: a graph over 8-bit codes, and a second look at the floats."""

    def build(self, base, metric):
        import pyvsag

        pyvsag.set_logger_off()
        self.unit = metric == "angular"
        base = unit(base) if self.unit else base
        n, d = base.shape
        about = {
            "dtype": "float32",
            "metric_type": "l2" if metric == "euclidean" else "ip",
            "dim": d,
            "index_param": {
                "base_quantization_type": "sq8_uniform",
                "use_reorder": True,
                "precise_quantization_type": "fp32",
                "max_degree": 32,
                "ef_construction": 300,
                "build_thread_count": THREADS,
            },
        }
        self.index = pyvsag.Index("hgraph", json.dumps(about))
        self.index.build(base.reshape(-1), np.arange(n, dtype=np.int64), n, d)

    def prepare(self, queries):
        return unit(queries) if self.unit else queries

    def set(self, setting):
        self.setting = json.dumps({"hgraph": {"ef_search": setting}})

    def query(self, query):
        return self.index.knn_search(query, K, self.setting)[0]


ENGINES = {
    "linjin": Linjin,
    "small": LinjinSmall,
    "hnswlib": Hnswlib,
    "symqg": SymphonyQG,
    "scann": Scann,
    "faiss": FaissScan,
    "lorann": Lorann,
    "glass": Glass,
    "usearch": Usearch,
    "voyager": Voyager,
    "vsag": Vsag,
}


def resident():
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def serve(name, folder, pipe):
    """An engine in a process of its own: builds, then measures each setting that it is told."""
    try:
        base, queries, truth = (np.load(folder / f"{part}.npy") for part in ("base", "query", "gt"))
        engine = ENGINES[name]()
        before, start = resident(), time.perf_counter()
        engine.build(base, (folder / "metric.txt").read_text().strip())
        pipe.send({"build": time.perf_counter() - start, "bytes": resident() - before - base.nbytes})
        queries = engine.prepare(queries)
        while (setting := pipe.recv()) is not None:
            engine.set(setting)
            start = time.perf_counter()
            for query in queries[:30]:
                engine.query(query)
            n = int(min(len(queries), max(200, SECONDS * 30 / (time.perf_counter() - start))))
            start = time.perf_counter()
            found = [engine.query(query) for query in queries[:n]]
            speed = n / (time.perf_counter() - start)
            hits = sum(len(np.intersect1d(ids[:K], true[:K])) for ids, true in zip(found, truth))
            pipe.send({"recall": hits / (n * K), "speed": speed})
        pipe.recv()
    except Exception as error:  # a peer that is not there, or does not know the metric
        pipe.send({"error": repr(error)[:200]})


def at(points, target):
    """The speed at a recall, between the two nearest points of the front; None when out of reach."""
    front, best = [], 0.0
    for recall, speed in sorted(points, reverse=True):
        if speed > best:
            best = speed
            front.append((recall, speed))
    above = [point for point in front if point[0] >= target]
    below = [point for point in front if point[0] < target]
    if not above:
        return None
    if not below:
        return above[-1][1]
    (high, fast), (low, faster) = above[-1], below[0]
    share = (target - low) / (high - low)
    return float(np.exp(np.log(faster) * (1 - share) + np.log(fast) * share))


def measure(folder, names, rounds):
    """[{engine, build, bytes, points: [[setting, recall, median speed], ...]}, ...]"""
    context, rows, pipes, processes = multiprocessing.get_context("spawn"), {}, {}, []
    for name in names:
        ours, theirs = context.Pipe()
        process = context.Process(target=serve, args=(name, folder, theirs), daemon=True)
        process.start()
        answer = ours.recv()
        if "error" in answer:
            print(f"  {name}: {answer['error']}", flush=True)
            continue
        print(f"  {name}: built in {answer['build']:.1f} s", flush=True)
        rows[name], pipes[name] = {"engine": name, **answer, "points": []}, ours
        processes.append(process)
    speeds, recalls, top = {}, {}, {}
    for turn in range(rounds):
        for name in sorted(rows, key=lambda name: (list(rows).index(name) + turn) % len(rows)):
            for setting in ENGINES[name].grid:
                if top.get(name) is not None and list(ENGINES[name].grid).index(setting) > top[name]:
                    break
                pipes[name].send(setting)
                answer = pipes[name].recv()
                if "error" in answer:
                    break
                speeds.setdefault((name, setting), []).append(answer["speed"])
                recalls[name, setting] = answer["recall"]
                if answer["recall"] > 0.9985:
                    top[name] = list(ENGINES[name].grid).index(setting)
    for (name, setting), found in speeds.items():
        rows[name]["points"].append([setting, recalls[name, setting], statistics.median(found)])
    for process in processes:
        process.terminate()
    return list(rows.values())


def show(name, rows):
    print(f"\n| {name} | " + " | ".join(f"{t:.2f}" for t in TARGETS) + " | build s | MB beside the vectors |")
    print("|---|" + "---:|" * (len(TARGETS) + 2))
    speeds = {}
    for row in rows:
        speeds[row["engine"]] = [at([(recall, speed) for _, recall, speed in row["points"]], t) for t in TARGETS]
        cells = ["-" if speed is None else f"{speed:,.0f}" for speed in speeds[row["engine"]]]
        print(f"| {row['engine']} | " + " | ".join(cells) + f" | {row['build']:.1f} | {row['bytes'] / 1e6:,.0f} |")
    peers = [found for engine, found in speeds.items() if not issubclass(ENGINES[engine], Linjin)]
    if "linjin" in speeds and peers:
        best = [max((found[i] for found in peers if found[i]), default=None) for i in range(len(TARGETS))]
        ratios = ["-" if not ours or not peer else f"{ours / peer:.2f}x" for ours, peer in zip(speeds["linjin"], best)]
        print("| linjin over the best peer | " + " | ".join(ratios) + " | | |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["glove", "mnist", "gauss"])
    parser.add_argument("--peers", nargs="*", default=[name for name in ENGINES if name != "linjin"])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--record", type=Path)
    arguments = parser.parse_args()
    for name in arguments.sets:
        print(f"{name}", flush=True)
        rows = measure(arguments.data / name, ["linjin", *arguments.peers], arguments.rounds)
        show(name, rows)
        if arguments.record:
            with arguments.record.open("a") as out:
                for row in rows:
                    out.write(json.dumps({"set": name, "rounds": arguments.rounds, **row}) + "\n")


if __name__ == "__main__":
    main()
