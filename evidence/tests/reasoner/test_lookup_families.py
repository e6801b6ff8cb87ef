from __future__ import annotations

from itertools import pairwise
from math import ceil
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan_evidence import grammar
from workspan_evidence.families import lookups
from workspan_evidence.families.lookups import Lookup, LookupInstance

families = st.builds(Lookup, h=st.integers(1, 4), f=st.integers(1, 4), k=st.integers(1, 3))
seeds = st.integers(0, 2**32)


def _drawn(family: Lookup, seed: int) -> tuple[LookupInstance, tuple[int, ...]]:
    rng = Random(seed)
    problem = family.problem(rng)
    return problem, family.chain(problem, rng).ids


@given(family=families, seed=seeds)
def test_a_generated_chain_passes_its_own_check(family: Lookup, seed: int) -> None:
    problem, ids = _drawn(family, seed)
    verdict = family.check(problem, ids)
    assert verdict.legal
    assert verdict.found
    assert verdict.rounds == family.rounds == family.h * ceil(family.f / family.k)
    assert verdict.queries == verdict.different == family.h * family.f
    assert verdict.moves == verdict.queries + 2 * verdict.rounds + family.f


@given(family=families, seed=seeds)
def test_only_what_the_chain_writes_itself_is_learnt(family: Lookup, seed: int) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    learnt = [
        options == (symbol,) for symbol, options in zip(chain.ids, chain.choices, strict=True)
    ]
    verdict = family.check(problem, chain.ids)
    assert sum(learnt) == verdict.moves + 3
    assert all(
        options == () or is_own for options, is_own in zip(chain.choices, learnt, strict=True)
    )


@given(family=families, seed=seeds)
def test_a_chain_run_against_its_corpus_gets_what_it_was_trained_on(
    family: Lookup, seed: int
) -> None:
    problem, ids = _drawn(family, seed)
    written: tuple[int, ...] = ()
    while written != ids:
        written += (ids[len(written)],)
        if written[-1] == lookups.SEARCHED:
            written += problem.inform(written)
        assert written == ids[: len(written)]


@given(family=families, seed=seeds, data=st.data())
def test_a_strange_symbol_among_the_rounds_is_not_legal(
    family: Lookup, seed: int, data: st.DataObject
) -> None:
    problem, ids = _drawn(family, seed)
    at = data.draw(st.integers(0, len(ids) - 4))
    verdict = family.check(problem, (*ids[:at], grammar.BACK, *ids[at + 1 :]))
    assert not verdict.legal
    assert not verdict.found


def test_what_was_not_read_of_or_is_too_much_may_not_be_asked() -> None:
    family = Lookup(2, 2, 1)
    problem, ids = _drawn(family, 1)
    hidden = problem.facts[problem.keys[1]]
    assert family.check(problem, ids[:3]).legal
    for keys in ((hidden,), problem.keys):
        block = (lookups.SEARCH, *keys, lookups.SEARCHED)
        assert not family.check(problem, (*block, *problem.inform(block))).legal


def test_an_answer_without_the_last_bit_is_no_proof() -> None:
    family = Lookup(2, 3, 3)
    problem, ids = _drawn(family, 1)
    early = family.check(problem, (*ids[:10], grammar.ANSWER, problem.answer, grammar.EOS))
    assert early.correct
    assert early.legal
    assert not early.found


def test_a_key_that_is_not_in_the_corpus_is_unknown() -> None:
    problem, _ = _drawn(Lookup(1), 1)
    given = problem.inform((lookups.SEARCH, 3, lookups.SEARCHED))
    assert grammar.decode(given) == "<information> n3 <unk> </information>"


@given(family=families, seed=seeds)
def test_the_prompt_holds_keys_but_no_facts(family: Lookup, seed: int) -> None:
    problem, _ = _drawn(family, seed)
    named = {symbol for symbol in problem.prompt if symbol < grammar.N_LABELS}
    assert named == {*problem.keys, family.k}
    assert not any(pair in problem.facts.items() for pair in pairwise(problem.prompt))


def test_all_bits_but_one_tell_nothing() -> None:
    rng, n, agree = Random(5), 2000, 0
    for _ in range(n):
        problem = Lookup(1, 3).problem(rng)
        first_two = sum(problem.facts[key] == grammar.BITS[1] for key in problem.keys[:2]) % 2
        agree += grammar.BITS[first_two] == problem.answer
    assert abs(agree / n - 0.5) < 4.5 * 0.5 / n**0.5


def test_rounds_on_a_pure_chain_do_not_fall_with_k() -> None:
    assert [Lookup(4, 1, k).rounds for k in (1, 2, 3)] == [4, 4, 4]
    assert [Lookup(2, 4, k).rounds for k in (1, 2, 3, 4)] == [8, 4, 4, 2]
    assert (Lookup(2, 4, 2).found(3), Lookup(2, 4, 2).found(4)) == (0.0, 1.0)


def test_a_size_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="k is 0"):
        Lookup(1, 1, 0)
