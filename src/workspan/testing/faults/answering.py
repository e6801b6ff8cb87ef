"""Rows: answers in other pieces, places and spellings, and answers that are longer than asked."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from workspan.testing.faults.fault import Change, Fault
from workspan.testing.faults.script import DONE, Ends, Piece, Raw, Script, Step


def _pieces(**more: object) -> Change:
    def change(script: Script, _rng: random.Random) -> None:
        script.each(Piece, lambda step: replace(step, **more) if step.text else step)

    return change


def _field(name: str) -> Change:
    def change(script: Script, _rng: random.Random) -> None:
        script.each(Piece, lambda p: replace(p, field=name) if p.field == "content" else p)

    return change


def _first_half(name: str) -> Change:
    """Send the first half of the answer as thinking."""

    def change(script: Script, _rng: random.Random) -> None:
        pieces = script.pieces()
        for at in pieces[: len(pieces) // 2]:
            step = script.steps[at]
            if isinstance(step, Piece) and step.field == "content":
                script.steps[at] = replace(step, field=name)

    return change


def _gathered(size: Callable[[random.Random], int]) -> Change:
    """Gather neighbouring pieces of one choice into larger ones."""

    def change(script: Script, rng: random.Random) -> None:
        steps: list[Step] = []
        room = size(rng)
        for step in script.steps:
            last = steps[-1] if steps else None
            if (
                isinstance(step, Piece)
                and isinstance(last, Piece)
                and (step.choice, step.field) == (last.choice, last.field)
                and last.tokens + step.tokens <= room
            ):
                text, tokens = last.text + step.text, last.tokens + step.tokens
                steps[-1] = replace(last, text=text, tokens=tokens)
            else:
                room = size(rng)
                steps.append(step)
        script.steps = steps

    return change


def _split(script: Script, _rng: random.Random) -> None:
    """Send each character by itself: the first one carries the tokens."""

    def letters(step: Piece) -> list[Step]:
        if len(step.text) < 2:
            return [step]
        rest = [replace(step, text=letter, tokens=0, told=0) for letter in step.text[1:]]
        return [replace(step, text=step.text[0]), *rest]

    script.each(Piece, letters)


def _finish(*reasons: str) -> Change:
    def change(script: Script, rng: random.Random) -> None:
        reason = rng.choice(reasons)
        script.each(Ends, lambda step: replace(step, reason=reason))

    return change


def _early_finish(reason: str) -> Change:
    def change(script: Script, rng: random.Random) -> None:
        script.cut(script.place(rng), Ends(reason), DONE)

    return change


def _without_finish(script: Script, _rng: random.Random) -> None:
    script.steps = [step for step in script.steps if not isinstance(step, Ends)]


def _without_done(script: Script, _rng: random.Random) -> None:
    script.steps = [step for step in script.steps if step is not DONE]


def _after_finish(script: Script, rng: random.Random) -> None:
    more = [Piece("z ", 1) for _ in range(rng.randint(1, 9))]
    at = max((i for i, step in enumerate(script.steps) if isinstance(step, Ends)), default=-1)
    script.steps[at + 1 : at + 1] = more


def _other_choices(script: Script, rng: random.Random) -> None:
    """Decode a second choice that nobody asked for, beside the first."""

    def both(step: Piece) -> list[Step]:
        return [step, replace(step, choice=step.choice + 1, text=step.text)]

    if script.asked.choices == 1 and rng.random() < 0.9:
        script.each(Piece, both)


def _one_choice(script: Script, _rng: random.Random) -> None:
    script.steps = [s for s in script.steps if getattr(s, "choice", 0) in (0, None)]


def _refusal(script: Script, _rng: random.Random) -> None:
    _field("refusal")(script, _rng)


def _told(count: Callable[[int], int]) -> Change:
    def change(script: Script, _rng: random.Random) -> None:
        script.each(Piece, lambda p: replace(p, told=count(p.tokens)) if p.text else p)

    return change


def _hides_thinking(script: Script, rng: random.Random) -> None:
    """Decode tokens before the answer that are neither sent nor spoken of until the usage."""
    pieces = script.pieces()
    for at in pieces[: rng.randint(0, len(pieces))]:
        step = script.steps[at]
        if isinstance(step, Piece) and step.field != "end":
            script.steps[at] = replace(step, text="")


def _strips_marks(script: Script, _rng: random.Random) -> None:
    """Decode <think> and </think> within the cap, and send neither."""
    for at in script.pieces()[:2]:
        step = script.steps[at]
        if isinstance(step, Piece) and step.field != "end":
            kept = step.text[: len(step.text) // 2] if step.tokens > 2 else ""
            script.steps[at] = replace(step, text=kept)


def _past(tokens: int) -> Change:
    def change(script: Script, _rng: random.Random) -> None:
        script.overshoot = tokens

    return change


def _whole(script: Script, _rng: random.Random) -> None:
    script.is_whole = True


_ROLE = Raw(b'data: {"choices":[{"index":0,"delta":{"role":"assistant","content":""}}]}\n\n')
_NULLS = (
    ("usage", None),
    ("system_fingerprint", None),
    ("error", None),
    ("service_tier", None),
)

SHAPES = (
    Fault("two_a_piece", "speculative decoding", _gathered(lambda _: 2), keeps=True),
    Fault(
        "some_a_piece",
        "speculative decoding that guesses well",
        _gathered(lambda rng: rng.randint(2, 8)),
        keeps=True,
    ),
    Fault(
        "sixteen_a_piece",
        "SGLang: --stream-interval 16",
        _gathered(lambda _: 16),
        keeps=True,
        is_coarse=True,
    ),
    Fault(
        "all_in_one_piece", "proxies that gather, caches", _gathered(lambda _: 10**9), keeps=True
    ),
    Fault("letters", "proxies that smooth streams", _split, keeps=True),
    Fault("whole_reply", "servers that do not stream", _whole, keeps=True),
    Fault("without_done", "Gemini, some gateways: no [DONE]", _without_done, keeps=True),
    Fault(
        "first_role",
        "OpenAI: an event with the role alone",
        lambda s, _: s.steps.insert(0, _ROLE),
        keeps=True,
    ),
    Fault("null_fields", "LiteLLM: null for what is absent", _pieces(noise=_NULLS), keeps=True),
    Fault(
        "content_parts", "Mistral: content as a list of parts", _pieces(as_parts=True), keeps=True
    ),
    Fault("after_finish", "proxies that reorder events", _after_finish),
    Fault("other_choices", "servers with an n of their own", _other_choices),
    Fault("one_choice_of_n", "proxies that ignore n", _one_choice, keeps=True),
    Fault("refusal", "OpenAI: the text is a refusal", _refusal, keeps=True),
    Fault(
        "thinking",
        "DeepSeek, vLLM: reasoning_content",
        _first_half("reasoning_content"),
        keeps=True,
    ),
    Fault(
        "thinking_other_name",
        "OpenRouter, newer vLLM: reasoning",
        _first_half("reasoning"),
        keeps=True,
    ),
    Fault("thinking_as_details", "OpenRouter: reasoning_details", _first_half("reasoning_details")),
    Fault("thinking_unknown_name", "Ollama: thinking", _first_half("thinking")),
    Fault("tool_calls", "a model that calls a tool nobody offered", _first_half("tool_calls")),
    Fault("hides_thinking", "OpenAI's reasoning models", _hides_thinking),
    Fault("strips_marks", "reasoning parsers: <think> is not sent", _strips_marks),
    Fault("fewer_logprobs", "proxies that drop some", _told(lambda tokens: tokens // 2)),
    Fault("more_logprobs", "vLLM: those of tokens that were not sent yet", _told(lambda t: t + 1)),
    Fault("no_logprobs", "servers deaf to logprobs", _told(lambda _: 0)),
)

CALLS = (
    Fault("tool_calls", "OpenAI's form of a tool's call", _first_half("tool_calls")),
    Fault(
        "tool_calls_repeated",
        "servers that repeat a call's id and name in every piece, without an index",
        _first_half("tool_calls_repeated"),
    ),
    Fault(
        "tool_calls_as_objects",
        "Ollama: a call's arguments are an object",
        _first_half("tool_calls_as_objects"),
    ),
    Fault("function_call", "the older form of a tool's call", _first_half("function_call")),
)
"""Other forms of a tool's call, for requests that tell of tools: strategies tell of none, so that
the fuzzer does not draw these."""

ENDS = (
    Fault("odd_finish", "new kinds of ends", _finish("weird", "eos_found", "function_call")),
    Fault(
        "shouted_finish",
        "Gemini, Cohere: STOP, MAX_TOKENS",
        _finish("STOP", "MAX_TOKENS", "COMPLETE"),
    ),
    Fault("other_finish", "Anthropic, TGI", _finish("end_turn", "eos_token", "max_tokens")),
    Fault("filtered", "Azure: content_filter in mid-answer", _early_finish("content_filter")),
    Fault("aborted", "vLLM: abort", _early_finish("abort")),
    Fault("without_finish", "servers that just end", _without_finish),
    Fault("ignores_cap", "Ollama without num_predict", lambda _s, _r: None, ignores_cap=True),
    Fault("runs_past", "servers that notice a hang-up late", _past(500)),
    Fault("ignores_cap_whole", "a proxy that neither streams nor caps", _whole, ignores_cap=True),
    Fault(
        "ignores_cap_in_pieces",
        "the same, several tokens a piece",
        _gathered(lambda _: 16),
        ignores_cap=True,
        is_coarse=True,
    ),
)
