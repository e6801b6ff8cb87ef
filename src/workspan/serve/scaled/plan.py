"""What a request is worth: its kind, the strategy that fits it, and how each draft is asked for.

Nothing is spent here, and what can't be done is refused here.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from workspan.core.engine import FREE, EngineInfo
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.content import NO_FIELDS, JsonObject
from workspan.data.efforts import effort_for
from workspan.data.types import Problem, Request
from workspan.errors import InputError
from workspan.legible import quoted
from workspan.serve.asked import Asked
from workspan.serve.headroom import answer_room
from workspan.serve.relay.asking import MOST_CHOICES
from workspan.serve.rules import Rules
from workspan.serve.scaled.deciding import Deciding
from workspan.serve.scaled.idle import without_idle
from workspan.serve.scaled.judged import Judged
from workspan.serve.scaled.kinds import TurnKind, has_form, kind_of
from workspan.serve.scaled.widening import Widening
from workspan.spec import write
from workspan.strategies.auto.auto import Auto
from workspan.strategies.parallel.best_of_n import BestOfN
from workspan.strategies.parallel.self_consistency import SelfConsistency
from workspan.strategies.sequential.single import Single

_VOTES = frozenset(
    {
        *("self_consistency", "adaptive_consistency", "bayesian_stopping", "esc", "fixed_split"),
        *("short_m_at_k", "confidence_vote", "deepconf_offline", "deepconf_online", "auto"),
    }
)
"""Strategies that choose by a vote alone: open texts are all different to them."""
_WHOLE = frozenset(
    {
        *(_VOTES - {"fixed_split"}),
        *("single", "best_of_n", "weighted_best_of_n"),
        *("universal_self_consistency", "genselect"),
    }
)
"""Strategies that draw whole turns by the client's own prompt: a turn that calls tools, or has a
form, is none that others could go on from."""
_DECIDED = (
    "one draft, and a vote over the calls of tools where a second one differed; as wide as what is "
    "left of the trajectory's budget allows"
)
_FORMED = ("tools", "structured")
"""Kinds of turns that a program reads."""
_SEEDS = 1 << 31


@dataclass(frozen=True, slots=True)
class Plan:
    """How one request will be answered."""

    strategy: Strategy
    problem: Problem
    budget: Budget
    kind: TurnKind
    rule: str
    """What decides among the drafts, in one sentence."""
    name: str
    """The strategy as the client and the reply call it."""
    n: int = 1
    """Choices."""
    seed: int = 0
    notices: tuple[str, ...] = ()
    """What of the request was changed."""
    is_as_asked: bool = True
    """The relay asks for the same by the request's own bytes."""

    @property
    def request(self) -> Request:
        """How each draft is asked for."""
        assert self.problem.request is not None
        return self.problem.request

    @property
    def is_single(self) -> bool:
        """One call is all: nothing is chosen, and its text can be passed on as it comes."""
        return isinstance(self.strategy, Single) and self.n == 1


def plan(asked: Asked, info: EngineInfo, rules: Rules | None = None) -> Plan:
    """Decide how a request is answered.

    Args:
        asked: the request, with the strategy and the budget that it may have.
        info: of the engine that is to answer.
        rules: the operator's.

    Raises:
        InputError: something in it can't be done, or not by this strategy; it says what can.
    """
    rules = rules or Rules()
    chat, notices = asked.chat, [*asked.notices]
    if chat.n > MOST_CHOICES:
        raise InputError(f"one request has at most {MOST_CHOICES} choices, not {chat.n}")
    _check_tier(chat.request, info)
    request = _with_effort(without_idle(chat.request, info), info, notices)
    kind = kind_of(request)
    strategy, rule = _fitted(asked.strategy, kind, rules, chat.n, asked.upstream)
    if asked.turn is not None and isinstance(strategy, Widening) and kind.name == "tools":
        strategy, rule = Deciding(strategy.n), _DECIDED
    request = _capped(request, info, rules, _share(asked, strategy))
    if not isinstance(strategy, Single):
        request = _spread(request, strategy, notices)
    name, strategy = write(strategy), _with_cap(strategy, request.max_tokens)
    if asked.turn is not None and isinstance(strategy, Deciding):
        size, cap = len(asked.body), request.max_tokens
        course = asked.turn.course(request.prompt, size, cap, info.price)
        strategy = replace(strategy, course=course)
    compares = "json" if has_form(request) else kind.compares
    problem = Problem(asked.id or "request", request.prompt, compares, request=request)
    seed = request.seed if "seed" in chat.said else secrets.randbelow(_SEEDS)
    return Plan(
        strategy,
        problem,
        asked.budget,
        kind,
        rule,
        name,
        chat.n,
        seed,
        tuple(notices),
        "max_reasoning_tokens" not in chat.request.extra,
    )


def _check_tier(request: Request, info: EngineInfo) -> None:
    """Refuse a lane whose price the account would not go by.

    Raises:
        InputError: the model has a price, and the request asks to go before others.
    """
    if request.extra.get("service_tier") == "priority" and info.price not in (None, FREE):
        raise InputError(
            "service_tier is 'priority': calls of a strategy are priced in the ordinary tier; "
            "leave it out, or ask for the model alone"
        )


_CAPS = frozenset({"max_tokens", "max_completion_tokens"})


def _share(asked: Asked, strategy: Strategy) -> int | None:
    """Return the work that a draft may take where its client caps none; None where he does.

    A share of the budget, so that those that are drawn at once all fit it.
    """
    if _CAPS & asked.chat.said:
        return None
    work = _ENDLESS if asked.budget.work is None else asked.budget.work
    widths = [getattr(strategy, name, None) for name in ("n", "window")]
    at_once = min((one for one in widths if isinstance(one, int)), default=1)
    return min(work, max(_LEAST_SHARE, work // at_once))


_ENDLESS = 1 << 40
_LEAST_SHARE = 512


def _with_effort(request: Request, info: EngineInfo, notices: list[str]) -> Request:
    """Write an effort as the model's class takes it."""
    if request.reasoning_effort is None:
        return request
    effort = effort_for(info.model, request.reasoning_effort)
    if effort.said:
        notices.append(effort.said)
    extra = request.extra
    if effort.fields:
        extra = JsonObject.of({**effort.fields, **extra.value})
    return replace(request, reasoning_effort=effort.level, extra=extra)


def _capped(request: Request, info: EngineInfo, rules: Rules, share: int | None) -> Request:
    """Cap a draft and its thinking, so that an answer has room beside it."""
    request, thinking = _thinking(request)
    cap = request.max_tokens
    if share is not None:
        cap = min(share, rules.max_tokens + (thinking or 0))
    if thinking is not None and thinking >= cap:
        raise InputError(
            f"max_reasoning_tokens is {thinking}, of {cap} tokens in all: nothing is left for the "
            "answer; raise max_completion_tokens or the budget, or think less"
        )
    if thinking is None and "thinking_cap" in info.capabilities:
        most = cap - answer_room(cap)
        thinking = min(most, rules.max_reasoning_tokens or most)
        thinking = thinking if thinking > 0 else None
    return replace(request, max_tokens=cap, max_reasoning_tokens=thinking)


def _thinking(request: Request) -> tuple[Request, int | None]:
    """Take the cap on thinking out of the fields that we have no name for."""
    told = request.extra.value if request.extra else {}
    if (given := told.pop("max_reasoning_tokens", None)) is None:
        return replace(request, extra=_object(told)), None
    if type(given) is not int or given < 1:
        raise InputError(f"max_reasoning_tokens is a whole number above 0, not {quoted(given)}")
    return replace(request, extra=_object(told), max_reasoning_tokens=given), given


def _object(told: Mapping[str, Any]) -> JsonObject:
    return JsonObject.of(told) if told else NO_FIELDS


def _fitted(
    strategy: Strategy | None, kind: TurnKind, rules: Rules, n: int, upstream: str
) -> tuple[Strategy, str]:
    """Choose the strategy for a kind of turn, and say by which rule it chooses.

    Raises:
        InputError: the one that was asked for can't draw such turns.
    """
    if strategy is None:
        strategy = Single()
    name = _name(strategy)
    if kind.name in _FORMED and name not in _WHOLE:
        can = ", ".join(sorted(_WHOLE))
        raise InputError(
            f"the strategy {name} works on texts, and this request has tools or a form of the "
            f"answer: use one of {can}, or ask without them"
        )
    promises = isinstance(strategy, Auto) and isinstance(strategy.floor, str)
    if promises and (kind.name in _FORMED or not kind.is_votable):
        raise InputError(
            "a stated risk is of short answers that are voted on, and this request has tools, a "
            "form of the answer or an open text: ask without floor"
        )
    if name == "single":
        return _wide(strategy, n), "one call for each choice, as was asked for"
    if kind.is_votable:
        return _voting(strategy, kind, rules, n)
    if name not in _VOTES or getattr(strategy, "verifier", None) is not None:
        return _wide(strategy, n), f"the strategy {name} itself chooses among the drafts"
    return _open(strategy, rules, n, upstream) or (Single(), kind.rule)


def _name(strategy: Strategy) -> str:
    return write(strategy).partition("(")[0]


def _voting(strategy: Strategy, kind: TurnKind, rules: Rules, n: int) -> tuple[Strategy, str]:
    """Vote; ``auto`` without a profile widens as agreement and budget ask."""
    name = _name(strategy)
    if isinstance(strategy, Auto) and (_is_plain(strategy) or kind.name in _FORMED):
        width = max(n, rules.width if strategy.n == Auto().n else strategy.n)
        return Widening(width, min(width, max(n, rules.window))), kind.rule
    rule = kind.rule if name in _VOTES else f"the strategy {name} itself chooses among the drafts"
    return _wide(strategy, n), rule


def _is_plain(auto: Auto) -> bool:
    """Say whether an `auto` knows nothing but how many drafts to draw, at most."""
    plain = Auto()
    return replace(auto, n=plain.n, max_tokens=plain.max_tokens) == plain


def _open(strategy: Strategy, rules: Rules, n: int, upstream: str) -> tuple[Strategy, str] | None:
    """Choose what tells open texts apart; None where nothing does, and one call is enough."""
    drafts = max(n, int(getattr(strategy, "n", 0)) if _name(strategy) != "auto" else rules.drafts)
    if rules.verifier is not None:
        return BestOfN(drafts, rules.verifier), "the operator's verifier scored each draft"
    if rules.judge is not None:
        engine = "" if rules.judge == upstream else rules.judge
        return Judged(drafts, engine), (
            "a judge compared the drafts two at a time in both orders; a disagreement was a tie"
        )
    if n > 1:
        return SelfConsistency(n), "one call for each choice"
    return None


def _wide(strategy: Strategy, n: int) -> Strategy:
    """Let a strategy draw as many drafts as there are to be choices."""
    if n == 1:
        return strategy
    if isinstance(strategy, Single):
        return SelfConsistency(n)
    width = getattr(strategy, "n", None)
    if not isinstance(width, int):
        raise InputError(
            f"n is {n}, and the strategy {_name(strategy)} has one result: ask for one choice"
        )
    return strategy if width >= n else _set(strategy, n=n)


_set: Callable[..., Strategy] = replace  # strategies are frozen dataclasses, as `Strategy` says


def _with_cap(strategy: Strategy, cap: int) -> Strategy:
    """Cap each draft as the client does, where the strategy's own text caps none."""
    held = {item.name: item for item in fields(strategy)}  # type: ignore[arg-type]  # likewise
    item = held.get("max_tokens")
    is_unsaid = item is not None and getattr(strategy, "max_tokens", 0) == item.default
    return _set(strategy, max_tokens=cap) if is_unsaid else strategy


def _spread(request: Request, strategy: Strategy, notices: list[str]) -> Request:
    """Draw drafts at a temperature that lets them differ, and say so where that is another."""
    own = getattr(strategy, "temperature", None)
    if request.temperature != 0 or not own:
        return request
    notices.append(
        f"temperature 0 would draw the same draft again and again: drafts were drawn at {own:g}"
    )
    return replace(request, temperature=own)
