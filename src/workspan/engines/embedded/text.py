"""Text from tokens as they come: whole characters only, nothing past a stop string."""

from __future__ import annotations

import codecs
from collections.abc import Sequence


class TextStream:
    """Turns the bytes of one chain into text that may be shown at once.

    A character whose bytes are not all there, and an ending that may yet become a stop string, are
    held back until they are decided.
    """

    def __init__(self, stop: Sequence[str] = ()) -> None:
        self._stop = tuple(word for word in stop if word)
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._held = ""
        self.is_stopped = False
        """A stop string was met: it and what follows are not part of the text."""

    def feed(self, data: bytes) -> str:
        """Return the text that `data` makes certain."""
        text = self._held + self._decoder.decode(data)
        if not self._stop:
            return text
        found = [at for at in map(text.find, self._stop) if at >= 0]
        if found:
            self.is_stopped, self._held = True, ""
            return text[: min(found)]
        keep = self._undecided(text)
        self._held = text[len(text) - keep :]
        return text[: len(text) - keep]

    def finish(self) -> str:
        """Return what was held back, now that nothing follows."""
        if self.is_stopped:
            return ""
        return self._held + self._decoder.decode(b"", final=True)

    def _undecided(self, text: str) -> int:
        """Length of the longest ending of `text` that begins a stop string."""
        for size in range(min(len(text), max(map(len, self._stop)) - 1), 0, -1):
            if any(word.startswith(text[-size:]) for word in self._stop):
                return size
        return 0


def sentence_piece(entry: str) -> bytes:
    """Return what a SentencePiece vocabulary entry stands for: it spells spaces and raw bytes."""
    if len(entry) == 6 and entry.startswith("<0x") and entry.endswith(">"):
        return bytes.fromhex(entry[3:5])
    return entry.replace("▁", " ").encode()


def byte_level(entry: str) -> bytes:
    """Return what a byte-level vocabulary entry stands for: each byte is a printable character.

    The alphabet of GPT-2: https://github.com/openai/gpt-2/blob/9b63575/src/encoder.py#L8-L28
    """
    if all(character in _BYTES for character in entry):
        return bytes(_BYTES[character] for character in entry)
    return entry.encode()  # an added token is written as it is


def _alphabet() -> dict[str, int]:
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = (byte for byte in range(256) if byte not in printable)
    return {chr(byte): byte for byte in printable} | {
        chr(256 + place): byte for place, byte in enumerate(others)
    }


_BYTES = _alphabet()
