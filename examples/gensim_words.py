"""gensim on linjin: word2vec on made-up sentences, similar words by gensim's AnnoyIndexer, which finds linjin there.

    pip install gensim linjin
    python examples/gensim_words.py

Exits 1 when a check fails.
"""

import random
import sys

import linjin
import linjin.annoy

linjin.annoy.install()  # before gensim looks for annoy

from gensim.models import Word2Vec  # noqa: E402
from gensim.similarities.annoy import AnnoyIndexer  # noqa: E402

TOPICS = {
    "animals": "cat dog horse cow sheep goat hen duck pig mouse".split(),
    "kitchen": "bread butter egg flour milk salt sugar soup cake tea".split(),
    "weather": "rain snow wind storm cloud sun fog ice heat frost".split(),
}


def main():
    """Trains, asks gensim and `linjin.Index` for words like a word, and looks whether they are of its topic."""
    dice = random.Random(3)
    sentences = [dice.choices(dice.choice(list(TOPICS.values())), k=8) for _ in range(3_000)]
    model = Word2Vec(sentences, vector_size=24, window=4, min_count=1, workers=1, seed=3, epochs=5)
    indexer = AnnoyIndexer(model, 20)
    index = linjin.Index(24, "cosine")
    index.add(model.wv.vectors)
    wrong = 0
    for topic, words in TOPICS.items():
        by_gensim = [word for word, _ in model.wv.most_similar(words[0], topn=4, indexer=indexer)][1:]
        by_index = [model.wv.index_to_key[i] for i in index.search(model.wv[words[0]], k=4).ids][1:]
        print(f"{words[0]}: {', '.join(by_gensim)} (gensim), {', '.join(by_index)} (linjin.Index)")
        wrong += sum(word not in TOPICS[topic] for word in by_gensim + by_index)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
