"""Whether what the readers read is what others computed from the same files: ``CHECKS.json``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from statistics import fmean
from typing import Any

import numpy as np
from benchmarks.recorded_claims import chains, efforts, logs
from benchmarks.recorded_claims.judged import DATA

_CLOSE = 0.002
_AS_GRADED = 0.012
"""Where answers are graded anew here and not as they were logged."""


def check() -> None:
    """Hold every file that is read against its known figures.

    Raises:
        AssertionError: one differs.
    """
    for what, ours, theirs, close in figures():
        assert abs(ours - theirs) <= close, f"{what}: {ours:.4f}, and {theirs:.4f} is known"


def figures() -> Iterator[tuple[str, float, float, float]]:
    """Yield what was read, beside what is known."""
    known = json.loads((DATA / "CHECKS.json").read_text())
    groups = known["chains/parallel_probe_qwen3.parquet"]["by_group"]
    for model, coded in chains.recorded().items():
        theirs = fmean(g["final_correct"] for g in groups if g["key"][1].endswith(f"/{model}"))
        yield model, fmean(one.one(10**9) for one in coded), theirs, _AS_GRADED
    for name, file in efforts.FILES.items():
        groups = known[f"recordings/{file}.parquet"]["by_group"]
        for model in efforts.MODELS:
            for found, ladder in efforts.ladders(model):
                if found == name:
                    for one in ladder:
                        theirs = _of(groups, model, one.effort)["pass1"]
                        ours = fmean(efforts.vote(one, problem, 1) for problem in one.chains)
                        yield f"{model} {one.effort}, {name}", ours, theirs, _AS_GRADED
    sides = logs.tree()
    groups = known["recordings/tot_game24_gpt4.parquet"]["by_group"]
    yield "tree", float(sides.ours.mean()), _of(groups, "gpt-4", "tot_b5")["pass_n"], _CLOSE
    groups = known["recordings/bbh_codex_direct_vs_cot.parquet"]["by_group"]
    for task, forms in logs.bbh().items():
        for form, right in forms.items():
            [theirs] = [
                g["pass1"] for g in groups if [g["key"][0], g["key"][2]] == [f"bbh_{task}", form]
            ]
            yield f"{task} {form}", float(np.mean(right)), theirs, _CLOSE
    solved = logs.retry(tries=100)
    yield "ALFWorld, reflexion", float(solved.ours.mean()), 1.0, _CLOSE
    yield "ALFWorld, retries", float(solved.theirs.mean()), 101 / 134, _CLOSE


def _of(groups: list[dict[str, Any]], model: str, effort: str) -> dict[str, Any]:
    return next(g for g in groups if g["key"][1] == model and g["key"][2] == effort)
