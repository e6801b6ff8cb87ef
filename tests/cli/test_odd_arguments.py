"""Every command with odd values for every option: one typed line and a documented code, always."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

from workspan.cli.exits import Exit
from workspan.cli.main import app, main
from workspan.legible import legible

CODES = {*Exit} - {Exit.BUG, Exit.INTERRUPTED}

STRATEGIES = [
    "", " ", ",", "nope", "then(" * 10_000 + "single" + ")" * 10_000, "single," * 9_000,
    "-" * 5_000,
    "self_consistency(n=1e999)", "self_consistency(n=0)", "self_consistency(n=-1)", "single(x=[[[)",
    "self_consistency(n=99999999999999999999999)", "self_consistency(temperature=1e400)",
    "self_consistency(n=0x" + "f" * 6_000 + ")", "self_consistency(n=1, n=2)", "single(**{})",
    "self_consistency(n={[]: 1})", "sinɡle\u202e", "é(n=\n1)", "budget_forcing(nudge='[/x]')",
    "self_consistency(n=1000000000, max_tokens=8)", "auto(profile='/')", "auto(profile='/nope')",
    "mixture_of_agents(engines=('x',))", "retrieve", "best_of_n(verifier=single)", "a" * 100_000,
    "single(max_tokens=1000000000000000)", "all", "budget_forcing(nudge='\\ud800')",
]  # fmt: skip
BUDGETS = [
    "", "0", "8k", "1e30 work", "1" * 40 + " work", "5k5 work", "٣ work", "$inf", "$nan", "nan s",
    "-1 work", "1 work", "1 span", "1ms", "0.0001 work", "$0.000001", "1 work," * 5_000, "$", "s",
    "1 work, 1 span, 1 calls, 1 wide, 1 prefill, 9h", "5" + " " * 9_000 + "!", "\u202e8k work",
    "999999999999999 work", "1000000000000000s",
]  # fmt: skip
PRICES = [
    "",
    "/",
    "-",
    "-/-",
    "1/2/3",
    "inf/inf",
    "nan/nan",
    "1e9/1",
    "-1/1",
    "٣/٣",
    "x=1/1",
    "0/0",
]
ENGINES = [
    "", "nope", "=", "b=", "b=b=c", "http://", "http:///v1", "http://127.0.0.1:99999/v1", "reward:",
    "http://127.0.0.1:0/v1", "http://127.0.0.1:port/v1", "http://[::1/v1", "http://[fe80::1%]/v1",
    "http://a b/v1", "http://u:p@127.0.0.1/v1", "http://h?key=1", "http://.../v1", "reasoner:/",
    "http://" + "a" * 70 + ".com", "http://xn--\u0661.com\u202e/v1", "embedded:/", "embedded:hf:",
    "http://[::1", "embedded:\x1b[31m", "reasoner:nope", "b=scripted", "scripted:x", "http://\u2100.com/v1",
]  # fmt: skip
NUMBERS = [
    "", "0", "-1", "1", "x", "1.5", "1e3", "nan", "9" * 30, "9" * 5_000, "٣", "-9223372036854775809"
]  # fmt: skip
WORDS = [
    "",
    " ",
    "\x1b]8;;http://x\x07y",
    "\u202e\u200b",
    "[/bold]",
    "x" * 20_000,
    "hf:",
    "hf:a/b/c",
    "é",
]
TASKS = [
    *WORDS, "demo", "deep(d=99999999999)", "deep(d='x')", "deep(" * 999, "chain_sum(min_terms=0)",
    "trip_planning(cities=0)", "hops(hops=0)", "nope.jsonl", "/", "a.csv",
]  # fmt: skip
CONTENTS: dict[str, bytes] = {
    "empty.jsonl": b"",
    "binary.jsonl": bytes(range(256)) * 8,
    "latin.jsonl": '{"prompt": "é?"}\n'.encode("latin-1"),
    "bom.jsonl": b'\xef\xbb\xbf{"prompt": "2 + 2?", "answer": "4"}\n',
    "wide.jsonl": b'"' + b"x" * 300_000,
    "deep.jsonl": b"[" * 100_000,
    "list.jsonl": b"[1, 2]\n",
    "null.jsonl": b"null\n",
    "surrogate.jsonl": b'{"prompt": "\\ud800?", "answer": "4"}\n',
    "huge.jsonl": b'{"prompt": "a", "answer": ' + b"9" * 5_000 + b"}\n",
    "torn.parquet": b"PAR1xxxxPAR1",
    "utf16.jsonl": '{"prompt": "a?"}\n'.encode("utf-16"),
    "steers.jsonl": b'{"prompt": "a?", "answer": "\\u001b[31m\\u202e[/x]", "id": "\\u001b]0;"}\n',
    "journal.jsonl": b'{"engine":"e","seed":0,"format":1}\n{"run":3}\n{}\n',
}


SERVED = "http://127.0.0.1:9/v1"
NOWHERE = "192.0.2.1"
"""An address for documentation, which no machine has: whatever else is right, nothing is served."""


def odd_paths(folder: Path) -> list[str]:
    """Write odd files; return their paths and those of what is no file."""
    for name, content in CONTENTS.items():
        (folder / name).write_bytes(content)
    (folder / "folder.jsonl").mkdir()
    locked = folder / "bom.jsonl" / "inside.jsonl"  # its parent is a file
    others = [folder, folder / "folder.jsonl", locked, folder / "no" / "x.jsonl", Path("x" * 300)]
    return [
        *(str(folder / name) for name in CONTENTS),
        *map(str, others),
        "",
        "/dev/null",
        "/dev/full",
    ]


def bases(folder: Path) -> dict[str, list[str]]:
    """Return a command line of each command that does little."""
    small = ["-e", "scripted", "-b", "40 work"]
    good = folder / "good.jsonl"
    good.write_text('{"prompt": "What is 2 + 2?", "answer": "4", "kind": "number"}\n')
    sweep = folder / "sweep.toml"
    sweep.write_text(
        'tasks = ["demo"]\nstrategies = ["single"]\nbudgets = ["40 work"]\nlimit = 1\n'
        '[[engines]]\nname = "s"\nengine = "scripted"\n'
    )
    (folder / "tree").mkdir()
    return {
        "solve": ["solve", "hi", *small, "-s", "single"],
        "compare": ["compare", "--task", "demo", "--limit", "1", *small, "-s", "single"],
        "replay": ["replay", str(folder / "journal.jsonl"), "--input", str(good)],
        "calibrate": [
            "calibrate", "--to", str(folder / "profile.json"), "--limit", "1", "--task", "demo",
            "--chains", "2", *small,
        ],
        "explain": ["explain", str(folder / "journal.jsonl")],
        "claims": ["claims", "no-such-claim"],
        "strategies": ["strategies"],
        "engines": ["engines"],
        "tasks": ["tasks"],
        "models": ["models"],
        "models fetch": ["models", "fetch", "no-such-model"],
        "models check": ["models", "check", "no-such-model"],
        "read": ["read", "Answer: 5", "--kind", "number"],
        "which": [
            "which", "--efforts", "default", "--pilot", "40 work", "--input", str(good),
            "-e", "scripted", "--dry-run",
        ],
        "certify": ["certify", "--input", str(good), "-e", "scripted", "-b", "40 work", "-n", "1"],
        "label": ["label", str(good), "--to", str(folder / "labels.jsonl")],
        "sweep": ["sweep", str(sweep), "--store", str(folder / "s.db"), "--dry-run"],
        "runs list": ["runs", "list", "--store", str(folder / "s.db")],
        "runs show": ["runs", "show", "sweep", "--store", str(folder / "s.db")],
        "runs compare": ["runs", "compare", "sweep", "--store", str(folder / "s.db")],
        "runs query": ["runs", "query", "select 1", "--store", str(folder / "s.db")],
        "runs export": [
            "runs", "export", "--store", str(folder / "s.db"), "--to", str(folder / "exported")
        ],
        "rollouts": [
            "rollouts", "do it", "--run", "true", "--folder", str(folder / "tree"), "-n", "1",
            "-b", "2 calls",
        ],
        "runs report": [
            "runs", "report", "sweep", "--store", str(folder / "s.db"), "--to",
            str(folder / "report.html"),
        ],
        "runs prune": ["runs", "prune", "sweep", "--store", str(folder / "s.db"), "--dry-run"],
        "map": ["map", "--store", str(folder / "s.db"), "--to", str(folder / "map.html")],
        "verifiers": ["verifiers"],
        "graders": ["graders"],
        "readers": ["readers"],
        "advise": ["advise", "--store", str(folder / "k.db")],
        "mcp": ["mcp", "-e", "nope", "-b", "40 work"],
        "serve": ["serve", "-e", SERVED, "-m", "m", "--host", NOWHERE],
        "keys add": ["keys", "add", "somebody", "--store", str(folder / "k.db")],
        "keys list": ["keys", "list", "--store", str(folder / "k.db")],
        "keys usage": ["keys", "usage", "--store", str(folder / "k.db")],
        "keys revoke": ["keys", "revoke", "nobody", "--store", str(folder / "k.db")],
    }  # fmt: skip


def values(name: str, kind: Any, paths: list[str]) -> list[str]:
    """Return the odd values of an option or argument."""
    known = {
        "strategy": STRATEGIES, "strategies": STRATEGIES, "arm": STRATEGIES, "budget": BUDGETS,
        "budgets": BUDGETS, "price": PRICES, "engine": ENGINES, "task": TASKS,
        "corpus": [*paths[:20], *ENGINES[5:20]], "embedder": [*WORDS, "m@http://127.0.0.1:0"],
    }  # fmt: skip
    if name in known:
        return known[name]
    if kind is int or "int" in str(kind):
        return NUMBERS
    return [*paths, *WORDS] if "path" in str(kind).lower() else [*WORDS, *paths[:6]]


def cases(folder: Path) -> Iterator[list[str]]:
    """Give each command with one option odd at a time, and a few lines that are wrong as such."""
    paths = odd_paths(folder)
    lines = bases(folder)
    commands: Any = typer.main.get_command(app)
    for title, line in lines.items():
        command: Any = commands
        for word in title.split():
            command = command.resolve_command(typer.Context(command), [word])[1]
        yield [*title.split(), "--no-such-option"]
        yield [*line, "one", "argument", "too many\x1b[31m"]
        for option in command.params:
            described = getattr(option, "type_descriptor", None)
            kind = getattr(described, "annotation", None) or getattr(option, "type", None)
            flags = [flag for flag in option.opts if flag.startswith("--")]
            if option.name == "help" or getattr(option, "is_flag", False):
                continue
            if NOWHERE in line and option.name == "host":
                continue  # a good one would be served at
            for value in values(option.name, kind, paths):
                if flags:
                    yield [*line, f"{flags[0]}={value}"]
                else:
                    yield [*title.split(), value, *line[len(title.split()) + 1 :]]


def run(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Run a command here; hold its end, and all that it said, against the promises."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    out, err = capsys.readouterr()
    shown = [one[:60] for one in arguments]
    assert ended.value.code in CODES, (shown, ended.value.code, err[-500:])
    assert "Traceback" not in err + out, (shown, err[-500:])
    assert legible(out) == out, shown
    assert legible(err) == err, shown
    if ended.value.code in (Exit.BAD_INPUT, Exit.MACHINE):
        errors = err[err.index("error: ") :].rstrip("\n").split("\n")
        is_pointed = len(errors) == 3 and errors[2].strip() == "^"
        assert len(errors) == 1 or is_pointed, (shown, err[-500:])
        assert max(map(len, errors)) < 3_000, shown


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WORKSPAN_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("WORKSPAN_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_sample_of_odd_arguments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    quick = [one for one in cases(folder) if one[0] != "calibrate"]  # its fit takes ten seconds
    for arguments in random.Random(0).sample(quick, 60):
        run(arguments, capsys)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_all_odd_arguments(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in cases(folder):
        run(arguments, capsys)


@pytest.mark.heavy
@pytest.mark.timeout(3600)
def test_odd_arguments_beside_each_other(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    every = [*cases(folder)]
    rng = random.Random(1)
    for _ in range(300):
        first = rng.choice(every)
        others = [one for one in every if one[0] == first[0] and one[-1].startswith("--")]
        run([*first, *(rng.choice(others)[-1] for _ in range(2) if others)], capsys)


def test_every_command_is_among_them(tmp_path: Path) -> None:
    commands: Any = typer.main.get_command(app)
    context = typer.Context(commands)
    found = set()
    for name in commands.list_commands(context):
        command = commands.resolve_command(context, [name])[1]
        found |= {f"{name} {one}" for one in getattr(command, "commands", {})} or {name}
    assert found - {*bases(tmp_path)} == set()


def test_every_option_for_a_model_has_the_same_short_form() -> None:
    """What works with one command is typed with the next one."""
    commands: Any = typer.main.get_command(app)
    context = typer.Context(commands)
    found = {
        name: option.opts
        for name in commands.list_commands(context)
        for option in commands.resolve_command(context, [name])[1].params
        if "--model" in option.opts
    }
    assert {"solve", "compare", "calibrate", "which", "certify", "rollouts", "serve"} <= {*found}
    assert all(sorted(options) == ["--model", "-m"] for options in found.values()), found
