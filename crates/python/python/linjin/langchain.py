"""linjin as a vector store of LangChain.

    from linjin.langchain import LinjinVectorStore

    store = LinjinVectorStore.from_texts(texts, embeddings)
    store.similarity_search("a question", k=4)
    store.save_local("store")

Needs langchain-core: `pip install linjin[langchain]`.
"""

from __future__ import annotations

import json
import os
import tempfile
import uuid
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import numpy as np
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import VectorStore
from langchain_core.vectorstores.utils import maximal_marginal_relevance
from numpy.typing import NDArray

from ._linjin import Index
from ._linjin import open as open_index

if TYPE_CHECKING:
    from typing_extensions import Self

__all__ = ["Filter", "LinjinVectorStore"]

# What documents may be found: metadata that has to be equal, or a function of the document.
Filter: TypeAlias = dict[str, Any] | Callable[[Document], bool]

_DOCUMENTS = "documents.json"


class LinjinVectorStore(VectorStore):
    """Documents, found by the embeddings of their texts.

    `embedding` makes the vectors, `metric` compares them: "cosine", "dot" or "euclidean". Documents have ids that are
    strings; one that is added again takes the place of the one that has its id. Any method may be called from any thread.

    `filter=` of a search is a dict of metadata that has to be equal, or a function that says of a document whether it may
    be found; it is asked for every document, and the nearest of those that pass are returned.
    """

    def __init__(
        self, embedding: Embeddings, *, metric: Literal["cosine", "dot", "euclidean"] = "cosine"
    ) -> None:
        self._embedding = embedding
        self._metric: Literal["cosine", "dot", "euclidean"] = metric
        self._lock = RLock()
        self._index: Index | None = None  # until the first vectors say how long they are
        self._documents: dict[int, Document] = {}
        self._numbers: dict[str, int] = {}
        self._next = 0

    @property
    def embeddings(self) -> Embeddings:
        """What makes the vectors."""
        return self._embedding

    def __len__(self) -> int:
        """How many documents there are."""
        return len(self._documents)

    def add_texts(
        self,
        texts: Iterable[str],
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: Sequence[str | None] | None = None,
        **kwargs: Any,
    ) -> list[str]:
        """Embeds and adds texts, all or none, and returns their ids: those given, or new ones where there is none.

        Raises ValueError for another number of metadatas or ids than of texts.
        """
        texts = list(texts)
        metadatas = metadatas if metadatas is not None else [{} for _ in texts]
        given = list(ids) if ids is not None else [None] * len(texts)
        for name, others in (("metadatas", metadatas), ("ids", given)):
            if len(others) != len(texts):
                raise ValueError(f"expected as many {name} as texts, {len(texts)}, got {len(others)}")
        names = [str(uuid.uuid4()) if name is None else name for name in given]
        if not texts:
            return names
        vectors = np.asarray(self._embedding.embed_documents(texts), dtype=np.float32)
        # Of an id that comes twice the last one counts.
        rows = list({name: row for row, name in enumerate(names)}.values())
        with self._lock:
            index = self._index or Index(vectors.shape[1], self._metric)
            numbers = dict(self._numbers)
            following = self._next
            for row in rows:
                if names[row] not in numbers:
                    numbers[names[row]] = following
                    following += 1
            index.add(vectors[rows], ids=[numbers[names[row]] for row in rows], replace=True)
            self._index, self._numbers, self._next = index, numbers, following
            for row in rows:
                document = Document(id=names[row], page_content=texts[row], metadata=dict(metadatas[row]))
                self._documents[numbers[names[row]]] = document
        return names

    def delete(self, ids: list[str] | None = None, **kwargs: Any) -> bool:
        """Removes the documents with these ids, or all; ids that are not there mean nothing. Returns True."""
        with self._lock:
            names = list(self._numbers) if ids is None else [name for name in dict.fromkeys(ids) if name in self._numbers]
            numbers = [self._numbers[name] for name in names]
            if self._index is not None and numbers:
                self._index.remove(numbers)
            for name, number in zip(names, numbers):
                del self._numbers[name], self._documents[number]
        return True

    def get_by_ids(self, ids: Sequence[str], /) -> list[Document]:
        """The documents with these ids, in this order; ids that are not there are left out."""
        with self._lock:
            return [self._shown(self._numbers[name]) for name in ids if name in self._numbers]

    def similarity_search(self, query: str, k: int = 4, **kwargs: Any) -> list[Document]:
        """The `k` documents closest to the query, closest first. Takes `filter` and `recall`."""
        return [document for document, _ in self.similarity_search_with_score(query, k, **kwargs)]

    def similarity_search_with_score(self, query: str, k: int = 4, **kwargs: Any) -> list[tuple[Document, float]]:
        """The same with the distance of each; smaller is closer."""
        return self.similarity_search_with_score_by_vector(self._embedding.embed_query(query), k, **kwargs)

    def similarity_search_by_vector(self, embedding: list[float], k: int = 4, **kwargs: Any) -> list[Document]:
        """The `k` documents closest to a vector, closest first."""
        return [document for document, _ in self.similarity_search_with_score_by_vector(embedding, k, **kwargs)]

    def similarity_search_with_score_by_vector(
        self,
        embedding: Sequence[float],
        k: int = 4,
        *,
        filter: Filter | None = None,
        recall: float | None = None,
        **kwargs: Any,
    ) -> list[tuple[Document, float]]:
        """The `k` documents closest to a vector with their distances, closest first."""
        with self._lock:
            numbers, distances, _ = self._closest(embedding, k, filter, recall)
            return [(self._shown(number), distance) for number, distance in zip(numbers, distances)]

    def max_marginal_relevance_search(
        self, query: str, k: int = 4, fetch_k: int = 20, lambda_mult: float = 0.5, **kwargs: Any
    ) -> list[Document]:
        """`k` of the `fetch_k` closest documents that are close to the query and unlike one another.

        `lambda_mult` is from 0, as different as possible, to 1, as close as possible.
        """
        embedding = self._embedding.embed_query(query)
        return self.max_marginal_relevance_search_by_vector(embedding, k, fetch_k, lambda_mult, **kwargs)

    def max_marginal_relevance_search_by_vector(
        self,
        embedding: list[float],
        k: int = 4,
        fetch_k: int = 20,
        lambda_mult: float = 0.5,
        *,
        filter: Filter | None = None,
        recall: float | None = None,
        **kwargs: Any,
    ) -> list[Document]:
        """The same for a vector."""
        with self._lock:
            numbers, _, vectors = self._closest(embedding, fetch_k, filter, recall)
            if not numbers:
                return []
            query = np.asarray(embedding, dtype=np.float32)
            chosen = maximal_marginal_relevance(query, list(vectors), lambda_mult, k)
            return [self._shown(numbers[place]) for place in chosen]

    def _closest(
        self, embedding: Sequence[float], k: int, filter: Filter | None, recall: float | None
    ) -> tuple[list[int], list[float], NDArray[Any]]:
        """Numbers, distances and vectors of the `k` closest documents that pass the filter."""
        if self._index is None:
            return [], [], np.empty((0, 0), np.float32)
        allowed = None
        if filter is not None:
            passes = filter if callable(filter) else _equal(filter)
            allowed = np.array([n for n, document in self._documents.items() if passes(document)], np.uint64)
        hits = self._index.search(np.asarray(embedding, np.float32), k, recall=recall, filter=allowed)
        return hits.ids.tolist(), hits.distances.tolist(), self._index.get(hits.ids)

    def _shown(self, number: int) -> Document:
        """A copy, so that nobody changes what is kept."""
        return self._documents[number].model_copy(deep=True)

    def _select_relevance_score_fn(self) -> Callable[[float], float]:
        """Distances into scores from 0 to 1."""
        if self._metric == "dot":
            return self._max_inner_product_relevance_score_fn
        return self._cosine_relevance_score_fn if self._metric == "cosine" else self._euclidean_relevance_score_fn

    @classmethod
    def from_texts(
        cls,
        texts: list[str],
        embedding: Embeddings,
        metadatas: list[dict[str, Any]] | None = None,
        *,
        ids: list[str] | None = None,
        metric: Literal["cosine", "dot", "euclidean"] = "cosine",
        **kwargs: Any,
    ) -> Self:
        """A store of these texts."""
        store = cls(embedding, metric=metric)
        store.add_texts(texts, metadatas, ids=ids)
        return store

    def save_local(self, folder: str | os.PathLike[str]) -> None:
        """Writes the store into a folder: `documents.json`, whose metadata has to be JSON, and the vectors that it names.

        At any moment the folder holds the old store or the whole new one.
        """
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        with self._lock:
            vectors = None if self._index is None else f"vectors-{uuid.uuid4().hex}.linjin"
            entries = [
                {"number": number, "id": document.id, "text": document.page_content, "metadata": document.metadata}
                for number, document in self._documents.items()
            ]
            kept = {"metric": self._metric, "next": self._next, "vectors": vectors, "documents": entries}
            text = json.dumps(kept, ensure_ascii=False)
            if self._index is not None and vectors is not None:
                self._index.save(folder / vectors)
            # From this on the folder is the new store: the vectors are there already, under a name of their own.
            with tempfile.NamedTemporaryFile("w", encoding="utf-8", dir=folder, suffix=".tmp", delete=False) as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(file.name, folder / _DOCUMENTS)
        for old in folder.glob("vectors-*.linjin"):
            if old.name != vectors:
                with suppress(OSError):  # on Windows, while somebody has it open
                    old.unlink()

    @classmethod
    def load_local(cls, folder: str | os.PathLike[str], embedding: Embeddings) -> Self:
        """The store that `save_local` has written into the folder.

        Raises OSError if a file is not there, ValueError if one is damaged or they do not belong together.
        """
        folder = Path(folder)
        store = cls(embedding)
        try:
            kept = json.loads((folder / _DOCUMENTS).read_text(encoding="utf-8"))
            store._metric, store._next, vectors = kept["metric"], kept["next"], kept["vectors"]
            for entry in kept["documents"]:
                document = Document(id=entry["id"], page_content=entry["text"], metadata=entry["metadata"])
                store._documents[entry["number"]] = document
                store._numbers[entry["id"]] = entry["number"]
            if vectors is not None:
                store._index = open_index(folder / Path(vectors).name)
        except (KeyError, TypeError) as error:
            raise ValueError(f"{folder / _DOCUMENTS}: not what save_local writes: {error!r}") from error
        numbers = [] if store._index is None else store._index.ids.tolist()
        if numbers != sorted(store._documents):
            raise ValueError(f"{folder}: {vectors} and {_DOCUMENTS} do not belong together; save the store again")
        return store


def _equal(metadata: dict[str, Any]) -> Callable[[Document], bool]:
    """Whether a document has this metadata."""
    return lambda document: all(document.metadata.get(name) == value for name, value in metadata.items())
