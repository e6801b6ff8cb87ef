"""Claims on chains that were written by hand, so that what comes out is known."""

from __future__ import annotations

import numpy as np
import pytest

from workspan.claims.base import Setting
from workspan_evidence.claims import (
    _ended,
    early_enders,
    longer_walks,
    split_between,
    wrong_majority,
)
from workspan_evidence.claims._chains import Chains
from workspan_evidence.families.heavy import Heavy


def chains(votes: list[list[int]], moves: list[list[int]]) -> Chains:
    return Chains(np.array(moves), np.array(votes, dtype=np.int8))


def test_a_vote_that_loses_by_more_votes_is_a_loss_and_no_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two of nine chains are right: a vote of more of them is wrong more often."""
    n = wrong_majority.MANY
    row = ([1] * 2 + [-1] * 7) * (n // 9 + 1)
    drawn = chains([row[:n]] * 40, [[1] * n] * 40)
    monkeypatch.setattr(wrong_majority, "trained", lambda *_, **__: drawn)
    found = wrong_majority.measure(Setting())
    assert found.statistic == 0
    assert wrong_majority.CLAIM.verdict(found) == "fails"


def test_chains_without_an_answer_have_no_vote_and_no_length() -> None:
    [ordered] = _ended.in_order(np.array([[0, 1, -1]]), np.array([[1, 9, 5]]))
    assert ordered.tolist() == [-1, 1]


def test_early_ends_win_where_short_chains_are_right(monkeypatch: pytest.MonkeyPatch) -> None:
    votes, moves = [[1] * 4 + [-1] * 12] * 60, [[*range(16)]] * 60
    for module in (early_enders, longer_walks):
        monkeypatch.setattr(module, "drawn", lambda _: chains(votes, moves))
    for claim in (early_enders.CLAIM, longer_walks.CLAIM):
        found = claim.measure(Setting())
        assert found.statistic == 1
        assert claim.verdict(found) == "holds"
    turned = [row[::-1] for row in votes]
    for module in (early_enders, longer_walks):
        monkeypatch.setattr(module, "drawn", lambda _: chains(turned, moves))
    assert longer_walks.CLAIM.verdict(longer_walks.measure(Setting())) == "fails"
    level = early_enders.measure(Setting())  # both votes are wrong
    assert (level.statistic, early_enders.CLAIM.verdict(level)) == (0, "undecided")


def test_a_split_wins_where_each_pole_fails_somewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Some problems need chains of 20 tokens; on the others half of the chains never end."""
    deep = chains([[1] * 32] * 40, [[20] * 32] * 40)
    heavy = chains([[1, 0] * 16] * 40, [[5, 999] * 16] * 40)

    def drawn(family: object, *_: object, **__: object) -> Chains:
        return heavy if isinstance(family, Heavy) else deep

    monkeypatch.setattr(split_between, "trained", drawn)
    found = split_between.measure(Setting())
    told = {row.what: row.value for row in found.rows}
    assert told["16 chains of at most 4 tokens"] == 0.5
    assert told["1 chain of at most 94 tokens"] == (0.75 + 3) / 4
    assert told["4 chains of at most 22 tokens"] == 1
    assert found.statistic == pytest.approx(1 / 16)
