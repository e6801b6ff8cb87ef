"""BM25 finds what it should, and its index follows the files."""

from __future__ import annotations

import math
import os
import stat
from pathlib import Path

import anyio
import pytest

from workspan.retrieval import Passage, found, search_tool, wanted
from workspan.retrieval.bm25 import Bm25
from workspan.retrieval.index import cache_folder, open_corpus

HARBOURS = [
    Passage("a", "Alba", "The keeper of the harbour is Mirel."),
    Passage("b", "Birn", "The keeper of the lighthouse is Dast, who keeps a lighthouse."),
    Passage("c", "Corv", "A town of no account."),
]


def test_the_passage_that_shares_the_rarest_words_comes_first() -> None:
    assert [p.id for p in Bm25.build(HARBOURS).ranked("keeper of the lighthouse", 3)] == ["b", "a"]


def test_scores_are_lucenes_by_hand() -> None:
    texts = [Passage("x", "", "red red fox"), Passage("y", "", "blue fox dog cat")]
    index = Bm25.build(texts).index
    idf = math.log(1 + (2 - 1 + 0.5) / (1 + 0.5))  # "red": in one of two texts
    tf = 2 / (2 + 1.5 * (1 - 0.75 + 0.75 * 3 / 3.5))  # twice, in a text of 3 words; mean 3.5
    assert float(index.get_scores(["red"])[0]) == pytest.approx(idf * tf, rel=1e-6)


@pytest.mark.parametrize("query", ["", "the of and", "zebra", "?", "a b c", "\x00"])
def test_a_query_that_matches_nothing_finds_nothing(query: str) -> None:
    assert Bm25.build(HARBOURS).ranked(query, 3) == []


def test_a_corpus_without_words_finds_nothing(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("? !")
    assert open_corpus(tmp_path, tmp_path / "cache").ranked("anything", 3) == []


def test_a_tool_returns_what_was_asked_and_found() -> None:
    tool = search_tool(Bm25.build(HARBOURS))
    queries = ["lighthouse, or keeper", "town"]
    result = found(anyio.run(tool, wanted(queries, 1)))
    assert result is not None
    assert list(result.queries) == queries
    assert [[p.id for p in row] for row in result.passages] == [["b"], ["c"]]
    assert found("17") is None
    assert found("null") is None


def test_the_index_is_kept_privately_and_loaded_again(tmp_path: Path) -> None:
    corpus, cache = tmp_path / "corpus", tmp_path / "cache"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Mirel keeps the harbour.")
    built = open_corpus(corpus, cache)
    [place] = cache.iterdir()
    assert stat.S_IMODE(cache.stat().st_mode) == 0o700
    assert stat.S_IMODE(place.stat().st_mode) == 0o700
    marked = (place / "passages.json").read_bytes().replace(b"Mirel", b"Dast!")
    (place / "passages.json").write_bytes(marked)
    assert built.ranked("harbour", 1)[0].text == "Mirel keeps the harbour."
    assert open_corpus(corpus, cache).ranked("harbour", 1)[0].text == "Dast! keeps the harbour."


def test_the_index_is_built_again_when_a_file_changes_even_at_equal_size_and_time(
    tmp_path: Path,
) -> None:
    corpus, cache = tmp_path / "corpus", tmp_path / "cache"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Mirel keeps the harbour.")
    before = (corpus / "a.txt").stat()
    open_corpus(corpus, cache)
    (corpus / "a.txt").write_text("Dastu keeps the harbour.")
    os.utime(corpus / "a.txt", ns=(before.st_atime_ns, before.st_mtime_ns))
    assert open_corpus(corpus, cache).ranked("harbour", 1)[0].text == "Dastu keeps the harbour."
    (corpus / "b.txt").write_text("A second harbour.")
    assert len(open_corpus(corpus, cache).ranked("harbour", 3)) == 2
    (corpus / "b.txt").unlink()
    assert len(open_corpus(corpus, cache).ranked("harbour", 3)) == 1


@pytest.mark.parametrize(
    "name", ["passages.json", "params.index.json", "data.csc.index.npy", "vocab.index.json"]
)
def test_a_broken_index_is_built_again(tmp_path: Path, name: str) -> None:
    corpus, cache = tmp_path / "corpus", tmp_path / "cache"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Mirel keeps the harbour.")
    open_corpus(corpus, cache)
    [place] = cache.iterdir()
    (place / name).write_bytes(b"[")
    for _ in range(2):
        assert len(open_corpus(corpus, cache).ranked("harbour", 3)) == 1
    assert (place / name).read_bytes() != b"["


def test_a_cache_that_can_not_be_written_costs_only_time(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    (corpus / "a.txt").write_text("Mirel keeps the harbour.")
    (tmp_path / "file").write_text("")
    assert len(open_corpus(corpus, tmp_path / "file" / "cache").ranked("harbour", 3)) == 1


def test_an_index_unused_for_long_is_removed_when_another_is_built(tmp_path: Path) -> None:
    corpus, cache = tmp_path / "corpus", tmp_path / "cache"
    corpus.mkdir()
    (corpus / "a.txt").write_text("one text")
    open_corpus(corpus, cache)
    [old] = cache.iterdir()
    os.utime(old, (0, 0))
    mine = cache / "my own texts"  # the folder may be one that the user keeps more in
    mine.mkdir()
    (mine / "notes.txt").write_text("mine")
    os.utime(mine, (0, 0))
    (corpus / "a.txt").write_text("another text")
    open_corpus(corpus, cache)
    assert old not in list(cache.iterdir())
    assert (mine / "notes.txt").read_text() == "mine"


def test_the_cache_is_the_users_own_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPAN_HOME", "/somewhere")
    assert cache_folder() == Path("/somewhere/corpora")
    monkeypatch.delenv("WORKSPAN_HOME")
    assert cache_folder().parts[-2:] == ("workspan", "corpora")
