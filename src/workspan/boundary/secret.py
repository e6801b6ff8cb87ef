"""An API key, and how to find it in what others wrote, however they wrote it."""

from __future__ import annotations

import base64
import json
import os
import re
from bisect import bisect_right
from collections.abc import Iterator
from urllib.parse import quote

from workspan.errors import EngineError, InputError

_STARS = "***"

_SHORTEST = 4
"""Characters of a key; what is shorter protects nothing, and is part of every word."""

_RUN = 8
"""Letters and digits of a key in a row that count as the key: servers repeat parts of it."""

_RUN_ENCODED = 12
"""The same for base64 and hexadecimal, whose alphabets are smaller than their meaning."""

_ESCAPES = re.compile(
    rb"%([0-9A-Fa-f]{2})"  # of addresses
    rb"|\\u00([0-9A-Fa-f]{2})|\\x([0-9A-Fa-f]{2})"  # of JSON and of Python
    rb"|(&(?:#[0-9]{1,3}|#[xX][0-9A-Fa-f]{1,2}|[a-z]{2,6});)"  # of HTML
)
_WHOLE = 12
"""Characters of a key that no answer holds by chance."""

_DEPTH = 3
"""Escapes inside escapes that are undone."""


_VARIABLE = re.compile(r"[A-Z_][A-Z0-9_]*")


def key_in(variable: str) -> str:
    """Return the key that a variable of the environment holds.

    Raises:
        InputError: there is none. Whoever gives the key itself must not find it in a log: what does
            not look like a variable's name is not shown.
    """
    value = os.environ.get(variable, "").strip()
    if value:
        return value
    if _VARIABLE.fullmatch(variable):
        raise InputError(f"the environment has no {variable}, or it is empty")
    raise InputError(
        "the environment has no such variable: name the one that holds the key, such as "
        "HOST_KEY; what was given may be a key itself, and is not shown"
    )


class Secret:
    """An API key, and headers that may hold others: shown by nothing but `reveal`.

    Raises:
        InputError: the key holds what no header may.
    """

    __slots__ = ("_all", "_shapes", "_value")

    def __init__(self, value: str, others: tuple[str, ...] = ()) -> None:
        if not value.isprintable():
            raise InputError("the API key holds a character that can't be seen: copy it again")
        self._value = value
        held = [one for one in (value, *others) if len(one) >= _SHORTEST]
        content = [one.encode() for one in held]
        forms = {form for one in held for form in (one, quote(one, safe=""), json.dumps(one)[1:-1])}
        self._all = sorted(forms, key=len, reverse=True)
        bare = [letters for one in content if len(letters := _letters(one)[0]) >= _RUN]
        encoded = [form for one in content if len(one) >= _RUN for form in _encoded(one)]
        self._shapes = [(_runs(bare, _RUN), _RUN), (_runs(encoded, _RUN_ENCODED), _RUN_ENCODED)]

    def __repr__(self) -> str:
        return "Secret('***')" if self._value else "Secret('')"

    __str__ = __repr__

    def reveal(self) -> str:
        """Return the key itself."""
        return self._value

    def scrub(self, text: str) -> str:
        """Take the key out of a text that others wrote.

        It is found as it is and, unless it is too short to tell its parts from other words, in
        parts of at least eight letters, with signs between its letters, in other case, escaped as
        in addresses, JSON or HTML, in hexadecimal and in base64.
        """
        for one in self._all:
            text = text.replace(one, _STARS)
        if not any(runs for runs, _ in self._shapes):
            return text
        spans = sorted(span for view in _views(text) for span in self._found(*view))
        return _starred(text, spans) if spans else text

    def strike(self, text: str) -> str:
        """Take the key as it is out of what a model wrote: a server may give back what it was sent.

        Nothing but the whole key is: an answer may hold any part of one.
        """
        key = self._value
        return text.replace(key, _STARS) if len(key) >= _WHOLE and key in text else text

    def seal(self, error: EngineError) -> EngineError:
        """Take the key out of an error, and away what caused it: a library's may hold headers."""
        error.args = tuple(self.scrub(str(part)) for part in error.args)
        error.__cause__ = error.__context__ = None
        return error

    def _found(self, content: bytes, places: list[int]) -> Iterator[tuple[int, int]]:
        """Give where in a text runs of the key stand, given its letters and their places."""
        for runs, size in self._shapes:
            for i in range(len(content) - size + 1):
                if content[i : i + size] in runs:
                    yield places[i], places[i + size - 1]


def _encoded(value: bytes) -> list[bytes]:
    """Return what the key is inside a longer text in base64, at each of three places, and in hex.

    The first and the last characters hold bits of what stands around the key: they are left out.
    """
    found = [value.hex().encode()]
    for before in range(3):
        whole = base64.b64encode(b"\0" * before + value).rstrip(b"=")
        found.append(_letters(whole[-(-8 * before // 6) : (before + len(value)) * 8 // 6])[0])
    return found


def _runs(texts: list[bytes], size: int) -> frozenset[bytes]:
    return frozenset(text[i : i + size] for text in texts for i in range(len(text) - size + 1))


def _views(text: str) -> Iterator[tuple[bytes, list[int]]]:
    """Give the letters and digits of a text, with the place of each, as it is and unescaped."""
    content = text.encode("utf-8", "replace")
    ends: list[int] = []
    if len(content) != len(text):
        for place, char in enumerate(text):
            ends += [place] * len(char.encode("utf-8", "replace"))
    places = ends or list(range(len(text)))
    yield _letters(content, places)
    for _ in range(_DEPTH):
        undone, kept = _unescaped(content, places)
        if undone == content:
            return
        content, places = undone, kept
        yield _letters(content, places)


def _unescaped(content: bytes, places: list[int]) -> tuple[bytes, list[int]]:
    """Undo escapes; what an escape stood for has the place of its first character."""
    from html import unescape  # what no run needs that fails nowhere

    parts, kept, start = [], [], 0
    for found in _ESCAPES.finditer(content):
        code = found[1] or found[2] or found[3]
        meant = bytes([int(code, 16)]) if code else unescape(found[4].decode()).encode()
        parts += [content[start : found.start()], meant]
        kept += [*places[start : found.start()], *[places[found.start()]] * len(meant)]
        start = found.end()
    return b"".join([*parts, content[start:]]), [*kept, *places[start:]]


def _letters(content: bytes, places: list[int] | None = None) -> tuple[bytes, list[int]]:
    """Leave letters and digits of a text, in lower case, and their places."""
    lower = content.lower()
    kept = [i for i, byte in enumerate(lower) if chr(byte).isalnum() and byte < 128]
    return bytes(lower[i] for i in kept), [places[i] for i in kept] if places else kept


def _starred(text: str, spans: list[tuple[int, int]]) -> str:
    """Put stars for each stretch of a text that is covered, escapes at its end included."""
    ends = [found.end() for found in _TAIL.finditer(text)]
    starts = [found.start() for found in _TAIL.finditer(text)]
    parts, start = [], 0
    while spans:
        first, last = spans.pop(0)
        while spans and spans[0][0] <= last + 1:
            last = max(last, spans.pop(0)[1])
        parts += [text[start:first], _STARS]
        place = bisect_right(starts, last) - 1
        inside = place >= 0 and starts[place] <= last < ends[place]
        start = ends[place] if inside else last + 1
    return "".join([*parts, text[start:]])


_TAIL = re.compile(r"%(?:25)*[0-9A-Fa-f]{2}|\\+u[0-9A-Fa-f]{4}|\\+x[0-9A-Fa-f]{2}|&[^;\s]{1,8};")
