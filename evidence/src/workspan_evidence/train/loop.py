"""The training loop: seeded, resumable, with its learning curve."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random
from statistics import fmean
from time import process_time

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor

from workspan_evidence.train.batch import draw_batch
from workspan_evidence.train.muon import Muon
from workspan_evidence.train.network import Network
from workspan_evidence.train.recipe import WINDOW, Recipe

CLIP = 1.0
"""Largest norm of AdamW's gradients; Muon's are normalised anyway."""


@dataclass(frozen=True, slots=True)
class Point:
    """One point of a learning curve: the means since the point before."""

    step: int
    cpu_seconds: float
    """Of this process, since the run began (earlier processes included)."""
    loss: float
    """Nats above the entropy of the strategy itself, per learnt token; 0 is perfect."""
    families: dict[str, float]
    """The same for each family and size."""


@dataclass(slots=True)
class Run:
    """A training run in progress."""

    recipe: Recipe
    network: Network
    step: int = 0
    cpu_seconds: float = 0.0
    curve: list[Point] = field(default_factory=list)
    opened: int | None = None
    """The step at which the opening was over."""
    window: list[float] = field(default_factory=list)
    """Losses of the opening's last steps."""

    @property
    def progress(self) -> float | None:
        """Where in the recipe's steps this is, from 0; None in the opening."""
        return None if self.opened is None else (self.step - self.opened) / self.recipe.steps

    @property
    def is_over(self) -> bool:
        """Whether all steps are done."""
        return self.opened is not None and self.step >= self.opened + self.recipe.steps

    def look(self, loss: float) -> None:
        """Take a step's loss; open where that of the last ones is low enough."""
        if self.opened is None:
            self.window = [*self.window, loss][-WINDOW:]
            if len(self.window) == WINDOW and fmean(self.window) < self.recipe.opened:
                self.opened = self.step


_STATE = {"step", "cpu_seconds", "opened", "window"}


@dataclass(frozen=True, slots=True)
class Optimisers:
    """Muon for the hidden matrices, AdamW for the rest."""

    muon: Muon
    adam: torch.optim.AdamW

    def apply(self, factor: float, recipe: Recipe) -> None:
        """Take a step at `factor` times the rates, and forget the gradients."""
        for group in self.adam.param_groups:
            group["lr"] = recipe.adam_rate * factor
        torch.nn.utils.clip_grad_norm_(self.adam.param_groups[0]["params"], CLIP)
        self.muon.step(factor)
        self.adam.step()
        self.adam.zero_grad()
        for parameter in self.muon.parameters:
            parameter.grad = None


def train(
    recipe: Recipe,
    checkpoint: Path | None = None,
    *,
    every: int = 50,
    watch: Callable[[Point], None] = lambda _: None,
    start: Path | None = None,
    bf16: bool = True,
) -> Run:
    """Train a recipe to its end.

    Args:
        recipe: what to train.
        checkpoint: a file to keep the state in, and to go on from where it exists.
        every: steps between points of the curve and checkpoints.
        watch: is told each point.
        start: weights to begin with, of the recipe's sizes but that layers may be missing; random
            ones where not given.
        bf16: multiply in bfloat16, several times faster where the processor has it.
    """
    torch.manual_seed(recipe.seed)
    run = Run(recipe, Network(recipe), opened=None if recipe.opening else 0)
    if start is not None:
        begin(run.network, load_file(start))
    optimisers = prepare(run)
    if checkpoint is not None and checkpoint.exists():
        _resume(run, optimisers, checkpoint)
    losses: dict[str, list[float]] = defaultdict(list)
    began = process_time() - run.cpu_seconds
    while not run.is_over:
        batches = list(_step(run, bf16=bf16))
        for name, loss in batches:
            losses[name].append(loss)
        optimisers.apply(recipe.rate(run.step, run.progress), recipe)
        run.step += 1
        run.look(fmean(loss for _, loss in batches))
        if run.step % every == 0 or run.is_over:
            run.cpu_seconds = process_time() - began
            run.curve.append(_point(run, losses))
            watch(run.curve[-1])
            losses.clear()
            if checkpoint is not None:
                _keep(run, optimisers, checkpoint)
    return run


def begin(network: Network, start: dict[str, Tensor]) -> None:
    """Take a start's weights; the layers that it lacks add nothing at first."""
    for name, parameter in network.named_parameters():
        if name not in start and name.endswith(("wo.weight", "w2.weight")):
            parameter.data.zero_()
    network.load_state_dict({**network.state_dict(), **start})


def _step(run: Run, *, bf16: bool) -> Iterator[tuple[str, float]]:
    """Add up the gradients of one step's batches; yield each one's family and loss."""
    recipe = run.recipe
    rng = Random(f"{recipe.name}:{recipe.seed}:{run.step}")
    for _ in range(recipe.batches):
        family = recipe.draw(run.progress, rng)
        batch = draw_batch(family, recipe, rng)
        with torch.autocast("cpu", torch.bfloat16, enabled=bf16):
            mask = batch.mask(torch.bfloat16 if bf16 else torch.float32)
            logits = run.network(batch.tokens, batch.positions, mask, batch.learnt)
        loss = _loss(logits.float(), batch.targets)
        (loss / recipe.batches).backward()  # type: ignore[no-untyped-call]
        yield str(family), loss.item()


def _loss(logits: Tensor, targets: Tensor) -> Tensor:
    """Return the mean divergence from the strategy's uniform choice among `targets`."""
    given = targets >= 0
    n = given.sum(1)
    chosen = torch.log_softmax(logits, -1).gather(1, targets.clamp(min=0))
    return (-(chosen * given).sum(1) / n - n.log()).mean()


def prepare(run: Run) -> Optimisers:
    """Return what changes the parameters that a recipe does not freeze."""
    if run.recipe.frozen:
        for part in (run.network.embed, *run.network.layers[: run.recipe.frozen]):
            part.requires_grad_(requires_grad=False)
    learnt = [(n, p) for n, p in run.network.named_parameters() if p.requires_grad]
    hidden = [p for n, p in learnt if p.dim() == 2 and "layers" in n]
    others = [p for n, p in learnt if p.dim() != 2 or "layers" not in n]
    adam = torch.optim.AdamW(others, run.recipe.adam_rate, betas=(0.9, 0.95), weight_decay=0.0)
    return Optimisers(Muon(hidden, run.recipe.muon_rate), adam)


def _point(run: Run, losses: dict[str, list[float]]) -> Point:
    every = [loss for values in losses.values() for loss in values]
    means = {name: round(sum(v) / len(v), 4) for name, v in sorted(losses.items())}
    return Point(run.step, round(run.cpu_seconds, 1), round(sum(every) / len(every), 4), means)


def _keep(run: Run, optimisers: Optimisers, path: Path) -> None:
    """Write everything that the next step needs, all at once or not at all."""
    tensors = {f"network.{name}": p.detach() for name, p in run.network.named_parameters()}
    tensors |= {f"muon.{i}": buffer for i, buffer in enumerate(optimisers.muon.buffers)}
    for i, moments in optimisers.adam.state_dict()["state"].items():
        tensors |= {f"adam.{i}.{name}": value for name, value in moments.items()}
    curve = [asdict(point) for point in run.curve]
    metadata = {name: json.dumps(getattr(run, name)) for name in _STATE}
    temporary = path.with_suffix(".part")
    save_file(tensors, temporary, metadata | {"curve": json.dumps(curve)})
    temporary.replace(path)


def _resume(run: Run, optimisers: Optimisers, path: Path) -> None:
    with safe_open(path, "pt") as file:
        metadata = file.metadata()
        tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    for name in _STATE & metadata.keys():
        setattr(run, name, json.loads(metadata[name]))
    run.curve = [Point(**point) for point in json.loads(metadata["curve"])]
    run.network.load_state_dict(
        {k.removeprefix("network."): v for k, v in tensors.items() if k.startswith("network.")}
    )
    optimisers.muon.buffers = [tensors[f"muon.{i}"] for i in range(len(optimisers.muon.buffers))]
    state: dict[int, dict[str, Tensor]] = defaultdict(dict)
    for name, value in tensors.items():
        kind, *where = name.split(".")
        if kind == "adam":
            state[int(where[0])][where[1]] = value
    optimisers.adam.load_state_dict({**optimisers.adam.state_dict(), "state": dict(state)})
