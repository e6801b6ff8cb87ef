"""CMC's controller, round by round, by hand."""

from __future__ import annotations

import pytest

from workspan.search.cmc import CmcControl, Settings, leader


def control(beta: float = 0.25) -> CmcControl:
    return CmcControl(Settings.of(beta))


def test_the_dial_sets_what_was_published() -> None:
    told = Settings.of(0.5)
    assert (told.chains, told.most, told.warmup, told.window, told.burst) == (5, 34, 6, 5, 2)
    assert (told.patience, told.widen, told.complete) == (8, 2, 4)  # of 7.5, 2.5, 3.5: to even
    assert (told.weight, told.threshold) == pytest.approx((0.5, 0.91))
    assert (told.slack, told.trend) == pytest.approx((0.025, 0.025))
    low, high = Settings.of(0), Settings.of(1)
    assert (low.chains, low.most, low.warmup, low.widen) == (2, 4, 2, 1)
    assert (high.chains, high.most, high.warmup, high.widen) == (8, 64, 10, 4)


def test_the_average_moves_twice_a_round_from_a_half() -> None:
    told = control(0.5)
    told.begin([])
    told.look([], [(0, -1)])
    assert told.average == 0.5  # no votes: P(p1 > p2) is a half
    told.begin([0, 0])  # 1 - BetaCDF(.5; 3, 1) = 7/8
    assert told.average == pytest.approx(0.6875)
    told.look([0, 0, 0], [])  # 15/16
    assert told.average == pytest.approx(0.8125)


def test_it_opens_more_while_it_is_unsure_and_does_not_rise() -> None:
    told, moves = control(), []
    for finished in ([], [0, 0, 0]):
        told.begin(finished)
        told.look(finished, [(3, -1)])
        moves.append(told.move)
    assert moves == ["widen", "grow"]  # .5 to .856 within the window: it waits


def test_it_stops_when_warm_sure_and_with_enough_finished() -> None:
    told, moves = control(0), []
    for _ in range(3):
        told.begin([0] * 6)
        told.look([0] * 6, [(6, -1)])
        moves.append(told.move)
    # 127/128 of six; after one round .947 of a bar of .85, but two rounds are the warm-up
    assert moves == ["grow", "stop", "stop"]
    told = control(0)
    for _ in range(4):
        told.begin([0])
        told.look([0], [(1, -1)])
    assert told.move != "stop"  # two must have finished


def test_an_average_that_falls_does_not_stop_it() -> None:
    told = control(0)
    for finished in ([0] * 8, [0] * 8, [0] * 8, [0] * 8 + [1] * 4, [0] * 8 + [1] * 4):
        told.begin(finished)
        told.look(finished, [(12, 0)])
    assert told.average > 0.85
    assert told.move == "stop"  # 8 to 4 is .867: it has settled there
    told.begin([0] * 8 + [1] * 5)
    told.look([0] * 8 + [1] * 5, [(13, 0)])
    assert told.move != "stop"


def test_a_chain_that_strays_for_long_is_dropped_and_two_stay() -> None:
    told = control(0)  # patience 3
    live = [(1, 5), (2, 5), (3, 0), (4, -1)]
    dropped = []
    for _ in range(3):
        told.begin([0])
        dropped.append(told.look([0], live))
    assert dropped == [[], [], [1, 2]]  # the fourth strays too, but two stay
    assert told.look([0], [(3, 0), (4, -1)]) == []


def test_a_round_of_agreement_clears_the_count() -> None:
    told = control(0)
    for answer in (5, 5, 0, 5, 5):
        told.begin([0])
        assert told.look([0], [(1, answer), (2, 0), (3, 0)]) == []


def test_nothing_strays_before_anything_has_finished() -> None:
    told = control(0)
    for _ in range(9):
        told.begin([])
        assert told.look([], [(0, 1), (1, 2), (2, 3)]) == []


def test_a_chain_that_agrees_grows_by_a_burst() -> None:
    told = control(1)
    assert [told.blocks(answer, [4, 4, 2]) for answer in (4, 2, -1)] == [3, 1, 1]
    assert told.blocks(-1, []) == 1


def test_the_first_of_equals_leads_and_no_answer_never_does() -> None:
    assert leader([-1, 2, 1, 1, 2, -1, -1]) == 2
    assert leader([-1]) == -1
