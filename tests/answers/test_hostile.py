"""Hostile text: reading stays linear, and nothing that a model writes raises."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.answers import canonical, equivalent, read
from workspan.answers.text import text_key
from workspan.data.types import AnswerKind

PIECES = [
    "\\boxed{",
    "answer: ",
    "$",
    "```\n",
    "(A",
    "1,",
    "{",
    " /1",
    "<think>",
    "</think>",
    "<think>a</think>",
    "<answer>",
    "####\n#### 1\n",
    "1 ",
    "-",
    "1.",
    "1/",
    "\\frac{1}{",
    "[",
    "((",
    "a b ",
    "**1** ",
    "= 1 ",
    "\nQ: ",
    "\nQuestion: x\nAnswer: 1",
    "answer is ",
    "the answer to x",
    "one ",
    "one hundred and ",
    "half ",
    "no, ",
    "wait ",
    "Answer: 1 wait, no, ",
    "A or ",
    "(A) ",
    "option ",
    "~~~\n",
    "def f():\n",
    "```python\ndef f():\n  f()\n```\n",
    '"answer": ',
    '{"a":',
    "[1,",
    "<tool_call>",
    "```json\n",
    "1:",
    "1 000 ",
    "1e",
    "10^",
    "½",
    "\\text{",
    "$1$ ",
    "$1 ",
    "\\[",
    "\\(x",
    "答案",
    "é",
    "\n",
    "| 1 ",
    "|",
    "_",
    "*",
    " ",
    "\t",
    "'",
    '"',
    "--",
    "1-",
    "x=",
    "x=1,",
    "\\begin{",
    "<|channel|>",
    "<",
    "≤ 1",
    "\\overline{",
    "0.(",
    "0.1(",
    "USD ",
    "- ",
    "\n- ",
    "#",
    "box",
    "<|begin_of_box|>",
    "boxed",
    "A is ",
    "I think ",
    "and 1 ",
    "123456789",
    "°",
    "1 m ",
    "a,",
    "1'",
    "%1",
    "[think]",
    "◁think▷",
    "`<think>`",
    "```<think>",
    "here is my thought process:",
    "analysis",
    "(answer",
    "answer (",
    "answer (a",
    "answers",
    "Answer\n",
    "**Answer**\n",
    "Answer:\n1 2 3\n",
    "Answer:\n[",
    "é1,",
    "१",
    "1\u202f",
    "x^",
    "\\sqrt{",
    "<tool_call>{",
    "[TOOL_CALLS]",
    "<function=f>{",
    '{"a":1}',
    "{1",
    "[{",
    "\\\\",
    '"\\',
    "1_",
    "\\,1",
    "retract, no, ",
    "it is 1 ",
    "(B) is wrong ",
    "B. x\n",
    "1. x\n",
    "question 2\n\n",
    "answer: 1\n### question 2",
    "<parameter=x>",
    "<tool_call><function=f><parameter=x>",
    "<tool_call>f<arg_key>a</arg_key><arg_value>",
    "<｜tool▁call▁begin｜>f<｜tool▁sep｜>{",
    "5! ",
    "5!/",
    "\\begin{pmatrix}\n1 & ",
    "$\\begin{array}\n",
    "\\end{pmatrix}\n",
    "$1$ and ",
    "x = 1 or ",
    "1 is the answer ",
    "1 in 3 ",
    "let me know\n",
    "<output>",
    "</output>",
    '"</s>',
    "答案是",
    "1 2\n\n",
    "∧\n",
    "a:\n\n    def f():\n",
    "\\boxed{1} is not ",
    "1\\ ",
    "A. x\nB. y\n",
    "(a) 1\n",
    "<<1=1>>1 ",
    "<b>1",
]
KINDS = get_args(AnswerKind)
_SMALL, _LARGE = 5_000, 50_000


def spent(piece: str, kind: AnswerKind, size: int, around: tuple[str, str] = ("", "")) -> float:
    """Return processor seconds."""
    text = (piece * (size // len(piece) + 1))[:size].join(around)
    began = time.process_time()
    read(text, kind)
    return time.process_time() - began


def is_linear(taken: Callable[[int], float]) -> bool:
    """Tell if ten times the text takes some ten times as long; a quadratic reader takes a hundred.

    A busy machine makes any one measurement long: a reader is quadratic if all of them are.
    """
    return any(
        (large := taken(_LARGE)) <= 0.05 or large < 40 * max(taken(_SMALL), 0.002)
        for _ in range(10)
    )


@pytest.mark.parametrize("piece", PIECES)
def test_reading_takes_linear_time(piece: str) -> None:
    for kind in KINDS:
        assert is_linear(partial(spent, piece, kind)), kind


AROUND = {
    "a line": ("Answer: ", "x"),
    "a line's end": ("Answer: ", ""),
    "a line below": ("Answer:\n", "\nx"),
    "ticks": ("Final answer: `", "`"),
    "a tag": ("<answer>", "`</answer>"),
    "JSON": ('{"answer": "', '"}'),
}


@pytest.mark.parametrize("piece", [".", "`", "*", ". ", "x.", "~", "~~~ ", " ", "\t", "!", '"\\'])
@pytest.mark.parametrize("where", AROUND)
def test_what_is_marked_takes_linear_time(piece: str, where: str) -> None:
    for kind in KINDS:
        assert is_linear(partial(spent, piece, kind, around=AROUND[where])), kind


@pytest.mark.parametrize(
    "piece", ["!", "?", ".", "! ", ". ", "()", "*", '"', "$", "_", "`", "a.", "1!"]
)
def test_a_long_text_s_key_takes_linear_time(piece: str) -> None:
    def taken(size: int) -> float:
        text = (piece * size)[:size]
        began = time.process_time()
        text_key.__wrapped__(text)
        return time.process_time() - began

    assert is_linear(taken)


@given(
    st.text(st.characters(codec="utf-8"), max_size=200)
    | st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.sampled_from(KINDS),
    st.booleans(),
)
def test_anything_is_read_without_an_error_and_spans_lie_inside(
    text: str, kind: AnswerKind, finished: bool
) -> None:
    found = read(text, kind, finished=finished)
    if found is None:
        return
    start, end = found.span
    assert found.answer
    assert 0 <= start <= end <= len(text)
    if kind != "math":
        assert equivalent(found.answer, found.answer, kind)
        hash(canonical(found.answer, kind))


def test_long_answers_are_whole_or_none() -> None:
    program = "def f():\n" + "    x = 1\n" * 3_000 + "    return x"
    assert read(f"```python\n{program}\n```", "code").answer == program  # type: ignore[union-attr]
    grid = "\n".join(" ".join("0" * 30) for _ in range(60))
    assert read(f"Answer:\n{grid}\n", "text").answer == grid  # type: ignore[union-attr]
    digits = "7" * 5_000
    found = read(f"Answer: {digits}", "number")
    assert found is not None
    assert found.answer == digits
    assert not equivalent(digits, digits[:-1] + "8", "number")
    assert equivalent(digits, f"{digits}.0", "number")


def test_no_pattern_holds_a_group_possessively() -> None:
    """Python before 3.11.5, Debian 12's among them, matches such groups wrongly (gh-106052)."""
    source = Path(__file__).parents[2] / "src" / "workspan"
    for path in source.rglob("*.py"):
        held = re.findall(r"\)(?:[*+?]|\{\d*,?\d*\})\+", path.read_text())
        assert not held, path.name


@pytest.mark.parametrize("piece", ["1|, x&", "|, a", ",|,1 "])
def test_rows_below_a_mark_are_compared_in_linear_time(piece: str) -> None:
    """A pattern whose cells could hold their separators took for ever on forty of these."""
    text = f"Answer:\n{piece * 4_000}\n{piece * 4_000}x"
    for kind in KINDS:
        began = time.process_time()
        read(text, kind)
        assert time.process_time() - began < 5, kind
