from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan_evidence import grammar
from workspan_evidence.families.bits import Majority, Parity
from workspan_evidence.families.script import ScriptInstance
from workspan_evidence.families.serial import GENERATORS, Compose, Rule110, rule110

STEPWISE: list[Rule110 | Compose] = [Rule110(1), Rule110(5), Rule110(2, 5), Compose(1), Compose(9)]
DIRECT: list[Rule110 | Compose | Parity | Majority] = [
    Rule110(4, format="direct"),
    Compose(6, format="direct"),
    Parity(7),
    Majority(9),
]
families = st.sampled_from([*STEPWISE, *DIRECT])
seeds = st.integers(0, 2**32)


def _drawn(family: Rule110 | Compose, seed: int) -> tuple[ScriptInstance, tuple[int, ...]]:
    rng = Random(seed)
    problem = family.problem(rng)
    return problem, family.chain(problem, rng).ids


@given(family=families, seed=seeds)
def test_a_generated_chain_passes_its_own_check(family: Rule110, seed: int) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    verdict = family.check(problem, chain.ids)
    assert verdict.legal
    assert verdict.correct
    assert verdict.found == (problem.format == "steps")
    assert chain.choices == tuple((symbol,) for symbol in chain.ids)


@given(family=st.sampled_from(STEPWISE), seed=seeds, data=st.data())
def test_one_wrong_symbol_is_seen(family: Rule110, seed: int, data: st.DataObject) -> None:
    problem, ids = _drawn(family, seed)
    at = data.draw(st.integers(0, len(ids) - 4))
    other = data.draw(st.integers(0, len(grammar.VOCABULARY) - 1).filter(lambda s: s != ids[at]))
    verdict = family.check(problem, (*ids[:at], other, *ids[at + 1 :]))
    is_early_end = other == grammar.ANSWER and at >= problem.known  # what comes next may be right
    assert is_early_end or not verdict.found
    assert other == grammar.ANSWER or not verdict.legal


@given(family=st.sampled_from(STEPWISE), seed=seeds)
def test_the_answer_stands_in_the_chain_from_known_on_and_not_before(
    family: Rule110, seed: int
) -> None:
    problem, ids = _drawn(family, seed)
    ending = (grammar.ANSWER, problem.answer)
    assert ids[problem.known - 1] == problem.answer
    assert family.check(problem, (*ids[: problem.known], *ending)).found
    early = family.check(problem, (*ids[: problem.known - 1], *ending))
    assert early.correct
    assert not early.found


@given(family=st.sampled_from(STEPWISE))
def test_found_steps_from_0_to_1_where_the_answer_is_known(family: Rule110) -> None:
    problem, _ = _drawn(family, 5)
    assert (family.found(problem.known - 1), family.found(problem.known)) == (0.0, 1.0)


def test_rule_110_is_the_rule_of_that_number() -> None:
    for number in range(8):
        left, cell, right = ((number >> k) & 1 for k in (2, 1, 0))
        assert rule110((cell, right, left))[0] == (110 >> number) & 1


def test_a_small_prompt_reads_as_described() -> None:
    problem, ids = _drawn(Rule110(2, 3), 4)
    first = tuple(int(symbol) for symbol in problem.text.split()[-3:])
    rows = [*rule110(first)], [*rule110(rule110(first))]
    assert problem.text.startswith("<s> rule110 ? steps : n2 ")
    assert grammar.decode(ids) == " ".join(
        str(s) for s in ["n1", *rows[0], "n0", *rows[1], "=", rows[1][0], "</s>"]
    )


def test_four_letters_make_every_permutation_of_five() -> None:
    reached = {tuple(range(5))}
    frontier = set(reached)
    while frontier:
        after = {tuple(order[j] for j in letter) for order in frontier for letter in GENERATORS}
        frontier = after - reached
        reached |= after
    assert len(reached) == 120


@pytest.mark.parametrize("family", DIRECT, ids=str)
def test_every_answer_is_as_likely_as_the_next(family: Parity) -> None:
    rng, n = Random(3), 2000
    problems = [family.problem(rng) for _ in range(n)]
    share = 1 / len(problems[0].candidates)
    for candidate in problems[0].candidates:
        count = sum(problem.answer == candidate for problem in problems)
        assert abs(count / n - share) < 4.5 * (share * (1 - share) / n) ** 0.5


@pytest.mark.parametrize("family", [Rule110(6), Rule110(8)], ids=str)
def test_no_single_cell_tells_what_comes_late(family: Rule110) -> None:
    rng, n = Random(9), 1500
    problems = [family.problem(rng) for _ in range(n)]
    for place in range(-family.width, 0):
        agree = sum(problem.prompt[place] == problem.answer for problem in problems)
        assert abs(agree / n - 0.5) < 0.08, place


@pytest.mark.parametrize("place", range(5))
def test_no_place_of_the_first_order_tells_what_comes_late(place: int) -> None:
    family, rng, n = Compose(12), Random(9), 1500
    problems = [family.problem(rng) for _ in range(n)]
    agree = sum(problem.prompt[place - 5] == problem.answer for problem in problems)
    assert abs(agree / n - 0.2) < 4.5 * (0.2 * 0.8 / n) ** 0.5


def test_sizes_out_of_range_are_refused() -> None:
    with pytest.raises(ValueError, match="t is 0"):
        Compose(0)
    with pytest.raises(ValueError, match="even"):
        Majority(4)
