"""Mathematics: the marked formula, or the last one; compared by value (`structures`)."""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from itertools import islice

from workspan.answers import number, structures
from workspan.answers.marks import Mark, is_placeholder, is_unfilled, marks
from workspan.answers.quantities import ASSIGNED, Quantity, is_denied, may_be_factorial, quantities
from workspan.answers.regions import cell, region, undressed
from workspan.answers.retracted import retracted
from workspan.answers.said import Found, Said, json_value
from workspan.answers.words import listed

_FORMULA = re.compile(
    r"(?<!\\)\$\$((?:[^$\\]|\\.){1,600}?)\$\$|(?<!\\)\$((?:[^$\n\\]|\\[^\n]){1,600})\$(?![0-9])|\\\[(.{1,600}?)\\\]|\\\((.{1,600}?)\\\)",
    re.DOTALL,
)
_REASON = re.compile(
    r"(?:,\s+|\s+[—–]\s+|\s+)(?:because|since|as (?:it|they|he|she|the|we|this|there)|so that"
    r"|where|which|"
    r"due to|given that|when|while)(?![a-z])"
)
_SENTENCE = re.compile(r"(?<!\.\.)[.!?](?=[*_\"')]{0,3}(?:\s+[A-Z*_\\$(]|\s*$))")
_WORD = re.compile(r"(?<![\\A-Za-z{])[A-Za-z]{2,}")
_MATHS_WORDS = listed(
    "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh ln log exp sqrt pi and or mod"
    " gcd lcm"
    " max min lim det abs frac"
)
_LEAD = re.compile(
    r"(?:\s|:|(?:about|approximately|exactly|simply|just|therefore|thus|then|equal to|is"
    r"|that)(?![a-z]))*"
)
_AND = re.compile(
    r"[\s$.]*(?:,|;|and|or|,\s*and|,\s*or)[\s$]*(?:[a-z]\s*=\s*)?\$?\s*$", re.IGNORECASE
)
_EMPHASIS = re.compile(r"[*_]{1,3}(?=\$|\\\()")
_JOINT = re.compile(r"\s*(?:,|;|and|or|,\s*and|,\s*or)\s*")
_JOINED_TO = re.compile(r"(?:to|or|and|-|–|/)\s*[\d$]")
_CASES = 8
_LONGEST = 600
_LINE = 4_000


def read(said: Said) -> Found | None:
    """Return the last marked answer, or the last formula or number of a finished text.

    Boxes that only "and", "or" or a comma part are one answer of several.
    """
    last: Mark | None = None
    ordered = marks(said)
    for mark in ordered:
        last = last or mark
        found = _marked(said, mark)
        if found is None:
            if mark.is_negated:
                return None
            continue
        if not found.answer:
            return None
        if mark.rule == "box":
            found = _with_boxes_before(said, found, mark, ordered)
        return _unless_retracted(said, found)
    return _last(said) if said.finished and not is_unfilled(said, last) else None


def _marked(said: Said, mark: Mark) -> Found | None:
    """Read one mark; an empty answer says that it holds none that can be read."""
    area = region(said, mark)
    if area is None or mark.is_negated:
        return None
    if mark.rule == "JSON member":
        inner = json_value(said, area.start)
        if inner is not None and inner[2] not in (None, ""):
            content = inner[2] if isinstance(inner[2], str) else said.text[inner[0] : inner[1]]
            return Found(content.strip(), inner[0], inner[1], mark.rule)
    start, end = undressed(said.plain, area.start, area.end)
    content = said.low[start:end] if end - start < _LONGEST else ""
    if start >= end or content == "n/a" or is_placeholder(content):
        return None
    if area.sort in ("line", "lines"):
        return _line(said, mark, start, end)
    if mark.rule == "####" and not mark.is_firm:
        return None
    rule = mark.rule if area.sort in ("box", "tag") else f"{mark.rule}, {area.sort}"
    return _formula(said, start, end, rule)


def _line(said: Said, mark: Mark, start: int, end: int) -> Found | None:
    """Read the rest of a line: a formula in dollars, a number and its words, or a bare formula."""
    text, low = said.plain, said.low
    if end - start > _LINE:  # a part of it would be a guess
        return Found("", start, end, mark.rule)
    if text[mark.start - 1 : mark.start] == "|":  # a row of a table
        start, end = cell(text, start, end)
    lead = _LEAD.match(low, start, end)
    start = lead.end() if lead else start
    start, end = undressed(text, start, end)
    if text[start - 1 : start] == "$" or text.startswith(("\\(", "\\["), start - 2):
        return _formula(said, start, end, mark.rule)
    emphasis = _EMPHASIS.match(text, start, end)
    inline = _FORMULA.match(text, emphasis.end() if emphasis else start, end)
    if inline is not None:
        return _inline(said, mark, inline, end)
    start, end = _before_reason(said, mark, start, end)
    return _of_words(said, mark, start, end) if start < end else None


def _before_reason(said: Said, mark: Mark, start: int, end: int) -> tuple[int, int]:
    """Leave out a second sentence, a reason, and emphasis that opened before the mark."""
    text = said.plain
    stop = _SENTENCE.search(text, start, end)
    if stop and not (stop[0] == "!" and _is_factorial(text, start, stop.start())):
        end = stop.start()
    reason = _REASON.search(said.low, start, end)
    if reason and reason.start() > start:
        end = reason.start()
    start, end = undressed(text, start, end)
    if text.endswith("**", start, end) and text.count("**", start, end) % 2:
        end -= 2
    elif mark.opener and text.endswith("*", start, end) and text.count("*", start, end) % 2:
        end -= 1
    return undressed(text, start, end)


def _is_factorial(text: str, start: int, at: int) -> bool:
    """Tell n! and 5!/3! from the end of a sentence: 42!"""
    before, further = text[at - 1 : at], text[max(start, at - 2) : at - 1]
    if before.isalpha():
        return not further.isalpha()
    if before in ")}" or any(sign in text[start:at] for sign in "!/*^(+"):
        return True
    value = number.value(text[start:at]) if at - start < 4 else None
    return value is not None and may_be_factorial(value)


def _of_words(said: Said, mark: Mark, start: int, end: int) -> Found | None:
    """Read a formula among words: a number with its unit, one formula in dollars, or all of it."""
    text, low = said.plain, said.low
    words = _words(low, start, end)
    if not words:
        return _formula(said, start, end, mark.rule)
    if not mark.is_firm and _VERDICT.fullmatch(low, start, end):
        return None
    area = number.within(said, start, end)
    if isinstance(area, Quantity):
        return Found(area.text, area.start, area.end, mark.rule)
    formulas = [*_FORMULA.finditer(text, start, end)]
    if len(formulas) == 1 and (
        mark.is_firm or not any(isinstance(q, Quantity) for q in quantities(text, low, start, end))
    ):
        return _formula(said, *_inside(formulas[0]), mark.rule)
    if mark.is_firm or (len(words) <= 4 and not formulas):
        return _formula(said, start, end, mark.rule)
    return None


def _words(low: str, start: int, end: int) -> list[str]:
    return [word for word in _WORD.findall(low[start:end]) if word not in _MATHS_WORDS]


_VERDICT = re.compile(
    r"(?:indeed |therefore |thus )?(?:correct|right|wrong|incorrect|verified|confirmed|reasonable)"
)


def _inside(found: re.Match[str]) -> tuple[int, int]:
    group = next(i for i in range(1, 5) if found[i] is not None)
    return found.start(group), found.end(group)


def _inline(said: Said, mark: Mark, first: re.Match[str], end: int) -> Found | None:
    """Read a formula in dollars, and those that are joined to it; words after it are a reason."""
    text = said.plain
    last = first
    while following := _FORMULA.search(text, last.end(), end):
        if not _JOINT.fullmatch(text, last.end(), following.start()):
            break
        last = following
    if last is first and not is_denied(said.low, last.end()):
        after = text[first.end() : first.end() + 24].lstrip()
        if after.startswith(("\\%", "%", ".", ",")) or not _JOINED_TO.match(after):
            return _formula(said, *_inside(first), mark.rule)
    if is_denied(said.low, last.end()):
        return Found("", first.start(), end, mark.rule)
    return Found(
        said.text[first.start() : last.end()].strip(),
        first.start(),
        last.end(),
        f"{mark.rule}, several",
    )


def _formula(said: Said, start: int, end: int, rule: str) -> Found | None:
    """Return a formula: of a chain of equations what it comes to, of a number its digits."""
    text = said.plain
    start, end = undressed(text, start, end)
    if not text.isascii() and (polite := _POLITE.search(text, start, end)):
        end = polite.start()
    while end > start and text[end - 1] in ". ," and not text.endswith(("\\,", "..."), start, end):
        end -= 1
    start, end = undressed(text, start, end)
    if start >= end:
        return None
    content = text[start:end]
    if "\\begin{" in content or "\\end{" in content:
        start, end = _of_rows(text, start, end)
    elif (
        "=" in content
        and not _DENIES.search(said.low, start, end)
        and not _ASSIGNED.search(content)
    ):
        start += structures.end_of_chain(content)
    while start < end and text[start] == " ":
        start += 1
    content = said.text[start:end]
    return Found(content, start, end, rule) if content.strip() else None


def _of_rows(text: str, start: int, end: int) -> tuple[int, int]:
    """Return where what aligned rows come to stands; all of them where they are no chain."""
    whole = _ROWS.fullmatch(text, start, end)
    if whole is None:
        return start, end
    rows = whole["rows"].split("\\\\")
    is_chain = all(row.lstrip(" \n\t&").startswith("=") for row in rows[1:])
    if not is_chain or (len(rows) == 1 and not _NAMED.match(rows[0])):
        return start, end
    equal = whole["rows"].rfind("=")
    return (whole.start("rows") + equal + 1, whole.end("rows")) if equal >= 0 else (start, end)


_POLITE = re.compile(r"(?<=[0-9)}$])\s?(?:です|である|だ|입니다|이다)?[。．]?\Z(?<=[^0-9)}$])")
"""How a sentence in Japanese or Korean ends after its value."""
_ROWS = re.compile(
    r"\\begin\{(?P<name>align|aligned|alignat|split|gather|gathered|equation|eqnarray)\*?\}"
    r"(?P<rows>.*?)(?:\\\\)?\s*\\end\{(?P=name)\*?\}",
    re.DOTALL,
)
_NAMED = re.compile(r"\s*&?\s*[A-Za-z]\w?\s*&?\s*=[^=]+\Z")
_ASSIGNED = re.compile(ASSIGNED)
_DENIES = re.compile(r"(?<![a-z])(?:not|never|cannot|impossible)(?![a-z])|n't(?![a-z])")


def _with_boxes_before(said: Said, found: Found, last: Mark, before: Iterator[Mark]) -> Found:
    """Join a box to those before it that belong to the same answer."""
    answers, start = [found.answer], last.at
    for mark in islice(before, _CASES):
        if mark.rule != "box" or mark.end + 1 > start:
            break
        if not _AND.fullmatch(said.plain[mark.end + 1 : start]):
            break
        one = _marked(said, mark)
        if one is None:
            break
        answers.append(one.answer)
        start = mark.at
    if len(answers) == 1:
        return found
    return Found(", ".join(reversed(answers)), start, found.end, "boxes")


def _unless_retracted(said: Said, found: Found) -> Found | None:
    places = retracted(said.low, found.end)
    if places is None:
        return found
    text = said.plain
    for place in places:
        stop = _SENTENCE.search(text, place)
        line = text.find("\n", place)
        end = min(
            one for one in (stop.start() if stop else len(text), line if line >= 0 else len(text))
        )
        inline = _FORMULA.match(text, place, end)
        if inline:
            return _formula(said, *_inside(inline), f"{found.rule}, corrected")
        area = number.within(said, place, end)
        if isinstance(area, Quantity) and area.start <= place + 2:
            return Found(area.text, area.start, area.end, f"{found.rule}, corrected")
    return None


def _last(said: Said) -> Found | None:
    """Return the last formula of a text without a mark, or the last number after it."""
    text = said.plain
    if bare := _bare(said) or _matrix(said) or _equations(said):
        return bare
    formulas = _formulas(text) if "$" in text or "\\(" in text or "\\[" in text else []
    while formulas and _NAME.fullmatch(text, *formulas[-1][:2]):
        formulas.pop()
    tail = formulas[-1][2] if formulas else 0
    after = number.last_value(said, tail)
    if after is not None:
        return after
    if not formulas:
        return _told(said)
    if any(char.isdecimal() for char in text[tail:]):
        return None
    if several := _several(said, formulas):
        return several
    return _formula(said, *formulas[-1][:2], "last formula")


def _several(said: Said, formulas: list[tuple[int, int, int]]) -> Found | None:
    """Join the last formulas that only "and", "or" or a comma part, as parts of one answer."""
    text = said.plain
    opened = [start - 1 - _double(text, start) for start, _, _ in formulas[-_CASES:]]
    ended = [end for _, _, end in formulas[-_CASES:]]
    first = len(opened) - 1
    while (
        first
        and _JOINT.fullmatch(text, ended[first - 1], opened[first])
        and not _NAME.fullmatch(text, *formulas[-_CASES:][first - 1][:2])
    ):
        first -= 1
    if first == len(opened) - 1 or _SPAN.search(text, max(0, opened[first] - 12), opened[first]):
        return None
    start, end = opened[first], ended[-1]
    return Found(said.text[start:end], start, end, "last formulas")


_SPAN = re.compile(r"\b(?:between|from)\s+$", re.IGNORECASE)


def _double(text: str, at: int) -> int:
    """Return how many signs more than one open the formula whose content starts at a place."""
    return int(text.startswith(("$$", "\\(", "\\["), at - 2))


_EQUATIONS = re.compile(
    r"(?<![\w\\])[A-Za-z]\s?=\s?[-+]?[0-9][^\s,;=]{0,30}"
    r"(?:\s*(?:,\s*(?:and|or)\s|,|and\s|or\s)\s*(?:[A-Za-z]\s?=\s?)?[-+]?[0-9][^\s,;=]{0,30})+\Z"
)
"""Solutions side by side at the end of a sentence: x = 2 or x = -3."""


def _equations(said: Said) -> Found | None:
    text = said.plain
    end = len(text.rstrip().rstrip("."))
    line = max(text.rfind("\n", 0, end) + 1, end - _LONGEST)
    if text.count("=", line, end) < 1 or not (found := _EQUATIONS.search(text, line, end)):
        return None
    return Found(said.text[found.start() : end], found.start(), end, "last equations")


def _bare(said: Said) -> Found | None:
    """Read a last line that is one formula without a word: (1, -2), 3 + 4, x <= 5, 6:7."""
    text, low = said.plain, said.low
    stop = len(text.rstrip())
    begin = max(text.rfind("\n", 0, stop) + 1, stop - _LONGEST)
    labelled = _ASIDE.match(low, begin, stop)
    start, end = undressed(text, labelled.end() if labelled else begin, stop)
    if (
        start >= end
        or low.startswith("\\boxed", start)
        or not _TERMS.search(text, start, end)
        or not _CHARS.fullmatch(text, start, end)
    ):
        return None
    if text.count("{", start, end) != text.count("}", start, end):
        return None
    if text.count("\\begin", start, end) != text.count("\\end", start, end):
        return None
    if _ITEM.match(text, start, end) or _words(low, start, end):
        return None
    return _formula(said, start, end, "last line, a formula")


_TELLS = re.compile(
    r"(?<![a-z\\])(?:is|are|equals|be|get|gets|have|gives|makes|yields|obtain|obtained|becomes)"
    r"(?: (?:thus|therefore|then|simply|just|equal to|exactly))?:?\s+(?=\S)"
)
_SUPPOSED = re.compile(
    r"(?<![a-z])(?:if|suppose|assume|let|whether|when|for|unless|except|maybe|perhaps|might|not|no"
    r"|never|cannot|and|or|need(?:s|ed)? to|must|have to|want to|try(?:ing)? to)(?![a-z])|n't"
)


_REMARK = re.compile(r"[0-9]\s\(")
"""What stands in brackets after a number: 5 (3 + 2)."""


def _told(said: Said) -> Found | None:
    """Read a bare formula that ends the last sentence: "so the area is 3\\pi."."""
    text, low = said.plain, said.low
    stop = len(text.rstrip().rstrip("."))
    if stop < 1 or text[stop - 1] in "?!:":
        return None
    start = max(text.rfind("\n", 0, stop) + 1, stop - _LONGEST)
    for sentence in _SENTENCE.finditer(text, start, stop):
        start = sentence.end()
    if _SUPPOSED.search(low, start, stop):
        return None
    for told in _TELLS.finditer(low, start, stop):
        begin = told.end()
        if (
            _CHARS.fullmatch(text, begin, stop)
            and _TERMS.search(text, begin, stop)
            and not _words(low, begin, stop)
            and not _ITEM.match(text, begin, stop)
            and not _REMARK.search(text, begin, stop)
            and text.count("{", begin, stop) == text.count("}", begin, stop)
        ):
            return _formula(said, begin, stop, "last sentence, a formula")
    return None


_ASIDE = re.compile(r"\s*(?:a|ans|result|solution)\s?:\s+")
_MATRIX_END = re.compile(
    r"\\end\{((?:[a-zA-Z]?matrix|array)\*?)\}(?:\s|\\right\s?[)\]|.}]|[.$])*\Z"
)
_RIGHT = re.compile(r"\s*\\right\s?[)\]|.}]")
_MATRIX_START = re.compile(
    r"(?:[A-Za-z](?:\^\{?-?\w\}?)?\s?=\s?)?(?:\\left\s?[(\[|.{\\]{1,2}\s{0,4})?\Z"
)


def _matrix(said: Said) -> Found | None:
    """Read a text that ends on a matrix over several lines, in dollars or without them."""
    text = said.plain
    if "\\end{" not in text[-80:] or not (last := _MATRIX_END.search(text, max(0, len(text) - 80))):
        return None
    opening = f"\\begin{{{last[1]}}}"
    begin = text.rfind(opening, max(0, last.start() - _LONGEST), last.start())
    if begin < 0 or "\n" not in text[begin : last.start()]:
        return None
    lead = _MATRIX_START.search(text, max(0, begin - 24), begin)
    start = lead.start() if lead else begin
    end = last.start() + len(f"\\end{{{last[1]}}}")
    if right := _RIGHT.match(text, end):
        end = right.end()
    return _formula(said, start, end, "last formula")


_CHARS = re.compile(r"[\w\s.,;:()\[\]{}\\+\-*/^=<>≤≥≠≈±√π∞°%!|·×⁰¹²³⁴-⁹₀-₉∪∩&$]+")
_TERMS = re.compile(r"[(\[{]|[-+*/^=<>≤≥≠±√π∞:×·²³]|\\[a-z]|[0-9]\s*,|(?:and|or)\s")
_ITEM = re.compile(
    r"[-*•+]\s|\(?[0-9]{1,3}[.)]\s|[0-9]{1,4}[-/][0-9]{1,2}[-/][0-9]{1,4}$|[0-9]+-[0-9][-0-9]*$|[-+]?[0-9.,]+%?$"
)
_NAME = re.compile(r"\s*[A-Za-z]\s*")
_DELIMITER = re.compile(r"\\\$|\$\$?|\\[\[\]()]|\n")
_CLOSES = {"$": "$", "$$": "$$", "\\[": "\\]", "\\(": "\\)"}


def _formulas(text: str) -> list[tuple[int, int, int]]:
    """Return where each formula's content starts and ends, and where its closing sign ends."""
    found: list[tuple[int, int, int]] = []
    opening, start = "", 0
    for sign in _DELIMITER.finditer(text):
        if opening == "$" == sign[0] and text[sign.end() : sign.end() + 1].isdecimal():
            start = sign.end()  # $5 and $6: money, no formula
        elif opening and sign[0] == _CLOSES[opening]:
            if 0 < sign.start() - start <= _LONGEST and text[start : sign.start()].strip():
                found.append((start, sign.start(), sign.end()))
            opening = ""
        elif sign[0] == "\n":
            if opening == "$" and not _is_inside(text, start, sign.start()):
                opening = ""
        elif sign[0] in _CLOSES and (not opening or sign.start() - start > _LONGEST):
            opening, start = sign[0], sign.end()
    return found


def _is_inside(text: str, start: int, at: int) -> bool:
    """Tell a line break within a matrix."""
    if at - start > _LONGEST:
        return False
    return text.count("\\begin{", start, at) > text.count("\\end{", start, at)


def key(answer: str, seconds: float | None = None) -> Hashable:
    """Return what equal formulas share; `said.CUT` with it where the time was up."""
    return structures.key(answer, seconds)
