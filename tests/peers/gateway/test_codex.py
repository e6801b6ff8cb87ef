"""Codex, unmodified: one small edit, by the command that a person types."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from peers.gateway.commands import Ran, run
from peers.gateway.driven import node_modules
from peers.gateway.served import KEY, Served
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]

BEFORE = "def add(a, b):\n    return a - b\n"
AFTER = "def add(a, b):\n    return a + b\n"


@pytest.fixture(scope="module")
def codex() -> Path:
    """The program that its package brings for this machine."""
    folder = node_modules() / "node_modules" / "@openai"
    found = sorted(folder.glob("codex-*/vendor/*/bin/codex"))
    if not found:
        pytest.skip("@openai/codex brings no program for this machine")
    found[0].chmod(0o755)
    return found[0]


def _edits(codex: Path, url: str, model: str, folder: Path) -> Ran:
    """Let it mend a file."""
    work, home = folder / "work", folder / "home"
    work.mkdir()
    (home / ".codex").mkdir(parents=True)
    (work / "sums.py").write_text(BEFORE)
    provider = {"name": "w", "base_url": url, "wire_api": "responses", "env_key": "GATEWAY_KEY"}
    written = ", ".join(f"{name}={json.dumps(value)}" for name, value in provider.items())
    command = [codex, "exec", "--json", "--skip-git-repo-check", "-m", model]
    command += ["--dangerously-bypass-approvals-and-sandbox", "-C", work]
    command += ["-c", 'model_provider="w"', "-c", f"model_providers.w={{ {written} }}"]
    ran = run([*command, "Mend the sum in sums.py."], home, {"GATEWAY_KEY": KEY})
    assert (work / "sums.py").read_text() == AFTER, ran.all
    return ran


@pytest.mark.parametrize("model", ["agent", "agent:careful"])
def test_it_mends_a_file(
    codex: Path, gateway: Served, upstream: Upstream, tmp_path: Path, model: str
) -> None:
    upstream.clear()
    gateway.forget()
    ran = _edits(codex, gateway.url, model, tmp_path)
    assert ran.code == 0, ran.all
    assert "The sum is mended." in ran.out
    lines = gateway.wait_for_next(2)
    assert [line["status"] for line in lines] == [200, 200]
    assert sum(line["work"] for line in lines) == upstream.decoded["agent"]
    assert KEY not in gateway.log.read_text()


def test_its_turns_are_one_run(
    codex: Path, following: Served, upstream: Upstream, tmp_path: Path
) -> None:
    """Found by what its prompts go on from: it sends no header of ours."""
    upstream.clear()
    following.forget()
    assert _edits(codex, following.url, "agent", tmp_path).code == 0
    lines = following.wait_for_next(2)
    assert [line["turn"] for line in lines] == [1, 2]
    assert len({line["trajectory"] for line in lines}) == 1
