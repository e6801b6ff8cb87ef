"""Numbers as people and models write them: the value is drawn first, as an exact fraction."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction

from benchmarks.answers.forms.base import NUMERIC, Form, Written, other_than

_FORMS: list[Form] = []
_Drawn = tuple[str, Fraction] | tuple[str, Fraction, tuple[str, ...]]


def plain(value: Fraction) -> str:
    """Return a fraction as an integer or as p/q."""
    return (
        str(value.numerator) if value.denominator == 1 else f"{value.numerator}/{value.denominator}"
    )


def near(value: Fraction) -> tuple[str, ...]:
    """Return the values that a reader gets by losing the sign, the point or a digit."""
    close = [-value, value + 1, value * 10, value / 10, value * 1000]
    return tuple(plain(v) for v in close if v != value)


def _number(
    name: str,
    *,
    latex: bool = False,
    prose: bool = True,
    boxes: bool = True,
    source: str = "",
    kinds: tuple[str, ...] = NUMERIC,
) -> Callable[[Callable[[random.Random], _Drawn]], Callable[[random.Random], _Drawn]]:
    def keep(draw: Callable[[random.Random], _Drawn]) -> Callable[[random.Random], _Drawn]:
        def write(rng: random.Random) -> Written:
            drawn = draw(rng)
            text, value = drawn[0], drawn[1]
            more = drawn[2] if len(drawn) == 3 else ()
            truth = plain(value)
            return Written(text, truth, other_than(truth, *near(value), *more))

        _FORMS.append(Form(name, kinds, write, latex, prose, boxes, source))
        return draw

    return keep


def _whole(rng: random.Random, low: int = 2, high: int = 9999) -> int:
    return rng.randint(low, high)


def _decimal(rng: random.Random, places: int | None = None) -> tuple[str, Fraction]:
    places = places or rng.randint(1, 4)
    digits = f"{rng.randint(1, 10**places - 1):0{places}d}"[:-1] + str(rng.randint(1, 9))
    text = f"{rng.randint(1, 999)}.{digits}"
    return text, Fraction(text)


def _proper(rng: random.Random, top: int = 30) -> tuple[int, int]:
    while True:
        low = rng.randint(2, top)
        high = rng.randint(1, low - 1)
        if Fraction(high, low).denominator == low:
            return high, low


def _grouped(value: int, separator: str) -> str:
    return f"{value:,}".replace(",", separator)


def _big(rng: random.Random, groups: int | None = None) -> int:
    groups = groups or rng.randint(1, 3)
    return rng.randint(1, 999) * int(1000**groups) + rng.randint(1, 1000**groups - 1)


# --- sign ---


@_number("sign.none")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return str(value), Fraction(value)


@_number("sign.hyphen")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"-{value}", Fraction(-value)


@_number("sign.minus", source="U+2212, as typeset text has it")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"\u2212{value}", Fraction(-value)


@_number("sign.en_dash", source="U+2013, as word processors put it")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"\u2013{value}", Fraction(-value)


@_number("sign.plus")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"+{value}", Fraction(value)


@_number("sign.spaced", latex=True, prose=False)
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"- {value}", Fraction(-value)


@_number("sign.words")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"{rng.choice(['minus', 'negative'])} {value}", Fraction(-value)


# --- decimals ---


@_number("decimal.point")
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng)
    return text, value, (text.replace(".", ""), text.split(".")[0], text.split(".")[1])


@_number("decimal.negative")
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng)
    return f"-{text}", -value, (text.split(".")[0],)


@_number("decimal.bare_point", source="lm-evaluation-harness: '.5' read as 5")
def _(rng: random.Random) -> _Drawn:
    digits = f"{rng.randint(1, 99)}{rng.randint(1, 9)}"
    return f".{digits}", Fraction(f"0.{digits}"), (digits,)


@_number("decimal.bare_point_negative")
def _(rng: random.Random) -> _Drawn:
    digits = f"{rng.randint(1, 99)}{rng.randint(1, 9)}"
    return f"-.{digits}", Fraction(f"-0.{digits}"), (digits, f"-{digits}")


@_number("decimal.trailing_zeros")
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng)
    return text + "0" * rng.randint(1, 3), value, (text.replace(".", ""),)


@_number("decimal.comma", source="continental decimals, where the comma can be nothing else")
def _(rng: random.Random) -> _Drawn:
    whole, cents = _whole(rng, 2, 99), f"{rng.randint(1, 9)}{rng.randint(1, 9)}"
    value = Fraction(f"{whole}.{cents}")
    return f"{whole},{cents} €", value, (f"{whole}{cents}", str(whole), cents)


@_number("decimal.small")
def _(rng: random.Random) -> _Drawn:
    text = f"0.{'0' * rng.randint(2, 6)}{rng.randint(1, 99)}{rng.randint(1, 9)}"
    return text, Fraction(text), ("0",)


@_number("decimal.latex_braces", latex=True, source="siunitx-like '3{.}14'", prose=False)
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng)
    return text.replace(".", "{.}"), value, (text.replace(".", ""),)


# --- thousands ---

for _name, _separator, _latex, _source in (
    ("comma", ",", False, "helm 4337: 120,000 cut"),
    ("space", " ", False, "SI"),
    ("no_break_space", "\u00a0", False, "SI"),
    ("narrow_space", "\u202f", False, "French typography"),
    ("thin_space", "\u2009", False, "SI"),
    ("swiss", "'", False, "Switzerland"),
    ("swiss_curly", "\u2019", False, "Switzerland"),
    ("underscore", "_", False, "Python source"),
    ("latex_braces", "{,}", True, "MATH references"),
    ("latex_space", "\\,", True, "MATH references"),
    ("latex_negative_space", ",\\!", True, "MATH references: 10,\\!236"),
):

    def _separated(rng: random.Random, separator: str = _separator) -> _Drawn:
        value = _big(rng)
        text = _grouped(value, separator)
        parts = f"{value:,}".split(",")
        return text, Fraction(value), (parts[0], str(int(parts[-1])))

    _number(f"thousands.{_name}", latex=_latex, source=_source)(_separated)


@_number("thousands.points", source="German: two groups or more")
def _(rng: random.Random) -> _Drawn:
    value = _big(rng, rng.randint(2, 3))
    return _grouped(value, "."), Fraction(value)


@_number("thousands.points_comma", source="German: 1.234.567,89")
def _(rng: random.Random) -> _Drawn:
    value, cents = _big(rng, 2), rng.randint(11, 99)
    return f"{_grouped(value, '.')},{cents}", Fraction(f"{value}.{cents}"), (str(value),)


@_number("thousands.comma_point")
def _(rng: random.Random) -> _Drawn:
    value, cents = _big(rng), rng.randint(11, 99)
    return f"{value:,}.{cents}", Fraction(f"{value}.{cents}"), (str(value), f"{value}{cents}")


@_number("thousands.negative")
def _(rng: random.Random) -> _Drawn:
    value = _big(rng)
    return f"-{value:,}", Fraction(-value)


@_number("thousands.lakh", source="Indian groups: 1,23,456")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(100_001, 999_999_999)
    head, tail = str(value)[:-3], str(value)[-3:]
    pairs = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
    return ",".join([*pairs, tail]), Fraction(value), (tail.lstrip("0"), pairs[0])


# --- units and money ---

_UNITS = (
    "km",
    "cm",
    "kg",
    "m",
    "hours",
    "apples",
    "square feet",
    "miles per hour",
    "m/s",
    "students",
    "minutes",
    "L",
)


@_number("unit.word")
def _(rng: random.Random) -> _Drawn:
    text, value = (
        _decimal(rng, 1) if rng.random() < 0.3 else (lambda n: (str(n), Fraction(n)))(_whole(rng))
    )
    return f"{text} {rng.choice(_UNITS)}", value


@_number("unit.joined", source="not 5m: in kind math a touching letter is a factor")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"{value}{rng.choice(('km', 'cm', 'kg', 'mm', 'ml'))}", Fraction(value)


@_number("unit.power", source="a power of the unit is no part of the number")
def _(rng: random.Random) -> _Drawn:
    value, power = _whole(rng, 4), rng.choice((2, 3))
    unit = rng.choice((f"cm^{power}", f"m^{power}", f"cm{'²³'[power - 2]}", f"m{'²³'[power - 2]}"))
    return f"{value} {unit}", Fraction(value), (str(power), str(value**power), f"{value}{power}")


@_number("unit.latex_text", latex=True, source="MATH references")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    unit = rng.choice(
        (
            "\\text{ cm}",
            "\\text{ inches}",
            "~\\text{km}",
            "\\,\\mathrm{m}",
            "\\ \\text{feet}",
            "\\mbox{ cm}",
        )
    )
    return f"{value}{unit}", Fraction(value)


@_number("unit.latex_power", latex=True, source="MATH references")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng, 4)
    return (
        f"{value}\\text{{ {rng.choice(('cm', 'm', 'in'))}}}^2",
        Fraction(value),
        (str(value**2), "2"),
    )


@_number("unit.degrees")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng, 2, 359)
    return f"{value}°", Fraction(value)


@_number("unit.degrees_latex", latex=True, source="MATH references")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng, 2, 359)
    degree = rng.choice(("^\\circ", "^{\\circ}", "\\degree"))
    return f"{value}{degree}", Fraction(value), (f"{value}0",)


@_number("unit.celsius")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng, 2, 40)
    return f"-{value} °C", Fraction(-value)


for _name, _before, _after, _latex in (
    ("dollar", "$", "", False),
    ("dollar_escaped", "\\$", "", True),
    ("pound", "£", "", False),
    ("euro_after", "", " €", False),
    ("euro_before", "€", "", False),
    ("yen", "¥", "", False),
    ("rupee", "₹", "", False),
    ("us_dollar", "US$", "", False),
    ("code_before", "USD ", "", False),
    ("code_after", "", " USD", False),
    ("word", "", " dollars", False),
):

    def _money(rng: random.Random, before: str = _before, after: str = _after) -> _Drawn:
        value = rng.choice((_whole(rng), _big(rng, 1)))
        if rng.random() < 0.5:
            cents = rng.randint(10, 99)
            return f"{before}{value:,}.{cents}{after}", Fraction(f"{value}.{cents}"), (str(value),)
        return f"{before}{value:,}{after}", Fraction(value), (str(value % 1000),)

    _number(f"money.{_name}", latex=_latex, source="helm 4337, lm-evaluation-harness 3214")(_money)


@_number("money.negative", source="-$5")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"-${value}", Fraction(-value)


@_number("money.negative_inside", source="$-5")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"$-{value}", Fraction(-value)


@_number("money.million")
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng, 1)
    return f"${text} million", value * 10**6, (plain(value),)


# --- percent: 45 % is 45, and not 0.45 ---

for _name, _after, _latex in (
    ("sign", "%", False),
    ("spaced", " %", False),
    ("latex", "\\%", True),
    ("word", " percent", False),
    ("words", " per cent", False),
):

    def _percent(rng: random.Random, after: str = _after) -> _Drawn:
        text, value = (
            _decimal(rng, 1)
            if rng.random() < 0.4
            else (lambda n: (str(n), Fraction(n)))(_whole(rng, 2, 99))
        )
        return f"{text}{after}", value, (plain(value / 100),)

    _number(
        f"percent.{_name}", latex=_latex, source="Math-Verify, lighteval: percent against fraction"
    )(_percent)


@_number("percent.negative")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng, 2, 99)
    return f"-{value}%", Fraction(-value)


@_number("percent.fraction", latex=True, source="MATH: 33\\frac{1}{3}\\%")
def _(rng: random.Random) -> _Drawn:
    whole, (high, low) = _whole(rng, 2, 99), _proper(rng, 9)
    return (
        f"{whole}\\frac{{{high}}}{{{low}}}\\%",
        whole + Fraction(high, low),
        (str(whole), f"{high}/{low}"),
    )


# --- powers of ten ---


def _mantissa(rng: random.Random) -> tuple[str, Fraction]:
    text = (
        f"{rng.randint(1, 9)}.{rng.randint(0, 9)}{rng.randint(1, 9)}"
        if rng.random() < 0.7
        else str(rng.randint(2, 9))
    )
    return text, Fraction(text)


_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

for _name, _write, _latex in (
    ("e", "{m}e{p}", False),
    ("E", "{m}E{p}", False),
    ("e_plus", "{m}e+{q:02d}", False),
    ("caret", "{m} × 10^{p}", False),
    ("caret_braces", "{m} × 10^{{{p}}}", False),
    ("superscript", "{m} × {ten}", False),
    ("dot_superscript", "{m}·{ten}", False),
    ("star", "{m}*10^{p}", False),
    ("stars", "{m} * 10**{p}", False),
    ("letter_x", "{m} x 10^{p}", False),
    ("times", "{m} \\times 10^{{{p}}}", True),
    ("cdot", "{m}\\cdot 10^{{{p}}}", True),
    ("times_joined", "{m}\\times10^{{{p}}}", True),
):

    def _power(rng: random.Random, write: str = _write) -> _Drawn:
        mantissa, value = _mantissa(rng)
        power = rng.choice((-6, -4, -3, -2, 2, 3, 4, 5, 6, 8, 12, 23))
        if "{q" in write:
            power = abs(power)
        text = write.format(m=mantissa, p=power, q=power, ten="10" + str(power).translate(_RAISED))
        wrong = (
            mantissa,
            str(power),
            "10",
            plain(value * 10),
            plain(value * Fraction(10) ** -power),
        )
        return text, value * Fraction(10) ** power, wrong

    _number(f"power.{_name}", latex=_latex, source="5·10⁸ read as 5·10^0 or 3·10⁸")(_power)

for _name, _write, _latex in (
    ("ten_caret", "10^{p}", False),
    ("ten_braces", "10^{{{p}}}", True),
    ("ten_superscript", "{ten}", False),
    ("ten_stars", "10**{p}", False),
):

    def _ten(rng: random.Random, write: str = _write) -> _Drawn:
        power = rng.randint(2, 9)
        text = write.format(p=power, ten="10" + str(power).translate(_RAISED))
        return text, Fraction(10**power), ("10", str(power), f"10{power}")

    _number(f"power.{_name}", latex=_latex)(_ten)


@_number("power.scale_word")
def _(rng: random.Random) -> _Drawn:
    text, value = (
        _decimal(rng, 1)
        if rng.random() < 0.5
        else (lambda n: (str(n), Fraction(n)))(_whole(rng, 2, 99))
    )
    word, power = rng.choice(
        (("hundred", 2), ("thousand", 3), ("million", 6), ("billion", 9), ("trillion", 12))
    )
    if power == 2:
        text, value = (lambda n: (str(n), Fraction(n)))(rng.randint(2, 9))
    return f"{text} {word}", value * 10**power, (plain(value),)


# --- fractions ---

for _name, _write, _latex, _source in (
    ("slash", "{h}/{l}", False, ""),
    ("slash_spaced", "{h} / {l}", False, ""),
    ("frac", "\\frac{{{h}}}{{{l}}}", True, "MATH"),
    ("dfrac", "\\dfrac{{{h}}}{{{l}}}", True, "MATH"),
    ("tfrac", "\\tfrac{{{h}}}{{{l}}}", True, "MATH"),
    ("cfrac", "\\cfrac{{{h}}}{{{l}}}", True, ""),
    ("frac_spaced", "\\frac {{{h}}} {{{l}}}", True, "MATH"),
    ("over", "{{{h} \\over {l}}}", True, "TeX"),
    ("braces_slash", "{{{h}}}/{{{l}}}", True, "MATH"),
    ("nicefrac", "\\nicefrac{{{h}}}{{{l}}}", True, "nicefrac"),
    ("sfrac", "\\sfrac{{{h}}}{{{l}}}", True, "xfrac"),
    ("fraction_slash", "{h}⁄{l}", False, "U+2044"),
    ("division_slash", "{h}∕{l}", False, "U+2215"),
    ("raised_lowered", "{up}⁄{down}", False, "Unicode"),
    ("parens", "({h})/({l})", False, ""),
    ("over_word", "{h} over {l}", False, "spoken"),
):

    def _fraction(rng: random.Random, write: str = _write) -> _Drawn:
        high, low = _proper(rng) if rng.random() < 0.6 else _proper(rng)[::-1]
        if low == 1:
            high, low = 7, 3
        up = str(high).translate(_RAISED)
        down = str(low).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
        text = write.format(h=high, l=low, up=up, down=down)
        return text, Fraction(high, low), (str(high), str(low), f"{low}/{high}", f"{high}{low}")

    _number(f"fraction.{_name}", latex=_latex, source=_source)(_fraction)

for _name, _write in (
    ("sign_outside", "-\\frac{{{h}}}{{{l}}}"),
    ("sign_above", "\\frac{{-{h}}}{{{l}}}"),
    ("sign_below", "\\frac{{{h}}}{{-{l}}}"),
    ("sign_dfrac", "-\\dfrac{{{h}}}{{{l}}}"),
):

    def _negative(rng: random.Random, write: str = _write) -> _Drawn:
        high, low = _proper(rng)
        return (
            write.format(h=high, l=low),
            Fraction(-high, low),
            (str(-high), str(low), f"-{low}/{high}"),
        )

    _number(f"fraction.{_name}", latex=True, source="Math-Verify 34")(_negative)


@_number("fraction.sign_slash")
def _(rng: random.Random) -> _Drawn:
    high, low = _proper(rng)
    return f"-{high}/{low}", Fraction(-high, low), (str(high), str(low), f"-{high}")


@_number("fraction.no_braces", latex=True, source="MATH: \\frac34")
def _(rng: random.Random) -> _Drawn:
    high, low = _proper(rng, 9)
    return f"\\frac{high}{low}", Fraction(high, low), (str(high), str(low), f"{high}{low}")


@_number("fraction.half_braces", latex=True, source="MATH: \\frac3{4}")
def _(rng: random.Random) -> _Drawn:
    high, low = _proper(rng, 9)
    return (
        rng.choice((f"\\frac{high}{{{low}}}", f"\\frac{{{high}}}{low}")),
        Fraction(high, low),
        (str(high), str(low)),
    )


@_number("fraction.no_braces_spaced", latex=True, source="MATH: \\frac 3 4")
def _(rng: random.Random) -> _Drawn:
    high, low = _proper(rng, 9)
    return f"\\frac {high} {low}", Fraction(high, low), (str(high), str(low), f"{high}{low}")


_VULGAR = {
    "½": "1/2",
    "⅓": "1/3",
    "⅔": "2/3",
    "¼": "1/4",
    "¾": "3/4",
    "⅕": "1/5",
    "⅖": "2/5",
    "⅗": "3/5",
    "⅘": "4/5",
    "⅙": "1/6",
    "⅚": "5/6",
    "⅛": "1/8",
    "⅜": "3/8",
    "⅝": "5/8",
    "⅞": "7/8",
}


@_number("fraction.vulgar", source="Unicode")
def _(rng: random.Random) -> _Drawn:
    sign = rng.choice(sorted(_VULGAR))
    value = Fraction(_VULGAR[sign])
    return sign, value, (str(value.numerator), str(value.denominator))


@_number("fraction.words")
def _(rng: random.Random) -> _Drawn:
    word, value = rng.choice(
        (
            ("one half", "1/2"),
            ("two thirds", "2/3"),
            ("three quarters", "3/4"),
            ("two-thirds", "2/3"),
            ("one third", "1/3"),
            ("three fourths", "3/4"),
            ("five eighths", "5/8"),
            ("one-quarter", "1/4"),
            ("four fifths", "4/5"),
            ("seven tenths", "7/10"),
        )
    )
    return word, Fraction(value), (str(Fraction(value).numerator),)


# --- mixed numbers ---

for _name, _write, _latex in (
    ("plain", "{w} {h}/{l}", False),
    ("and", "{w} and {h}/{l}", False),
    ("frac", "{w}\\frac{{{h}}}{{{l}}}", True),
    ("frac_spaced", "{w} \\frac{{{h}}}{{{l}}}", True),
    ("dfrac", "{w}\\dfrac{{{h}}}{{{l}}}", True),
    ("tfrac_thin", "{w}\\,\\tfrac{{{h}}}{{{l}}}", True),
):

    def _mixed(rng: random.Random, write: str = _write) -> _Drawn:
        whole, (high, low) = _whole(rng, 2, 99), _proper(rng, 16)
        text = write.format(w=whole, h=high, l=low)
        wrong = (
            str(whole),
            f"{high}/{low}",
            f"{whole}{high}/{low}",
            plain(whole * Fraction(high, low)),
            str(low),
        )
        return text, whole + Fraction(high, low), wrong

    # In kind math "3 and 1/2" may be two answers.
    _kinds = ("number",) if _name == "and" else NUMERIC
    _number(f"mixed.{_name}", latex=_latex, kinds=_kinds, source="Math-Verify 34, PR 81")(_mixed)


@_number("mixed.negative")
def _(rng: random.Random) -> _Drawn:
    whole, (high, low) = _whole(rng, 2, 99), _proper(rng, 9)
    return (
        f"-{whole} {high}/{low}",
        -(whole + Fraction(high, low)),
        (plain(-whole + Fraction(high, low)),),
    )


@_number("mixed.negative_latex", latex=True)
def _(rng: random.Random) -> _Drawn:
    whole, (high, low) = _whole(rng, 2, 99), _proper(rng, 9)
    text = f"-{whole}\\frac{{{high}}}{{{low}}}"
    return (
        text,
        -(whole + Fraction(high, low)),
        (plain(-whole + Fraction(high, low)), plain(-whole * Fraction(high, low))),
    )


@_number("mixed.vulgar")
def _(rng: random.Random) -> _Drawn:
    whole, sign = _whole(rng, 2, 99), rng.choice(sorted(_VULGAR))
    return (
        f"{whole}{rng.choice(('', ' '))}{sign}",
        whole + Fraction(_VULGAR[sign]),
        (str(whole), _VULGAR[sign]),
    )


@_number("mixed.words")
def _(rng: random.Random) -> _Drawn:
    text, value = rng.choice(
        (
            ("three and a half", "7/2"),
            ("two and three quarters", "11/4"),
            ("five and one third", "16/3"),
            ("one and a half", "3/2"),
            ("four and a quarter", "17/4"),
        )
    )
    whole = Fraction(value).numerator // Fraction(value).denominator
    return text, Fraction(value), (str(whole), plain(Fraction(value) - whole))


# --- repeating decimals ---


def _repeating(rng: random.Random) -> tuple[int, str, str, Fraction]:
    whole = rng.randint(0, 9)
    start = rng.choice(("", "", str(rng.randint(1, 9))))
    cycle = rng.choice(("3", "6", "142857", "27", "45", "18", "7", "09"))
    value = Fraction(int(start or "0"), 10 ** len(start)) + Fraction(
        int(cycle), (10 ** len(cycle) - 1) * 10 ** len(start)
    )
    return whole, start, cycle, whole + value


for _name, _write, _latex in (
    ("overline", "{w}.{s}\\overline{{{c}}}", True),
    ("bar", "{w}.{s}\\bar{{{c}}}", True),
    ("parens", "{w}.{s}({c})", False),
    ("combining", "{w}.{s}{o}", False),
):

    def _repeat(rng: random.Random, write: str = _write) -> _Drawn:
        whole, start, cycle, value = _repeating(rng)
        over = "".join(digit + "\u0305" for digit in cycle)
        text = write.format(w=whole, s=start, c=cycle, o=over)
        return text, value, (f"{whole}.{start}{cycle}", cycle, str(whole))

    _number(f"repeating.{_name}", latex=_latex, source="MATH: 0.\\overline{3}")(_repeat)


@_number("repeating.dots")
def _(rng: random.Random) -> _Drawn:
    whole, digit = rng.randint(0, 9), rng.choice("3678")
    dots = rng.choice(("...", "…"))
    return f"{whole}.{digit * 4}{dots}", whole + Fraction(int(digit), 9), (f"{whole}.{digit * 4}",)


@_number("repeating.dots_latex", latex=True)
def _(rng: random.Random) -> _Drawn:
    whole, digit = rng.randint(0, 9), rng.choice("3678")
    return f"{whole}.{digit * 3}\\ldots", whole + Fraction(int(digit), 9), (f"{whole}.{digit * 3}",)


# --- words ---

_ONES = [
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
]
_TENS = ["_", "_", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]


def spoken(value: int, joint: str = "-", joined: str = " and ") -> str:
    """Return a whole number under a million in English words."""
    if value < 20:
        return _ONES[value]
    if value < 100:
        return _TENS[value // 10] + (joint + _ONES[value % 10] if value % 10 else "")
    if value < 1000:
        rest = value % 100
        return f"{_ONES[value // 100]} hundred" + (joined + spoken(rest, joint) if rest else "")
    rest = value % 1000
    tail = "" if not rest else (joined if rest < 100 else " ") + spoken(rest, joint, joined)
    return f"{spoken(value // 1000, joint, joined)} thousand{tail}"


for _name, _joint, _joined, _top in (
    ("hyphen", "-", " and ", 99),
    ("space", " ", " and ", 99),
    ("hundreds_and", "-", " and ", 999),
    ("hundreds", "-", " ", 999),
    ("thousands", "-", " ", 999_999),
    ("thousands_and", "-", " and ", 99_999),
):

    def _words(
        rng: random.Random, joint: str = _joint, joined: str = _joined, top: int = _top
    ) -> _Drawn:
        value = rng.randint(2 if top < 100 else top // 99, top)
        text = spoken(value, joint, joined)
        last = text.replace("-", " ").split()[-1]
        wrong = str(_ONES.index(last)) if last in _ONES else ""
        return text, Fraction(value), (wrong,) if wrong and int(wrong) != value else ()

    _number(f"words.{_name}")(_words)


@_number("words.negative")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(2, 99)
    return f"{rng.choice(('minus', 'negative'))} {spoken(value)}", Fraction(-value)


@_number("words.capital")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(2, 99)
    return spoken(value).capitalize(), Fraction(value)


@_number("words.with_digits", source="'twelve (12)'")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(2, 99)
    return f"{spoken(value)} ({value})", Fraction(value)


@_number("words.unit")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(2, 999)
    return f"{spoken(value)} {rng.choice(('apples', 'days', 'dollars'))}", Fraction(value)


# --- digits of other scripts ---

for _name, _zero in (
    ("fullwidth", "\uff10"),
    ("arabic_indic", "\u0660"),
    ("persian", "\u06f0"),
    ("devanagari", "\u0966"),
    ("bengali", "\u09e6"),
    ("thai", "\u0e50"),
    ("bold", "\U0001d7ce"),
    ("monospace", "\U0001d7f6"),
):

    def _script(rng: random.Random, zero: str = _zero) -> _Drawn:
        value = _whole(rng)
        return "".join(chr(ord(zero) + int(d)) for d in str(value)), Fraction(value)

    _number(f"digits.{_name}", source="Unicode Nd")(_script)


@_number("digits.arabic_thousands", source="U+066C")
def _(rng: random.Random) -> _Drawn:
    value = _big(rng)
    text = "".join("\u066c" if c == "," else chr(0x660 + int(c)) for c in f"{value:,}")
    return text, Fraction(value)


@_number("digits.arabic_decimal", source="U+066B")
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng)
    return (
        "".join("\u066b" if c == "." else chr(0x660 + int(c)) for c in text),
        value,
        (text.replace(".", ""),),
    )


@_number("digits.fullwidth_decimal")
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng)
    return (
        "".join("\uff0e" if c == "." else chr(0xFF10 + int(c)) for c in text),
        value,
        (text.replace(".", ""),),
    )


# --- more digits than fit ---


@_number("long.integer", source="floats that merge 2^53 and 2^53+1")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(10**17, 10**40)
    return str(value), Fraction(value), (str(value - 1), str(value + 2))


@_number("long.grouped")
def _(rng: random.Random) -> _Drawn:
    value = rng.randint(10**17, 10**27)
    return f"{value:,}", Fraction(value), (str(value - 1),)


@_number("long.decimal")
def _(rng: random.Random) -> _Drawn:
    text = f"{rng.randint(1, 9)}.{rng.randint(10**19, 10**25)}{rng.randint(1, 8)}"
    return text, Fraction(text), (text[:-1] + str(int(text[-1]) + 1), text[:9])


@_number("long.power")
def _(rng: random.Random) -> _Drawn:
    power = rng.randint(310, 400)
    value = rng.randint(2, 9)
    return (
        f"{value}e{power}",
        Fraction(value * 10**power),
        (f"{value + 1}e{power}", f"{value}e{power - 1}"),
    )


# --- marks around the number ---


@_number("around.equals")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"{rng.choice('xnk')} = {value}", Fraction(value)


@_number("around.approximately", kinds=("number",))
def _(rng: random.Random) -> _Drawn:
    text, value = _decimal(rng, 2)
    return f"{rng.choice(('≈ ', 'approximately ', '~', 'about '))}{text}", value


@_number("around.parens", prose=False)
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"({value})", Fraction(value)


@_number("around.code")
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    return f"`{value}`", Fraction(value)


@_number("around.textbf", latex=True)
def _(rng: random.Random) -> _Drawn:
    value = _whole(rng)
    face = rng.choice(("\\mathbf", "\\textbf", "\\text", "\\mathrm"))
    return f"{face}{{{value}}}", Fraction(value)


@_number("around.displaystyle", latex=True)
def _(rng: random.Random) -> _Drawn:
    high, low = _proper(rng)
    return f"\\displaystyle\\frac{{{high}}}{{{low}}}", Fraction(high, low), (str(high),)


@_number("around.chain", source="a line of equalities ends in the answer")
def _(rng: random.Random) -> _Drawn:
    a, b = _whole(rng, 2, 99), _whole(rng, 2, 99)
    return f"{a} + {b} = {a + b}", Fraction(a + b), (str(a), str(b))


@_number("around.product_chain", latex=True)
def _(rng: random.Random) -> _Drawn:
    a, b = _whole(rng, 3, 99), _whole(rng, 3, 99)
    return f"{a} \\times {b} = {a * b}", Fraction(a * b), (str(a), str(b), f"{a}{b}")


FORMS: tuple[Form, ...] = tuple(_FORMS)
