"""A DSPy program over a strategy: votes, budgets and accounts are those of the server."""

from __future__ import annotations

from pathlib import Path

import pytest

from peers.inside.conftest import SIDE, Inside, Serve, run_side

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]

SAID = "[[ ## answer ## ]]\n4\n\n[[ ## completed ## ]]"
WORDS = 11
"""Tokens of that, as the simulated server counts."""


def test_votes_are_drawn_anew_and_counted_exactly(
    inside: Inside, serve: Serve, tmp_path: Path
) -> None:
    python = inside("dspy", "dspy==3.4.1")
    server = serve("--text", SAID)
    told = run_side([python, SIDE / "dspy_votes.py", server.url], tmp_path)
    votes = told["votes"]
    assert (votes["answer"], votes["calls"], votes["source"]) == (4, [4, 4], "measured")
    assert votes["work"] == [4 * WORDS, 4 * WORDS]
    for usage, work, prefill in zip(votes["usage"], votes["work"], votes["prefill"], strict=True):
        assert usage["openai/simulated"]["completion_tokens"] == work
        assert usage["openai/simulated"]["prompt_tokens"] == prefill
    assert (told["budget"]["work"], told["budget"]["stop"]) == (40, "work")
    assert told["unreadable"] == {"city": None, "calls": 2}  # and no second try by another form
    assert told["judged"] == {"calls": 4, "notices": ["no_verdict"]}
    assert told["inside_a_loop"]["answer"] == 4
    assert "await" in told["inside_a_loop"]["error"]
    counted = 8 + told["budget"]["calls"] + 2 + 4 + 1
    assert server.bill["calls"] == counted
