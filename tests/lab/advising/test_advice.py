"""Advice: what is claimed, on what, and how often it is true on simulated routes."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.errors import InputError
from workspan.lab.advising.advice import FEWEST, Advice, advise
from workspan.lab.advising.kept import Arm, Label, Said, Shadowed
from workspan.lab.advising.past import past
from workspan.lab.advising.simulated import ROUTES, best, is_right, known, traffic
from workspan.lab.advising.told import told
from workspan.lab.pairs import score_difference
from workspan.lab.stats import wilson


def request(
    place: int,
    now: int | None,
    then: int | None,
    labels: str = "",
    *,
    cost: tuple[int | None, int | None] = (None, None),
    work: tuple[int, int] = (10, 10),
    problem: str = "",
) -> Shadowed:
    """Make a request; `labels` says of each answer by its number: r, w or - for none."""
    said = {"r": "right", "w": "wrong", "u": "unsure"}
    arms = (
        Arm("straight", True, now, None, "done", work[0], work[0], 1, 5, cost[0], 0.1),
        Arm("auto", False, then, None, "done", work[1], work[1], 1, 5, cost[1], 0.1),
    )
    numbers = sorted({one for one in (now, then) if one is not None})
    return Shadowed(
        f"{place:06d}",
        float(place),
        *("/v1/chat/completions", "m", "number", problem or f"p{place}"),
        arms,
        tuple(Said(n, "x") for n in numbers),
        "q",
        tuple(Label(n, "ann", said[labels[n]]) for n in numbers if labels and labels[n] != "-"),  # type: ignore[arg-type]
    )


def one(requests: list[Shadowed]) -> Advice:
    [found] = advise(requests)
    return found


def test_more_accurate_is_a_change_at_a_stated_cost() -> None:
    found = one([request(n, 0, 1, "wr", work=(10, 80)) for n in range(30)])
    assert (found.verdict, found.recommend, found.now) == ("change", "auto", "straight")
    assert (found.cost_now, found.first.cost, found.cost_unit) == (10, 80, "work")
    assert found.first.low > 0
    assert found.first.difference == 1.0


def test_cheaper_and_surely_no_worse_is_a_change() -> None:
    same = [request(n, 0, 0, work=(80, 10 + n % 3)) for n in range(400)]
    found = one(same)
    assert (found.verdict, found.truth) == ("change", "agreement")  # whatever is right
    assert (found.first.difference, found.first.agreement) == (None, 1.0)
    assert 0 > found.first.low > -0.02
    dearer = [replace(r, arms=tuple(replace(a, work=90 - a.work) for a in r.arms)) for r in same]
    assert one(dearer).verdict == "keep"


def test_few_requests_decide_nothing() -> None:
    found = one([request(n, 0, 1, "wr") for n in range(FEWEST - 1)])
    assert (found.verdict, found.recommend) == ("undecided", "straight")
    assert found.more is not None


def test_a_problem_that_comes_again_counts_once() -> None:
    many = [request(n, 0, 1, "wr", problem="the same") for n in range(300)]
    assert one(many).verdict == "undecided"
    few = [request(n, 0, 1, "wr", problem=f"p{n % 30}") for n in range(300)]
    assert one(few).verdict == "change"
    wide = one([request(n, 0, n % 3 // 2, "wr", problem=f"p{n % 30 // 3}") for n in range(300)])
    free = one([request(n, 0, n % 3 // 2, "wr") for n in range(300)])
    assert wide.verdict == "undecided"  # ten problems
    assert free.verdict == "change"


def test_labels_count_up_to_the_first_that_lacks_one() -> None:
    """So what is judged is a fair sample, whatever was judged beyond."""
    told = [request(n, 0, n % 2, "wr" if n < 100 else "") for n in range(200)]
    found = one(told).first
    assert (found.truth, found.judged, found.requests) == ("labels", 101, 200)
    assert found.difference == pytest.approx(50 / 101)
    half = [request(n, 0, n % 2, "w-") for n in range(200)]
    assert one(half).first.judged == 1


def test_labels_count_though_requests_go_on_coming() -> None:
    """Those that came since take places before the ones that were judged: ids are random."""
    told = [request(n, 0, 1, "wr") for n in range(0, 80, 2)]
    told = [replace(r, at=10.0, labels=tuple(replace(x, at=20.0) for x in r.labels)) for r in told]
    since = [replace(request(n, 0, 1), at=15.0 if n == 61 else 30.0) for n in range(1, 80, 2)]
    found = one(sorted(told + since, key=lambda r: r.id)).first
    assert found.judged == 31  # up to the one that was there, and was not judged
    assert found.requests == 80


def test_a_cost_is_of_the_same_requests() -> None:
    """Where a setting was added later, what is cheaper would look dearer."""
    early = [request(n, 0, 0, work=(100, 80)) for n in range(300)]
    late = [request(n + 300, 0, 0, work=(1_000, 900)) for n in range(100)]
    late = [replace(r, arms=(r.arms[0], replace(r.arms[1], strategy="b"))) for r in late]
    found = one(early + late)
    assert (found.recommend, found.cost_now, found.first.cost) == ("auto", 100, 80)
    assert [(each.cost_now, each.cost) for each in found.compared] == [(100, 80), (1_000, 900)]


@pytest.mark.parametrize("n", [1, 25, 100])
def test_what_would_decide_where_nothing_differs_is_the_exact_number(n: int) -> None:
    found = one([request(place, 0, 0) for place in range(n)])
    assert n + (found.more or 0) == 149  # the least with 1 - 0.05^(1/n) below 0.02
    assert one([request(place, 0, 0) for place in range(149)]).verdict == "keep"
    again = one([request(place, 0, 0, problem=f"p{place % 5}") for place in range(50)])
    assert 50 + (again.more or 0) == 1_490
    assert "would decide" in again.why


@pytest.mark.parametrize(("labels", "each", "n"), [("wr", 25, 50), ("", 200, 200)])
def test_what_would_decide_does(labels: str, each: int, n: int) -> None:
    """With some room: so that most samples decide, and not this one alone."""

    def drawn(n: int) -> Advice:
        return one([request(x, 0, int(x % each == each - 1), labels) for x in range(n)])

    few = drawn(n)
    assert few.verdict == "undecided"
    assert few.more is not None
    assert ("more labelled request" in few.why) == bool(labels)
    most = n + few.more
    assert drawn(most).verdict != "undecided"
    assert drawn(most // 5).verdict == "undecided"


def test_what_has_no_text_can_not_hold_labels_up() -> None:
    told = [request(n, 0, 1, "wr") for n in range(100)]
    told[3] = replace(told[3], question=None, labels=())
    assert one(told).first.judged == 99


def test_whoever_is_unsure_is_believed_and_no_answer_is_wrong() -> None:
    unsure = [request(n, 0, 1, "ru") for n in range(40)]
    assert one(unsure).first.difference == -1.0
    silent = [request(n, 0, None, "r") for n in range(40)]
    assert one(silent).first.difference == -1.0
    both = [request(n, None, None) for n in range(40)]
    assert one(both).first.agreement == 1.0


def test_a_verifier_is_a_truth_where_it_judged_all() -> None:
    scored = [request(n, 0, 1) for n in range(40)]
    scored = [replace(r, answers=(Said(0, None, 0.25), Said(1, None, 0.75))) for r in scored]
    found = one(scored)
    assert (found.truth, found.first.difference, found.verdict) == ("verifier", 0.5, "change")
    scored[0] = replace(scored[0], answers=(Said(0, None, 0.25), Said(1)))
    assert one(scored).truth == "agreement"


def test_agreement_never_ranks() -> None:
    found = one([request(n, 0, 1) for n in range(500)])
    assert (found.verdict, found.first.low, found.first.high) == ("undecided", -1.0, 1.0)
    assert "label" in found.why


def test_money_is_the_cost_where_it_is_known() -> None:
    priced = [request(n, 0, 0, cost=(2 * 10**9, 10**9)) for n in range(300)]
    found = one(priced)
    assert (found.cost_unit, found.cost_now, found.first.cost) == ("USD", 0.002, 0.001)
    priced[5] = request(5, 0, 0, cost=(None, 10**9))
    assert one(priced).cost_unit == "work"
    free = [request(n, 0, 0, cost=(0, 0), work=(7, 9)) for n in range(30)]
    assert (one(free).cost_unit, one(free).cost_now) == ("work", 7)  # a model of one's own


def test_routes_models_kinds_and_settings_are_told_apart() -> None:
    every = [request(n, 0, 0) for n in range(40)]
    every[0] = replace(every[0], route="/v1/messages")
    every[1] = replace(every[1], model="other")
    every[2] = replace(every[2], kind="tools")
    every[3] = replace(every[3], arms=(replace(every[3].arms[0], strategy="x"), every[3].arms[1]))
    assert sorted(one.requests for one in advise(every)) == [1, 1, 1, 1, 36]
    assert advise([]) == []


def test_several_settings_share_the_doubt() -> None:
    """Each interval is wider, the more settings are compared."""
    single = one([request(n, 0, n % 10 // 9, "wr") for n in range(100)])

    def more(r: Shadowed) -> Shadowed:
        extra = [replace(r.arms[1], strategy=f"other{n}") for n in range(5)]
        return replace(r, arms=(*r.arms, *extra))

    several = one([more(request(n, 0, n % 10 // 9, "wr")) for n in range(100)])
    low = next(one.low for one in several.compared if one.strategy == "auto")
    assert low < single.first.low


def test_of_several_changes_the_cheapest_of_the_best_is_named() -> None:
    def three(n: int) -> Shadowed:
        r = request(n, 0, 1, "wr", work=(10, 90))
        return replace(r, arms=(*r.arms, replace(r.arms[1], strategy="b", work=20)))

    found = one([three(n) for n in range(60)])
    assert found.recommend == "b"
    assert [one.strategy for one in found.compared] == ["b", "auto"]


def test_json_has_the_columns_that_were_promised() -> None:
    row = told(one([request(n, 0, 1, "wr", work=(10, 80)) for n in range(30)]))
    assert [*row][:12] == [
        *("route", "model", "kind", "requests", "now", "recommend", "difference", "low", "high"),
        *("cost_now", "cost_then", "verdict"),
    ]
    assert row["strategies"][0]["strategy"] == "auto"


def test_values_out_of_range_are_refused() -> None:
    for margin, confidence in ((0.0, 0.95), (1.0, 0.95), (0.02, 1.0)):
        with pytest.raises(InputError):
            advise([request(0, 0, 0)], margin, confidence)


@pytest.mark.parametrize(("said", "back"), [("7d", 604_800), ("12h", 43_200), ("2w", 1_209_600)])
def test_a_stretch_of_time_is_read(said: str, back: int) -> None:
    assert past(said, 2_000_000.0) == 2_000_000.0 - back
    assert past("1970-01-02", 0.0) == 86_400.0
    for wrong in ("", "7", "d", "7 years", "0d", "99999999d"):
        with pytest.raises(InputError, match="--since"):
            past(wrong, 0.0)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from([None, 0]), st.sampled_from([None, 0, 1]), st.sampled_from("rw")),
        min_size=1,
        max_size=80,
    ),
    st.integers(1, 40),
)
def test_an_interval_holds_its_mean_and_a_verdict_its_interval(
    rows: list[tuple[int | None, int | None, str]], problems: int
) -> None:
    requests = [
        request(n, now, then, f"{mark}{'w' if mark == 'r' else 'r'}", problem=f"p{n % problems}")
        for n, (now, then, mark) in enumerate(rows)
    ]
    found = one(requests)
    for each in found.compared:
        assert -1 <= each.low <= each.high <= 1
        if each.difference is not None:
            assert each.low - 1e-9 <= each.difference <= each.high + 1e-9
        if each.verdict == "change":
            assert each.low > 0 or each.is_cheaper
        assert (each.more is None) or each.more >= 1
    assert (found.recommend != found.now) == (found.verdict == "change")


@pytest.mark.parametrize(
    ("b", "c", "n", "low", "high"),
    [(12, 2, 50, 0.0611, 0.3447), (9, 5, 14, -0.2247, 0.6731), (0, 0, 30, -0.1135, 0.1135)],
)
def test_the_score_interval_is_the_published_one(
    b: int, c: int, n: int, low: float, high: float
) -> None:
    """The first is Tango's own example; with no disagreement the ends are ±z² / (n + z²)."""
    found = score_difference(b, c, n)
    assert (round(found.low, 4), round(found.high, 4)) == (low, high)
    other = score_difference(c, b, n)
    assert (round(other.low, 4), round(other.high, 4)) == (-high, -low)
    with pytest.raises(ValueError, match="no such pairs"):
        score_difference(b, c, b + c - 1)


def test_advice_on_simulated_routes_is_right_or_undecided() -> None:
    """A small version of `benchmarks/advice.py`: routes whose best settings are known."""
    counts: Counter[bool | None] = Counter()
    for route in ROUTES:
        for seed in range(3):
            [found] = advise(traffic(route, 200, seed, labels=True))
            counts[is_right(found, route)] += 1
    total = counts.total()
    assert counts[False] <= 0.05 * total
    assert counts[True] >= 0.4 * total
    assert wilson([1.0] * (total - counts[False]) + [0.0] * counts[False]).low > 0.8


def test_what_is_known_of_a_simulated_route_is_so() -> None:
    much = ROUTES[0]
    assert known(much)["straight"] == pytest.approx(3 / 5, abs=0.005)
    assert best(much, 0.02) == "self_consistency(n=9)"
