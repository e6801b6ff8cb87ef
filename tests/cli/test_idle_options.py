"""Options that bear on nothing are refused, in words, before anything is read."""

from __future__ import annotations

import pytest
from typer.testing import CliRunner

from workspan import sync
from workspan.cli.main import app
from workspan.errors import InputError

OPTIONS = {
    "which --replay f.parquet": [
        "--input x", "--engine scripted", "--depth 9", "--journal j", "--set effort=low",
        "--api-key-env X", "--dry-run",
    ],
    "certify --replay f.parquet": [
        "--engine scripted", "--budget 1k", "--strategy auto", "--journal j", "--dry-run",
        "--price 1/1", "--set effort=low", "--api-key-env X",
    ],
    "calibrate --to p.json --replay f.parquet": [
        "--engine scripted", "--limit 40", "--chains 4", "--block 9", "--budget 1k", "--seed 1",
        "--strategy auto", "--arm single", "--journal j", "--dry-run", "--price 1/1",
    ],
    "label --store s.db": ["--kind text", "--whole", "--seed 1"],
    "label a.jsonl --to l.jsonl": ["--since 3d", "--every"],
}  # fmt: skip


@pytest.mark.parametrize(
    ("command", "option"), [(name, one) for name, many in OPTIONS.items() for one in many]
)
def test_what_bears_on_nothing_is_refused(command: str, option: str) -> None:
    name, *_ = option.split()
    with pytest.raises(InputError, match=f"leave {name} out"):
        CliRunner().invoke(
            app, [*command.split(), *option.split()], standalone_mode=False, catch_exceptions=False
        )


def test_several_are_named_together() -> None:
    told = ["certify", "--replay", "f.parquet", "--dry-run", "--budget", "64k work"]
    with pytest.raises(InputError, match="leave --budget and --dry-run out"):
        CliRunner().invoke(app, told, standalone_mode=False, catch_exceptions=False)


@pytest.mark.parametrize("name", ["problems", "journal", "engines"])
def test_a_race_on_recordings_takes_no_others(name: str) -> None:
    told: dict[str, object] = {name: {} if name == "engines" else "x"}
    with pytest.raises(InputError, match=f"recorded samples need no engine: leave {name} out"):
        sync.which(recorded="f.parquet", **told)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["journal", "engines"])
def test_certifying_on_recordings_takes_no_others(name: str) -> None:
    told: dict[str, object] = {name: {} if name == "engines" else "x"}
    with pytest.raises(InputError, match=f"recorded draws need no engine: leave {name} out"):
        sync.certify(replay="f.parquet", **told)  # type: ignore[arg-type]
