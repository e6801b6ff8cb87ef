"""`workspan mcp` before the official client: priced first, then spent, never past either budget."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from peers.inside.conftest import SIDE, Inside, Serve, run_side

pytestmark = [pytest.mark.peers, pytest.mark.timeout(900)]


def test_plans_and_solves_within_both_budgets(inside: Inside, serve: Serve, tmp_path: Path) -> None:
    python = inside("mcp", "mcp==2.3.0")
    server = serve("--text", "So the Answer: 4")
    told = run_side([python, SIDE / "mcp_client.py", python, server.url], tmp_path)
    assert told["tools"] == ["account", "plan", "solve"]
    assert told["plan"]["budget"] == "40 work"  # the server's own is tighter
    assert told["plan"]["work"]["high"] == 40
    assert told["plan"]["cost_usd"]["high"] > 0
    assert told["schemas"] == [False] * 3
    assert told["misspelt"]["error"].endswith(
        "solve has no argument 'budgets': did you mean 'budget'?"
    )
    assert told["told_much"]["error"].endswith("account has no argument 'question': it takes none")
    assert "200000 at most" in told["long"]["error"]
    assert told["after_plan"]["spent_calls"] == 0
    assert "budget" in told["no_budget"]["error"]
    assert told["solve"]["answer"] == "4"
    assert (told["solve"]["calls"], told["solve"]["work"]) == (4, 16)
    assert all("error" in told[name] for name in ("command", "patch", "file"))
    assert (told["tight"]["answer"], told["tight"]["stop"], told["tight"]["work"]) == (
        None,
        "work",
        3,
    )
    assert told["poor"]["work"] == 9  # all that was left of 60
    account = told["account"]
    assert (account["spent_work"], account["left"], account["held_work"]) == (60, "0 work", 0)
    assert account["spent_calls"] == server.bill["calls"]
    assert account["spent_work"] == server.bill["completion_tokens"]
    assert account["spent_prefill"] == server.bill["prompt_tokens"]


def test_a_cancelled_call_is_charged_and_the_session_lives_on(
    inside: Inside, serve: Serve, tmp_path: Path
) -> None:
    python = inside("mcp", "mcp==2.3.0")
    server = serve("--text", "word " * 50, "--allow", "0", "--delay", "0.001")
    told = run_side([python, SIDE / "mcp_cancels.py", python, server.url], tmp_path)
    assert told["during"]["held_work"] > 0
    assert told["after"]["held_work"] == 0
    assert told["after"]["spent_calls"] == 2
    # nobody knows what the server has decoded: each call is charged its cap
    assert server.bill["completion_tokens"] <= told["after"]["charged_work"] == 200


def test_without_its_extra_it_says_what_to_install() -> None:
    import subprocess

    if subprocess.run([sys.executable, "-c", "import mcp"], capture_output=True).returncode == 0:
        pytest.skip("mcp is installed here")
    done = subprocess.run(
        [sys.executable, "-m", "workspan", "mcp", "--budget", "1k work"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert "pip install 'workspan[mcp]'" in done.stderr
