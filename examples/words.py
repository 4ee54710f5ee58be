"""32,000 real vectors: neighbours of words, recall, speed, then words added and deleted on the mapped file.

    python examples/words.py [WHEEL]

WHEEL is the wordllama wheel from PyPI (`make demo` keeps it in .venv/words); nothing of it is run. It carries one 256-d
vector for each token of its vocabulary. Every number printed is measured in this run. Exits 1 when a check fails.
"""

import hashlib
import json
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

import numpy as np
from safetensors.numpy import load

from linjin.annoy import AnnoyIndex

VECTORS = "wordllama/weights/l2_supercat_256.safetensors"
TOKENS = "wordllama/tokenizers/l2_supercat_tokenizer_config.json"
SPACE = "\u2581"  # how the vocabulary marks a token that begins a word

F, TREES, K = 256, 50, 10
ASKED = 1000  # tokens asked about for recall and speed
EFFORTS = (1000, 3000, 10_000, 30_000)  # search_k
COMPOUNDS = [("snow", "storm"), ("river", "bank"), ("coffee", "house"), ("moon", "light")]
MORE = 2000  # compounds added in one call

failures = 0


def check(text, ok):
    """One checked line of the report."""
    global failures
    failures += not ok
    print(f"  {text + ' ':.<70} {'ok' if ok else 'FAILED'}")


def timed(call, *args, **kwargs):
    """What the call returns, and the seconds it took."""
    start = time.perf_counter()
    result = call(*args, **kwargs)
    return result, time.perf_counter() - start


def find_wheel():
    """The wheel named on the command line, or the one that `make demo` downloaded."""
    if len(sys.argv) > 1:
        return Path(sys.argv[1])
    found = sorted(Path(__file__).resolve().parent.parent.glob(".venv/words/wordllama-*.whl"))
    if not found:
        sys.exit("no word vectors here: run `make demo`, or name a wheel from `pip download --no-deps wordllama`")
    return found[-1]


def read_words(wheel):
    """The tokens, and their vectors (n, 256) float32, row i for token i."""
    with zipfile.ZipFile(wheel) as files:
        vocabulary = json.loads(files.read(TOKENS))["model"]["vocab"]
        (vectors,) = load(files.read(VECTORS)).values()
    tokens = sorted(vocabulary, key=vocabulary.get)
    return tokens, np.ascontiguousarray(vectors, np.float32)


def shown(token):
    """A token as people read it: a piece from inside a word gets a hyphen."""
    if token.startswith(SPACE):
        return token[1:]
    return "-" + token if token.isascii() and token.isalpha() else token


def unit(vectors):
    """The rows at length 1."""
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def others(ids, items):
    """Of each row of ids, the first K that are not the item asked about."""
    return [[i for i in row if i not in (item, -1)][:K] for row, item in zip(ids.tolist(), items)]


def brute_force(vectors, live, items):
    """For each item, the ids in `live` of its K + 1 nearest, itself among them."""
    directions = unit(vectors)
    cosines = directions[items] @ directions[live].T
    return live[np.argpartition(-cosines, K, axis=1)[:, : K + 1]]


def recall(index, exact, items, effort):
    """Recall@10 of `index` against brute force, the items asked about left out."""
    found = index.get_nns_by_items(items, K + 1, effort)
    hits = (len(set(a) & set(b)) for a, b in zip(others(exact, items), others(found, items)))
    return sum(hits) / (K * len(items))


def digest(path):
    """The SHA-256 of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def plant(vectors, live):
    """A forest over the rows of `vectors` that `live` names, each under its own id."""
    index = AnnoyIndex(F, "angular")
    index.add_items(vectors[live], live)
    index.build(TREES)
    return index


def main():
    """The report, top to bottom."""
    tokens, vectors = read_words(find_wheel())
    number = {token: i for i, token in enumerate(tokens)}

    def word(text):
        return number[SPACE + text]

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "words.ann"
        print(f"\n{len(tokens):,} token vectors of {F} dimensions, angular, {TREES} trees\n")
        everything = np.arange(len(tokens))
        built, seconds = timed(plant, vectors, everything)
        built.save(path)
        built.unload()
        print(
            f"  added and built in {seconds:.2f} s on {os.cpu_count()} cores, {path.stat().st_size / 1e6:.1f} MB saved"
        )

        index = AnnoyIndex(F, "angular")
        _, seconds = timed(index.load, path)
        print(f"  mapped in {seconds * 1e3:.3f} ms\n")

        for text in ("king", "river", "snow", "python"):
            near = index.get_nns_by_item(word(text), 9, search_k=30_000)[1:]
            print(f"  {text:<8} {'  '.join(shown(tokens[i]) for i in near)}")

        items = np.random.default_rng(1).choice(len(tokens), ASKED, replace=False).tolist()
        queries = [index.get_item_vector(i) for i in items]
        matrix = np.array(queries, np.float32)
        exact = brute_force(vectors, everything, items)
        print(f"\n  search_k   recall@{K}   one by one      one batch, all cores\n")
        for effort in EFFORTS:
            hit = recall(index, exact, items, effort)
            _, loop = timed(lambda effort=effort: [index.get_nns_by_vector(q, K, effort) for q in queries])
            _, batch = timed(index.get_nns_by_vectors, matrix, K, effort)
            print(f"  {effort:>8,}   {hit:>9.3f}   {ASKED / loop:>8,.0f} q/s    {ASKED / batch:>8,.0f} q/s")
        print()
        check(f"recall@{K} of at least 0.9 at search_k {EFFORTS[-1]:,}", hit >= 0.9)

        print("\nWords that have no token of their own: the mean of their parts, added to the mapped file\n")
        before, answers = digest(path), index.get_nns_by_vectors(matrix, K).tolist()
        names = dict(enumerate(tokens))
        for a, b in COMPOUNDS:
            i, v = len(names), (vectors[word(a)] + vectors[word(b)]) / 2
            names[i] = SPACE + a + b
            index.add_item(i, v)
            near = index.get_nns_by_vector(v, 6)
            print(f"  {a + b:<12} {'  '.join(shown(names[j]) for j in near if j != i)}")
            check(f"{a + b} is found", near[0] == i)

        rng = np.random.default_rng(2)
        pairs = rng.choice(len(tokens), (MORE, 2))
        more = vectors[pairs].mean(axis=1)
        first = index.get_n_items()
        _, seconds = timed(index.add_items, more)
        print(f"\n  {MORE:,} more in one call: {MORE / seconds:,.0f} a second")
        _, nearest = index.get_nns_by_vectors(more, 1, include_distances=True)
        check(f"all {MORE:,} are found", bool((nearest[:, 0] < 5e-3).all()))

        gone = [word("snow"), word("Snow"), *range(first, first + MORE, 2)]
        _, seconds = timed(index.delete_items, gone)
        print(f"\n  {len(gone):,} deleted: {len(gone) / seconds:,.0f} a second")
        near = index.get_nns_by_vector(vectors[word("snow")].tolist(), 6)
        print(f"  {'near snow':<12} {'  '.join(shown(names.get(j, '?')) for j in near)}")
        left = set(range(index.get_n_items())) - set(gone)
        seen = set(index.get_nns_by_vectors(np.concatenate([vectors[gone[:2]], more]), K, 30_000).ravel().tolist())
        check("no deleted word is found", not seen & set(gone))
        check("every word counted", len(index) == len(left))

        print("\nThe file, and a forest built anew over the same words\n")
        other = AnnoyIndex(F, "angular")
        other.load(path)
        check("the mapped file has not changed", digest(path) == before)
        check("a second index on it answers as before", other.get_nns_by_vectors(matrix, K).tolist() == answers)

        compounds = [(vectors[word(a)] + vectors[word(b)]) / 2 for a, b in COMPOUNDS]
        grown = np.concatenate([vectors, compounds, more])
        live = np.array(sorted(left))
        items = [i for i in items if i in left]
        exact = brute_force(grown, live, items)
        ours, anew = (recall(ix, exact, items, 10_000) for ix in (index, plant(grown, live)))
        print(f"  recall@{K} at search_k 10,000: added to and deleted from {ours:.3f}, built anew {anew:.3f}")
        check("no more than two points below", ours >= anew - 0.02)

        index.save(path)
        other.load(path)
        check("saved and mapped again, a new word is found", other.get_nns_by_item(len(tokens), 1) == [len(tokens)])
        check("and a deleted one is not", word("snow") not in other.get_nns_by_vector(vectors[word("snow")], K))
        for opened in (index, other):
            opened.unload()

    print(f"\n{'all checks passed' if not failures else f'{failures} checks FAILED'}\n")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
