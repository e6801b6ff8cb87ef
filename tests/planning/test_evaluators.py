"""Each evaluator on plans worked by hand: what is wrong is found, and named in its words."""

from __future__ import annotations

import re

import pytest

from workspan.data.content import JsonObject
from workspan.errors import InputError
from workspan.planning import UNREADABLE, Instance, dump, read
from workspan.planning.calendar import Busy, Calendar
from workspan.planning.meeting import Friend, Meetings
from workspan.planning.steg_poet import StegPoet, levenshtein
from workspan.planning.trip import Trip, Visit

TRIP = Trip(
    6,
    (("Oslo", 3), ("New York", 2), ("Rome", 3)),
    (("Rome", "New York"), ("New York", "Rome"), ("New York", "Oslo")),
    (Visit("Oslo", 4, 6),),
)
GOOD_TRIP = """Here is the trip plan:

**Day 1-3:** Arriving in Rome and visit Rome for 3 days.
**Day 3:** Fly from Rome to New York.
**Day 3-4:** Visit New York for 2 days.
**Day 4:** Fly from New York to Oslo.
**Day 4-6:** Visit Oslo for 3 days."""

DAY = Meetings(
    "Pier",
    9 * 60,
    (Friend("Ann", "Park", 10 * 60, 12 * 60, 30), Friend("Bob", "Zoo", 9 * 60, 11 * 60, 60)),
    (("Pier", "Park", 10), ("Park", "Zoo", 20), ("Zoo", "Park", 20), ("Pier", "Zoo", 15)),
)
GOOD_DAY = (
    "SOLUTION: You start at Pier at 9:00AM. You travel to Zoo in 15 minutes and arrive at 9:15AM. "
    "You meet Bob for 60 minutes from 9:15AM to 10:15AM. You travel to Park in 20 minutes and "
    "arrive at 10:35AM. You meet Ann for 30 minutes from 10:35AM to 11:05AM."
)
WEEK = Calendar(("Monday", "Tuesday"), 60, (Busy("Ann", "Monday", 540, 720),), earliest=True)
STEG = StegPoet((7, 12, 7), 3)
POEM = "CIPHER:\n7: rose\n12: river\n\nPOEM:\nA rose there was beside\na river and beyond the rose"


def test_a_good_plan_solves_each_form() -> None:
    assert TRIP.evaluate(GOOD_TRIP).solved
    assert DAY.evaluate(GOOD_DAY).solved
    assert WEEK.evaluate("Here is the proposed time: Monday, 12:00 - 13:00").solved
    assert STEG.evaluate(POEM).solved


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("Visit Oslo for 3", "Visit Bonn for 3", "Oslo is not visited"),
        ("Visit Oslo for 3", "Visit Bonn for 3", "Bonn is not a city of this trip"),
        ("Visit Oslo for 3", "Visit Rome for 3", "Rome is visited 2 times"),
        ("Day 4-6", "Day 4-5", "The stay in Oslo is 2 days long: it must be 3."),
        ("Day 4-6", "Day 4-5", "The trip ends on day 5: it must end on day 6."),
        ("Day 4-6", "Day 4-5", "You must be in Oslo from day 4 to day 6."),
        ("Day 1-3", "Day 2-3", "The trip begins on day 2, not on day 1."),
        ("Day 4-6", "Day 5-7", "it must begin on day 4, when the stay in New York ends"),
    ],
)
def test_a_trip_is_told_what_is_wrong_with_it(old: str, new: str, said: str) -> None:
    evaluation = TRIP.evaluate(GOOD_TRIP.replace(old, new))
    assert not evaluation.solved
    assert said in evaluation.feedback


def test_a_trip_loses_one_for_each_violation_and_scores_its_reciprocal() -> None:
    backwards = (
        "Day 1-3: Arriving in Oslo for 3 days.\nDay 3-4: Visit New York.\nDay 4-6: Visit Rome."
    )
    evaluation = TRIP.evaluate(backwards)
    assert evaluation.violations == (
        "There is no direct flight from Oslo to New York.",
        "You must be in Oslo from day 4 to day 6.",
    )
    assert evaluation.raw == -2
    assert evaluation.score == pytest.approx(1 / 3)


def test_a_second_trip_in_the_same_text_is_not_read() -> None:
    assert TRIP.evaluate(f"{GOOD_TRIP}\n\nAnother plan:\n{GOOD_TRIP}").solved


@pytest.mark.parametrize(
    ("old", "new", "said", "raw"),
    [
        ("meet Bob", "meet Zed", "Step 3: Zed is nobody you know.", -2 - 2),
        ("travel to Zoo", "travel to Moon", "no such place is on the map", -2 - 2 - 2),
        ("You meet Bob", "You greet Bob", "is no step", -10 - 2),
        ("You meet Ann", "You meet Bob for 5. You meet Ann", "you have met Bob already", 2 - 2),
        ("You travel to Park", "You wait until 9:30AM. You travel to Park", "10:15AM already", 0),
        ("You meet Bob", "You wait until 10:30AM. You meet Bob", "leaves at 11:00AM", 1 - 2),
        ("travel to Zoo", "travel to Park", "Ann is at Park", None),
    ],
)
def test_a_day_is_told_what_is_wrong_with_it(
    old: str, new: str, said: str, raw: float | None
) -> None:
    evaluation = DAY.evaluate(GOOD_DAY.replace(old, new))
    assert not evaluation.solved
    if raw is None:
        assert "you can't meet Bob at Park: Bob is at Zoo." in evaluation.feedback
    else:
        assert said in evaluation.feedback
        assert evaluation.raw == raw


def test_too_early_is_told_to_wait() -> None:
    early = "SOLUTION: You travel to Park in 10 minutes. You meet Ann for 30 minutes."
    assert "Ann comes at 10:00AM, and it is 9:10AM: wait." in DAY.evaluate(early).feedback


def test_a_day_is_scored_by_its_distance_from_the_optimum() -> None:
    one = "SOLUTION: You travel to Zoo in 15 minutes. You meet Bob for 60 minutes."
    assert DAY.evaluate(one).raw == 1
    assert DAY.evaluate(one).score == pytest.approx(1 / 2)
    assert "Ann is not met" in DAY.evaluate(one).feedback
    known = Meetings(DAY.place, DAY.time, DAY.friends, DAY.distances, optimum=1)
    assert known.evaluate(one).solved


def test_meetings_before_the_first_violation_are_counted_apart() -> None:
    from workspan.planning.meeting import parse

    walk = DAY.walk(parse(GOOD_DAY.replace("You travel to Park", "You fly. You travel to Park")))
    assert (walk.met, walk.met_soundly) == (["Bob", "Ann"], 1)


@pytest.mark.parametrize(
    ("proposal", "said"),
    [
        ("Monday, 11:30 - 12:30", "Ann can't meet on Monday from 9:00 to 12:00."),
        ("Monday, 12:00 - 12:30", "The meeting lasts 30 minutes: it must last 60."),
        ("Monday, 16:30 - 17:30", "The working hours are 9:00 to 17:00."),
        ("Friday, 12:00 - 13:00", "Friday is not among the days: Monday, Tuesday."),
        ("Tuesday, 9:00 - 10:00", "There is an earlier time that suits everyone."),
    ],
)
def test_a_time_is_told_what_is_wrong_with_it(proposal: str, said: str) -> None:
    assert said in WEEK.evaluate(f"Here is the proposed time: {proposal}").feedback


def test_a_poem_scores_by_its_first_wrong_word_the_distance_and_the_spacing() -> None:
    # Hidden: 7, 7 of 7, 12, 7: the first is right, 1 of 3 is missing; spacing 12 is enough.
    evaluation = STEG.evaluate(POEM.replace("a river and", "a stream and"))
    assert evaluation.raw == pytest.approx(1 + 1 - 1 / 3)
    assert evaluation.score == pytest.approx((1 + 5 / 3 + 1) / 6)
    assert "Code word 2 of the text stands for 7: it must stand for 12." in evaluation.feedback


def test_a_poem_that_only_lists_its_code_words_is_no_solution() -> None:
    listed = STEG.evaluate("CIPHER:\n7: rose\n12: river\nPOEM:\nrose river rose")
    assert listed.raw == 4
    assert listed.score == pytest.approx((1 + 4 + 0) / 6)
    assert "There are 0.0 words between code words on average" in listed.feedback


def test_a_cipher_with_holes_or_doubles_is_found_out() -> None:
    holed = STEG.evaluate(POEM.replace("12: river\n", ""))
    assert "The cipher has no word for 12." in holed.feedback
    doubled = STEG.evaluate(POEM.replace("12: river", "12: river\n5: rose"))
    assert "The word 'rose' stands for two numbers" in doubled.feedback
    assert doubled.score == 0.99


def test_levenshtein_by_hand() -> None:
    assert levenshtein((1, 2, 3), (1, 3)) == 1
    assert levenshtein((1, 2), (2, 1)) == 2
    assert levenshtein((), (1, 2)) == 2


@pytest.mark.parametrize("instance", [TRIP, DAY, WEEK, STEG], ids=lambda i: i.form)
def test_an_instance_survives_its_problem(instance: Instance) -> None:
    assert read(dump(instance)) == instance


@pytest.mark.parametrize("instance", [TRIP, DAY, WEEK, STEG], ids=lambda i: i.form)
def test_a_text_without_a_plan_scores_nothing_and_is_told_the_form(instance: Instance) -> None:
    evaluation = instance.evaluate("I would rather stay at home.")
    assert evaluation.score == 0
    assert not evaluation.is_readable
    assert evaluation.feedback.startswith(UNREADABLE)


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        ({}, "it has no plan"),
        ({"days": 6}, "its plan names no form: trip, meeting"),
        ({"form": 7}, "its plan names no form"),
        ({"form": "tripp"}, "did you mean 'trip'?"),
        ({"form": "trip", "days": "six"}, "not an instance of trip"),
        ({"form": "steg_poet", "message": [], "between": 3}, "not an instance"),
    ],
)
def test_a_plan_that_is_no_instance_is_refused(plan: dict[str, object], said: str) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read(JsonObject.of(plan))
