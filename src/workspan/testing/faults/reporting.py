"""Rows: usage that is missing, false, or says what can't be."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from workspan.testing.faults.fault import Change, Fault
from workspan.testing.faults.frames import VERBATIM
from workspan.testing.faults.script import Ends, Piece, Reports, Script, Step

_Usage = dict[str, Any]


def _says(change: Callable[[_Usage], Any]) -> Change:
    return lambda script, _rng: script.report(change)


def _set(*path: str, to: object) -> Change:
    """Set one figure, `to` a value or a function of the true one."""

    def change(true: _Usage) -> _Usage:
        said: _Usage = {**true}
        inner = said
        for name in path[:-1]:
            inner[name] = dict(inner.get(name) or {})
            inner = inner[name]
        inner[path[-1]] = to(inner.get(path[-1], 0)) if callable(to) else to
        return said

    return _says(change)


def _both(**values: object) -> Change:
    return _says(lambda true: {**true, **values})


def _missing(script: Script, _rng: random.Random) -> None:
    script.steps = [step for step in script.steps if not isinstance(step, Reports)]


def _twice(script: Script, _rng: random.Random) -> None:
    script.report(lambda true: true)
    script.each(Reports, lambda step: [step, step])


def _running(change: Callable[[_Usage], _Usage] = lambda true: true) -> Change:
    """Send usage with every piece."""

    def rewrite(script: Script, _rng: random.Random) -> None:
        said = Reports(change, place="message")
        script.report(change)
        script.each(Piece, lambda step: [step, said])

    return rewrite


def _first_only(script: Script, _rng: random.Random) -> None:
    """Send usage with the first piece, and never again."""
    script.steps = [step for step in script.steps if not isinstance(step, Reports)]
    pieces = script.pieces()
    if pieces:
        script.steps.insert(pieces[0] + 1, Reports(place="message"))


def _in_choice(script: Script, _rng: random.Random) -> None:
    script.report(lambda true: true, place="choice")


def _before_end(script: Script, _rng: random.Random) -> None:
    """Send the usage before the event that ends the answer."""
    reports = [step for step in script.steps if isinstance(step, Reports)]
    steps: list[Step] = []
    for step in script.steps:
        if isinstance(step, Reports):
            continue
        if isinstance(step, Ends):
            steps += reports
            reports = []
        steps.append(step)
    script.steps = steps


def _one_of_n(script: Script, _rng: random.Random) -> None:
    script.each(Reports, lambda step: replace(step, choice=0))


def _thinks_beside(*, details: bool, total: bool) -> Change:
    """Count the thinking beside `completion_tokens`; most of the answer is made thinking."""

    def rewrite(script: Script, rng: random.Random) -> None:
        pieces = [at for at in script.pieces() if script.steps[at].field != "end"]  # type: ignore[union-attr]
        share = rng.uniform(0.55, 1.0)  # so that thinking is more than what is said
        hidden = 0
        for at in pieces[: max(1, round(len(pieces) * share))]:
            step = script.steps[at]
            assert isinstance(step, Piece)
            hidden += step.tokens
            script.steps[at] = replace(step, text="")

        def beside(true: _Usage) -> _Usage:
            thought = min(hidden, true["completion_tokens"])
            said = {**true, "completion_tokens": true["completion_tokens"] - thought}
            if details:
                said["completion_tokens_details"] = {"reasoning_tokens": thought}
            if not total:
                said["total_tokens"] = said["prompt_tokens"] + said["completion_tokens"]
            return said

        script.report(beside)

    return rewrite


def _thinking_shown_beside(script: Script, _rng: random.Random) -> None:
    """The thinking is sent, and not counted."""
    shown = 0
    pieces = script.pieces()
    for at in pieces[: len(pieces) * 2 // 3]:
        step = script.steps[at]
        if isinstance(step, Piece) and step.field == "content":
            shown += step.tokens
            script.steps[at] = replace(step, field="reasoning_content")

    def beside(true: _Usage) -> _Usage:
        thought = min(shown, true["completion_tokens"])
        completion = true["completion_tokens"] - thought
        return {**true, "completion_tokens": completion,
                "completion_tokens_details": {"reasoning_tokens": thought}}  # fmt: skip

    script.report(beside)


_CACHED = ("prompt_tokens_details", "cached_tokens")
_THOUGHT = ("completion_tokens_details", "reasoning_tokens")
_TOKENS = "completion_tokens"
_PROMPT = "prompt_tokens"


def _odd(field: str, *path: str) -> tuple[Fault, ...]:
    """The ways in which any one figure can be odd."""
    ways: dict[str, object] = {
        "negative": -100_000,
        "huge": 10**9,
        "beyond_64_bits": 10**30,
        "text": "seven",
        "digits": lambda true: str(true),
        "float": lambda true: true + 0.5,
        "null": None,
        "true": True,
        "list": [],
    }
    return tuple(
        Fault(f"{field}_{way}", "proxies that compute usage by themselves", _set(*path, to=value))
        for way, value in ways.items()
    )


def _kept(*rows: Fault) -> tuple[Fault, ...]:
    """Usage is beside the answer: whatever it says, the answer has arrived."""
    return tuple(replace(row, keeps=True) for row in rows)


USAGE = _kept(
    Fault("usage_missing", "servers deaf to stream_options", _missing),
    Fault("usage_null", "LiteLLM: usage is null", _says(lambda _: None)),
    Fault("usage_empty", "a proxy that forgot", _says(lambda _: {})),
    Fault("usage_list", "a proxy in another protocol", _says(lambda _: [])),
    Fault("usage_text", "a proxy that prints", _says(lambda _: "usage")),
    Fault("usage_all_null", "nulls for all figures", _both(**{_TOKENS: None, _PROMPT: None})),
    Fault("usage_zero", "gateways: zeros for all figures",
          _both(**{_TOKENS: 0, _PROMPT: 0, "total_tokens": 0})),
    Fault("usage_low", "a count of words", _set(_TOKENS, to=lambda true: true * 3 // 4)),
    Fault("usage_one", "a count of events", _set(_TOKENS, to=1)),
    Fault("usage_high", "thinking that was not sent", _set(_TOKENS, to=lambda true: true + 5)),
    Fault("usage_twice", "vLLM behind a proxy", _twice),
    Fault("usage_running", "vLLM: continuous_usage_stats", _running()),
    Fault("usage_first_only", "Anthropic's message_start, passed on", _first_only),
    Fault("usage_in_choice", "Moonshot: usage inside the choice", _in_choice),
    Fault("usage_before_end", "Groq, some gateways", _before_end),
    Fault("usage_of_one", "llama.cpp issue 27318: of one choice of n", _one_of_n),
    Fault("thinking_beside", "xAI: reasoning beside completion_tokens",
          _thinks_beside(details=True, total=True)),
    Fault("thinking_beside_untotalled", "the same, and a total without it",
          _thinks_beside(details=True, total=False)),
    Fault("thinking_beside_unnamed", "Gemini: only the total says so",
          _thinks_beside(details=False, total=True)),
    Fault("thinking_shown_beside", "thinking that is sent and not counted", _thinking_shown_beside),
    Fault("thinking_beyond", "more thinking than was decoded",
          _set(*_THOUGHT, to=lambda _: 10**6)),
    Fault("thinking_negative", "a difference of two counts", _set(*_THOUGHT, to=-50)),
    Fault("thinking_null", "null for absent details", _set("completion_tokens_details", to=None)),
    Fault("cached_beyond", "a count over several prompts", _set(*_CACHED, to=10**6)),
    Fault("cached_negative", "a difference of two counts", _set(*_CACHED, to=-50)),
    Fault("cached_text", "a proxy's strings", _set(*_CACHED, to="none")),
    Fault("details_list", "a proxy's lists", _set("prompt_tokens_details", to=[])),
    Fault("total_low", "a total of its own", _set("total_tokens", to=1)),
    Fault("total_null", "a total that is null", _set("total_tokens", to=None)),
    *_odd("completion", _TOKENS),
    *_odd("prompt", _PROMPT),
    Fault("cost_negative", "a refund", _both(cost=-1.0)),
    Fault("cost_huge", "a unit mistaken", _both(cost=1e300)),
    Fault("cost_infinite", "an overflow", _both(cost=f"{VERBATIM}1e999")),
    Fault("cost_nan", "a proxy in Python: NaN", _both(cost=f"{VERBATIM}NaN")),
    Fault("cost_text", "money as a string", _both(cost="0.1")),
    Fault("cost_zero", "OpenRouter: one's own key", _both(cost=0)),
    Fault("cost_null", "null for no cost", _both(cost=None)),
)  # fmt: skip
