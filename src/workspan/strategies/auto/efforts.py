"""`auto` where the depth dial is effort: the ladder that its profile holds worth most."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache
from math import exp
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from workspan.core.engine import EngineInfo
from workspan.core.session import Session
from workspan.data.types import Answer, Problem
from workspan.errors import MissingDependency, SpecError
from workspan.strategies.adaptive.ladder import Ladder, check_effort
from workspan.strategies.auto.groups import Groups
from workspan.strategies.auto.policies.explaining import explain
from workspan.strategies.auto.policies.state import NONE, Action, Chain, Decision, State
from workspan.strategies.auto.profile import known

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.ladders import Played
    from workspan.strategies.auto.fit.laid import Climb
    from workspan.strategies.auto.fit.seen import Ladders


class Climber(NamedTuple):
    """A ladder that a profile holds worth most."""

    ladder: Ladder
    trust: tuple[float, float]
    """What its answers are worth: see `fit.ladders.Trust`."""
    rungs: tuple[str, ...]
    """As a person names them."""

    def under(self, auto: Dials) -> Climber:
        """Return it with a run's own dials."""
        depth = min(auto.max_tokens, self.ladder.max_tokens)
        ladder = replace(self.ladder, max_tokens=depth, temperature=auto.temperature)
        return self._replace(ladder=ladder)

    def sure(self, share: float) -> float:
        """Return P(right) of an answer with such a share of all that was drawn behind it."""
        base, rise = self.trust
        return 1 / (1 + exp(-(base + rise * share)))


class Dials(Protocol):
    """What of `auto` bears on a ladder."""

    @property
    def profile(self) -> str:
        """A file of `workspan which`."""
        ...

    @property
    def climbs(self) -> Climber | None:
        """The ladder itself, where one was chosen."""
        ...

    @property
    def n(self) -> int:
        """Samples, at most."""
        ...

    @property
    def price(self) -> float:
        """Accuracy that a thousand tokens must be worth."""
        ...

    @property
    def floor(self) -> float | str:
        """Of confidence, or what is promised."""
        ...

    @property
    def rate(self) -> float:
        """Tokens of work that one of span is worth."""
        ...

    @property
    def max_tokens(self) -> int:
        """Of a sample."""
        ...

    @property
    def temperature(self) -> float:
        """Of all samples."""
        ...


def check_rungs(auto: Dials, info: EngineInfo) -> None:
    """Refuse a profile of efforts that the run's own engine does not take.

    Raises:
        SpecError: see `check_effort`; or a promise is asked for, which no ladder keeps.
        UnsupportedCapability: see `check_effort`.
    """
    profile = known(auto.profile)
    if profile and profile.ladders and isinstance(auto.floor, str):
        raise SpecError(
            f"the profile {auto.profile} is of efforts: a ladder of them promises nothing; give "
            "floor a number, or a profile of `workspan calibrate`"
        )
    for rung in profile.ladders.rungs if profile and profile.ladders else ():
        if not rung.engine:
            check_effort(rung.effort, info)


def engines_of(path: str) -> tuple[str, ...]:
    """Return the engines that a profile's rungs are of, by name; nothing where it is of one."""
    profile = known(path)
    rungs = profile.ladders.rungs if profile and profile.ladders else ()
    return tuple(dict.fromkeys(("", *(one.engine for one in rungs)))) if rungs else ()


def climber_of(auto: Dials, session: Session) -> Climber | None:
    """Return the ladder that is worth most under the run's budget; None where none is known.

    The budget is hard: what a plan would not reach within it brings nothing, and it is chosen so.
    """
    profile = known(auto.profile)
    if profile is None or profile.ladders is None:
        return None
    if auto.climbs is not None:
        return auto.climbs
    left = session.left()
    place = Path(auto.profile)
    stamp, price = place.stat().st_mtime_ns, auto.price / 1000
    return _best(place, stamp, left.work, left.span, price, auto.rate, auto.n).under(auto)


async def climbed(
    climber: Climber, auto: Dials, problem: Problem, session: Session, knows: str
) -> Answer:
    """Climb, and say why; abstain where the answer is right with less than the floor."""
    groups = Groups(problem.kind, session.same)
    state, taken = _state((), session), list[tuple[State, Decision]]()
    leader, belief, because, votes, is_done = NONE, 0.0, "", Answer(None), False
    stages = climber.ladder.stages
    async for rest in climber.ladder.climb(problem, session):
        why: dict[str, float | str] = {"effort": climber.rungs[rest.rung]}
        why |= {"because": because} if because else {}
        n = stages[rest.rung].n
        taken.append((state, Decision("widen", (), n, 0, leader, belief, why=why)))
        both = zip(rest.read, rest.drawn, strict=True)
        chains = (
            Chain(max(1, drawn.tokens), (), groups.number(one.answer), ended=True)
            for one, drawn in both
        )
        state = _state((*state.chains, *chains), session)
        votes, belief = rest.votes, climber.sure(rest.share) if rest.votes.best else 0.0
        leader = groups.number(votes.text)
        alike = {groups.number(one.answer) for one in rest.read}
        is_done = rest.is_settled or rest.rung == len(stages) - 1
        if rest.rung == len(stages) - 1:
            because = "no rung is above"
        elif rest.is_settled:
            because = "they agree" if n > 1 else "it took no longer than most"
        elif NONE in alike:
            because = "a sample has no answer"
        else:
            because = "they disagree" if len(alike) > 1 else "a sample took long"
    because = because if is_done else "nothing more could be bought"
    least = 0.0 if isinstance(auto.floor, str) else auto.floor
    gives_up = leader == NONE or belief < least
    last: Action = "abstain" if gives_up else "stop"
    taken.append(
        (state, Decision(last, leader=leader, confidence=belief, why={"because": because}))
    )
    best = None if gives_up and least else votes.best
    return replace(votes, best=best, why=explain(taken, state, groups.answers, knows))


def _state(chains: tuple[Chain, ...], session: Session) -> State:
    work = sum(chain.depth for chain in chains)
    left = session.left()
    return State(chains, work, session.clock.now, left.work, left.span)


@lru_cache(maxsize=64)
def _best(
    path: Path,
    stamp: int,
    work: int | None,
    span: int | None,
    price: float,
    rate: float,
    most: int,
) -> Climber:
    played = _played(path, stamp, work, span).keep(lambda plan: plan.votes <= most)
    return _climber(path, stamp, played.best(price, rate))


@lru_cache(maxsize=8)
def _played(path: Path, _stamp: int, work: int | None = None, span: int | None = None) -> Played:
    try:
        from workspan.strategies.auto.fit.ladders import plain_plans, play
    except ImportError:
        raise MissingDependency("a calibration profile", "lab") from None
    return play(seen := _seen(path), plain_plans(seen), cap=work, longest=span)


@lru_cache(maxsize=64)
def _climber(path: Path, _stamp: int, plan: Climb) -> Climber:
    from workspan.strategies.auto.fit.ladders import as_strategy, trust_of, weights_of  # NumPy

    ladders = _seen(path)
    weights = weights_of(ladders)
    names = tuple(ladders.rungs[stage.rung].name for stage in plan.stages)
    return Climber(as_strategy(plan, ladders, weights), (*trust_of(ladders, plan, weights),), names)


def _seen(path: Path) -> Ladders:
    profile = known(str(path))
    assert profile is not None
    assert profile.ladders is not None
    return profile.ladders


def has_ladders(path: str) -> bool:
    """Say whether a profile is of efforts."""
    profile = known(path)
    return profile is not None and profile.ladders is not None


def pooled_climber(auto: Dials, work: float, place: float) -> Climber:
    """Return the ladder of one problem of many that may take so much work on the mean.

    Args:
        auto: with a profile of efforts.
        work: of a problem, on the mean.
        place: of the problem, drawn from [0, 1): between two corners of the hull one part of the
            problems has the cheaper plan, and the other the dearer one.
    """
    file = Path(auto.profile)
    stamp = file.stat().st_mtime_ns
    mix = _played(file, stamp).keep(lambda plan: plan.votes <= auto.n).steady().mix(work)
    plan = mix.second if place < mix.share else mix.first
    return _climber(file, stamp, plan).under(auto)
