from __future__ import annotations

from workspan.data.types import AnswerKind, FinishReason, Sample, Usage
from workspan.search.steps import Path, answered


def step(text: str, finish: FinishReason = "stop", logprobs: tuple[float, ...] = ()) -> Sample:
    return Sample(text, finish, Usage(), logprobs=logprobs or None, key="/0")


def path(*steps: Sample, kind: AnswerKind = "number") -> Path:
    grown = Path()
    for one in steps:
        grown = grown.longer(one, kind)
    return grown


def test_a_step_that_ended_is_followed_by_a_blank_line_and_a_cut_one_is_not() -> None:
    assert path(step("Two and")).candidate.text == "Two and\n\n"
    assert path(step("Two and \n")).candidate.text == "Two and\n\n"
    assert path(step("Two a", "length"), step("nd two")).candidate.text == "Two and two\n\n"


def test_a_marked_answer_finishes_a_path_only_when_its_line_is_over() -> None:
    whole = path(step("So it is."), step("Answer: 4"))
    assert (whole.is_finished, whole.candidate.answer) == (True, "4")
    assert whole.candidate.text == "So it is.\n\nAnswer: 4"
    cut = path(step("Answer: 1", "length"))
    assert (cut.is_finished, cut.candidate.answer) == (False, None)
    assert path(step("\\boxed{12} and", "length")).is_finished


def test_an_empty_step_is_the_end_of_the_model_but_not_before_it_began() -> None:
    ended = path(step("It makes 4."), step(""))
    assert (ended.is_finished, ended.candidate.answer, ended.depth) == (True, "4", 2)
    unbegun = path(step(""))
    assert (unbegun.is_finished, unbegun.candidate.text) == (False, "")


def test_an_open_answer_is_finished_by_the_models_end_alone() -> None:
    essay = path(step("Answer: first"), kind="open")
    assert not essay.is_finished
    assert essay.longer(step(""), "open").is_finished


def test_an_open_path_votes_only_where_no_finished_one_does() -> None:
    open_path, finished = path(step("It makes 5.")), path(step("Answer: 4"))
    assert answered([open_path, finished]) == [finished]
    assert answered([open_path, path(step("It makes 5", "length"))]) == [open_path]


def test_the_log_probability_is_the_mean_over_all_steps() -> None:
    grown = path(step("a", logprobs=(-1.0, -3.0)), step("b", logprobs=(-5.0,)))
    assert grown.candidate.logprob == -3.0
    assert path(step("a")).candidate.logprob is None


def test_a_path_knows_what_it_was_at_each_depth() -> None:
    grown = path(step("one"), step("two"), step("three"))
    assert grown.at(1).candidate.text == "one\n\n"
    assert grown.at(3) is grown.at(9) is grown
    assert grown.at(0).depth == 0
