"""A model of lm-eval that answers by a strategy: ``python -m workspan.integrations.lm_eval run``.

lm-eval 0.4.13 finds no models of others by itself: this module registers "workspan" and hands the
rest of the command line on. A strategy holds commas, so arguments are written as JSON:

    python -m workspan.integrations.lm_eval run --model workspan --tasks gsm8k \\
        --model_args '{"engine": "http://HOST/v1", "strategy": "self_consistency(n=8)"}'

From Python an instance is given to `lm_eval.simple_evaluate(model=Scaled(…))`.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
from lm_eval.api.model import LM
from lm_eval.api.registry import register_model

from workspan.app.answers import Answers
from workspan.app.engines import open_engine
from workspan.app.solving import solve_many
from workspan.app.specs import as_budget, as_kind, as_strategy
from workspan.core.engine import Engine
from workspan.data.types import AnswerKind, Message, Problem, Prompt, Request, Usage
from workspan.errors import EngineError, InputError, UnsupportedCapability
from workspan.spec import write

_STOPS = 4
"""That a server is told of, as many as OpenAI's take; the text is cut at all of them."""


@register_model("workspan")
class Scaled(LM):  # type: ignore[misc]
    """Answer `generate_until` requests by a strategy, each within a budget.

    Args:
        engine: an open engine or its written form.
        strategy: its written form.
        budget: of each request.
        kind: how answers are read to be compared; the task's own filters read the text that wins.
        model: picks the model behind the engine.
        price: USD per million tokens, input/output.
        journal: a file in which every call is kept: the same evaluation goes on with it.
        seed: root of all draws; a repeat of a request has one of its own.
        parallel: requests at a time.
        max_tokens: of a draw, in place of the task's own cap.
    """

    def __init__(
        self,
        engine: Engine | str = "embedded",
        strategy: str = "self_consistency(n=8)",
        budget: str = "8k work",
        kind: str = "text",
        *,
        model: str | None = None,
        price: str | None = None,
        journal: str | None = None,
        seed: int = 0,
        parallel: int | None = None,
        max_tokens: int | None = None,
        **ignored: Any,
    ) -> None:
        super().__init__()
        unknown = sorted(set(ignored) - {"batch_size", "max_batch_size", "device"})
        if unknown:
            raise InputError(f"the model workspan takes no {', '.join(unknown)}")
        self.engine, self.model, self.price = engine, model, price
        self.strategy, self.budget, self.kind = as_strategy(strategy), as_budget(budget), kind
        as_kind(kind)
        self.journal, self.seed, self.parallel = journal, seed, parallel
        self.max_tokens = max_tokens
        self.usage = Usage()
        self.records: list[dict[str, object]] = []
        """A record of each request, as `workspan solve --json`'s, in the order of requests."""

    def generate_until(self, requests: list[Any], disable_tqdm: bool = False) -> list[str]:  # noqa: ARG002, FBT001
        """Answer each request, in order; "" where no draw held an answer.

        Raises:
            WorkspanError: it can't work, or the engine is gone: the journal has what was finished.
        """
        asked: Counter[tuple[str, int]] = Counter()
        rounds: dict[int, list[tuple[int, Problem]]] = {}
        stops: list[tuple[str, ...]] = []
        for place, request in enumerate(requests):
            context, told = request.args
            name = (str(request.task_name), int(request.doc_id or 0))
            stops.append(_stops(told))
            problem = self._problem(f"{name[0]}/{name[1]}", context, told, stops[-1])
            rounds.setdefault(asked[name], []).append((place, problem))
            asked[name] += 1
        texts = [""] * len(requests)
        records: list[dict[str, object]] = [{}] * len(requests)
        for repeat, held in rounds.items():
            done = anyio.run(self._solve, [problem for _, problem in held], repeat)
            self.usage += done.usage
            for (place, _), trial, record in zip(held, done, done.records, strict=True):
                if trial.result is None:
                    raise EngineError(f"request {place} failed: {trial.error}")
                best = trial.result.answer.best
                texts[place] = _cut(best.text if best else "", stops[place])
                records[place] = {**record}
        self.records += records
        return texts

    async def _solve(self, problems: Sequence[Problem], repeat: int) -> Answers:
        """Answer one round; repeats have seeds, and so journals, of their own."""
        journal = self.journal
        if journal is not None and repeat:
            path = Path(journal)
            journal = str(path.with_name(f"{path.stem}.{repeat}{path.suffix}"))
        async with open_engine(self.engine, model=self.model, price=self.price) as engine:
            return await solve_many(
                problems,
                strategy=self.strategy,
                engine=engine,
                budget=self.budget,
                parallel=self.parallel,
                seed=self.seed + repeat,
                journal=journal,
            )

    def _problem(
        self, name: str, context: str, told: dict[str, Any], stops: tuple[str, ...]
    ) -> Problem:
        """Make a problem that is asked with the task's own stops and cap."""
        most = self.max_tokens or told.get("max_gen_toks") or Request(()).max_tokens
        kind: AnswerKind = as_kind(self.kind)
        prompt = _prompt(context)
        warmth = getattr(self.strategy, "temperature", Request(()).temperature)
        if told.get("do_sample") and told.get("temperature") is not None:
            warmth = float(told["temperature"])
        shape = Request((), max_tokens=int(most), temperature=warmth, stop=stops[:_STOPS])
        return Problem(name, prompt, kind, request=shape)

    def loglikelihood(self, requests: list[Any]) -> list[tuple[float, bool]]:  # noqa: ARG002
        """Refuse: a strategy's answer has no likelihood.

        Raises:
            UnsupportedCapability: always.
        """
        raise UnsupportedCapability(_NO_LIKELIHOOD)

    def loglikelihood_rolling(self, requests: list[Any]) -> list[float]:  # noqa: ARG002
        """Refuse likewise.

        Raises:
            UnsupportedCapability: always.
        """
        raise UnsupportedCapability(_NO_LIKELIHOOD)

    @property
    def tokenizer_name(self) -> str:
        """Name what chats are kept as: messages."""
        return "workspan-messages"

    def apply_chat_template(
        self,
        chat_history: list[dict[str, str]],
        add_generation_prompt: bool = True,  # noqa: ARG002, FBT001
    ) -> str:
        """Keep the messages as JSON, which `generate_until` reads again."""
        return json.dumps(chat_history)

    def get_model_info(self) -> dict[str, object]:
        """Say what all requests cost: it stands in the results' config."""
        usage = self.usage
        return {
            "workspan": {
                "strategy": write(self.strategy),
                "budget": str(self.budget),
                "calls": usage.calls,
                "work": usage.output_tokens,
                "prefill": usage.prefill,
                "cost": None if usage.cost is None else str(usage.cost),
                "source": usage.source,
            }
        }


_NO_LIKELIHOOD = (
    "a strategy's answer has no likelihood: run tasks that generate (output_type: generate_until)"
)


def _stops(told: dict[str, Any]) -> tuple[str, ...]:
    until = told.get("until") or ()
    return (until,) if isinstance(until, str) else tuple(until)


def _cut(text: str, stops: Sequence[str]) -> str:
    """End a text where the task says that answers end."""
    ends = [place for stop in stops if stop and (place := text.find(stop)) >= 0]
    return text[: min(ends, default=len(text))]


def _prompt(context: str) -> Prompt:
    """Read the messages that `apply_chat_template` kept; any other text is one turn."""
    if context.startswith('[{"role"'):
        try:
            turns = json.loads(context)
            return tuple(Message(turn["role"], turn["content"]) for turn in turns)
        except (ValueError, KeyError, TypeError):
            pass
    return (Message("user", context),)
