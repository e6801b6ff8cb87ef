from __future__ import annotations

from collections import Counter
from itertools import product
from random import Random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan_evidence import grammar
from workspan_evidence.families.planning import (
    BAD,
    OK,
    Plan,
    PlanInstance,
    Timetable,
    passing,
    propose,
    read_plan,
    written,
)

ROLES: list[Literal["plan", "revise", "recombine"]] = ["plan", "revise", "recombine"]
FAMILIES = [
    Timetable(n, clashes, role=role) for n, clashes in ((3, 2), (6, 9), (8, 16)) for role in ROLES
]
families = st.sampled_from(FAMILIES)
seeds = st.integers(0, 2**32)


def _passes(problem: PlanInstance, plan: Plan) -> bool:
    slot = dict(zip(problem.items, plan, strict=True))
    rows = grammar.decode(problem.prompt).split(" ? ")[0].split(" ; ")[1:]
    names = [[int(name[1:]) for name in row.split()] for row in rows]
    return all(slot[u] != slot[v] for u, *others in names for v in others)


@given(family=families, seed=seeds)
def test_a_generated_chain_is_a_whole_plan_that_knows_whether_it_passes(
    family: Timetable, seed: int
) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    verdict = family.check(problem, chain.ids)
    plan = read_plan(problem, chain.ids)
    assert plan is not None
    assert verdict.legal
    assert verdict.correct == verdict.found == _passes(problem, plan)
    assert verdict.answer == (OK if verdict.correct else BAD)
    assert all(a in options for a, options in zip(chain.ids, chain.choices, strict=True))


@given(family=families, seed=seeds, data=st.data())
def test_a_chain_with_a_strange_or_missing_symbol_is_no_plan(
    family: Timetable, seed: int, data: st.DataObject
) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    ids = family.chain(problem, rng).ids
    at = data.draw(st.integers(0, ids.index(grammar.ANSWER) - 1))
    strange = (*ids[:at], grammar.BACK, *ids[at + 1 :])
    missing = (*ids[:at], *ids[at + 1 :])
    for wrong in (strange, missing, ids[:at], ()):
        verdict = family.check(problem, wrong)
        assert not verdict.legal
        assert not verdict.correct


@given(seed=seeds)
def test_a_failing_plan_is_not_found_whatever_it_says(seed: int) -> None:
    family, rng = Timetable(5, 6), Random(seed)
    problem = family.problem(rng)
    plan = (problem.slots[0],) * 5
    verdict = family.check(problem, (*written(problem, plan), grammar.ANSWER, OK, grammar.EOS))
    assert verdict.legal
    assert not verdict.correct


@given(seed=seeds, size=st.sampled_from([(3, 3), (5, 8), (8, 21)]))
def test_every_problem_has_a_plan(seed: int, size: tuple[int, int]) -> None:
    problem = Timetable(*size).problem(Random(seed))
    assert any(_passes(problem, plan) for plan in product(problem.slots, repeat=size[0]))


@given(seed=seeds)
def test_a_revision_moves_the_first_item_that_the_checker_names_and_nothing_else(
    seed: int,
) -> None:
    rng = Random(seed)
    family = Timetable(8, 14, role="revise")
    problem = family.problem(rng)
    (old,) = problem.parents
    assert problem.blamed is not None
    assert not {problem.blamed, problem.blamed[::-1]}.isdisjoint(problem.violated(old))
    new = read_plan(problem, family.chain(problem, rng).ids)
    assert new is not None
    assert [i for i in range(8) if new[i] != old[i]] == [problem.blamed[0]]


@given(seed=seeds)
def test_a_child_has_each_slot_of_a_parent_unless_neither_fits(seed: int) -> None:
    rng = Random(seed)
    family = Timetable(8, 14, role="recombine")
    problem = family.problem(rng)
    child = read_plan(problem, family.chain(problem, rng).ids)
    assert child is not None
    for item, slot in enumerate(child):
        inherited = tuple(parent[item] for parent in problem.parents)
        before = dict(enumerate(child[:item]))
        if slot not in inherited and problem.free(item, before, problem.slots):
            assert not problem.free(item, before, inherited)


def test_prompts_show_what_is_to_be_mended_or_mixed() -> None:
    rng = Random(2)
    problem = Timetable(3, 2).problem(rng)
    plan, other = propose(problem, rng), propose(problem, rng)
    assert problem.text.split("? ")[1].count(",") == 1
    mended = problem.revising(plan, (2, 0)).text
    names = grammar.decode((BAD, problem.items[2], problem.items[0]))
    shown = [
        grammar.decode(symbol for pair in zip(each, problem.items, strict=True) for symbol in pair)
        for each in (plan, other)
    ]
    assert f", {shown[0]} , {names} steps :" in mended
    mixed = problem.recombining(plan, other)
    assert f", {shown[0]} , {shown[1]} steps :" in mixed.text
    assert mixed.proposing() == problem


def test_first_plans_pass_as_often_as_the_tree_of_choices_says() -> None:
    rng, n = Random(4), 1500
    for _ in range(3):
        problem = Timetable(7, 12).problem(rng)
        expected = passing(problem)
        measured = sum(_passes(problem, propose(problem, rng)) for _ in range(n)) / n
        assert abs(measured - expected) <= 4.5 * (expected * (1 - expected) / n) ** 0.5 + 1e-9


def test_neither_labels_nor_order_tell_a_hidden_plan() -> None:
    rng, n, together, smaller = Random(6), 3000, 0, 0
    for _ in range(n):
        problem = Timetable(3, 2, slots=2).problem(rng)
        alone = Counter(place for pair in problem.clashes for place in pair).most_common(1)[0][0]
        together += alone == 2
        smaller += problem.items[alone] == min(problem.items)
    for count in (together, smaller):
        assert abs(count / n - 1 / 3) < 4.5 * (2 / 9 / n) ** 0.5


def test_more_clashes_than_a_plan_can_satisfy_are_refused() -> None:
    with pytest.raises(ValueError, match="satisfy 5 at most"):
        Timetable(4, 6)
