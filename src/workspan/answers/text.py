"""Answers in words: the marked text, or the last line.

Compared without what can't tell two answers apart: case (but of units such as mW and MW, and of
letter pairs such as Aa), width, white space, brackets, quotes and full stops around the whole, a
leading "the", and marks between words. Signs, points, bars, operators, units and the marks of names
such as C++, C# and A* are kept.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Hashable
from functools import lru_cache

from workspan.answers import signs
from workspan.answers.blocks import rows_end
from workspan.answers.marks import Mark, is_placeholder, is_unfilled, marks
from workspan.answers.regions import region, undressed
from workspan.answers.retracted import retracted
from workspan.answers.said import COURTESY, Found, Said, json_value
from workspan.answers.words import listed

_REASON = re.compile(
    r"(?:,\s+|\s+[—–-]\s+|\s+)(?:because|since|which|as (?:it|they|he|she|the|we|this|there)"
    r"|so that|where)\s"
    r"|;\s(?=(?:it|this|that|these|because|since|so|as|the|we|he|she|they|all|no|i)\b)"
)
_ABBREVIATED = re.compile(r"(?:\.[a-z]|\b(?:etc|inc|ltd|co|jr|sr|st|no))\.$")
_TOLD = re.compile(
    r"([^.!?\n]{1,80})[.!]\s+(?=(?:It|This|That|These|Because|Since|The|I|We|So|Here|Sorry|Note|Hope"
    r"|He|She|They|Let|As|If|You|My)\b)"
)
"""A few words and then a sentence about them."""
_FEW = 4
_BOLD = re.compile(r"\*\*([^*\n]{1,200})\*\*")
_CASED = listed("mW MW mV MV mA MA mJ MJ mg Mg mHz MHz mPa MPa Mb MB mb mB Mbps MBps")
_PAIRS = re.compile(r"(?:([A-Za-z])(?:(?i:\1)))+")
_SPACE = re.compile(r"\s+")
_STOP = re.compile(r"[.!?](?=\s|$)|\n|$")
_BETWEEN = re.compile(
    r"(?<=[^\W\d_]),(?=\s)|(?<=[^\W\d_]{2})[.;](?=\s)|(?<![^\W_])([^\W\d_])\.(?=\s|[^\W\d_](?:\."
    r"|$))"
)
_HYPHEN = re.compile(r"(?<=[^\W\d_]{2})-(?=[^\W\d_]{2})")
_APOSTROPHE = re.compile(r"(?<=[^\W\d_])'(?=[^\W\d_])")
_AFTER_NUMBER = re.compile(r"(?<=[0-9])\s?([A-Za-z]{2,4})(?![A-Za-z])")
_WRAPPED = {"(": ")", "[": "]", '"': '"', "'": "'", "`": "`", "“": "”"}
_TEX_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit)\s?\{([^{}]*)\}")


def read(said: Said) -> Found | None:
    """Return the last marked answer, or the last line of a finished text."""
    last: Mark | None = None
    for mark in marks(said):
        last = last or mark
        found = marked(said, mark)
        if found is not None:
            return _unless_retracted(said, found)
    return last_line(said) if said.finished and not is_unfilled(said, last) else None


def marked(said: Said, mark: Mark) -> Found | None:
    """Read what one mark says; None if that is nothing, or the instruction echoed."""
    area = region(said, mark)
    if area is None or mark.is_negated or (mark.rule == "####" and not mark.is_firm):
        return None
    text = said.plain
    start, end, rule = area.start, area.end, mark.rule
    if mark.rule == "JSON member":
        return _json_member(said, area.start)
    if area.sort in ("line", "lines"):
        below = area.sort == "lines"
        rows = rows_end(text, start, len(text), below=below)
        if rows > end:
            if rows == len(text) and not said.finished:
                return None
            first = text.rfind("\n", 0, start) + 1 if below else start
            block = said.text[first:rows].rstrip()
            return Found(block, first, first + len(block), f"{rule}, rows")
        if text[start : start + 1] == "|" or text[mark.start - 1 : mark.start] == "|":
            start, end = _cell(text, start, end)
        start, end = undressed(text, start, end)
        end = _sentence(said, mark, start, end)
        end -= _stray(text, start, end, mark.opener)
        rule = rule if not below else f"{rule}, next line"
    elif area.sort == "fence":
        block = said.text[start:end].strip("\n")
        return Found(block, start, end, f"{rule}, fence") if block.strip() else None
    start, end = undressed(text, start, end)
    if start >= end or is_placeholder(said.low[start:end]):
        return None
    return Found(said.text[start:end], start, end, rule)


def _stray(text: str, start: int, end: int, opener: str) -> int:
    """Return how long the emphasis is that opened before the mark and ends the line."""
    if not opener or (
        text.count("*", start, end) % 2 == 0 and text.count("**", start, end) % 2 == 0
    ):
        return 0
    return 2 if text.endswith("**", start, end) else 1 if text.endswith("*", start, end) else 0


def _cell(text: str, start: int, end: int) -> tuple[int, int]:
    start += text[start : start + 1] == "|"
    bar = text.find("|", start, end)
    return start, bar if bar >= 0 else end


def _sentence(said: Said, mark: Mark, start: int, end: int) -> int:
    """Return where the answer ends on its line: before a reason, and after prose at its stop."""
    low = said.low
    if not mark.is_firm:
        stop = _FULL_STOP.search(said.plain, start, end)
        while stop and _TITLE.search(low[start : stop.start()]):
            if stop.end() >= end:
                break
            stop = _FURTHER_STOP.search(said.plain, stop.end(), end)
        if stop:
            end = stop.start() if stop[0][0] == "." else stop.end()
        reason = _REASON.search(low, start, end)
        return reason.start() if reason and reason.start() > start else end
    line = low[start:end].rstrip()
    reason = _FIRM_REASON.search(low, start, end)
    if reason and reason.start() > start:
        return reason.start()
    told = _TOLD.match(said.plain, start, end)
    if told and len(told[1].split()) <= _FEW and not _ABBREVIATED.search(told[1].lower() + "."):
        return told.end(1)
    again = retracted(low, start)
    if again is not None:
        stop = _TAKEN_BACK.search(low, start, end)
        if stop:
            return stop.start()
    is_short = line.endswith(".") and not line.endswith("..") and len(line.split()) < 3
    return start + len(line) - 1 if is_short and not _ABBREVIATED.search(line) else end


_FULL_STOP = re.compile(r"[.!?](?:[*_\"')]{0,3})(?=\s+[A-Z*_(\\]|\s*$)")
_FURTHER_STOP = re.compile(r"[.!?](?=\s+[A-Z*_(]|\s*$)")
_TITLE = re.compile(r"(?:\b(?:dr|mr|mrs|ms|st|jr|sr|vs|no|prof|[a-z]))$")
_FIRM_REASON = re.compile(r",? because\s|, since\s|, as (?:it|they|he|she|the|we) ")
_TAKEN_BACK = re.compile(
    r"(?:[.!?…]+|,|\s[-—])\s+(?=wait|no\b|actually|hold on|sorry|scratch|correction|oops"
    r"|or rather|that)|\.\s+(?=it )"
)


def _json_member(said: Said, at: int) -> Found | None:
    inner = json_value(said, at)
    if inner is None:
        return None
    start, end, value = inner
    content = value if isinstance(value, str) else said.text[start:end]
    return (
        Found(content, start, end, "JSON member") if content.strip() and value is not None else None
    )


def _unless_retracted(said: Said, found: Found) -> Found | None:
    places = retracted(said.low, found.end)
    if places is None:
        return found
    text = said.plain
    for place in places:
        stop = _STOP.search(text, place)
        end = stop.start() if stop else len(text)
        start, end = undressed(text, place, end)
        if start < end and len(text[start:end].split()) <= 6 and not _CLAIM.match(said.low, start):
            return Found(said.text[start:end], start, end, f"{found.rule}, corrected")
    return None


_CLAIM = re.compile(r"(?:that|it|this|not|wrong|incorrect|i|let|the answer|because|we|no)(?![a-z])")


def last_line(said: Said) -> Found | None:
    """Return the last line of a finished text; of a sentence with one bold part, that part."""
    text = said.plain
    if block := _all_rows(said):
        return block
    end = len(text.rstrip())
    while end > 0:
        line = text.rfind("\n", 0, end) + 1
        content = text[line:end].strip()
        is_courtesy = COURTESY.match(said.low, line, end) and text[:line].strip()
        if (
            content
            and not is_courtesy
            and not (
                content.startswith(("```", "~~~", "---", "===", "***"))
                and not any(map(str.isalnum, content))
            )
        ):
            bold = [*_BOLD.finditer(text, line, end)] if "**" in content else []
            is_bold = len(bold) == 1 and bold[0].end() < end
            tail = content.rstrip("*_ ")
            if (
                tail.endswith((":", "nswer", "nswers", " is"))
                and not is_bold
                and _ANNOUNCES.search(said.low, max(line, end - 80), end)
            ):
                return None
            if len(bold) == 1:
                start, stop = undressed(text, bold[0].start(1), bold[0].end(1))
                return Found(said.text[start:stop].rstrip(":"), start, stop, "emphasised text")
            start, stop = undressed(text, line, end)
            return Found(said.text[start:stop], start, stop, "last line") if start < stop else None
        end = line - 1
    return None


_ANNOUNCES = re.compile(
    r"(?<![^\W_])[^\W\d_]{2,}[)*_\"' ]{0,4}:[*_\s]*\Z"
    r"|(?:^|(?<=\n))[#*_>\s]*(?:(?:so|therefore|thus|hence),? )?(?:(?:the|my|our) )?"
    r"(?:(?:final|correct|short) )?answers?(?: is)?[*_\s]*\Z",
    re.MULTILINE,
)
"""A last line that says what was to follow it, and nothing does."""


def _all_rows(said: Said) -> Found | None:
    """Read a text that is rows of one form and nothing else: a grid, a board, a list of moves."""
    text = said.plain
    end = len(text.rstrip())
    start = len(text) - len(text.lstrip())
    start = text.rfind("\n", 0, start) + 1
    first = text.find("\n", start, end)
    if first < 0 or rows_end(text, start, end, below=True) < end:
        return None
    rows = [row.split() for row in text[start:end].split("\n") if row.strip()]
    is_board = all(len(row) > 1 and all(len(cell) <= 3 for cell in row) for row in rows)
    if not is_board and (len(rows) < 3 or _LISTED.match(text, start)):
        return None
    if any(len(row) == 1 and row[0].isalpha() and not row[0].isupper() for row in rows):
        return None
    return Found(said.text[start:end], start, end, "rows")


_LISTED = re.compile(r"\s*(?:[-*•+]|\(?[0-9]{1,3}[.):]|[a-z][.)])\s+\S")


def key(answer: str) -> Hashable:
    """Return what answers that say the same in words share."""
    return text_key(answer)


@lru_cache(maxsize=8192)  # votes compare the same few answers again and again
def text_key(answer: str) -> tuple[str, str]:
    """Fold what can't tell two texts apart."""
    plain = signs.plain(unicodedata.normalize("NFC", answer))
    plain = _TEX_TEXT.sub(r"\1", plain) if "\\" in plain else plain
    if "\n" in plain and (rows := _grid(plain)):
        return ("t", rows)
    bare = _bare(_SPACE.sub(" ", plain).strip())
    if _PAIRS.fullmatch(bare) and len(bare) <= 12 and len(bare) % 2 == 0:
        return ("t", bare)
    folded = _AFTER_NUMBER.sub(_unit, bare).casefold()
    folded = _HYPHEN.sub(" ", _BETWEEN.sub(r"\1", folded)) if len(folded) < 4_000 else folded
    folded = _APOSTROPHE.sub("", folded).removeprefix("the ")
    return ("t", _SPACE.sub(" ", folded).strip() or bare)


def _grid(text: str) -> str:
    """Return the rows of a grid of numbers or letters, whose shape tells; of other text nothing."""
    rows = [line.split() for line in text.strip(" \n`").splitlines() if line.strip()]
    width = len(rows[0]) if rows else 0
    if len(rows) < 2 or width < 2 or any(len(row) != width for row in rows):
        return ""
    if not all(len(cell) == 1 or cell.lstrip("-").isdecimal() for row in rows for cell in row):
        return ""
    grid = "\n".join(" ".join(row) for row in rows)
    return grid if grid.lower() != grid != grid.upper() else grid.casefold()


_KEPT = {unit: f"\x01{i:02}" for i, unit in enumerate(sorted(_CASED))}


def _unit(found: re.Match[str]) -> str:
    """Keep the case of a unit whose case tells, and part it from its number."""
    return " " + _KEPT.get(found[1], found[1])


_LAYERS = 64
"""Of dress around an answer, at most; a thousand exclamation marks are a text of their own."""


def _bare(text: str) -> str:
    """Drop what stands around a whole answer: emphasis, quotes, brackets, sentence marks."""
    for _ in range(_LAYERS):
        before = text
        start, end = undressed(text, 0, len(text))
        text = text[start:end]
        if len(text) > 2 and _WRAPPED.get(text[0]) == text[-1] and _is_one(text):
            text = text[1:-1].strip()
        if len(text) > 1 and text[-1] in ".,;:" and not text.endswith(".."):
            text = text[:-1].rstrip()
        if len(text) > 1 and text[-1] in "!?" and not _is_factorial(text):
            text = text[:-1].rstrip()
        if text == before:
            break
    return text


def _is_one(text: str) -> bool:
    """Tell brackets around a whole from the first and last of several; [1] keeps its own."""
    if text[0] == "[":
        return False
    if text[0] in "\"'`“":
        return text[0] not in text[1:-1]
    return text.find(")") == len(text) - 1 and "," not in text


def _is_factorial(text: str) -> bool:
    before = text.rstrip("!?")[-1:]
    return text[-1] == "!" and (before.isdecimal() or before == ")" or len(text.rstrip("!")) == 1)
