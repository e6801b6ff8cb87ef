"""Where the content after a mark stands: the rest of a line, the next, a display, a block."""

from __future__ import annotations

import re
from typing import NamedTuple

from workspan.answers.marks import Mark
from workspan.answers.said import Said

_SKIP = re.compile(r"(?:(?:[*_]{1,3}|`(?!`))(?=[\s$\\:]|$)|[ \t])*:?[ \t]*")
_BLANK = re.compile(r"\s*")
_FENCE = re.compile(r"(`{3,}+|~{3,}+)[^\n`]*\n")
_LONE_DRESS = re.compile(r"[ \t]*[*_#>-]{1,4}[ \t]*(?=\n)")


class Region(NamedTuple):
    """Where the content of a mark stands in the text."""

    start: int
    end: int
    sort: str
    """tag, box, line, lines, display or fence."""


def region(said: Said, mark: Mark) -> Region | None:
    """Return where the content of a mark stands; None if the text may go on there, or is over."""
    text = said.plain
    if mark.end >= 0:
        return Region(mark.start, mark.end, "box" if mark.rule == "box" else "tag")
    start = mark.start
    if text[start : start + 1] == " " and text[start + 1 : start + 2].isalnum():
        start += 1  # most replies: "Answer: 42"
        below = False
    else:
        skipped = _SKIP.match(text, start)
        same_line = skipped.end() if skipped else start
        blank = _BLANK.match(text, same_line)
        start = blank.end() if blank else same_line
        below = "\n" in text[same_line:start]
    while below and (lone := _LONE_DRESS.match(text, start)):
        blank = _BLANK.match(text, lone.end())
        start = blank.end() if blank else lone.end()
    if start >= len(text):
        return None
    if not below and text[start - 1] in "*_" and start > mark.start:
        start = _with_opener(text, start, mark.start)
    place = (_closed(text, start) if text[start] in "\\$`~" or "\\begin{" in text else None) or (
        start,
        text.find("\n", start),
        "lines" if below else "line",
    )
    if place[1] < 0:
        return Region(place[0], len(text), place[2]) if said.finished else None
    return Region(*place)


def _with_opener(text: str, start: int, least: int) -> int:
    """Return where emphasis starts that stands right before a content and closes after it."""
    first = start
    while first > least and text[first - 1] == text[start - 1]:
        first -= 1
    end = text.find("\n", start)
    closing = text.find(text[first:start], start, len(text) if end < 0 else end)
    return first if closing >= 0 else start


def _closed(text: str, start: int) -> tuple[int, int, str] | None:
    """Return where a display or a fenced block stands, -1 for an end that is missing."""
    for opening, closing in (("\\[", "\\]"), ("$$", "$$")):
        if text.startswith(opening, start):
            return start + 2, text.find(closing, start + 2), "display"
    if opened := _ENVIRONMENT.match(text, start):
        return _environment(text, start, opened)
    fence = _FENCE.match(text, start)
    return fence and (fence.end(), text.find("\n" + fence[1], fence.end() - 1), "fence")


_ENVIRONMENT = re.compile(
    r"(\$|\\\(|)\s{0,4}(?:[A-Za-z]\s?=\s?)?(?:\\left\s?[(\[|.{\\]{1,2}\s{0,4})?\\begin\{([a-zA-Z]{1,12}\*?)\}"
)


def _environment(text: str, start: int, opened: re.Match[str]) -> tuple[int, int, str] | None:
    """Return where a matrix over several lines stands, with the signs around it."""
    sign, close = opened[1], f"\\end{{{opened[2]}}}"
    limit = text.find("\n\n", start)
    limit = len(text) if limit < 0 else limit
    end = text.find(close, opened.end(), limit)
    if end < 0 or "\n" not in text[start:end]:
        return None
    end += len(close)
    if sign:
        last = text.find("$" if sign == "$" else "\\)", end, limit)
        return (start + len(sign), last, "display") if last >= 0 else None
    line = text.find("\n", end, limit)
    return start, limit if line < 0 else line, "display"


def undressed(text: str, start: int, end: int) -> tuple[int, int]:
    """Leave out the white space and the paired emphasis, quotes and dollars around a content."""
    if start < end and text[start].isalnum() and not text[end - 1].isspace():
        return start, end
    while True:
        while start < end and text[start].isspace():
            start += 1
        while start < end and text[end - 1].isspace():
            end -= 1
        width = _pair(text, start, end)
        if not width:
            return start, end
        start, end = start + width, end - width


def cell(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where a cell of a table ends: at a bar outside of dollars, or with its row."""
    bar = text.find("|", start + 1, end)
    if text[start : start + 1] == "$" and (closed := text.find("$", start + 1, end)) > 0:
        bar = text.find("|", closed, end)
    return undressed(text, start, bar if bar >= 0 else end)


def _pair(text: str, start: int, end: int) -> int:
    """Return how many signs open and close a content as a pair, 0 if none do."""
    if end - start < 3 or (first := text[start]) not in _DRESSES:
        return 0
    last = text[end - 1]
    for sign in _SIGNS.get(first, ()) if first == last else ():
        width = len(sign)
        if end - start > 2 * width:
            if width == 2 and not (text[start + 1] == first == text[end - 2]):
                continue
            inner = text[start + width : end - width]
            if inner[0] == " " or (inner[-1] == " " and sign != "$"):
                continue
            if sign in (inner.replace("\\$", "") if sign == "$" else inner) or (
                sign[0] == "_" and inner.isidentifier() and inner.islower()
            ):
                continue
            return width
    if first == "\\" and end - start > 4:
        around = text[start : start + 2] + text[end - 2 : end]
        return 2 if around in ("\\(\\)", "\\[\\]") else 0
    return 1 if first == "“" and last == "”" else 0


_DRESSES = frozenset("*_$`\"'\\“")
_SIGNS = {
    sign[-1]: sign for sign in (("**", "*"), ("__", "_"), ("$$", "$"), ("`",), ('"',), ("'",))
}
