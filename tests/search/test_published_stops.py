"""Bayes factors, leads and martingales against hand calculations, scipy and simulation."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.search.ahead import chance_of_error, lead, lead_needed
from workspan.search.bayes_factor import bayes_factor, exceeds, mode_probability
from workspan.search.mode_certificate import Martingale, ModeCertificate

counts = st.lists(st.integers(1, 40), min_size=1, max_size=8).map(
    lambda drawn: tuple(sorted(drawn, reverse=True))
)


def by_scipy(votes: Sequence[int], unseen: float) -> float:
    scipy = pytest.importorskip("scipy.integrate")
    from scipy.stats import gamma

    def density(g: float) -> float:
        below = [gamma.cdf(g, count + 1) for count in votes[1:]]
        product = gamma.cdf(g, unseen + 1)
        for one in below:
            product *= one
        return float(gamma.pdf(g, votes[0] + 1) * product)

    return float(scipy.quad(density, 0, votes[0] + 100, limit=200)[0])


@pytest.mark.parametrize("votes", [(1,), (4,), (5, 1), (3, 2, 1, 1), (30, 20, 5), (9, 9)])
@pytest.mark.parametrize("unseen", [0.0, 0.3, 2.0])
def test_the_probability_of_the_mode_is_scipys_integral(
    votes: tuple[int, ...], unseen: float
) -> None:
    assert mode_probability(votes, unseen) == pytest.approx(by_scipy(votes, unseen), abs=1e-5)


def test_one_vote_without_unseen_votes_is_two_to_one_and_a_half() -> None:
    # p ~ Beta(2, 1): P(p > 1/2) = 1 - 1/4
    assert mode_probability((1,), 0.0) == pytest.approx(0.75, abs=1e-5)
    assert bayes_factor((1,), 0.0) == pytest.approx(2 * 3, abs=1e-3)


def test_draws_of_a_dirichlet_agree() -> None:
    rng, votes = random.Random(1), (6, 3, 2)
    wins, n = 0, 20_000
    for _ in range(n):
        shares = [rng.gammavariate(count + 1, 1) for count in votes]
        wins += shares[0] > max(*shares[1:], rng.gammavariate(1.3, 1))
    assert mode_probability(votes) == pytest.approx(wins / n, abs=0.012)  # 3.5 standard errors


def test_six_equal_votes_are_a_factor_of_a_hundred_and_five_are_not() -> None:
    assert not exceeds((5,), 100)  # 75
    assert exceeds((6,), 100)
    assert not exceeds((), 1)
    assert not exceeds((7, 7), 0)  # a tie has no leader


@settings(max_examples=60, deadline=None)
@given(counts, st.floats(1, 1000))
def test_the_short_cut_changes_no_verdict(votes: tuple[int, ...], factor: float) -> None:
    tied = len(votes) > 1 and votes[0] == votes[1]
    assert exceeds(votes, factor) == (not tied and bayes_factor(votes) >= factor)


def test_thousands_of_votes_overflow_nothing() -> None:
    assert mode_probability((900, 2)) == pytest.approx(1)
    assert exceeds((900, 2), 1e5)


def test_the_lead_is_of_the_first_over_the_second() -> None:
    assert [lead(votes) for votes in ((), (3,), (5, 2, 1), (2, 2))] == [0, 3, 3, 0]


def test_the_wrong_one_is_ahead_first_as_often_as_gamblers_are_ruined() -> None:
    # (p / (1 - p))^k = 1.5^4 = 5.0625
    assert chance_of_error(4, 0.6) == pytest.approx(1 / 6.0625)
    rng, wrong, n = random.Random(2), 0, 6000
    for _ in range(n):
        ahead = 0
        while abs(ahead) < 4:
            ahead += 1 if rng.random() < 0.6 else -1
        wrong += ahead < 0
    assert wrong / n == pytest.approx(1 / 6.0625, abs=0.017)  # 3.5 standard errors


@pytest.mark.parametrize(("p", "steps"), [(0.6, 1), (0.9, 1000), (0.99, 1_000_000), (0.7, 31)])
def test_the_lead_needed_is_the_least_that_does(p: float, steps: int) -> None:
    k = lead_needed(p, steps, 0.95)
    assert (1 - chance_of_error(k, p)) ** steps >= 0.95
    assert k == 1 or (1 - chance_of_error(k - 1, p)) ** steps < 0.95


def test_the_lead_needed_grows_with_the_logarithm_of_the_steps() -> None:
    leads = [lead_needed(0.9, 10**power) for power in range(1, 7)]
    assert leads == [3, 4, 5, 6, 7, 8]  # ln 10 / ln 9 = 1.05 for each factor of ten


@pytest.mark.parametrize(("p", "steps", "success"), [(0.5, 1, 0.9), (1, 1, 0.9), (0.6, 1, 1)])
def test_no_lead_makes_a_coin_right(p: float, steps: int, success: float) -> None:
    with pytest.raises(ValueError, match="must be in"):
        lead_needed(p, steps, success)


def test_a_martingale_bets_on_what_it_has_seen() -> None:
    bet, seen = Martingale(), []
    for is_hit in (True, True, True, False):
        bet.bet(is_hit=is_hit)
        seen.append(bet.value)
    # q is .50001, 1.5/2, 2.5/3, 3.5/4: times 1.00002, 1.5, 5/3, and 2 (1/8)
    assert seen == pytest.approx([1.00002, 1.50003, 2.50005, 0.6250125])


def test_eight_votes_of_eight_certify_at_five_percent() -> None:
    told, when = ModeCertificate(0.05), []
    for _ in range(9):
        told.vote(0)
        when.append(told.is_certain)
    assert when == [False] * 7 + [True] * 2


def test_a_runner_up_is_no_other_answer_and_a_fourth_is() -> None:
    told = ModeCertificate(0.05)
    for answer in (0, 0, 0, 1, 1, 2):
        told.vote(answer)
    assert (told.rival.hits, told.rival.misses) == (2, 1)  # the first vote for 1 had no rank yet
    assert (told.others.hits, told.others.misses) == (2, 2)  # those first votes for 1 and 2
    told.vote(2)
    assert told.others.misses == 2  # it is of the first three by now
    told.vote(3)
    assert told.others.misses == 3


def test_equal_answers_are_seldom_certified_however_often_one_looks() -> None:
    rng, certified, n = random.Random(3), 0, 400
    for _ in range(n):
        told = ModeCertificate(0.1)
        for _ in range(64):
            told.vote(rng.randrange(2))
            if told.is_certain:
                certified += 1
                break
    assert certified / n <= 0.1
