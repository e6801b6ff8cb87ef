"""Benchmarks' own references and worked solutions, and recorded outputs of real models.

The files lie outside the project, are read where they are and never copied in; `folder` is the
`data` folder that has `problems` and `recordings`.
"""

# ruff: noqa: E501 - replies stand whole

from __future__ import annotations

import asyncio
import json
import random
import re
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, cast

from benchmarks.answers.corpus import Row

_LETTER = re.compile(r"\(([A-Z])\)\Z")
_KEPT = 2_000
_WHOLE = re.compile(r"-?\d+\Z")


def _table(path: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    return cast(list[dict[str, Any]], pq.read_table(path).to_pylist())


def benchmark_rows(folder: Path) -> list[Row]:
    """Return worked solutions and references in the words that each benchmark's prompt asks for."""
    rows = []
    for problem in _table(folder / "problems/math500.parquet"):
        truth, meta = problem["answer"], json.loads(problem["meta"])
        rows.append(Row("math", "MATH-500 solution", "solution", meta["solution"], truth))
        rows.append(Row("math", "MATH-500 boxed", "box", f"So it is $\\boxed{{{truth}}}$.", truth))
        rows.append(
            Row(
                "math",
                "MATH-500 minerva",
                "mark",
                f"Final Answer: The final answer is ${truth}$. I hope it is correct.",
                truth,
            )
        )
        rows.append(
            Row("math", "MATH-500 mark", "mark", f"I worked it out.\n\nAnswer: ${truth}$", truth)
        )
        rows.append(
            Row("math", "MATH-500 display", "display", f"The answer is\n\\[\n{truth}\n\\]", truth)
        )
    for problem in _table(folder / "problems/gsm8k_test.parquet"):
        truth, meta = problem["answer"], json.loads(problem["meta"])
        rows.append(Row("number", "GSM8K solution", "solution", meta["solution"], truth))
        rows.append(
            Row(
                "number",
                "GSM8K without mark",
                "solution",
                meta["solution"].split("\n####")[0] + f"\nThe answer is {truth}.",
                truth,
            )
        )
    for problem in _table(folder / "problems/bbh.parquet"):
        truth = problem["answer"]
        kind = "choice" if _LETTER.match(truth) else "number" if _WHOLE.match(truth) else "text"
        means = truth.strip("()") if kind == "choice" else truth
        rows.append(Row(kind, "BBH mark", "mark", f"Let us think.\nAnswer: {truth}", means))
        if kind != "text":
            rows.append(
                Row(
                    kind,
                    "BBH chain of thought",
                    "sentence",
                    f"Let us think. So the answer is {truth}.",
                    means,
                )
            )
    for problem in _table(folder / "problems/logic_llm.parquet"):
        options = json.loads(problem["meta"]).get("options") or []
        truth = problem["answer"]
        said = next((str(o) for o in options if str(o).startswith(truth)), None)
        if not said or len(truth) != 1:
            continue
        others = tuple(str(o)[0] for o in options if not str(o).startswith(truth))
        rows.append(
            Row(
                "choice",
                "choices with words",
                "mark",
                f"Step by step.\nAnswer: {said}",
                truth,
                others,
            )
        )
        rows.append(
            Row(
                "choice",
                "choices in a sentence",
                "sentence",
                f"Step by step. The correct answer is ({truth}){said[2:]}.",
                truth,
                others,
            )
        )
        rows.append(
            Row(
                "choice",
                "choices boxed",
                "box",
                f"Step by step.\n$\\boxed{{\\text{{({truth}) }}}}$",
                truth,
                others,
            )
        )
    for problem in _table(folder / "problems/reasoning_gym.parquet"):
        truth = problem["answer"]
        # The file keeps 2,000 characters of a reference; one that was cut in a line is no answer.
        if truth and truth.strip() and len(truth) < _KEPT:
            rows.append(
                Row(
                    "text",
                    "reasoning-gym reference",
                    "mark",
                    f"I worked it out.\nAnswer: {truth}"
                    if "\n" not in truth
                    else f"I worked it out.\nAnswer:\n{truth}",
                    truth,
                )
            )
            rows.append(
                Row(
                    "text",
                    "reasoning-gym tag",
                    "tag",
                    f"I worked it out.\n<answer>{truth}</answer>",
                    truth,
                )
            )
    return rows


def long_replies(
    folder: Path, rows: list[Row], count: int = 600, length: int = 4_000
) -> list[tuple[str, str]]:
    """Return replies of the corpus after so much reasoning as models write today, and their kinds.

    The reasoning is MATH-500's worked solutions, without their boxes.
    """
    rng = random.Random(3)
    solutions = [
        json.loads(problem["meta"])["solution"].replace("\\boxed{", "{")
        for problem in _table(folder / "problems/math500.parquet")
    ]
    texts = []
    short = [row for row in rows if row.kind in ("number", "math", "choice", "text")]
    for row in rng.sample(short, count):
        lead = ""
        while len(lead) < length:
            lead += f"{rng.choice(solutions)}\n\n"
        texts.append((lead + row.text, row.kind))
    return texts


def families(limit: int = 4) -> dict[str, tuple[int, int, int]]:
    """Return, for every reasoning-gym family, tasks, own references graded right, junk graded right.

    The tasks and graders are `workspan.tasks.procedural`'s; a family that it leaves out is not
    in the table.
    """
    from reasoning_gym.factory import DATASETS

    from workspan.answers import extract
    from workspan.errors import WorkspanError
    from workspan.tasks.procedural import procedural

    result = {}
    for name in sorted(DATASETS):
        try:
            tasks = procedural(name).load(limit, 0)
        except (WorkspanError, ValueError, ImportError):
            continue
        right = junk = 0
        for task in tasks:
            for text in (
                f"I worked it out.\nAnswer:\n{task.reference}\n",
                "Answer: no idea at all",
                "",
            ):
                said = extract(text, task.problem.kind)
                try:
                    score = asyncio.run(task.grader(task, said)).correct
                except WorkspanError:
                    score = 0.0
                if task.reference and task.reference in text:
                    right += score == 1
                else:
                    junk += score == 1
        result[name] = (len(tasks), right, junk)
    return result


def recorded_texts(
    folder: Path, each: int = 3000, seed: int = 1
) -> list[tuple[str, str, str, str]]:
    """Return recorded outputs: source, kind, what the model wrote, the reference.

    Where a recording kept no whole reply, its column of answers is taken: for these sources it is
    what the model wrote as its answer.
    """
    kinds = {
        "gsm8k_openai_example_solutions": "number", "tot_game24_gpt4": "math", "codet_humaneval_codegen16b": "code",
        "tot_crossword_gpt4": "text", "bamboogle_prompt_depth": "text", "epoch_misc_single_sample": "text",
        "zeroeval_multi_model": "math", "mot_cascade": "", "bbh_codex_direct_vs_cot": "", "epoch_gpqa_diamond": "choice",
        "natural_plan_single_pass": "json", "reasoning_gym_zero_shot": "text", "epoch_otis_mock_aime": "number",
    }  # fmt: skip
    rng = random.Random(seed)
    texts = []
    for source, kind in kinds.items():
        found: dict[tuple[str, str], str] = {}
        for row in _table(folder / f"recordings/{source}.parquet"):
            gold = row["gold"] or ""
            here = kind or (
                "choice" if _LETTER.match(gold) else "number" if _WHOLE.match(gold) else "text"
            )
            if source == "zeroeval_multi_model" and "crux" in row["task"]:
                here = "text"
            for sample in row["samples"]:
                # The plans' texts are a checker's words, not the model's.
                said = (sample["text"] if source != "natural_plan_single_pass" else None) or sample[
                    "answer"
                ]
                if said:
                    found[here, said] = gold
        chosen = rng.sample(sorted(found), min(each, len(found)))
        texts += [(source, here, said, found[here, said]) for here, said in chosen]
    return texts


def changed(
    folder: Path, old: Path, new: Path, shown: int
) -> tuple[dict[str, Counter[str]], list[str]]:
    """Compare the readings of two versions of Workspan over recorded outputs.

    Returns:
        For each kind: replies, readings that say something else now, of these from or to no answer;
        and lines with `shown` of each kind.
    """
    from benchmarks.answers.versions import Version

    texts = recorded_texts(folder)
    requests: list[list[Any]] = [["read", text, kind, True] for _, kind, text, _ in texts]
    before, after = Version(old), Version(new)
    was, now = before.ask(requests)[0], after.ask(requests)[0]
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    lines: list[str] = []
    moved: dict[str, list[int]] = defaultdict(list)
    for i, (_, kind, _, _) in enumerate(texts):
        counts[kind]["replies"] += 1
        if was[i] == now[i]:
            continue
        if (
            was[i] is not None
            and now[i] is not None
            and after.ask([["same", was[i], now[i], kind]])[0][0]
        ):
            counts[kind]["written otherwise"] += 1
            continue
        counts[kind]["changed"] += 1
        counts[kind][
            "answer lost"
            if now[i] is None
            else "answer gained"
            if was[i] is None
            else "another answer"
        ] += 1
        moved[kind].append(i)
        gold = texts[i][3]
        if gold:
            good_was = was[i] is not None and after.ask([["same", was[i], gold, kind]])[0][0]
            good_now = now[i] is not None and after.ask([["same", now[i], gold, kind]])[0][0]
            counts[kind]["equals the reference now"] += bool(good_now and not good_was)
            counts[kind]["equalled it before"] += bool(good_was and not good_now)
    before.close()
    after.close()
    rng = random.Random(2)
    for kind, at in sorted(moved.items()):
        lines.append(f"\n## {kind}: {len(at)} of {counts[kind]['replies']}")
        for i in rng.sample(at, min(shown, len(at))):
            source, _, text, gold = texts[i]
            lines.append(
                f"- {source}; reference {gold!r}; was {was[i]!r}, is {now[i]!r}; reply ends {text[-220:]!r}"
            )
    return dict(counts), lines
