"""Which answers can be given at a stated risk, learnt on recorded votes and then tested.

**Risk** (learn then test: Angelopoulos et al., arXiv:2110.01052; a second threshold for hopeless
problems as in Conformal Thinking, arXiv:2602.03814). A threshold of agreement is a whole rule of
stopping (`AgreementVotes`): draw until the leader's votes / (draws + 1) are there, give up where
that is hopeless. Its risk is P(wrong | answered), and "the risk is above alpha" is rejected by the
exact binomial tail of the wrong among the answered. Thresholds are tested from the strictest on,
each at delta, until one is not rejected (fixed sequence): nothing is lost by their number.

A threshold with too few answers to be rejected even if all are right is passed over. Where the risk
does not fall as the threshold is loosened, the chance that the one chosen has a risk above alpha
stays at most delta: the first threshold that is tested of those above alpha is chosen by the
numbers answered there and before, and given these the wrong ones among them are at least binomial
with a risk above alpha. Where it may fall, `bonferroni` (delta over the number of thresholds, all
tested) holds without that assumption, and needs more labels.

**Agreement** is the same with the elected answer of all n draws in the place of the right one:
no labels, and no word on what is right. **Mode** needs neither labels nor other problems: each
answer has a certificate of its own (`mode_set`), and delta is the chance that it is false.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from math import exp, log
from statistics import fmean
from typing import Literal, NamedTuple

from workspan.errors import BudgetExceeded, InputError
from workspan.lab.certifying.binomial import labels_needed, least_answered, tail, upper
from workspan.lab.certifying.replayed import LOST, Replayed, Votes, replayed, votes_of, wrong
from workspan.legible import counted
from workspan.search.mode_set import certifiable
from workspan.search.stated_votes import HOPELESS, AgreementVotes, ModeVotes
from workspan.strategies.auto.fit.certificate import Certificate
from workspan.strategies.auto.fit.profile import Profile

Mode = Literal["risk", "mode", "agreement"]
Correction = Literal["sequence", "bonferroni"]
MODES: tuple[Mode, ...] = ("risk", "mode", "agreement")
CORRECTIONS: tuple[Correction, ...] = ("sequence", "bonferroni")
_STEPS = 20

NO_LABELS = (
    "no problem has a right answer: mode risk needs labels (workspan label makes them); "
    "modes agreement and mode do without"
)

PROMISES: Mapping[Mode, str] = {
    "risk": "of the answers given, at most alpha are wrong",
    "mode": (
        "each answer given is the model's most frequent one, whether right or not; of answers that "
        "are not, at most delta are certified"
    ),
    "agreement": (
        "of the answers given, at most alpha are not what all n draws would have elected; "
        "nothing is said of what is right"
    ),
}


@dataclass(frozen=True, slots=True)
class Certified:
    """What was found: a record of `workspan certify`."""

    mode: Mode
    model: str
    alpha: float
    delta: float
    problems: int
    """That were tested on."""
    labelled: int
    """Of these, with a right answer."""
    n: int
    """Draws of a problem, at most."""
    answered: int
    abstained: int
    hopeless: int
    """Abstentions before the last draw."""
    cut: int
    """Problems whose draws a limit ended, or a rule that stops early: each counts as a wrong answer
    that was given, since nobody knows what more draws would have said; in mode as an abstention."""
    threshold: float | None
    """Of votes / (draws + 1); the nearest to a certificate where there is none; None in mode."""
    risk: float | None
    """Wrong among the answers given; in agreement and mode: others than all n draws elect."""
    risk_upper: float
    """Its upper bound at 1 - delta, exact for this threshold by itself. Where it was chosen among
    several (all but `bonferroni`) the bound fails somewhat more often, and alpha is what holds. In
    mode it is delta, by construction."""
    certified: bool
    """The promise holds; else no answer may be given under it."""
    work: float
    """Mean tokens of a problem under the rule."""
    work_all: float
    """Of all n draws."""
    share: float
    """Mean share of the n draws that was taken."""
    labels_needed: int | None
    """Problems with labels that certify alpha with 80 % power at the risk seen; None: no number."""
    promise: str
    correction: str = ""
    seed: int = 0
    repeated: int = 0
    """Problems that ask what another one asks, where their words are known: who counts them as so
    many promises too much, unless the traffic to come repeats itself as these do."""
    unit: str = "tokens"
    """What work is; characters of recordings whose tokens nobody counted."""


class Wish(NamedTuple):
    """What is to be promised, and how it may be earned."""

    mode: Mode = "risk"
    alpha: float = 0.1
    """The risk."""
    delta: float = 0.1
    """The chance of a promise that does not hold."""
    n: int | None = None
    """Draws of a problem, at most; None: as many as three in four problems have."""
    hopeless: float = HOPELESS
    """Chance of an answer below which a problem is given up; 0 never."""
    correction: Correction = "sequence"
    """Of several thresholds."""
    seed: int = 0
    """Of the order of the draws."""

    def check(self) -> None:
        """Refuse what can't be promised.

        Raises:
            InputError: a mode that there is not, or a value out of range.
        """
        for name, value, known in (
            ("mode", self.mode, MODES),
            ("correction", self.correction, CORRECTIONS),
        ):
            if value not in known:
                raise InputError(f"{name} is {value!r}: one of {', '.join(known)}")
        for name, share in (("alpha", self.alpha), ("delta", self.delta)):
            if not 0 < share < 1:
                raise InputError(f"{name} is {share}: a share between 0 and 1, such as 0.1")
        if not 0 <= self.hopeless < 1:
            raise InputError(f"hopeless is {self.hopeless}: a chance from 0 to below 1")
        if self.n is not None and self.n < 1:
            raise InputError(f"n is {self.n}: at least 1 draw of a problem")


def thresholds(n: int) -> tuple[float, ...]:
    """Return the thresholds of n draws that are tested, the strictest first.

    They are those of 1 of 1 to n of n, evenly spaced in the logarithm of the votes.
    """
    alike = (exp(log(max(n, 1)) * i / _STEPS) for i in range(_STEPS, -1, -1))
    return tuple(dict.fromkeys(round(votes / (votes + 1), 4) for votes in alike))


def certify(profile: Profile, wish: Wish) -> Certified:
    """Find from which agreement on answers hold a stated risk, and what that takes.

    Args:
        profile: of a model's draws on problems like those to come, all drawn alike.
        wish: what is to be promised.

    Raises:
        InputError: a value out of range, too few draws, or in mode risk no label.
        BudgetExceeded: the draws of all problems were cut.
    """
    wish.check()
    sizes = sorted(len(case.chains) for case in profile.problems if not case.cut)
    if not sizes and (cut := len(profile.problems)):
        raise BudgetExceeded(
            f"the draws of {'the problem' if cut == 1 else f'all {cut} problems'} were cut, by a "
            "limit on more than calls, a rule that stops early, or a kill: which draws are there "
            "hangs on how long they are or what they say; raise the budget of a problem, or draw "
            "fewer",
            limit="work",
        )
    n = wish.n or (sizes[len(sizes) // 4] if sizes else 0)
    votes = votes_of(profile, n, wish.seed) if n else []
    if all(one.cut for one in votes):
        held = counted(n, "draw") if n else "any draw"
        raise InputError(f"no problem has {held}: draw more, or say fewer with n")
    if wish.mode == "mode":
        check_mode(n, wish.delta)
        return _by_mode(votes, profile.model, wish, n)
    return _by_threshold(votes, profile.model, wish, n)


def check_mode(n: int, delta: float) -> None:
    """Refuse so few draws of a problem that none of their modes could be certified.

    Raises:
        InputError: they are.
    """
    if not certifiable(n, delta):
        least = next(k for k in count(n) if certifiable(k, delta))
        said = f"{counted(n, 'draw')} of a problem can certify no mode at delta {delta:g}"
        raise InputError(f"{said}, even where all agree: {least} at least")


def certificate_of(found: Certified, wish: Wish, profile: Profile) -> Certificate:
    """Return what `auto` needs to keep the promise that was found on a profile.

    Raises:
        InputError: mode mode needs none, or nothing was certified.
    """
    if found.mode == "mode":
        raise InputError("a certificate of the mode is each answer's own, and no file")
    if not found.certified or found.threshold is None:
        raise InputError(
            f"no threshold holds the risk of {found.alpha:g}: there is no certificate; more "
            "problems, or a larger alpha, may do"
        )
    return Certificate(
        mode=found.mode,
        model=found.model,
        alpha=found.alpha,
        delta=found.delta,
        threshold=found.threshold,
        n=found.n,
        hopeless=wish.hopeless,
        problems=found.labelled if found.mode == "risk" else found.problems,
        kinds=profile.kinds,
        temperature=profile.temperature,
        max_tokens=profile.max_tokens,
    )


def _by_mode(votes: Sequence[Votes], model: str, wish: Wish, n: int) -> Certified:
    replays = [_by_itself(replayed(one, ModeVotes(wish.delta, n, wish.hopeless))) for one in votes]
    right = [_elected(one) for one in votes]
    return _record(votes, replays, right, model, wish, n, risk_upper=wish.delta)


def _by_itself(one: Replayed) -> Replayed:
    """Take draws that were cut as an abstention: no answer hangs on another problem's."""
    return one._replace(answer=None) if one.answer == LOST else one


def _by_threshold(votes: Sequence[Votes], model: str, wish: Wish, n: int) -> Certified:
    tested = votes if wish.mode == "agreement" else [one for one in votes if one.right is not None]
    if not tested:
        raise InputError(NO_LABELS)
    right = [_elected(one) if wish.mode == "agreement" else one.right or _NOBODY for one in tested]
    trials = [_trial(tested, right, threshold, wish, n) for threshold in thresholds(n)]
    loosest = chosen(trials, wish)
    best = min(trials, key=lambda one: (one.p, one.risk)) if loosest is None else loosest
    level = level_of(trials, wish)
    answered = best.answered
    return _record(
        tested,
        best.replays,
        right,
        model,
        wish,
        n,
        threshold=best.threshold,
        risk_upper=upper(best.wrong, answered, level) if answered else 1.0,
        certified=loosest is not None,
        correction=wish.correction,
        labels_needed=labels_needed(
            wish.alpha,
            level,
            best.risk,
            answered / len(tested),
        ),
    )


_NOBODY: frozenset[int] = frozenset()


def _elected(votes: Votes) -> frozenset[int]:
    return _NOBODY if votes.elected is None else frozenset((votes.elected,))


class Trial(NamedTuple):
    """How one threshold went."""

    threshold: float
    answered: int
    wrong: int
    alpha: float
    replays: list[Replayed] = []  # noqa: RUF012  # never written to

    @property
    def p(self) -> float:
        """The p-value of "the risk is above alpha"."""
        return tail(self.wrong, self.answered, self.alpha)

    @property
    def risk(self) -> float:
        """Share of wrong among the answered; 1 without any."""
        return self.wrong / self.answered if self.answered else 1.0


def _trial(
    tested: Sequence[Votes],
    right: Sequence[frozenset[int]],
    threshold: float,
    wish: Wish,
    n: int,
) -> Trial:
    replays = [replayed(one, AgreementVotes(threshold, n, wish.hopeless)) for one in tested]
    answered, bad = sum(one.answer is not None for one in replays), wrong(replays, right)
    return Trial(threshold, answered, bad, wish.alpha, replays)


def level_of(trials: Sequence[Trial], wish: Wish) -> float:
    """Return the level that each threshold is tested at."""
    return wish.delta / (len(trials) if wish.correction == "bonferroni" else 1)


def chosen(trials: Sequence[Trial], wish: Wish) -> Trial | None:
    """Return the loosest threshold that is certified; the strictest stand first."""
    level, found = level_of(trials, wish), None
    for trial in trials:
        if trial.p <= level:
            found = trial
        elif wish.correction == "sequence" and trial.answered >= least_answered(wish.alpha, level):
            break
    return found


def _record(
    tested: Sequence[Votes],
    replays: Sequence[Replayed],
    right: Sequence[frozenset[int]],
    model: str,
    wish: Wish,
    n: int,
    *,
    risk_upper: float,
    threshold: float | None = None,
    certified: bool = True,
    correction: str = "",
    labels_needed: int | None = None,
) -> Certified:
    answered = sum(one.answer is not None for one in replays)
    return Certified(
        mode=wish.mode,
        model=model,
        alpha=wish.alpha,
        delta=wish.delta,
        problems=len(tested),
        labelled=sum(one.right is not None for one in tested),
        n=n,
        answered=answered,
        abstained=len(replays) - answered,
        hopeless=sum(
            went.answer is None and went.drawn < n and not one.cut
            for one, went in zip(tested, replays, strict=True)
        ),
        cut=sum(one.cut for one in tested),
        threshold=threshold,
        risk=wrong(replays, right) / answered if answered else None,
        risk_upper=risk_upper,
        certified=certified,
        work=fmean(one.work for one in replays),
        work_all=fmean(sum(one.tokens) for one in tested),
        share=fmean(one.drawn / n for one in replays),
        labels_needed=labels_needed,
        promise=PROMISES[wish.mode],
        correction=correction,
        seed=wish.seed,
    )
