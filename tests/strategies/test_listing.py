"""Candidates laid out for a model to read, and the choice read from its reply."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.data.types import Message
from workspan.strategies.chosen import choice, choices
from workspan.strategies.listing import beside, items, listing


def test_texts_are_numbered_from_one_and_delimited() -> None:
    assert listing(["a ", "b"], "Response") == (
        "--- Response 1 ---\na\n\n--- Response 2 ---\nb\n\n--- end ---"
    )


def test_of_a_long_text_the_end_is_kept() -> None:
    shown = listing(["x" * 50 + "Answer: 4"], longest=10)
    assert "…xAnswer: 4" in shown
    assert "xx" not in shown


def test_what_is_put_beside_a_prompt_makes_no_second_user_turn() -> None:
    prompt = (Message("system", "s"), Message("user", "q"))
    assert beside(prompt, "more") == (Message("system", "s"), Message("user", "q\n\nmore"))
    said = (*prompt, Message("assistant", "a"))
    assert beside(said, "more") == (*said, Message("user", "more"))


@pytest.mark.parametrize(
    ("reply", "index"),
    [
        ("Choice: 2", 1),
        ("First I thought Choice: 1, but no.\n**Choice: 3**", 2),
        ("<think>Choice: 1</think>Choice: 2", 1),
        ("Choice: 2, since choice 1 is wrong.", 1),
        ("Choice 1: wrong. Choice 2: right.", None),
        ("Choice: 1\nChoice: 2 is better, though.", None),
        ("Choice: 1 or 2", None),
        ("Choice: 1-2", None),
        ("Choice: -1", None),
        ("Choice: 2.5", None),
        ("<think>Choice: 2", None),
        ("**Choice:** Solution 2", 1),
        ("choice: <2>", 1),
        ("2", 1),
        ("Solution 3.", 2),
        ("Choice: 4", None),
        ("Choice: 0", None),
        ("The answer is 2", None),
        ("Solution 1 is worse than solution 2", None),
        ("no idea", None),
        ("", None),
    ],
)
def test_a_choice_is_a_marked_number_or_a_bare_one(reply: str, index: int | None) -> None:
    assert choice(reply, 3) == index


@pytest.mark.parametrize(
    ("reply", "index"),
    [("2", None), ("Choice: 1", None), ("Choice: 1\nIt", 0), ("Choice: 2. The", 1)],
)
def test_of_a_reply_that_was_cut_a_closed_mark_counts(reply: str, index: int | None) -> None:
    assert choice(reply, 3, finished=False) == index


@pytest.mark.parametrize(
    ("reply", "indexes"),
    [
        ("2, 1", [1, 0]),
        ("1 and 3", [0, 2]),
        ("Both are good.\nSolutions: 3, 1", [2, 0]),
        ("I like 2 because of its 3 steps.", []),
        ("<think>1 2</think>3", [2]),
        ("9 2 2", [1]),
        ("", []),
    ],
)
def test_a_choice_of_several_is_a_list_and_nothing_else(reply: str, indexes: list[int]) -> None:
    assert choices(reply, 3) == indexes


@given(st.text(), st.integers(1, 20))
def test_whatever_a_model_replies_the_choice_is_one_of_the_texts(reply: str, n: int) -> None:
    index = choice(reply, n)
    assert index is None or 0 <= index < n


def test_items_are_lines_without_their_bullets() -> None:
    assert items("1. one\n\n- two\n* 3.5 is left\nuse 2. later", 9) == [
        "one",
        "two",
        "3.5 is left",
        "use 2. later",
    ]
    assert items("a\nb\nc", 2) == ["a", "b"]
    assert items(" \n", 2) == []
