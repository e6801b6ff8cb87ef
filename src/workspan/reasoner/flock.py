"""Chains of one context, decoded in lockstep.

Chains that have drawn the same tokens so far are one row of the batch: nothing is computed twice
until they part, so chains that can only go one way cost little more than one of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from workspan.reasoner.chain import Chain
from workspan.reasoner.model import Context, Floats, Ints, Model, softmax
from workspan.reasoner.sampling import Sampling, logprobs, uniforms

_ROOM = 32
"""Steps that a flock has room for at first; as many are added when they are used up."""


class Flock:
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
        shape = model.shape
        room = (2, shape.layers, len(chains), shape.heads, _ROOM, shape.size)
        self._own: Floats = np.empty(room, np.float32)  # keys and values of the drawn tokens
        self._count(chains)

    def _count(self, chains: Sequence[Chain]) -> None:
        self.chains = list(chains)
        """Those that go on."""
        self._seeds = np.array([chain.seed % 2**64 for chain in chains], np.uint64)

    def leave(self, gone: set[Chain]) -> None:
        """Take out chains that are not to go on."""
        is_on = [chain not in gone for chain in self.chains]
        self._rows = self._rows[is_on]
        self._count([chain for chain in self.chains if chain not in gone])

    def part(self, late: set[Chain]) -> Flock:
        """Take out chains that are to go on later, as a flock of their own."""
        chains = [chain for chain in self.chains if chain in late]
        other = Flock(self.model, self.context, self.sampling, chains, tells=self.tells)
        rows, other._rows = np.unique(
            self._rows[[chain in late for chain in self.chains]], return_inverse=True
        )
        other.steps, other.pending = self.steps, self.pending[rows]
        other._own = self._copied(rows, len(chains), self._own.shape[4])
        self.leave(late)
        return other

    def draw(self) -> None:
        """Draw each chain's next token from `logits`; those that end leave."""
        numbers = uniforms(self._seeds, self.steps, self.steps + 1)[0]
        drawn = self.sampling.draw(self.logits, self._rows, numbers)
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

    def _branch(self, drawn: Ints) -> None:
        """Make a row of each history that there is now.

        A row's first continuation stays in its place unless that is no longer needed; the others
        take the places that are free, so that only they are copied.
        """
        if len(drawn) == 1 and len(self.logits) == 1:  # nothing to tell apart
            self.pending = drawn
            return
        vocabulary = self.logits.shape[1]
        histories, self._rows = np.unique(self._rows * vocabulary + drawn, return_inverse=True)
        parents, tokens = np.divmod(histories, vocabulary)
        n = len(histories)
        stays = (np.diff(parents, prepend=-1) > 0) & (parents < n)
        places = parents.copy()
        places[~stays] = np.setdiff1d(np.arange(n), parents[stays], assume_unique=True)
        if self.steps and not stays.all():
            moved, origin = places[~stays], parents[~stays]
            self._own[:, :, moved, :, : self.steps] = self._own[:, :, origin, :, : self.steps]
        self.pending = np.empty(n, np.int64)
        self.pending[places] = tokens
        self._rows = places[self._rows]

    def hear(self, layer: int, q: Floats, k: Floats, v: Floats) -> Floats:
        """Let the pending rows attend to the context and to their own tokens.

        Args:
            layer: where.
            q: queries, scaled: [rows, heads, size].
            k: keys, likewise.
            v: values, likewise.
        """
        n, length = len(q), len(self.context.tokens)
        keys, values = self._own[0, layer, :n], self._own[1, layer, :n]
        keys[:, :, self.steps - 1], values[:, :, self.steps - 1] = k, v
        keys, values = keys[:, :, : self.steps], values[:, :, : self.steps]
        scores = np.empty((n, q.shape[1], length + self.steps), np.float32)
        shared, own = scores[:, :, :length].swapaxes(0, 1), scores[:, :, length:]
        np.matmul(q.swapaxes(0, 1), self.context.keys[layer].swapaxes(1, 2), out=shared)
        np.matmul(keys, q[..., None], out=own[..., None])
        softmax(scores)
        heard: Floats = (shared @ self.context.values[layer]).swapaxes(0, 1)
        heard = heard + (own[:, :, None] @ values)[:, :, 0]  # [rows, heads, size]
        return heard.reshape(n, -1)

    def make_room(self) -> None:
        """See to it that the pending tokens' keys and values have a place."""
        room = self._own.shape[4]
        if self.steps > room:  # for the chains that are left, which is often a part
            n = len(self.pending)
            self._own = self._copied(np.arange(n), max(n, len(self.chains)), room + _ROOM)

    def _copied(self, rows: Ints, n: int, room: int) -> Floats:
        """Return the keys and values of `rows` in a place for `n` rows and `room` steps."""
        kinds, layers, _, heads, steps, size = self._own.shape
        place: Floats = np.empty((kinds, layers, n, heads, room, size), np.float32)
        place[:, :, : len(rows), :, :steps] = self._own[:, :, rows]
        return place


def decode(model: Model, flocks: Sequence[Flock], steps: int) -> None:
    """Draw up to `steps` tokens for every chain of all `flocks`, in one batch."""
    for _ in range(steps):
        flocks = [flock for flock in flocks if flock.chains]
        if not flocks:
            break
        _run(model, [flock for flock in flocks if flock.steps])
        for flock in flocks:
            flock.draw()


def _run(model: Model, flocks: Sequence[Flock]) -> None:
    """Run the model on all pending tokens."""
    if not flocks:
        return
    for flock in flocks:
        flock.make_room()
    counts = [len(flock.pending) for flock in flocks]
    ends = np.cumsum(counts)
    parts = [slice(end - n, end) for end, n in zip(ends, counts, strict=True)]

    def attend(layer: int, q: Floats, k: Floats, v: Floats) -> Floats:
        heard = [
            flock.hear(layer, q[part], k[part], v[part])
            for flock, part in zip(flocks, parts, strict=True)
        ]
        return heard[0] if len(heard) == 1 else np.concatenate(heard)

    tokens = np.concatenate([flock.pending for flock in flocks])
    positions = np.repeat([len(f.context.tokens) + f.steps - 1 for f in flocks], counts)
    logits = model.forward(tokens, positions, attend)
    for flock, part in zip(flocks, parts, strict=True):
        flock.logits = logits[part]
