"""`linjin.langchain`: LangChain's own tests of a vector store, and ours."""

import json

import pytest

pytest.importorskip("langchain_tests")

from langchain_core.documents import Document  # noqa: E402
from langchain_core.embeddings import DeterministicFakeEmbedding  # noqa: E402
from langchain_tests.integration_tests.vectorstores import VectorStoreIntegrationTests  # noqa: E402

import linjin  # noqa: E402
from linjin.langchain import LinjinVectorStore  # noqa: E402


class TestLangChainsOwn(VectorStoreIntegrationTests):
    """Synchronous and asynchronous; the embeddings are LangChain's fake ones."""

    @pytest.fixture
    def vectorstore(self):
        return LinjinVectorStore(self.get_embeddings())


class Letters:
    """A text's vector counts its letters a, b and c."""

    def embed_documents(self, texts):
        return [self.embed_query(text) for text in texts]

    def embed_query(self, text):
        return [text.count(letter) + 0.01 for letter in "abc"]


@pytest.fixture
def store():
    return LinjinVectorStore.from_texts(
        ["aaa", "bbb", "ab", "cc"], Letters(), [{"n": 3}, {"n": 3}, {"n": 2}, {"n": 2}], ids=["1", "2", "3", "4"]
    )


def ids(documents):
    return [document.id for document in documents]


def test_distances_and_scores(store):
    (first, distance), (second, farther) = store.similarity_search_with_score("aaaa", k=2)
    assert (first.id, second.id) == ("1", "3")
    assert 0 <= distance < 0.001 < farther
    scores = [score for _, score in store.similarity_search_with_relevance_scores("aaaa", k=4)]
    assert scores == sorted(scores, reverse=True)
    assert 0 <= scores[-1] < scores[0] <= 1


def test_filters(store):
    assert ids(store.similarity_search("aaa", k=2, filter={"n": 2})) == ["3", "4"]
    assert ids(store.similarity_search("aaa", k=9, filter=lambda document: "b" in document.page_content)) == ["3", "2"]
    assert store.similarity_search("aaa", filter={"n": 7}) == []
    assert ids(store.as_retriever(search_kwargs={"k": 1, "filter": {"n": 2}}).invoke("b")) == ["3"]


def test_close_and_unlike(store):
    store.add_texts(["aaaa"], ids=["5"])
    assert ids(store.similarity_search("a", k=2)) == ["1", "5"]
    assert ids(store.max_marginal_relevance_search("a", k=2, lambda_mult=0.1))[1] not in ("1", "5")
    assert ids(store.max_marginal_relevance_search("a", k=2, lambda_mult=1)) == ["1", "5"]


@pytest.mark.parametrize("metric", ["cosine", "dot", "euclidean"])
def test_saved_and_loaded(metric, tmp_path):
    store = LinjinVectorStore(Letters(), metric=metric)
    store.save_local(tmp_path / "empty")
    assert len(LinjinVectorStore.load_local(tmp_path / "empty", Letters())) == 0
    store.add_texts(["aaa", "bbb", "ab"], [{"é": [1]}, {}, {}], ids=["1", "2", "3"])
    store.delete(["2"])
    store.save_local(tmp_path)
    twin = LinjinVectorStore.load_local(tmp_path, Letters())
    assert twin.similarity_search_with_score("ab") == store.similarity_search_with_score("ab")
    assert twin.get_by_ids(["1", "2"]) == [Document(id="1", page_content="aaa", metadata={"é": [1]})]
    twin.add_texts(["b"])
    assert len(twin) == 3


def test_files_that_do_not_belong_together(store, tmp_path):
    store.save_local(tmp_path)
    whole = (tmp_path / "documents.json").read_text()
    kept = json.loads(whole)
    kept["documents"].pop()
    (tmp_path / "documents.json").write_text(json.dumps(kept))
    with pytest.raises(ValueError, match="do not belong together"):
        LinjinVectorStore.load_local(tmp_path, Letters())
    for other in ("{}", "[1]", "{", '{"metric": "dot", "next": 1, "vectors": 3, "documents": []}'):
        (tmp_path / "documents.json").write_text(other)
        with pytest.raises(ValueError):
            LinjinVectorStore.load_local(tmp_path, Letters())
    (tmp_path / "documents.json").write_text(whole)
    next(tmp_path.glob("vectors-*.linjin")).write_bytes(b"something else")
    with pytest.raises(linjin.IndexFileError):
        LinjinVectorStore.load_local(tmp_path, Letters())
    with pytest.raises(FileNotFoundError):
        LinjinVectorStore.load_local(tmp_path / "nowhere", Letters())


def test_a_save_that_fails_leaves_the_old_store(store, tmp_path, monkeypatch):
    store.save_local(tmp_path)
    store.add_texts(["new"], ids=["9"])

    def broken(*_):
        raise OSError("no")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="no"):
        patch.setattr("os.replace", broken)
        store.save_local(tmp_path)
    assert len(LinjinVectorStore.load_local(tmp_path, Letters())) == 4
    store.save_local(tmp_path)
    assert len(LinjinVectorStore.load_local(tmp_path, Letters())) == 5
    assert len(list(tmp_path.glob("vectors-*.linjin"))) == 1


def test_a_refused_addition_changes_nothing(store):
    with pytest.raises(ValueError, match="as many ids as texts"):
        store.add_texts(["a", "b"], ids=["7"])

    class Broken(Letters):
        def embed_query(self, text):
            return [float("nan")] * 3

    store._embedding = Broken()
    with pytest.raises(ValueError, match="row 0"):
        store.add_texts(["new", "other"], ids=["1", "9"])
    assert len(store) == 4
    assert ids(store.get_by_ids(["1", "9"])) == ["1"]


def test_many_documents():
    texts = [f"text {i}" for i in range(3000)]
    embedding = DeterministicFakeEmbedding(size=32)
    store = LinjinVectorStore.from_texts(texts, embedding)
    found = [store.similarity_search(text, k=1, recall=0.99)[0].page_content for text in texts[:50]]
    assert found == texts[:50]
