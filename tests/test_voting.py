from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from workspan.answers.voting import best, plurality, share
from workspan.data.types import Candidate

answers = st.lists(st.sampled_from([None, "4", "4.0", "5", "6"]), max_size=12)


def drawn(values: Sequence[str | None]) -> list[Candidate]:
    return [Candidate(f"text {i}", value, key=str(i)) for i, value in enumerate(values)]


@given(answers)
def test_the_winner_has_most_votes_and_none_has_none(values: list[str | None]) -> None:
    counts = Counter(float(v) for v in values if v is not None)
    answer = plurality(drawn(values), "number")
    if not counts:
        assert answer.best is None
        return
    top = max(counts.values())
    leaders = [value for value in counts if counts[value] == top]
    assert answer.text is not None
    assert float(answer.text) == leaders[0]  # Counter keeps the order of first appearance
    assert answer.tied == (len(leaders) > 1)
    assert sum(vote.weight for vote in answer.votes) == counts.total()


@given(answers, st.integers(1, 9))
def test_scaling_all_weights_changes_nothing(values: list[str | None], scale: int) -> None:
    weights = [1.0 + i % 3 for i in range(len(values))]
    one = plurality(drawn(values), "number", weights)
    other = plurality(drawn(values), "number", [scale * w for w in weights])
    assert (one.best, one.tied) == (other.best, other.tied)


@given(answers)
def test_abstentions_change_nothing(values: list[str | None]) -> None:
    voters = [v for v in values if v is not None]
    assert plurality(drawn(values), "number").text == plurality(drawn(voters), "number").text


def test_margin_is_the_lead_as_a_share() -> None:
    assert plurality(drawn(["4", "4", "4", "5"]), "number").margin == 0.5
    assert plurality(drawn(["4", "5"]), "number").margin == 0.0


def test_best_takes_the_highest_score_and_marks_a_tie_between_answers() -> None:
    scores = [("4", 0.3), ("5", 0.9), (None, 1.0), ("6", 0.9)]
    candidates = [Candidate("", answer, score) for answer, score in scores]
    answer = best(candidates, "number")
    assert answer.text == "5"
    assert answer.tied
    assert not best([Candidate("", "5", 0.9), Candidate("", "5.0", 0.9)], "number").tied


def test_the_winner_holds_a_share_of_all_votes() -> None:
    weighed = plurality(drawn(["4", "5", "4.0", None]), "number", [1, 2, 5, 9])
    assert share(weighed) == 0.75
    assert share(plurality(drawn([None]), "number")) == 0.0
    assert share(plurality(drawn(["4"]), "number", [0.0])) == 0.0
