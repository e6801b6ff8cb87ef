"""How many tokens a piece of a server's streams holds: learnt from streams that ended.

A server may send several tokens a piece (speculative decoding, SGLang's `--stream-interval`,
proxies that gather), less than one (byte-level pieces), or a whole answer at once. Until it is
known, only bytes bound what was decoded: a token is at least a byte in every vocabulary.
"""

from __future__ import annotations

import math
from collections import deque
from typing import NamedTuple

_REMEMBERED = 64
_LEAST = 16
"""Tokens from which a stream tells; shorter ones are added up until they come to so many."""
_COARSEST = 32.0
"""Tokens a piece beyond which a stream can't be cut in time, and its pieces tell nothing."""
_UNSEEN = 8
"""Tokens of markers and ends that no piece shows, at most."""
_WIDER = 16
"""So many times the bytes of a usual piece are taken for one: what is beyond is counted by bytes,
since a server that gathers now and then has taught nothing of such a piece."""


class _Streams(NamedTuple):
    """What streams that ended have shown together."""

    number: int = 0
    pieces: int = 0
    tokens: int = 0
    ends: int = 0
    """Pieces that may be shorter than others."""

    def and_one(self, pieces: int, tokens: int, ends: int) -> _Streams:
        return _Streams(
            self.number + 1, self.pieces + pieces, self.tokens + tokens, self.ends + ends
        )

    @property
    def least(self) -> float:
        """Tokens a piece, at least: an end token is counted, but not sent."""
        return (self.tokens - self.number) / self.pieces

    @property
    def most(self) -> float:
        """Tokens a piece, at most: the short ones hold one at least."""
        if self.pieces <= self.ends:
            return float(self.tokens)
        return (self.tokens - self.ends) / (self.pieces - self.ends)


class Pace:
    """What one server has shown, shared by all calls of an engine."""

    def __init__(self) -> None:
        self._least: deque[float] = deque(maxlen=_REMEMBERED)
        """Tokens a piece, at least, of each stream."""
        self._most: deque[float] = deque(maxlen=_REMEMBERED)
        self._short = _Streams()
        """Those too short to tell, together."""
        self._width = 0.0
        """Bytes a piece, on the mean of the stream with the most."""
        self.per_piece: float | None = None
        """Tokens a piece, at most; None until it is known."""
        self.hides = False
        """It decodes what it does not stream, such as hidden thinking."""
        self.ignores_cap = False
        """It has decoded more than it was asked for."""

    @property
    def can_be_cut(self) -> bool:
        """What streams can be counted closely enough to cut a call in mid-answer."""
        known = self.per_piece
        return known is not None and known <= _COARSEST and not self.hides

    def bound(self, pieces: int, size: int) -> int:
        """Return the tokens that so many pieces of `size` bytes together hold, at most.

        Where answers come whole, or nearly so, no piece tells of the next one.
        """
        if self.per_piece is None or self.hides or self.per_piece > _COARSEST:
            return size
        beyond = max(0, size - math.floor(pieces * self._width * _WIDER))
        return min(size, math.ceil(pieces * self.per_piece) + beyond)

    def usual(self, pieces: int) -> int:
        """Return the tokens that so many pieces hold with most servers, one each.

        Fewer, less one for the last of them, where the server's pieces are parts of tokens.
        """
        known = self.per_piece
        return pieces if known is None or known >= 1 else max(0, math.floor(pieces * known) - 1)

    def learn(self, pieces: int, size: int, tokens: int, ends: int = 1) -> None:
        """Take in a choice that ended: its pieces, their bytes, and the server's own count.

        A reply that came whole has no pieces: it tells only whether anything is hidden. `ends` of
        the pieces may be shorter than others: the last of the thinking, and that of the answer.
        """
        if tokens > size + _UNSEEN:
            self.hides = True
            return
        if not pieces:
            return
        self._width = max(self._width, size / pieces)
        told = self._short.and_one(pieces, tokens, ends)
        self._short = told
        if told.tokens < _LEAST:
            return
        self._short = _Streams()
        self._least.append(told.least)
        self._most.append(told.most)
        self.per_piece = self._fitted()

    def _fitted(self) -> float:
        """Fit one number of tokens a piece to all streams, or bound it where it varies."""
        least, most = max(self._least), min(self._most)
        if least > most:
            return max(self._most)
        whole = math.floor(most)
        return float(whole) if whole >= least else most
