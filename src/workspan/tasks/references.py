"""What a reference says: its kind, the right answers that it names, and a word on why.

References come as worked solutions, boxes, lists, truth values, numbers with units. They are read
by the reader that answers are read by, so that both come to the same form. What is no answer, such
as an essay, is said to be none; it is never compared and found wrong.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from workspan.answers import extract
from workspan.data.types import AnswerKind


class Reference(NamedTuple):
    """The right answers of one problem."""

    kind: AnswerKind
    texts: tuple[str, ...]
    """Any of them is right; none where the row has no reference that can be compared."""
    why: str
    """Which form it has, for a person: completes "number: …", or says why there is none."""


LONGEST_WORDS = 60
"""A reference of more words without a mark is an essay, which no answer equals."""

_MARK = re.compile(r"^[ \t]*####[ \t]*(.*?)[ \t]*$|####[ \t]+(\S.*?)[ \t]*$", re.MULTILINE)
_BOX = re.compile(r"\\f?boxed\s*\{")
_DIGITS = r"(?:\d{1,3}(?:,\d{2,3})+|\d+)(?:\.\d+)?|\.\d+"
_NUMBER = re.compile(
    rf"[-+−]?\s?(?:US|C|A)?[$€£¥₹]?\s?[-+−]?(?:{_DIGITS})(?:[eE][-+]?\d+)?"
    rf"(?:\s?/\s?\d+|\s\d+\s?/\s?\d+)?\s?(?:%|per ?cent|percent)?(?P<unit>\s?\S.*)?"
)
_UNIT = re.compile(
    r"(?:°\s?[CF]?|[a-zµμΩ]{1,14}(?:[²³]|\^[23]|/[a-zµ]{1,4}[²³]?)?|[CFKJNWVAΩ]|k?Pa|k?W(?:h)?|k?J|[kMG]?Hz"
    r"|square [a-z]{1,12}|cubic [a-z]{1,12})\.?|\([a-z ]{1,30}\)"
)
_NO_UNIT = frozenset({"am", "pm", "th", "st", "nd", "rd", "or", "and", "to", "x", "y", "z"})
_RELATION = re.compile(r"[<>=≤≥≠±√π∞∪∩∈]|\\[a-zA-Z]+|\$|\^|_\{")
_FUNCTIONS = frozenset({"sin", "cos", "tan", "log", "ln", "exp", "sqrt", "pi", "and", "or", "in"})
_TUPLE = re.compile(r"[\[({]?\s*[-+]?[\d./]+(?:\s*[,;]\s*[-+]?[\d./]+)+\s*[\])}]?")
_OPTION = re.compile(r"(?:^|\s)\(?([A-J])[).:](?=\s|\w)")
_LETTER = re.compile(r"\(?([A-J])\)?\.?")


def reference(value: Any, asked: str = "", given: AnswerKind | None = None) -> Reference:
    """Read what a column holds.

    Args:
        value: of a JSON type; None is no reference.
        asked: the prompt, which may name options.
        given: the kind that the row names; then the form decides nothing.

    Raises:
        ValueError: the value is of a form that can't be compared; says what would be right.
    """
    if isinstance(value, Mapping):
        value = _named(value)
    if isinstance(value, list | tuple):
        return _any_of([*value], asked, given)
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Reference(given or "text", (), "there is no reference")
    if isinstance(value, bool):
        both = ("True", "Yes") if value else ("False", "No")
        return Reference(given or "text", both, f"true or false: {both[0]} and {both[1]} are right")
    if isinstance(value, int | float):
        text = str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
        return Reference(given or "number", (text,), "a number")
    if not isinstance(value, str):
        raise ValueError(f"the answer is {type(value).__name__}: write a text, number or list")  # noqa: TRY004
    return _text(value.strip(), asked, given)


def _named(value: Mapping[str, Any]) -> Any:
    """Take the right answers out of an object that names them.

    Raises:
        ValueError: nothing says which field is the answer.
    """
    fields = {name.lower(): held for name, held in value.items()}
    if "value" in fields or "aliases" in fields:
        return [fields.get("value"), *(fields.get("aliases") or ())]
    for name in ("text", "spans", "ground_truth", "answer", "answers", "target"):
        if fields.get(name) not in (None, ""):
            return fields[name]
    for name in ("number", "spans", "text"):
        if name in fields:
            return fields[name] or None
    names = ", ".join(value)
    raise ValueError(f"the answer is an object with {names}: write the one that is the answer")


def _any_of(values: list[Any], asked: str, given: AnswerKind | None) -> Reference:
    """Read a list of which any is right.

    Raises:
        ValueError: it holds lists, objects or nothing but them.
    """
    values = [value for value in values if value is not None and value != ""]
    if any(isinstance(value, list | tuple | Mapping) for value in values):
        raise ValueError(
            "the answer is a list of lists or objects: write a text, or a list of right texts"
        )
    if not values:
        return Reference(given or "text", (), "its list of references is empty")
    found = [reference(value, asked, given) for value in values]
    kinds = {one.kind for one in found}
    kind: AnswerKind = kinds.pop() if len(kinds) == 1 else given or "text"
    texts = tuple(dict.fromkeys(text for one in found for text in one.texts))
    if len(values) == 1:
        return found[0]
    return Reference(kind, texts, f"a list of {len(values)}: any of them is right")


def _text(text: str, asked: str, given: AnswerKind | None) -> Reference:
    if not text:
        return Reference(given or "text", (), "its reference is empty")
    if given in ("code", "open", "symbols"):
        return Reference(given, (text,), "as the row says")
    marks = [first or last for first, last in _MARK.findall(text)]
    if marks or "####" in text:
        return _after("####", marks[-1] if marks else "", asked, given)
    if _BOX.search(text):
        inner = extract(text, "math", finished=False)
        return _boxed(inner, given)
    if given is not None:
        return Reference(given, (text,), "the row says so")
    words = len(text.split())
    if words > LONGEST_WORDS or (words > 20 and "\n" in text and not _is_table(text)):
        marked = extract(f"{text}\n", "text", finished=False)
        if marked is None or len(marked.split()) > LONGEST_WORDS:
            return Reference("text", (), f"it is a text of {words} words, which no answer equals")
        return _after("its mark", marked, asked, given)
    return _form(text, asked)


def _after(mark: str, found: str, asked: str, given: AnswerKind | None) -> Reference:
    if not found:
        return Reference(given or "text", (), f"there is nothing after {mark}")
    if given is not None:
        return Reference(given, (found,), f"what stands after {mark}")
    one = _form(found, asked)
    return one._replace(why=f"what stands after {mark} is {one.why}")


def _boxed(inner: str | None, given: AnswerKind | None) -> Reference:
    if not inner:
        return Reference(given or "math", (), "its box is empty or never closed")
    return Reference(given or "math", (inner,), "what stands in the last box")


def _is_table(text: str) -> bool:
    """Tell rows of a grid from lines of prose: as many tokens in each, or short ones."""
    rows = [line.split() for line in text.splitlines() if line.strip()]
    return len({len(row) for row in rows}) == 1 or all(len(t) < 4 for row in rows for t in row)


def _form(text: str, asked: str) -> Reference:
    """Read the kind off the form of a short reference."""
    letter = _LETTER.fullmatch(text)
    if letter and letter[1] in options(asked):
        return Reference("choice", (letter[1],), "the letter of an option in the prompt")
    if (number := _number(text)) is not None:
        return Reference("number", (number,), "a number")
    if _TUPLE.fullmatch(text):
        return Reference("math", (text,), "several numbers")
    if _is_formula(text):
        return Reference("math", (text,), "a formula")
    return Reference("text", (text,), "words")


def options(prompt: str) -> tuple[str, ...]:
    """Return the letters of the options that a prompt lists, from A on; none if fewer than two."""
    found = dict.fromkeys(_OPTION.findall(prompt))
    letters = []
    for letter in "ABCDEFGHIJ":
        if letter not in found:
            break
        letters.append(letter)
    return tuple(letters) if len(letters) > 1 else ()


def _number(text: str) -> str | None:
    """Return a number as it is to be compared, or None; what counts things in brackets is cut."""
    text = text.removesuffix(".") if re.search(r"\d\.$", text) else text
    found = _NUMBER.fullmatch(text)
    if found is None:
        return None
    unit = (found["unit"] or "").strip()
    if unit and (not _UNIT.fullmatch(unit) or unit.rstrip(".").lower() in _NO_UNIT):
        return None
    return text[: found.start("unit")].strip() if unit.startswith("(") else text


def _is_formula(text: str) -> bool:
    """Tell formulas from words: signs of mathematics, and letters that stand alone."""
    if re.search(r"\\[a-zA-Z]+|\$[^$]+\$|\^\{?\w|_\{", text):
        return True
    runs = re.findall(r"[A-Za-z]+", text)
    if any(len(run) > 1 and run.lower() not in _FUNCTIONS for run in runs):
        return False
    if _RELATION.search(text):
        return bool(re.search(r"[\w)]\s*[<>=≤≥≠]\s*[-+\w(]|[√π∞±∪∩]", text))
    operand = r"(?:\d+(?:\.\d+)?[a-z]?|[a-z])"
    chain = rf"[-+]?\(*{operand}\)*(?:\s?[-+*/]\s?\(*{operand}\)*)+"
    return bool(re.fullmatch(chain, text)) and bool(re.search(r"[a-z+*/]", text))
