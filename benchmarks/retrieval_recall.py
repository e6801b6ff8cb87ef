"""Recall of gold passages by one BM25 query, the question itself: what a first search can find.

Give a file of problems with ``gold_pids`` in their ``meta`` and the corpus that the ids are of:
``python -m benchmarks.retrieval_recall PROBLEMS.parquet PASSAGES.parquet``.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from statistics import fmean

from workspan.lab.retrieval import recall
from workspan.retrieval.bm25 import Bm25
from workspan.retrieval.index import open_corpus
from workspan.tasks.multihop import MultiHop, read_multihop

TOPS = (3, 10, 50)


def main() -> None:
    parser = argparse.ArgumentParser(description="Recall of gold passages by BM25.")
    parser.add_argument("problems", help="Parquet or JSONL")
    parser.add_argument("passages", help="Parquet, JSONL or a folder")
    options = parser.parse_args()
    corpus = open_corpus(options.passages)
    sets: dict[str, list[MultiHop]] = defaultdict(list)
    for one in read_multihop(options.problems):
        if one.gold:
            sets[one.dataset].append(one)
    print(f"{len(corpus.passages)} passages; the query is the question as it stands")
    print(f"| set | n | gold | {' | '.join(f'recall@{top} | all@{top}' for top in TOPS)} |")
    print("|---" * (3 + 2 * len(TOPS)) + "|")
    for name, rows in sets.items():
        cells = [name, str(len(rows)), f"{fmean(len(one.gold) for one in rows):.1f}"]
        ranked = [corpus.ranked(one.task.problem.prompt[-1].text, max(TOPS)) for one in rows]
        for top in TOPS:
            found = [recall(r[:top], one.gold) for r, one in zip(ranked, rows, strict=True)]
            cells += [f"{fmean(found):.3f}", f"{fmean(share == 1 for share in found):.3f}"]
        print(f"| {' | '.join(cells)} |")
    print("\none query for each hop, earlier answers known: what a perfect reader would ask")
    print(f"| set | n | {' | '.join(f'recall@{top} | all@{top}' for top in TOPS)} |")
    print("|---" * (2 + 2 * len(TOPS)) + "|")
    for name, rows in sets.items():
        stepped = [one for one in rows if one.steps]
        if stepped:
            print(f"| {name} | {len(stepped)} | {' | '.join(_by_hop(corpus, stepped))} |")


def _by_hop(corpus: Bm25, rows: list[MultiHop]) -> list[str]:
    cells = []
    for top in TOPS:
        found = [
            [recall(corpus.ranked(step.question, top), [step.gold]) for step in one.steps]
            for one in rows
        ]
        cells.append(f"{fmean(fmean(hops) for hops in found):.3f}")
        cells.append(f"{fmean(min(hops) for hops in found):.3f}")
    return cells


if __name__ == "__main__":
    main()
