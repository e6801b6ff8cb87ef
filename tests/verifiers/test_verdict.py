"""Replies of judges, and the verdict that each gives: the right one or none."""

from __future__ import annotations

import itertools
from functools import partial

import anyio
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from workspan.answers.thinking import spoken
from workspan.core.session import Strategy
from workspan.data.budget import Budget
from workspan.data.types import Problem, Request
from workspan.runner import Result, run
from workspan.spec import parse_strategy
from workspan.testing.scripted import ScriptedEngine
from workspan.verifiers.verdict import rating, word

RATED = [
    ("8", 0.8),
    ("8/10", 0.8),
    ("On a scale from 0 to 10, I rate it 9.", 0.9),
    ("Rating (0-10): 9", 0.9),
    ("The 2 steps are sound and 17 + 25 = 42. Rating: 9", 0.9),
    ("<think>Step 1 adds 7 and 5.</think>\n9", 0.9),
    ("1. The sum is right.\nRating: 10", 1.0),
    ("95/100", 0.95),
    ("**8**", 0.8),
    ("Rating: **8**", 0.8),
    ("**Rating:** 8", 0.8),
    ("**Rating: 8/10**", 0.8),
    ("\\boxed{7}", 0.7),
    ("$\\boxed{7}$", 0.7),
    ('{"rating": 8}', 0.8),
    ('{"rating": 8, "reason": "17 + 25 = 42"}', 0.8),
    ('```json\n{"rating": 8}\n```', 0.8),
    ("Score: 8", 0.8),
    ("Rating: 0", 0.0),
    ("0", 0.0),
    ("10", 1.0),
    ("10/10", 1.0),
    ("0/10", 0.0),
    ("8 out of 10", 0.8),
    ("I'd give it 9 out of 10.", 0.9),
    ("I would rate this solution as a 7.", 0.7),
    ("I rate this solution 7/10 because step 2 is unclear.", 0.7),
    ("Rating: nine", 0.9),
    ("nine", 0.9),
    ("Rating: ९", 0.9),
    ("９", 0.9),
    ("٩", 0.9),
    ("Rating: 9/10", 0.9),
    ("Rating: 9 out of 10", 0.9),
    ("Rating: 9 (certainly correct)", 0.9),
    ("Rating: 9.", 0.9),
    ("Rating: 9, since 17 + 25 = 42", 0.9),
    ("[[8]]", 0.8),
    ("Rating: [[8]]", 0.8),
    ("<rating>8</rating>", 0.8),
    ("# Rating\n8", 0.8),
    ("Rating:\n8", 0.8),
    ("Final rating: 8", 0.8),
    ("Overall score: 8/10", 0.8),
    ("The rating is 8.", 0.8),
    ("My rating: 8", 0.8),
    ("| Rating | 8 |", 0.8),
    ("Rating (out of 10): 8", 0.8),
    ("Rating on a scale of 0 to 10: 8", 0.8),
    ("Rating (0–10): 8", 0.8),
    ("I give it a rating of 9.", 0.9),
    ("The solution is right.\n\n9", 0.9),
    ("9\n\nThe steps are right.", 0.9),
    ("8.5", 0.85),
    ("Rating: 8.5/10", 0.85),
    ("thought\n</think>\nRating: 9", 0.9),
    ("<think>Rating: 3</think>Rating: 9", 0.9),
    ("Rating: 9\nThe 3 steps are right.", 0.9),
    ("This deserves a 9.", 0.9),
    ("- Rating: 9", 0.9),
    ("> Rating: 9", 0.9),
    ("Rating = 9", 0.9),
    ("rating:9", 0.9),
    ('"8"', 0.8),
    ("8 points", 0.8),
    ("Rating: 8 points.", 0.8),
    ("Rating (0-100): 80", 0.8),
    ("On a scale from 0 to 100 I rate it 80.", 0.8),
    ("4/5", 0.8),
    ("8 / 10", 0.8),
    ("Verdict: 8", 0.8),
    ("The rating: 8", 0.8),
    ("If 2 were 3 it would be wrong. Rating: 9", 0.9),
    ("Reply: Rating: <number>\nRating: 9", 0.9),
    ("Rating: 10/10.", 1.0),
    (
        "<|channel|>analysis<|message|>so 3<|end|><|start|>assistant<|channel|>final<|message|>"
        "Rating: 9",
        0.9,
    ),
    ("[THINK]Is it 3?[/THINK]Rating: 9", 0.9),
]
UNRATED = [
    "",
    "no idea",
    "On a scale from 0 to 10",
    "Rating:",
    "Rating: N",
    "Rating: NaN",
    "Rating: -3",
    "-3",
    "Rating: 11",
    "11",
    "95",
    "Rating: 7-8",
    "7-8",
    "7 to 8",
    "Rating: 7 to 8",
    "Rating: 7 or 8",
    "between 7 and 8",
    "Rating: 8\nRating: 3",
    "Rating: 80%",
    "80%",
    "0.9",
    "1.0",
    "Rating: 0.9",
    "<think>9",
    "<think>Rating: 9",
    "The 2 steps are sound and 17 + 25 = 42.",
    "1. The sum is right.",
    "9. The sum is right.",
    "Step 9",
    "The answer is 9.",
    "17 - 8 = 9",
    "17 - 8 =\n9",
    "p =\n9/10",
    "9 out of 10 times this is right",
    "The answer is \\boxed{9}.",
    "Rating: 9?",
    "Rating: 9+",
    "Rating: >9",
    "Rating: 9th",
    "Rating: 8, no wait, 3",
    "Rating: 8\nWait, step 2 is wrong: 3",
    "If the sum were right, I would rate it 10, but it is not.",
    "I can't rate it 9",
    "I would not rate it 9.",
    "On a scale of 0 to 3, I rate this 3",
    "Rating (1-5): 4",
    "Rating: 1e1",
    "Rating: 8,5",
    "8½",
    "½",
    "Rating: ⑨",
    "①",
    "Rating: ninety",
    "Rating: 9 of the 10 steps are right",
    "A rating of 0 means wrong, a rating of 10 means right.",
    "0-10",
    "Rating (0-10)",
    "Rating scale: 0-10",
    "Maximum score: 10",
    "The team's score: 9",
    "Rating: inf",
    "1\n2\n3",
    "Rating: 007",
    "I rate the 2 steps as correct",
    "Score for clarity: 6",
    "Rating for step 2: 9",
    "Rating: 8/9",
    "8/9",
    "10/8",
    "Rating: 12/10",
    "8 9",
    "8, 9",
    "Rating: 8 / Rating: 9",
    "Rating: not 9",
    "Rating: about",
    "Rating: at least 8",
    "The rating could be 9.",
    "Rating: 9 if the rounding is right, else 3",
    "Rating: 9x",
    "Rating: 9 (0-3)",
    "Rating: ~~7~~",
    "Difficulty rating: 9",
    "Confidence: 9",
]
THOUGHTS = [
    "<think>{}</think>{}",
    "{}</think>{}",
    "<thinking>{}</thinking>\n\n{}",
    "<seed:think>{}</seed:think>{}",
    "[THINK]{}[/THINK]{}",
    "◁think▷{}◁/think▷{}",
    "<|channel|>analysis<|message|>{}<|end|><|channel|>final<|message|>{}",
    "<think><think>{}</think></think>{}",
]
DRESSES = ["{}", "**{}**", "{}\n", "\n\n{}", "> {}", "`{}`"]


@pytest.mark.parametrize(("reply", "value"), RATED)
def test_a_rating_is_read_from_its_mark(reply: str, value: float) -> None:
    assert rating(reply, finished=True) == value


@pytest.mark.parametrize("reply", UNRATED)
def test_what_is_in_doubt_is_no_rating(reply: str) -> None:
    assert rating(reply, finished=True) is None


@pytest.mark.parametrize("thought", THOUGHTS)
def test_thinking_is_never_read(thought: str) -> None:
    for inner, (reply, value) in itertools.product(["Rating: 3", "9", "3 or 4"], RATED[:20]):
        if "<" not in reply:
            assert rating(thought.format(inner, reply), finished=True) == value, (inner, reply)
    assert rating(thought.format("Rating: 3", ""), finished=True) is None
    assert rating(thought.format("Rating: 3", "").split("3")[0], finished=True) is None


def test_there_are_replies_enough() -> None:
    assert len({reply for reply, _ in RATED} | set(UNRATED)) + len(THOUGHTS) * 20 >= 200


@pytest.mark.parametrize(
    ("reply", "value"),
    [
        ("8", None),
        ("Rating: 1", None),
        ("Rating: 9/1", None),
        ("I rate it 1", None),
        ("On a scale from 0 to 10", None),
        ("Rating: 9\nBecause the", 0.9),
        ("Rating: 9. The first", 0.9),
    ],
)
def test_of_a_reply_that_was_cut_a_closed_mark_counts(reply: str, value: float | None) -> None:
    assert rating(reply, finished=False) == value


@settings(deadline=None)
@given(st.text(), st.booleans())
@example("rating: " * 3000, True)
@example("I rate it " * 3000, True)
@example("<think>" * 3000, True)
def test_whatever_a_model_replies_a_rating_is_a_share_or_none(reply: str, finished: bool) -> None:
    value = rating(reply, finished=finished)
    assert value is None or 0 <= value <= 1
    assert word(reply, ("sure", "likely"), finished=finished) in (None, "sure", "likely")


SENTENCES = st.sampled_from(
    [
        "The 2 steps are sound.",
        "17 + 25 = 42.",
        "1. The sum is right.",
        "Of 10 apples 3 are left.",
        "On a scale from 0 to 10, 0 is certainly wrong.",
        "So x = 7.",
        "The answer is \\boxed{9}.",
        "In step 4 there are 5 to 6 cases.",
        "It's 100% right.",
    ]
)


@settings(deadline=None)
@given(st.lists(SENTENCES, min_size=1, max_size=4))
def test_no_number_of_the_reasoning_is_a_rating(sentences: list[str]) -> None:
    assert rating("\n".join(sentences), finished=True) is None
    assert rating(" ".join(sentences), finished=True) is None


@settings(deadline=None)
@given(
    st.lists(SENTENCES, max_size=4),
    st.integers(0, 10),
    st.sampled_from(DRESSES),
    st.sampled_from(["Rating: {}", "Rating: {}/10", "Rating (0-10): {}", "Final rating: {}"]),
)
def test_a_mark_below_any_reasoning_is_read(
    sentences: list[str], value: int, dress: str, form: str
) -> None:
    reply = "\n".join([*sentences, dress.format(form.format(value))])
    assert rating(reply, finished=True) == value / 10


@settings(deadline=None)
@given(st.integers(0, 10), st.integers(0, 10))
def test_two_ratings_that_differ_are_none(one: int, other: int) -> None:
    value = rating(f"Rating: {one}\nRating: {other}", finished=True)
    assert value == (one / 10 if one == other else None)


def test_a_beginning_of_thinking_that_nothing_ends_leaves_nothing() -> None:
    assert spoken("9 <think> 8") == "9"
    assert spoken("<think>9") == ""
    assert spoken("a < b, b > c") == "a < b, b > c"


def test_a_word_is_read_from_its_mark_or_an_outer_line() -> None:
    words = ("sure", "likely", "impossible")
    said = {
        "It looked likely at first.\n\nImpossible": "impossible",
        "Sure.\nThe steps are likely to end well.": "sure",
        "Is it likely?\nVerdict: sure": "sure",
        "Verdict: sure\nVerdict: likely": None,
        "sure\n\nimpossible": None,
        "Verdict: possible\nsure": None,
    }
    for reply, verdict in said.items():
        assert word(reply, words, finished=True) == verdict, reply
    assert word("Verdict: sure", words, finished=False) is None
    assert word("Verdict: sure\nas", words, finished=False) == "sure"
    assert word("sure", words, finished=False) is None


PROBLEM = Problem.ask("What is 17 + 25?", kind="number")


def solve(strategy: str | Strategy, *replies: str, budget: str = "") -> Result:
    """Draft 41, 42 and 43 in turn; judge with `replies`, in the order of asking."""
    drafts = itertools.cycle(["Answer: 41", "Answer: 42", "Answer: 42"])
    verdicts = iter(replies)

    def script(request: Request) -> str:
        return next(drafts) if len(request.prompt) == 1 else next(verdicts, "no idea")

    given = parse_strategy(strategy) if isinstance(strategy, str) else strategy
    limits = Budget.parse(budget) if budget else None
    return anyio.run(lambda: run(given, PROBLEM, ScriptedEngine(script), budget=limits))


def test_a_judge_has_room_to_think_and_passes_its_effort_on() -> None:
    engine = ScriptedEngine(["Answer: 42", f"<think>{'well ' * 400}</think>Rating: 9"])
    strategy = parse_strategy("best_of_n(n=1, verifier=judge(effort='low'))")
    result = anyio.run(lambda: run(strategy, PROBLEM, engine))
    assert result.answer.best is not None
    assert result.answer.best.score == 0.9
    assert engine.requests[-1].reasoning_effort == "low"


def test_a_judge_that_thinks_past_its_cap_gives_no_verdict() -> None:
    result = solve("best_of_n(n=1, verifier=judge(max_tokens=8))", f"<think>{'well ' * 99}9")
    assert result.answer.best is not None
    assert result.answer.best.score is None
    assert "cut by length" in result.notices[0].text


@pytest.mark.parametrize("name", ["best_of_n", "weighted_best_of_n"])
def test_without_a_verdict_the_vote_decides_and_the_result_says_so(name: str) -> None:
    result = solve(f"{name}(n=3)")
    assert result.answer.text == "42"
    assert result.answer.best is not None
    assert result.answer.best.score is None
    [notice] = result.notices
    assert (notice.code, notice.times) == ("no_verdict", 3)
    assert notice.text.startswith("judge gave no verdict for 3 of 3 candidates: the judge gave no")
    assert notice.text.endswith("the answer was not judged")


def test_a_lost_verdict_is_told_with_how_many_there_were() -> None:
    result = solve("best_of_n(n=3)", "Rating: 3", "hm", "Rating: 8")
    assert [c.score for c in result.answer.candidates] == [0.3, None, 0.8]
    [notice] = result.notices
    assert "1 of 3 candidates" in notice.text
    assert "not judged" not in notice.text


def test_what_is_certainly_wrong_does_not_win_over_what_nobody_judged() -> None:
    result = solve("best_of_n(n=3)", "Rating: 0")
    assert result.answer.text == "42"


def test_a_candidate_without_a_verdict_weighs_as_much_as_others_do() -> None:
    result = solve("weighted_best_of_n(n=3)", "Rating: 4", "Rating: 4", "hm")
    assert [vote.weight for vote in result.answer.votes] == pytest.approx([0.8, 0.4])


def test_judged_runs_say_nothing() -> None:
    assert solve("best_of_n(n=3)", "Rating: 4", "Rating: 4", "Rating: 5").notices == ()


def test_a_choice_that_can_not_be_read_is_told() -> None:
    for name in ("genselect", "universal_self_consistency"):
        engine = ScriptedEngine(["Answer: 41", "Answer: 42", "Answer: 42", "no idea"])
        strategy = parse_strategy(f"{name}(n=3)")
        result = anyio.run(partial(run, strategy, PROBLEM, engine))
        assert result.answer.text == "42"
        assert [notice.code for notice in result.notices] == ["no_verdict"], name


@pytest.mark.parametrize("budget", ["64 work", "200 work", "20 work"])
def test_room_for_a_verdict_never_passes_a_budget(budget: str) -> None:
    result = solve(
        "best_of_n(n=3)", *[f"<think>{'well ' * 600}</think>Rating: 9"] * 3, budget=budget
    )
    assert not result.overruns
    assert result.work <= int(budget.split()[0])
