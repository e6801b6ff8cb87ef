"""Copies of a folder: as it stands, out of the user's reach, and told as a diff that applies."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rollouts.rig import git, repository, state
from workspan.checkout.snapshot import take
from workspan.errors import CheckoutError, InputError


def test_a_repository_is_copied_as_it_stands_and_left_alone(tmp_path: Path) -> None:
    folder = repository(tmp_path / "mine")
    before = state(folder)
    taken = take(folder)
    try:
        tree = taken.tree()
        assert (tree / "f.py").read_text() == "def f(x):\n    return x - 1\n"
        assert (tree / "new.txt").exists()
        assert not (tree / "built").exists()
        assert "first" in git(tree, "log", "--oneline")
        git(tree, "checkout", "-qb", "theirs")
        (tree / "f.py").write_text("def f(x):\n    return x + 1\n")
        git(tree, "commit", "-qam", "theirs")
        git(tree, "stash", "list")
        assert "+    return x + 1" in taken.diff(tree)  # committed or not
    finally:
        taken.close()
    assert state(folder) == before


def test_what_is_ignored_is_carried_where_that_is_asked_for(tmp_path: Path) -> None:
    folder = repository(tmp_path / "mine")
    taken = take(folder, ["built"])
    try:
        tree = taken.tree()
        assert (tree / "built" / "out").read_text() == "ignored\n"
        assert taken.diff(tree) == ""
    finally:
        taken.close()
    with pytest.raises(InputError, match="no such path"):
        take(folder, ["../mine"])


def test_any_other_folder_and_one_inside_a_repository(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    (plain / "in").mkdir(parents=True)
    (plain / "in" / "a.txt").write_text("a\n")
    (plain / "link").symlink_to("in/a.txt")
    taken = take(plain)
    assert taken.within == Path()
    assert os.readlink(taken.tree() / "link") == "in/a.txt"
    taken.close()
    inside = take(repository(tmp_path / "mine") / "built")
    assert inside.within == Path("built")
    inside.close()
    with pytest.raises(InputError, match="no such folder"):
        take(tmp_path / "none")


def test_nothing_that_a_tree_says_to_git_is_run(tmp_path: Path) -> None:
    folder, mark = repository(tmp_path / "mine"), tmp_path / "ran"
    taken = take(folder)
    try:
        tree = taken.tree()
        script = tmp_path / "evil.sh"
        script.write_text(f"#!/bin/sh\ntouch {mark}\ncat\n")
        script.chmod(0o755)
        for name in ("core.fsmonitor", "diff.external", "filter.x.clean", "core.pager"):
            git(tree, "config", name, str(script))
        (tree / ".gitattributes").write_text("* filter=x diff=x\n")
        git(tree, "config", "diff.x.textconv", str(script))
        (tree / ".git" / "hooks").mkdir(exist_ok=True)
        (tree / ".git" / "hooks" / "pre-commit").write_text(script.read_text())
        (tree / "f.py").write_text("other\n")
        mark.unlink(missing_ok=True)
        diff = taken.diff(tree)
        assert "+other" in diff
        taken.patched(diff)
        assert not mark.exists()
    finally:
        taken.close()


@pytest.mark.parametrize("path", ["../out", "/tmp/workspan-out", ".git/hooks/pre-commit"])
def test_a_diff_reaches_nothing_outside(tmp_path: Path, path: str) -> None:
    taken = take(repository(tmp_path / "mine"))
    diff = f"diff --git a/{path} b/{path}\nnew file mode 100755\n--- /dev/null\n+++ b/{path}\n"
    try:
        with pytest.raises(CheckoutError):
            taken.patched(f"{diff}@@ -0,0 +1 @@\n+x\n")
        through = (
            "diff --git a/up b/up\nnew file mode 120000\n--- /dev/null\n+++ b/up\n@@ -0,0 +1 @@\n"
            f"+{tmp_path}\n\\ No newline at end of file\n"
            "diff --git a/up/out b/up/out\nnew file mode 100644\n--- /dev/null\n+++ b/up/out\n"
            "@@ -0,0 +1 @@\n+x\n"
        )
        with pytest.raises(CheckoutError):
            taken.patched(through)
    finally:
        taken.close()
    assert not (tmp_path / "out").exists()


CONTENT = st.one_of(st.text(max_size=40).map(str.encode), st.binary(max_size=40))
NAMES = st.sampled_from(["a.txt", "in/b.bin", "in/ü c", "f.py"])


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.dictionaries(NAMES, st.none() | CONTENT), st.dictionaries(NAMES, CONTENT))
def test_a_diff_makes_of_a_copy_what_the_tree_was(
    changes: dict[str, bytes | None], first: dict[str, bytes]
) -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "mine"
        folder.mkdir()
        for name, content in (first | {"keep": b"x"}).items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)
        taken = take(folder)
        try:
            tree = taken.tree()
            for name, found in changes.items():
                (tree / name).parent.mkdir(exist_ok=True)
                if found is None:
                    (tree / name).unlink(missing_ok=True)
                else:
                    (tree / name).write_bytes(found)
            diff = taken.diff(tree)
            after = {n: c for n, c in state(tree).items() if not n.startswith(".git/")}
            made = state(taken.patched(diff)) if diff else state(folder)
            assert made == after
        finally:
            taken.close()


def test_what_a_killed_process_left_is_removed(tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "a").write_text("a\n")
    code = (
        "import os, sys; from pathlib import Path; from workspan.checkout.snapshot import take\n"
        "print(take(Path(sys.argv[1])).root, flush=True); os.kill(os.getpid(), 9)"
    )
    import sys

    told = subprocess.run([sys.executable, "-c", code, folder], capture_output=True, text=True)
    left = Path(told.stdout.strip())
    assert left.exists()
    mine = take(folder)
    assert not left.exists()
    other = take(folder)
    assert mine.root.exists()  # it is in use
    mine.close()
    other.close()
