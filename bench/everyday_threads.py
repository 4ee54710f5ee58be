"""The section `threads` of everyday.py: four threads search while four add and remove, and every answer is checked.

The threads that change write down when each vector came and went. An answer is wrong if it names an id that was never
added, was added only after the search had ended, or was removed before it began; if a distance is not that of the
vector; if it is not sorted, names an id twice or has fewer than K. Of a sample of the exact answers also what they left
out is looked for. Last, errors are planted in answers: a check that does not find those is worth nothing.
"""

import contextlib
import itertools
import random
import statistics
import threading
import time
from collections import deque

import numpy as np

from index import K
from measure import ratio

SEARCHERS = CHANGERS = 4
SIZES = (1, 10, 100)  # vectors that a call adds or removes
MANY, EVERY_MANY, EVERY_EXACT = 16, 50, 400  # of the searches, so many are of MANY queries, or exact
SAMPLE = 200  # answers compared with brute force
KINDS = ("not there yet or never", "removed before", "of a wrong distance", "twice, unsorted or missing")
clock = time.perf_counter


class Worker(threading.Thread):
    """Calls `step` until it is told to stop; keeps what went wrong."""

    def __init__(self, data, index, seed):
        super().__init__(daemon=True)
        self.data, self.index, self.random = data, index, random.Random(seed)
        self.told, self.calls, self.error = threading.Event(), 0, None

    def run(self):
        try:
            while not self.told.is_set():
                self.step()
                self.calls += 1
        except Exception as error:
            self.error = error

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.told.set()
        self.join()


class Changer(Worker):
    """Adds and removes in turn, vectors and ids that no other thread touches. Every id is used once."""

    def __init__(self, data, index, seed, held, spare, first):
        super().__init__(data, index, seed)
        self.held, self.spare, self.next = held, deque(spare), first  # [(id, row)], rows, the id to come
        self.born, self.died, self.changed = [], [], 0  # (ids, rows, begin, end), (ids, begin, end), vectors

    def step(self):
        size = min(self.random.choice(SIZES), len(self.spare))
        rows = np.array([self.spare.popleft() for _ in range(size)])
        ids = np.arange(self.next, self.next + size)
        vectors, begin = self.data.base[rows], clock()
        self.index.add(vectors, ids=ids, threads=1)
        self.born.append((ids, rows, begin, clock()))
        self.next += size
        self.held += zip(ids.tolist(), rows.tolist())
        gone = np.array([self.drawn() for _ in range(size)])
        begin = clock()
        self.index.remove(gone[:, 0])
        self.died.append((gone[:, 0], begin, clock()))
        self.spare += gone[:, 1].tolist()
        self.changed += 2 * size

    def drawn(self):
        """One of those that are held, taken out: the newest, or any."""
        if self.random.random() < 0.5:
            there = self.random.randrange(len(self.held))
            self.held[there], self.held[-1] = self.held[-1], self.held[there]
        return self.held.pop()


class Searcher(Worker):
    """Searches, and keeps a row for each answer: when, which query, exact or not, ids and distances."""

    KIND = np.dtype(
        [("begin", "f8"), ("end", "f8"), ("query", "i4"), ("exact", "?"), ("ids", "u8", K), ("distances", "f4", K)]
    )

    def __init__(self, data, index, seed):
        super().__init__(data, index, seed)
        self.answers, self.fill = [np.zeros(4096, self.KIND)], 0

    def step(self):
        exact, many = self.calls % EVERY_EXACT == 1, self.calls % EVERY_MANY == 2
        count = MANY if many else 1
        asked = self.random.randrange(len(self.data.queries) - count + 1)
        queries = self.data.queries[asked : asked + count] if many else self.data.queries[asked]
        begin = clock()
        hits = self.index.search(queries, k=K, exact=exact)
        end = clock()
        if self.fill + count > len(self.answers[-1]):
            self.answers[-1] = self.answers[-1][: self.fill]
            self.answers.append(np.zeros(4096, self.KIND))
            self.fill = 0
        rows = self.answers[-1][self.fill : self.fill + count]
        rows["begin"], rows["end"], rows["exact"] = begin, end, exact
        rows["query"], rows["ids"], rows["distances"] = range(asked, asked + count), hits.ids, hits.distances
        self.fill += count

    def all(self):
        return np.concatenate([*self.answers[:-1], self.answers[-1][: self.fill]])


class Log:
    """When each id was there: from some moment of the call that added it to some moment of the one that removed it."""

    def __init__(self, born, died):
        def each(calls, at):
            return np.concatenate([np.broadcast_to(call[at], np.shape(call[0])) for call in calls])

        ids = each(born, 0).astype(np.uint64)
        order = np.argsort(ids)
        self.ids, self.rows = ids[order], each(born, 1)[order]
        self.added, self.there = each(born, 2)[order], each(born, 3)[order]  # its beginning, its end
        self.leaving, self.gone = np.full((2, len(ids)), np.inf)
        if died:
            places = np.searchsorted(self.ids, each(died, 0).astype(np.uint64))
            self.leaving[places], self.gone[places] = each(died, 1), each(died, 2)

    def place(self, ids):
        """Where in the log each id is, and whether it is."""
        places = np.minimum(np.searchsorted(self.ids, ids), len(self.ids) - 1)
        return places, self.ids[places] == ids

    def sure(self, begin, end):
        """Which were there all the time."""
        return (self.there < begin) & (self.leaving > end)


def wrong(data, log, answers):
    """How many of the ids in `answers` are wrong, by KINDS."""
    counts = np.zeros(len(KINDS), int)
    step = max(1, 2**22 // (K * data.base.shape[1]))
    for part in (answers[start : start + step] for start in range(0, len(answers), step)):
        places, known = log.place(part["ids"])
        early = ~known | (log.added[places] > part["end"][:, None])
        late = known & (log.gone[places] < part["begin"][:, None])
        queries = np.repeat(data.queries[part["query"]], K, axis=0)
        true, slack = data.distances(queries, log.rows[places.ravel()])
        told = part["distances"].astype(np.float64)
        square = told**2 if data.metric == "euclidean" else told
        off = known & ~(np.abs(square.ravel() - true) <= slack).reshape(known.shape)
        in_order = np.sort(part["ids"], axis=1)
        same = (np.diff(in_order, axis=1) == 0).sum() + (~(np.diff(told, axis=1) >= 0)).sum()
        counts += early.sum(), late.sum(), off.sum(), same
    return counts


def beside_brute_force(data, log, answers):
    """How many ids that were there all the time these answers left out for farther ones, and their recall."""
    left_out = hits = 0
    for start in range(0, len(answers), 20):
        part = answers[start : start + 20]
        queries = data.queries[part["query"]]
        close = data.closeness(queries)
        for answer, query, row in zip(part, queries, close):
            places, known = log.place(answer["ids"])
            found = np.where(known, log.rows[places], -1)
            there = np.flatnonzero(log.sure(answer["begin"], answer["end"]))
            least = np.partition(row[log.rows[there]], -K)[-K]
            hits += data.hits(query[None], found[None], least[None])[0]
            # Some found may be of those that came or went meanwhile: so beside the worst found, not beside `least`.
            worst = row[found].min() + data.slack(query[None])[0]
            better = there[row[log.rows[there]] > worst]
            left_out += (~np.isin(log.ids[better], answer["ids"])).sum()
    return int(left_out), int(hits) / (len(answers) * K)


def planted(data, log, answers):
    """Whether each of these errors was found, put into an answer: KINDS, and an id left out of an exact one."""
    dead = np.argmin(log.gone)
    one = answers[answers["begin"] > log.gone[dead]][-1:]
    found = []
    for kind, before in enumerate(wrong(data, log, one)):
        bad = one.copy()
        if kind == 0:
            bad["ids"][0, 0] = log.ids[-1] + np.uint64(1)
        elif kind == 1:
            bad["ids"][0, 0] = log.ids[dead]
        elif kind == 2:
            bad["distances"] += 0.01 * (1 + np.abs(bad["distances"]))
        else:
            bad["ids"][0, 1] = bad["ids"][0, 0]
        found.append(wrong(data, log, bad)[kind] > before)
    for exact in answers[answers["exact"]][::-1]:
        places, _ = log.place(exact["ids"])
        stayed = np.flatnonzero(log.sure(exact["begin"], exact["end"])[places])
        if stayed[0] < K - 1:
            bad = exact[None].copy()
            bad["ids"][0, stayed[0]] = bad["ids"][0, K - 1]
            return [*found, beside_brute_force(data, log, bad)[0] > 0]
    return [*found, False]


def speed(data, index, seconds):
    """Searches a second of this thread."""
    begin = clock()
    for done, query in enumerate(itertools.cycle(data.queries), 1):
        index.search(query, k=K)
        if (took := clock() - begin) > seconds:
            return done / took


def threads(report, data, options):
    """Eight threads for a while, the check of their answers, and the speed of one thread beside one that changes."""
    rng = np.random.default_rng(4)
    live, spare = np.split(rng.permutation(len(data.base)), [-(len(data.base) // 6)])
    index = data.made(live)
    at_first = list(enumerate(live.tolist()))
    changers = [
        Changer(data, index, i, at_first[i::CHANGERS], spare[i::CHANGERS].tolist(), (i + 1) << 40)
        for i in range(CHANGERS)
    ]
    searchers = [Searcher(data, index, CHANGERS + i) for i in range(SEARCHERS)]
    with contextlib.ExitStack() as stack:
        for worker in (*changers, *searchers):
            stack.enter_context(worker)
        time.sleep(options.seconds)
    errors = [worker.error for worker in (*changers, *searchers) if worker.error]
    for error in errors:
        report.note(f"raised {error!r}"[:200])
    report.row("calls that raised something", "", len(errors), at_most=0)

    answers = np.concatenate([searcher.all() for searcher in searchers])
    calls = [(np.arange(len(live)), live, -np.inf, -np.inf)]
    log = Log(calls + [call for it in changers for call in it.born], [call for it in changers for call in it.died])
    report.row("vectors added and removed a second", "", sum(it.changed for it in changers) / options.seconds)
    report.row("searches a second", "", sum(it.calls for it in searchers) / options.seconds)
    report.row("answers checked", "", len(answers))
    for kind, count in zip(KINDS, wrong(data, log, answers)):
        report.row(f"ids {kind}", "", int(count), at_most=0)
    exact, others = answers[answers["exact"]], answers[~answers["exact"]]
    exact, others = (rng.permutation(some)[:SAMPLE] for some in (exact, others))
    report.row(f"ids left out of {len(exact)} exact answers", "", beside_brute_force(data, log, exact)[0], at_most=0)
    report.row(f"recall of {len(others)} others", "recall", beside_brute_force(data, log, others)[1], at_least=0.94)
    found = planted(data, log, answers)
    report.row(f"of {len(found)} planted errors found", "", int(sum(found)), at_least=len(found))

    quiet, beside, changed = [], [], 0
    last, seconds = changers[0], max(0.2, options.seconds / 20)
    for turn in range(options.rounds):
        quiet.append(speed(data, index, seconds))
        with Changer(data, index, turn, last.held, last.spare, last.next) as last:
            beside.append(speed(data, index, seconds))
        changed += last.changed
        if last.error:
            raise last.error
    report.row("searches a second of one thread, quiet", "", statistics.median(quiet))
    report.row("beside one thread that changes", "", statistics.median(beside))
    report.row("vectors that one adds and removes a second", "", changed / (options.rounds * seconds))
    report.row("speed beside over quiet", "x", ratio(beside, quiet)[0], at_least=0.5)
