"""Stated risks: exact bounds, what is certified on draws with a known law, and what is refused."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import beta, binom

from workspan.errors import InputError
from workspan.lab.certifying.binomial import (
    answers_needed,
    labels_needed,
    least_answered,
    most_wrong,
    tail,
    upper,
)
from workspan.lab.certifying.certify import Certified, Wish, certificate_of, certify, thresholds
from workspan.lab.certifying.replayed import replayed, votes_of
from workspan.search.stated_votes import NO_ANSWER, AgreementVotes, ModeVotes
from workspan.strategies.auto.fit.profile import Case, Profile, Record

COUNTS = st.integers(1, 60).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(COUNTS, st.floats(0.01, 0.99))
def test_bounds_are_the_exact_ones(counts: tuple[int, int], share: float) -> None:
    wrong, n = counts
    assert tail(wrong, n, share) == pytest.approx(binom.cdf(wrong, n, share), abs=1e-9)
    known = 1.0 if wrong == n else beta.ppf(1 - share, wrong + 1, n - wrong)
    assert upper(wrong, n, share) == pytest.approx(max(known, wrong / n), abs=1e-6)


def test_bounds_of_many_problems_do_not_overflow() -> None:
    assert tail(70, 1000, 0.08) == pytest.approx(binom.cdf(70, 1000, 0.08), rel=1e-6)


@pytest.mark.parametrize(("alpha", "delta", "risk"), [(0.1, 0.1, 0.03), (0.2, 0.05, 0.1)])
def test_the_labels_needed_are_the_least_with_that_power(
    alpha: float, delta: float, risk: float
) -> None:
    def power(n: int) -> float:
        return float(binom.cdf(most_wrong(n, alpha, delta), n, risk))

    needed = answers_needed(alpha, delta, risk)
    assert needed is not None
    assert power(needed) >= 0.8
    assert all(power(n) < 0.8 for n in range(1, needed))


def test_labels_needed_at_no_risk_and_at_too_much() -> None:
    assert least_answered(0.1, 0.1) == 22 == answers_needed(0.1, 0.1, 0.0)
    assert labels_needed(0.1, 0.1, 0.0, 0.5) == 44
    assert labels_needed(0.1, 0.1, 0.1, 1.0) is None
    assert labels_needed(0.1, 0.1, 0.0, 0.0) is None


def drawn(n: int, draws: int, rng: random.Random, *, labels: bool = True) -> Profile:
    """Problems whose answer 0 has a share of its own; it is right the more often the larger."""
    cases = []
    for _ in range(n):
        share = rng.random()
        is_right = rng.random() < 0.35 + 0.65 * share
        chains = tuple(
            Record((100,), (0 if rng.random() < share else rng.randint(1, 4),), ended=True)
            for _ in range(draws)
        )
        cases.append(Case(chains, ((0,) if is_right else (9,)) if labels else None))
    return Profile("made", "tokens", tuple(cases))


def risk_of(threshold: float, profile: Profile, draws: int) -> float:
    found = [
        (replayed(v, AgreementVotes(threshold, draws)), v.right) for v in votes_of(profile, draws)
    ]
    answered = [(one, good) for one, good in found if one.answer is not None]
    return sum(one.answer not in (good or ()) for one, good in answered) / max(1, len(answered))


@pytest.mark.parametrize(
    "correction", ["sequence", pytest.param("bonferroni", marks=pytest.mark.slow)]
)
def test_a_certified_risk_is_passed_in_at_most_delta_of_calibrations(correction: str) -> None:
    rng, alpha, delta, draws, runs = random.Random(5), 0.2, 0.2, 8, 80
    world = drawn(1500, draws, rng)
    true = {one: risk_of(one, world, draws) for one in thresholds(draws)}
    assert min(true.values()) < alpha < max(true.values())  # else there is nothing to get wrong
    wish = Wish("risk", alpha, delta, draws, correction=correction)  # type: ignore[arg-type]
    found = [certify(drawn(60, draws, rng), wish) for _ in range(runs)]
    made = [one for one in found if one.certified]
    assert made
    bad = sum(true[one.threshold or 0] > alpha for one in made)
    assert bad / runs <= delta + 3 * (delta * (1 - delta) / runs) ** 0.5


def test_every_figure_of_a_record_fits_the_others() -> None:
    found = certify(drawn(200, 16, random.Random(2)), Wish("risk", 0.2, 0.1))
    assert found.certified
    assert found.answered + found.abstained == found.problems == 200
    assert found.risk is not None
    assert found.risk <= found.risk_upper <= 0.2
    assert 0 < found.share < 1
    assert found.work == pytest.approx(found.share * found.work_all)  # draws of 100 tokens each
    assert found.hopeless <= found.abstained


def test_giving_up_the_hopeless_saves_work() -> None:
    profile = drawn(150, 32, random.Random(3))
    never, soon = (certify(profile, Wish("mode", hopeless=h)) for h in (0.0, 0.05))
    assert soon.work < 0.8 * never.work
    assert soon.answered >= 0.9 * never.answered


def test_agreement_needs_no_labels_and_says_what_it_promises() -> None:
    profile = drawn(200, 16, random.Random(4), labels=False)
    found = certify(profile, Wish("agreement"))
    assert found.certified
    assert found.labelled == 0
    assert "nothing is said of what is right" in found.promise
    with pytest.raises(InputError, match="workspan label"):
        certify(profile, Wish("risk"))


def test_where_nothing_can_be_certified_it_says_so_and_how_many_labels_would_do() -> None:
    few = certify(drawn(12, 8, random.Random(1)), Wish("risk", 0.1, 0.1))
    assert not few.certified
    with pytest.raises(InputError, match=r"no threshold holds the risk of 0\.1"):
        certificate_of(few, Wish("risk", 0.1, 0.1), Profile("made", "tokens", ()))
    assert few.risk_upper > 0.1


def test_draws_without_an_answer_are_disagreement_and_no_vote() -> None:
    votes = AgreementVotes(0.6, 8)
    for answer in (0, NO_ANSWER, 0):
        votes.vote(answer)
    assert votes.score == 0.5
    mode = ModeVotes(0.1, 64)
    for answer in [0] * 6 + [NO_ANSWER] * 3:
        mode.vote(answer)
    assert mode.verdict == "draw"
    mode.vote(0)
    assert (mode.verdict, mode.leader, mode.drawn) == ("answer", 0, 10)


@given(st.lists(st.integers(-1, 3), max_size=12), st.randoms(use_true_random=False))
def test_agreement_does_not_hang_on_the_order(votes: list[int], rng: random.Random) -> None:
    one, other = AgreementVotes(0.9, 12), AgreementVotes(0.9, 12)
    for answer in votes:
        one.vote(answer)
    for answer in rng.sample(votes, len(votes)):
        other.vote(answer)
    assert one.score == other.score


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (Wish("all"), "mode is 'all'"),  # type: ignore[arg-type]
        (Wish(alpha=0.0), "alpha is 0.0"),
        (Wish(delta=1.0), "delta is 1.0"),
        (Wish(hopeless=1.0), "hopeless"),
        (Wish(n=0), "n is 0"),
        (Wish("mode", n=5), "7 at least"),
        (Wish(n=99), "no problem has 99 draws"),
        (Wish(correction="none"), "correction"),  # type: ignore[arg-type]
    ],
)
def test_what_can_not_be_promised_is_refused(wish: Wish, said: str) -> None:
    with pytest.raises(InputError, match=said):
        certify(drawn(30, 8, random.Random(0)), wish)


def test_records_are_the_same_for_the_same_seed() -> None:
    def once(seed: int) -> Certified:
        return certify(drawn(50, 8, random.Random(0)), Wish("agreement", seed=seed))

    assert once(1) == once(1)
