r"""What a written answer of mathematics is: a number, a formula, a set, an interval, an equation.

Each has a form to compare by, so that equality is an equivalence. Sets, lists without brackets, ±
and solutions joined by "or" have no order; tuples, intervals and matrices have one. An interval in
one variable is an interval; an equation is the same as a multiple of itself; ``x = 5`` is 5. A
ratio
is compared as a proportion, but for what may be a time of day. Units, degrees and percent signs are
dropped, as in `quantities`.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from fractions import Fraction
from functools import lru_cache
from math import gcd

from workspan.answers import algebra, number, signs
from workspan.answers.formulas.computed import TooLarge
from workspan.answers.formulas.grammar import parsed
from workspan.answers.formulas.keys import formula_key, names_of, ratios
from workspan.answers.formulas.tokens import NotRead
from workspan.answers.said import CUT
from workspan.answers.text import text_key
from workspan.answers.words import listed

_LONGEST = 2_000
_DEEPEST = 6
_DROPPED = re.compile(
    r"\\(?:left|right|displaystyle|textstyle|limits|bigl?|bigr|Bigl?|Bigr|quad|qquad)(?![A-Za-z])"
    r"|(?<!\\)\\[,;:! ]|~|\$|&(?==)"
)
_UNIT_AFTER = re.compile(
    r"(?:\s|\\[,;:! ])*\\(?:text|mathrm|textrm|mbox"
    r"|rm)\s?\{\s*([^{}]*)\}(?:\s?\^\s?\{?-?[0-9]\}?)?\s*$"
)
_DEGREES = re.compile(r"\s*(?:\^\s*\{?\s*\\circ\s*\}?|°|\\degrees?|\\?%)\s*$")
_ASSIGNED = re.compile(
    r"\s*(?:\\?[A-Za-z]+(?:_\{?\w+\}?)?'?|[A-Z]\^(?:\{-1\}|-1|\{?T\}?|\{?\\top\}?)|\\(?:text|mathrm)\{[^{}]*\}"
    r"|[A-Za-z]\s?\(\s?[A-Za-z](?:\s?,\s?[A-Za-z])*\s?\)"
    r"|[A-Za-z][A-Za-z ]{2,30})\s*(?::?=|\\in(?![a-z])|∈|\\approx(?![a-z])|≈)(?![=])\s*"
)
_NAMED = re.compile(r"\s*(\\?[A-Za-z]+(?:_\{?\w+\}?)?)\s*=")
_RELATION = re.compile(
    r"(<=|>=|=<|\\leqslant|\\geqslant|\\leq|\\geq|\\le(?![a-z])|\\ge(?![a-z])|\\lt(?![a-z])"
    r"|\\gt(?![a-z])|\\neq|\\ne(?![a-z])|[<>≤≥≠=])"
)
_SIGN = {
    "<=": "≤",
    "=<": "≤",
    "\\leqslant": "≤",
    "\\leq": "≤",
    "\\le": "≤",
    ">=": "≥",
    "\\geqslant": "≥",
    "\\geq": "≥",
    "\\ge": "≥",
    "\\lt": "<",
    "\\gt": ">",
    "\\neq": "≠",
    "\\ne": "≠",
}
_FLIPPED = {"<": ">", ">": "<", "≤": "≥", "≥": "≤"}
_OR = re.compile(
    r"\s*(?:,\s*)?(?:\\(?:text|mathrm)\{\s*(?:and|or)\s*\}|\b(?:and|or)\b|\\lor|\\vee|∨)\s*"
)
_UNION = re.compile(r"\s*(?:\\cup(?![a-z])|∪|\bU\b)\s*")
_MATRIX = re.compile(r"\\begin\{[pbB]?matrix\}|\\begin\{array\}\{[^{}]*\}")
_INFINITY = re.compile(r"([-+]?)\s*(?:\\infty|∞|oo|inf(?:inity)?)")
_CLOCK = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])(?::([0-5][0-9]))?")
_TIME = re.compile(
    r"(1[0-2]|0?[0-9])(?::([0-5][0-9]))?(?::([0-5][0-9]))?\s*([ap])\.?\s?m\.?", re.IGNORECASE
)
_RATIO = re.compile(r"[0-9]{1,30}(?:\s?:\s?[0-9]{1,30}){1,5}")
_LETTERS = re.compile(r"[A-Za-z]{4,}")
_TEXT = re.compile(r"\\(?:text|textbf|mathrm|mathbf|textit|mbox|rm|operatorname)\s?\{([^{}]*)\}")
_COMMAND = re.compile(r"\\([A-Za-z]+)")
_FOREIGN = listed(
    "sum int prod lim iint oint infty partial nabla to limits zeta gamma lfloor rfloor lceil"
    " rceil cdots"
    " dots ldots bmod pmod gcd max min det log ln sin cos tan frac sqrt binom pi"
)
_CLOSING = {"(": ")", "[": "]", "\\{": "\\}", "{": "}"}


def key(answer: str, seconds: float | None = None) -> Hashable:
    """Return what equal answers share.

    Args:
        answer: as it is written.
        seconds: wall clock that there is for formulas that only a computer algebra system reads;
            the key of one that was cut holds `CUT` and its own text.
    """
    try:
        return _known(answer)
    except _Asks as ask:
        said = algebra.key(ask.formula, seconds=seconds)
        if said is not None and said != algebra.CUT:
            return _unrepr(said)
        plain = ("f", _packed(answer))
        return (CUT, *plain) if said == algebra.CUT else plain


_INLINE = re.compile(r"\\[()\[\]](?!\s?[0-9.]*\s?(?:ex|em|pt))")
_CLOSING_DOLLARS = re.compile(r"[\s$]*\Z")
_GOES_ON = re.compile(r"[0-9](?:\.{3,}|…|\s?\\[lc]?dots)[\s$.)]*$")


def needs_help(answer: str) -> bool:
    """Say whether only a computer algebra system may read an answer."""
    try:
        _known(answer)
    except _Asks:
        return True
    return False


class _Asks(Exception):
    """Only a computer algebra system may know."""

    def __init__(self, formula: str) -> None:
        super().__init__(formula)
        self.formula = formula


@lru_cache(maxsize=8192)
def _known(answer: str) -> Hashable:
    """Return the key that is found without help."""
    found = number.whole(answer)
    if found is not None:
        return ("n", found.key)
    text = _clean(answer)
    if _GOES_ON.search(answer):  # nobody knows the rest: 3.14159... is not 3.14159
        named = _NAMED.match(text)
        if named and (found := number.whole(_CLOSING_DOLLARS.sub("", answer.partition("=")[2]))):
            return ("n", found.key)
        return ("f", f"{_packed(answer)}…")
    if len(text) > _LONGEST:
        return ("f", _packed(answer))
    try:
        return _key(text, 0)
    except NotRead as error:
        if _is_words(text):
            return text_key(answer)
        commands = set(_COMMAND.findall(text))
        if (
            isinstance(error, TooLarge)
            or not commands & _FOREIGN
            or len(text) > 300
            or "\\circ" in text
        ):
            return ("f", _packed(answer))
        raise _Asks(_TEXT.sub("", text)) from None


def _unrepr(said: str) -> Hashable:
    """Read back the key that the child wrote."""
    exact = re.fullmatch(r"\('n', Fraction\((-?\d{1,4000}), (\d{1,4000})\)\)", said)
    if exact:
        return ("n", Fraction(int(exact[1]), int(exact[2])))
    parts = re.findall(r"'([^']*)'", said)
    return tuple(parts)


def _packed(answer: str) -> str:
    """Write a formula without the spaces that mean nothing; those between digits and words do."""
    text = _clean(signs.plain(answer))
    return re.sub(r"(?<![0-9A-Za-z])\s+|\s+(?![0-9A-Za-z])", "", text).rstrip(".")


def _clean(answer: str) -> str:
    text = signs.plain(answer).strip()
    for opening, closing in (("\\[", "\\]"), ("\\(", "\\)"), ("$$", "$$")):
        if text.startswith(opening) and text.endswith(closing) and len(text) > 4:
            text = text[2:-2]
    if "\\" in text:
        text = _INLINE.sub(" ", text)
        text = text.replace("\\$", "").replace("\\lbrace", "\\{").replace("\\rbrace", "\\}")
    if "{:}" in text or "{.}" in text:
        text = text.replace("{:}", ":").replace("{.}", ".")
    text = (
        _DROPPED.sub(" ", text)
        if "\\" in text or "$" in text or "~" in text or "&" in text
        else text
    )
    return re.sub(r"\s+", " ", text).strip().rstrip(".").strip()


def _is_words(text: str) -> bool:
    bare = _COMMAND.sub(" ", _TEXT.sub(r"\1 ", text))
    return bool(re.search(r"[^\W\d_]{2,}", bare)) and not re.search(
        r"\\(?!(?:text|mathrm|mathbf|textbf|rm|%|\$))", text
    )


def _key(text: str, depth: int) -> Hashable:
    """Return the key of a cleaned text.

    Raises:
        NotRead: it is nothing that is understood here.
    """
    text = text.strip()
    if depth > _DEEPEST or not text:
        raise NotRead("empty or too deep")
    found = number.whole(text)
    if found is not None:
        return ("n", found.key)
    worded = _TEXT.fullmatch(text)
    if worded:
        return _key(worded[1], depth + 1)
    assigned = _ASSIGNED.match(text)
    if assigned and not _relations(text[assigned.end() :]):
        return _key(text[assigned.end() :], depth + 1)
    for form in (_clock, _endless, _list, _bracketed, _related, _plus_minus):
        made = form(text, depth)
        if made is not None:
            return made
    bare = _without_unit(text)
    if bare is not None:
        return _key(bare, depth + 1)
    if _is_word(text):
        raise NotRead("words")
    return formula_key(text)


def _without_unit(text: str) -> str | None:
    """Return a formula without the unit or degrees after it; None if there are none."""
    bare = _DEGREES.sub("", _UNIT_AFTER.sub("", text))
    unit = _UNIT_AFTER.search(text)
    if bare == text or not bare.strip():
        return None
    said = unit[1].strip() if unit else ""
    is_clause = said in ("i", "e", "d") or said.startswith(("if", "when", "or", "and", "\\"))
    return None if is_clause else bare


def _is_word(text: str) -> bool:
    """Tell words from letters that stand for numbers."""
    if re.fullmatch(r"[A-Za-z]{2,3}", text):
        return True
    has_word = _LETTERS.search(_COMMAND.sub(" ", text)) is not None
    return has_word and not re.search(r"(?:arc)?(?:sin|cos|tan)h?|sqrt", text)


def _clock(text: str, _: int) -> Hashable | None:
    """Read a time of day, or a ratio: proportions are reduced where they can't be a time."""
    said = _TIME.fullmatch(text)
    if said:
        hour = int(said[1]) % 12 + (12 if said[4].lower() == "p" else 0)
        return ("clock", hour, int(said[2] or 0), int(said[3] or 0))
    said = _CLOCK.fullmatch(text.replace(" ", ""))  # 7 : 13 : 11 is written as 7:13:11 too
    if said:
        return ("clock", int(said[1]), int(said[2]), int(said[3] or 0))
    if _RATIO.fullmatch(text):
        parts = [int(part) for part in text.split(":")]
        common = gcd(*parts)
        return ("ratio", *(part // common for part in parts)) if common else None
    return None


def _endless(text: str, _: int) -> Hashable | None:
    said = _INFINITY.fullmatch(text)
    if said:
        return ("∞", -1 if said[1] == "-" else 1)
    if text in ("\\emptyset", "\\varnothing", "∅", "\\{ \\}", "\\{\\}"):
        return ("{}",)
    return None


def _list(text: str, depth: int) -> Hashable | None:
    """Read parts without brackets around them: 1, 2; x = 1 or x = 2; unions of intervals."""
    unions = _split(text, _UNION)
    if len(unions) > 1:
        return ("∪", *_sorted({_key(part, depth + 1) for part in unions}))
    parts = _split(text, _OR)
    joined = len(parts) > 1
    parts = [one for part in parts for one in _split(part, re.compile(r"[,;]")) if one.strip()]
    if len(parts) < 2:
        return None
    names = [_NAMED.match(part) for part in parts]
    if all(names) and len({name[1] for name in names if name}) == len(parts):
        return (
            "=",
            *_sorted(
                (name[1], _key(part[name.end() :], depth + 1))
                for name, part in zip(names, parts, strict=True)
                if name
            ),
        )
    keys = [_key(part, depth + 1) for part in parts]
    if joined and all(isinstance(one, tuple) and one[0] in _INTERVALS for one in keys):
        return ("∪", *_sorted(set(keys)))
    flat: list[Hashable] = []
    for one in keys:  # "1, \pm 2"
        flat += one[1:] if isinstance(one, tuple) and one[0] == "±" else [one]
    return ("{}", *_sorted(flat))


_INTERVALS = ("()", "[]", "[)", "(]", "∪")


def _bracketed(text: str, depth: int) -> Hashable | None:
    """Read a set, tuple, interval, list or matrix."""
    if _MATRIX.match(text):
        return _matrix(text, depth)
    opening = next((sign for sign in ("\\{", "(", "[", "{") if text.startswith(sign)), "")
    if not opening:
        return None
    closing = next((sign for sign in ("\\}", ")", "]", "}") if text.endswith(sign)), "")
    inner = text[len(opening) : len(text) - len(closing)]
    if not closing or not _is_balanced(inner):
        return None
    if opening in ("\\{", "{"):
        if closing != _CLOSING[opening]:
            return None
        parts = _split(inner, re.compile(r"[,;]"))
        if opening == "{" and len(parts) < 2:
            return None
        if re.search(r"\\mid(?![a-z])|(?<!\\)\||:", inner):
            raise NotRead("a set by its property")
        found = {_key(part, depth + 1) for part in parts if part.strip()}
        return ("{}", *_sorted(found))
    if opening in ("(", "[") and _MATRIX.match(inner.strip()):
        return _matrix(inner.strip(), depth)
    parts = _split(inner, re.compile(r"[,;]"))
    if len(parts) < 2 and not (opening == "[" and closing == "]"):
        return (
            _key(inner, depth + 1)
            if (opening, closing) == ("(", ")") and parts == [inner] and _is_bare(inner)
            else None
        )
    keys = [_key(part, depth + 1) for part in parts if part.strip()]
    return (opening + closing, *keys)


def _is_bare(inner: str) -> bool:
    return number.whole(inner) is not None or re.fullmatch(r"\s*[A-Za-z]\s*", inner) is not None


def _matrix(text: str, depth: int) -> Hashable | None:
    begin = _MATRIX.match(text)
    end = text.rfind("\\end{")
    if begin is None or end < 0 or "\\begin" in text[begin.end() : end]:
        return None
    if text[end:].count("}") != 1 or not text.endswith("}"):
        return None
    rows = [row for row in re.split(r"\\\\|\\cr", text[begin.end() : end]) if row.strip()]
    return ("[]", *(("[]", *(_key(cell, depth + 1) for cell in row.split("&"))) for row in rows))


def _relations(text: str) -> list[re.Match[str]]:
    if not re.search(r"[<>=≤≥≠]|\\(?:l|g|n)", text):
        return []
    depths = _depths(text)
    return [one for one in _RELATION.finditer(text) if depths[one.start()] == 0]


def _related(text: str, depth: int) -> Hashable | None:
    """Read an equation or inequality."""
    signs_found = _relations(text)
    if not signs_found:
        return None
    places = [0, *(one.end() for one in signs_found)]
    ends = [*(one.start() for one in signs_found), len(text)]
    sides = [text[a:b].strip() for a, b in zip(places, ends, strict=True)]
    names = [_SIGN.get(one[0], one[0]) for one in signs_found]
    if len(sides) == 2:
        return _one_relation(sides[0], names[0], sides[1], depth)
    if set(names) == {"="}:
        return _key(sides[-1], depth + 1)
    if len(sides) == 3 and _is_name(sides[1]):
        if set(names) <= {">", "≥"}:
            sides, names = sides[::-1], [_FLIPPED[name] for name in names[::-1]]
        if set(names) <= {"<", "≤"}:
            brackets = ("(" if names[0] == "<" else "[") + (")" if names[1] == "<" else "]")
            return (brackets, _key(sides[0], depth + 1), _key(sides[2], depth + 1))
    raise NotRead("a chain of relations")


def _is_name(side: str) -> bool:
    return re.fullmatch(r"\\?[A-Za-z]+(?:_\{?\w+\}?)?", side) is not None and side not in ("e", "i")


def _one_relation(left: str, sign: str, right: str, depth: int) -> Hashable:
    if sign == "=" and _is_name(right) and not _is_name(left):
        return _key(left, depth + 1)
    if sign in _FLIPPED:
        if _is_name(right) and not _is_name(left):
            left, sign, right = right, _FLIPPED[sign], left
        if _is_name(left):
            bound = _key(right, depth + 1)
            if (isinstance(bound, tuple) and bound[0] == "n") or not names_of(parsed(right)):
                return _half_line(sign, bound)
    elif sign == "≠" and _is_name(left):
        return ("≠", left, _key(right, depth + 1))
    if sign in (">", "≥"):
        left, sign, right = right, _FLIPPED[sign], left
    difference = ("+", parsed(left), ("neg", parsed(right)))
    if sign == "=" and not names_of(difference):
        return _key(right, depth + 1)
    return (sign, ratios(difference, signed=sign in ("<", "≤")))


def _half_line(sign: str, bound: Hashable) -> Hashable:
    if sign == "<":
        return ("()", ("∞", -1), bound)
    if sign == "≤":
        return ("(]", ("∞", -1), bound)
    return ("()" if sign == ">" else "[)", bound, ("∞", 1))


def _plus_minus(text: str, depth: int) -> Hashable | None:
    if "±" not in text and "\\pm" not in text:
        return None
    both = []
    for sign, other in (("+", "-"), ("-", "+")):
        one = re.sub(
            r"\\mp(?![a-z])|∓", f" {other} ", re.sub(r"\\pm(?![a-z])|±", f" {sign} ", text)
        )
        both.append(_key(re.sub(r"^\s*\+\s*", "", one), depth + 1))
    return ("{}", *_sorted(set(both)))


def _sorted(keys: object) -> list[Hashable]:
    return sorted(keys, key=repr)  # type: ignore[call-overload,no-any-return]


def _depths(text: str) -> list[int]:
    """Return how many brackets are open at each place."""
    depth, depths = 0, []
    for char in text:
        if char in ")]}":
            depth = max(0, depth - 1)
        depths.append(depth)
        if char in "([{":
            depth += 1
    return depths


def _is_balanced(inner: str) -> bool:
    depth = 0
    for char in inner:
        depth += (char in "([{") - (char in ")]}")
        if depth < 0:
            return False
    return depth == 0


def _split(text: str, separator: re.Pattern[str]) -> list[str]:
    """Split outside of brackets; a comma between thousands parts nothing."""
    if not separator.search(text):
        return [text]
    depths = _depths(text)
    parts, at = [], 0
    for one in separator.finditer(text):
        if depths[one.start()] == 0:
            parts.append(text[at : one.start()])
            at = one.end()
    return [*parts, text[at:]]


def end_of_chain(text: str) -> int:
    """Return where what a chain of equations comes to starts: of ``2 + 3 = 5`` at the 5; else 0."""
    if "=" not in text:
        return 0
    equals = _relations(text)
    if not equals or any(one[0] != "=" for one in equals):
        return 0
    if _OR.search(text) or any(
        depth == 0 and char in ",;" for depth, char in zip(_depths(text), text, strict=True)
    ):
        return 0
    first = text[: equals[0].start()]
    is_arithmetic = not re.search(
        r"(?<!\\)(?<![A-Za-z])[A-Za-z](?![A-Za-z])", _COMMAND.sub(" ", first)
    )
    if len(equals) > 1 or (is_arithmetic and re.search(r"[-+*/^]|\\", first)):
        return equals[-1].end()
    return 0
