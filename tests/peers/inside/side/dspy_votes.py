"""Runs DSPy programs over Workspan's module; tells what came of it as JSON."""

from __future__ import annotations

import json
import sys
from typing import Any

import anyio
import dspy

from workspan.errors import WorkspanError
from workspan.integrations.dspy import Scaled, result_of

SIGNATURE = "question -> answer: int"


def votes(lm: Any) -> dict[str, Any]:
    """Ask twice: neither the draws nor the second call may come from a cache."""
    module = Scaled(SIGNATURE, "self_consistency(n=4, max_tokens=64)", "1k work")
    with dspy.context(lm=lm, track_usage=True):
        first = module(question="What is 2 + 2?")
        second = module(question="What is 2 + 2?")
    runs = [result_of(one) for one in (first, second)]
    return {
        "answer": first.answer,
        "usage": [one.get_lm_usage() for one in (first, second)],
        "calls": [run.usage.calls for run in runs],
        "work": [run.work for run in runs],
        "prefill": [run.usage.prefill for run in runs],
        "source": runs[0].usage.source,
    }


def budget(lm: Any) -> dict[str, Any]:
    """Give less than the draws ask for."""
    module = Scaled(SIGNATURE, "self_consistency(n=4, max_tokens=32)", "40 work")
    with dspy.context(lm=lm):
        run = result_of(module(question="What is 2 + 2?"))
    return {"calls": run.usage.calls, "work": run.work, "stop": run.stop}


def unreadable(lm: Any) -> dict[str, Any]:
    """Ask for fields that the answers do not hold."""
    module = Scaled("question -> city", "self_consistency(n=2, max_tokens=32)", "1k work")
    with dspy.context(lm=lm):
        made = module(question="Where?")
    return {"city": made.city, "calls": result_of(made).usage.calls}


def judged(lm: Any) -> dict[str, Any]:
    """Have the language model rate: what is no draw goes to it as messages."""
    module = Scaled(SIGNATURE, "best_of_n(n=2, max_tokens=32)", "1k work")
    with dspy.context(lm=lm):
        run = result_of(module(question="What is 2 + 2?"))
    return {"calls": run.usage.calls, "notices": [one.code for one in run.notices]}


def inside_a_loop(lm: Any) -> dict[str, Any]:
    """Call it where an event loop runs: the asynchronous way works, the other says so."""

    async def main() -> dict[str, Any]:
        module = Scaled(SIGNATURE, "single(max_tokens=32)", "1k work")
        with dspy.context(lm=lm):
            made = await module.acall(question="What is 2 + 2?")
            try:
                module(question="What is 2 + 2?")
            except WorkspanError as error:
                return {"answer": made.answer, "error": str(error)}
        return {}

    return anyio.run(main)


def main(url: str) -> dict[str, Any]:
    lm = dspy.LM("openai/simulated", api_base=url, api_key="none", num_retries=0)
    steps = (votes, budget, unreadable, judged, inside_a_loop)
    return {step.__name__: step(lm) for step in steps}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
