"""What `make` offers: targets that exist, markers that are known, words where Python is too old."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = re.findall(r"\S+", re.search(r"^\.PHONY:(.*)$", MAKEFILE, re.M)[1])  # type: ignore[index]

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")


def make(*arguments: str, at: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *arguments], cwd=at, capture_output=True, text=True)


def test_the_targets_are_these() -> None:
    names = "setup torch model demo test test-all check docs lock clean"
    assert " ".join(TARGETS) == names


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_can_be_planned(target: str) -> None:
    planned = make("-n", target)
    assert planned.returncode == 0, planned.stderr


def test_markers_are_known_and_all_tests_are_in_test_all() -> None:
    options = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["pytest"]["ini_options"]
    known = {line.partition(":")[0] for line in options["markers"]}
    chosen = re.findall(r"pytest -m '([^']+)'", MAKEFILE)
    assert chosen == ["not heavy and not peers", "slow or not slow"]
    used = {word for said in (*chosen, options["addopts"][-1]) for word in re.findall(r"\w+", said)}
    assert used - {"not", "and", "or"} == known


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """The files that setting up begins with, and no environment."""
    (tmp_path / "evidence").mkdir()
    for name in ("Makefile", "requirements.lock", "pyproject.toml", "evidence/pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("case $1 in --version) echo Python 3.9.2;; *) exit 1;; esac", "fake is Python 3.9.2"),
        ('case "$2" in *ensurepip*) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_named_before_anything_is_made(
    bare: Path, script: str, said: str
) -> None:
    fake = bare / "fake"
    fake.write_text(f"#!/bin/sh\n{script}\n")
    fake.chmod(0o755)
    done = make("setup", f"PYTHON={fake}", at=bare)
    assert done.returncode != 0
    assert said in done.stderr
    assert not (bare / ".venv").exists()


def test_downloads_trust_what_the_system_trusts() -> None:
    said = make("-n", "-B", "setup").stdout
    assert all("--system-certs" in line for line in said.splitlines() if "/uv " in line)
    assert "PIP_CERT" in said
    assert "--quiet" not in said
