"""Equality: an equivalence in every kind, which drops nothing that tells two answers apart."""

from __future__ import annotations

import itertools
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.answers import canonical, compared, equivalent, is_cut, may_take_long
from workspan.answers.voting import plurality
from workspan.data.types import AnswerKind, Candidate

HELPED = ("\\sum", "\\int", "\\lim")
"""Formulas that only the child reads; its imports take seconds, so they stand apart."""

EQUAL: dict[AnswerKind, list[tuple[str, str]]] = {
    "math": [
        ("(1,2)", "(1, 2)"),
        ("\\{1,2\\}", "\\{2,1\\}"),
        ("1, 2", "2, 1"),
        ("1 and 2", "2,1"),
        ("x=1 or x=2", "x = 2, x = 1"),
        ("\\{1,2\\}", "1, 2"),
        ("[1,2)", "[1, 2)"),
        ("x<3", "3>x"),
        ("x < 3", "(-\\infty, 3)"),
        ("x \\le 3", "(-\\infty,3]"),
        ("1<x<2", "(1,2)"),
        ("1 \\leq x \\leq 2", "[1,2]"),
        ("\\frac{1}{2}x", "x/2"),
        ("0.5x", "\\frac{x}{2}"),
        ("x^2+2x+1", "(x+1)^2"),
        ("2\\sqrt{2}", "\\sqrt{8}"),
        ("x+1", "1 + x"),
        ("\\pm 5", "5, -5"),
        ("2 \\pm 3", "-1, 5"),
        ("1 \\pm \\sqrt{2}", "1+\\sqrt2, 1-\\sqrt2"),
        ("y = 2x+1", "2x+1"),
        ("x^2+y^2=25", "y^2 + x^2 = 25"),
        ("2x+2y=4", "x+y=2"),
        (
            "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
            "\\begin{bmatrix} 1 & 2 \\\\ 3 & 4 \\end{bmatrix}",
        ),
        ("3:4", "3 : 4"),
        ("6:8", "3:4"),
        ("3:45 pm", "15:45"),
        ("3:45 PM", "3:45 p.m."),
        ("\\text{even}", "even"),
        ("\\text{No solution}", "no solution"),
        ("5\\text{ cm}", "5"),
        ("90^\\circ", "90"),
        ("50\\%", "50"),
        ("\\frac{\\sqrt{3}}{2}", "\\frac{1}{2}\\sqrt{3}"),
        ("e^{2}", "e^2"),
        ("\\ln 8", "3\\ln 2"),
        ("\\sqrt{2}^2", "2"),
        ("\\log_2 8", "3"),
        ("|x|", "\\left|x\\right|"),
        ("x**2", "x^2"),
        ("2*x", "2x"),
        ("sqrt(2)", "\\sqrt{2}"),
        ("6*x**2*sin(x)", "6x^2\\sin x"),
        ("3+4i", "4i + 3"),
        ("\\binom{5}{2}", "10"),
        ("5!", "120"),
        ("\\frac{\\pi}{4}", "\\pi/4"),
        ("π", "\\pi"),
        ("x_1 + x_2", "x_2+x_1"),
        ("(-\\infty,1)\\cup(2,\\infty)", "(2,\\infty) \\cup (-\\infty, 1)"),
        ("x<1 or x>2", "(-\\infty,1)\\cup(2,\\infty)"),
        ("\\emptyset", "\\varnothing"),
        ("f(x) = x^2", "x^2"),
        ("10^{6}", "1,000,000"),
        ("\\frac{1}{3}", "0.\\overline{3}"),
        ("x \\in [1,2]", "[1,2]"),
        ("2^{-1}", "1/2"),
        ("\\dfrac{x+1}{2}", "\\frac{1}{2}(x+1)"),
        ("\\sin^2 x", "(\\sin x)^2"),
        ("\\sqrt[3]{8}", "2"),
        ("2\\frac{1}{3}", "7/3"),
        ("(2,\\frac{1}{2})", "(2, 0.5)"),
        ("\\sum_{i=1}^{10} i", "55"),
        ("\\int_0^1 x dx", "1/2"),
        ("\\lim_{x\\to 0} \\frac{\\sin x}{x}", "1"),
        ("1,234", "1234"),
        ("\\text{(C)}", "C"),
        ("x=5", "5"),
        ("-\\frac{3}{4}", "\\frac{-3}{4}"),
        ("a:b", "a:b"),
        ("\\left(\\frac{1}{2}, 3\\right)", "(0.5,3)"),
        ("4^{1/2}", "2"),
        ("45π", "45\\pi"),
        ("13-17\\mathrm{i}", "13-17i"),
        ("4410_\\text{5}", "4410_{5}"),
        ("3{:}4", "3:4"),
        ("3 a b", "3ba"),
        ("12\\sqrt 13", "12\\sqrt{13}"),
        ("\\sqrt13", "\\sqrt{13}"),
        ("²¹⁄₂₆", "21/26"),
        ("808{.}75", "808.75"),
        ("7 over 2", "7/2"),
        ("7.333\\ldots", "22/3"),
        ("\\lbrace 1, 2\\rbrace", "\\{2,1\\}"),
        ("x = 5 \\text{ or } x = -18", "5, -18"),
        (
            "\\left(\\begin{array}{cc} 1 & 2 \\\\ 3 & 4 \\end{array}\\right)",
            "\\begin{pmatrix}1&2\\\\3&4\\end{pmatrix}",
        ),
    ],
    "text": [
        ("Paris!", "paris"),
        ("(3.14)", "3.14"),
        ("The Beatles", "the beatles"),
        ("The Beatles", "beatles"),
        ("New York, NY", "New York NY"),
        ("U.S.A.", "USA"),
        ("p.m.", "pm"),
        ("mother-in-law", "Mother in law"),
        ("don't", "don’t"),
        ("“Paris”", "Paris"),
        ("**Paris**", "Paris"),
        ("5 kg", "5kg"),
        ("Ｐａｒｉｓ", "Paris"),
        ("a  b", "a b"),
        ("Dr. Smith", "Dr Smith"),
        ("−5", "-5"),
    ],
    "json": [
        ('{"a":1,"b":2}', '{"b": 2.0, "a": 1}'),
        ("[1]", "[1.0]"),
        ("1e2", "100"),
        ('{"name":"f","arguments":"{\\"x\\": 1}"}', '{"name":"f","arguments":{"x":1}}'),
        ('"\\u00e9"', '"é"'),
        ("0", "-0.0"),
    ],
    "number": [
        ("29%", "29"),
        ("$29.00", "29"),
        ("-3.5 kg", "-3.5"),
        ("\\frac{1}{2}", "0.5"),
        ("twenty-one", "21"),
    ],
    "choice": [("(b)", "B"), ("B.", "b")],
    "code": [("x = 1  \n", "x = 1"), ("a\n\nb", "a\nb")],
}
DIFFERENT: dict[AnswerKind, list[tuple[str, str]]] = {
    "math": [
        ("(1,2)", "(2,1)"),
        ("[1,2)", "[1,2]"),
        ("1 2", "12"),
        ("3 1/2", "31/2"),
        ("x<3", "x>3"),
        ("x<3", "x\\le 3"),
        ("29%", "0.29"),
        ("3.14", "\\pi"),
        ("3.14159265", "\\pi"),
        ("\\{1,2\\}", "\\{1,2,3\\}"),
        ("1,2", "12"),
        ("x+1", "x+2"),
        ("\\sqrt{x^2}", "x"),
        ("|x|", "x"),
        ("-1/2", "1/2"),
        ("5!", "5"),
        ("x^2", "x2"),
        ("3:4", "3/4"),
        ("3:45", "3:45 pm"),
        ("3:45", "1:15"),
        ("10-12", "-2" if 0 else "12"),
        ("no", "on"),
        ("yes", "no"),
        ("2x", "x2" if 0 else "2y"),
        ("x", "X"),
        ("\\frac{1}{2}", "\\frac{1}{3}"),
        ("(1,2)", "\\{1,2\\}"),
        ("e", "2.718281828459045"),
        ("1/3", "0.333333"),
        ("1e-50", "0"),
        ("\\sin x", "\\cos x"),
        ("5", "5x"),
        ("x=1,y=2", "x=2,y=1"),
        ("\\text{even}", "\\text{odd}"),
        ("1.2.3", "1.23"),
        ("101_2", "101"),
        ("5\\cdot 10^8", "3\\cdot10^8"),
        ("5·10⁸", "5·108"),
        ("\\begin{pmatrix}1\\\\2\\end{pmatrix}", "\\begin{pmatrix}2\\\\1\\end{pmatrix}"),
        ("\\ge 5", "5"),
        ("-x", "x"),
        ("77π", "77"),
        ("77 π", "77"),
        ("13-17\\mathrm{i}", "-4"),
        ("17\\mathrm{i}", "17"),
        ("6\\mathrm{e}", "6"),
        ("3 a b", "3"),
        ("3.14159...", "3.14159"),
        ("0.666...", "0.666"),
        ("12345678901234567890", "12345678901234567891"),
        ("\\sum_{i=1}^{10} i", "56"),
    ],
    "text": [
        ("1 2\n3 4", "1 2 3 4"),
        ("P .\n. p", "p .\n. P"),
        ("-5 C", "5 C"),
        ("C++", "C"),
        ("C#", "C"),
        ("C#", "C++"),
        ("x < 3", "x > 3"),
        ("1/2", "1.2"),
        ("1/2", "12"),
        ("+2", "2"),
        ("-2", "+2"),
        ("10%", "10"),
        ("$5", "€5"),
        ("5 mW", "5 MW"),
        ("AaBb", "aabb"),
        ("5!", "5"),
        ("x^2", "x2"),
        ("A*", "A"),
        (">=", ">"),
        ("Na+", "Na-"),
        ("5·10⁸", "5·108"),
        ("3:4", "34"),
        ("a-b", "ab"),
        ("10⁸", "108"),
        ("x'", "x"),
        ("1,2", "12"),
        ("Aa", "AA"),
        ("5°", "5"),
        ("~5", "5"),
        ("#1", "1"),
        ("0.5", "5"),
        ("f(x)", "fx"),
        ("[1, 2)", "[1, 2]"),
        ("not a", "a"),
        ("1.5", "15"),
        ("Yes", "No"),
        ("O2-", "O2"),
    ],
    "json": [
        ("1", "true"),
        ("null", "false"),
        ("[1,2]", "[2,1]"),
        ('{"a":1}', '{"a":"1"}'),
        ('"a"', '"A"'),
        ("1.0000000000000000001", "1"),
        ('{"a":null}', "{}"),
    ],
    "number": [("10-12", "12"), ("-5", "5"), ("29%", "0.29"), ("5 million", "5")],
    "choice": [("A", "B")],
    "code": [("x = 1", "x=1"), ("  x", "x")],
}


def pairs(
    table: dict[AnswerKind, list[tuple[str, str]]], *, helped: bool
) -> list[tuple[AnswerKind, str, str]]:
    return [
        (kind, *pair)
        for kind, all_pairs in table.items()
        for pair in all_pairs
        if any(word in "".join(pair) for word in HELPED) is helped
    ]


@pytest.mark.parametrize(("kind", "a", "b"), pairs(EQUAL, helped=False))
def test_what_says_the_same_is_equal_both_ways(kind: AnswerKind, a: str, b: str) -> None:
    assert equivalent(a, b, kind)
    assert equivalent(b, a, kind)


@pytest.mark.parametrize(("kind", "a", "b"), pairs(DIFFERENT, helped=False))
def test_what_differs_is_not(kind: AnswerKind, a: str, b: str) -> None:
    assert not equivalent(a, b, kind)
    assert not equivalent(b, a, kind)


def test_formulas_that_only_the_child_reads() -> None:
    for kind, a, b in pairs(EQUAL, helped=True):
        assert may_take_long({a, b}, kind)
        assert equivalent(a, b, kind), (a, b)
    for kind, a, b in pairs(DIFFERENT, helped=True):
        assert not equivalent(a, b, kind), (a, b)


def test_without_time_a_formula_equals_only_itself() -> None:
    formula = r"\sum_{i=1}^{77} i^2"
    assert is_cut(canonical(formula, "math", 0.0))
    assert compared(formula, formula, "math", 0.0) is True
    assert compared(formula, "156919", "math", 0.0) is None
    assert not equivalent(formula, "156919", "math", 0.0)
    drawn = [Candidate("", one) for one in (formula, "3003", formula)]
    vote = plurality(drawn, "math", limit=lambda: 0.0)
    assert [tally.weight for tally in vote.votes] == [2.0, 1.0]
    assert vote.uncompared == 1
    assert plurality(drawn[1:2] * 2, "math", limit=lambda: 0.0).uncompared == 0


def listed(forms: str) -> list[str]:
    return forms.split("|")


ATOMS: dict[AnswerKind, list[str]] = {
    "text": listed("Paris|paris|Paris!|The Paris|-2|2|+2|C|C++|C#|x < 3|(3.14)|3.14"),
    "number": listed("1/2|0.5|50%|50|-1/2|3 1/2|3.5|7/2|twelve|12|1,200|1200|10-12"),
    "math": [
        *listed(r"1/2|\frac12|0.5|x+1|1+x|2x|x*2|\sqrt{8}|2\sqrt2|2.8284271247461903"),
        *listed(r"1, 2|2, 1|(1,2)|\{1,2\}|x<3|3>x|1 2|12|3.14159265|3.1415927|\pi"),
    ],
    "json": ['{"a":1}', '{"a":1.0}', '{"a": 1, "b": null}', "1", "1.0", "true", "[1]", "not json"],
    "choice": ["A", "(a)", "B", "b."],
    "code": ["x = 1", "x = 1 \n", "x=1", "\nx = 1"],
}
answers = st.sampled_from([(kind, atom) for kind, atoms in ATOMS.items() for atom in atoms])
loose = st.text("0123456789+-*/^(){}[]<>=.,% xyπ√½$\\ aA\n", max_size=14)


@pytest.mark.parametrize("kind", ATOMS)
def test_equality_is_an_equivalence_on_known_forms(kind: AnswerKind) -> None:
    atoms = ATOMS[kind]
    for a, b in itertools.product(atoms, atoms):
        assert equivalent(a, a, kind)
        assert equivalent(a, b, kind) == equivalent(b, a, kind)
    for a, b, c in itertools.product(atoms, atoms, atoms):
        if equivalent(a, b, kind) and equivalent(b, c, kind):
            assert equivalent(a, c, kind), (a, b, c)


@given(st.lists(loose, min_size=3, max_size=3), st.sampled_from([*ATOMS]))
def test_equality_is_an_equivalence_on_anything(three: list[str], kind: AnswerKind) -> None:
    a, b, c = three
    assert equivalent(a, a, kind)
    assert equivalent(a, b, kind) == equivalent(b, a, kind)
    if equivalent(a, b, kind) and equivalent(b, c, kind):
        assert equivalent(a, c, kind)


@given(
    st.sampled_from([*ATOMS]), st.lists(st.integers(0, 20), min_size=1, max_size=12), st.randoms()
)
def test_a_vote_does_not_depend_on_the_order_of_draws(
    kind: AnswerKind, picks: list[int], rng: random.Random
) -> None:
    drawn = [ATOMS[kind][pick % len(ATOMS[kind])] for pick in picks]
    shuffled = rng.sample(drawn, len(drawn))
    one, other = (
        plurality([Candidate("", answer) for answer in order], kind) for order in (drawn, shuffled)
    )
    weights = [
        sorted((repr(canonical(tally.answer, kind)), tally.weight) for tally in vote.votes)
        for vote in (one, other)
    ]
    assert weights[0] == weights[1]
    assert one.tied == other.tied
    for vote, order in ((one, drawn), (other, shuffled)):
        for tally in vote.votes:  # a group is called after its first member
            first = next(a for a in order if equivalent(a, tally.answer, kind))
            assert first == tally.answer


def test_a_vote_costs_a_key_for_each_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    from workspan.answers import voting

    asked: list[str] = []

    def counted(answer: str, kind: AnswerKind, seconds: float | None = None) -> object:
        asked.append(answer)
        return canonical(answer, kind, seconds)

    monkeypatch.setattr(voting, "canonical", counted)
    plurality([Candidate("", f"x + {i}") for i in range(300)], "math")
    assert len(asked) == 300
