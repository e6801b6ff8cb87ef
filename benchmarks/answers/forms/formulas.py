"""Answers of kind math that are more than one number: each with near misses that must stay apart."""

# ruff: noqa: E501 - near misses in a row

from __future__ import annotations

import random
from collections.abc import Callable

from benchmarks.answers.forms.base import Form, Written, other_than

_FORMS: list[Form] = []


def _formula(
    name: str, *, latex: bool = False, prose: bool = False, boxes: bool = True, source: str = ""
) -> Callable[[Callable[[random.Random], Written]], Callable[[random.Random], Written]]:
    def keep(write: Callable[[random.Random], Written]) -> Callable[[random.Random], Written]:
        def checked(rng: random.Random) -> Written:
            drawn = write(rng)
            differs = other_than(drawn.truth, *drawn.differs)
            return Written(drawn.text, drawn.truth, differs, drawn.equals)

        _FORMS.append(Form(name, ("math",), checked, latex, prose, boxes, source))
        return write

    return keep


def _two(rng: random.Random, low: int = 2, high: int = 30) -> tuple[int, int]:
    a, b = rng.sample(range(low, high), 2)
    return min(a, b), max(a, b)


_PRIMES = (2, 3, 5, 7, 11, 13)

# --- roots, pi, powers ---

for _name, _write, _latex in (
    ("braces", "{n}\\sqrt{{{p}}}", True),
    ("bare", "{n}\\sqrt {p}", True),
    ("cdot", "{n}\\cdot\\sqrt{{{p}}}", True),
    ("sign", "{n}√{p}", False),
    ("sign_parens", "{n}√({p})", False),
    ("function", "{n}*sqrt({p})", False),
    ("function_joined", "{n}sqrt({p})", False),
    ("half_power", "{n} \\cdot {p}^{{1/2}}", True),
):

    @_formula(f"root.{_name}", latex=_latex, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        n, p = rng.randint(2, 12), rng.choice(_PRIMES)
        wrong = (
            f"\\sqrt{{{p}}}",
            str(n),
            f"-{n}\\sqrt{{{p}}}",
            f"{n + 1}\\sqrt{{{p}}}",
            f"{n * p}",
            f"\\sqrt[{n}]{{{p}}}",
        )
        return Written(
            write.format(n=n, p=p), f"{n}\\sqrt{{{p}}}", wrong, (f"\\sqrt{{{n * n * p}}}",)
        )


@_formula("root.joined", latex=True, prose=True, source="MATH: \\sqrt3")
def _(rng: random.Random) -> Written:
    p = rng.choice((2, 3, 5, 7))
    return Written(f"\\sqrt{p}", f"\\sqrt{{{p}}}", (str(p), f"\\sqrt{{{p}1}}", f"-\\sqrt{{{p}}}"))


@_formula("root.index", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    p = rng.choice(_PRIMES)
    return Written(
        f"\\sqrt[3]{{{p}}}", f"{p}^{{1/3}}", (f"\\sqrt{{{p}}}", f"3\\sqrt{{{p}}}", str(p))
    )


@_formula("root.over", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    p, q = rng.choice(_PRIMES), rng.randint(2, 9)
    wrong = (
        f"\\sqrt{{{p}}}",
        f"\\frac{{{p}}}{{{q}}}",
        f"\\sqrt{{\\frac{{{p}}}{{{q}}}}}",
        f"\\frac{{{q}}}{{\\sqrt{{{p}}}}}",
    )
    return Written(f"\\frac{{\\sqrt{{{p}}}}}{{{q}}}", f"\\sqrt{{{p}}}/{q}", wrong)


@_formula("root.rationalised", latex=True, prose=True, source="equal, written two ways")
def _(rng: random.Random) -> Written:
    p = rng.choice(_PRIMES)
    return Written(
        f"\\frac{{1}}{{\\sqrt{{{p}}}}}",
        f"\\frac{{\\sqrt{{{p}}}}}{{{p}}}",
        (f"\\sqrt{{{p}}}", f"\\frac{{1}}{{{p}}}"),
    )


@_formula("root.sum", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, p = rng.randint(2, 9), rng.choice(_PRIMES)
    sign, other = rng.choice(("+-", "-+"))
    wrong = (f"{a} {other} \\sqrt{{{p}}}", str(a), f"\\sqrt{{{p}}}", f"{a}\\sqrt{{{p}}}")
    return Written(
        f"{a} {sign} \\sqrt{{{p}}}", f"{a}{sign}\\sqrt{{{p}}}", wrong, (f"{sign}\\sqrt{{{p}}}+{a}",)
    )


for _name, _write, _latex in (
    ("latex", "{n}\\pi", True),
    ("sign", "{n}π", False),
    ("word", "{n} pi", False),
    ("star", "{n}*pi", False),
    ("cdot", "{n} \\cdot \\pi", True),
):

    @_formula(f"pi.{_name}", latex=_latex, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        n = rng.randint(2, 99)
        return Written(write.format(n=n), f"{n}\\pi", (str(n), "\\pi", f"{n + 1}\\pi", f"-{n}\\pi"))


for _name, _write, _latex in (
    ("frac", "\\frac{{\\pi}}{{{n}}}", True),
    ("frac_half_braces", "\\frac\\pi{{{n}}}", True),
    ("slash", "π/{n}", False),
    ("slash_latex", "\\pi/{n}", True),
):

    @_formula(f"pi_over.{_name}", latex=_latex, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        n = rng.randint(2, 12)
        return Written(
            write.format(n=n),
            f"\\frac{{\\pi}}{{{n}}}",
            ("\\pi", str(n), f"{n}\\pi", f"\\frac{{1}}{{{n}}}"),
        )


for _name, _write, _latex in (
    ("caret", "{a}^{b}", False),
    ("braces", "{a}^{{{b}}}", True),
    ("superscript", "{a}{up}", False),
    ("stars", "{a}**{b}", False),
):

    @_formula(f"raised.{_name}", latex=_latex, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        a, b = rng.randint(2, 9), rng.randint(3, 9)
        up = str(b).translate(str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹"))
        wrong = (str(a), str(b), f"{a}{b}", str(a * b), f"{a}^{b + 1}")
        return Written(write.format(a=a, b=b, up=up), str(a**b), wrong)


# --- exact functions ---


@_formula("function.log", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = rng.sample((2, 3, 5, 6, 7), 2)
    return Written(f"\\log_{{{a}}} {b}", f"\\log_{a}({b})", (f"\\log_{b} {a}", str(b), f"\\ln {b}"))


@_formula("function.ln", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.choice((2, 3, 5, 7))
    return Written(f"\\ln {a}", f"\\ln({a})", (str(a), f"\\ln {a + 1}", f"e^{a}"))


@_formula("function.e", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 9)
    return Written(f"e^{{{a}}}", f"e^{a}", (str(a), f"{a}e", f"e^{{-{a}}}"))


@_formula("function.factorial", latex=True, source="6! in prose may be a cry")
def _(rng: random.Random) -> Written:
    a = rng.randint(4, 9)
    product = 1
    for k in range(2, a + 1):
        product *= k
    return Written(f"{a}!", str(product), (str(a), str(product + 1)))


@_formula("function.binomial", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    n = rng.randint(5, 20)
    return Written(
        f"\\binom{{{n}}}{{2}}", str(n * (n - 1) // 2), (str(n), f"\\frac{{{n}}}{{2}}", str(n * n))
    )


@_formula("function.sine", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.choice(("x", "\\theta"))
    return Written(f"\\sin {a}", f"\\sin({a})", (f"\\cos {a}", a, f"\\sin^2 {a}"))


@_formula("infinity", latex=True, prose=False)
def _(rng: random.Random) -> Written:
    if rng.random() < 0.5:
        return Written("\\infty", "\\infty", ("-\\infty", "0", "8"), ("∞",))
    return Written("-\\infty", "-\\infty", ("\\infty", "0"), ("-∞",))


# --- complex numbers ---

for _name, _write in (
    ("plain", "{a}{s}{b}i"),
    ("spaced", "{a} {s} {b}i"),
    ("roman", "{a}{s}{b}\\mathrm{{i}}"),
    ("turned", "{t}{b}i+{a}"),
):

    @_formula(f"complex.{_name}", latex=True, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        a, b = _two(rng)
        sign, other = rng.choice(("+-", "-+"))
        text = write.format(a=a, b=b, s=sign, t="" if sign == "+" else "-")
        return Written(
            text, f"{a}{sign}{b}i", (f"{a}{other}{b}i", str(a), f"{b}{sign}{a}i", f"{a}{sign}{b}")
        )


# --- polynomials and fractions of them ---

for _name, _square in (
    ("braces", "x^{2}"),
    ("caret", "x^2"),
    ("superscript", "x²"),
    ("stars", "x**2"),
):

    @_formula(f"polynomial.{_name}", latex=_name == "braces", prose=True)
    def _(rng: random.Random, square: str = _square) -> Written:
        a, b = _two(rng)
        truth = f"x^2+{a}x+{b}"
        wrong = (f"x^2-{a}x+{b}", f"x^2+{a}x-{b}", f"x^2+{b}x+{a}", f"x^3+{a}x+{b}", str(b))
        times = "*" if square == "x**2" else ""
        return Written(f"{square} + {a}{times}x + {b}", truth, wrong, (f"{b}+{a}x+x^2",))


@_formula("polynomial.factored", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng, 2, 9)
    truth = f"x^2+{b - a}x-{a * b}" if b - a != 1 else f"x^2+x-{a * b}"
    return Written(
        f"(x-{a})(x+{b})", truth, (f"(x+{a})(x-{b})", f"x-{a}", f"x+{b}", f"x^2-{a * b}")
    )


@_formula("polynomial.cubic", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"-{a}x^3 + {b}x", f"{b}x-{a}x^3", (f"{a}x^3+{b}x", f"-{a}x^2+{b}x", f"-{b}x^3+{a}x")
    )


@_formula("rational.frac", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"\\frac{{x+{a}}}{{x-{b}}}",
        f"(x+{a})/(x-{b})",
        (f"\\frac{{x-{b}}}{{x+{a}}}", f"x+\\frac{{{a}}}{{x-{b}}}", f"x+{a}"),
    )


@_formula("letters.product", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 9)
    return Written(f"{a}ab", f"{a} a b", (f"{a}a", f"{a}b", f"{a}a+b", f"-{a}ab"), (f"{a}ba",))


# --- equations and inequalities ---


@_formula("equation.line", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"y = {a}x + {b}", f"y={a}x+{b}", (f"y={a}x-{b}", f"y={b}x+{a}", f"y=-{a}x+{b}", str(b))
    )


@_formula("equation.circle", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 12)
    return Written(
        f"x^2 + y^2 = {a * a}", f"x^2+y^2={a * a}", (f"x^2+y^2={a}", f"x^2-y^2={a * a}", str(a * a))
    )


@_formula(
    "equation.value", latex=True, prose=True, source="lm-evaluation-harness: 'x = 5' against 5"
)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(f"x = -\\frac{{{a}}}{{{b}}}", f"-{a}/{b}", (f"{a}/{b}", f"-{b}/{a}", str(-a)))


for _name, _sign, _truth, _turned in (
    ("less", "<", "<", ">"),
    ("at_most", "\\le", "\\leq", "\\geq"),
    ("at_most_unicode", "≤", "\\leq", "\\geq"),
    ("at_most_ascii", "<=", "\\leq", "\\geq"),
    ("at_least", "\\geq", "\\ge", "\\le"),
    ("at_least_slanted", "\\geqslant", "\\ge", "\\le"),
    ("greater_latex", "\\gt", ">", "<"),
):

    @_formula(f"inequality.{_name}", latex=_sign.startswith("\\"), prose=True)
    def _(
        rng: random.Random, sign: str = _sign, truth: str = _truth, turned: str = _turned
    ) -> Written:
        a = rng.randint(2, 99)
        strict = truth in "<>"
        softened = (
            {"<": "\\leq", ">": "\\geq"}[truth]
            if strict
            else {"\\leq": "<", "\\geq": ">", "\\ge": ">", "\\le": "<"}[truth]
        )
        return Written(
            f"x {sign} {a}",
            f"x {truth} {a}",
            (f"x {turned} {a}", str(a), f"x = {a}", f"x {softened} {a}", f"x {truth} -{a}"),
        )


@_formula("inequality.between", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"{a} < x \\le {b}",
        f"{a}<x\\leq {b}",
        (f"{a}\\leq x<{b}", f"{a}<x<{b}", str(b), f"-{a}<x\\leq {b}"),
    )


@_formula("inequality.not_equal", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 99)
    return Written(f"x \\ne {a}", f"x\\neq {a}", (f"x={a}", str(a), f"x>{a}"))


# --- plus or minus, several answers ---


@_formula("several.plus_minus", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 99)
    return Written(f"\\pm {a}", f"{a}, -{a}", (str(a), f"-{a}", f"{a}, {a + 1}"))


@_formula("several.plus_minus_sign", prose=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 99)
    return Written(f"±{a}", f"-{a},{a}", (str(a), f"-{a}"))


@_formula("several.comma", prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"{a}, {b}",
        f"{a},{b}",
        (str(a), str(b), f"{a}{b}", f"{a}.{b}", f"{a},{b + 1}", f"{a},{a}"),
        (f"{b},{a}",),
    )


@_formula("several.comma_three", prose=True)
def _(rng: random.Random) -> Written:
    a, b, c = sorted(rng.sample(range(-30, 30), 3))
    return Written(
        f"{a}, {b}, {c}",
        f"{c},{b},{a}",
        (str(a), str(c), f"{a},{b}", f"{a},{b},{c + 1}", f"{a}, {-b}, {c}" if b else ""),
    )


@_formula("several.and", prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(f"{a} and {b}", f"{a},{b}", (str(a), str(b), f"{a}{b}", f"{a + b}"))


@_formula("several.or_variable", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(f"x = {a} \\text{{ or }} x = -{b}", f"{a}, -{b}", (str(a), f"-{b}", f"{a},{b}"))


@_formula("several.fractions", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"\\frac{{{a}}}{{{b}}}, -\\frac{{1}}{{{b}}}",
        f"{a}/{b},-1/{b}",
        (f"{a}/{b}", f"-1/{b}", f"{a}/{b},1/{b}"),
    )


# --- sets ---

for _name, _write, _latex in (
    ("escaped", "\\{{{items}\\}}", True),
    ("left_right", "\\left\\{{{items}\\right\\}}", True),
    ("lbrace", "\\lbrace {items}\\rbrace", True),
    ("bare", "{{{items}}}", False),
):

    @_formula(f"set.{_name}", latex=_latex)
    def _(rng: random.Random, write: str = _write) -> Written:
        items = rng.sample(range(-20, 30), 3)
        text = write.format(items=", ".join(map(str, items)))
        turned = f"\\{{{','.join(map(str, sorted(items)))}\\}}"
        wrong = (
            f"\\{{{items[0]},{items[1]}\\}}",
            f"\\{{{items[0]},{items[1]},{items[2] + 50}\\}}",
            str(items[2]),
            f"\\{{{','.join(str(-i) for i in items)},99\\}}",
        )
        return Written(text, turned, wrong)


@_formula("set.empty", latex=True)
def _(rng: random.Random) -> Written:
    text = rng.choice(("\\emptyset", "\\varnothing", "\\{\\}", "∅"))
    return Written(text, "\\emptyset", ("0", "\\{0\\}", "1"))


@_formula("set.letters", latex=True)
def _(rng: random.Random) -> Written:
    a, b = rng.sample("abcdxyz", 2)
    return Written(f"\\{{{a}, {b}\\}}", f"\\{{{b},{a}\\}}", (f"\\{{{a}\\}}", a, f"{a}{b}"))


# --- tuples and vectors: order counts ---

for _name, _write, _latex in (
    ("parens", "({a}, {b})", False),
    ("joined", "({a},{b})", False),
    ("left_right", "\\left({a}, {b}\\right)", True),
    ("big", "\\big({a},{b}\\big)", True),
    ("thin", "(\\,{a},\\,{b}\\,)", True),
):

    @_formula(f"pair.{_name}", latex=_latex, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        a, b = rng.sample(range(-30, 30), 2)
        wrong = (
            f"({b},{a})",
            f"({a},{b + 1})",
            str(a),
            str(b),
            f"({a},{b},{b})",
            f"({-a},{-b})" if a or b else "",
        )
        return Written(write.format(a=a, b=b), f"({a},{b})", wrong)


@_formula("pair.fractions", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(
        f"\\left(\\frac{{{a}}}{{{b}}}, -{a}\\right)",
        f"({a}/{b},-{a})",
        (f"(-{a},{a}/{b})", f"({a}/{b},{a})", f"{a}/{b}"),
    )


@_formula("pair.polar", latex=True, prose=True, source="MATH 500: (3, \\pi/2)")
def _(rng: random.Random) -> Written:
    a, b = _two(rng, 2, 9)
    return Written(
        f"\\left({a}, \\frac{{\\pi}}{{{b}}}\\right)",
        f"({a},\\pi/{b})",
        (f"(\\pi/{b},{a})", str(a), f"({a},{b}\\pi)"),
    )


@_formula("triple.parens", prose=True)
def _(rng: random.Random) -> Written:
    a, b, c = rng.sample(range(-30, 30), 3)
    return Written(f"({a}, {b}, {c})", f"({a},{b},{c})", (f"({a},{c},{b})", f"({a},{b})", str(c)))


@_formula(
    "triple.thousands",
    prose=True,
    source="'(1,234,567)' may be a number; with spaces it is a triple",
)
def _(rng: random.Random) -> Written:
    a, b, c = rng.randint(1, 9), rng.randint(100, 400), rng.randint(500, 999)
    return Written(
        f"({a}, {b}, {c})", f"({a}, {b}, {c})", (f"{a}{b}{c}", f"({a},{c},{b})", f"({a}{b}, {c})")
    )


# --- intervals ---

for _name, _left, _right in (
    ("open", "(", ")"),
    ("closed", "[", "]"),
    ("left_open", "(", "]"),
    ("right_open", "[", ")"),
):

    @_formula(f"interval.{_name}", latex=True)
    def _(rng: random.Random, left: str = _left, right: str = _right) -> Written:
        a, b = _two(rng)
        text = rng.choice((f"{left}{a}, {b}{right}", f"\\left{left}{a},{b}\\right{right}"))
        ends = {"(": "[", "[": "("}[left], {")": "]", "]": ")"}[right]
        wrong = (
            f"{ends[0]}{a},{b}{right}",
            f"{left}{a},{b}{ends[1]}",
            f"{left}{a},{b + 1}{right}",
            str(b),
            f"{left}-{b},{a}{right}",
        )
        return Written(text, f"{left}{a},{b}{right}", wrong)


@_formula("interval.infinite", latex=True)
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 40)
    return Written(
        f"(-\\infty, {a}]",
        f"\\left(-\\infty,{a}\\right]",
        (f"(-\\infty,{a})", f"[{a},\\infty)", str(a), f"(-\\infty,-{a}]"),
    )


@_formula("interval.infinite_unicode")
def _(rng: random.Random) -> Written:
    a = rng.randint(2, 40)
    return Written(f"[{a}, ∞)", f"[{a},\\infty)", (f"({a},\\infty)", f"(-\\infty,{a}]", str(a)))


@_formula("interval.union", latex=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    truth = f"(-\\infty,{a})\\cup({b},\\infty)"
    return Written(
        f"(-\\infty, {a}) \\cup ({b}, \\infty)",
        truth,
        (f"(-\\infty,{a}]\\cup({b},\\infty)", f"({b},\\infty)", f"({a},{b})"),
        (f"({b},\\infty)\\cup(-\\infty,{a})",),
    )


@_formula("interval.member", latex=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    return Written(f"x \\in [{a}, {b}]", f"[{a},{b}]", (f"({a},{b})", f"[{a},{b + 1}]", str(b)))


# --- matrices and column vectors ---

for _name, _write in (
    ("pmatrix", "\\begin{{pmatrix}} {a} & {b} \\\\ {c} & {d} \\end{{pmatrix}}"),
    ("bmatrix", "\\begin{{bmatrix}}{a}&{b}\\\\{c}&{d}\\end{{bmatrix}}"),
    ("array", "\\left(\\begin{{array}}{{cc}} {a} & {b} \\\\ {c} & {d} \\end{{array}}\\right)"),
    ("lines", "\\begin{{pmatrix}}\n{a} & {b} \\\\\n{c} & {d}\n\\end{{pmatrix}}"),
):

    @_formula(f"matrix.{_name}", latex=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        a, b, c, d = rng.sample(range(-20, 30), 4)

        def build(*cells: int) -> str:
            return "\\begin{{pmatrix}}{}&{}\\\\{}&{}\\end{{pmatrix}}".format(*cells)

        wrong = (
            build(a, c, b, d),
            build(a, b, c, d + 1),
            build(c, d, a, b),
            str(d),
            build(-a, -b, -c, -d - 1),
        )
        return Written(write.format(a=a, b=b, c=c, d=d), build(a, b, c, d), wrong)


@_formula("matrix.column", latex=True)
def _(rng: random.Random) -> Written:
    a, b, c = rng.sample(range(-20, 30), 3)
    truth = f"\\begin{{pmatrix}}{a}\\\\{b}\\\\{c}\\end{{pmatrix}}"
    return Written(
        f"\\begin{{pmatrix}} {a} \\\\ {b} \\\\ {c} \\end{{pmatrix}}",
        truth,
        (
            truth.replace(str(a), str(a + 70)),
            f"\\begin{{pmatrix}}{c}\\\\{b}\\\\{a}\\end{{pmatrix}}",
            str(c),
        ),
    )


@_formula("matrix.fractions", latex=True)
def _(rng: random.Random) -> Written:
    a, b = _two(rng)
    truth = f"\\begin{{pmatrix}}{a}/{b}\\\\-1\\end{{pmatrix}}"
    text = f"\\begin{{pmatrix}} \\frac{{{a}}}{{{b}}} \\\\ -1 \\end{{pmatrix}}"
    return Written(
        text, truth, (f"\\begin{{pmatrix}}{a}/{b}\\\\1\\end{{pmatrix}}", "-1", f"{a}/{b}")
    )


@_formula("matrix.lists")
def _(rng: random.Random) -> Written:
    a, b, c, d = rng.sample(range(-20, 30), 4)
    return Written(
        f"[[{a}, {b}], [{c}, {d}]]",
        f"[[{a},{b}],[{c},{d}]]",
        (f"[[{a},{c}],[{b},{d}]]", f"[[{a},{b}],[{c},{d + 1}]]", str(d)),
    )


# --- bases, ratios, times ---

_DIGITS = "0123456789ABCDEF"


def _in_base(value: int, base: int) -> str:
    digits = ""
    while value:
        digits, value = _DIGITS[value % base] + digits, value // base
    return digits


for _name, _write, _latex in (
    ("lowered", "{n}_{b}", True),
    ("braces", "{n}_{{{b}}}", True),
    ("text", "{n}_\\text{{{b}}}", True),
):

    @_formula(f"base.{_name}", latex=_latex, prose=True, source="MATH references: 2516_8")
    def _(rng: random.Random, write: str = _write) -> Written:
        base = rng.randint(2, 9)
        value = rng.randint(base**2, base**4)
        digits = _in_base(value, base)
        other = _in_base(value + 1, base)
        wrong = (
            digits,
            f"{digits}_{{{base + 1}}}",
            f"{other}_{{{base}}}",
            str(base),
            f"{digits}{base}",
        )
        return Written(write.format(n=digits, b=base), f"{digits}_{{{base}}}", wrong)


@_formula("base.sixteen", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    value = rng.randint(1, 15) * 256 + 10 * 16 + rng.randint(0, 15)
    digits = _in_base(value, 16)
    return Written(
        f"{digits}_{{16}}",
        f"{digits}_{{16}}",
        (f"{_in_base(value + 1, 16)}_{{16}}", "16", digits[0]),
    )


for _name, _write, _latex in (
    ("colon", "{a}:{b}", False),
    ("spaced", "{a} : {b}", False),
    ("sign", "{a}∶{b}", False),
    ("latex", "{a}{{:}}{b}", True),
):

    @_formula(f"ratio.{_name}", latex=_latex, prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        while True:
            a, b = _two(rng, 2, 9)
            if b % a and not (a % 2 == 0 and b % 2 == 0) and not (a % 3 == 0 and b % 3 == 0):
                break
        return Written(
            write.format(a=a, b=b),
            f"{a}:{b}",
            (f"{b}:{a}", str(a), str(b), f"{a}:{b + 1}", f"{a}{b}", f"{a}.{b}"),
        )


@_formula("ratio.three", prose=True)
def _(rng: random.Random) -> Written:
    a, b, c = rng.sample((2, 3, 5, 7, 11, 13), 3)
    return Written(
        f"{a} : {b} : {c}", f"{a}:{b}:{c}", (f"{a}:{c}:{b}", f"{a}:{b}", str(c), f"{a}:{b}:{c + 1}")
    )


for _name, _write in (
    ("capitals", "{h}:{m:02d} PM"),
    ("small", "{h}:{m:02d} pm"),
    ("points", "{h}:{m:02d} p.m."),
):

    @_formula(f"time.{_name}", prose=True)
    def _(rng: random.Random, write: str = _write) -> Written:
        h, m = rng.randint(1, 11), rng.randint(1, 58)
        wrong = (
            f"{h}:{m + 1:02d} PM",
            f"{h}:{m:02d} AM",
            str(h),
            f"{h}{m:02d}",
            f"{h % 11 + 1}:{m:02d} PM",
        )
        return Written(write.format(h=h, m=m), f"{h}:{m:02d} PM", wrong)


@_formula("time.latex", latex=True, prose=True)
def _(rng: random.Random) -> Written:
    h, m = rng.randint(1, 11), rng.randint(1, 58)
    return Written(
        f"{h}:{m:02d}\\text{{ a.m.}}",
        f"{h}:{m:02d} AM",
        (f"{h}:{m:02d} PM", f"{h}:{m + 1:02d} AM", str(h)),
    )


# --- words in formulas ---


@_formula("word.text", latex=True, prose=False, source="MATH references: \\text{Evelyn}")
def _(rng: random.Random) -> Written:
    word, other = rng.sample(
        (
            "Evelyn",
            "even",
            "odd",
            "Navin",
            "east",
            "west",
            "ellipse",
            "circle",
            "parabola",
            "Monday",
        ),
        2,
    )
    return Written(f"\\text{{{word}}}", word, (other, "0"))


@_formula("word.no_solution", latex=True, prose=False)
def _(rng: random.Random) -> Written:
    words = ("no solution", "infinitely many solutions")
    said, other = rng.sample(words, 2)
    return Written(f"\\text{{{said}}}", said, ("0", "1", f"\\text{{{other}}}"))


@_formula("word.choice", latex=True, prose=False, source="MATH references: \\text{(B)}")
def _(rng: random.Random) -> Written:
    letter, other = rng.sample("ABCDE", 2)
    return Written(
        f"\\text{{({letter})}}", letter, (other, f"\\text{{({other})}}"), (f"({letter})",)
    )


FORMS: tuple[Form, ...] = tuple(_FORMS)
