"""The trained reader sees as far as it has rounds, learns what is there to be seen, and no more."""

from __future__ import annotations

from random import Random

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from workspan_evidence.audit.leaks import crossed, distance, prompt_rows  # noqa: E402
from workspan_evidence.audit.planted import Bare, Drawn, Ordered  # noqa: E402
from workspan_evidence.families.connectivity import Bridge, Deep, Path  # noqa: E402
from workspan_evidence.families.heavy import Heavy  # noqa: E402
from workspan_evidence.train.message_passing import (  # noqa: E402
    Reader,
    Schedule,
    parse,
    train_reader,
)


@pytest.mark.parametrize("size", [Path(3), Deep(2), Heavy(2, 1), Bridge(1)], ids=str)
def test_a_change_at_the_source_is_seen_after_as_many_rounds_as_edges(size: Drawn) -> None:
    problem = size.problem(Random(2))
    other = crossed(problem, 0)
    assert other is not None
    graphs = parse([problem, other])
    assert graphs.right.tolist()[0] != graphs.right.tolist()[1]
    torch.manual_seed(0)
    said = Reader()(graphs, distance(problem))
    same = [torch.allclose(one[0], one[1], atol=1e-6) for one in said]
    assert same == [True] * distance(problem) + [False]


def test_the_prompt_is_read_whole() -> None:
    problem = Deep(1).problem(Random(4))
    graphs = parse([problem])
    rows = prompt_rows(problem.prompt)
    at = {node: place for place, node in enumerate(rows)}
    source, (first, second) = at[problem.source], rows[problem.source]
    assert graphs.edges[0, 0, source].nonzero().flatten().tolist() == sorted(
        (at[first], at[second])
    )
    assert graphs.edges[0, 2, at[first]].nonzero().flatten().tolist() == [source]
    weights = graphs.edges[0, 1, source, [at[first], at[second]]].tolist()
    assert weights[0] < 0 < weights[1]  # which child stands first
    marks = graphs.features[0, :, 2:6]
    assert marks[:, 0].nonzero().flatten().tolist() == [source]
    assert marks[:, 1].nonzero().flatten().tolist() == [at[problem.candidates[0]]]
    assert marks[:, 2].nonzero().flatten().tolist() == [at[problem.candidates[1]]]
    assert graphs.candidates[0].tolist() == [at[node] for node in problem.candidates]


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_reader_finds_what_is_planted_and_nothing_else() -> None:
    schedule = Schedule(steps=200, problems=2000)
    for read in train_reader([Path(1), Path(2)], schedule):
        assert read.share[-1] > 0.95
        assert all(abs(share - 0.5) < 0.05 for share in read.share[:-1])  # 4.5 standard errors
    (bare,) = train_reader([Bare(Deep(2))], schedule)
    assert bare.share[1] > 0.95  # the target's parent has two children, the decoy's one
    (ordered,) = train_reader([Ordered(Path(2), 0.6)], schedule)
    assert all(share > 0.55 for share in ordered.share[:2])
