"""A calibration that is killed in mid-call knows as much as one that was left alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest

from workspan import sync
from workspan.app.calibrating import calibrate
from workspan.data.types import Request
from workspan.store.journals import JournalFile
from workspan.strategies.auto.fit.profile import Profile
from workspan.testing.scripted import ScriptedEngine

SUMS = [{"question": f"{i} + 1?", "answer": "4", "kind": "number"} for i in range(3)]
BUDGET = "120 work"
ARM = "single(max_tokens=30)"


class Killed(BaseException):
    """Nothing of the process is left but what is on the disk."""


def said(request: Request) -> str:
    return "so " * (8 + request.seed % 5) + "Answer: 4"


def profile(journal: Path, engine: ScriptedEngine) -> Profile:
    async def main() -> Profile:
        return await calibrate(
            SUMS, engine=engine, budget=BUDGET, chains=3, block=64, arms=[ARM], journal=journal
        )

    return anyio.run(main)


@pytest.mark.parametrize("after", [0, 1, 3, 4, 7])
def test_a_kill_leaves_no_problem_and_no_chain_out(tmp_path: Path, after: int) -> None:
    whole = profile(tmp_path / "whole.jsonl", ScriptedEngine(said))
    path, at_the_kill, asked = tmp_path / "killed.jsonl", b"", 0

    def killed(request: Request) -> str:
        nonlocal at_the_kill, asked
        asked += 1
        if asked > after:
            at_the_kill = at_the_kill or path.read_bytes()
            raise Killed
        return said(request)

    with pytest.raises(Killed):
        profile(path, ScriptedEngine(killed))
    path.write_bytes(at_the_kill)
    assert b'"open"' in at_the_kill
    assert profile(path, ScriptedEngine(said)) == whole
    assert len(whole.problems) == len(SUMS)
    before = path.read_bytes()
    again = ScriptedEngine(said)
    assert profile(path, again) == whole
    assert not again.requests
    assert path.read_bytes() == before


def test_what_was_set_aside_is_on_the_account(tmp_path: Path) -> None:
    path, at_the_kill = tmp_path / "k.jsonl", b""

    def killed(_: Request) -> str:
        nonlocal at_the_kill
        at_the_kill = at_the_kill or path.read_bytes()
        raise Killed

    with pytest.raises(Killed):
        profile(path, ScriptedEngine(killed))
    path.write_bytes(at_the_kill)
    profile(path, ScriptedEngine(said))
    from workspan.store.lines import read_lines

    header, lines = read_lines(path)
    with JournalFile(path, header) as file:
        aside = [run for run in file.runs if run.strategy.startswith("(in flight")]
        bounds = sum(file.journal(run).usage().output_tokens for run in aside)
    opened = [line.entry for line in lines if line.entry.outcome == "open"]
    assert 0 < bounds <= sum(one.usage.output_tokens for one in opened)


def test_a_certificate_is_calibrated_the_same_way(tmp_path: Path) -> None:
    pytest.importorskip("scipy")
    path, at_the_kill = tmp_path / "k.jsonl", b""
    given: dict[str, Any] = {
        "mode": "agreement",
        "n": 4,
        "alpha": 0.4,
        "delta": 0.4,
        "budget": "90 work",
    }
    whole = sync.certify(SUMS, engine=ScriptedEngine(said), **given)

    def killed(_: Request) -> str:
        nonlocal at_the_kill
        at_the_kill = at_the_kill or path.read_bytes()
        raise Killed

    with pytest.raises(Killed):
        sync.certify(SUMS, engine=ScriptedEngine(killed), journal=path, **given)
    path.write_bytes(at_the_kill)
    assert sync.certify(SUMS, engine=ScriptedEngine(said), journal=path, **given) == whole
