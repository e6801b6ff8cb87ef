"""What every strategy's example did under a build: to be compared with what it does now.

``python tests/same_as_before.py FILE`` records the build that it runs on. The engine is scripted:
its words and their latency hang on the seed and the texts of a request and on nothing else, so that
equal records mean equal requests in equal places, whatever types carry them.
"""

from __future__ import annotations

import hashlib
import json
import random
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import anyio

from workspan.batch.compare import compare
from workspan.core.journal import Journal
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.tasks.base import Task
from workspan.tasks.graders.equivalence import Equivalence
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.strategy_suite import TOOLS

BUDGETS = {"unlimited": Budget(), "tight": Budget(work=300, span=120, calls=9)}
SEEDS = (0, 1)
PROBLEM = Problem.ask("What is 2 + 2? End with 'Answer: <number>'.", kind="number")
COMPARED = ("single", "self_consistency(n=3)", "self_revision(turns=2)", "auto(n=3)")
TASKS = (
    Task(Problem.ask("What is 2 + 2?", kind="number", id="sums/1"), "4", Equivalence()),
    Task(Problem.ask("What is 2 + 3?", kind="number", id="sums/2"), "5", Equivalence()),
    Task(Problem("p", PROBLEM.prompt, "number", {"b": "2", "a": "1"}), "4", Equivalence()),
)


def texts(request: Request) -> str:
    """Return all that a request says, as one text."""
    turns = [f"{turn.role}: {turn.content}" for turn in request.prompt]
    return "\n".join([*turns, request.prefix])


def chatter(request: Request) -> str:
    """Think for a while and answer a number, as seed and texts say; rate or search."""
    rng = random.Random(f"{request.seed}|{texts(request)}")
    if "from 0 (certainly wrong)" in str(request.prompt[-1].content):
        return str(rng.randint(0, 10)) if rng.random() < 0.8 else "no idea"
    words = min(120, int(rng.lognormvariate(2.5, 1)) + 1)
    thought = " ".join(["think"] * words)
    if "</search>" in texts(request) and rng.random() < 0.6:
        return thought + ' <search> ["one, two", "three"] </search>'
    return f"{thought} Answer: {rng.randint(3, 5)}"


def engine() -> ScriptedEngine:
    """Make the engine of one run."""
    return ScriptedEngine(
        chatter, latency=lambda request: random.Random(request.seed).randint(0, 3)
    )


def digest(rows: Iterable[object]) -> str:
    """Hash rows of plain values."""
    text = json.dumps([*rows], default=str)
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()


def told(result: Result, used: ScriptedEngine) -> dict[str, Any]:
    """Say what a run came to, in numbers and words that outlast a rename."""
    answer, usage = result.answer, result.usage
    asked = [
        (r.seed, texts(r), r.max_tokens, r.temperature, r.top_p, r.stop, r.logprobs, r.top_logprobs)
        for r in used.requests
    ]
    return {
        "answer": answer.text,
        "key": answer.best.key if answer.best else None,
        "score": answer.best.score if answer.best else None,
        "votes": [[vote.answer, vote.weight] for vote in answer.votes],
        "tied": answer.tied,
        "candidates": digest((c.key, c.text, c.answer, c.score) for c in answer.candidates),
        "usage": [usage.calls, usage.input_tokens, usage.cached_tokens, usage.output_tokens],
        "span": result.span,
        "stop": result.stop,
        "trace": digest((c.key, c.start, c.usage.output_tokens, c.outcome) for c in result.trace),
        "asked": digest(asked),
        "notices": [[notice.code, notice.text, notice.times] for notice in result.notices],
    }


def one(text: str, budget: str, seed: int) -> dict[str, Any]:
    """Run an example once, and once more on its journal."""

    async def main() -> tuple[Result, Result, str]:
        strategy, journal = parse_strategy(text), Journal(sink=lambda _: None)
        limits = BUDGETS[budget]
        result = await run(
            strategy, PROBLEM, used, budget=limits, seed=seed, journal=journal, tools=TOOLS
        )
        calls = [e for e in journal.entries if e.outcome not in ("open", "end")]
        kept = digest((e.key, e.outcome, e.fingerprint, e.usage.output_tokens) for e in calls)
        again = await run(
            strategy, PROBLEM, engine(), budget=limits, seed=seed, journal=journal, tools=TOOLS
        )
        return result, again, kept

    used = engine()
    result, again, kept = anyio.run(main)
    assert (again.answer, again.usage, again.span) == (result.answer, result.usage, result.span)
    return {**told(result, used), "journal": kept}


def compared() -> list[dict[str, Any]]:
    """Run a comparison, whose seeds hang on the problems."""
    used = engine()

    async def main() -> list[dict[str, Any]]:
        plans = [parse_strategy(text) for text in COMPARED]
        done = await compare(plans, TASKS, used, budget=Budget(work=500), seed=3, parallel=1)
        rows = []
        for trial in done.trials:
            assert trial.result is not None
            row = told(trial.result, ScriptedEngine(()))
            grade = trial.grade.correct if trial.grade else None
            rows.append({"run": [trial.strategy, trial.task.problem.id], "grade": grade, **row})
        return rows

    rows = anyio.run(main)
    return [*rows, {"seeds": digest(sorted(request.seed for request in used.requests))}]


def record(examples: Iterable[str]) -> dict[str, Any]:
    """Record everything."""
    runs = {
        f"{text} | {budget} | {seed}": one(text, budget, seed)
        for text in examples
        for budget in BUDGETS
        for seed in SEEDS
    }
    return {"runs": runs, "compared": compared()}


def main() -> None:
    """Write the record of this build to the file that is named."""
    from workspan.spec import STRATEGIES

    examples = [one.example for one in STRATEGIES.ours.values() if not one.card.extra]
    found = json.dumps(record(examples), ensure_ascii=False)
    Path(sys.argv[1]).write_text(re.sub(r'(?<=\}, )("[^"]+ \| )', r"\n\1", found) + "\n")


if __name__ == "__main__":
    main()
