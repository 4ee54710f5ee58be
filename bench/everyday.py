"""What an everyday user of linjin.Index meets: recalls asked for, filters, additions and removals, threads, memory.

    python bench/everyday.py --data DIR --sets glove mnist [--only recall,filters,...] [--record FILE]

DIR/SET holds base.npy, query.npy and metric.txt, as for index.py. What is true comes from brute force in NumPy. Speeds
are those of one query a call on one thread, taken in turns, medians of rounds. The sections:

recall   recall=0.95 and 0.99 on queries that are not in the index, and their time beside the best `ef` set by hand:
         the fastest that reaches the recall asked for, and the recall got. Both ways take their efforts from one curve,
         so the second ratio is near 1 by nature; the first is above it where the index does more than it was asked.
filters  50, 10, 1 and 0.1 % of the ids allowed: drawn at random; on the query's side of a random plane; the farthest
         from the query. Given as masks, as ids, and as sets that were read before, at the default effort.
churn    ten rounds that each remove a fifth and add as many: recall at one `ef`, in the end beside a new index, and
         what an addition costs.
adds     additions to an index that is there, one by one and a thousand a call, beside hnswlib.
threads  four threads that search beside four that add and remove; every answer is checked. See everyday_threads.py.
memory   what is resident in processes of their own, beside hnswlib, and of a file that is opened.
"""

import argparse
import datetime
import importlib.metadata
import json
import os
import platform
import statistics
from pathlib import Path

import linjin
import numpy as np

from everyday_changes import adds, churn
from everyday_memory import memory
from everyday_sets import Set, allowed, far, least_ef, near, one_by_one
from everyday_threads import threads
from index import K
from measure import cpu, in_turns, installed, number, ratio, said

SHARES = (0.5, 0.1, 0.01, 0.001)
CHUNK = 20  # queries whose masks are in memory at the same time


class Report:
    """Prints each row as it is measured; with a file, appends it as a line of JSON."""

    def __init__(self, file):
        self.lines = open(file, "a", encoding="utf-8") if file else None
        self.below, self.about = 0, {}
        dirty = "+" if said("git", "status", "--porcelain", "--untracked-files=no") else ""
        facts = {
            "date": datetime.datetime.now().isoformat(timespec="seconds"),
            "commit": (said("git", "rev-parse", "--short", "HEAD") or "none") + dirty,
            "cpu": cpu(),
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_average": os.getloadavg()[0],
            **{name: importlib.metadata.version(name) for name in ("linjin", "hnswlib", "numpy") if installed(name)},
        }
        self.write({"kind": "run", **facts})
        print("  ".join(f"{key} {value}" for key, value in facts.items()))

    def write(self, line):
        if self.lines:
            self.lines.write(json.dumps(line) + "\n")
            self.lines.flush()

    def section(self, data, name):
        """What follows belongs to it."""
        self.about = {"set": data.name, "section": name}
        print(f"\n{data.name} {len(data.base):,} x {data.base.shape[1]}, {data.metric}: {name}\n", flush=True)

    def row(self, label, unit, value, *, at_least=None, at_most=None, **more):
        """A value, or None where there is none, and the bar that it has to meet."""
        value = value.item() if isinstance(value, np.generic) else value  # JSON knows no others
        bar = at_least if at_least is not None else at_most
        met = None if bar is None else value is not None and (value >= bar if at_least is not None else value <= bar)
        self.below += met is False
        wanted = "" if bar is None else f"{'>=' if at_least is not None else '<='} {bar:g}"
        mark = {True: "met", False: "BELOW", None: ""}[met]
        told = number(value, unit) + (f" {unit}" if unit != "recall" else "")
        print(f"  {label:<60}{told:>16}   {wanted:<9}{mark}", flush=True)
        measured = {"row": label, "unit": unit, "value": value}
        self.write({"kind": "row", **self.about, **measured} | ({"bar": wanted, "met": met} if wanted else {}) | more)

    def note(self, text):
        print(f"  {text}", flush=True)
        self.write({"kind": "note", **self.about, "text": text})


def recall(report, data, options):
    index, queries = data.index, data.queries
    least = data.least(queries, np.arange(len(data.base)))

    def reached(**effort):
        return data.recall(queries, data.found(index, queries, **effort), least)

    got, by_hand = {target: reached(recall=target) for target in (0.95, 0.99)}, {}
    needs = sorted({*got, *got.values()})
    for need in needs:
        least_ef(reached, need, by_hand)
    # More effort may be quicker, where a graph and leaves are in question: some of the next tried run too.
    tried = {ef for need in needs for ef in sorted(ef for ef, found in by_hand.items() if found >= need)[:4]}
    took = in_turns(
        {f"recall {target}": one_by_one(index, queries, recall=target) for target in got}
        | {ef: one_by_one(index, queries, ef=ef) for ef in sorted(tried)},
        options.rounds,
    )
    for target, found in got.items():
        mine = took[f"recall {target}"]
        report.row(f"recall={target}: recall", "recall", found, at_least=target - 0.01)
        report.row(f"recall={target}: queries a second", "", len(queries) / statistics.median(mine))
        for need, of in ((target, "asked for"), (found, "got")):
            fit = [ef for ef in tried if by_hand[ef] >= need]
            if not fit:
                report.note(f"recall={target}: no ef up to {max(by_hand)} reaches {need:.4f}")
                continue
            best = min(fit, key=lambda ef: statistics.median(took[ef]))
            label = f"recall={target}: time over that of ef={best}, for {need:.4f} as {of}"
            report.row(label, "x", ratio(mine, took[best])[0], at_most=1.3, recall=by_hand[best])


def filtered(data, asked, close, masks, rounds):
    """(4, rounds) seconds unfiltered, with masks, with ids, with sets that were read before; hits; how many there could be;
    how much was wrong: ids that were not allowed, and answers that were not the same in all forms."""
    forms = {"none": None, "mask": list(masks), "ids": [np.flatnonzero(mask) for mask in masks]}
    forms["read"] = [linjin.Filter(mask) for mask in masks]
    took = in_turns({form: one_by_one(data.index, asked, sets) for form, sets in forms.items()}, rounds)
    bad, rows = 0, np.full((len(asked), K), -1)
    for row, query, mask, *others in zip(rows, asked, forms["mask"], forms["ids"], forms["read"]):
        answer, *more = (data.index.search(query, k=K, filter=form).ids for form in (mask, *others))
        bad += int((~mask[answer]).sum()) + sum(not np.array_equal(answer, other) for other in more)
        row[: len(answer)] = np.where(mask[answer], answer, -1)
    # Minus infinity where fewer than K are allowed: then each of them counts.
    least = np.partition(np.where(masks, close, -np.inf), -K, axis=1)[:, -K]
    hits, most = data.hits(asked, rows, least).sum(), np.minimum(K, masks.sum(axis=1)).sum()
    return np.array(list(took.values())), hits, most, bad


def filters(report, data, options):
    rng, n, all_bad = np.random.default_rng(2), len(data.base), 0
    queries = data.queries[: max(CHUNK, len(data.queries) // 5)]
    for share in SHARES:
        some = np.zeros(n, bool)
        some[rng.permutation(n)[: allowed(share, n)]] = True
        for kind in ("random", "near", "far"):
            took, hits, most, no_side = np.zeros((4, options.rounds)), 0, 0, 0
            for asked in np.split(queries, range(CHUNK, len(queries), CHUNK)):
                close = data.closeness(asked)
                if kind == "near":
                    masks, on_side = near(data, asked, share, rng)
                    no_side += len(asked) - on_side
                else:
                    masks = far(share, close) if kind == "far" else np.broadcast_to(some, close.shape)
                each = filtered(data, asked, close, masks, options.rounds)
                took, hits, most, all_bad = (a + b for a, b in zip((took, hits, most, all_bad), each))
            label, bar = f"{share:.1%} {kind}", {"at_least": 0.5} if share == 0.1 else {}
            report.row(f"{label}: recall", "recall", hits / most, at_least=0.95)
            for form, times in zip(("mask", "ids", "Filter"), took[1:]):
                rate = len(queries) / statistics.median(times)
                report.row(
                    f"{label}, as {form}: speed over unfiltered", "x", ratio(took[0], times)[0], **bar, rate=rate
                )
            if no_side:
                report.note(f"{no_side} of {len(queries)} queries have no such side, however the plane is turned")
    report.row("ids not allowed, and answers not the same in all forms", "", all_bad, at_most=0)


SECTIONS = {f.__name__: f for f in (recall, filters, churn, adds, threads, memory)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--sets", nargs="+", default=["glove", "mnist", "gauss"])
    parser.add_argument("--only", default=",".join(SECTIONS), help=f"sections, of {','.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--queries", type=int, default=1000, help="of the set; filters ask a fifth of them")
    parser.add_argument("--churns", type=int, default=10, help="rounds of the section churn")
    parser.add_argument("--seconds", type=float, default=60, help="of the section threads")
    parser.add_argument("--record", type=Path)
    options = parser.parse_args()
    chosen = options.only.split(",")
    if unknown := set(chosen) - set(SECTIONS):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    report = Report(options.record)
    for name in options.sets:
        data = Set(options.data / name, options.queries)
        for section in chosen:
            report.section(data, section)
            SECTIONS[section](report, data, options)
    print(f"\n{report.below} rows below their bar" if report.below else "\nno row below its bar")


if __name__ == "__main__":
    main()
