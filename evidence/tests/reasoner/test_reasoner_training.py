"""The recipe trains: it learns from scratch, and goes on where it was stopped."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import fmean
from typing import Any

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)

from workspan_evidence.families.connectivity import Deep  # noqa: E402
from workspan_evidence.families.connectivity import Path as Line  # noqa: E402
from workspan_evidence.reasoner import evaluation  # noqa: E402
from workspan_evidence.reasoner.model import Model  # noqa: E402
from workspan_evidence.train.loop import Point, Run, train  # noqa: E402
from workspan_evidence.train.network import Network  # noqa: E402
from workspan_evidence.train.recipe import MINIATURE, WINDOW, Recipe, Share  # noqa: E402
from workspan_evidence.train.weights import save_curve, save_weights  # noqa: E402

TINY = Recipe(
    "tiny",
    (Share(1.0, [Line(1), Line(2)]),),
    steps=6,
    d=32,
    layers=1,
    heads=2,
    ff=32,
    tokens=300,
    batches=2,
)


class _Stopped(Exception):
    pass


def _same(a: Run, b: Run) -> bool:
    pairs = zip(a.network.parameters(), b.network.parameters(), strict=True)
    return all(torch.equal(one, other) for one, other in pairs)


def test_a_run_that_was_stopped_ends_with_the_weights_of_one_that_was_not(tmp_path: Path) -> None:
    def stop(point: Point) -> None:
        if point.step == 4:
            raise _Stopped

    whole = train(TINY, bf16=False)
    checkpoint = tmp_path / "tiny.checkpoint.safetensors"
    with pytest.raises(_Stopped):
        train(TINY, checkpoint, every=2, watch=stop, bf16=False)
    resumed = train(TINY, checkpoint, every=2, bf16=False)
    assert [point.step for point in resumed.curve] == [2, 4, 6]
    assert _same(whole, resumed)


def test_another_seed_gives_other_weights() -> None:
    once, again = train(TINY, bf16=False), train(TINY, bf16=False)
    other = train(replace(TINY, seed=1), bf16=False)
    assert _same(once, again)
    assert not _same(once, other)


def test_sizes_enter_one_after_the_other() -> None:
    shares = (Share(1.0, [Line(1)]), Share(1.0, [Deep(d) for d in (1, 2, 3)], begins=0.2))
    recipe = replace(TINY, shares=shares, opening=(Line(2),))
    rng = Random(0)
    progress = (None, 0.0, 0.2, 0.36, 0.9)
    drawn = {p: {recipe.draw(p, rng) for _ in range(60)} for p in progress}
    assert drawn == {
        None: {Line(2)},
        0.0: {Line(1)},
        0.2: {Line(1), Deep(1)},
        0.36: {Line(1), Deep(1), Deep(2)},
        0.9: {Line(1), Deep(1), Deep(2), Deep(3)},
    }


def test_the_steps_count_from_when_the_opening_is_learnt(tmp_path: Path) -> None:
    recipe = replace(TINY, opening=(Line(1),), opened=9.0)  # any loss will do

    def stop(point: Point) -> None:
        if point.step == WINDOW + 1:
            raise _Stopped

    run = train(recipe, bf16=False)
    assert (run.opened, run.step) == (WINDOW, WINDOW + recipe.steps)
    checkpoint = tmp_path / "tiny.checkpoint.safetensors"
    with pytest.raises(_Stopped):
        train(recipe, checkpoint, every=WINDOW + 1, watch=stop, bf16=False)
    assert _same(run, train(recipe, checkpoint, bf16=False))


def test_the_rate_warms_up_holds_and_falls_to_nothing() -> None:
    recipe = replace(TINY, warm_up=10, hold=0.5)
    assert [recipe.rate(step, None) for step in (0, 4, 9, 400)] == [0.1, 0.5, 1.0, 1.0]
    rates = [recipe.rate(400, progress) for progress in (0.0, 0.5, 0.75, 0.99)]
    assert rates == pytest.approx([1.0, 1.0, 0.5, 0.02])


def test_layers_on_top_of_frozen_ones_add_nothing_at_first_and_are_all_that_learns(
    tmp_path: Path,
) -> None:
    start = tmp_path / "tiny.safetensors"
    below = train(TINY, bf16=False)
    save_weights(below, start)
    tall = replace(TINY, layers=2, frozen=1)
    tokens = torch.tensor([Line(2).problem(Random(0)).prompt])
    n = tokens.shape[1]
    positions = torch.arange(n)[None]
    mask = torch.full((n, n), -30000.0).triu(1)[None, None]

    def say(run: Run) -> Any:
        return run.network(tokens, positions, mask, positions == n - 1)

    at_first = train(replace(tall, steps=0), start=start, bf16=False)
    assert torch.allclose(say(at_first), say(below), atol=0.02)  # the file is in float16
    trained = train(tall, start=start, bf16=False)
    moved = {
        name
        for name, parameter in trained.network.named_parameters()
        if not torch.equal(parameter, at_first.network.state_dict()[name])
    }
    assert moved
    assert not any(name.startswith(("embed", "layers.0")) for name in moved)
    assert {"head.weight", "layers.1.wo.weight"} <= moved


def test_what_training_says_its_weights_say_in_numpy(tmp_path: Path) -> None:
    run = train(TINY, bf16=False)
    path = tmp_path / "tiny.safetensors"
    save_weights(run, path)
    save_curve(run, tmp_path / "curve.json")
    model = Model.load(path)
    tokens = list(Line(2).problem(Random(0)).prompt)
    n = len(tokens)
    positions = torch.arange(n)[None]
    mask = torch.full((n, n), -30000.0).triu(1)[None, None]
    last = positions == n - 1
    expected = run.network(torch.tensor([tokens]), positions, mask, last)[0].detach().numpy()
    assert abs(model.read(tokens).logits[0] - expected).max() < 0.02  # the file is in float16
    assert json.loads((tmp_path / "curve.json").read_text())["recipe"] == "tiny"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_miniature_trained_from_scratch_follows_edges(tmp_path: Path) -> None:
    run = train(MINIATURE)
    path = tmp_path / "miniature.safetensors"
    save_weights(run, path)
    judged = evaluation.judge(
        Model.load(path), Line(2), problems=100, chains=1, limit=8, min_p=0.05
    )
    assert fmean(one.found(2) for one in judged) > 0.8  # an edge guessed is right in 1 of 6
    untrained = Model.load(_untrained(tmp_path))
    control = evaluation.judge(untrained, Line(2), problems=100, chains=1, limit=8, min_p=0.05)
    assert fmean(one.found(2) for one in control) < 0.1


def _untrained(folder: Path) -> Path:
    path = folder / "untrained.safetensors"
    save_weights(Run(MINIATURE, Network(MINIATURE)), path)
    return path
