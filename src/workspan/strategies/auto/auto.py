"""The system decides: widen, deepen, stop or abstain, by what the next token is worth."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from math import inf
from typing import TYPE_CHECKING, ClassVar, Literal

from workspan.core.engine import Capability, EngineInfo
from workspan.core.session import Session, Strategy, Verifier
from workspan.data.budget import Budget
from workspan.data.types import Answer, Problem, Request
from workspan.errors import SpecError, at_least, within
from workspan.registry.card import Card
from workspan.strategies.auto.answers import candidates, leading
from workspan.strategies.auto.arms import check_arms, switch
from workspan.strategies.auto.chains import Chains
from workspan.strategies.auto.efforts import Climber, check_rungs, climbed, climber_of, engines_of
from workspan.strategies.auto.groups import Groups
from workspan.strategies.auto.policies.cold import Cold
from workspan.strategies.auto.policies.explaining import explain
from workspan.strategies.auto.policies.state import Decision, Policy, State
from workspan.strategies.auto.profile import check_fits, evaluation_of, model_of, say_misfit
from workspan.strategies.auto.stated import (
    DELTA,
    DRAWS,
    Floor,
    check_certificate,
    check_floor,
    most_draws,
    say_uncertified,
    stated_rule,
)
from workspan.verifiers.judge import Judge

if TYPE_CHECKING:
    from workspan.strategies.auto.fit.evaluation import Evaluation

_RATES = {"work": 0.0, "span": inf}
_WIDE = 8
"""Chains at the start, without a profile, where a token of span is worth one of work at least."""


def _side_by_side(state: State) -> int:
    """Return the chains at the start where span is limited: they fit though each takes all of it.

    One after the other they might not.
    """
    if state.span_left is None:
        return 1
    if state.work_left is None:
        return _WIDE
    return max(1, min(_WIDE, state.work_left // max(1, state.span_left)))


@dataclass(frozen=True)
class Auto:
    """Split the budget between breadth, depth and other strategies as each problem shows its need.

    Chains grow in blocks where the engine can continue a text, and are asked for their answer after
    each; else whole chains are drawn. What to buy next is decided by a rule that knows a `profile`
    (see `workspan calibrate`) of this model, or of the one named by `of`, or nothing but the run
    itself. `floor` may be a promise (see `workspan certify`): then whole chains are voted on until
    it holds, and an answer for which it does not is marked as not certified. `price` is the
    probability that a thousand tokens must be worth; `prefers` what is dear: a number says how many
    tokens of work one of span is worth, so that both are priced.
    `arms` are other strategies that may have the rest of the budget, such as revision, evolution or
    retrieval: as a profile says, or, judged by a verifier, in turn with restarts.
    """

    arms: tuple[Strategy, ...] = ()
    n: int = DRAWS
    confidence: float = 0.95
    floor: float | Floor = 0.0
    delta: float = DELTA
    certificate: str = ""
    price: float = 0.0
    prefers: Literal["work", "span"] | float = "work"
    verifier: Verifier | None = None
    profile: str = ""
    of: str = ""
    probe: str = "\nAnswer:"
    probe_tokens: int = 24
    max_tokens: int = 32_768
    temperature: float = 0.7
    fitted: Policy | None = field(default=None, repr=False)
    """The rule itself, from who has fitted one."""
    climbs: Climber | None = field(default=None, repr=False)
    """The ladder of efforts itself, from who has chosen one."""
    requires: ClassVar[frozenset[Capability]] = frozenset()
    card: ClassVar[Card] = Card(
        example="auto(n=4, max_tokens=80, probe_tokens=8)",
        source="this package",
        family="adaptive",
        parameters={
            "arms": "Other strategies that may have the rest of the budget.",
            "n": "Chains, at most.",
            "confidence": "In the leader at which it stops, without a profile.",
            "floor": "Confidence below which it abstains; or mode, risk or agreement: a promise.",
            "delta": "Chance of a false certificate, with floor='mode'.",
            "certificate": "A file of `workspan certify`, with floor='risk' or 'agreement'.",
            "prefers": "What is dear: work, span, or the tokens of work that one of span is worth.",
            "profile": "A file of `workspan calibrate`.",
            "of": "The model whose profile this is, where it is another's.",
            "probe": "What a chain is asked with.",
            "probe_tokens": "Tokens of its answer, at most.",
        },
        is_most=True,
        helps=(
            "Budgets for many problems of different kinds; best with a profile of `workspan "
            "calibrate`."
        ),
        hurts=(
            "One problem and a small budget, without a profile: it learns on what it should spend."
        ),
    )

    def __post_init__(self) -> None:
        """Refuse values out of range, and a profile that can't be read."""
        at_least(1, n=self.n, probe_tokens=self.probe_tokens, max_tokens=self.max_tokens)
        at_least(0, temperature=self.temperature, price=self.price, prefers=self.rate)
        within(0, 1, confidence=self.confidence, floor=self.least)
        path = self.certificate
        check_floor(self.floor, self.delta, self.n, path, self.arms, self.verifier)
        if self.fitted is None:
            check_arms(self.arms, self.profile, is_judged=self.verifier is not None)

    def check(self, info: EngineInfo) -> None:
        """Refuse a profile of another model, unless the user says whose it is.

        Raises:
            SpecError: it is, or it counts in characters what the engine counts in tokens; or calls
                are rollouts, of which no model judges which is right.
        """
        if info.whole is not None and self.verifier is None:
            raise SpecError(f"auto over {info.name} needs a verifier, such as patch_tests")
        check_fits(self.profile, self.of, info)
        check_rungs(self, info)
        check_certificate(self, info)

    async def __call__(self, problem: Problem, session: Session) -> Answer:
        """Do as the rule says until it stops, or nothing more can be bought."""
        say_misfit(self.profile, problem, session)
        say_uncertified(self.certificate, problem, session)
        if (climber := climber_of(self, session)) is not None:
            return await climbed(climber, self, problem, session, model_of(self.profile))
        chains = self._open_chains(problem, session)
        state, is_growing = chains.state(session), True
        promises = isinstance(self.floor, str)  # no other rule keeps them
        rule = self.rule_for(state) if promises or not self.fitted else self.fitted
        taken: list[tuple[State, Decision]] = []
        while True:
            decision = rule.decide(state if is_growing else replace(state, work_left=0))
            if (now := leading(chains, decision.leader)) not in (None, session.standing.best):
                session.best(now)
            taken.append((state, decision))
            if decision.action in ("stop", "abstain") or not is_growing:
                break
            if decision.action == "switch":
                await switch(self.arms[decision.arm], decision, chains, session)
            else:
                is_growing = await chains.step(decision, session)
            state = chains.state(session)
        vote = await session.vote(candidates(chains), problem.kind)
        gives_up = decision.action == "abstain"
        best = None if gives_up and self.least else now or vote.best
        certified = decision.action == "stop" if promises else None
        why = explain(taken, state, chains.groups.answers, model_of(self.profile))
        return replace(vote, best=best, why=why, certified=certified)

    def _open_chains(self, problem: Problem, session: Session) -> Chains:
        """Open the chains; an answer that is a whole text, or a program, is not asked for early."""
        verifier = self.verifier or (Judge() if problem.kind == "open" else None)
        logprobs = verifier is not None and "logprobs" in verifier.requires
        whole = Request(problem.prompt, "", self.max_tokens, self.temperature, logprobs=logprobs)
        can = "continue" in session.engine.capabilities
        ask = Request(problem.prompt, self.probe, self.probe_tokens, 0.0, stop=("\n",))
        promises = isinstance(self.floor, str)  # of whole chains: none is asked on its way
        is_asked = bool(can and self.probe) and problem.kind not in ("open", "code")
        probe = ask if is_asked and not promises else None
        groups = Groups(problem.kind, session.same)
        most = most_draws(self.certificate) if self.certificate else self.n
        return Chains(problem, whole, probe, not can, verifier, most, groups, not promises)

    @property
    def engines(self) -> tuple[str, ...]:
        """The run's engines that its profile's rungs are of, so that none is missed half-way."""
        return engines_of(self.profile)

    @property
    def least(self) -> float:
        """Confidence below which it abstains; 0 where a promise is made in its place."""
        return 0.0 if isinstance(self.floor, str) else self.floor

    @property
    def rate(self) -> float:
        """Tokens of work that one of span is worth; infinite where span alone is dear."""
        return _RATES[self.prefers] if isinstance(self.prefers, str) else self.prefers

    def rule_for(self, state: State) -> Policy:
        """Make the rule for a run that begins at `state`: a promise's, else a profile's."""
        if isinstance(self.floor, str):
            width = _WIDE if self.rate >= 1 else 1
            return stated_rule(self.floor, self.delta, self.n, self.certificate, width)
        if not self.profile:
            return self.cold_rule(width=_WIDE if self.rate >= 1 else _side_by_side(state))
        budget = Budget(work=state.work_left, span=state.span_left)
        return self.planned_rule(evaluation_of(self.profile, budget.work), budget)

    def cold_rule(self, width: int = 1) -> Cold:
        """Make the rule that knows nothing of the model; arms need a verifier there."""
        is_judged = self.verifier is not None
        arms = len(self.arms) if is_judged else 0
        return Cold(self.confidence, self.least, is_judged=is_judged, width=width, arms=arms)

    def planned_rule(self, evaluation: Evaluation, budget: Budget) -> Policy:
        """Choose the plan for a budget; where span is dear, the cheapest of about the best."""
        from workspan.strategies.auto.fit.rules import fitted  # needs NumPy

        return fitted(
            evaluation,
            work=budget.work,
            span=budget.span,
            price=self.price / 1000,
            floor=self.least,
            is_judged=self.verifier is not None,
            has_arms=bool(self.arms),
            rate=self.rate,
            probe_tokens=self.probe_tokens,
            chains=self.n,
        )
