"""Multiple choice: one option letter. Words are not letters: "A car", "I think", "vitamin C"."""

from __future__ import annotations

import re
from collections.abc import Hashable

from workspan.answers import signs
from workspan.answers.marks import Mark, is_unfilled, marks
from workspan.answers.regions import region
from workspan.answers.retracted import retracted
from workspan.answers.said import Found, Said, json_value

_TEX = r"(?:\\(?:text|mathrm|mathbf|textbf|boxed|rm)\s?\{\s*)*"
_LEAD = re.compile(
    rf"(?:[\s*_`\"'$:>]|\\\(|\\\[|(?:definitely|clearly|therefore|thus|most likely|probably"
    rf"|likely|hence|simply"
    rf"|option|choice|letter|answer|statement|alternative|indeed|i think|i believe|i'd say|it's"
    rf"|it is|is|be|the)(?![a-z])|{_TEX[:-1]}+)*",
    re.IGNORECASE,
)
_BRACKETED = re.compile(r"[(\[]\s?([A-Za-z])\s?[)\]]")
_DRESS = r"(?:[\[(*_`\"$]|\\\(|\\(?:text|mathrm|mathbf|textbf|rm)\s?\{)"
_LETTER = re.compile(r"([A-Za-z])(?![A-Za-z0-9'’+#\-])")
_CLOSED = re.compile(r"(?!\s*/)\s*(?:[).:,;\]}|*_`\"'$!?—–=\\]|-\s|$|\n)")
_GOES_ON = re.compile(
    r"\s+(?:because|since|as|is|was|and|or|due|for|given|by|which|would|must|should|seems|looks"
    r"|rather|instead|over|not|\(|-|—|–|=)(?![a-z])",
    re.IGNORECASE,
)
_SECOND = re.compile(
    r"[\s).\]*_`\"}]{0,4}(?:\s*(?:,|/|&|\band\b|\bor\b|,\s*and|,\s*or))\s*(?:option "
    r"|choice )?[(\[*]{0,3}([A-Z])[)\]*]{0,3}(?![A-Za-z'])"
)
_NOT = re.compile(r"(?:not|neither|none|cannot|unclear|unknown|isn't|no)(?![a-z])", re.IGNORECASE)
_LINE = re.compile(
    rf"(?:[\s>#]|{_DRESS})*(?:(?:option|choice|answer"
    rf"|letter)\s*+[:.]?\s*+)?{_DRESS}{{0,8}}([A-Za-z])(?:[)\]*_`\"}}$]|\\\)){{0,4}}"
    r"(?:\s*(?:[.):\-–—]\s*\S.*|[.!:]?\s*[*_`\"]*))?",
    re.IGNORECASE,
)
_STRONG = re.compile(
    r"(?:(?<![a-z])(?:option|choice|letter|alternative|say|choose|chose|pick|select|going with"
    r"|go with|it's|it is|be|选|选择|选项)\s?"
    r"[:*_`\"]{0,4}\s?(?:option |choice )?"
    r"(?:[*_`\"$]|\\\(|\\(?:text|mathrm|mathbf|textbf)\s?\{){0,3}"
    r"(?:[(\[]([A-Za-z])[)\]]"
    r"|((?-i:[A-Z]))(?![A-Za-z'’0-9+#\-])))"
    r"|[(\[]((?-i:[A-Z]))[)\]](?!\s?=)"
    r"|(?<![A-Za-z'’0-9(\-])((?-i:[A-Z]))[*_`\"]{0,3}(?=\s(?:is|must be"
    r"|would be)\s(?:the\s)?(?:\w+\s)?(?:correct|right|best|true|answer))"
    r"|(?<![A-Za-z'’0-9\-])((?-i:[A-Z]))(?=[.!*_\"]{0,4}$)",
    re.IGNORECASE | re.MULTILINE,
)
_RIGHT = re.compile(
    r"[)\]*_`\"]{0,3}\s(?:is|must be)\s(?:the\s)?(?:\w+\s)?(?:correct|right|best|answer)",
    re.IGNORECASE,
)
_WRONG = re.compile(
    r"[)\]*_`\"]{0,3}\s(?:is|are|can't be|cannot be)\s(?:\w+\s)?(?:wrong|incorrect|not|false|out"
    r"|ruled|eliminated)",
    re.IGNORECASE,
)
_EITHER = re.compile(r"[\s*_]*(?:either|both|one of|between|neither)(?![a-z])")
_JOINED = re.compile(
    r"(?<![A-Za-z0-9'])[(\[*]{0,3}[A-Z][)\]*]{0,3}\s*(?:/|&|,? or |,? and |,\s*)(?:option )?"
    r"[(\[*]{0,3}[A-Z][)\]*]{0,3}(?![A-Za-z0-9'])"
)
_REASONED = re.compile(
    rf"{_DRESS}*+([A-Z])(?:[)\]*_`\"}}$]|\\\)){{0,4}}"
    r"(?:,?\s(?:not|rather than|instead of|and not|because|since|as)\s|\s[-–—]\s(?=\S))"
)
"""A letter and what is said about it, on a line of its own."""
_DENIED = re.compile(
    r"(?:(?<![a-z])(?:not|nor|neither|so (?:can|is|are|does)|rather than|instead of|than|without"
    r"|over|rul(?:e|es|ed|ing) out|eliminat\w{1,3}|exclud\w{1,3}|reject\w{0,3})|n't)\s+"
    r"(?:be |option |choice |either )*[(\[*]{0,3}$",
    re.IGNORECASE,
)
_LEADS_TO = re.compile(
    r"(?<![a-z])(?:leaves?(?: us with)?|leaving|is|be|so|hence|thus|therefore|choose|pick|select"
    r"|say|with)[*_:(\s]{1,4}$",
    re.IGNORECASE,
)
_NAME_OF = re.compile(
    r"(?<![a-z])(?:vitamin|hepatitis|type|grade|plan|group|class|team|point|appendix|schedule|section"
    r"|figure|table|part|vector|matrix|angle|side|set|event|city|town|person|player)s? $",
    re.IGNORECASE,
)
"""A word whose letter is a name: vitamin C."""
_STATEMENT = re.compile(r"(?<![a-z])(?:statement|claim|premise|assertion) $", re.IGNORECASE)
_FIRST = re.compile(
    rf"\s*{_DRESS}*+([A-HJ-Z])(?:[)\]*_`\"}}$]|\\\)){{0,4}}[.:]?[*_`]{{0,2}}[ \t]*(?=\n[ \t]*\n|\Z)"
)
"""A letter alone, before an empty line."""
_SENTENCE = re.compile(r"[.!?](?=\s+[A-Z])|\n")
_LONGEST_LINE = 2_000
_LINES = 60
_LETTERS = 8


def read(said: Said) -> Found | None:
    """Return the letter of the last mark that says one, or the one that a finished text ends on."""
    last: Mark | None = None
    for mark in marks(said):
        last = last or mark
        found = _marked(said, mark)
        if found is not None:
            if found.answer == "":
                return None
            return _unless_retracted(said, found)
    return _last(said) if said.finished and not is_unfilled(said, last) else None


def key(answer: str) -> Hashable:
    """Return the letter, of an option with its words too."""
    bare = answer.strip(" ().*_`\"'")
    if len(bare) > 1 and (said := _leading(signs.plain(answer), 0, len(answer))) and said[0]:
        bare = said[0]
    return ("c", bare.upper())


def _marked(said: Said, mark: Mark) -> Found | None:
    """Read a mark; an empty answer says that it names no letter or several."""
    area = region(said, mark)
    if area is None:
        return None
    start, end = area.start, min(area.end, area.start + _LONGEST_LINE)
    if mark.rule == "JSON member" and (inner := json_value(said, start)):
        start, end = inner[:2]
    if mark.is_negated:
        return Found("", start, end, mark.rule)
    found = _leading(said.plain, start, end)
    if found is not None:
        return Found(found[0], found[1], found[2], mark.rule)
    sentence = _SENTENCE.search(said.plain, start, end)
    stop = sentence.start() if sentence else end
    if _EITHER.match(said.low, start, end) or _JOINED.search(said.plain, start, stop):
        return Found("", start, end, mark.rule)
    letters = {
        (one[1] or one[2] or one[3] or one[4] or one[5]).upper(): one
        for one in _STRONG.finditer(said.plain, start, stop)
        if not _NAME_OF.search(said.plain, max(start, one.start() - 16), one.start())
    }
    if _NOT.search(said.plain, start, stop):
        return Found("", start, end, mark.rule)
    if len(letters) == 1:
        letter, one = next(iter(letters.items()))
        return Found(letter, one.start(), one.end(), mark.rule)
    return Found("", start, end, mark.rule) if letters else None


def _leading(text: str, start: int, end: int) -> tuple[str, int, int] | None:
    """Read the letter that a content starts with; "" if it starts with several."""
    lead = _LEAD.match(text, start, end)
    at = lead.end() if lead else start
    bracketed = _BRACKETED.match(text, at, end)
    letter = bracketed or _LETTER.match(text, at, end)
    if letter is None:
        return None
    name, after = letter[1], letter.end()
    second = _SECOND.match(text, after, end)
    if second and ("/" in second[0] or "&" in second[0]):
        return "", at, end
    if not bracketed and not _CLOSED.match(text, after, end):
        if name in "AaIi" or name.islower():
            if not _GOES_ON.match(text, after, end):
                return None
        elif re.match(r"\s+\S", text[after : after + 8]) is None:
            return None
    if (
        second
        and second[1].upper() != name.upper()
        and not (second[1] in "AI" and text[second.end() : second.end() + 1] == " ")
    ):
        return "", at, end
    return name.upper(), at, after


def _unless_retracted(said: Said, found: Found) -> Found | None:
    places = retracted(said.low, found.end)
    if places is None:
        return found
    for place in places:
        again = _leading(said.plain, place, min(len(said.plain), place + 80))
        if again is not None and again[0]:
            return Found(*again, f"{found.rule}, corrected")
    return None


def _last(said: Said) -> Found | None:
    text = said.plain
    end = len(text.rstrip())
    is_last = True
    if (first := _FIRST.match(text)) and not _FIRST.match(text, text.rfind("\n", 0, end) + 1):
        return Found(first[1].upper(), first.start(1), first.end(1), "letter, then its reason")
    for _ in range(_LINES):
        if end <= 0:
            return None
        line = max(text.rfind("\n", 0, end) + 1, end - _LONGEST_LINE)
        if is_last and (told := _REASONED.match(text, line, end)):
            return Found(told[1], told.start(1), told.end(1), "letter with its reason")
        alone = _LINE.fullmatch(text, line, end)
        if (
            alone
            and not _SECOND.match(text, alone.end(1), end)
            and _is_option(alone, is_last=is_last)
            and not _is_one_of_a_list(text, alone)
        ):
            return Found(
                alone[1].upper(), alone.start(1), alone.end(1), "letter on a line of its own"
            )
        found = _in_prose(text, line, end)
        if found is not None:
            return found if found.answer else None
        if text[line:end].strip():
            is_last = False
        end = line - 1
    return None


def _is_one_of_a_list(text: str, last: re.Match[str]) -> bool:
    """Tell the last of the options, each with a word about it, from an answer with its words."""
    if not text[last.end(1) : last.end()].strip(' *_`").]:}$\\'):
        return False
    above = text[max(0, last.start() - 300) : last.start()].rstrip().rpartition("\n")[2]
    other = _LINE.fullmatch(above)
    return (
        other is not None
        and ord(last[1].upper()) - ord(other[1].upper()) == 1
        and bool(above[other.end(1) :].strip(' *_`").]:}$\\'))
    )


def _is_option(line: re.Match[str], *, is_last: bool) -> bool:
    """Tell an answer from one of the options listed, and from a sentence."""
    rest = line.string[line.end(1) : line.end()].strip(' *_`")].:}$\\')
    if not rest:
        return True
    if re.search(rf"(?<![A-Za-z])[(\[]?{chr(ord(line[1].upper()) + 1)}[)\].:]\s", rest):
        return False  # (A) 5 (B) 6: all of them
    if re.match(
        r"(?:is|are|was|were|can|cannot|could|would|must|seems?|looks|and|or|has|have)(?![a-z])",
        rest,
    ):
        return False
    return (
        is_last
        and line[1].isupper()
        and re.match(r"[)\]*_`\"]*\s*[.):]", line.string[line.end(1) :]) is not None
    )


def _in_prose(text: str, line: int, end: int) -> Found | None:
    """Read the letter that a line names as an option; an empty answer for several."""
    ones = [*_STRONG.finditer(text, line, end)]
    if not ones:
        return None
    named: dict[str, re.Match[str]] = {}
    denied = is_joined = False
    joined = [(both.start(), both.end()) for both in _JOINED.finditer(text, line, end)]
    for one in ones:
        letter = one[1] or one[2] or one[3] or one[4] or one[5]
        if (
            one[5]
            and letter in "AI"
            and not _LEADS_TO.search(text, max(line, one.start() - 16), one.start())
        ):
            continue
        if (one[4] or one[5]) and _NAME_OF.search(text, max(line, one.start() - 16), one.start()):
            continue
        place = one.start(one.lastindex or 0)
        beside = any(start <= place < stop for start, stop in joined[-_LETTERS:])
        is_joined = is_joined or beside
        if beside or _DENIED.search(text, max(line, one.start() - 40), place):
            denied = True
            continue
        if one is not ones[-1] and _STATEMENT.search(text, max(line, place - 16), place):
            continue  # statement A is true, so B
        if _RIGHT.match(text, one.end()) or one[4]:
            return Found(letter.upper(), one.start(), one.end(), "letter in the last sentence")
        if not _WRONG.match(text, one.end()):
            named[letter.upper()] = one
    if len(named) != 1 or is_joined:
        return Found("", line, end, "several letters") if named or denied else None
    letter, one = next(iter(named.items()))
    return Found(letter, one.start(), one.end(), "letter in the last sentence")
