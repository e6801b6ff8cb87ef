"""``workspan keys``: made, listed, revoked, and what they spent."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from workspan.cli.exits import Exit, exit_for
from workspan.cli.main import app
from workspan.errors import InputError, SpecError, StoreError, StoreGone


def keys(*arguments: str) -> str:
    result = CliRunner().invoke(app, ["keys", *arguments])
    if isinstance(result.exception, InputError | StoreError):
        raise result.exception
    assert result.exit_code == 0, result.output
    return result.stdout


def records(*arguments: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in keys(*arguments, "--json").splitlines()]


@pytest.fixture
def store(tmp_path: Path) -> str:
    return str(tmp_path / "store.db")


def test_a_key_from_its_making_to_its_end(store: str) -> None:
    [made] = records(
        *("add", "Anna's agents", "--store", store, "--budget", "1M work/day, $5/day"),
        *("--rpm", "60", "--models", "qwen*,gpt-5", "--models", "auto", "--expires", "90d"),
    )
    assert made["key"].startswith(f"wsk-{made['id']}-")
    assert made["budget"] == ["60 requests/minute", "1000000 work/day", "$5/day"]
    assert made["models"] == ["qwen*", "gpt-5", "auto"]
    [listed] = records("list", "--store", store)
    assert listed == {name: value for name, value in made.items() if name != "key"}
    [used] = records("usage", made["id"], "--store", store)
    assert (used["requests"], used["work"], used["cost"]) == (0, 0, "0")
    assert [x["most"] for x in used["limits"]] == [60, 1_000_000, "5"]
    assert [x["left"] for x in used["limits"]] == [60, 1_000_000, "5"]
    assert records("revoke", made["id"], "--store", store) == [{"id": made["id"], "revoked": True}]
    [ended] = records("list", "--store", store)
    assert ended["revoked"] is not None


def test_the_text_of_a_key_is_shown_once_and_kept_nowhere(store: str, tmp_path: Path) -> None:
    said = keys("add", "me", "--store", store)
    text = said.split("key  ")[1].strip()
    assert text.startswith("wsk-")
    secret = text[17:]
    for command in (("list",), ("usage",)):
        assert secret not in keys(*command, "--store", store)
        assert secret not in keys(*command, "--store", store, "--json")
    for path in tmp_path.iterdir():
        assert secret.encode() not in path.read_bytes()


def test_people_see_a_line_for_each_limit(store: str) -> None:
    keys("add", "me", "--store", store, "-b", "8k work/hour, $1")
    lines = keys("usage", "--store", store).splitlines()
    assert len(lines) == 3
    assert lines[0].endswith("me: 0 requests, 0 work, 0 calls, $0")
    assert lines[1].startswith("  8000 work/hour: 0 spent, 0 held, 8000 left, turns ")
    assert lines[2] == "  $1/total: 0 spent, 0 held, 1 left"


def test_mistakes_are_said_before_anything_is_kept(store: str) -> None:
    with pytest.raises(SpecError, match="did you mean 'day'"):
        keys("add", "me", "--store", store, "-b", "1M work/dya")
    with pytest.raises(InputError, match="90d"):
        keys("add", "me", "--store", store, "--expires", "soon")
    with pytest.raises(InputError, match="from 1 to"):
        keys("add", "me", "--store", store, "--rpm", "0")
    for told in (("list",), ("usage",), ("revoke", "x")):
        with pytest.raises(InputError, match="there is no store"):
            keys(*told, "--store", store)
    assert not Path(store).exists()
    keys("add", "me", "--store", store)
    for command in ("usage", "revoke"):
        with pytest.raises(InputError, match="not its name"):
            keys(command, "me", "--store", store)


@pytest.mark.parametrize("option", ["--budget", "--expires", "--models"])
def test_an_option_without_its_text_is_no_key_without_a_limit(option: str, store: str) -> None:
    """As of a variable of the shell that was never set."""
    with pytest.raises(InputError):
        keys("add", "me", "--store", store, option, "")
    assert not Path(store).exists()


def test_a_store_that_is_gone_is_the_machines_fault() -> None:
    assert exit_for(StoreGone("x")) is exit_for(StoreError("x")) is Exit.MACHINE


def test_the_list_of_commands_loads_nothing_of_the_gateway() -> None:
    code = (
        "import sys\nfrom workspan.cli.main import app\n"
        "try:\n    app(['--help'], standalone_mode=False)\nexcept SystemExit:\n    pass\n"
        "print([m for m in sys.modules if m.startswith(('workspan.serve', 'psycopg', 'sqlite3'))])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]"
    assert "keys" in done.stdout
