"""Quantities in text: a number with its unit, and whether what stands around it changes it.

Units are dropped, a percent sign among them: 5 cm = 5 and 29% = 29, never 0.29. So equality stays
an equivalence, as the field's graders have it (MATH's and GSM8K's strip units and percent signs).
Scale words count: 5 million = 5000000, $3k = 3000. Where a number is part of something else, such
as a range, a date, a ratio, a product or "at least 5", it is not read by itself.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

from workspan.answers.signs import THIN
from workspan.answers.values import VULGAR, Key, Number, number, written
from workspan.answers.words import FIRST, PARTS, SCALES, Spelt, listed, spelt

_S = rf"[ {THIN}]?"
_RUN = re.compile(
    r"(?:(?:\s?(?:\*\*|[-+*/×·:^±]|\\times|\\cdot|\\div|\\pm)\s?|[ ](?:to|through|out of|of|or"
    r"|and|x|by"
    r"|plus|minus|times|over|vs\.?|versus|mod|modulo|squared|cubed)[ ]|,(?=[0-9])|,?[ ](?=[0-9])"
    r"|\.{1,3}(?=[0-9]))"
    r"[-$€£({]{0,2}(?:[0-9]|\.[0-9])[0-9.,]*)+"
)
"""How a number goes on that is part of a range, a date, a list, a term."""
_ONE_IN = re.compile(
    r" in (?:[0-9]{1,3}(?![0-9])|(?:two|three|four|five|six|seven|eight|nine|ten|twenty|a hundred)"
    r"(?![a-z-]))(?=[.,;:!?)*\s]*(?:\Z|\n|[.,;:!?)]|people|adults|children|students|cases))"
)
"""A share: one in ten."""
_STOP = re.compile(
    rf"[(\[{{!^|]|_(?=[\w{{\\(])|{_S}\*{{1,2}}(?=[\w({{\\$-])|\s\*{{1,2}}\s(?=\w)|{_S}(?:[+/×·±√>≤≥≠#&]|<(?!br|[/"
    rf"|])|\\(?![)\]%$,;!: ]|\\?\s*(?:\Z|\n))|-(?![ -])"
    r"|[ ](?:or|to|plus|minus|times|over|divided|squared|"
    r"[a-z][ ][a-z](?!['a-z])|cubed|factorial|choose|mod|modulo|remainder|than|pi|root|x|out of"
    r"|through|until|r)(?![a-z]))"
)
"""What may not follow it: it would be a part of something."""
_TEX_UNIT = re.compile(
    rf"(?:[ ~{THIN}]|\\[,;:! ])*\\(?:text|mathrm|textrm|mbox|textit|textbf|rm|operatorname)\s?"
    r"\{([^{}0-9]{0,60})\}(?:\s?(?:\^\s?\{?\s?-?[0-9]\s?\}?|[²³]))?"
)
_SIGN_UNIT = re.compile(
    rf"(?:{_S}(?:\\?%|‰|€|£|¥|₹|₽|₩|¢|\\?\$(?![0-9a-zA-Z\\{{]))|{_S}(?:percent|per cent"
    rf"|pct)(?![a-z])"
    rf"|{_S}°{_S}[CFK]?(?![a-zA-Z])|{_S}\^{_S}\{{?{_S}(?:\\circ|°){_S}\}}?{_S}[CFK]?(?![a-zA-Z])"
    rf"|{_S}\\(?:degrees?|circ)(?![a-z]))"
)
_WORD_UNIT = re.compile(
    rf"(?:[ {THIN}]|-(?=[a-z]{{3}}))?((?:[^\W\d_]|°){{1,30}})(?:\^\s?\{{?-?[0-9]\}}?|[²³])?"
    rf"((?:{_S}[/·]{_S}[a-zA-Zµμ]{{1,20}}(?:\^\s?\{{?-?[0-9]\}}?|[²³])?)*)(?!['0-9_^(])"
)
_LETTERS = listed("m g s h l L W V A N J K C F")
"""Units of one letter, after a space; touching the number they may be a variable."""
_TOUCHING = listed(
    "mm cm dm km mg kg lb lbs oz ml cl dl kl ft in yd mi sq cc hr hrs min mins sec secs ms wk"
    " wks yr yrs"
    " mph kph kmh km/h hz khz mhz ghz kb mb gb tb kw mw kwh kj kcal cal mol pa kpa mpa atm bar"
    " usd eur gbp"
    " inr rs rad deg px pt pts °c °f degrees dollars cents percent years days hours minutes seconds"
    " weeks months meters metres miles feet inches grams people"
)
_MONTHS = listed(
    "January February March April May June July August September October November December"
    " Jan Feb Mar Apr Jun Jul Aug Sep Sept Oct Nov Dec"
)
_HALF_DAY = re.compile(r"\s?[ap]\.\s?m(?![a-z])")
_FACTOR = re.compile(r"[^\W\d_]*π[^\W\d_]*|[α-λν-ωΓΔΘΛΞΠΣΦΨ][a-z]?")
"""Letters that stand for numbers: 2π is not two pieces of something."""
_MONEY_SCALES = {
    "k": 10**3,
    "m": 10**6,
    "mn": 10**6,
    "mm": 10**6,
    "mio": 10**6,
    "b": 10**9,
    "bn": 10**9,
    "mrd": 10**9,
    "t": 10**12,
}
_MONEY = re.compile(rf"\.?{_S}(?:[€£¥₹]|\\?\$(?![0-9])|(?:EUR|USD|GBP|CHF)(?![A-Za-z]))")
"""After a letter it says that the letter counts thousands or millions: 1.2 M€."""
_NOT_UNITS = listed(
    "or to plus minus times over divided squared cubed factorial choose mod modulo remainder"
    " than pi"
    " root x out through until am pm sqrt log ln sin cos tan st nd rd th and is are was were a i e"
    " oclock versus vs because since as so but if when which where that not however while with e i"
    " can cannot could"
)
_CLAUSE = re.compile(
    r"[;!?\n]|\.(?![0-9])|,(?=\s)|[ ](?:because|since|as|so|hence|thus|therefore)[ ]|[—(]|[ ]-[ ]"
)
_PREPOSITIONS = listed(
    "in for at on after per with from during within every each when because since as if that"
    " into by"
    " before until while under per between using over"
)
_DIGIT = re.compile(r"[0-9]")
_NEXT_IN_LIST = re.compile(r",\s*(?:and\s+|or\s+)?(?:[a-z]{1,2}\s?=\s?)?[-$€£]?[0-9]")
_BESIDE = re.compile(
    r"[*_$ ]{0,4}(?:!=|≠|/=|=/=|\\neq?(?![a-z])|=>|==)"
    r"|;\s*(?:[a-z][a-z ]{0,20}[:=]\s*)?[-$€£]{0,2}[0-9]"
    r"|[,;]?\s*\(?[b-h2-9]\)\s*[-$€£]{0,2}[0-9]"
    rf"|,\s*(?:and\s+|or\s+)?{FIRST.pattern.replace('one|', '', 1)}"
)
"""What sets a second value beside a first: 4; 5, (a) 5 (b) 6, 5 != 6, two, three."""
ASSIGNED = r"\b[A-Za-z]\s?=\s?[-+0-9./]+\s+[A-Za-z]\s?=\s?[-+0-9]"
"""Values side by side, and no chain of equations: a = 5 b = 6."""
_ANOTHER = re.compile(r"[ ,]*(?:and|or|to|plus|minus)\s+[-$€£]?([0-9]|[a-z]+)")
_DENIED = re.compile(
    r"[*_$ )\]}\\]{0,6}(?:[a-z]+ ){0,2}(?:cannot|can't"
    r"|(?:is|are|was|were|can|could|will|would|does|do|did)"
    r"(?:n't| not| never| impossible| unreachable| unattainable| out of reach)"
    r"|(?:is|was|would be|seems|looks) (?:wrong|incorrect|false))(?![a-z])"
)
_EXCLAIMED = re.compile(r"!+[*_\"')]{0,4}(?=\s*\Z|\s*\n|\s+[^\sa-z0-9+\-*/=<>^(){}\[\]|\\$!.,])")
"""Marks at the end of a sentence; "5! = 120" and "5!/3!" have factorials."""
_HEAD = re.compile(r"[-+$€£\s]{0,4}")
_JUNK = re.compile(r"[0-9][0-9.,:/_-]*")
_START = re.compile(
    rf"[0-9{VULGAR}]|[⁰¹²³⁴-⁹]+/[₀-₉]|\((?=[-+]?[0-9]+\)\s?/)|\\[dtcs]?frac|\\nicefrac|\.(?=[0-9])"
)
_BEFORE = re.compile(
    r"(?:[a-z_](?:[0-9.]*|\()|[0-9)]\s?\*{1,2}\s?|[\w)}!]\s?[-+/×·^]\s?[({]?|[<>!]=\s?|[0-9]\s?:\s?|[±<≤≥≠√]\s?\(?|[}_]\{|\\(?!(?:boxed|fbox|textbf|textit|text|mathbf|mathrm|mathit|boldsymbol|bm|underline|big+|bigl|left|color)(?![a-z]))[a-z]+\s?(?:\[[^\[\]]{0,8}\])?\s?[{(]\s?|\\(?:leq?|geq?|[lg]eqslant|neq?|[lg]t|pm|mp|sqrt|in|to)\s?"
    r"|(?<!\|)(?<!<[a-z])(?<!<[a-z]{2})(?<!<[a-z]{3})(?<!strong)(?<!solution)(?<![0-9]>)>\s?|[0-9]\.|#"
    r"|\b(?:step|part|case|example|question|problem|exercise|method|approach|solution|version|figure|table|eq|equation|option|chapter|section|page|no|item"
    r"|line|theorem|lemma|proposition|corollary|definition|appendix|footnote"
    r"|(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6})\.?\s\(?"
    r"|\b(?:least|most|than|over|under|above|below|nearly|almost|up to|not|minimum of|maximum of"
    r"|multiplied by|divided by|divisible by|times|plus|minus|or|twice|thrice|double|triple"
    r"|(?:log|ln|lg|exp|arc(?:sin|cos|tan)|sin|cos|tan|cot|sec|csc|sinh|cosh|tanh|sqrt|cbrt|floor"
    r"|ceil|abs|mod)(?:_\{?\w{1,3}\}?)?"
    r"|(?:root|cube|square|reciprocal|inverse|absolute value|multiples?|divisors?|logarithm|log"
    r"|factorial|power|negation|sine|cosine|tangent|complement|predecessor|successor) of"
    r"(?: the number)?)\s+|(?:\bnot|\bnever|cannot|n't) (?:be|equal) |\+/?-\s?"
    r"|\\(?:log|ln|lg|exp|arc[a-z]{3}|sin|cos|tan|cot|sec|csc|sinh|cosh"
    r"|tanh)(?:_\{?\w{1,3}\}?)?\s?)$"
)
_COLOURED = re.compile(r"\\(?:text)?color\{[a-z]{1,20}\}\{\Z")
"""A second brace that holds what is shown; of other commands it holds one of several arguments."""
_SINGLE = re.compile(r"(?:^|[-+*/(\s])[0-9]*[a-z]\s?[-+*/^]|[-+*/^]\s?[0-9]*[a-z](?![a-z])")


_SOME = frozenset(("one", "a ", "an ", "half"))
"""Words that may start something else after a number: "five one-way tickets"."""
_ENDS = frozenset((".", ". ", ".\n", ",\n", ".*", ".$"))
_CLOSING = frozenset(";)}?")
"""What neither goes on a number nor is a unit of it."""


class Quantity(NamedTuple):
    """A number with its unit."""

    key: Key
    text: str
    start: int
    end: int
    """After its unit."""


class Blocked(NamedTuple):
    """A place where a number stands that can't be read by itself."""

    end: int


def quantity(text: str, low: str, at: int, *, prose: bool = False) -> Quantity | Blocked | None:
    """Read the number that starts at `at` and its unit; None where no number starts.

    Args:
        text: with plain signs.
        low: the same in lower case.
        at: where the number, its sign or currency starts.
        prose: an exclamation mark may end a sentence; else it is a factorial.
    """
    found = number(text, low, at)
    if found is None:
        junk = _HEAD.match(text, at)
        run = _JUNK.match(text, junk.end() if junk else at)
        return Blocked(run.end()) if run else None
    following = text[found.end : found.end + 2]
    if following[:1] in (" ", "-") and text[found.end - 1].isalpha():
        another = FIRST.match(low, found.end + 1)  # nineteen ninety, twenty twenty
        if another is not None and low[another.start() : another.end()] not in _SOME:
            return Blocked(another.end())
    if not following or following in _ENDS or following[0] in _CLOSING:
        return Quantity(found.key, found.text, found.start, found.end)
    run = _RUN.match(text, found.end)
    run = run or (_ONE_IN.match(low, found.end) if following[0] == " " else None)
    if run is not None:
        return Blocked(run.end())
    return _with_unit(text, low, found, prose=prose)


def _with_unit(text: str, low: str, found: Number, *, prose: bool) -> Quantity | Blocked:
    key, said, end = found.key, found.text, found.end
    if (half := _and_a_half(low, end)) and isinstance(key, Fraction) and key.denominator == 1:
        key += -half.value if said.startswith("-") else half.value
        said, end = written(key), half.end
    while end < len(text):
        if sign := _SIGN_UNIT.match(text, end):
            end = sign.end()
            continue
        tex = _TEX_UNIT.match(text, end)
        stop = None if tex else _STOP.match(low, end)
        is_shouted = prose and stop and stop[0] == "!" and not may_be_factorial(key)
        if stop and not (is_shouted and _EXCLAIMED.match(text, end)):
            return Blocked(stop.end())
        word = _tex_unit(tex) if tex else _word_unit(text, low, end, is_money=found.money)
        if isinstance(word, Blocked):
            return word
        if word is None:
            break
        key, said = _times(key, said, word.factor)
        end = word.end
    return Quantity(key, said, found.start, end)


def may_be_factorial(key: Key) -> bool:
    """Tell whether an exclamation mark after a number may be meant: in 5!, not in 42!."""
    return isinstance(key, Fraction) and key.denominator == 1 and 0 <= key <= _FACTORIALS


_FACTORIALS = 12


class _Unit(NamedTuple):
    """A unit after a number, or a word such as million."""

    end: int
    factor: int = 1


def _tex_unit(found: re.Match[str]) -> _Unit | Blocked:
    words = found[1].lower().split()
    if words in (["i"], ["e"], ["d"]) or "\\" in found[1]:  # a factor, not a unit
        return Blocked(found.end())
    if any(word in PARTS or word in ("or", "and", "to") for word in words):
        return Blocked(found.end())
    return _Unit(found.end(), SCALES.get(words[0], 1) if words else 1)


def _word_unit(text: str, low: str, at: int, *, is_money: bool) -> _Unit | Blocked | None:
    """Read the word after a number: its unit, a scale, or something that it is a part of."""
    word = None if low.startswith((" of ", " per ", " each"), at) else _WORD_UNIT.match(text, at)
    if word is None:
        return None
    name, low_name, end = word[1], word[1].lower(), word.end()
    touches = word.start(1) == at
    if low_name in SCALES:
        return _Unit(end, SCALES[low_name])
    if is_money and touches and low_name in _MONEY_SCALES and text[end : end + 1] != "$":
        return _Unit(end, _MONEY_SCALES[low_name])
    if low_name in _MONEY_SCALES and (money := _MONEY.match(text, end)):
        return _Unit(money.end(), _MONEY_SCALES[low_name])
    if _FACTOR.fullmatch(name):
        return Blocked(end)
    if touches and low_name not in _TOUCHING and name.isascii():
        return Blocked(end)
    if low_name in PARTS or low_name.removesuffix("s") in PARTS or low_name in ("am", "pm"):
        return Blocked(end)
    if name in _MONTHS or _HALF_DAY.match(low, at):
        return Blocked(end)
    is_letter = len(name) == 1 and name.isascii() and name not in _LETTERS
    is_preposition = low_name == "in" and low[end : end + 1] == " "
    return None if low_name in _NOT_UNITS or is_letter or is_preposition else _Unit(end)


def _and_a_half(low: str, at: int) -> Spelt | None:
    if not low.startswith(" and ", at):
        return None
    half = spelt(low, at + 5)
    return half if half and 0 < half.value < 1 else None


def _times(key: Key, said: str, factor: int) -> tuple[Key, str]:
    if factor == 1:
        return key, said
    if not isinstance(key, Fraction):
        return key, said
    key *= factor
    return key, written(key)


def is_denied(low: str, end: int) -> bool:
    """Tell whether what follows a value says that it is none: 24 cannot be reached."""
    return _DENIED.match(low, end) is not None


def is_alone(low: str, end: int) -> bool:
    """Tell whether the clause after a quantity leaves it as it is: no second one that joins it."""
    if end >= len(low) or low[end] == "\n":
        return True
    if low[end] == "?" or _NEXT_IN_LIST.match(low, end) or _BESIDE.match(low, end):
        return False
    another = _ANOTHER.match(low, end)
    if another and (another[1].isdecimal() or FIRST.match(low, another.start(1))):
        return False
    stop = _CLAUSE.search(low, end, end + 400)
    clause = low[end : stop.start() if stop else end + 400]
    if _DENIED.match(clause) or "depending on" in low[end : end + 40]:
        return False
    if (
        stop
        and stop[0] in ",;("
        and (_NEXT_IN_LIST.match(low, stop.start()) or _BESIDE.match(low, stop.start()))
    ):
        return False
    if stop and stop[0] == "(" and low.startswith("(or ", stop.start()):
        return False
    digit = _DIGIT.search(clause)
    if digit is None:
        return True
    before = clause[: digit.start()].replace("$", " ").split()
    return bool(before) and before[-1] in _PREPOSITIONS


def last_quantity(text: str, low: str, start: int, end: int) -> Quantity | Blocked | None:
    """Return the last number between two places, or say that it can't be read by itself."""
    found = deque(quantities(text, low, start, end), maxlen=1)
    return found[0] if found else None


def quantities(text: str, low: str, start: int, end: int) -> Iterator[Quantity | Blocked]:
    """Yield the numbers in figures between two places, in order."""
    at = start
    previous_end = start
    while (found := _START.search(text, at, end)) is not None:
        first = found.start()
        begin = _sign_start(text, first, previous_end)
        if low.endswith("negative ", start, begin):
            begin -= len("negative ")
        before = begin > start and _BEFORE.search(low, max(start, begin - 24), begin)
        read = quantity(text, low, begin, prose=True)
        if read is None:
            at = found.end()
            continue
        at = max(read.end, found.end())
        if (before and not _COLOURED.search(low, start, begin)) or _is_binary(text, begin, start):
            yield Blocked(at)
        else:
            yield read
        previous_end = at


def _is_binary(text: str, begin: int, start: int) -> bool:
    """Tell a minus between two terms from the sign of a number."""
    if text[begin : begin + 1] not in ("-", "+"):
        return False
    before = text[max(start, begin - 12) : begin].rstrip(" ")
    if not before or before[-1] == "\n":
        return False
    if text[begin + 1 : begin + 2] == " ":
        return before[-1].isalnum() or before[-1] in ")}"
    return before[-1].isdecimal() or re.search(r"(?:^|[^\w])[a-z]$", before) is not None


_SIGNED = re.compile(
    r"(?:(?<=[\s(=:$\[{,*\"'|])|^)[-+]?\s?(?:[A-Z]{0,3}\\?\$|[€£¥₹₽₩₪]|(?:USD|EUR|GBP"
    r"|Rs\.?)\s)?[-+]?$"
)


def _sign_start(text: str, first: int, bound: int) -> int:
    """Return where the sign and currency before a digit start; a list's dash is none."""
    begin = max(bound, first - 8)
    if begin == first or text[first - 1].isalnum():
        return first
    head = _SIGNED.search(text[begin:first])
    if head is None or not head[0]:
        return first
    at = begin + head.start()
    if text[at : at + 2] in ("- ", "+ ") and _starts_line(text, at):
        return first
    return at


def _starts_line(text: str, at: int) -> bool:
    before = text[max(0, at - 40) : at]
    return not before.rpartition("\n")[2].strip() and (at <= 40 or "\n" in before)
