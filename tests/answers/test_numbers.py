"""Written numbers: one form, one value, in the kinds number and math, said and referred to."""

from __future__ import annotations

from fractions import Fraction as F

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.answers import equivalent, extract
from workspan.answers.number import value

FORMS: list[tuple[str, F | int | None]] = [
    # form, value|None
    ("-5", -5),
    ("−5", -5),
    ("–5", -5),
    ("﹣5", -5),
    ("－5", -5),
    ("+5", 5),
    ("-$5", -5),
    ("$-5", -5),
    ("-\\$5", -5),
    ("- 5", -5),
    ("minus 5", -5),
    ("negative five", -5),
    ("3.5", F("3.5")),
    (".5", F("0.5")),
    ("-.5", F("-0.5")),
    ("5.", 5),
    ("0.50", F("0.5")),
    ("1,234", 1234),
    ("1,234,567", 1234567),
    ("1,234.5", F("1234.5")),
    ("1 234 567", 1234567),
    ("1\u202f234\u202f567", 1234567),
    ("1\u00a0234", 1234),
    ("1'234", 1234),
    ("1’234’567", 1234567),
    ("1.234.567", 1234567),
    ("1.234,56", F("1234.56")),
    ("1,23,456", 123456),
    ("12,34,567", 1234567),
    ("1_000_000", 1000000),
    ("1{,}234", 1234),
    ("1\\,234\\,567", 1234567),
    ("1~234", 1234),
    ("3/4", F(3, 4)),
    ("-3/4", F(-3, 4)),
    ("\\frac{3}{4}", F(3, 4)),
    ("\\dfrac{3}{4}", F(3, 4)),
    ("\\tfrac34", F(3, 4)),
    ("\\frac34", F(3, 4)),
    ("\\frac 3 4", F(3, 4)),
    ("-\\frac{3}{4}", F(-3, 4)),
    ("\\frac{-3}{4}", F(-3, 4)),
    ("$\\frac{3}{4}$", F(3, 4)),
    ("3 1/2", F(7, 2)),
    ("-3 1/2", F(-7, 2)),
    ("3½", F(7, 2)),
    ("3 ½", F(7, 2)),
    ("½", F(1, 2)),
    ("2\\frac{1}{3}", F(7, 3)),
    ("2 \\frac{1}{3}", F(7, 3)),
    ("-2\\frac13", F(-7, 3)),
    ("$2\\frac{1}{3}$", F(7, 3)),
    ("1.5e3", 1500),
    ("1.5E+3", 1500),
    ("1.5e-3", F("0.0015")),
    ("1.5 × 10^3", 1500),
    ("1.5\\times 10^{3}", 1500),
    ("5·10⁸", 5 * 10**8),
    ("5*10^8", 5 * 10**8),
    ("5 x 10^8", 5 * 10**8),
    ("10^6", 10**6),
    ("10⁶", 10**6),
    ("2^10", 1024),
    ("2**10", 1024),
    ("10^{-3}", F(1, 1000)),
    ("6.02×10²³", 602 * 10**21),
    ("0.\\overline{3}", F(1, 3)),
    ("0.(3)", F(1, 3)),
    ("0.1\\overline{6}", F(1, 6)),
    ("0.1(6)", F(1, 6)),
    ("7.6666...", F(23, 3)),
    ("0.142857142857...", F(1, 7)),
    ("2.718281828...", None),
    ("0x1F", 31),
    ("0b101", 5),
    ("0o17", 15),
    ("101_2", 5),
    ("101_{2}", 5),
    ("1F_{16}", 31),
    ("101₂", 5),
    ("٣", 3),
    ("١٢٣", 123),
    ("१२३", 123),
    ("１２３", 123),
    ("－１２．５", F("-12.5")),
    ("29%", 29),
    ("29 %", 29),
    ("29\\%", 29),
    ("29 percent", 29),
    ("$29.00", 29),
    ("€3,50", None),
    ("3,50 €", F("3.5")),
    ("12,5 %", F("12.5")),
    ("£1,200.50", F("1200.5")),
    ("USD 500", 500),
    ("500 USD", 500),
    ("5 dollars", 5),
    ("$1.5 million", 1500000),
    ("5 million", 5000000),
    ("$3k", 3000),
    ("¥100", 100),
    ("100円", 100),
    ("5 cm", 5),
    ("5cm", 5),
    ("5 cm^2", 5),
    ("5 cm²", 5),
    ("5 m/s", 5),
    ("5 m/s^2", 5),
    ("5 km/h", 5),
    ("5\\text{ cm}", 5),
    ("5 \\text{ cm}^2", 5),
    ("90°", 90),
    ("90^\\circ", 90),
    ("37 °C", 37),
    ("72 clips", 72),
    ("15 apples", 15),
    ("5 kg", 5),
    ("12 years old", 12),
    ("twenty-one", 21),
    ("twenty one", 21),
    ("three hundred and five", 305),
    ("minus two", -2),
    ("one million two hundred thousand", 1200000),
    ("a hundred", 100),
    ("one half", F(1, 2)),
    ("two thirds", F(2, 3)),
    ("three quarters", F(3, 4)),
    ("one and a half", F(3, 2)),
    ("a dozen", 12),
    ("Twelve", 12),
    ("zero", 0),
    ("10-12", None),
    ("10–12", None),
    ("10 to 12", None),
    ("between 10 and 12", None),
    ("3:4", None),
    ("3:45 pm", None),
    ("3:45", None),
    ("2024-05-01", None),
    ("5/6/2024", None),
    ("1.2.3", None),
    ("v1.2", None),
    ("192.168.1.1", None),
    ("555-1234", None),
    ("(555) 123-4567", None),
    ("1, 2", None),
    ("1 and 2", None),
    ("1 2", None),
    ("1,2,3", None),
    ("x<3", None),
    ("< 3", None),
    ("at least 5", None),
    ("more than 5", None),
    ("±5", None),
    ("\\pm 5", None),
    ("[1,2)", None),
    ("(1,2)", None),
    ("{1,2}", None),
    ("5!", None),
    ("5x", None),
    ("5\\pi", None),
    ("2\\sqrt{3}", None),
    ("5 or 6", None),
    ("5 of 20", None),
    ("5 out of 20", None),
    ("21st", None),
    ("3D", None),
    ("N/A", None),
    ("none", None),
    ("unknown", None),
    ("1/0", None),
    ("3 5/2", None),
    ("1/2/3", None),
    ("1,23", None),
    ("3,14", None),
    ("12 + 3", None),
    ("2 hours 30 minutes", None),
    ("5'11\"", None),
    ("5k", None),
    ("(3.14)", F("3.14")),
    ("($5)", None),
    ("**5**", 5),
    ("`5`", 5),
    ('"5"', 5),
    ("= 5", 5),
    ("x = 5", 5),
    ("2 + 3 = 5", 5),
    ("5 = 2 + 3", 5),
    ("x = 5, y = 3", None),
    ("about 5", 5),
    ("≈ 3.14", F("3.14")),
    ("\\boxed{5}", 5),
    ("\\(5\\)", 5),
    ("\\[5\\]", 5),
    ("$5$", 5),
    ("$$5$$", 5),
    ("5 (five)", 5),
    ("5, because 2 + 3 = 5", 5),
    ("5 since 2 and 3 make 5", 5),
    ("5 apples, as 3 + 2 = 5", 5),
    ("123456789012345678901234567890", 123456789012345678901234567890),
    ("0.1234567890123456789012345678901", F("0.1234567890123456789012345678901")),
    ("1" * 60, int("1" * 60)),
    ("10.0", 10),
    ("007", 7),
    ("1e400", F(10) ** 400),
    ("3.5 (that is 7/2)", F("3.5")),
    ("5 in 3 days", 5),
    ("$5 each", 5),
    ("5 apples per box", 5),
    ("-7.25%", F("-7.25")),
    ("5 + 3i", None),
    ("5 apples and 3 pears", None),
    ("522,\\!727,\\!653", 522727653),
    ("$522,\\!727,\\!653$", 522727653),
    ("1,\\!23", None),
    ("851{.}9", F("851.9")),
    ("(23)/(6)", F(23, 6)),
    ("(-23)/(6)", F(-23, 6)),
    ("{10}/{3}", F(10, 3)),
    ("(23)/(0)", None),
    ("(2)(3)", None),
    ("(2)^3", None),
    ("(2)/(3)^2", None),
    ("²¹⁄₂₆", F(21, 26)),
    ("-²¹⁄₂₆", F(-21, 26)),
    ("3 ²¹⁄₂₆", F(99, 26)),
    ("31\\,\\tfrac{3}{5}", F(158, 5)),
    ("13 over 10", F(13, 10)),
    ("13 over 0", None),
    ("13 over 10 days", None),
    ("0.666...", F(2, 3)),
    ("0.6666…", F(2, 3)),
    ("1.888\\ldots", F(17, 9)),
    ("0.121212...", F(4, 33)),
    ("3.1415...", None),
    ("2.718281828...", None),
    ("0.66...", None),
    ("4410_\\text{5}", 605),
    ("4410_{\\text{5}}", 605),
    ("45π", None),
    ("2πr", None),
    ("17\\mathrm{i}", None),
    ("5 Ω", 5),
    ("5 μm", 5),
    ("3 a b", None),
    ("3 a week", 3),
    ("thirty-three (33)", 33),
    ("x \\ge 135", None),
    ("\\ge 135", None),
    ("82 / 255 (depending on the reading)", None),
    ("24 cannot be obtained", None),
    ("no way to get 24", None),
]
"""What is written, and the number that it is; None where it is not one number."""

EXPLAINED = ("=", "because", "since", " as ", " in ", "(five)", "(that is")
"""Forms that say more than an answer: they are read, and are no references."""


@pytest.mark.parametrize(("form", "number"), FORMS)
@pytest.mark.parametrize("said", ["Answer: {}", "**Answer:** {}\nDone.", "The answer is {}"])
def test_a_marked_number_is_read_as_its_value_or_not_at_all(
    said: str, form: str, number: F | int | None
) -> None:
    found = extract(said.format(form), "number")
    assert (None if found is None else value(found)) == number
    assert number is None or found is not None


@pytest.mark.parametrize(
    ("form", "number"),
    [
        one
        for one in FORMS
        if one[1] is not None
        and not any(sign in one[0] for sign in ("=", "because", "since", " as ", "**", "[", "$$"))
    ],
)
@pytest.mark.parametrize("said", ["The answer is **{}**. So 3 of 8 go.", "x\n| Answer | {} |\n"])
def test_emphasis_and_a_table_close_after_the_number(said: str, form: str, number: F | int) -> None:
    for kind in ("number", "math"):
        found = extract(said.format(form), kind)
        assert found is not None
        assert equivalent(found, str(F(number)), kind)


@pytest.mark.parametrize("form", ["8.83e-3", "4.75e+03", "24 6/11", "-85 1/5", "9E2", "7e336"])
def test_a_full_stop_belongs_to_no_number(form: str) -> None:
    said = (f"Step 1 gives 4. The answer is {form}. This is since 3 of 8 go.", f"That is {form}.")
    for text in said:
        for kind in ("number", "math"):
            found = extract(text, kind)
            assert found is not None
            assert equivalent(found, form, kind)


@pytest.mark.parametrize(
    ("form", "number"),
    [one for one in FORMS if not any(sign in one[0] for sign in ("box", "$$", "\\["))],
)
def test_a_box_is_read_like_a_label(form: str, number: F | int | None) -> None:
    if any(word in form for word in EXPLAINED[1:5]):
        return
    found = extract(rf"so \boxed{{{form}}}", "number")
    assert (None if found is None else value(found)) == number


@pytest.mark.parametrize("kind", ["number", "math"])
@pytest.mark.parametrize(
    ("form", "number"),
    [one for one in FORMS if one[1] is not None and not any(sign in one[0] for sign in EXPLAINED)],
)
def test_number_and_math_agree_on_a_form(kind: str, form: str, number: F | int) -> None:
    assert equivalent(form, str(F(number)), kind)  # type: ignore[arg-type]
    assert not equivalent(form, str(F(number) + 1), kind)  # type: ignore[arg-type]


GROUPS = [",", " ", "\u202f", "\u00a0", "'", "’", "{,}", "\\,", "_"]


@given(
    st.integers(1000, 10**30), st.sampled_from(GROUPS), st.sampled_from(["", "-", "−", "$", "-$"])
)
def test_thousands_in_any_groups_keep_sign_and_value(number: int, mark: str, sign: str) -> None:
    written = sign + f"{number:,}".replace(",", mark)
    negative = sign[:1] in ("-", "−") and sign
    found = extract(f"7 of 9\nAnswer: {written}", "number")
    assert found is not None
    assert value(found) == (-number if negative else number)


@given(st.fractions(max_denominator=10**9))
def test_a_fraction_is_read_back_in_any_notation(number: F) -> None:
    top, bottom = abs(number.numerator), number.denominator
    sign = "-" if number < 0 else ""
    for written in (
        f"{sign}{top}/{bottom}",
        rf"{sign}\frac{{{top}}}{{{bottom}}}",
        rf"${sign}\dfrac{{{top}}}{{{bottom}}}$",
    ):
        found = extract(f"Answer: {written}", "number")
        assert found is not None
        assert value(found) == number
        assert equivalent(written, str(number), "math")


@given(st.integers(1, 10**6), st.integers(1, 99), st.integers(2, 100))
def test_mixed_numbers_are_whole_and_part(whole: int, top: int, bottom: int) -> None:
    for written in (f"{whole} {top}/{bottom}", rf"{whole}\frac{{{top}}}{{{bottom}}}"):
        found = extract(f"Answer: {written}", "number")
        if top < bottom:
            assert found is not None
            assert value(found) == whole + F(top, bottom)
        else:
            assert found is None


@given(st.decimals(allow_nan=False, allow_infinity=False, places=12))
def test_decimals_are_exact(number: object) -> None:
    written = f"{number:f}"
    found = extract(f"Answer: {written}", "number")
    assert found is not None
    assert value(found) == F(written)


@pytest.mark.parametrize("text", ["0,500", "0 500", "0.500,5", "0.250.000", "-0,250", "$0,250"])
def test_no_thousands_begin_with_a_nought(text: str) -> None:
    """0,500 is a half, written with a comma, or a slip: never five hundred."""
    assert extract(text, "number") is None
    assert not any(equivalent(text, other, "math") for other in ("500", "500.5", "250000"))
