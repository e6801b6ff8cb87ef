"""Text from outside made fit to be read: nothing in it steers a terminal or hides from its reader.

Control characters, what turns the direction of writing, marks without width and lone surrogates
are taken out (Unicode's categories Cc, Cf, Cs, Co, Cn); every kind of space is a space.
"""

from __future__ import annotations

import re

_BLANK = frozenset("\u115f\u1160\u3164\uffa0\u034f\u17b4\u17b5\u2800")
"""Letters and marks by their category that no one sees."""

_VARIATION = re.compile("[\ufe00-\ufe0f\u180b-\u180f\U000e0100-\U000e01ef]")
"""Choose between two looks of a sign; a chain of them can carry a hidden text."""

_PLAIN = re.compile(r"[\n\t -~]*")


def legible(text: str) -> str:
    """Return `text` without what can't be seen; line ends and tabs stay."""
    if _PLAIN.fullmatch(text):
        return text
    text = _VARIATION.sub("", text.replace("\r\n", "\n"))
    return "".join(map(_shown, text))


def _shown(char: str) -> str:
    if char in "\n\t" or (char.isprintable() and char not in _BLANK):
        return char
    return " " if char.isspace() else ""


def one_line(text: str, longest: int = 400) -> str:
    """Return `text` legible, on one line, and cut in its middle where it is longer."""
    if len(text) > 4 * longest:  # what is cut anyway is not looked at
        text = f"{text[: 2 * longest]} … {text[-2 * longest :]}"
    line = " ".join(legible(text).split())
    if len(line) <= longest:
        return line
    half = (longest - 3) // 2
    return f"{line[:half]} … {line[-half:]}"


def quoted(value: object, longest: int = 60) -> str:
    """Write a value that a message repeats: in quotes if it is a text, legible and not too long."""
    if isinstance(value, str):
        return f"'{one_line(value, longest)}'"
    try:
        return one_line(repr(value), longest)
    except ValueError:  # an integer of more digits than Python writes
        return f"a number of {int(value).bit_length()} bits" if isinstance(value, int) else "that"


def counted(number: float, noun: str, form: str = "") -> str:
    """Write a number of things: ``1 run``, ``2 runs``; ``1,024 runs`` in the form ``,``."""
    return f"{number:{form}} {noun}{'' if number == 1 else 's'}"


def is_whole_unicode(text: str) -> bool:
    """Tell a text that can be written from one that holds half of a character."""
    return text.isascii() or _SURROGATE.search(text) is None


_SURROGATE = re.compile("[\ud800-\udfff]")


def whole_unicode(text: str) -> str:
    """Join halves of characters that came apart, and replace those whose other half is missing."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def for_html(text: str) -> str:
    """Escape a text for a page."""
    from html import escape  # it holds the names of 2,231 characters, that most runs do without

    return escape(text)
