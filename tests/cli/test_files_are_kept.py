"""No file of the user's is overwritten or cut by what a command writes: every option, every kind.

Each command is tried in this process on an engine that must not be opened: what is refused is
refused before anything is spent.
"""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

import workspan.cli.calibration_runs
import workspan.cli.compare
import workspan.cli.solve
from workspan.cli.exits import Exit, exit_for
from workspan.cli.main import app
from workspan.data.entry import Header
from workspan.errors import InputError
from workspan.store.journals import JournalFile

PROBLEMS = '{"id":"a","prompt":"2+3?","answer":"5","kind":"number"}\n'


@dataclass(frozen=True)
class Door:
    """A command with an option that names a file to write."""

    arguments: tuple[str, ...]
    option: str
    reads: str
    """The file that it reads."""


ASKING = ("-e", "scripted", "-b", "100 work", "--input", "p.jsonl")
DOORS = {
    "solve --output": Door(("solve", "-s", "single", *ASKING), "--output", "p.jsonl"),
    "solve --output --pooled": Door(("solve", "-s", "auto", *ASKING), "--output", "p.jsonl"),
    "compare --journal": Door(("compare", "-s", "single", *ASKING), "--journal", "p.jsonl"),
    "compare --report": Door(("compare", "-s", "single", *ASKING), "--report", "p.jsonl"),
    "calibrate --to": Door(("calibrate", *ASKING), "--to", "p.jsonl"),
    "calibrate --journal": Door(("calibrate", "--to", "l.json", *ASKING), "--journal", "p.jsonl"),
    "calibrate --replay --to": Door(
        ("calibrate", "--replay", "run.jsonl", "--input", "p.jsonl"), "--to", "run.jsonl"
    ),
    "replay --report": Door(("replay", "run.jsonl", "--input", "p.jsonl"), "--report", "run.jsonl"),
    "explain --report": Door(("explain", "why.jsonl"), "--report", "why.jsonl"),
}

FILES: dict[str, bytes] = {
    "notes": b"my notes, one line, no newline at the end",
    "lines": b"line one\nline two, no newline",
    "blank lines": b"\n\n",
    "problems": PROBLEMS.encode(),
    "problems under that name": b'{"problem":"2+3?","answer":"5"}\n',
    "half a problem": b'{"problem":"2+3?","answer"',
    "a page": b"<!doctype html>\n<html><head><title>mine</title></head></html>\n",
    "JSON": b'{"format":1,"mine":{"model":"m"}}',
    "a pack": gzip.compress(b"my notes"),
    "half a pack": gzip.compress(b"my notes" * 99)[:20],
    "binary": bytes(range(256)),
    "NUL": bytes(64),
}


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "p.jsonl").write_text(PROBLEMS)
    (folder / "why.jsonl").write_text("{}\n")
    JournalFile(folder / "run.jsonl", Header("scripted", 0)).close()
    return folder


@pytest.fixture
def _nothing_opens(monkeypatch: pytest.MonkeyPatch) -> None:
    async def opened(*_: object) -> None:
        raise AssertionError("an engine was opened for a command that must be refused")

    for module in (workspan.cli.solve, workspan.cli.compare, workspan.cli.calibration_runs):
        monkeypatch.setattr(module, "open_engines", opened)


def contents(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """Every ordinary file with its bytes, mode and inode."""
    return {
        str(path): (path.read_bytes(), path.stat().st_mode, path.stat().st_ino)
        for path in folder.rglob("*")
        if path.is_file()
    }


def refused(door: Door, target: str | Path) -> str:
    """Run the command, which must end with exit code 2, and return what it says."""
    arguments = [*door.arguments, door.option, str(target)]
    with pytest.raises(InputError) as error:
        CliRunner().invoke(app, arguments, catch_exceptions=False)
    assert exit_for(error.value) == Exit.BAD_INPUT
    assert "\n" not in str(error.value)
    return str(error.value)


every_door = pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)


@every_door
@pytest.mark.usefixtures("_nothing_opens")
def test_what_is_not_ours_is_left_as_it_is(here: Path, door: Door) -> None:
    for name, content in FILES.items():
        (here / "mine").write_bytes(content)
        before = contents(here)
        said = refused(door, "mine")
        assert "left as it is" in said, name
        assert contents(here) == before, name


def symlink(source: Path) -> Path:
    (source.parent / "soft").symlink_to(source)
    return source.parent / "soft"


def chain(source: Path) -> Path:
    (source.parent / "other").symlink_to(symlink(source).name)
    return Path("other")


def hard_link(source: Path) -> Path:
    (source.parent / "hard").hardlink_to(source)
    return Path("hard")


NAMES: dict[str, Callable[[Path], Path | str]] = {
    "itself": lambda source: source.name,
    "absolute": lambda source: source,
    "dotted": lambda source: f"./../{source.parent.name}/./{source.name}",
    "symlink": symlink,
    "symlink to a symlink": chain,
    "hard link": hard_link,
    "descriptor": lambda source: f"/proc/self/cwd/{source.name}",
}


@every_door
@pytest.mark.usefixtures("_nothing_opens")
@pytest.mark.parametrize("rename", NAMES.values(), ids=NAMES)
def test_an_input_is_no_output_under_any_name(
    here: Path, door: Door, rename: Callable[[Path], Path | str]
) -> None:
    target = rename(here / door.reads)
    before = contents(here)
    refused(door, target)
    assert contents(here) == before


@every_door
@pytest.mark.usefixtures("_nothing_opens")
def test_what_is_no_file_is_refused(here: Path, door: Door) -> None:
    (here / "folder").mkdir()
    os.mkfifo(here / "pipe")
    (here / "loop").symlink_to("loop")
    (here / "to a pipe").symlink_to("pipe")
    before = contents(here)
    places = ("folder", ".", "", "/", "-", "pipe", "to a pipe", "loop", "/dev/null", "/dev/full")
    for place in (*places, "/dev/stdout", "p.jsonl/below", "x" * 300, "/proc/here"):
        refused(door, place)
        assert contents(here) == before, place


@every_door
@pytest.mark.usefixtures("_nothing_opens")
def test_a_folder_that_is_not_there_or_may_not_be_written_is_said(here: Path, door: Door) -> None:
    if "--journal" not in door.option:  # a journal makes its folder
        assert "does not exist" in refused(door, "nowhere/file")
    if os.geteuid():
        (here / "shut").mkdir(mode=0o500)
        assert "can be written" in refused(door, "shut/file")
        (here / "still").touch(mode=0o400)
        assert "only be read" in refused(door, "still")


@pytest.mark.usefixtures("_nothing_opens")
@pytest.mark.parametrize(
    ("arguments", "first", "second"),
    [
        (("compare", "-s", "single", *ASKING), "--journal", "--report"),
        (("calibrate", *ASKING), "--journal", "--to"),
    ],
)
def test_two_outputs_are_two_files(
    here: Path, arguments: tuple[str, ...], first: str, second: str
) -> None:
    (here / "link").symlink_to("both")
    (here / "blank").touch()
    (here / "again").hardlink_to(here / "blank")
    before = contents(here)
    pairs = [("both", "both"), ("both", "./both"), ("both", "link"), ("both", str(here / "both"))]
    for one, other in (*pairs, ("both", "BOTH"), ("é", "é"), ("blank", "again")):
        said = refused(Door((*arguments, first, one), second, ""), other)
        assert "give each its own" in said
        assert contents(here) == before


@pytest.mark.usefixtures("_nothing_opens")
def test_the_journal_beside_the_answers_is_an_output_too(here: Path) -> None:
    door = DOORS["solve --output"]
    (here / "a.jsonl.journal").write_text("my own journal, of my days")
    assert "left as it is" in refused(door, "a.jsonl")
    (here / "c.jsonl.journal").hardlink_to(here / "p.jsonl")
    refused(door, "c.jsonl")
    assert (here / "a.jsonl.journal").read_text() == "my own journal, of my days"


def run(*arguments: str) -> None:
    done = CliRunner().invoke(app, list(arguments), catch_exceptions=False)
    assert done.exit_code == 0, done.output


def test_what_is_ours_is_gone_on_with_and_replaced(here: Path) -> None:
    commands = [
        ("compare", "-s", "single", *ASKING, "--journal", "j", "--report", "r.html"),
        ("solve", "-s", "auto(n=2)", *ASKING, "--output", "a.jsonl"),
        ("calibrate", *ASKING, "--chains", "2", "--to", "l.json"),
        ("explain", "a.jsonl", "--report", "why.html"),
    ]
    (here / "empty").touch()
    (here / "r.html").symlink_to("empty")  # a blank file is anyone's, and a link stays a link
    for _ in range(2):
        for command in commands:
            run(*command)
    assert (here / "r.html").is_symlink()
    assert (here / "empty").read_bytes().startswith(b"<!doctype html>")
    assert (here / "a.jsonl").read_bytes().count(b"\n") == 1
    left = {path.name for path in here.iterdir()}
    made = {"j", "r.html", "empty", "a.jsonl", "a.jsonl.journal", "l.json", "why.html"}
    assert left == made | {"p.jsonl", "run.jsonl", "why.jsonl"}
    for name in made:
        assert (here / name).stat().st_mode & 0o077 == 0


def test_our_files_of_one_kind_are_not_ours_for_another(here: Path) -> None:
    run("solve", "-s", "auto(n=2)", *ASKING, "--output", "a.jsonl")
    run("compare", "-s", "single", *ASKING, "--journal", "j", "--report", "r.html")
    run("calibrate", *ASKING, "--chains", "2", "--to", "l.json")
    before = contents(here)
    kinds = {"--output": "a.jsonl", "--journal": "j", "--report": "r.html", "--to": "l.json"}
    for door in DOORS.values():
        for option, name in kinds.items():
            if option != door.option:
                assert "left as it is" in refused(door, name)
                assert contents(here) == before


def test_answers_to_other_problems_are_left_as_they_are(here: Path) -> None:
    run("solve", "-s", "single", *ASKING, "--output", "a.jsonl")
    before = (here / "a.jsonl").read_bytes()
    (here / "p.jsonl").write_text(PROBLEMS.replace('"a"', '"b"'))
    assert "holds the answer to 'a'" in refused(DOORS["solve --output"], "a.jsonl")
    assert (here / "a.jsonl").read_bytes() == before


def test_answers_keep_the_permissions_that_they_were_given(here: Path) -> None:
    command = ("solve", "-s", "single", *ASKING, "--output", "a.jsonl")
    run(*command)
    (here / "a.jsonl").chmod(0o640)
    run(*command)
    assert (here / "a.jsonl").stat().st_mode & 0o777 == 0o640


def test_a_run_that_fails_takes_no_answer_of_an_earlier_one_away(here: Path) -> None:
    command = ("solve", "-s", "single", "--input", "p.jsonl", "--output", "a.jsonl")
    run(*command, "-e", "scripted")
    before = (here / "a.jsonl").read_bytes()
    cut = before + before[: len(before) // 2]
    (here / "a.jsonl").write_bytes(cut)  # as a kill would leave it
    other = (*command, "-e", "scripted", "--seed", "1")
    with pytest.raises(Exception, match="was written with seed 0"):
        CliRunner().invoke(app, list(other), catch_exceptions=False)
    assert (here / "a.jsonl").read_bytes() == cut
    run(*command, "-e", "scripted")
    assert (here / "a.jsonl").read_bytes().count(b"\n") == 1
