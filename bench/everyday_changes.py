"""The sections `churn` and `adds` of everyday.py: what additions and removals cost, and what they leave behind."""

import functools
import statistics

import numpy as np

from everyday_sets import least_ef, one_by_one
from index import THREADS
from measure import in_turns, installed, ratio, seconds

BATCH, ONES = 1000, 300  # vectors added by one call; one by one, in a round


def churn(report, data, options):
    rng, queries = np.random.default_rng(3), data.queries
    rows, spare = np.split(rng.permutation(len(data.base)), [-(len(data.base) // 6)])  # rows[id]; -1 once it is removed
    index, alive = data.made(rows), np.arange(len(rows))
    least = data.least(queries, rows)
    known = {}
    # Where there is something to lose: at a recall near 1 nothing would show.
    ef = least_ef(lambda ef: data.recall(queries, data.found(index, queries, rows, ef=ef), least), 0.95, known)
    ef = ef or max(known)
    report.row(f"recall before, ef={ef}", "recall", known[ef], leaves=index.info["leaves"])
    ones = min(ONES, len(spare) // 2)
    costs = {"one by one": [], f"{BATCH:,} a call": []}  # of each round: us a vector in all, and of the median call
    for turn in range(options.churns):
        gone = rng.permutation(alive)[: len(spare)]
        leaving = rows[gone]
        removal = seconds(functools.partial(index.remove, gone)) / len(gone) * 1e6
        rows[gone] = -1
        alive = np.append(np.setdiff1d(alive, gone), np.arange(len(rows), len(rows) + len(spare)))
        starts = [*range(ones), *range(ones, len(spare), BATCH)]
        times = []
        for vectors in np.split(data.base[spare], starts[1:]):
            times.append((len(vectors), seconds(functools.partial(index.add, vectors, threads=THREADS))))
        for cost, some in zip(costs.values(), (times[:ones], times[ones:])):
            count, took = np.array(some).T
            cost.append((took.sum() / count.sum() * 1e6, statistics.median(took / count) * 1e6))
        rows, spare = np.append(rows, spare), leaving

        found, least = data.found(index, queries, rows, ef=ef), data.least(queries, rows[alive])
        changed = data.recall(queries, found, least)
        one, many = (cost[-1][0] for cost in costs.values())
        label = f"round {turn + 1}: {one:.0f} and {many:.0f} us an addition, {removal:.1f} us a removal"
        report.row(label, "recall", changed, us_one=one, us_batch=many, us_removal=removal, leaves=index.info["leaves"])
        if (found < 0).any():
            report.row("ids found that are not there", "", int((found < 0).sum()), at_most=0)

    fresh = data.made(rows[alive])
    anew = data.recall(queries, data.found(fresh, queries, rows[alive], ef=ef), least)
    report.row("recall of a new index of the same vectors", "recall", anew, leaves=fresh.info["leaves"])
    report.row("points behind that", "", 100 * (anew - changed), at_most=1)
    # One `ef` means an effort by the curve of each; what is asked by recall should be the same of both.
    kept = data.recall(queries, data.found(index, queries, rows, recall=0.95), least)
    report.row("recall=0.95: recall", "recall", kept, at_least=0.94)
    for effort in ({"ef": ef}, {"recall": 0.95}):
        calls = {"new": one_by_one(fresh, queries, **effort), "old": one_by_one(index, queries, **effort)}
        took = in_turns(calls, options.rounds)
        name, value = next(iter(effort.items()))
        report.row(f"{name}={value}: time over that of the new one", "x", ratio(took["old"], took["new"])[0])
    for name, cost in costs.items():
        whole, middle = zip(*cost)
        drift = statistics.median(whole[-3:]) / statistics.median(whole[:3])
        report.row(f"{name}: time of the last three rounds over the first three", "x", drift, at_most=1.2)
        report.row(
            f"{name}: the slowest round over the fastest, by medians", "x", max(middle) / min(middle), at_most=1.2
        )


def adds(report, data, options):
    n, rounds = len(data.base), max(3, options.rounds)
    ones, batch = min(ONES, n // 60), min(BATCH, n // 60)
    at = n - rounds * (ones + 2 * batch)
    ours = data.made(slice(0, at))
    calls = {"linjin": lambda vectors, ids: ours.add(vectors, ids=ids, threads=THREADS)}
    if installed("hnswlib"):
        import hnswlib

        theirs = hnswlib.Index({"cosine": "cosine", "euclidean": "l2", "dot": "ip"}[data.metric], data.base.shape[1])
        theirs.init_index(n, M=16, ef_construction=200)
        theirs.add_items(data.base[:at], num_threads=THREADS)
        calls["hnswlib"] = lambda vectors, ids: theirs.add_items(vectors, ids, num_threads=THREADS)
    sizes = {"one by one": (ones, 1), f"{batch:,} a call": (2 * batch, batch)}
    took = {(kind, name): [] for kind in sizes for name in calls}
    for turn in range(rounds):
        for kind, (count, size) in sizes.items():
            parts = [(data.base[i : i + size], np.arange(i, i + size)) for i in range(at, at + count, size)]
            at += count
            for name in list(calls) if turn % 2 == 0 else reversed(list(calls)):
                spent = seconds(lambda add=calls[name], parts=parts: [add(*part) for part in parts])
                took[kind, name].append(spent / count * 1e6)
    assert len(ours) == n
    for kind in sizes:
        for name in calls:
            each = took[kind, name]
            report.row(f"{kind}: {name}, us a vector", "", statistics.median(each), each=each)
        if len(calls) > 1:
            times = ratio(took[kind, "linjin"], took[kind, "hnswlib"])[0]
            report.row(f"{kind}: linjin over hnswlib", "x", times, at_most=1)
