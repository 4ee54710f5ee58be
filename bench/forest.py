"""linjin.annoy beside Annoy 1.17.3: queries on the same files, builds, batches, loads, changes, and recall.

    python bench/forest.py [--only queries,build,...] [--rounds 7] [--small] [--no-record]

Both run in this process and take turns; a ratio is the median over the rounds. Prints a table and appends it to
bench/record.
"""

import argparse
import gc
import importlib
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

import sets
from measure import ROOT, Table, in_turns, ratio

TREES, K = 10, 10
EFFORTS = (1000, 10_000)  # search_k
SEEDS = (1, 2, 3, 4, 5)


def engines():
    """{name: the class}, Annoy first."""
    return {
        "annoy": importlib.import_module("annoy").AnnoyIndex,
        "linjin": importlib.import_module("linjin.annoy").AnnoyIndex,
    }


def fill(index, rows):
    """Adds the rows (n, f) the fastest way the class offers."""
    if hasattr(index, "add_items"):
        index.add_items(rows)
        return
    for i, row in enumerate(rows.tolist()):
        index.add_item(i, row)


def planted(cls, metric, rows, trees=TREES, seed=None, n_jobs=-1):
    """A built index over the rows."""
    index = cls(rows.shape[1], metric)
    if seed is not None:
        index.set_seed(seed)
    fill(index, rows)
    index.build(trees, n_jobs=n_jobs)
    return index


def opened(file, f, metric):
    """{name: an index of each engine, mapped onto the same file}."""
    indexes = {}
    for name, cls in engines().items():
        indexes[name] = cls(f, metric)
        indexes[name].load(str(file))
    return indexes


def enough(call, queries, budget):
    """So many of the queries that one pass of `call` over them takes about `budget` seconds, 50 at least."""
    start = time.perf_counter()
    for q in queries[:20]:
        call(q)
    each = (time.perf_counter() - start) / 20
    return queries[: max(50, min(len(queries), int(budget / each)))]


def one_by_one(index, queries, effort):
    """A call that asks each query in turn, a list in and a list out."""

    def ask():
        nearest = index.get_nns_by_vector
        for q in queries:
            nearest(q, K, effort)

    return ask


class Bench:
    """The sections. Each takes its vectors from sets.py and writes its rows to the table."""

    def __init__(self, table, folder, options):
        self.table, self.folder, self.rounds, self.small = table, Path(folder), options.rounds, options.small
        self.kept = {}

    def sets(self):
        """(name, base, queries) of the two sets, made once."""
        if not self.kept:
            words = sets.words()
            self.kept = {"gauss": sets.stored("gauss") or sets.gauss(), words[0]: words[1:]}
            if self.small:
                self.kept = {name: (base[:10_000], queries[:200]) for name, (base, queries) in self.kept.items()}
        return [(name, base, queries) for name, (base, queries) in self.kept.items()]

    def annoy_file(self, name, metric, base):
        """A file of 10 trees over the set, written by Annoy; built once."""
        file = self.folder / f"{name}-{metric}.ann"
        if not file.exists():
            index = planted(engines()["annoy"], metric, base)
            index.save(str(file))
            index.unload()
        return file

    def queries(self):
        """Queries a second on one file, which Annoy wrote."""
        self.table.section(
            "queries", f"Queries a second: n={K}, one thread, a list in and a list out, one file written by Annoy"
        )
        for name, base, queries in self.sets():
            for metric in ("angular", "euclidean"):
                indexes = opened(self.annoy_file(name, metric, base), base.shape[1], metric)
                for effort in EFFORTS:
                    lists = enough(lambda q: indexes["annoy"].get_nns_by_vector(q, K, effort), queries.tolist(), 1.0)
                    took = in_turns({n: one_by_one(ix, lists, effort) for n, ix in indexes.items()}, self.rounds)
                    a, b = ([ix.get_nns_by_vector(q, K, effort) for q in lists] for ix in indexes.values())
                    self.table.row(
                        f"{name} {len(base):,} x {base.shape[1]} {metric} search_k {effort:,}",
                        "q/s",
                        *(len(lists) / statistics.median(took[n]) for n in ("annoy", "linjin")),
                        ratio(took["annoy"], took["linjin"]),
                        at_least=2,
                        queries=len(lists),
                        same_answers=sum(x == y for x, y in zip(a, b)),
                    )
                    if a != b:
                        self.table.note(f"{sum(x != y for x, y in zip(a, b))} of {len(lists)} answers differ")

    def build(self):
        """Seconds to build, the items added before."""
        self.table.section(
            "build", f"Seconds to build {TREES} trees; the second row's ratio is over our own one thread"
        )
        for name, base, _ in self.sets():
            for metric in ("angular", "euclidean"):
                indexes = {n: cls(base.shape[1], metric) for n, cls in engines().items()}
                for index in indexes.values():
                    fill(index, base)

                def plant(index, n_jobs):
                    index.unbuild()
                    index.build(TREES, n_jobs=n_jobs)

                calls = {
                    (n, jobs): lambda ix=ix, jobs=jobs: plant(ix, jobs) for jobs in (1, 2) for n, ix in indexes.items()
                }
                took = in_turns(calls, max(3, self.rounds // 2))
                middle = {key: statistics.median(times) for key, times in took.items()}
                label = f"{name} {len(base):,} x {base.shape[1]} {metric}"
                one, two = took["linjin", 1], took["linjin", 2]
                gain = ratio(took["annoy", 1], one)
                self.table.row(f"{label}, one thread", "s", middle["annoy", 1], middle["linjin", 1], gain, at_least=2)
                self.table.row(
                    f"{label}, two threads", "s", middle["annoy", 2], middle["linjin", 2], ratio(one, two), at_least=1.8
                )

    def batch(self):
        """A batch of 10,000 queries on two threads against Annoy's loop."""
        self.table.section("batch", "Queries a second: 10,000 in one call on two threads, against Annoy's loop")
        for name, base, queries in self.sets():
            indexes = opened(self.annoy_file(name, "angular", base), base.shape[1], "angular")
            many = np.resize(queries, (10_000, base.shape[1]))
            for effort in EFFORTS:
                lists = enough(lambda q: indexes["annoy"].get_nns_by_vector(q, K, effort), many.tolist(), 3.0)
                calls = {
                    "annoy": one_by_one(indexes["annoy"], lists, effort),
                    "linjin": lambda: indexes["linjin"].get_nns_by_vectors(many, K, effort, n_jobs=2),
                }
                took = in_turns(calls, max(3, self.rounds // 2))
                each = {
                    "annoy": [t / len(lists) for t in took["annoy"]],
                    "linjin": [t / len(many) for t in took["linjin"]],
                }
                self.table.row(
                    f"{name} {len(base):,} x {base.shape[1]} angular search_k {effort:,}",
                    "q/s",
                    *(1 / statistics.median(each[n]) for n in ("annoy", "linjin")),
                    ratio(each["annoy"], each["linjin"]),
                    at_least=4,
                    annoy_asked=len(lists),
                )

    def add(self):
        """Items added a second, before the build."""
        self.table.section(
            "add", "Items added a second: add_items(matrix), against Annoy's add_item for each row of the matrix"
        )
        for name, base, _ in self.sets():
            rows = base[:100_000]

            def loop(vectors, name="annoy", f=base.shape[1]):
                index = engines()[name](f, "angular")
                for i, v in enumerate(vectors):
                    index.add_item(i, v)
                return index

            def matrix(rows=rows, f=base.shape[1]):
                index = engines()["linjin"](f, "angular")
                index.add_items(rows)
                return index

            lists = rows.tolist()
            calls = {
                "rows": lambda: loop(rows),
                "lists": lambda: loop(lists),
                "matrix": matrix,
                "ours": lambda: loop(lists, "linjin"),
            }
            took = in_turns(calls, self.rounds)
            rate = {key: len(rows) / statistics.median(times) for key, times in took.items()}
            label = f"{name} {len(rows):,} x {base.shape[1]}"
            self.table.row(
                f"{label}, rows",
                "items/s",
                rate["rows"],
                rate["matrix"],
                ratio(took["rows"], took["matrix"]),
                at_least=20,
            )
            self.table.row(
                f"{label}, rows made lists before",
                "items/s",
                rate["lists"],
                rate["matrix"],
                ratio(took["lists"], took["matrix"]),
            )
            self.table.row(
                f"{label}, both by add_item of lists",
                "items/s",
                rate["lists"],
                rate["ours"],
                ratio(took["lists"], took["ours"]),
            )

    def call(self):
        """What a query costs from Python over what it costs in Rust."""
        self.table.section(
            "call", f"Microseconds a query: n={K}, warm index of 1,000 x 40, {TREES} trees, default search_k"
        )
        base = sets.gauss(1000)[0]
        file = self.folder / "call.ann"
        planted(engines()["linjin"], "angular", base).save(str(file))
        indexes = opened(file, 40, "angular")
        queries = [indexes["linjin"].get_item_vector(i) for i in range(len(base))]

        def passes(index):
            def ask():
                nearest = index.get_nns_by_vector
                for _ in range(20):
                    for q in queries:
                        nearest(q, K)

            return ask

        took = in_turns({n: passes(ix) for n, ix in indexes.items()}, self.rounds)
        each = {n: statistics.median(times) / (20 * len(queries)) * 1e6 for n, times in took.items()}
        self.table.row("from Python", "us", each["annoy"], each["linjin"], ratio(took["annoy"], took["linjin"]))
        command = [
            "cargo",
            "run",
            "--release",
            "--quiet",
            "-p",
            "linjin",
            "--example",
            "query_cost",
            "--",
            str(file),
            "40",
            "angular",
        ]
        try:
            done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
            rust = json.loads(done.stdout.strip().splitlines()[-1])["ns_per_query"] / 1e3
        except (OSError, subprocess.CalledProcessError, ValueError, KeyError, IndexError) as error:
            said = (getattr(error, "stderr", "") or str(error)).strip().splitlines()
            self.table.note(f"the Rust call was not measured: {said[0] if said else type(error).__name__}")
            return
        self.table.row("from Rust", "us", None, rust)
        self.table.row("overhead of Python", "us", None, each["linjin"] - rust, at_most=2)

    def load(self):
        """Opening a file of 1 GB, and the memory that takes."""
        n = 2500 if self.small else 250_000
        self.table.section("load", f"Opening a file of {n:,} x 1,024; memory of the process's own, before any query")
        file = self.folder / "large.ann"
        rows = np.random.default_rng(11).standard_normal((n, 1024), np.float32)
        index = planted(engines()["linjin"], "angular", rows, trees=1)
        index.save(str(file))
        index.unload()
        del rows, index
        gc.collect()
        size = file.stat().st_size
        with open(file, "rb") as read:  # into the page cache, for both alike
            while read.read(1 << 24):
                pass
        found = {}
        for name in engines():
            done = subprocess.run(
                [sys.executable, __file__, "--open", name, str(file)], capture_output=True, text=True, check=True
            )
            found[name] = json.loads(done.stdout)
        a, b = found["annoy"], found["linjin"]
        label = f"{size / 1e9:.3g} GB"
        self.table.row(
            f"{label}, first load", "ms", a["first_ms"], b["first_ms"], a["first_ms"] / b["first_ms"], at_most=1
        )
        self.table.row(
            f"{label}, median of 50 loads",
            "ms",
            a["median_ms"],
            b["median_ms"],
            a["median_ms"] / b["median_ms"],
            at_most=1,
        )
        self.table.row(f"{label}, growth of anonymous memory", "KiB", a["own_kib"], b["own_kib"])
        self.table.row(f"{label}, growth of resident memory", "KiB", a["resident_kib"], b["resident_kib"])
        file.unlink()

    def change(self):
        """1,000 items more in an index of the set's size. Annoy has one way: build anew."""
        self.table.section("change", "Seconds until 1,000 more items are found in a saved index; Annoy builds anew")
        for name, base, queries in self.sets():
            more = np.resize(queries, (1000, base.shape[1])) * np.float32(1.001)
            file = self.annoy_file(name, "angular", base)

            def grown(file=file, more=more, f=base.shape[1]):
                index = engines()["linjin"](f, "angular")
                index.load(str(file))
                index.add_items(more)
                return index

            whole = np.concatenate([base, more])
            calls = {"annoy": lambda: planted(engines()["annoy"], "angular", whole), "linjin": grown}
            took = in_turns(calls, 3)
            middle = {n: statistics.median(times) for n, times in took.items()}
            label = f"{name} {len(base):,} x {base.shape[1]} angular"
            self.table.row(label, "s", middle["annoy"], middle["linjin"], ratio(took["annoy"], took["linjin"]))

    def recall(self):
        """Recall@10 of indexes that each engine built itself, the same n_trees and search_k."""
        title = f"Recall@{K}: {TREES} trees, the mean over {len(SEEDS)} seeds; not below Annoy's"
        self.table.section("recall", title)
        gauss, words = self.sets()
        few = slice(None, 2000) if self.small else slice(None)
        cases = [("gauss", metric, *gauss[1:]) for metric in ("angular", "euclidean", "manhattan")]
        cases += [(words[0], metric, *words[1:]) for metric in ("angular", "euclidean")]
        cases += [("norms", "dot", *sets.norms()), ("bits", "hamming", *sets.bits())]
        for name, metric, base, queries in cases:
            base, queries = base[few], queries[:1000]
            worst = tenth_best(metric, base, queries)
            ours, theirs = (recalls(cls, metric, base, queries, worst) for cls in reversed(engines().values()))
            for effort in (-1, *EFFORTS):
                budget = "default" if effort < 0 else f"{effort:,}"
                label = f"{name} {len(base):,} x {base.shape[1]} {metric} search_k {budget}"
                a, b = theirs[effort], ours[effort]
                gap, noise = float((b - a).mean()), chance(b - a)
                met = gap >= -2 * noise
                self.table.row(
                    label, "recall", float(a.mean()), float(b.mean()), gap=gap, noise=noise, at_least_annoy=met
                )
                if not met:
                    self.table.below += 1
                    self.table.note(f"below Annoy's by {-gap:.4f}, where chance explains {2 * noise:.4f}")


def recalls(cls, metric, base, queries, worst):
    """{search_k: (seeds, queries) recall} of indexes built from each seed."""
    found = {effort: np.zeros((len(SEEDS), len(queries))) for effort in (-1, *EFFORTS)}
    for row, seed in enumerate(SEEDS):
        index = planted(cls, metric, base, seed=seed)
        for effort, shares in found.items():
            answers = (index.get_nns_by_vector(q, K, effort, True)[1] for q in queries.tolist())
            shares[row] = [within(metric, d, w) / K for d, w in zip(answers, worst)]
    return found


def chance(gaps):
    """The standard error of the mean of (seeds, queries) gaps, of which both were drawn."""
    by_query, by_seed = gaps.mean(axis=0), gaps.mean(axis=1)
    return float(np.hypot(by_query.std() / len(by_query) ** 0.5, by_seed.std(ddof=1) / len(by_seed) ** 0.5))


def tenth_best(metric, base, queries):
    """The reported distance of every query's exact tenth neighbour."""
    worst = []
    base64 = base.astype(np.float64)
    squares = (base64**2).sum(axis=1)
    for q in queries.astype(np.float64):
        if metric == "manhattan":
            d = np.abs(base64 - q).sum(axis=1)
        elif metric == "hamming":
            d = (base != q).sum(axis=1)
        elif metric == "dot":
            d = -(base64 @ q)
        elif metric == "euclidean":
            d = np.sqrt(np.maximum(0, squares - 2 * (base64 @ q) + q @ q))
        else:
            d = np.sqrt(np.maximum(0, 2 - 2 * (base64 @ q) / np.sqrt(squares * (q @ q))))
        worst.append(np.partition(d, K - 1)[K - 1])
    return worst


def within(metric, distances, worst):
    """How many of the reported distances are no farther than the exact tenth; ties count, whichever item it was."""
    d = -np.array(distances) if metric == "dot" else np.array(distances)
    return int((d <= worst + 1e-4 * max(1.0, abs(worst))).sum())


def memory():
    """(resident, anonymous) KiB of this process; (0, 0) where /proc does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0, 0
    found = dict(line.split(":", 1) for line in lines)
    return tuple(int(found[key].split()[0]) for key in ("VmRSS", "RssAnon"))


def open_and_tell(name, file):
    """In a process of its own: the time of a first load and of fifty more, and the memory that the first one took."""
    cls = engines()[name]
    cls(8, "angular")  # what the class itself needs is not counted
    index = cls(1024, "angular")
    before = memory()
    start = time.perf_counter()
    index.load(file)
    first = time.perf_counter() - start
    after = memory()
    times = []
    for _ in range(50):
        again = cls(1024, "angular")
        start = time.perf_counter()
        again.load(file)
        times.append(time.perf_counter() - start)
        again.unload()
    print(
        json.dumps(
            {
                "first_ms": first * 1e3,
                "median_ms": statistics.median(times) * 1e3,
                "resident_kib": after[0] - before[0],
                "own_kib": after[1] - before[1],
            }
        )
    )


SECTIONS = ("queries", "build", "batch", "add", "call", "load", "change", "recall")


def main():
    """Runs the sections asked for."""
    if sys.argv[1:2] == ["--open"]:
        open_and_tell(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections, of {','.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--small", action="store_true", help="10,000 items: to try the script, not to measure")
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    try:
        engines()
    except ImportError as error:
        sys.exit(f"{error}: `make bench` installs linjin and annoy side by side")
    table = Table("forest", keep=not (options.no_record or options.small))
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(table, folder, options)
        for section in SECTIONS:
            if section in chosen:
                getattr(bench, section)()
    print(f"\n{table.below} rows below their bar" if table.below else "\nno row below its bar")


if __name__ == "__main__":
    main()
