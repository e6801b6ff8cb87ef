"""Several edges in one token."""

from __future__ import annotations

from random import Random

from workspan_evidence.families.leaps import Leaps


def test_every_token_of_a_leap_is_some_edges_on() -> None:
    family = Leaps(2, 3)
    problem = family.problem(Random(0))
    way = [problem.source]
    while below := problem.rows[way[-1]]:
        way += below
    chain = family.chain(problem, Random(0))
    assert chain.ids == (way[2], way[4], way[6])
    assert chain.ids[-1] == problem.answer
    assert family.check(problem, chain.ids).found
    assert not family.check(problem, chain.ids[:2]).found
    assert not family.check(problem, (way[2], way[4], problem.decoy)).correct
