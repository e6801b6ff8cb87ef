r"""Written numbers: one form, one value, in every kind that compares values.

What is read: a sign before or after a currency sign (``-$5``, ``$-5``), thousands in groups
(1,234,567; 1 234 567; 1'234; 1_000; 1,23,456; 1.234.567; ``1{,}234``), a decimal point, fractions
(3/4, ``\frac{3}{4}``, ``\frac34``, ¾), mixed numbers (3 1/2, ``3\frac12``, 3½), powers (1.5e3,
1.5 × 10^3, 10⁶, 2**10), repeating decimals (``0.\overline{3}``, 0.(3)), bases (0x1F, 101_2),
and numbers in words. The decimal sign is the point. A comma is one only where it can be nothing
else: after points between thousands (1.234,56), and before two digits of money or one or two of a
percentage (3,50 €; 12,5 %).

What is not a number is not read as one: dates, times, versions, ratios, ranges, lists.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import NamedTuple, TypeAlias

from workspan.answers.signs import THIN
from workspan.answers.words import spelt

Key: TypeAlias = Fraction | tuple[str, int, str, int]
"""A value to compare by: a fraction, or the digits and power of ten of what is too long for one."""

_LARGEST = 4_000
"""Digits of a value that is still computed with; beyond, digits are compared."""
_BITS = 13_000
_FEW = 300
"""Digits and powers that need no look at what is too long."""

_CURRENCY = (
    r"(?:US|A|C|CA|AU|NZ|HK|R)?\\?\$|[€£¥₹₽₩₪₫₴₦¢]|\\(?:euro|pounds|yen)\b|"
    r"(?:USD|EUR|GBP|JPY|CNY|INR|CHF|CAD|AUD|RMB|Rs\.?)(?![A-Za-z])"
)
PREFIX = re.compile(
    rf"(?P<sign>[-+]|(?i:minus"
    rf"|negative)[ ](?=[^a-z]))?[ {THIN}]?(?:\\[,;:! ])?(?P<money>{_CURRENCY})?[ {THIN}]?"
    rf"(?P<inner>[-+])?"
    rf"[ {THIN}]?"
)
_TOKEN = re.compile(
    r"[0-9]++(?:(?:,\\[!,]|[.,']|\{[.,]\}|\\[,;:!]|~"
    rf"|[ _{THIN}](?=[0-9]{{3}}(?![0-9])))[0-9]++)*"
)
_CLOSE_TOKEN = re.compile(r"[0-9]++(?:(?:,\\[!,]|[.,']|\{[.,]\})[0-9]++)*")
_PLAIN = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_GROUPED = re.compile(
    r"[1-9][0-9]{0,2}(?:"  # 0,500 is a half or a slip, and no five hundred
    rf"(?:(?:,\\[!,]|,|\{{,\}})[0-9]{{3}})+|(?:'[0-9]{{3}})+|(?:_[0-9]{{3}})+|(?:\\[,;:!][0-9]{{3}})+"
    rf"|(?:[ {THIN}~][0-9]{{3}})+|(?:,[0-9]{{2}})+,[0-9]{{3}}"
    r")(?:\.[0-9]+)?"
)
_POINTS = re.compile(r"[1-9][0-9]{0,2}(?:\.[0-9]{3}){2,}|[1-9][0-9]{0,2}(?:\.[0-9]{3})+,[0-9]+")
_SPACED_COMMA = re.compile(rf"[1-9][0-9]{{0,2}}(?:[ {THIN}][0-9]{{3}})+,[0-9]{{1,2}}")
_MONEY_COMMA = re.compile(r"[0-9]{1,6},[0-9]{2}")
_SHARE_COMMA = re.compile(r"[0-9]{1,3},[0-9]{1,2}")
_AFTER_COMMA = re.compile(rf"[ {THIN}]?(?:[€£¥₹₽]|EUR|\\?(%))")
_POINT_FIRST = re.compile(r"\.[0-9]+")
_SEPARATORS = re.compile(rf"[,'_~ {THIN}]|\{{,\}}|\\[,;:!]")

_REPEATING = re.compile(r"\\(?:overline|bar)\s*\{\s*([0-9]{1,40})\s*\}|\(([0-9]{1,40})\)(?![0-9(])")
_OVERLINED = re.compile(r"(?:[0-9][\u0305\u0307])+")
_EXPONENT = re.compile(r"[eE]([-+]?[0-9]{1,9})(?![0-9A-Za-z_]|\.[0-9])")
_SUPERSCRIPT = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")
_POWER = (
    r"(?:\s?(?:\^|\*\*)\s?(?:\{\s*([-+]?[0-9]{1,9})\s*\}|\(\s*([-+]?[0-9]{1,9})\s*\)"
    r"|([-+]?[0-9]{1,9}))|([⁺⁻]?[⁰¹²³⁴-⁹]{1,9}))(?![0-9^])"
)
_TO_THE = re.compile(_POWER)
_TIMES_TEN = re.compile(rf"\s*(?:×|\\times|\\cdot|·|\*(?!\*)|x)\s*\{{?10\}}?{_POWER}")
_BASE = re.compile(
    r"_\s?(?:(?:\{\s*)?\\(?:text|mathrm)\s?\{\s*([0-9]{1,2}|two|three|five|eight|ten|sixteen)\s*\}\}?"
    r"|\{\s*([0-9]{1,2}|two|three|five|eight|ten|sixteen)\s*\}"
    r"|([0-9]{1,2}))"
    r"|([₀-₉]{1,2})"
)
_BASED = re.compile(rf"([0-9A-F]{{1,200}})(?:{_BASE.pattern})(?![0-9A-Za-z])")
_BASE_NAMES = {"two": 2, "three": 3, "five": 5, "eight": 8, "ten": 10, "sixteen": 16}
_CODED = re.compile(r"0(?:[xX]([0-9A-Fa-f]{1,2000})|[bB]([01]{1,8000})|[oO]([0-7]{1,4000}))(?!\w)")
_SLASH = re.compile(
    r"\s?/\s?(?=[0-9.])|[ ]over[ ](?=[0-9]{1,400}[.,;:!?]?[*_$)}\"'`]{0,4}\.?"
    r"(?:\s*\n|\s*\Z|\s*\||,?\s+(?:because|since)|(?<=\.)\s+[A-Z]))"
)
_FRAC = re.compile(
    r"\\(?:[dtcs]?frac|nicefrac)\s*(?:\{([^{}]{1,400})\}|([0-9]))\s*(?:\{([^{}]{1,400})\}|([0-9]))"
)
_OVER = re.compile(r"\{\s*([-+]?[0-9]{1,400})\s*\\over\s*([0-9]{1,400})\s*\}")
_MIXED = re.compile(
    rf"(?:[ {THIN}]|\\[,;: ])\s?([0-9]{{1,40}})\s?/\s?([0-9]{{1,40}})"
    r"(?![0-9/]|\.[0-9])"
)
_RAISED = re.compile(r"([⁰¹²³⁴-⁹]{1,40})/([₀-₉]{1,40})")
_PARENS = re.compile(
    r"(?:\(\s?([-+]?[0-9]{1,400})\s?\)|\{\s?([-+]?[0-9]{1,400})\s?\})\s?/\s?"
    r"(?:\(\s?([-+]?[0-9]{1,400})\s?\)|\{\s?([-+]?[0-9]{1,400})\s?\}|([0-9]{1,400}))(?![0-9/^!(])"
)
_ON = re.compile(r"\.{3,}|…|\s?\\[lc]?dots(?![a-z])")
_AGAIN = re.compile(r"([0-9])\1{2,}$|([0-9]{2,12}?)\2{2,}$|([0-9]{5,12}?)\3$")
"""Three times, or twice what is too long for chance: e = 2.718281828… does not go on so."""
_VULGAR = {
    "½": (1, 2),
    "⅓": (1, 3),
    "⅔": (2, 3),
    "¼": (1, 4),
    "¾": (3, 4),
    "⅕": (1, 5),
    "⅖": (2, 5),
    "⅗": (3, 5),
    "⅘": (4, 5),
    "⅙": (1, 6),
    "⅚": (5, 6),
    "⅐": (1, 7),
    "⅛": (1, 8),
    "⅜": (3, 8),
    "⅝": (5, 8),
    "⅞": (7, 8),
    "⅑": (1, 9),
    "⅒": (1, 10),
}
VULGAR = "".join(_VULGAR)
_RAISED_DIGITS = "⁰¹²³⁴⁵⁶⁷⁸⁹"


class Number(NamedTuple):
    """A number as it is written somewhere."""

    key: Key
    text: str
    """Plain digits, a fraction a/b, or digits and ``e``: what `number` reads as the same value."""
    start: int
    end: int
    money: bool = False


class _Core(NamedTuple):
    """A number without its sign."""

    key: Key
    text: str
    end: int


def number(text: str, low: str, start: int) -> Number | None:
    """Read the number that starts at `start`, sign and currency first, or return None.

    Args:
        text: with plain signs (`signs.plain`).
        low: the same in lower case.
        start: where it starts.
    """
    if "0" <= text[start : start + 1] <= "9":
        figures = _figures(text, start)
        return figures and Number(figures.key, figures.text, start, figures.end)
    head = PREFIX.match(text, start)
    assert head is not None
    if head["sign"] and head["inner"]:
        return None
    if (head["sign"] or head["inner"]) and text[head.end() : head.end() + 1] in ("-", "+"):
        return None
    at = head.end()
    core = _core(text, at)
    negative = head["inner"] == "-" or head["sign"] not in (None, "+")
    if core is None:
        if head["money"] or head["inner"]:
            return None
        words = spelt(low, at if head["sign"] else start)
        if words is None:
            return None
        core = _Core(words.value, written(words.value), words.end)
    key, said = core.key, core.text
    if negative:
        key = -key if isinstance(key, Fraction) else (key[0], -key[1], *key[2:])
        said = f"-{said}" if key != 0 else said
    return Number(key, said, start, core.end, bool(head["money"]))


def decimal(digits: str, exponent: int) -> Key:
    """Return the value of so many units of a power of ten."""
    if len(digits) < _FEW and -_FEW < exponent < _FEW:
        if exponent == 0:
            return Fraction(int(digits))
        power = 10 ** abs(exponent)
        return Fraction(int(digits), power) if exponent < 0 else Fraction(int(digits) * power)
    digits = digits.lstrip("0")
    short = digits.rstrip("0")
    if not short:
        return Fraction(0)
    power = exponent + len(digits) - len(short)
    if len(short) + abs(power) > _LARGEST:
        return ("long", 1, short, power)
    return Fraction(int(short) * 10**power) if power >= 0 else Fraction(int(short), 10**-power)


def _core(text: str, at: int) -> _Core | None:
    first = text[at : at + 1]
    if "0" <= first <= "9":
        return _figures(text, at)
    if first == "." and "0" <= text[at + 1 : at + 2] <= "9":
        found = _PLAIN.match(text, at + 1)
        assert found is not None
        digits = found[0]
        return (
            None
            if "." in digits
            else _longer(text, digits, f"0.{digits}", -len(digits), found.end())
        )
    if first and first in "({" and (parts := _PARENS.match(text, at)):
        return _over(parts[1] or parts[2], parts[3] or parts[4] or parts[5], parts.end())
    if first == "\\" or first == "{":
        return _fraction(text, at)
    if first and first in _RAISED_DIGITS and (parts := _RAISED.match(text, at)):
        return _over(
            parts[1].translate(_SUPERSCRIPT), parts[2].translate(_SUPERSCRIPT), parts.end()
        )
    if first and first in _VULGAR:
        top, bottom = _VULGAR[first]
        return _Core(Fraction(top, bottom), f"{top}/{bottom}", at + 1)
    if "A" <= first <= "F" and (based := _BASED.match(text, at)):
        return _in_base(based)
    return None


def _over(top: str, bottom: str, end: int) -> _Core | None:
    below = int(bottom)
    if below == 0:
        return None
    value = Fraction(int(top), below)
    said = f"{int(top)}/{below}" if below > 0 else written(value)
    return _Core(value, said, end)


def _figures(text: str, at: int) -> _Core | None:
    """Read a number that starts with a digit."""
    if text[at] == "0" and (coded := _CODED.match(text, at)):
        base = 16 if coded[1] else 2 if coded[2] else 8
        value = int(coded[1] or coded[2] or coded[3], base)
        return _Core(Fraction(value), written(Fraction(value)), coded.end())
    found: re.Match[str] | None = None
    digits: str | None = None
    for form in (_TOKEN, _CLOSE_TOKEN):
        found = form.match(text, at)
        assert found is not None
        token = found[0]
        if token.isdecimal():
            return _whole(text, at, token, found.end())
        digits = _digits(text, token, found.end())
        if digits is not None or not any(space in token for space in (" ", THIN, "~", "\\")):
            break
    if digits is None or found is None:
        return None
    whole, _, part = digits.partition(".")
    if part and (on := _ON.match(text, found.end())):
        return _going_on(whole + part, -len(part), on.end())
    return _longer(text, whole + part, digits, -len(part), found.end())


def _whole(text: str, at: int, figures: str, end: int) -> _Core | None:
    """Read what a plain whole number may go on as: a base, a mixed number, or itself."""
    following = text[end : end + 1]
    if not following:
        return _longer(text, figures, figures, 0, end)
    if following in "_₀₁₂₃₄₅₆₇₈₉ABCDEF" and (based := _BASED.match(text, at)):
        return _in_base(based)
    if following == "." and (repeating := _REPEATING.match(text, end + 1)):
        return _repeating(figures, 0, repeating[1] or repeating[2], repeating.end())
    if following in " \\{" + VULGAR + THIN + _RAISED_DIGITS and (
        mixed := _mixed(text, figures, end)
    ):
        return mixed
    return _longer(text, figures, figures, 0, end)


def _digits(text: str, token: str, end: int) -> str | None:
    """Return the digits of a number with separators as 1234.5; None if it is several numbers."""
    if "{.}" in token:
        token = token.replace("{.}", ".")
    if _PLAIN.fullmatch(token):
        return token
    if _GROUPED.fullmatch(token):
        return _SEPARATORS.sub("", token)
    if _POINTS.fullmatch(token):
        whole, _, part = token.partition(",")
        return whole.replace(".", "") + (f".{part}" if part else "")
    after = _AFTER_COMMA.match(text, end)
    if after and (_SHARE_COMMA if after[1] else _MONEY_COMMA).fullmatch(token):
        return token.replace(",", ".")
    if _SPACED_COMMA.fullmatch(token):
        return _SEPARATORS.sub("", token.replace(",", "."))
    return None


def _longer(text: str, digits: str, said: str, exponent: int, end: int) -> _Core | None:
    """Read on after the digits: repeating ones, powers of ten, a power, a fraction bar."""
    following = text[end : end + 1]
    if not following or following in ".,;)}\n":
        return _Core(decimal(digits, exponent), said, end)
    if exponent < 0 or said.endswith("."):
        repeating = _REPEATING.match(text, end)
        if repeating:
            return _repeating(digits, exponent, repeating[1] or repeating[2], repeating.end())
    if following in "\u0305\u0307" and exponent < 0:
        over = _OVERLINED.match(text, end - 1)
        if over:
            lined = over[0].replace("\u0305", "").replace("\u0307", "")
            return _repeating(digits[:-1], exponent + 1, lined, over.end())
    if following in "eE" and (raised := _EXPONENT.match(text, end)):
        return _scaled(digits, exponent + int(raised[1]), raised.end())
    if following in " ×\\·*x" + THIN and (times := _TIMES_TEN.match(text, end)):
        return _scaled(digits, exponent + _power(times), times.end())
    if following in "^* ⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻" and (power := _TO_THE.match(text, end)):
        return _raised(decimal(digits, exponent), _power(power), power.end())
    if following in "/ " and (slash := _SLASH.match(text, end)):
        return _divided(text, decimal(digits, exponent), said, slash.end(), end)
    return _Core(decimal(digits, exponent), said, end)


def _going_on(digits: str, exponent: int, end: int) -> _Core | None:
    """Read 0.666...: what comes three times goes on; of other decimals nobody knows the rest."""
    again = _AGAIN.search(digits[max(0, len(digits) + exponent) :])
    if again is None:
        return None
    block = again[1] or again[2] or again[3]
    length = len(again[0])
    return _repeating(digits[:-length], exponent + length, block, end)


def _repeating(digits: str, exponent: int, again: str, end: int) -> _Core:
    start = decimal(digits, exponent) if digits else Fraction(0)
    assert isinstance(start, Fraction)
    value = start + Fraction(int(again), 10 ** len(again) - 1) * Fraction(10) ** exponent
    return _Core(value, written(value), end)


def _scaled(digits: str, exponent: int, end: int) -> _Core:
    key = decimal(digits, exponent)
    if isinstance(key, Fraction) and -20 <= exponent <= 40:
        return _Core(key, written(key), end)
    return _Core(key, f"{digits}e{exponent}", end)


def _power(found: re.Match[str]) -> int:
    raised = next(group for group in found.groups() if group is not None)
    return int(raised.translate(_SUPERSCRIPT))


def _raised(base: Key, power: int, end: int) -> _Core | None:
    if not isinstance(base, Fraction) or (base == 0 and power <= 0):
        return None
    bits = max(base.numerator.bit_length(), base.denominator.bit_length())
    if bits * abs(power) > _BITS:
        whole = base.denominator == 1 and set(str(base.numerator)[1:]) <= {"0"}
        if whole and str(base.numerator)[0] == "1":  # 10^9999 has digits to compare
            zeros = power * (len(str(base.numerator)) - 1)
            return _Core(decimal("1", zeros), f"1e{zeros}", end)
        return None
    value = base**power
    return _Core(value, written(value), end)


def _divided(text: str, top: Key, said: str, at: int, whole_end: int) -> _Core | None:
    """Read the denominator after a bar; a second bar makes it a date or something else."""
    found = _CLOSE_TOKEN.match(text, at) or _POINT_FIRST.match(text, at)
    digits = found and (found[0] if found[0][0] == "." else _digits(text, found[0], found.end()))
    if found is None or digits is None:
        return _Core(top, said, whole_end)
    whole, _, part = digits.partition(".")
    bottom = decimal(whole + part, -len(part))
    if not (isinstance(top, Fraction) and isinstance(bottom, Fraction)) or bottom == 0:
        return None
    value = top / bottom
    is_plain = "." not in said + digits
    return _Core(value, f"{said}/{digits}" if is_plain else written(value), found.end())


def _mixed(text: str, whole: str, at: int) -> _Core | None:
    """Read the fraction after a whole number: 3 1/2, 3½, ``3\\frac12``."""
    found = _MIXED.match(text, at)
    if found:
        top, bottom, end = int(found[1]), int(found[2]), found.end()
    else:
        skipped = at + (text[at : at + 1] in (" ", THIN))
        if text[skipped : skipped + 1] == "\\" and text[skipped + 1 : skipped + 2] in ",;:! ":
            skipped += 2
        if text[skipped : skipped + 1] in _VULGAR:
            top, bottom = _VULGAR[text[skipped]]
            end = skipped + 1
        else:
            raised = _RAISED.match(text, skipped)
            part = (
                _over(
                    raised[1].translate(_SUPERSCRIPT),
                    raised[2].translate(_SUPERSCRIPT),
                    raised.end(),
                )
                if raised
                else _fraction(text, skipped)
            )
            if part is None or not isinstance(part.key, Fraction):
                return None
            top, bottom, end = part.key.numerator, part.key.denominator, part.end
    if not 0 < top < bottom or len(whole) > 400:
        return None
    value = int(whole) + Fraction(top, bottom)
    return _Core(value, written(value), end)


def _fraction(text: str, at: int) -> _Core | None:
    found = _FRAC.match(text, at)
    if found:
        top, bottom = _argument(found[1] or found[2]), _argument(found[3] or found[4])
    else:
        found = _OVER.match(text, at)
        if not found:
            return None
        top, bottom = _argument(found[1]), _argument(found[2])
    if top is None or bottom is None or bottom == 0:
        return None
    value = top / bottom
    plain = top.denominator == bottom.denominator == 1 and bottom > 0 and top >= 0
    said = f"{top.numerator}/{bottom.numerator}" if plain else written(value)
    return _Core(value, said, found.end())


def _argument(text: str) -> Fraction | None:
    """Read what stands above or below a fraction's bar: one plain number."""
    text = text.strip()
    sign = -1 if text.startswith("-") else 1
    found = _figures(text, sign < 0) if text[sign < 0 :][:1].isdecimal() else None
    if found is None or found.end != len(text) or not isinstance(found.key, Fraction):
        return None
    return sign * found.key


def _in_base(found: re.Match[str]) -> _Core | None:
    name = found[2] or found[3] or found[4] or found[5].translate(_SUPERSCRIPT)
    base = _BASE_NAMES.get(name) or int(name)
    if not 2 <= base <= 16:
        return None
    try:
        value = int(found[1], base)
    except ValueError:
        return None
    return _Core(Fraction(value), str(value), found.end())


def written(value: Fraction) -> str:
    """Write a value in digits: whole, decimal where that ends soon, or as a fraction."""
    if value.denominator == 1:
        return str(value.numerator)
    rest, twos, fives = value.denominator, 0, 0
    while rest % 2 == 0 and twos < 60:
        rest, twos = rest // 2, twos + 1
    while rest % 5 == 0 and fives < 60:
        rest, fives = rest // 5, fives + 1
    places = max(twos, fives)
    if rest != 1 or places > 40:
        return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value.numerator) * 10**places // value.denominator).rjust(places + 1, "0")
    return f"{'-' if value < 0 else ''}{digits[:-places]}.{digits[-places:]}"
