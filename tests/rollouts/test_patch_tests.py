"""Tests on a diff: a pass or not, out of reach of the user's files and of the network."""

from __future__ import annotations

from pathlib import Path

import anyio
import pytest

from rollouts.rig import need_a_sandbox, repository, state
from workspan.data.types import Candidate, Problem
from workspan.errors import SpecError
from workspan.runner import run
from workspan.spec import parse_strategy, parse_verifier, write
from workspan.testing.scripted import ScriptedEngine
from workspan.testing.verifier_suite import Judged
from workspan.verifiers.patch_tests import PatchTests

DIFF = """diff --git a/f.py b/f.py
--- a/f.py
+++ b/f.py
@@ -1,2 +1,2 @@
 def f(x):
-    return x - 1
+    return x + 1
"""
PROBLEM = Problem.ask("Mend it.", id="it's 1", kind="open")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    need_a_sandbox()
    return repository(tmp_path / "mine")


def judge(folder: Path, command: str, diff: str = DIFF, **more: object) -> Candidate:
    verifier = PatchTests(command, str(folder), **more)  # type: ignore[arg-type]

    async def main() -> Candidate:
        strategy = Judged(verifier, (Candidate(diff, diff.strip()),))
        result = await run(strategy, PROBLEM, ScriptedEngine(["one"]))
        return result.answer.candidates[0]

    return anyio.run(main)


def test_passes_and_failures(folder: Path) -> None:
    before = state(folder)
    asks = "python3 -B -c 'import f; assert f.f(1) == {}, f.f(1)'"
    assert judge(folder, asks.format(2)).score == 1
    wrong = judge(folder, asks.format(3))
    assert wrong.score == 0
    assert wrong.feedback.endswith("AssertionError: 2")
    assert judge(folder, asks.format(2), "").feedback == "no change"
    torn = judge(folder, asks.format(2), DIFF.replace("x - 1", "x - 2"))
    assert torn.score == 0
    assert torn.feedback.startswith("the diff does not apply: ")
    assert state(folder) == before


def test_they_see_the_tree_and_little_else(folder: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("mine")
    secret.chmod(0o644)
    told = judge(
        folder,
        f"ls; cat {secret}; echo $HOME $WORKSPAN_PROBLEM $SECRET; touch ok /tmp/ok && echo wrote; "
        "python3 -c 'import socket; socket.create_connection((\"127.0.0.1\", 9))'; "
        "echo root > /canary; id -u; exit 1",
    )
    said = told.feedback
    assert "f.py\nnew.txt\n" in said
    assert "built" not in said
    assert "mine" not in said.split()
    assert "/box/home it's 1\n" in said
    assert "wrote" in said
    assert "canary" in said  # it complains
    assert "unreachable" in said or "refused" in said


def test_its_limits_fail_it_and_say_so(folder: Path) -> None:
    assert judge(folder, "sleep 60", seconds=1.0).feedback.startswith("ended by its time")
    hog = "python3 -c 'x = bytearray(300 << 20); import time; time.sleep(5)'"
    assert judge(folder, hog, memory_mb=100).feedback.startswith("ended by its memory")


def test_it_runs_only_where_the_user_wrote_it() -> None:
    text = "patch_tests(command='make test', folder='there')"
    with pytest.raises(SpecError, match="only where the user writes it"):
        parse_verifier(text)
    with pytest.raises(SpecError, match="only where the user writes it"):
        parse_strategy(f"best_of_n(verifier={text})")
    verifier = parse_verifier(text, imports=True)
    assert write(verifier) == text
    with pytest.raises(SpecError, match="command is empty"):
        parse_verifier("patch_tests(command=' ')", imports=True)
