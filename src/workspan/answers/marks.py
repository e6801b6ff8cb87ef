r"""Marks of an answer: what a model was asked to write, or writes by habit.

``\boxed{...}``, ``<answer>...</answer>``, ``#### ...``, ``Answer: ...``, ``the answer is ...``, a
heading "Final answer", ``"answer": ...`` in JSON, and the word for "answer" in other languages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple

from workspan.answers.quantities import is_denied
from workspan.answers.said import Said
from workspan.answers.words import listed

_MARKS = 24
"""Marks of a sort that are looked at, the last ones: hostile text is read in linear time."""
_BRACES = 2_000
_ENDING = 400

DRESS = "*_`\"' \t"
_LABEL = re.compile(
    r"answers?(?: (?:choice|option|letter))?(?:[ \t]?\([^()\n]{0,60}\))?[*_`\"']{0,4}"
    r"(?: (?:to|for|of|here)\b[^.:=|\n]{0,80}?)?[*_`\"')\]]{0,4}[ \t]{0,4}"
    r"(?P<sign>:|=|->|→|\||(?<![a-z])(?:(?:is|are|was)(?P<not> not|n't)?"
    r"|(?:would|should|must|will|has to) be|(?:comes|works) out (?:to|as)|comes to"
    r"|equals)(?![a-z'])"
    r"(?: (?:then|thus|therefore|simply|indeed|clearly|just|hence|given by|as follows)(?![a-z]))?"
    r"[ \t]?:?)",
)
_COLON = re.compile(r"answer(?P<sign>:)(?P<not>\Z)?")
"""The usual label, which `_LABEL` reads the same."""
_NO_MARK = (
    *listed(
        "wrong incorrect previous intermediate partial preliminary tentative draft rejected false"
        " another possible earlier initial first old this that your an each any no def function"
        " class check checking verify verifying"
    ),
    *(
        f"{what} {whose}"
        for what in ("check", "checking", "verify", "verifying")
        for whose in ("the", "our", "my")
    ),
    *(f"{what} the" for what in ("not", "n't", "if", "whether", "suppose", "assume", "assuming")),
)
"""Before the word "answer" these make it none that is given."""
_OWN = re.compile(r"(?<![a-z])(?:our|my)\s+(?:final\s+)?$")
_VERDICT = re.compile(
    r"[\s*_]*(?:indeed |therefore |thus |also )?(?:correct|right|wrong|incorrect|verified|confirmed"
    r"|reasonable|consistent|valid|complete)(?![a-z])"
)
"""What is said about an answer and is none: "so our answer is correct"."""
_CLAUSE = re.compile(
    r"(?<![a-z])(?:because|since|unless|but|as (?:it|its|the|this|there|they|we|i|no))(?![a-z])"
)
"""Between "answer" and a verb: the verb is a reason's, as in "no answer to it, as it is flawed"."""
_HEADING = re.compile(r"(?:^|\n)[#*_ \t>]*(?:(?:the|my|your|our) )?(?:(?:final|correct|short) )?$")
_HEADED = re.compile(r"s?[*_: \t]*(?=\r?\n)")
_BOX = re.compile(r"\\f?box(?:ed)?\s{0,4}\{|<\|begin_of_box\|>")
_BRACE = re.compile(r"[{}]")
_FOREIGN = re.compile(
    r"(?:答案|回答|答え|解答|정답|(?<![^\W_])(?:antwort|antwoord|r[ée]ponse|respuesta|risposta|resposta|svaret|svar|jawaban"
    r"|cevap|yanıt|odpowiedź|odpověď|vastaus|válasz|răspuns|răspunsul|ответ|відповідь|отговор"
    r"|απάντηση|đáp án|trả lời|उत्तर|คำตอบ|الإجابة|الجواب|答|답))"
    r"[^:\n]{0,24}?(?:[*_]{0,3}(?:[:=|→]|是|为|為|は|은|는|이|हे|है|คือ)"
    r"|[ \t](?:ist|is|est|es|è|é|är|er|on|jest|je|este|adalah|là|هو|هي)(?![^\W_])|[ \t]-[ \t])"
    r"[*_ \t:]{0,4}"
)
_WORDS = (
    "antwort",
    "antwoord",
    "reponse",
    "risposta",
    "resposta",
    "respuesta",
    "svar",
    "jawaban",
    "cevap",
    "vastaus",
)
_FURTHER = (
    *(
        "réponse",
        "yanıt",
        "odpowied",
        "odpov",
        "válasz",
        "răspuns",
        "ответ",
        "відповідь",
        "отговор",
    ),
    *(
        "απάντηση",
        "đáp án",
        "trả lời",
        "उत्तर",
        "คำตอบ",
        "الإجابة",
        "الجواب",
        "答",
        "回答",
        "解答",
        "정답",
        "답",
    ),
)
"""Parts of the words of `_FOREIGN`, for a quick look."""
_PLACEHOLDER = re.compile(
    r"(?:<[^<>\n]{1,40}>|\[[^\[\]\n]{0,12}(?:answer|number|letter|value|result|blank|insert|tbd)"
    r"[^\[\]\n]{0,20}\]"
    r"|\{[a-z _]{0,12}answer[a-z _]{0,12}\}|\.{3}|…+|_{3}|\?+|xxx?|\$?answer)"
    r"[.*_`\"' \t]*"
)


_HELD_OPEN = frozenset("<[{.…_?x$a")


class Mark(NamedTuple):
    """A place that is marked as an answer."""

    at: int
    """Where the mark starts."""
    start: int
    end: int
    """Where its content ends; -1 where only the content tells (the rest of a line, or several)."""
    rule: str
    is_firm: bool = True
    """It can be nothing but a mark; prose such as "the answer is clear" is not."""
    is_negated: bool = False
    opener: str = ""
    """Emphasis that was opened before the mark and closes after its content."""


def marks(said: Said) -> Iterator[Mark]:
    """Yield the marks, the last one first; each is looked at when it is asked for.

    A mark inside another stands before it: of ``the answer is \\boxed{3}`` comes ``3`` first.
    """
    low = said.low
    places = {needle: at for needle in _NEEDLES if (at := low.rfind(needle)) >= 0}
    left = dict.fromkeys(places, _MARKS)
    is_none = True
    while places:
        needle = max(places, key=places.__getitem__) if len(places) > 1 else next(iter(places))
        at = places[needle]
        mark = _NEEDLES[needle](said, at)
        left[needle] -= 1
        following = low.rfind(needle, 0, at) if left[needle] else -1
        if following >= 0:
            places[needle] = following
        else:
            del places[needle]
        if mark is not None:
            is_none = False
            yield mark
    if is_none:
        yield from sorted(_foreign(said), key=_AT, reverse=True)


_AT = attrgetter("at")


def is_placeholder(content: str) -> bool:
    """Tell an echo of the instruction, such as ``<answer>`` or ``[number]``, from an answer."""
    return content[:1] in _HELD_OPEN and _PLACEHOLDER.fullmatch(content) is not None


def is_nothing(content: str) -> bool:
    """Tell what names no value: "none" is an answer in words, and no number."""
    return content in ("none", "n/a") or is_placeholder(content)


def is_unfilled(said: Said, last: Mark | None) -> bool:
    """Tell a text that ends on its last mark, with nothing after it: what was to be said is not."""
    if last is None or last.end >= 0:
        return False
    content = said.low[last.start : last.start + _ENDING].strip(f"{DRESS}#>:-\r\n")
    return not content or is_nothing(content)


def _places(low: str, needle: str) -> Iterator[int]:
    at = len(low)
    for _ in range(_MARKS):
        at = low.rfind(needle, 0, at)
        if at < 0:
            return
        yield at


def _answer(said: Said, at: int) -> Mark | None:
    """Read the mark around the word "answer": a tag, a label, a heading, a member of JSON."""
    low = said.low
    before = low[at - 1] if at else "\n"
    if before == "<" or (before == "/" and low[at - 2 : at - 1] == "<"):
        return _tag(said, at) if before == "<" else None
    if before == "_" and low.endswith("<final_", max(0, at - 7), at):
        return _tag(said, at)
    if before == "[" and low.startswith("answer]", at):
        end = low.find("[/answer]", at)
        is_whole = end >= 0 or said.finished
        end = end if end >= 0 else len(low)
        return Mark(at - 1, at + 7, end, "[ANSWER] tag") if is_whole else None
    return None if before.isalnum() else _label(low, at, before)


def _tag(said: Said, at: int) -> Mark | None:
    low = said.low
    opened = low.find(">", at, at + 12)
    if opened < 0 or low[at:opened].strip() != "answer":
        return None
    end = low.find("</", opened)
    while end >= 0 and not low.startswith(("answer", "final_answer"), end + 2):
        end = low.find("</", end + 2, end + 4_000)
    if end < 0 and not said.finished:
        return None
    return Mark(at - 1, opened + 1, end if end >= 0 else len(low), "<answer> tag")


def _label(low: str, at: int, before: str) -> Mark | None:
    label = _COLON.match(low, at) or _LABEL.match(low, at)
    if label is None:
        headed = _HEADED.match(low, at + 6)
        if headed and _HEADING.search(low, max(0, at - 40), at):
            return Mark(at, headed.end(), -1, "heading")
        return None
    if before.isspace() and low[max(0, at - 20) : at].rstrip().endswith(_NO_MARK):
        return None
    sign = label["sign"]
    if (
        sign[0] not in ":=-→|"
        and _OWN.search(low, max(0, at - 12), at)
        and _VERDICT.match(low, label.end())
    ):
        return None
    if sign[0] not in ":=-→|" and _CLAUSE.search(low, at, label.start("sign")):
        return None
    if before in "\"'_" and sign == ":" and low[label.start("sign") - 1] in "\"'":
        return Mark(at, label.end(), -1, "JSON member")
    is_firm = sign[0] in ":=-→|"
    line = low.rfind("\n", 0, at) + 1
    head = low[line:at]
    opener = ""
    if "*" in head or "_" in head:
        stars = head.count("*") + low.count("*", at, label.end())
        opener = "*" if stars % 4 in (1, 2, 3) else ""
    rule = "answer label" if is_firm else "prose mark"
    return Mark(at, label.end(), -1, rule, is_firm, bool(label["not"]), opener)


def _box(said: Said, at: int) -> Mark | None:
    text = said.plain
    for back in (1, 2, 10):  # "\\boxed", "\\fbox", "<|begin_of_box|>"
        if text[at - back : at - back + 1] in "\\<" and at >= back:
            box = _BOX.match(text, at - back)
            if box and at < box.end():
                break
    else:
        return None
    if box[0].startswith("<"):
        end = text.find("<|end_of_box|>", box.end())
    else:
        end = closing_brace(text, box.end() - 1)
    if end < 0:
        return None
    return Mark(box.start(), box.end(), end, "box", is_negated=is_denied(said.low, end + 1))


def closing_brace(text: str, opening: int) -> int:
    """Return where the brace that opens at `opening` closes; -1 if nowhere near."""
    depth = 0
    for count, brace in enumerate(_BRACE.finditer(text, opening)):
        if text[brace.start() - 1 : brace.start()] == "\\" and brace.start() > opening:
            continue
        depth += 1 if brace[0] == "{" else -1
        if depth == 0:
            return brace.start()
        if count > _BRACES:
            break
    return -1


def _hashes(said: Said, at: int) -> Mark | None:
    text = said.plain
    if text[at + 4 : at + 5] == "#" or text[text.rfind("\n", 0, at) + 1 : at].strip():
        return None
    end = text.find("\n", at)
    if end < 0 and not said.finished:
        return None
    end = len(text) if end < 0 else end
    return Mark(at, at + 4, end, "####", is_firm=not text[end:].strip())


_NEEDLES: Mapping[str, Callable[[Said, int], Mark | None]] = {
    "answer": _answer,
    "box": _box,
    "####": _hashes,
}


def _foreign(said: Said) -> list[Mark]:
    low = said.low
    words = _WORDS if low.isascii() else (*_WORDS, *_FURTHER)
    # In English text such a word is looked for at the end alone: the search is most of the reading.
    looked = low[-_ENDING:] if " the " in low else low
    found: dict[int, Mark] = {}
    for word in words:
        if word in looked:
            for at in _places(low, word):
                mark = _FOREIGN.match(low, at)
                if mark and at not in found:
                    found[at] = Mark(at, mark.end(), -1, "answer label")
    return [*found.values()]
