"""Two formats of one task, two strategies for it, and how a strategy is read off a chain."""

from __future__ import annotations

from random import Random
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan_evidence.families.formats import Asked, Exits, Taught, strategy
from workspan_evidence.grammar import ABSTAIN, ANSWER, EOS, QUERY, VOCABULARY, encode

families = st.builds(
    Exits, st.integers(1, 5), st.sampled_from(get_args(Asked)), st.sampled_from(get_args(Taught))
)
seeds = st.integers(0, 2**32)


@given(family=families, seed=seeds)
def test_a_chain_of_either_strategy_proves_its_answer(family: Exits, seed: int) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    verdict = family.check(problem, chain.ids)
    assert verdict.found
    assert verdict.correct
    assert verdict.legal
    assert verdict.moves == chain.unsure == len(chain.ids) - 3
    assert all(a in options for a, options in zip(chain.ids, chain.choices, strict=True))
    assert family.taught == "both" or strategy(chain.ids).is_breadth_first == (
        family.taught == "breadth"
    )


@given(family=families, seed=seeds, data=st.data())
def test_a_chain_that_is_cut_or_strays_proves_nothing(
    family: Exits, seed: int, data: st.DataObject
) -> None:
    rng = Random(seed)
    problem = family.problem(rng)
    chain = family.chain(problem, rng)
    at = data.draw(st.integers(0, chain.unsure - 1))
    cut = family.check(problem, (*chain.ids[:at], ANSWER, ABSTAIN, EOS))
    assert cut.legal
    assert not cut.found
    assert cut.answer is None
    strayed = (*chain.ids[:at], VOCABULARY.index("bad"), *chain.ids[at + 1 :])
    assert not family.check(problem, strayed).legal


@pytest.mark.parametrize(
    ("chain", "counts"),
    [
        ("n2 n3 = n3 </s>", (0, 0, 2)),
        ("n2 < n1 n4 n5 < n4 n6 = n6 </s>", (0, 2, 8)),
        (", n7 n8 x , n6 n4 n1 = n6 </s>", (2, 0, 8)),
        (", n7 n8 x , n6 n4", (2, 0, 7)),
        ("= ? </s>", (0, 0, 0)),
    ],
)
def test_a_strategy_is_counted_from_tokens_alone(chain: str, counts: tuple[int, int, int]) -> None:
    assert strategy(encode(chain)) == counts


@pytest.mark.parametrize("d", [2, 3, 4])
def test_every_chain_fits_into_24_tokens(d: int) -> None:
    rng = Random(d)
    family = Exits(d)
    drawn = [family.chain(family.problem(rng), rng) for _ in range(500)]
    assert max(chain.unsure for chain in drawn) <= 24


def test_formats_share_their_facts_and_differ_in_the_question_alone() -> None:
    choice, free, useless = (Exits(3, a).problem(Random(5)) for a in get_args(Asked))
    asked = [p.prompt[p.prompt.index(QUERY) :] for p in (choice, free, useless)]
    assert {p.prompt[: p.prompt.index(QUERY)] for p in (choice, free, useless)} == {
        choice.prompt[: choice.prompt.index(QUERY)]
    }
    assert set(choice.shown) == set(choice.candidates)
    assert free.shown == ()
    assert len(asked[0]) == len(asked[2]) == len(asked[1]) + 3
    assert not set(useless.shown) & set(useless.prompt[: useless.prompt.index(QUERY)])


@pytest.mark.parametrize("asked", get_args(Asked))
def test_neither_order_nor_labels_tell_the_answer(asked: Asked) -> None:
    """A cue that told it would be right more often than 1/3: 4,000 problems, 5 deviations."""
    rng, n = Random(0), 4000
    family = Exits(2, asked)
    right = dict.fromkeys(("first asked", "first fact", "smallest", "first leaf", "near"), 0)
    for _ in range(n):
        problem = family.problem(rng)
        prompt, exits = problem.prompt, problem.candidates
        where = {exit: prompt.index(exit) for exit in exits}
        root = prompt.index(problem.source)
        rows = {exit: prompt.index(problem.parents[exit]) for exit in exits}
        cues = (
            (problem.shown or exits)[0],
            min(exits, key=lambda exit: where[exit]),
            min(exits),
            min(exits, key=lambda exit: rows[exit]),
            min(exits, key=lambda exit: abs(where[exit] - root)),
        )
        for name, cue in zip(right, cues, strict=True):
            right[name] += cue == problem.answer
    if asked == "useless":
        assert right.pop("first asked") == 0  # what it shows is never the answer
    for name, hits in right.items():
        assert abs(hits / n - 1 / 3) < 5 * (2 / 9 / n) ** 0.5, name


def test_copies_look_alike_from_every_exit() -> None:
    """Backward from an exit, each copy has the same number of children at every step."""
    problem = Exits(4).problem(Random(1))
    signatures = set()
    for node in problem.candidates:
        children = []
        while node in problem.parents:
            node = problem.parents[node]
            children.append(len(problem.rows[node]))
        signatures.add(tuple(children))
    assert signatures == {(2, 2, 2, 2)}
