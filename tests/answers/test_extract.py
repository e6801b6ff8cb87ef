from __future__ import annotations

import time
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.answers import equivalent, extract
from workspan.data.types import AnswerKind


@pytest.mark.parametrize(
    ("text", "kind", "answer"),
    [
        ("so 3 + 4 is 7.\nAnswer: 7", "number", "7"),
        ("**Answer:** 1,200.", "number", "1200"),
        ("Answer: 2 + 3 = 5", "number", "5"),
        ("Answer:\n\n 42\n", "number", "42"),
        ("the answer is minus something, so Answer: −3.5", "number", "-3.5"),
        ("we get twelve", "number", "12"),
        ("it is 3/4 of it", "number", "3/4"),
        ("costs $15", "number", "15"),
        ("#### 72", "number", "72"),
        ("no figures here", "number", None),
        ("Answer: 4, or rather Answer: none. Answer: ", "number", "4"),
        (r"the answer is \boxed{\frac{3}{4}}", "math", r"\frac{3}{4}"),
        (r"so $x = 2$ and thus $2\sqrt{2}$.", "math", r"2\sqrt{2}"),
        (r"\boxed{unclosed and then \boxed{5}", "math", "5"),
        ("Answer: (B) because", "choice", "B"),
        (r"\boxed{\text{C}}", "choice", "C"),
        ("I think it is (A)", "choice", "A"),
        ("A cat is an animal", "choice", None),
        ("I would say D", "choice", "D"),
        ("<answer> Paris </answer> and bye", "text", "Paris"),
        ("thinking\n\nBlue whale\n", "text", "Blue whale"),
        ("", "text", None),
        ("```python\nx = 1\n```\ntext\n```\ny = 2\n```", "code", "y = 2"),
    ],
)
def test_answers_are_read_where_people_look(
    text: str, kind: AnswerKind, answer: str | None
) -> None:
    assert extract(text, kind) == answer


@pytest.mark.parametrize(
    ("text", "kind", "answer"),
    [
        ("Answer: 12", "number", None),  # it may have gone on: 123
        ("Answer: 12\nLet me check", "number", "12"),
        ("so far 3 + 4 = 7 and", "number", None),
        (r"\boxed{12} and then", "math", "12"),
        (r"\boxed{12", "math", None),
        ("```python\nx = 1\n```\nThis", "code", "x = 1"),
        ("the city of Paris and", "text", None),
    ],
)
def test_a_cut_text_answers_only_with_what_was_closed_before_the_cut(
    text: str, kind: AnswerKind, answer: str | None
) -> None:
    assert extract(text, kind, finished=False) == answer


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [
        ("12", "12.0", "number"),
        ("1,200", "1200", "number"),
        ("twelve", "12", "number"),
        ("1e3", "1000", "number"),
        ("3/4", "0.75", "number"),
        (r"\frac{1}{2}", "0.5", "math"),
        (r"2\sqrt{2}", r"\sqrt{8}", "math"),
        ("x+1", "1 + x", "math"),
        ("(b)", "B", "choice"),
        ("Paris!", "paris", "text"),
        ("x = 1  \n", "x = 1", "code"),
    ],
)
def test_answers_that_say_the_same_are_equal_both_ways(a: str, b: str, kind: AnswerKind) -> None:
    assert equivalent(a, b, kind)
    assert equivalent(b, a, kind)


@pytest.mark.parametrize(
    ("a", "b", "kind"),
    [("12", "13", "number"), ("-3", "3", "number"), ("x+1", "x+2", "math"), ("A", "B", "choice")],
)
def test_answers_that_differ_are_not(a: str, b: str, kind: AnswerKind) -> None:
    assert not equivalent(a, b, kind)


@pytest.mark.parametrize(
    "bomb",
    [
        "9^{9^{9^9}}",
        "9**9**9**9",
        "(1000000!)!",
        r"(x+y+z)^{999}",
        r"\sum_{i=1}^{10^9} i",
        "2^{99999999}",
    ],
)
def test_formulas_that_would_never_end_are_given_up(bomb: str) -> None:
    assert not equivalent(bomb, "(x+y+z)^{998}", "math")
    assert equivalent(bomb, bomb + " ", "math")
    assert equivalent(r"\frac{2}{4}", r"\frac{1}{2}", "math")  # and the next is compared as ever


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("n3 < n5 n17 = n17", "n17"),
        ("n3 n17 = n17 </s>", "n17"),
        ("n3 = n4 , n5", "n4 , n5"),
        ("n3 = ?", None),
        ("n3 = ? ?", None),
        ("n3 n17 =", None),
        ("n3 n17", None),
        ("", None),
    ],
)
def test_symbols_come_after_the_last_equals_sign(text: str, answer: str | None) -> None:
    assert extract(text, "symbols") == answer
    assert extract(text, "symbols", finished=False) is None


@given(
    st.text(max_size=400),
    st.sampled_from(["text", "math", "number", "choice", "code", "symbols"]),
)
def test_any_text_is_read_without_an_error(text: str, kind: AnswerKind) -> None:
    for finished in (True, False):
        answer = extract(text, kind, finished=finished)
        assert answer is None or (answer and equivalent(answer, answer, kind))


@pytest.mark.parametrize("piece", ["\\boxed{", "answer: ", "$", "```\n", "(A", "1,", "{", " /1"])
def test_reading_takes_linear_time(piece: str) -> None:
    started = time.process_time()
    for kind in get_args(AnswerKind):
        extract(piece * 30_000, kind)
    assert time.process_time() - started < 5


@given(st.integers(-(10**12), 10**12))
def test_a_marked_integer_is_read_back(value: int) -> None:
    for written in (str(value), f"{value:,}", f"{value}.0"):
        found = extract(f"well, 7 then\nAnswer: {written}", "number")
        assert found is not None
        assert equivalent(found, str(value), "number")
