"""Multi-hop questions are read with their gold passages and aliases."""

from __future__ import annotations

import json
from pathlib import Path

import anyio
import pytest

from workspan.errors import DataError
from workspan.lab.retrieval import recall
from workspan.retrieval import Passage
from workspan.retrieval.index import open_corpus
from workspan.tasks.multihop import Step, read_multihop

SHARED = Path(__file__).parents[3] / "shared" / "data"


def test_gold_passages_and_aliases_come_from_the_meta(tmp_path: Path) -> None:
    meta = {"gold_pids": ["a", "b"], "answer_aliases": ["Stanley Hall"]}
    rows = [
        {"id": "1", "prompt": "Who?", "answer": "G. S. Hall", "task": "musique", "meta": meta},
        {"id": "2", "prompt": "Who?", "answer": "no one"},
    ]
    path = tmp_path / "q.jsonl"
    path.write_text("\n".join(map(json.dumps, rows)))
    one, two = read_multihop(path)
    assert (one.dataset, one.gold) == ("musique", ("a", "b"))
    assert anyio.run(one.task.grader, one.task, "stanley hall").correct == 1
    assert (two.dataset, two.gold) == ("", ())


def test_the_hops_of_musique_are_asked_with_the_answers_before_them(tmp_path: Path) -> None:
    parts = [
        {"question": "Van Hook >> county", "answer": "Mountrail", "paragraph_support_idx": 1},
        {"question": "#1 >> seat", "answer": "Stanley", "paragraph_support_idx": 0},
    ]
    meta = {"context_pids": ["a", "b"], "gold_pids": ["a", "b"], "decomposition": parts}
    path = tmp_path / "q.jsonl"
    path.write_text(json.dumps({"prompt": "Which seat?", "answer": "Stanley", "meta": meta}))
    [one] = read_multihop(path)
    assert one.steps == (Step("Van Hook county", "b"), Step("Mountrail seat", "a"))
    path.write_text(
        json.dumps({"prompt": "?", "answer": "x", "meta": {**meta, "context_pids": []}})
    )
    with pytest.raises(DataError, match="decomposition"):
        read_multihop(path)


def test_recall_is_the_share_of_gold_found() -> None:
    found = [Passage("a", "", ""), Passage("a", "", ""), Passage("x", "", "")]
    assert recall(found, ["a", "b"]) == 0.5
    assert recall([], ["a"]) == 0
    with pytest.raises(ValueError, match="at least one"):
        recall(found, [])


@pytest.mark.slow
@pytest.mark.skipif(not SHARED.is_dir(), reason="the shared problems are not here")
def test_bm25_finds_the_gold_passages_of_hotpotqa_among_ten_and_of_musique_less_often(
    tmp_path: Path,
) -> None:
    corpus = open_corpus(SHARED / "corpora" / "multihop_passages.parquet", tmp_path)
    assert len(corpus.passages) == 14_980
    rows = [one for one in read_multihop(SHARED / "problems" / "multihop_qa.parquet") if one.gold]
    ids = {passage.id for passage in corpus.passages}
    assert all(set(one.gold) <= ids for one in rows)
    mean = {}
    for name in ("hotpotqa_dev200", "musique_dev200"):
        some = [one for one in rows if one.dataset == name][:100]
        found = [corpus.ranked(one.task.problem.prompt[-1].text, 10) for one in some]
        mean[name] = sum(map(recall, found, [one.gold for one in some])) / len(some)
    assert mean["hotpotqa_dev200"] > 0.8
    assert 0.45 < mean["musique_dev200"] < 0.7
