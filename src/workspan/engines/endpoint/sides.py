"""The text of a choice, side by side: counted read by read, and handed on."""

from __future__ import annotations

from dataclasses import dataclass

from workspan.engines.endpoint.figures import least_tokens
from workspan.legible import whole_unicode


class Side:
    """The text of one side of a choice, the answer's or the thinking's, counted read by read."""

    __slots__ = ("_is_open", "_new", "_waiting", "emoji", "least", "pieces", "size")

    def __init__(self) -> None:
        self.pieces = 0
        self.size = 0
        """Bytes, of what was counted; so are the next two."""
        self.least = 0
        """Tokens that it surely took; a word that two pieces share counts once."""
        self.emoji = 0
        """Characters of four bytes, each of which may be several tokens in one piece."""
        self._new: list[str] = []
        """Not counted yet."""
        self._waiting: list[str] = []
        """Counted, and not handed on yet."""
        self._is_open = False
        """It ends within a word, which the next piece may go on with."""

    def __bool__(self) -> bool:
        """Something waits to be handed on."""
        return bool(self._new or self._waiting)

    def add(self, text: str) -> None:
        """Take a piece that is not empty."""
        self.pieces += 1
        self._new.append(text)

    def extend(self, texts: list[str]) -> None:
        """Take several at once."""
        self.pieces += len(texts)
        self._new += texts

    def count(self) -> None:
        """Count what is new."""
        if not self._new:
            return
        text = "".join(self._new)
        self._new.clear()
        self._waiting.append(text)
        if text.isascii():
            self.size += len(text)
        else:
            self.size += len(text.encode(errors="surrogatepass"))
            self.emoji += sum(map("\uffff".__lt__, text))
        goes_on = self._is_open and not text[0].isspace()
        self.least += least_tokens(text) - goes_on
        self._is_open = not text[-1].isspace()

    def forget(self) -> None:
        """Let go of what waits, once it is counted."""
        self.count()
        self._waiting.clear()

    def taken(self) -> str:
        """Hand on what waits."""
        self.count()
        text = "".join(self._waiting)
        self._waiting.clear()
        return text if text.isascii() else whole_unicode(text)


@dataclass(slots=True)
class Came:
    """What came of a choice, all its sides together: as `Side` counts it."""

    pieces: int = 0
    size: int = 0
    text: int = 0
    """Tokens of its text apart from thinking, at least."""
    thought: int = 0
    unasked: int = 0
    emoji: int = 0
