"""The checks for leaks find what is planted, and nothing in the families."""

from __future__ import annotations

from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan_evidence.audit.cues import CUES, says
from workspan_evidence.audit.leaks import (
    crossed,
    distance,
    distances,
    exact_leaks,
    parents,
    prompt_rows,
    source_tells,
    told_apart,
)
from workspan_evidence.audit.planted import Bare, Drawn, Labelled, Ordered
from workspan_evidence.families.connectivity import Bridge, Deep, Path
from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.families.heavy import Heavy

SIZES: list[Drawn] = [
    *(Path(1), Path(9), Deep(1), Deep(6), Heavy(1, 1), Heavy(1, 4), Heavy(2, 2)),
    *(Bridge(1), Bridge(3), Bridge(2, short=2, long=4, dead=1)),
]
sizes = st.sampled_from(SIZES)
seeds = st.integers(0, 2**32)


@given(size=sizes, seed=seeds)
def test_nothing_nearer_than_the_source_tells_the_candidates_apart(size: Drawn, seed: int) -> None:
    problem = size.problem(Random(seed))
    assert exact_leaks(problem) == []
    assert told_apart(problem, source_marked=False) is None
    assert told_apart(problem, source_marked=True) == distance(problem)
    assert source_tells(problem) == distance(problem)


@given(size=sizes, seed=seeds, data=st.data())
def test_a_crossed_problem_has_the_other_answer_and_the_same_prompt_but_for_one_layer(
    size: Drawn, seed: int, data: st.DataObject
) -> None:
    problem = size.problem(Random(seed))
    depth = data.draw(st.integers(0, distance(problem) - 1))
    other = crossed(problem, depth)
    assert other is not None
    reached = distances(other.rows, other.source)
    assert problem.decoy in reached
    assert problem.answer not in reached
    rows, others = prompt_rows(problem.prompt), prompt_rows(other.prompt)
    assert others == {u: other.rows[u] for u in rows}
    assert list(others) == list(rows)
    changed = {u for u in rows if rows[u] != others[u]}
    away = distances(problem.rows, problem.source)
    assert {away[u] for u in changed if u in away} <= {depth, depth + 1}
    assert crossed(other, depth) == problem
    assert exact_leaks(other) == []


@pytest.mark.parametrize(
    ("size", "rounds"),
    [
        (Bare(Deep(4)), 1),  # the target's parent has two children, the decoy's one
        (Bare(Heavy(2, 2)), 3),  # h edges up to the fruitful root, and one to its fork
        (Bare(Bridge(2)), 0),  # an exit has two edges, the end of a chain one
    ],
    ids=str,
)
def test_a_decoy_on_a_bare_chain_is_found(size: Bare, rounds: int) -> None:
    problem = size.problem(Random(5))
    assert told_apart(problem, source_marked=False) == rounds
    assert len(exact_leaks(problem)) == 3  # both colours of the candidates, and no crossing
    assert crossed(problem, 0) is None
    whole = size.family.problem(Random(5))
    assert (problem.answer, problem.decoy) == (whole.answer, whole.decoy)
    assert distance(problem) == distance(whole)


def test_a_decoy_as_near_to_the_source_as_the_answer_is_no_copy() -> None:
    problem = Path(2).problem(Random(0))
    near = replace(problem, decoy=problem.rows[problem.source][0])
    assert told_apart(near, source_marked=False) == 0


def _off(size: Drawn, cue: str, n: int) -> float:
    """Return how many standard errors the cue's share of right answers is from 1/2."""
    rng = Random(f"test:{size}:{cue}")
    said = [says(CUES[cue], size.problem(rng)) for _ in range(n)]
    heard = n - said.count(None)
    return (said.count(True) - heard / 2) / (heard / 4) ** 0.5 if heard else 0.0


@pytest.mark.parametrize("size", [Path(4), Deep(3), Heavy(1, 2), Bridge(1)], ids=str)
@pytest.mark.parametrize("cue", CUES)
def test_no_cue_tells_the_candidates_apart(size: Drawn, cue: str) -> None:
    assert abs(_off(size, cue, 500)) < 4.5


@pytest.mark.parametrize(
    ("planted", "cue"),
    [(Ordered(Path(4)), "asked first"), (Labelled(Path(4)), "smaller label")],
    ids=str,
)
def test_a_faint_cue_is_found(planted: Drawn, cue: str) -> None:
    assert _off(planted, cue, 4000) > 4.5  # 0.57 is 8.9 standard errors off


def test_cues_read_the_prompt() -> None:
    # 1 -> 2 -> 3 and 4 -> 6 -> 5, rows in the order 6, 2, 5, 3, 1, 4
    problem = Path(2).problem(Random(0))
    rows = {1: (2,), 2: (3,), 3: (), 4: (6,), 6: (5,), 5: ()}
    facts = [symbol for u in (6, 2, 5, 3, 1, 4) for symbol in (_ROW, u, *rows[u])]
    prompt = (problem.prompt[0], *facts, _QUERY, 5, 3, *problem.prompt[-3:-1], 1)
    read = GraphInstance(prompt, 3, (5, 3), rows, 1, 5, "dfs")
    assert parents(prompt_rows(prompt))[5] == [6]
    assert {name: says(cue, read) for name, cue in CUES.items()} == {
        "asked first": False,
        "row first": False,  # 3 against 2
        "row nearer to the source's": True,  # |3 - 4| against |2 - 4|
        "smaller label": True,
        "label nearer to the source's": True,
        "row nearer to its parent's": None,  # |3 - 1| against |2 - 0|
        "label nearer to its parent's": None,  # |3 - 2| against |5 - 6|
        "parent's row first": False,
        "earlier among its parent's children": None,
        "fewer children": None,
        "fewer children of its parent": None,
    }


_ROW = Path(1).problem(Random(0)).prompt[1]
_QUERY = Path(1).problem(Random(0)).prompt[-6]
