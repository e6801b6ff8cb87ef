"""Verdicts in a model's reply: a rating, or one of a few words. No verdict rather than a guess.

One rule for all. What counts is the *mark* that was asked for (``Rating: 8``), wherever it stands,
or a form that means nothing else (``I rate it 8 out of 10``); without one, a reply or an outer line
of it that is nothing but the verdict. A bound of a scale, a range, a number of the reasoning, what
stands beyond the scale or below it, a share in percent, and two verdicts that differ are none.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TypeAlias

from workspan.answers.thinking import spoken
from workspan.verifiers.spoken import plain

Scales: TypeAlias = set[tuple[float, float]]

TOP = 10
"""The upper end of the scale that judges are asked for; the lower is 0."""

_WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
_COUNT = rf"(?:\d+(?:[.,:]\d+)*|\b(?:{'|'.join(_WORDS)})\b)"
_VALUE = rf"(?P<number>[-+]?{_COUNT})(?:\s{{0,3}}(?:/|out\s+of)\s{{0,3}}(?P<top>{_COUNT}))?"
_END = (
    r"(?=\s*(?:$|\n|[.;!,…](?!\d)|[)\]}>|\"'”’](?!\s?\d)|<|\(|[-–—]\s[^\d\s]"
    r"|points?\s*(?:$|[\n.;!,])|(?:because|since)\b))"
)
_MARKED = re.compile(
    r"(?:^[^\n\w]{0,8}|(?<=[.;!?:,(\"'])\s{0,3}|\b(?:final|overall|my|the|a|this)\s)"
    r"(?:(?:final|overall|my|correctness)\s){0,2}(?:rating|score|grade|verdict)(?![\w-])"
    r"(?P<between>[^\n:=|>→]{0,60})[:=|>→]\s{0,4}"
    rf"[\"'“(\[<]{{0,2}}(?P<verdict>{_VALUE}(?P<end>{_END})?)?",
    re.IGNORECASE | re.MULTILINE,
)
_SAID = re.compile(
    r"\b(?:I(?:['’]d|['’]ll|\swould|\swill)?\s(?:also\s|thus\s|therefore\s|now\s|then\s)?"
    r"(?:rate|give|score|grade|assign)"
    r"|(?:it|this|solution|answer)\s(?:deserves|merits)"
    r"|(?:final|overall|my|the|a)\srating(?:\s(?:is|of|would\sbe)))\b"
    rf"(?P<between>[^\n\d.;:!?]{{0,60}}?)(?<![-\w]){_VALUE}{_END}",
    re.IGNORECASE,
)
_LINE = re.compile(rf"[\W_]{{0,8}}?{_VALUE}(?:\s?points?)?[\s\"'.!)\]}}>|”’]{{0,8}}", re.IGNORECASE)
_SCALE = re.compile(
    r"(?P<low>\d+(?:\.\d+)?)\s?(?:-|–|—|to|through|\.{2,3}|…)\s?(?P<high>\d+(?:\.\d+)?)"
    r"|(?:out\sof|/|max\.?)\s?(?P<only>\d+)",
    re.IGNORECASE,
)
_NOTE = re.compile(r"\s?[(\[]\s?" + _SCALE.pattern, re.IGNORECASE)
_STATED = re.compile(r"\bscale\b[^\n\d]{0,24}" + _SCALE.pattern, re.IGNORECASE)
_PLACEHOLDER = re.compile(r"\s*[\"'“(\[<]{0,2}(?:[NXn]\b|[A-Za-z_ ]{0,60}number|\.{3}|_{2,})")
_TAKEN_BACK = re.compile(
    r"\b(?:wait|actually|correction|scratch|second thoughts?|revis\w{0,4}|rather|instead|maybe"
    rf"|perhaps|no,|or|but|hmm+)\b[^\n]{{0,60}}?{_COUNT}",
    re.IGNORECASE,
)
_IF = re.compile(
    r"\b(?:if|were|unless|not|never|cannot|could|might|had|have|before|initially|first|previous"
    r"(?:ly)?|normally|usually|otherwise|suppose|imagine|someone|quote|example)\b|n['’]t\b",
    re.IGNORECASE,
)
_NEUTRAL = frozenset(
    re.findall(
        r"\w+",
        "a an above answer as at be being candidate correct correctness final from given here is "
        "it its likelihood likely my of on out overall probability rating response scale score "
        "solution that the this to whole with range between and how for chance value points number",
    )
)
"""Words that may stand between a mark and its number."""


def rating(text: str, *, finished: bool) -> float | None:
    """Read a rating on the scale from 0 to `TOP` as a share of it; None is no verdict.

    Args:
        text: the whole reply; thinking in it is not read.
        finished: the model ended by itself. What was cut counts only where a mark was closed.
    """
    said = plain(spoken(text))
    scales = {_bounds(match) for match in _STATED.finditer(said)}
    marks = [*_marks(said, scales, finished=finished)]
    last = max((end for _, end in marks), default=0)
    if not marks and finished:
        marks = [*_bare(said, scales)]
        last = len(said)
    values = {value for value, _ in marks}
    if len(values) != 1 or _TAKEN_BACK.search(said, last):
        return None
    return values.pop()


def word(text: str, words: Sequence[str], *, finished: bool) -> str | None:
    """Read which one of `words` a reply gives as its verdict; None is no verdict.

    Args:
        text: the whole reply; thinking in it is not read.
        words: in lower case.
        finished: as for `rating`.
    """
    said = plain(spoken(text)).lower()
    one = "|".join(map(re.escape, words))
    mark = re.compile(
        rf"^\W{{0,8}}(?:(?:final|my) )?(?:verdict|evaluation|judge?ment|answer|value)[\"']?"
        rf"(?: is)?\s?[:=]\s{{0,3}}[\"'<(\[]{{0,2}}(?P<word>{one})?(?P<end>\W{{0,4}}$)?",
        re.MULTILINE,
    )
    marks = [m for m in mark.finditer(said) if finished or m.end() < len(said)]
    if marks:
        found = {m["word"] if m["end"] is not None else None for m in marks}
        return found.pop() if len(found) == 1 else None
    lines = [line.strip(" \t\"'.!()[]<>#-_") for line in said.splitlines() if line.strip()]
    if not finished or not lines:
        return None
    outer = {line for line in (lines[0], lines[-1]) if line in words}
    if outer:
        return outer.pop() if len(outer) == 1 else None
    named = {m[0] for m in re.finditer(rf"\b(?:{one})\b", said)}
    is_plain = len(said) <= _SHORT and not _UNSURE.search(said)
    return named.pop() if len(named) == 1 and is_plain else None


_SHORT = 60
"""Characters of a sentence that is nothing but its verdict."""
_UNSURE = re.compile(
    r"\b(?:not|no|never|hardly|if|or|make|made|less|more|be|nor|cannot)\b|n['’]t\b|\?"
)


def _marks(said: str, scales: Scales, *, finished: bool) -> Iterator[tuple[float | None, int]]:
    """Yield each marked verdict with its end; None where it can't be read."""
    for match in _MARKED.finditer(said):
        starts_line = said[match.start() - 1 : match.start()] in ("", "\n")
        if not _is_about_all(match) or (not starts_line and _is_supposed(said, match.start())):
            continue
        if match["verdict"] is None:
            if starts_line and not _PLACEHOLDER.match(said, match.end()):
                yield None, match.end()
        elif not (_SCALE.match(said, match.start("number")) and "scale" in match["between"]):
            yield _marked(said, match, scales, finished=finished), match.end()
    for match in _SAID.finditer(said):
        is_open = not finished and not said[match.end() :].strip()
        if _is_about_all(match) and not is_open and not _is_supposed(said, match.start()):
            yield _share(match, scales), match.end()


def _is_about_all(match: re.Match[str]) -> bool:
    """Say whether nothing between a mark and its number makes it the verdict on something else."""
    return _NEUTRAL.issuperset(re.findall(r"[a-z']+", match["between"].lower()))


def _marked(said: str, match: re.Match[str], scales: Scales, *, finished: bool) -> float | None:
    is_open = not finished and not said[match.end() :].strip(" \t)]}>\"'”’")
    if match["end"] is None or is_open or re.search(r"\d", _SCALE.sub("", match["between"])):
        return None
    notes = (_SCALE.search(match["between"]), _NOTE.match(said, match.end()))
    return _share(match, scales | {_bounds(found) for found in notes if found})


def _bare(said: str, scales: Scales) -> Iterator[tuple[float | None, int]]:
    """Yield the verdict that the first or last line is, where no other line holds a number."""
    lines = [line for line in said.splitlines() if line.strip()]
    for place in {0, len(lines) - 1} if lines else ():
        match = _LINE.fullmatch(lines[place].strip())
        rest = " ".join(lines[:place] + lines[place + 1 :])
        rest = _STATED.sub("", rest)
        is_alone = not re.search(rf"[^\W\d_]?{_COUNT}|=", rest, re.IGNORECASE)
        if match is not None and is_alone and not _odd(lines[place]):
            yield _share(match, scales), 0


def _share(match: re.Match[str], scales: Scales) -> float | None:
    """Scale what was read to [0, 1]; None where it is not on a scale that is known."""
    number, top = match["number"].lower(), match["top"]
    if _odd(match[0]) or any(scale not in _KNOWN for scale in scales):
        return None
    tops = {high for _, high in scales} | ({_count(top)} if top else set())
    if len(tops) > 1 or not tops <= {5.0, 10.0, 100.0}:
        return None
    value, high = _count(number), next(iter(tops)) if tops else float(TOP)
    if value is None or high is None or not 0 <= value <= high:
        return None
    if not tops and "." in number and 0 < value <= 1:
        return None  # a probability, perhaps
    return value / high


_KNOWN = {(low, high) for low in (0.0, 1.0) for high in (10.0, 100.0)} | {(0.0, 5.0)}


def _bounds(match: re.Match[str]) -> tuple[float, float]:
    """Return the ends of a scale that a reply states."""
    if match["only"]:
        return 0.0, float(match["only"])
    return float(match["low"]), float(match["high"])


def _count(text: str) -> float | None:
    """Read a plain number of few digits, or a word for one; None is another form of number."""
    if text.lower() in _WORDS:
        return float(_WORDS.index(text.lower()))
    is_number = re.fullmatch(r"(?:0|[1-9]\d{0,2})(?:\.\d{1,6})?", text, re.ASCII)
    return float(text) if is_number else None


def _odd(text: str) -> bool:
    """Say whether a numeral stands there that is no decimal digit, such as one half."""
    return any(char.isnumeric() and not char.isascii() for char in text)


def _is_supposed(said: str, at: int) -> bool:
    """Say whether what begins at `at` is only supposed, or denied, in its own sentence."""
    start = max(said.rfind(sign, 0, at) for sign in ".;!?\n")
    return bool(_IF.search(said, max(start + 1, at - 160), at))
