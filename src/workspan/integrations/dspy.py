"""A module of DSPy that answers a signature by a strategy over DSPy's own language model.

Each draw is a call of a `dspy.Predict`, with its adapter, demonstrations and language model, past
DSPy's cache: there n equal questions would be one draw. What the draws use counts in DSPy's usage
tracker; the account of the run is `result_of(prediction)`.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from typing import Any

import anyio
import dspy
from dspy.utils.usage_tracker import UsageTracker

from workspan.app.solving import solve
from workspan.app.specs import BudgetLike, StrategyLike, as_budget, as_kind, as_strategy
from workspan.core.engine import EngineInfo
from workspan.data.types import Message, Problem, Request
from workspan.errors import EngineRejected, EngineUnavailable, InputError, nearest
from workspan.integrations.tool_engine import Drawn, ToolEngine, counted
from workspan.runner import Result


class Scaled(dspy.Module):  # type: ignore[misc]  # DSPy is not installed where types are checked
    """Answer a signature by a strategy within a budget.

    Args:
        signature: such as "question -> answer: int".
        strategy: or its written form.
        budget: of each call, or its written form.
        vote: the output field that is compared; the last one unless told.
        kind: how that is read, such as "number"; as a JSON value unless told.
        seed: root of all draws.

    Example:
        >>> import dspy  # doctest: +SKIP
        >>> answer = Scaled("question -> answer: int", "self_consistency(n=5)")  # doctest: +SKIP
        >>> answer(question="What is 2 + 2?").answer  # doctest: +SKIP
        4
    """

    def __init__(
        self,
        signature: Any,
        strategy: StrategyLike = "self_consistency(n=8)",
        budget: BudgetLike = None,
        *,
        vote: str | None = None,
        kind: str = "json",
        seed: int = 0,
    ) -> None:
        super().__init__()
        self.predict = dspy.Predict(signature)
        self.strategy, self.budget = as_strategy(strategy), as_budget(budget)
        self.kind, self.seed = as_kind(kind), seed
        fields = [*self.predict.signature.output_fields]
        self.vote = fields[-1] if vote is None else vote
        if self.vote not in fields:
            raise InputError(f"vote={vote!r} is no output field: {nearest(self.vote, fields)}")

    def forward(self, **inputs: Any) -> Any:
        """Answer, from ordinary code.

        Raises:
            WorkspanError: it can't work; or every call failed.
        """
        _refuse_loop()
        return anyio.run(lambda: self.aforward(**inputs))

    async def aforward(self, **inputs: Any) -> Any:
        """Answer; what no draw could answer is None in every field.

        Raises:
            WorkspanError: it can't work; or every call failed.
        """
        asked = json.dumps(inputs, default=str, sort_keys=True)
        problem = Problem("inputs", (Message("user", asked),), self.kind)
        draws = _Draws(self, inputs, problem)
        engine = ToolEngine(draws.info, draws)
        result = await solve(
            problem, strategy=self.strategy, engine=engine, budget=self.budget, seed=self.seed
        )
        best = result.answer.best
        found = draws.found.get(best.text) if best is not None else None
        if found is None:
            found = dspy.Prediction(**dict.fromkeys(self.predict.signature.output_fields))
        object.__setattr__(found, "_workspan", result)
        return found


def result_of(prediction: Any) -> Result:
    """Return the run that a prediction came from, with its account.

    Raises:
        InputError: it came from none.
    """
    found = getattr(prediction, "_workspan", None)
    if not isinstance(found, Result):
        raise InputError("this prediction is none of workspan.integrations.dspy.Scaled")
    return found


class _Draws:
    """Asks for predictions, and keeps the first of each answer."""

    def __init__(self, module: Scaled, inputs: Mapping[str, Any], problem: Problem) -> None:
        self.module, self.inputs, self.problem = module, inputs, problem
        lm = module.predict.lm or dspy.settings.lm
        if lm is None:
            raise InputError("no language model is configured: dspy.configure(lm=dspy.LM(…))")
        self.lm = lm
        self.info = EngineInfo("dspy", lm.model, can_be_cut=False, concurrency=64)
        self.found: dict[str, Any] = {}

    async def __call__(self, request: Request) -> Drawn:
        """Ask once; an answer that can't be parsed is none, and costs no second call."""
        config: dict[str, Any] = {"max_tokens": request.max_tokens, "cache": False}
        if request.temperature is not None:
            config["temperature"] = request.temperature
        tracker, told = UsageTracker(), dspy.settings.usage_tracker
        with dspy.context(usage_tracker=tracker, adapter=_single(dspy.settings.adapter)):
            try:
                text = await self._text(request, config)
            except dspy.LMError as error:
                is_passing = getattr(error, "retryable", False)
                failed = EngineUnavailable if is_passing else EngineRejected
                raise failed(f"{type(error).__name__}: {error}") from error
            finally:
                for lm, entries in tracker.usage_data.items():
                    for entry in entries if told is not None else ():
                        told.add_usage(lm, entry)
        used = [entry for entries in tracker.usage_data.values() for entry in entries]
        usage = counted(_told(used), text, request.prompt)
        return Drawn(text, usage, "length" if usage.work >= request.max_tokens else "stop")

    async def _text(self, request: Request, config: dict[str, Any]) -> str:
        if request.prompt != self.problem.prompt:  # a judge's, or another step's
            turns = [{"role": turn.role, "content": turn.text} for turn in request.prompt]
            (said,) = await self.lm.acall(messages=turns, **config)
            return str(said["text"] if isinstance(said, dict) else said)
        try:
            made = await self.module.predict.acall(**self.inputs, config=config)
        except dspy.utils.exceptions.AdapterParseError:
            return ""
        value = getattr(made, self.module.vote)
        text = f"Answer: {value}"
        if self.module.kind == "json":
            plain = value.model_dump(mode="json") if hasattr(value, "model_dump") else value
            text = json.dumps({self.module.vote: plain}, default=str)
        self.found.setdefault(text, made)
        return text


def _refuse_loop() -> None:
    """Say how to call it where an event loop runs already, as in a notebook.

    Raises:
        InputError: one does.
    """
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return
    raise InputError("an event loop runs here already: write `await module.acall(…)`")


def _single(adapter: Any) -> Any:
    """Return an adapter that asks once, in place of DSPy's own that asks again."""
    if adapter is None or type(adapter) is dspy.ChatAdapter:
        return dspy.ChatAdapter(use_json_adapter_fallback=False)
    return adapter


def _told(entries: list[dict[str, Any]]) -> dict[str, int | None]:
    """Add up what the language model said of its calls."""
    if not entries:
        return {}
    inside = [entry.get("prompt_tokens_details") or {} for entry in entries]
    thought = [entry.get("completion_tokens_details") or {} for entry in entries]
    return {
        "input": _sum(entries, "prompt_tokens"),
        "cached": _sum(inside, "cached_tokens"),
        "output": _sum(entries, "completion_tokens"),
        "reasoning": _sum(thought, "reasoning_tokens"),
    }


def _sum(entries: list[dict[str, Any]], name: str) -> int | None:
    known = [value for entry in entries if isinstance(value := entry.get(name), int)]
    return sum(known) if len(known) == len(entries) else None
