"""The set of answers that may be the mode: what it promises, by counting all small cases."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.search.mode_set import ModeSet, certifiable

VOTES = st.lists(st.integers(0, 4), max_size=40)
WEIGHTS = st.sampled_from([0.25, 0.5, 1.0])
ABOUT = 1e-9


def voted(votes: Sequence[int], delta: float = 0.1, weights: Sequence[float] = ()) -> ModeSet:
    found = ModeSet(delta)
    for i, answer in enumerate(votes):
        found.vote(answer, weights[i] if weights else 1.0)
    return found


def certified_at(votes: Sequence[int], delta: float) -> tuple[int, int | None]:
    """Return when a leader is certified, and who; else (all, None)."""
    found = ModeSet(delta)
    for i, answer in enumerate(votes, 1):
        found.vote(answer)
        if found.is_certain:
            return i, found.leader
    return len(votes), None


SHARES = [
    (0.5, 0.5),
    (0.5, 0.3, 0.2),
    (0.4, 0.4, 0.2),
    (0.25, 0.25, 0.25, 0.25),
    (0.34, 0.33, 0.33),
    (0.1, 0.0, 0.9),
]


@pytest.mark.parametrize("shares", SHARES)
def test_the_capital_against_a_mode_is_a_supermartingale(shares: Sequence[float]) -> None:
    """At every history of up to five votes, for seen and unseen modes."""
    modes = [i for i, share in enumerate(shares) if share == max(shares)]
    pairs = [(a, b) for a in modes for b in modes if a != b]
    for n in range(6):
        for history in product(range(len(shares)), repeat=n):
            now = voted(history)
            after = [voted((*history, answer)) for answer in range(len(shares))]
            for mode in modes:
                then = [one.against(mode) for one in after]
                mean = sum(p * k for p, k in zip(shares, then, strict=True))
                assert mean <= now.against(mode) + ABOUT
            for a, b in pairs:
                then = [one.beside(a, b) for one in after]
                mean = sum(p * k for p, k in zip(shares, then, strict=True))
                assert mean <= now.beside(a, b) + ABOUT


@given(VOTES.filter(lambda votes: len(votes) < 12), st.data())
def test_a_bet_with_weights_is_fair_where_the_weights_are_equal(
    votes: list[int], data: st.DataObject
) -> None:
    """Two answers of one share of weight: a certain vote and one of twice the chance, half sure."""
    weights = [data.draw(WEIGHTS) for _ in votes]
    now = voted(votes, 0.1, weights)
    for a, b in ((0, 1), (1, 0)):
        mean = 0.0
        for answer, weight, chance in ((a, 1.0, 0.2), (b, 0.5, 0.4), (7, 1.0, 0.2), (8, 0.0, 0.2)):
            mean += chance * voted([*votes, answer], 0.1, [*weights, weight]).against(b)
        assert mean <= now.against(b) + ABOUT


@pytest.mark.parametrize(
    ("shares", "n", "delta"),
    [
        ((0.5, 0.5), 14, 0.2),
        ((0.5, 0.5), 14, 0.1),
        ((1 / 3, 1 / 3, 1 / 3), 9, 0.2),
        ((0.4, 0.4, 0.2), 9, 0.2),
        ((0.3, 0.3, 0.2, 0.2), 7, 0.2),
    ],
)
def test_false_certificates_are_rare_where_modes_are_equal(
    shares: Sequence[float], n: int, delta: float
) -> None:
    """Exact: all sequences are counted; nothing that is certified is the only mode."""
    false = 0.0
    for votes in product(range(len(shares)), repeat=n):
        if certified_at(votes, delta)[1] is not None:
            chance = 1.0
            for answer in votes:
                chance *= shares[answer]
            false += chance
    assert 0 < false <= delta


@pytest.mark.parametrize(
    ("shares", "delta"),
    [
        ([0.5, 0.5], 0.1),
        ([0.3, 0.3] + [0.02] * 20, 0.1),
        ([0.35, 0.35, 0.3], 0.1),
        ([0.26, 0.24, 0.26, 0.24], 0.2),
        ([0.52, 0.48], 0.1),
    ],
)
def test_false_certificates_are_rare_in_long_runs(shares: list[float], delta: float) -> None:
    """Simulated: 300 votes, looked at after each; 4 standard errors above delta at most."""
    rng, false, runs = random.Random(7), 0, 200
    most = max(shares)
    is_tied = shares.count(most) > 1
    for _ in range(runs):
        _, who = certified_at(rng.choices(range(len(shares)), shares, k=300), delta)
        false += who is not None and (is_tied or shares[who] < most)
    assert false / runs <= delta + 4 * (delta * (1 - delta) / runs) ** 0.5


def test_a_leader_is_certified_before_any_rival_has_appeared() -> None:
    assert [next(n for n in range(99) if certifiable(n, d)) for d in (0.1, 0.05, 0.01)] == [
        7,
        8,
        12,
    ]
    assert certified_at([3] * 20, 0.1) == (7, 3)


def test_a_late_rival_takes_over_what_all_unseen_ones_had_won() -> None:
    before, after = voted([0] * 5), voted([0] * 5 + [1])
    assert after.against(1) == pytest.approx(before.against(9) * 0.4)
    assert after.against(9) == before.against(9)  # a vote for another one is no bet lost


def test_many_rare_rivals_do_not_hold_up_a_clear_mode() -> None:
    votes = [0 if i % 2 else 100 + i for i in range(60)]  # half the votes, the rest all different
    assert certified_at(votes, 0.1)[1] == 0


@given(VOTES, st.permutations(range(5)))
def test_names_mean_nothing(votes: list[int], names: list[int]) -> None:
    plain, renamed = voted(votes), voted([names[one] for one in votes])
    assert renamed.capital == pytest.approx(plain.capital)
    assert renamed.is_certain == plain.is_certain
    if plain.leader is not None:
        assert renamed.leader == names[plain.leader]


@given(VOTES, st.sampled_from([(0.05, 0.1), (0.1, 0.2), (0.01, 0.3)]))
def test_more_risk_never_takes_longer(votes: list[int], deltas: tuple[float, float]) -> None:
    strict, loose = (certified_at(votes, delta) for delta in deltas)
    assert strict[1] is None or loose[0] <= strict[0]


@given(VOTES)
def test_hope_is_a_chance_and_none_is_left_at_the_end(votes: list[int]) -> None:
    found = voted(votes)
    assert 0 <= found.hope(10, len(votes)) <= 1
    assert found.hope(0, len(votes)) == float(found.is_certain)


def test_hope_falls_where_two_answers_share_the_votes() -> None:
    assert voted([0, 1] * 16).hope(32, 32) < 0.02 < 0.9 < voted([0] * 6).hope(58, 6)


@pytest.mark.parametrize(("delta", "bet"), [(0.0, 0.6), (1.0, 0.6), (0.1, 1.0)])
def test_values_out_of_range_are_refused(delta: float, bet: float) -> None:
    with pytest.raises(ValueError, match="between"):
        ModeSet(delta, bet)
    with pytest.raises(ValueError, match="weight 2"):
        voted([0], 0.1, [2.0])
