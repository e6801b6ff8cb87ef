"""Runs Inspect over Workspan's solver, in one way a step; tells what its logs hold as JSON."""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

from inspect_ai import Task, eval
from inspect_ai.dataset import Sample
from inspect_ai.model import GenerateConfig, get_model
from inspect_ai.scorer import match
from inspect_ai.solver import SolverSpec

VOTE = "self_consistency(n=4, max_tokens=40)"


def run(url: str, strategy: str = VOTE, *, cache: bool = False, **limits: Any) -> dict[str, Any]:
    """Solve two samples; the solver is found by its name, through its entry point."""
    model = get_model(
        "openai-api/sim/simulated", base_url=url, api_key="none", config=GenerateConfig()
    )
    samples = [Sample(input=f"What is {a} + 2?", target=str(a + 2), id=a) for a in (2, 7)]
    task = Task(dataset=samples, scorer=match(numeric=True), config=GenerateConfig(cache=cache))
    given = {"strategy": strategy, "budget": "2k work", "kind": "number"}
    with contextlib.redirect_stdout(sys.stderr):
        (log,) = eval(
            task,
            model=model,
            solver=SolverSpec("workspan/scaled", args=given, args_passed=given),
            display="none",
            log_dir="logs",
            **limits,
        )
    told = [sample.store.get("workspan") for sample in log.samples or ()]
    usage = log.stats.model_usage.get(str(model))
    return {
        "status": log.status,
        "usage": [usage.input_tokens, usage.output_tokens] if usage else None,
        "records": told,
        "outputs": [sample.output.completion for sample in log.samples or ()],
        "metadata": [sorted(sample.output.metadata or {}) for sample in log.samples or ()],
        "limits": [sample.limit.type if sample.limit else None for sample in log.samples or ()],
        "scored": [bool(sample.scores) for sample in log.samples or ()],
    }


def main(url: str, slow: str) -> dict[str, Any]:
    return {
        "votes": run(url),
        "cached": [run(url, cache=True) for _ in range(2)],
        "tokens": run(url, "self_consistency(n=12, max_tokens=30)", token_limit=75),
        "time": run(slow, time_limit=4),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
