"""Claims on logs of older hosted models: BIG-Bench Hard, the Game of 24, ALFWorld."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Mapping
from functools import cache
from math import comb
from typing import Any

import numpy as np
from benchmarks.recorded_claims.judged import COMMAND, DATA, Asked, Sides, judge

from workspan.lab.map.rows import Part, Row, word_of
from workspan.lab.pairs import clustered

SERIAL = (
    "tracking_shuffled_objects_three_objects",
    "tracking_shuffled_objects_five_objects",
    "tracking_shuffled_objects_seven_objects",
)
"""Permutations composed one after another: inherently serial."""
ALGORITHMIC = frozenset(
    {
        *SERIAL,
        *(f"logical_deduction_{n}_objects" for n in ("three", "five", "seven")),
        *("boolean_expressions", "dyck_languages", "geometric_shapes"),
        *("multistep_arithmetic_two", "navigate", "object_counting", "temporal_sequences"),
        *("web_of_lies", "word_sorting"),
    }
)
"""The tasks that Suzgun et al. call algorithmic; the others they call natural language."""
_CODEX = "code-davinci-002"
CHAIN = 67
"""Decoded tokens of a chain of thought in the Game of 24 (Yao et al. 2023, table of costs)."""

DIRECT = Asked(
    name="direct_or_chain",
    idea="serial_scaling",
    claim="On composed permutations told in English, chains of thought beat direct answers.",
    source="Liu et al. 2025, arXiv:2507.12549; logs of Suzgun et al. 2022, arXiv:2210.09261",
    statistic="accuracy of one chain of thought minus that of one direct answer",
    budget="one greedy answer each",
    why=(
        "One sample of each, so votes over direct answers could not be counted; the chain decodes "
        "more tokens, which is the point."
    ),
)
TREE = Asked(
    name="tree_search",
    idea="hybrid",
    claim=(
        "A tree search over steps of the Game of 24 solves more than as many independent chains "
        "as its tokens buy, a checker choosing in both."
    ),
    source="Yao et al. 2023, arXiv:2305.10601, the authors' logs",
    statistic="share solved by the tree minus that by independent chains",
    budget="the decoded tokens of the search",
    why=(
        "Of 100 logged chains a problem; their tokens were not logged: 67 each, as the paper's "
        "table of costs has it. Where the search took more than 6,700, all 100 stand for what it "
        "buys, which favours the search there. Prompt tokens, of which the search reads far more, "
        "are in neither."
    ),
)
FEEDBACK = Asked(
    name="feedback_over_retry",
    idea="sequential",
    claim="Tries that reflect on what went wrong solve more than as many tries afresh.",
    source="Shinn et al. 2023, Reflexion, arXiv:2303.11366, the authors' logs",
    statistic="share of ALFWorld's tasks solved, reflexion minus retries",
    budget="7 tries each",
    why=(
        "Revision by feedback, which evolution rests on, but no population. One run of each; "
        "tokens were not logged: equal tries, and the reflections come on top."
    ),
)
BY_TASK = Asked(
    name="gain_by_task",
    idea="task_structure",
    claim="A chain of thought gains more on algorithmic tasks than on tasks of language.",
    source="Suzgun et al. 2022, arXiv:2210.09261",
    statistic="gain of a chain on algorithmic tasks minus that on the others, tasks weighed alike",
    budget="one greedy answer each",
    why="Errors by task: 27 of them, which is what is drawn here.",
)


def rows() -> dict[str, Callable[[], list[Row]]]:
    """Return what measures each claim, by name."""
    return {
        DIRECT.name: lambda: [judge(DIRECT, _CODEX, direct())],
        BY_TASK.name: lambda: [by_task()],
        TREE.name: lambda: [judge(TREE, "gpt-4", {"Game of 24": tree()})],
        FEEDBACK.name: lambda: [judge(FEEDBACK, "a ReAct agent of GPT-3.5", {"7 tries": retry()})],
    }


def direct() -> dict[str, Sides]:
    """Compare chains with direct answers on each serial task."""
    found = bbh()
    return {
        task.replace("_", " "): Sides(found[task]["cot"], found[task]["direct"]) for task in SERIAL
    }


def by_task() -> Row:
    """Compare what a chain gains on tasks of two kinds; what is drawn are tasks."""
    gains = {task: float((s["cot"] - s["direct"]).mean()) for task, s in bbh().items()}
    ours = [gain for task, gain in gains.items() if task in ALGORITHMIC]
    theirs = [gain for task, gain in gains.items() if task not in ALGORITHMIC]
    one, other = (clustered(values, range(len(values))) for values in (ours, theirs))
    spread = float(np.hypot(one.high - one.mean, other.high - other.mean))
    mean = one.mean - other.mean
    row = judge(BY_TASK, _CODEX, {"gain": Sides(np.array([0.5]), np.array([0.5]))})
    return Row(
        **{
            name: getattr(row, name)
            for name in (
                *("name", "idea", "claim", "source", "line", "budget", "model", "kind"),
                *("measured", "machine", "why", "statistic"),
            )
        },
        verdict=word_of(mean - spread, mean + spread, BY_TASK.line),
        found=mean,
        low=mean - spread,
        high=mean + spread,
        problems=len(gains),
        command=f"{COMMAND} {BY_TASK.name}",
        parts=(
            Part(f"{len(ours)} algorithmic tasks: gain", one.mean, one.low, one.high),
            Part(f"{len(theirs)} tasks of language: gain", other.mean, other.low, other.high),
        ),
    )


def tree() -> Sides:
    """Compare the tree with the chance that one of as many chains as its tokens buy is right."""
    found = defaultdict[str, dict[str, Any]](dict)
    for row in _table("recordings/tot_game24_gpt4"):
        found[row["problem_id"]][row["effort"]] = row
    searched, drawn = [], []
    for forms in found.values():
        beam, chains = forms["tot_b5"], forms["cot"]
        spent = json.loads(beam["setting"])["usage"]["completion_tokens"]
        searched.append(float(any(one["correct"] for one in beam["samples"])))
        right = sum(bool(one["correct"]) for one in chains["samples"])
        drawn.append(covered(len(chains["samples"]), right, int(spent / CHAIN)))
    return Sides(np.array(searched), np.array(drawn))


def covered(n: int, right: int, k: int) -> float:
    """Return the chance that one of k drawn of n is right, `right` of them being so."""
    return 1 - comb(n - right, min(k, n)) / comb(n, min(k, n))


def retry(tries: int = 7) -> Sides:
    """Compare what is solved within as many tries, with reflections and afresh."""
    solved: dict[str, dict[str, float]] = {"reflexion": {}, "retry_no_memory": {}}
    for row in _table("chains/reflexion_logs"):
        method = json.loads(row["setting"])["method"]
        if row["task"] == "alfworld" and method in solved:
            steps = row["steps"][:tries]
            solved[method][row["problem_id"]] = float(any(step["correct"] for step in steps))
    names = sorted(solved["reflexion"].keys() & solved["retry_no_memory"].keys())
    ours, theirs = ([solved[method][name] for name in names] for method in solved)
    return Sides(np.array(ours), np.array(theirs))


@cache
def bbh() -> Mapping[str, dict[str, np.ndarray]]:
    """Return whether each problem was right, by task and form, in one order of problems."""
    found: dict[str, dict[str, dict[tuple[str, int], float]]] = {}
    for row in _table("recordings/bbh_codex_direct_vs_cot"):
        task, name = row["task"].removeprefix("bbh_"), row["problem_id"]
        graded = found.setdefault(task, {}).setdefault(row["effort"], {})
        again = sum(known == name for known, _ in graded)  # two problems stand there twice
        graded[name, again] = float(bool(row["samples"][0]["correct"]))
    return {
        task: {
            form: np.array([graded[name] for name in sorted(forms["cot"])])
            for form, graded in forms.items()
        }
        for task, forms in found.items()
    }


def _table(name: str) -> list[dict[str, Any]]:
    from pyarrow import parquet

    rows: list[dict[str, Any]] = parquet.read_table(DATA / f"{name}.parquet").to_pylist()
    return rows
