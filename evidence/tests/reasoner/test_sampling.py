"""Draws follow the distribution that temperature, min_p and top_p leave."""

from __future__ import annotations

import numpy as np
import pytest

from workspan_evidence.reasoner.sampling import Sampling, logprobs, uniforms

LOGITS = np.log(np.array([[0.5, 0.25, 0.15, 0.1], [0.1, 0.1, 0.1, 0.7]], np.float32))


@pytest.mark.parametrize(
    ("sampling", "expected"),
    [
        (Sampling(), [0.5, 0.25, 0.15, 0.1]),
        # squares at temperature 1/2: 25, 6.25, 2.25, 1 of 34.5
        (Sampling(0.5), [25 / 34.5, 6.25 / 34.5, 2.25 / 34.5, 1 / 34.5]),
        # a quarter of 0.5 is 0.125: the last goes
        (Sampling(min_p=0.25), [0.5 / 0.9, 0.25 / 0.9, 0.15 / 0.9, 0]),
        # 0.5 + 0.25 reaches 0.7
        (Sampling(top_p=0.7), [2 / 3, 1 / 3, 0, 0]),
        (Sampling(0), [1, 0, 0, 0]),
    ],
)
def test_frequencies_are_those_of_the_kept_tokens(
    sampling: Sampling, expected: list[float]
) -> None:
    n = 40_000
    numbers = uniforms(np.arange(n, dtype=np.uint64), 0, 1)[0]
    tokens = sampling.draw(LOGITS, np.zeros(n, np.int64), numbers)
    counts = np.bincount(tokens, minlength=4) / n
    assert np.abs(counts - expected).max() < 0.01  # four standard errors of a half
    assert not any(count for count, p in zip(counts, expected, strict=True) if p == 0)


def test_each_chain_draws_from_its_row() -> None:
    rows = np.array([0, 1, 0, 1])
    tokens = Sampling(0).draw(LOGITS, rows, np.full(4, 0.99))
    assert tokens.tolist() == [0, 3, 0, 3]


def test_a_number_next_to_1_draws_the_last_token_that_is_kept() -> None:
    almost = np.full(2, np.nextafter(1.0, 0.0))
    assert Sampling(top_p=0.7).draw(LOGITS, np.arange(2), almost).tolist() == [1, 3]


def test_numbers_belong_to_seed_and_step_alone() -> None:
    seeds = np.array([5, 0, 2**64 - 1], np.uint64)
    whole = uniforms(seeds, 0, 20)
    assert (uniforms(seeds[1:2], 7, 9)[:, 0] == whole[7:9, 1]).all()
    assert whole.min() >= 0
    assert whole.max() < 1


def test_numbers_of_neighbouring_seeds_are_uniform_and_unrelated() -> None:
    numbers = uniforms(np.arange(2000, dtype=np.uint64), 0, 50)
    flat = np.histogram(numbers, 20, (0, 1))[0]
    assert np.abs(flat / 5000 - 1).max() < 0.06  # four standard errors of 5000
    assert abs(np.corrcoef(numbers[:, :-1].ravel(), numbers[:, 1:].ravel())[0, 1]) < 0.015
    assert abs(np.corrcoef(numbers[:-1].ravel(), numbers[1:].ravel())[0, 1]) < 0.015


def test_the_scrambler_is_splitmix64() -> None:
    # its first output for the state 0, of the reference implementation (Vigna, splitmix64.c)
    from workspan_evidence.reasoner.sampling import _GOLDEN, _mixed

    assert _mixed(np.array([_GOLDEN], np.uint64)).tolist() == [0xE220A8397B1DCDAF]


def test_logprobs_add_up_to_1() -> None:
    assert np.allclose(np.exp(logprobs(LOGITS)).sum(axis=1), 1)
