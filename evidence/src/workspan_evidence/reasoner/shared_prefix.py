"""Chains of one context, decoded in lockstep.

Chains that have drawn the same tokens so far are one row of the batch: nothing is computed twice
until they part, so chains that can only go one way cost little more than one of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate, pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.model import Context, Floats, Ints, Model, Shape, exponentials
from workspan_evidence.reasoner.sampling import Sampling, logprobs, uniforms

_ROOM = 64
"""Steps that a prefix has room for at first; as many are added when they are used up."""

_AHEAD = 16
"""Steps that random numbers are made for at a time: as many cost little more than one."""


class SharedPrefix:
    """Chains at the same step after the same context, sampled the same way.

    Args:
        model: what decodes them.
        context: what they all follow.
        sampling: how their tokens are drawn.
        chains: none of which has drawn a token.
        tells: keep the log-probabilities of what is drawn.
    """

    def __init__(
        self,
        model: Model,
        context: Context,
        sampling: Sampling,
        chains: Sequence[Chain],
        *,
        tells: bool = False,
    ) -> None:
        self.model, self.context, self.sampling, self.tells = model, context, sampling, tells
        self.steps = 0
        """Tokens that each chain has drawn."""
        self.pending: Ints = np.empty(0, np.int64)
        """The token of each row that the model has not been run on."""
        self.logits = context.logits
        """What the model said last: [rows, vocabulary]."""
        self._rows: Ints = np.zeros(len(chains), np.int64)  # of `logits`, or of `pending`
        self._numbers: NDArray[np.float64] = np.empty((0, len(chains)))  # [steps, chains]
        room = min(_ROOM, max((chain.limit for chain in chains), default=0))
        self._own = _place(model.shape, len(chains), room)  # keys and values of the drawn tokens
        self._count(chains)

    def _count(self, chains: Sequence[Chain]) -> None:
        self.chains = list(chains)
        """Those that go on."""
        self._seeds = np.array([chain.seed % 2**64 for chain in chains], np.uint64)

    def leave(self, gone: set[Chain]) -> None:
        """Take out chains that are not to go on."""
        is_on = [chain not in gone for chain in self.chains]
        self._rows, self._numbers = self._rows[is_on], self._numbers[:, is_on]
        self._count([chain for chain in self.chains if chain not in gone])

    def part(self, late: set[Chain]) -> SharedPrefix:
        """Take out chains that are to go on later, as a prefix of their own."""
        chains = [chain for chain in self.chains if chain in late]
        other = SharedPrefix(self.model, self.context, self.sampling, chains, tells=self.tells)
        rows, other._rows = np.unique(
            self._rows[[chain in late for chain in self.chains]], return_inverse=True
        )
        other.steps, other.pending = self.steps, self.pending[rows]
        other._own = self._copied(rows, len(chains), self._own.shape[4])
        self.leave(late)
        return other

    def draw(self) -> None:
        """Draw each chain's next token from `logits`; those that end leave."""
        drawn = self.sampling.draw(self.logits, self._rows, self._number())
        if self.tells:
            values = logprobs(self.logits)[self._rows, drawn].tolist()
            for chain, value in zip(self.chains, values, strict=True):
                chain.logprobs.append(value)
        pairs = zip(self.chains, drawn.tolist(), strict=True)
        gone = {chain for chain, token in pairs if chain.add(token)}
        if gone:
            drawn = drawn[[chain not in gone for chain in self.chains]]
            self.leave(gone)
        self._branch(drawn)
        self.steps += 1

    def _number(self) -> NDArray[np.float64]:
        """Return each chain's number for this step; as many steps are drawn ahead as pay."""
        at = self.steps % _AHEAD
        if at == 0 or not len(self._numbers):
            self._numbers = uniforms(self._seeds, self.steps - at, self.steps - at + _AHEAD)
        numbers: NDArray[np.float64] = self._numbers[at]
        return numbers

    def _branch(self, drawn: Ints) -> None:
        """Make a row of each history that there is now.

        A row's first continuation stays in its place unless that is no longer needed; the others
        take the places that are free, so that only they are copied.
        """
        n, vocabulary = self.logits.shape
        if len(drawn) == n and (n == 1 or np.bincount(self._rows).max() == 1):  # each has its row
            self.pending = np.empty(n, np.int64)
            self.pending[self._rows] = drawn
            return
        histories, self._rows = np.unique(self._rows * vocabulary + drawn, return_inverse=True)
        parents, tokens = np.divmod(histories, vocabulary)
        n = len(histories)
        stays = parents < n
        stays[1:] &= parents[1:] > parents[:-1]
        is_free = np.ones(n, bool)
        is_free[parents[stays]] = False
        places = np.where(stays, parents, -1)
        places[~stays] = np.flatnonzero(is_free)
        if self.steps and not stays.all():
            own = self._own[..., : self.steps, :]
            own[:, :, places[~stays]] = own[:, :, parents[~stays]]
        self.pending = np.empty(n, np.int64)
        self.pending[places] = tokens
        self._rows = places[self._rows]

    def hear(self, layer: int, qkv: Floats) -> Floats:
        """Let the pending rows attend to the context and to their own tokens.

        Args:
            layer: where.
            qkv: queries, scaled, keys and values: [3, rows, heads, size].
        """
        q, n, length = qkv[0], qkv.shape[1], len(self.context.tokens)
        own = self._own[layer, :, :n, :, : self.steps]
        own[..., -1, :] = qkv[1:]
        keys, values = own  # [rows, heads, steps, size]
        scores = np.empty((n, q.shape[1], length + self.steps), np.float32)
        shared, drawn = scores[..., :length].swapaxes(0, 1), scores[..., length:]
        np.matmul(q.swapaxes(0, 1), self.context.keys[layer], out=shared)
        np.matmul(keys, q[..., None], out=drawn[..., None])
        sums = exponentials(scores)
        heard: Floats = (drawn[:, :, None] @ values)[:, :, 0]  # [rows, heads, size]
        heard += (shared @ self.context.values[layer]).swapaxes(0, 1)
        heard /= sums
        return heard.reshape(n, -1)

    @property
    def position(self) -> int:
        """Where the pending tokens stand."""
        return len(self.context.tokens) + self.steps - 1

    def make_room(self) -> None:
        """See to it that the pending tokens' keys and values have a place."""
        room = self._own.shape[4]
        if self.steps > room:  # for the chains that are left, which is often a part
            n = len(self.pending)
            self._own = self._copied(np.arange(n), max(n, len(self.chains)), room + _ROOM)

    def _copied(self, rows: Ints, n: int, room: int) -> Floats:
        """Return the keys and values of `rows` in a place for `n` rows and `room` steps."""
        place = _place(self.model.shape, n, room)
        place[:, :, : len(rows), :, : self._own.shape[4]] = self._own[:, :, rows]
        return place


def _place(shape: Shape, rows: int, steps: int) -> Floats:
    """Return room for keys and values: [layers, 2, rows, heads, steps, size].

    A step's rows lie side by side in memory: read row by row, they came from further away.
    """
    room = (shape.layers, 2, steps, rows, shape.heads, shape.size)
    return np.empty(room, np.float32).transpose(0, 1, 3, 4, 2, 5)


def decode(model: Model, prefixes: Sequence[SharedPrefix], steps: int) -> None:
    """Draw up to `steps` tokens for every chain of all `prefixes`, in one batch."""
    for _ in range(steps):
        prefixes = [prefix for prefix in prefixes if prefix.chains]
        if not prefixes:
            break
        if going := [prefix for prefix in prefixes if prefix.steps]:
            _run(model, going)
        for prefix in prefixes:
            prefix.draw()


def _run(model: Model, prefixes: Sequence[SharedPrefix]) -> None:
    """Run the model on all pending tokens."""
    for prefix in prefixes:
        prefix.make_room()
    ends = [*accumulate(len(prefix.pending) for prefix in prefixes)]
    parts = [slice(*pair) for pair in pairwise([0, *ends])]

    def each(layer: int, qkv: Floats) -> Floats:
        pairs = zip(prefixes, parts, strict=True)
        return np.concatenate([prefix.hear(layer, qkv[:, part]) for prefix, part in pairs])

    tokens = _joined([prefix.pending for prefix in prefixes])
    positions = _joined([np.full(len(prefix.pending), prefix.position) for prefix in prefixes])
    attend = prefixes[0].hear if len(prefixes) == 1 else each
    logits = model.forward(tokens, positions, attend)
    for prefix, part in zip(prefixes, parts, strict=True):
        prefix.logits = logits[part]


def _joined(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
