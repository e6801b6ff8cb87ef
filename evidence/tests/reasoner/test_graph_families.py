from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.errors import InputError
from workspan_evidence import grammar
from workspan_evidence.families.connectivity import Bridge, Deep, Path
from workspan_evidence.families.heavy import Heavy

FAMILIES = [
    Path(1),
    Path(9),
    Deep(1),
    Deep(6),
    Bridge(1),
    Bridge(3),
    Bridge(2, short=2, long=4, dead=1),
    Heavy(1, 1),
    Heavy(1, 4),
    Heavy(2, 2),
]
families = st.sampled_from(FAMILIES)
seeds = st.integers(0, 2**32)


@given(family=families, seed=seeds)
def test_a_generated_chain_passes_its_own_check(family: Deep, seed: int) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    verdict = family.check(problem, chain.ids)
    assert verdict.legal
    finished = chain.ids[-1] == grammar.EOS
    assert verdict.found == verdict.correct == finished
    assert all(a in options for a, options in zip(chain.ids, chain.choices, strict=True))
    assert chain.unsure == (len(chain.ids) - 3 if finished else len(chain.ids))


@given(family=families, seed=seeds, data=st.data())
def test_a_cut_chain_is_legal_but_finds_nothing(
    family: Deep, seed: int, data: st.DataObject
) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    cut = chain.ids[: data.draw(st.integers(0, chain.unsure - 1))]
    verdict = family.check(problem, (*cut, grammar.ANSWER, grammar.ABSTAIN))
    assert verdict.legal
    assert not verdict.found
    assert verdict.answer is None
    lucky = family.check(problem, (*cut, grammar.ANSWER, problem.answer))
    assert lucky.correct
    assert not lucky.found


@given(family=families, seed=seeds, symbol=st.integers(0, len(grammar.VOCABULARY) - 1))
def test_any_tokens_get_a_verdict(family: Deep, seed: int, symbol: int) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    ids = tuple(rng.randrange(len(grammar.VOCABULARY)) for _ in range(12))
    assert not family.check(problem, (symbol, *ids)).found


@pytest.mark.parametrize("family", FAMILIES, ids=str)
def test_search_ends_as_the_closed_form_says(family: Deep) -> None:
    rng, n = Random(7), 1000
    moves = []
    for _ in range(n):
        problem = family.problem(rng)
        chain = family.chain(problem, rng)
        moves.append(chain.unsure if chain.ids[-1] == grammar.EOS else 1000)
    for cap in (1, 3, 5, 8, 10, 15, 20, 30, 60, 100):
        expected = family.found(cap)
        measured = sum(m <= cap for m in moves) / n
        assert abs(measured - expected) <= 4.5 * (expected * (1 - expected) / n) ** 0.5 + 1e-9


def test_bridge_at_once_is_the_papers_formula() -> None:
    for d in (1, 2, 3, 4):
        assert Bridge(d).found(3 * d) == pytest.approx(Bridge(d).at_once())
    assert Bridge(5).at_once() == pytest.approx(1 / 768)


def test_deep_is_binomial() -> None:
    assert Deep(3).found(2) == 0.0
    assert Deep(3).found(3) == 1 / 8
    assert Deep(3).found(6) == 4 / 8
    assert Deep(3).found(12) == 1.0


@pytest.mark.parametrize("format", ["path", "shortest"])
@given(seed=seeds)
def test_formats_without_dead_ends_never_climb(format: str, seed: int) -> None:
    family = Bridge(3, format="shortest" if format == "shortest" else "path")
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    verdict = family.check(problem, chain.ids)
    assert verdict.found
    assert verdict.backtracks == 0
    assert verdict.moves == 9 if format == "shortest" else verdict.moves in {9, 11, 13, 15}


def test_a_problem_reads_back_from_its_text() -> None:
    problem = Deep(2).problem(Random(1))
    assert problem.text.startswith("<s> ; n")
    assert problem.text.split()[-3:-1] == ["dfs", ":"]
    assert grammar.encode(problem.text) == problem.prompt


def test_a_strange_symbol_is_named() -> None:
    with pytest.raises(InputError, match="'n99'"):
        grammar.encode("n1 n99")


def test_the_vocabulary_is_128_different_symbols() -> None:
    assert len(set(grammar.VOCABULARY)) == len(grammar.VOCABULARY) == 128


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="d is 0"):
        Deep(0)
