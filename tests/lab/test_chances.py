"""pass@k and majority@k: by hand, by counting every choice, and unbiased by simulation."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from statistics import fmean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import multivariate_hypergeom

from workspan.lab.chances import majority_at_k, pass_at_k


def test_by_hand() -> None:
    # 4 chains, 1 right: two of them hold it in 3 of 6 choices
    assert pass_at_k(4, 1, 2) == pytest.approx(0.5)
    assert pass_at_k(10, 0, 3) == 0
    assert pass_at_k(10, 8, 3) == 1
    # Chen et al. 2021, eq. 1, with n = 5, c = 2, k = 2: 1 - C(3, 2) / C(5, 2)
    assert pass_at_k(5, 2, 2) == pytest.approx(0.7)
    # votes 2 right, 2 wrong; two chains: both right 1/6, one of each 4/6, of which half
    assert majority_at_k([2, 2], [True, False], 2) == pytest.approx(1 / 6 + 4 / 12)
    # nobody says anything
    assert majority_at_k([], [], 2, silent=3) == 0


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.booleans()), max_size=3),
    st.integers(0, 2),
    st.integers(1, 4),
)
def test_majority_is_that_of_every_choice(
    answers: list[tuple[int, bool]], silent: int, k: int
) -> None:
    votes, right = [n for n, _ in answers], [is_right for _, is_right in answers]
    chains = [i for i, n in enumerate(votes) for _ in range(n)] + [None] * silent
    if len(chains) < k:
        return
    found = [_vote([chains[i] for i in one], right) for one in _orders(len(chains), k)]
    assert majority_at_k(votes, right, k, silent) == pytest.approx(fmean(found))


def _orders(n: int, k: int) -> itertools.permutations[tuple[int, ...]]:
    return itertools.permutations(range(n), k)


def _vote(drawn: list[int | None], right: list[bool]) -> float:
    counts = Counter(one for one in drawn if one is not None)
    if not counts:
        return 0.0
    most = max(counts.values())
    return float(right[next(one for one in drawn if one is not None and counts[one] == most)])


def test_one_chain_and_all_chains_are_the_share_and_the_vote() -> None:
    votes, right = [5, 4, 3], [False, True, False]
    assert majority_at_k(votes, right, 1, silent=4) == pytest.approx(4 / 16)
    assert majority_at_k(votes, right, 16, silent=4) == 0
    assert majority_at_k(votes, [True, False, False], 16, silent=4) == 1


def test_two_answers_are_scipys_hypergeometric() -> None:
    m, k = [7, 6, 3], 5
    each = [(x, y, k - x - y) for x in range(k + 1) for y in range(k + 1 - x)]
    law = multivariate_hypergeom(m, k)
    # 3 silent chains: the first answer leads with more votes, and half of the ties with the second
    share = sum(
        law.pmf(one) * (1.0 if one[0] > one[1] else 0.5 * (one[0] == one[1])) for one in each
    )
    none = law.pmf((0, 0, 5)) if m[2] >= 5 else 0.0
    found = majority_at_k([7, 6], [True, False], k, silent=3)
    assert found == pytest.approx(share - 0.5 * none)


def test_both_are_unbiased_for_fresh_chains() -> None:
    rng = random.Random(1)
    chances, n, k = [0.35, 0.3, 0.2], 12, 5  # the first is right; the rest says nothing

    def draw(m: int) -> list[int | None]:
        return rng.choices([0, 1, 2, None], [*chances, 0.15], k=m)

    right = [True, False, False]
    fresh = fmean(_vote(draw(k), right) for _ in range(30_000))
    estimated, passed = [], []
    for _ in range(2_500):
        counts = Counter(draw(n))
        votes = [counts[i] for i in range(3)]
        held = [(v, r) for v, r in zip(votes, right, strict=True) if v]
        told = ([v for v, _ in held], [r for _, r in held])
        estimated.append(majority_at_k(*told, k, silent=counts[None]))
        passed.append(pass_at_k(n, votes[0], k))
    assert fmean(estimated) == pytest.approx(fresh, abs=0.01)
    assert fmean(passed) == pytest.approx(1 - 0.65**k, abs=0.01)


@pytest.mark.parametrize(("n", "c", "k"), [(4, 5, 1), (4, -1, 1), (4, 1, 0), (4, 1, 5)])
def test_what_can_not_be_is_refused(n: int, c: int, k: int) -> None:
    with pytest.raises(ValueError, match="must be 1 <= k <= n"):
        pass_at_k(n, c, k)


def test_many_chains_are_no_trouble() -> None:
    assert 0.5 < majority_at_k([400, 300, 200], [True, False, False], 301, silent=100) < 1
    with pytest.raises(ValueError, match="at most 1000"):
        majority_at_k([1001], [True], 3)
