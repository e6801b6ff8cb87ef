"""A reader that sees k edges far after k rounds: what it can answer at k shows what leaks by there.

A message-passing network over the prompt's graph, edges in both directions. Its nodes begin with
what the prompt shows of each (place of its row and in its parents' rows, label, number of children,
candidate and which, source), and with the places and labels of source and candidates; every round
is the same cell, and after each one a head names a candidate from the two candidates' own states.
Where the source is can have no part in an answer before there are as many rounds as edges to it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from statistics import fmean
from time import process_time

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from workspan_evidence.audit.leaks import distance, prompt_rows
from workspan_evidence.audit.planted import Drawn
from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.grammar import N_LABELS

_FEATURES = 14
_BY_PARENTS = 7
"""The feature that says where a node stands among its parents' children."""
_MESSAGES = 4
"""From below and from above, plain and by the place of the child in its parent's row."""
_SOLVED = 0.1
"""A size is solved where the last answer's loss, in nats, is below this in the mean of .."""
_WINDOW = 20
""".. so many steps."""


@dataclass(frozen=True, slots=True)
class Graphs:
    """Parsed prompts of one size."""

    features: Tensor
    """[problems, nodes, features]"""
    edges: Tensor
    """[problems, 4, to, from]"""
    candidates: Tensor
    """[problems, 2]: their nodes, in the order in which they are asked."""
    right: Tensor
    """[problems]: which of the two is right."""


def parse(problems: Sequence[GraphInstance]) -> Graphs:
    """Read prompts; nothing but `right` is taken from elsewhere."""
    n = len(problems[0].rows)
    features = np.zeros((len(problems), n, _FEATURES), np.float32)
    edges = np.zeros((len(problems), _MESSAGES, n, n), np.float32)
    candidates = np.zeros((len(problems), 2), np.int64)
    for i, problem in enumerate(problems):
        rows = prompt_rows(problem.prompt)
        *_, a, b, _, _, source = problem.prompt
        at = {node: place for place, node in enumerate(rows)}
        candidates[i] = at[a], at[b]
        shown = [x for node in (source, a, b) for x in (_spread(at[node], n), _label(node))]
        for place, (u, below) in enumerate(rows.items()):
            marks = (u == source, u == a, u == b, u in (a, b))
            features[i, place] = (_spread(place, n), _label(u), *marks, len(below) / 2, 0, *shown)
        for u, below in rows.items():
            for place, v in enumerate(below):
                weight = _spread(place, len(below))
                features[i, at[v], _BY_PARENTS] += weight
                edges[i, :2, at[u], at[v]] = 1, weight
                edges[i, 2:, at[v], at[u]] = 1, weight
    right = [problem.candidates.index(problem.answer) for problem in problems]
    return Graphs(
        torch.from_numpy(features),
        torch.from_numpy(edges),
        torch.from_numpy(candidates),
        torch.tensor(right),
    )


def _spread(place: int, n: int) -> float:
    """Return a place among n as a number of mean 0 and about unit variance."""
    return 3.5 * (place / (n - 1) - 0.5) if n > 1 else 0.0


def _label(node: int) -> float:
    return _spread(node, N_LABELS)


class Reader(nn.Module):
    """Names a candidate after 0, 1, .. rounds."""

    def __init__(self, d: int = 32) -> None:
        super().__init__()
        self.begin = nn.Linear(_FEATURES, d)
        self.hear = nn.Linear((1 + _MESSAGES) * d, 2 * d)
        self.keep = nn.Linear(2 * d, d)
        self.head = nn.Sequential(nn.Linear(d, d), nn.ReLU(), nn.Linear(d, 1))

    def forward(self, graphs: Graphs, rounds: int) -> Tensor:
        """Return logits of the two candidates: [rounds + 1, problems, 2]."""
        x = self._normed(self.begin(graphs.features))
        said = [self._say(x, graphs.candidates)]
        for _ in range(rounds):
            heard = (graphs.edges @ x[:, None]).transpose(1, 2).flatten(2)
            change = self.keep(functional.relu(self.hear(torch.cat((x, heard), -1))))
            x = self._normed(x + change)
            said.append(self._say(x, graphs.candidates))
        return torch.stack(said)

    def _say(self, x: Tensor, candidates: Tensor) -> Tensor:
        chosen = x.gather(1, candidates[:, :, None].expand(-1, -1, x.shape[-1]))
        return self.head(chosen)[..., 0]

    @staticmethod
    def _normed(x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:])


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader says of fresh problems of one size."""

    distance: int
    """Edges from the source to the answer."""
    right: tuple[int, ...]
    """Right answers after 0, 1, .., `distance` rounds."""
    problems: int
    cpu_seconds: float
    """Of training at this size, and reading."""

    @property
    def share(self) -> tuple[float, ...]:
        """The shares of right answers, 1/2 is chance."""
        return tuple(right / self.problems for right in self.right)


@dataclass(frozen=True, slots=True)
class Schedule:
    """How long a reader is trained at each size."""

    steps: int = 400
    tries: int = 4
    """How often all steps are gone through, at most, where a size is not solved."""
    batch: int = 64
    rate: float = 3e-3
    problems: int = 4000
    """Fresh ones to read at each size."""
    seed: int = 0


def train_reader(sizes: Sequence[Drawn], schedule: Schedule) -> list[Read]:
    """Train one reader from the smallest size to the largest, and read each size on fresh problems.

    It learns to answer after every round, as well as can be done after each; what it has learnt at
    a size it keeps for the next.
    """
    torch.manual_seed(schedule.seed)
    reader = Reader()
    reads = []
    for size in sizes:
        began = process_time()
        rng = Random(f"leaks:{size}:{schedule.seed}")
        rounds = distance(size.problem(rng))
        for _ in range(schedule.tries):
            if _train(reader, size, rounds, schedule, rng) < _SOLVED:
                break
        right = _right(reader, size, rounds, schedule)
        reads.append(Read(rounds, right, schedule.problems, round(process_time() - began, 1)))
    return reads


def _train(reader: Reader, size: Drawn, rounds: int, schedule: Schedule, rng: Random) -> float:
    """Train for a schedule's steps; return the loss of the last answers of the last steps."""
    adam = torch.optim.AdamW(reader.parameters(), schedule.rate, weight_decay=0.0)
    last = []
    for step in range(schedule.steps):
        for group in adam.param_groups:
            group["lr"] = schedule.rate * min(1.0, 2 - 2 * step / schedule.steps)
        graphs = parse([size.problem(rng) for _ in range(schedule.batch)])
        logits = reader(graphs, rounds)
        losses = torch.stack([functional.cross_entropy(x, graphs.right) for x in logits])
        adam.zero_grad()
        (losses[:-1].mean() + losses[-1]).backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
        adam.step()
        last.append(losses[-1].item())
    return fmean(last[-_WINDOW:])


@torch.no_grad()
def _right(reader: Reader, size: Drawn, rounds: int, schedule: Schedule) -> tuple[int, ...]:
    rng = Random(f"leaks:{size}:{schedule.seed}:held out")
    right = torch.zeros(rounds + 1, dtype=torch.long)
    left = schedule.problems
    while left:
        graphs = parse([size.problem(rng) for _ in range(min(left, 200))])
        right += (reader(graphs, rounds).argmax(-1) == graphs.right).sum(1)
        left -= len(graphs.right)
    return tuple(right.tolist())
