"""aider does one small edit in a git repository, by a simulated upstream that gives the edit."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from peers.conftest import Install
from peers.gateway.commands import run
from peers.gateway.served import KEY, Served
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.heavy, pytest.mark.timeout(900)]

BEFORE = "def add(a, b):\n    return a - b\n"
OPTIONS = (
    "--yes-always",
    "--no-check-update",
    "--no-show-model-warnings",
    "--analytics-disable",
    "--no-show-release-notes",
    "--no-pretty",
    "--no-detect-urls",
    "--no-gitignore",
    "--edit-format=diff",
    "--map-tokens=0",
)


@pytest.fixture(scope="module")
def aider(installed: Install) -> Path:
    return installed("gateway-aider", ["aider-chat==0.86.2"]).with_name("aider")


def repository(folder: Path) -> Path:
    """Make a git repository with one wrong file."""
    folder.mkdir()
    (folder / "sums.py").write_text(BEFORE)
    for words in (
        ["init", "-q"],
        ["config", "user.email", "tests@example.org"],
        ["config", "user.name", "Tests"],
        ["add", "."],
        ["commit", "-qm", "Begin"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("model", ["edits", "edits:auto"])
@pytest.mark.parametrize("how", ["--stream", "--no-stream"])
def test_it_edits(
    aider: Path, gateway: Served, upstream: Upstream, tmp_path: Path, model: str, how: str
) -> None:
    upstream.clear()
    gateway.forget()
    folder = repository(tmp_path / "project")
    words = [aider, "--model", f"openai/{model}", "--openai-api-base", gateway.url, how]
    words += [
        "--openai-api-key",
        KEY,
        *OPTIONS,
        "--message",
        "add adds wrongly: mend it",
        "sums.py",
    ]
    ran = run(words, folder, {"HOME": str(tmp_path)})
    assert ran.code == 0, ran.all
    assert (folder / "sums.py").read_text() == BEFORE.replace("-", "+"), ran.all
    log = ["git", "log", "--format=%s"]
    subjects = subprocess.run(log, cwd=folder, capture_output=True, text=True, check=True).stdout
    assert subjects.splitlines() == ["Mend the sum", "Begin"]
    lines = gateway.wait_for_next(2)
    assert [line["status"] for line in lines] == [200, 200]
    assert sum(line["work"] for line in lines) == upstream.decoded["edits"]


def test_a_model_that_is_not_there_is_said(aider: Path, gateway: Served, tmp_path: Path) -> None:
    folder = repository(tmp_path / "project")
    words = [aider, "--model", "openai/nosuch", "--openai-api-base", gateway.url, *OPTIONS]
    words += ["--openai-api-key", KEY, "--message", "mend it", "sums.py"]
    ran = run(words, folder, {"HOME": str(tmp_path)})
    assert "no model is named 'nosuch'" in " ".join(ran.all.split())
    assert (folder / "sums.py").read_text() == BEFORE
