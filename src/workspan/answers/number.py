"""Numbers: compared exactly, as fractions; 12 = 12.0 = 1.2e1 = twelve; 50% = 50; 3 1/2 = 7/2."""

from __future__ import annotations

import re
from collections.abc import Hashable
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from workspan.answers import signs
from workspan.answers.marks import Mark, is_nothing, is_unfilled, marks
from workspan.answers.quantities import (
    ASSIGNED,
    Blocked,
    Quantity,
    is_alone,
    is_denied,
    last_quantity,
    quantities,
    quantity,
)
from workspan.answers.regions import Region, cell, region, undressed
from workspan.answers.retracted import retracted
from workspan.answers.said import COURTESY, Found, Said, json_value
from workspan.answers.text import text_key
from workspan.answers.values import number
from workspan.answers.words import FIRST, spelt

_LEAD = re.compile(
    r"(?:[\s*_`\"':]|\((?!\s?[-+]?[0-9]+\s?\)\s?/)|\$(?=[^0-9.])|\$\$?(?=-?[0-9.\\][^$\n]{0,200}\$)|\\[(\[]|\\displaystyle"
    r"|\\(?:big+|left)?\(|≈|~|\\approx"
    r"|\\(?:text|mathrm|mathbf|boldsymbol)\{(?=\s*[-$\\0-9])|<(?:b|i|u|em|strong|mark|p)>"
    r"|\(?[a-j]\)\s(?=[-$\\0-9])|(?:about|approximately|approx\.?|roughly|around|exactly|just"
    r"|simply|only"
    r"|therefore|thus|then|equal to|equals|is|be|now|that|i get|we get|a total of|total of"
    r"|=)(?![a-z]))*"
)
_COMPARED = re.compile(
    r"(?:at (?:least|most)|(?:more|less|fewer|greater|larger|smaller|higher|lower) than|over"
    r"|under|above|below"
    r"|up to|nearly|almost|between|from|not|no more|within|[<>≤≥≠±]|\\(?:leq?|geq?|pm|neq?|lt"
    r"|gt)(?![a-z]))"
)
_EQUALS = re.compile(r"(?<![<>!=])=(?![=>])|≈|\\approx(?![a-z])")
_SEVERAL = re.compile(
    rf"{ASSIGNED}|=[^=\n]{{1,40}}?(?:,|;|\band\b|\bor\b)\s*\$?[a-z][a-z0-9_]{{0,8}}\s*="
)
_EQUATION = re.compile(r"(?<![a-z])[a-z]\s?[-+*/^]|[-+*/^0-9]\s?[a-z](?![a-z])|[a-z]\([a-z]")
_COMMAND = re.compile(r"\\[a-z]+")
_OPERATION = re.compile(r"[-+*/^]|[0-9]\s?[a-z]")
_SENTENCE = re.compile(r"(?:(?<!\.)\.(?!\.)|[!?;])(?=[\s*_]|$)|\n")
_NEGATION = re.compile(
    r"(?<![a-z])(?:not|no|never|neither|nor|cannot|impossible|unable|invalid|wrong|incorrect"
    r"|undefined|insufficient)(?![a-z])|n't"
)
_BOLD = re.compile(r"\*\*([^*\n]{1,120})\*\*|\\textbf\{([^{}\n]{1,120})\}|__([^_\n]{1,120})__")
_WORDS_LINE = 400
_LONGEST = 2_000
_LINES = 200
"""Bounds on what is looked at, so that hostile text is read in linear time."""


def read(said: Said) -> Found | None:
    """Return the number of the last mark that holds one, or the last number of a finished text.

    Of ``Answer: 2 + 3 = 5`` it is 5. Where a mark holds something else than one number, or the last
    number is part of something, there is none.
    """
    start = 0
    last: Mark | None = None
    for mark in marks(said):
        last = last or mark
        found = marked(said, mark)
        if isinstance(found, Found):
            return None if _has_box_beside(said, mark) else _unless_retracted(said, found)
        if isinstance(found, Blocked):
            if mark.is_firm or mark.rule == "box":
                return None
            start = found.end
            break
    if not said.finished or is_unfilled(said, last):
        return None
    return last_value(said, start)


def _has_box_beside(said: Said, mark: Mark) -> bool:
    """Tell one of several boxes that "and", "or" or a comma joins: no number by itself."""
    if mark.rule != "box" or "box" not in said.low[max(0, mark.at - 400) : mark.at]:
        return False
    return _BOX_BESIDE.search(said.plain, max(0, mark.at - 400), mark.at) is not None


_BOX_BESIDE = re.compile(
    r"\\f?box(?:ed)?\s?\{[^{}]{1,80}\}[\s$]*(?:,|;|and|or|,\s*and|,\s*or)[\s$]*\Z", re.IGNORECASE
)


def key(answer: str) -> Hashable:
    """Return what equal numbers share: their value; of what is no number its words."""
    value_of = _whole_value(answer)
    return ("n", value_of) if value_of is not None else text_key(answer)


def value(text: str) -> Fraction | None:
    """Read one number with its unit, or None."""
    found = _whole_value(text)
    return found if isinstance(found, Fraction) else None


@lru_cache(maxsize=8192)
def _whole_value(text: str) -> Hashable | None:
    found = whole(text)
    return found.key if found else None


def whole(text: str) -> Quantity | None:
    """Read a text that is one number with its unit and nothing else."""
    plain = signs.plain(text)
    low = signs.lower(plain)
    start, end = undressed(plain, 0, len(plain))
    while (lead := _WHOLE_LEAD.match(low, start, end)) and lead.end() > start:
        start, end = undressed(plain, lead.end(), end)
        if lead[0].startswith("\\boxed") or lead[0].startswith("\\fbox"):
            end -= plain[end - 1 : end] == "}"
            start, end = undressed(plain, start, end)
    at = start
    brackets = plain[at : at + 1] == "(" and plain[end - 1 : end] == ")"
    if brackets and plain.find(")", at) == end - 1:
        at, end = at + 1, end - 1
        if plain[at : at + 1] in "$€£":  # an accountant's way to write a loss
            return None
    found = quantity(plain[:end], low[:end], at)
    if not isinstance(found, Quantity):
        return None
    rest = low[found.end : end].strip(" \t\n.,$")
    rest = rest.removesuffix("\\)").removesuffix("\\right").rstrip(" .")
    if rest.startswith("(") and rest.endswith(")") and len(rest) > 2:  # thirty-three (33)
        again = number(rest[1:-1], rest[1:-1], 0)
        return found if again and again.key == found.key and again.end == len(rest) - 2 else None
    return found if not rest or _EACH.fullmatch(rest) else None


_WHOLE_LEAD = re.compile(
    r"(?:\\displaystyle|\\f?box(?:ed)?\s?\{(?=[^{}]*(?:\{[^{}]*\}[^{}]*)*\}$)|\\\(|\\left\("
    r"|\$(?=-?[\d.\\][^$]*\$$)"
    r"|(?:about|approximately|approx\.?|roughly|around|exactly)(?=[ ])|≈|~|\\approx(?![a-z])|=)\s*"
)
_EACH = re.compile(r"(?:(?:per|each|of|every)(?![a-z])|an? (?=[a-z]{3}))[a-z '\\/]{0,40}|each")


def marked(said: Said, mark: Mark) -> Found | Blocked | None:
    """Read the number of one mark; None if it says nothing, Blocked if it says something else."""
    area = region(said, mark)
    if area is None:
        return None
    start, end = _content(said, mark, area)
    content = said.low[start:end].strip()
    first = content.partition(". ")[0]
    if not content or is_nothing(first.strip("*_` .")):
        return None
    if mark.is_negated:
        return Blocked(_sentence_end(said.low, start, end))
    if _NUMBERED.fullmatch(content):  # 1. 5: the first of several, or a part and its answer
        return Blocked(end)
    if area.sort == "lines" and "\n" not in content:
        line = said.low.rfind("\n", 0, start) + 1
        bullet = _BULLET.match(said.low, line, end)
        start = max(start, bullet.end() if bullet else start)
    found = within(said, start, end)
    if isinstance(found, Quantity):
        rule = mark.rule if area.sort in ("line", "tag", "box") else f"{mark.rule}, {area.sort}"
        if mark.rule == "####" and not mark.is_firm and said.plain[found.end : end].strip(" .*"):
            return None
        return Found(found.text, found.start, found.end, rule)
    if isinstance(found, Blocked) or mark.is_firm:
        if not mark.is_firm and mark.rule == "####":
            return None
        return Blocked(_sentence_end(said.low, start, end))
    return None


def _content(said: Said, mark: Mark, area: Region) -> tuple[int, int]:
    """Return where a mark's content stands: the value of a member, one cell of a row."""
    if mark.rule == "JSON member" and (inner := json_value(said, area.start)):
        return inner[:2]
    if said.plain[mark.start - 1 : mark.start] == "|":
        return cell(said.plain, area.start, area.end)
    return area.start, area.end


def within(said: Said, start: int, end: int) -> Quantity | Blocked | None:
    """Read the number that a marked content gives; Blocked where it gives several, or a part."""
    text, low = said.plain, said.low
    while start < end and text[start].isspace():
        start += 1
    if end - start > _LONGEST:
        return _leading(text, low, start, end) or Blocked(end)
    if "=" in low[start:end] or "≈" in low[start:end] or "\\approx" in low[start:end]:
        stop = _line_or_sentence(low, start, end)
        equals = [*_EQUALS.finditer(low, start, stop)]
        if equals:
            return _equated(said, start, stop, equals)
    found = _leading(text, low, start, end)
    if found is not None:
        return found
    stop = _line_or_sentence(low, start, end)
    inside = [*islice(quantities(text, low, start, stop), 2)]
    if not inside:
        return Blocked(stop) if _DIGITS.search(low, start, stop) else None
    only = inside[0]
    if len(inside) > 1 or isinstance(only, Blocked) or _NEGATION.search(low, start, only.start):
        return Blocked(stop)
    return only if is_alone(low, only.end) else Blocked(stop)


_DIGITS = re.compile(r"[0-9]")
_FACTOR_AFTER = re.compile(
    r"\)\s?(?:\*{1,2}(?=[\w(\\])|[\^×·!(+/]|\\(?:cdot|times|frac|sqrt|pi)|-\s?[0-9(])"
)
_LOSS = re.compile(r"\s*\((?:\s*\\?[$€£]\s?[0-9])")


def _leading(text: str, low: str, start: int, end: int) -> Quantity | Blocked | None:
    """Read the number that a content starts with; None if it starts with something else."""
    at = start if "0" <= text[start : start + 1] <= "9" else _past_lead(text, low, start, end)
    if at is None:
        return Blocked(end)
    end += text[end : end + 1] == "!"
    # In a formula an exclamation mark is a factorial; at the end of a sentence it is none.
    prose = text[end : end + 1] not in _IN_FORMULA
    if at >= end:
        return None
    if end < len(text):
        text, low = text[:end], low[:end]
    found = quantity(text, low, at, prose=prose)
    if found is None and at > start and text[at - 1] == "$":
        found = quantity(text, low, at - 1, prose=prose)
    if found is None:
        return None
    if isinstance(found, Blocked) or (
        text[found.end : found.end + 1] == ")" and _FACTOR_AFTER.match(text, found.end, end)
    ):
        return Blocked(found.end)
    if low.startswith("one", at) and FIRST.match(low, at) and _ONE_WHO.match(low, found.end):
        return None
    return found if is_alone(low, _past_dress(text, found.end, end)) else Blocked(end)


def _past_lead(text: str, low: str, start: int, end: int) -> int | None:
    """Return where a number may start after words such as "about"; None where it is compared."""
    lead = _LEAD.match(low, start, end)
    at = lead.end() if lead else start
    # Brackets around money are an accountant's way to write a loss.
    return None if _COMPARED.match(low, at, end) or _LOSS.match(text, start, end) else at


_ONE_WHO = re.compile(r" (?:of|that|who|which|where|is|can|has)\b")
_IN_FORMULA = frozenset("$}\\`<=≈")


def _past_dress(text: str, at: int, end: int) -> int:
    while at < end and (text[at] in "*_`\"')}$" or text.startswith(("\\)", "\\]"), at)):
        at += 2 if text[at] == "\\" else 1
    return at


def _equated(
    said: Said, start: int, stop: int, equals: list[re.Match[str]]
) -> Quantity | Blocked | None:
    """Read the number that a chain of equations comes to, or that it starts with."""
    low = said.low
    first = low[start : equals[0].start()]
    if _SEVERAL.search(low, start, stop):
        return Blocked(stop)
    bare = _COMMAND.sub(" ", first)
    left = _leading(said.plain, low, start, equals[0].start())
    places = [equals[-1].end()] if not equals[-1][0].endswith(("≈", "approx")) else []
    if not places:  # "= 10/3 ≈ 3.33": the exact value
        exact = equals[-2].end() if len(equals) > 1 else start
        places = [exact, equals[-1].end()]
    if len(equals) == 1 and _EQUATION.search(bare) and _OPERATION.search(bare):
        return Blocked(stop)
    for place in places:
        limit = min((one.start() for one in equals if one.start() >= place), default=stop)
        found = _leading(said.plain, low, place, limit)
        if isinstance(found, Quantity):
            return found
    return left if isinstance(left, Quantity) and len(equals) == 1 else Blocked(stop)


def _line_or_sentence(low: str, start: int, end: int) -> int:
    at = start
    while (stop := _SENTENCE.search(low, at, end)) is not None:
        if stop[0] == "\n" or low[start : stop.start()].strip():
            return stop.start()
        at = stop.end()
    return end


def _sentence_end(low: str, start: int, end: int) -> int:
    return max(_line_or_sentence(low, start, end), start)


def _unless_retracted(said: Said, found: Found) -> Found | None:
    places = retracted(said.low, found.end)
    if places is None:
        return found
    for place in places:
        stop = said.low.find("\n", place)
        again = _leading(said.plain, said.low, place, stop if stop >= 0 else len(said.low))
        if isinstance(again, Quantity):
            return Found(again.text, again.start, again.end, f"{found.rule}, corrected")
    return None


_ASKS = re.compile(
    r"(?:(?:could|can|would) you (?:please )?(?:tell|provide|clarify|specify|share|confirm)"
    r"|please (?:provide|clarify|specify|share)|i(?:'d| would)? need (?:more|further) (?:in|de))"
)
"""What says that the reply is a question back."""


def last_value(said: Said, start: int = 0) -> Found | None:
    """Return the last number of a text without a mark; an emphasised one comes first."""
    text, low = said.plain, said.low
    end = len(text.rstrip())
    if (" you " in low or "please " in low or "need " in low) and _ASKS.search(
        low, max(0, end - 400)
    ):
        return None
    for _ in range(_LINES):
        if end <= start:
            return None
        line = max(low.rfind("\n", start, end) + 1, start)
        if not COURTESY.match(low, line, end) and (found := _of_line(said, line, end)):
            return found if isinstance(found, Found) else None
        end = line - 1
    return None


def _of_line(said: Said, line: int, end: int) -> Found | Blocked | None:
    text, low = said.plain, said.low
    if end - line > _LONGEST:  # the end of a line, from a space on
        line = end - _LONGEST
        line = max(line, low.find(" ", line, end))
    has_digit = _START_DIGIT.search(text, line, end)
    if has_digit and _CODE.match(text, line, end):
        return Blocked(end)
    if not has_digit and not FIRST.search(low, line, min(end, line + _WORDS_LINE)):
        return None
    bullet = _ITEM.match(text, line, end)
    start = bullet.end() if bullet else line
    if found := _emphasised(said, start, end):
        return found
    if has_digit and _PARTS_OF.search(low, line, end):
        return Blocked(end)
    if not has_digit:
        return _last_in_words(said, start, end)
    if (told := _IS_THE_ANSWER.search(low, start, end)) and (
        found := _before(said, start, told.start())
    ):
        return found
    return Blocked(end) if _is_listed(low, line, end) else _last_in_figures(said, start, end)


def _last_in_figures(said: Said, start: int, end: int) -> Found | Blocked | None:
    low = said.low
    last = last_quantity(said.plain, low, start, end)
    if last is None:
        return None
    if last.end < end and (told := _in_words_after(said, last, end)):
        return told
    if (
        isinstance(last, Quantity)
        and not _joined(low, start, last)
        and not is_denied(low, last.end)
        and low[last.end : last.end + 1] != "?"
        and not _is_unreached(low, max(start, last.end - 160), last.end)
        and not _UNDETERMINED.search(low, start, end)
        and not _is_aside(low, start, last, end)
    ):
        return Found(last.text, last.start, last.end, "last number")
    return Blocked(end)


_WORD = re.compile(r"[(\s][a-z]{2}")


def _is_aside(low: str, start: int, last: Quantity, end: int) -> bool:
    """Tell a number in brackets with words, after another one: "11 (after 3 steps)"."""
    opened = low.rfind("(", start, last.start)
    closed = low.find(")", last.end, end)
    if opened < 0 or closed < 0 or low.find(")", opened, last.start) >= 0:
        return False
    has_word = _WORD.search(low, opened, closed) is not None
    return has_word and _START_DIGIT.search(low, start, opened) is not None


_IS_THE_ANSWER = re.compile(
    r"[*_$)]{0,4} (?:is|are|was) (?:(?:thus|therefore|then|indeed) )?(?:the|my|our)"
    r" (?:(?:final|correct|right|required|desired) )?(?:answer|result|solution)(?![a-z])"
)
_UNDETERMINED = re.compile(
    r"(?:can(?:no|'|’)t|can not|could not|couldn't|impossible to|unable to|not possible to"
    r"|no way to) (?:be )?(?:determine|comput|calculat|tell|know|say|answer|solve|find|found)"
    r"|(?:not enough|insufficient|too little|missing) (?:information|data|details)"
)
"""What says that there is no answer, whatever numbers stand beside it."""
_LISTED = re.compile(r"\s*(?:\(?(?:[a-h]|[0-9]{1,2})[.)]|[-*•+])\s+[-$]?[0-9]\S{0,20}\s*\Z")


_PARTS_OF = re.compile(r"(?:^|(?<=\s))\((?:1|a)\)\s[^\n]{0,200}?\s\((?:2|b)\)\s")
"""Several answers on one line: (a) 5 (b) 6."""


def _before(said: Said, start: int, end: int) -> Found | None:
    """Read the number right before what says that it is the answer."""
    last = last_quantity(said.plain[:end], said.low[:end], start, end)
    if isinstance(last, Quantity) and last.end == end and not _joined(said.low, start, last):
        return Found(last.text, last.start, last.end, "number said to be the answer")
    return None


def _is_listed(low: str, line: int, end: int) -> bool:
    """Tell the last of several answers: (a) 12, (b) 15, each on a line of its own."""
    if not _LISTED.match(low, line, end):
        return False
    above = low[max(0, line - 80) : line].rstrip()
    return bool(above) and _LISTED.match(above.rpartition("\n")[2]) is not None


def _is_unreached(low: str, start: int, end: int) -> bool:
    """Tell "there is no way to get 24"; most lines have none of its words."""
    before = low[start:end]
    if not ("no" in before or "n't" in before or "impossible" in before or "unable" in before):
        return False
    return _UNREACHED.search(low, start, end) is not None


def _in_words_after(said: Said, last: Quantity | Blocked, end: int) -> Found | None:
    """Read a number in words in a sentence after the last one in figures."""
    stop = _NEXT_SENTENCE.search(said.plain, last.end, end)
    if stop is None or not (first := FIRST.search(said.low, stop.end(), end)):
        return None
    if said.low.startswith("one ", first.start()):  # a pronoun, but in "one and a half"
        value = spelt(said.low, first.start())
        if value is None or value.value == 1:
            return None
    return _last_in_words(said, stop.end(), end)


_NEXT_SENTENCE = re.compile(r"[.!?][*_)\"']{0,3}\s+(?=[A-Z])")
_UNREACHED = re.compile(
    r"(?:(?<![a-z])(?:no|not|cannot|impossible|unable)(?![a-z])|n't)[^.!?\n,;:]{0,60}?(?<![a-z])"
    r"(?:obtain|reach|get|make|form|give|find|achieve|produce|create|equal|result in|arrive at"
    r"|get to|to)(?:ing)? (?:exactly )?[-$0-9.,/]{1,24}[ ]?[a-z]{0,12}$"
)


def _emphasised(said: Said, start: int, end: int) -> Found | None:
    text = said.plain
    bold = [*_BOLD.finditer(text, start, end)] if "**" in text[start:end] else []
    if len(bold) == 1:
        found = within(said, bold[0].start() + 2, bold[0].end() - 2)
        if isinstance(found, Quantity):
            return Found(found.text, found.start, found.end, "emphasised number")
    return None


def _last_in_words(said: Said, start: int, end: int) -> Found | None:
    """Read the last number in words, from its first word on: "three hundred and five"."""
    text, low = said.plain, said.low
    places = [
        first.start()
        for first in FIRST.finditer(low, start, end)
        if not (
            low.startswith("one", first.start())
            and (_SOME_ONE.search(low, start, first.start()) or _ONE_OF.match(low, first.end()))
        )
    ]
    for last in reversed(places):
        if not isinstance(found := quantity(text, low, last, prose=True), Quantity):
            continue
        for place in places[: places.index(last)]:
            wider = quantity(text, low, place, prose=True)
            if wider is None or wider.end < found.end:
                continue
            if isinstance(wider, Blocked):
                return None
            found = wider
            break
        return Found(found.text, found.start, found.end, "last number")
    return None


_CODE = re.compile(
    r"\s*(?:(?:async )?def \w+\(|return\b(?! to| of)|print\(|class \w+[(:]"
    r"|import \w+|from \w+ import|assert |#include"
    r"|(?:for|while|if|elif) .{1,80}:\s*\Z|function \w*\()"
)
"""A line of a program: what it would give is not known."""
_BULLET = re.compile(r"\s*(?:[-*•+]|[0-9]{1,2}[.)])\s+(?=\S)")
_NUMBERED = re.compile(r"[1-9]\.\s+[-$€£]{0,2}[0-9]\S{0,20}")
_ITEM = re.compile(r"\s*(?:[0-9]{1,3}[.)]|[-*•+])\s+(?=\S)")
_SOME_ONE = re.compile(
    r"(?<![a-z])(?:this|that|each|every|which|no|any|some|the|another|other|first|next|last|right"
    r"|correct|wrong|good|new|old|same|big|small)\s$"
)
_ONE_OF = re.compile(
    r" (?:of|that|who|which|where|is|was|can|could|has|would|should|by|way|thing)(?![a-z])"
)
"""Of the word "one" that counts nothing: "this one", "one of them"."""
_START_DIGIT = re.compile(r"[0-9⁰¹²³⁴-⁹½⅓⅔¼¾⅕⅖⅗⅘⅙⅚⅐⅛⅜⅝⅞⅑⅒]")
_JOINED = re.compile(
    r"(?:[0-9]|\b(?:from|between)\b[^.;\n]{0,40})[^.;,\n0-9]{0,20}\b(?:and|or|to)\s+(?:[a-z]\s?=\s?)?"
    r"[*_$(]{0,3}$"
    r"|[0-9]\s?%?(?: [a-z]{1,12})?(?: out)? of (?:(?:the|these|those|all|all the) )?[*_$(]{0,3}$"
)


def _joined(low: str, start: int, last: Quantity) -> bool:
    """Tell whether the last number is joined to one before: "5 apples and 3", "from 5 to 9"."""
    least = max(start, last.start - 80)
    before = low[least : last.start].rstrip("*_$( \t\n")
    if before.endswith("="):
        before = before[:-1].rstrip()[:-1].rstrip()
    if not before.endswith(("and", "or", "to", "of", "the", "these", "those")):
        return False
    return _JOINED.search(low, least, last.start) is not None
