"""The registry: our rows, those of installed distributions, and what is said of bad ones."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from workspan.cli.main import main
from workspan.errors import PluginError, SpecError
from workspan.registry import table as registry
from workspan.registry._rows import ROWS
from workspan.registry.card import cost, evaluate
from workspan.registry.table import GROUPS, Group, load_written, table
from workspan.spec import STRATEGIES, make, parse_strategy, parse_verifier, write
from workspan.spec.describing import described

STRATEGY = """
from dataclasses import dataclass
from typing import ClassVar

import workspan as ws


@dataclass(frozen=True)
class Mine:
    n: int = 2
    verifier: ws.Verifier | None = None
    requires: ClassVar[frozenset[ws.Capability]] = frozenset()

    async def __call__(self, problem: ws.Problem, session: ws.Session) -> ws.Answer:
        samples = await session.samples(ws.Request(problem.prompt), self.n)
        return await session.vote(ws.read(problem, samples), problem.kind)


def check(problem, candidate):
    return 1


def maker(score=0.5):
    return lambda problem, candidate: score


class Plain:
    pass


async def function(problem, session):
    return ws.Answer(None)
"""

Install = Callable[..., Path]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Write a distribution as an installer leaves it, onto the search path."""

    def write_down(name: str, entries: str, source: str = STRATEGY, version: str = "1.0") -> Path:
        folder = tmp_path / f"site-{name}"
        module = name.replace("-", "_")
        folder.mkdir()
        (folder / f"{module}.py").write_text(source)
        info = folder / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(entries)
        monkeypatch.syspath_prepend(folder)
        monkeypatch.delitem(sys.modules, module, raising=False)
        return folder

    return write_down


def test_every_row_of_ours_loads_and_says_what_it_is() -> None:
    for group in GROUPS:
        for row in table(group).ours.values():
            made = row.load()
            assert made is not None
            assert row.is_ours
            if group in ("strategies", "verifiers", "engines", "graders"):
                assert row.summary.endswith((".", ":")), row
                assert row.example.partition("(")[0].partition(":")[0] == row.name or group != (
                    "strategies"
                )


def test_every_strategy_and_verifier_says_all_of_itself() -> None:
    for group in ("strategies", "verifiers"):
        for row in table(group).ours.values():
            card = row.card
            assert card.helps.endswith("."), row.name
            assert card.hurts.endswith("."), row.name
            assert card.source.startswith(("arXiv:", "doi:", "https:", "this package")), row.name
            told = described(row)
            assert {item.name for item in told.parameters} >= set(card.parameters), row.name
            for item in told.parameters:
                assert item.doc.endswith("."), f"{row.name}: {item.name}"
                assert item.type, f"{row.name}: {item.name}"
            if row.name != "auto":  # it spends what the budget allows: no formula bounds it
                assert cost(make(row.example, group, imports=True)) is not None, row.name


def test_our_rows_are_strings_and_looking_one_up_imports_nothing() -> None:
    code = (
        "import sys; from workspan.registry.table import table\n"
        "table('strategies').find('best_of_n'); table('commands').find('solve')\n"
        "print(*[m for m in sys.modules if m.startswith(('workspan.', 'importlib.metadata'))])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert set(loaded) == {
        *("workspan.registry", "workspan.registry.table"),
        *("workspan.registry._rows", "workspan.registry.card"),
        *("workspan.errors", "workspan.legible"),
    }


def test_a_plug_in_is_found_by_name_and_written_by_it(install: Install) -> None:
    install("acme", "[workspan.strategies]\nmine = acme:Mine\n")
    strategy: Any = parse_strategy("best(mine(n=3), n=2)")
    assert strategy.strategy.n == 3
    assert write(strategy) == "best(mine(n=3), n=2)"
    assert parse_strategy(write(strategy)) == strategy
    row = STRATEGIES["mine"]
    assert (row.distribution, row.example) == ("acme 1.0", "mine")
    assert "mine" in [*STRATEGIES]
    assert "mine" not in [*STRATEGIES.ours]


def test_nothing_of_a_plug_in_is_imported_before_it_is_used(install: Install) -> None:
    install("acme", "[workspan.strategies]\nmine = acme:Mine\n", "raise SystemExit('no')")
    assert STRATEGIES["mine"].path == "acme:Mine"
    assert parse_strategy("single") is not None
    with pytest.raises(PluginError, match=r"'mine' of acme 1.0 can't be imported: SystemExit: no"):
        parse_strategy("mine")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
        ("def broken(:", "SyntaxError"),
        ("raise ValueError('one\\ntwo \\x1b[31m')", "ValueError: one two"),
        ("x = 1", "AttributeError: .*Mine"),
        ("1 / 0", "ZeroDivisionError"),
    ],
)
def test_one_that_breaks_is_named_and_breaks_no_other(
    install: Install, source: str, said: str
) -> None:
    install("broken", "[workspan.strategies]\nmine = broken:Mine\n", source)
    install("sound", "[workspan.strategies]\nother = sound:Mine\n")
    with pytest.raises(PluginError, match=f"'mine' of broken 1.0 can't be imported: {said}") as e:
        parse_strategy("mine")
    assert "\n" not in str(e.value)
    assert "\x1b" not in str(e.value)
    assert write(parse_strategy("other")) == "other"


def test_a_name_that_two_bring_stands_for_neither(install: Install) -> None:
    install("acme", "[workspan.strategies]\nmine = acme:Mine\n")
    install("bolt", "[workspan.strategies]\nmine = bolt:Mine\n", version="2.0")
    with pytest.raises(PluginError, match=r"'mine' is brought by acme 1.0 and bolt 2.0") as error:
        parse_strategy("mine")
    assert "acme:Mine or bolt:Mine" in str(error.value)
    assert write(parse_strategy("bolt:Mine(n=4)", imports=True)) == "bolt:Mine(n=4)"


def test_our_own_names_cant_be_taken_over(install: Install) -> None:
    install(
        "acme", "[workspan.strategies]\nsingle = acme:Mine\n[workspan.engines]\nhttp = acme:X\n"
    )
    assert type(parse_strategy("single")).__module__.startswith("workspan.")
    assert table("engines").find("http").is_ours
    assert table("strategies").refused == (
        "the strategy 'single' of acme 1.0 is left out: the name is Workspan's own",
    )


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        ("two-words = acme:Mine", "a name is letters, digits and underscores"),
        ("2nd = acme:Mine", "a name is letters, digits and underscores"),
        ("mine = acme", "its entry point must read module:Name"),
        ("mine = acme:Mine()", "its entry point must read module:Name"),
    ],
)
def test_entries_that_no_text_could_name_are_said(install: Install, entry: str, said: str) -> None:
    install("acme", f"[workspan.strategies]\n{entry}\n")
    (why,) = table("strategies").refused
    assert said in why


def test_what_is_installed_later_is_found(install: Install) -> None:
    with pytest.raises(SpecError, match="unknown strategy 'mine'"):
        parse_strategy("mine")
    folder = install("acme", "")
    with pytest.raises(SpecError, match="unknown strategy 'mine'"):
        parse_strategy("mine")
    (folder / "acme-1.0.dist-info" / "entry_points.txt").write_text(
        "[workspan.strategies]\nmine = acme:Mine\n"
    )
    assert write(parse_strategy("mine")) == "mine"


def test_an_entry_point_may_go_by_a_shorter_way_than_the_class(install: Install) -> None:
    folder = install("acme", "[workspan.strategies]\nmine = acme:Mine\n")
    (folder / "acme.py").rename(folder / "acme_deep.py")
    package = folder / "acme"
    package.mkdir()
    (folder / "acme_deep.py").rename(package / "deep.py")
    (package / "__init__.py").write_text("from acme.deep import Mine as Mine\n")
    assert write(parse_strategy("mine(n=5)")) == "mine(n=5)"


def own(folder: Path, name: str = "own_strategies", source: str = STRATEGY) -> Path:
    path = folder / f"{name}.py"
    path.write_text(source)
    return path


def test_a_path_is_imported_where_the_user_wrote_it_and_nowhere_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path, "here_only")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    with pytest.raises(SpecError, match="imported only where the user writes it") as error:
        parse_strategy("best(here_only:Mine(n=3))")
    assert error.value.column == len("best(")
    assert "here_only" not in sys.modules
    text = "best(here_only:Mine(n=3), n=2)"
    strategy = parse_strategy(text, imports=True)
    assert write(strategy) == text
    assert sys.path[-1] == str(tmp_path), "what lies there takes the place of nothing installed"


def test_a_file_is_imported_once_and_written_as_the_user_wrote_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path)
    monkeypatch.chdir(tmp_path)
    text = "then(own_strategies.py:Mine(n=3), single)"
    first, second = (parse_strategy(text, imports=True) for _ in range(2))
    assert first == second
    assert write(first) == text
    whole = f"{tmp_path / 'own_strategies.py'}:Mine"
    assert type(parse_strategy(whole, imports=True)) is type(first.first)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("own.py:Nothing", "own.py has no 'Nothing'"),
        ("none.py:Mine", "none.py can't be imported: FileNotFoundError: no file none.py"),
        ("no_such_module:Mine", "no_such_module can't be imported: ModuleNotFoundError"),
        ("json:Mine", r"json \(.*json.__init__.py\) has no 'Mine'"),
        ("own.py:Plain", "own.py:Plain has no async def __call__"),
        ("own.py:function", "own.py:function is a function"),
        ("own.py:Mine(m=3)", "own.py:Mine has no parameter 'm'"),
        ("own.py:Mine(n='3')", "n must be int"),
        ("own.Mine()", r"did you mean own:Mine\?"),
        ("best(own.py:Mine(n=own.py:check), n=2)", "n must be a plain value"),
        ("os:system('true')", "give os:system its parameters by name"),
    ],
)
def test_what_is_wrong_with_a_path_is_pointed_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, said: str
) -> None:
    own(tmp_path, "own")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SpecError, match=said):
        parse_strategy(text, imports=True)


def test_pointers_stand_below_what_is_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path, "own")
    monkeypatch.chdir(tmp_path)
    text = "best(own.py:Mine(n=2), verifier=own.py:check, m=1)"
    with pytest.raises(SpecError) as error:
        parse_strategy(text, imports=True)
    assert error.value.column == text.index("m=1")


def test_functions_and_commands_are_verifiers_in_a_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own(tmp_path, "own")
    monkeypatch.chdir(tmp_path)
    for text in (
        "best_of_n(verifier=own.py:check)",
        "best_of_n(verifier='sh:./check.sh --all')",
        "best_of_n(verifier='sh:grep -q \"it\\'s\" && echo 1')",
        "own.py:Mine(verifier=own.py:check)",
        "best_of_n(n=2, verifier=own.py:maker(score=0.25))",
    ):
        strategy = parse_strategy(text, imports=True)
        if "maker" not in text:  # a function that a function made has no written form
            assert write(strategy) == text
            assert parse_strategy(write(strategy), imports=True) == strategy
    with pytest.raises(SpecError, match="a command is run only where the user writes it"):
        parse_strategy("best_of_n(verifier='sh:true')")
    assert write(parse_verifier("sh:./check.sh", imports=True)) == "'sh:./check.sh'"


def test_names_beside_colons_in_quotes_are_left_alone() -> None:
    text = "budget_forcing(nudge='see os:system(1) and a.py:B', final='x:y')"
    assert write(parse_strategy(text)) == text


def test_load_written_wants_a_module_and_a_name() -> None:
    for text in ("", "single", "a:", ":b", "a:b()", "a b:c", "a.py", "../x:y"):
        with pytest.raises(SpecError, match="not understood"):
            load_written(text)


def test_formulas_compute_and_refuse_all_else() -> None:
    names = {"n": 3, "mode": "a", "verifier": {"calls": 2}, "arms": {"calls": (1, 2)}}
    assert evaluate("n * (1 + verifier.calls)", names) == 9
    assert evaluate("(1 if mode == 'b' else n) + sum(arms.calls)", names) == 6
    assert evaluate("ceil(log2(n + 2) / -1)", names) == -2
    for wrong in ("m", "n.real", "__import__('os')", "n if n", "[n]", "n + 'a'", "1 / 0", "'a'"):
        with pytest.raises(ValueError, match=r"formula|place"):
            evaluate(wrong, names)


def test_a_strategy_without_formulas_has_no_cost() -> None:
    assert cost(parse_strategy("best(auto, n=2)")) is None
    assert cost(parse_strategy("best(single(max_tokens=5), n=2, verifier=answered)")) == (2, 10, 5)


def test_every_module_with_a_card_has_a_row() -> None:
    """A page that is in no table can't be reached."""
    root = Path(registry.__file__).parent
    groups: dict[str, Group] = {"strategies": "strategies", "verifiers": "verifiers"}
    for folder, group in groups.items():
        paths = set(ROWS[group].values())
        for path in (root / folder).rglob("*.py"):
            for node in ast.parse(path.read_text()).body:
                if not isinstance(node, ast.ClassDef) or path.name == "own.py":
                    continue
                has_card = any(
                    isinstance(item, ast.AnnAssign) and ast.unparse(item.target) == "card"
                    for item in node.body
                )
                module = ".".join(("workspan", *path.relative_to(root).with_suffix("").parts))
                assert has_card == (f"{module}:{node.name}" in paths), path


@pytest.mark.parametrize(
    ("source", "whose"),
    [
        ("raise KeyError('gone')", "own_bug.py"),
        ("import json; json.loads('{')", "own_bug.py"),
        ("await session.samples(3, 2)", ""),  # who called us wrongly can't be told from us
    ],
)
def test_a_bug_of_others_is_not_called_ours(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    source: str,
    whose: str,
) -> None:
    body = STRATEGY.replace("samples = await session", f"{source}\n        samples = await session")
    own(tmp_path, "own_bug", body)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        main(["solve", "hi", "-e", "scripted", "-s", "best(own_bug.py:Mine(n=2), n=2)"])
    said = capsys.readouterr().err
    assert ended.value.code == (5 if whose else 1)
    assert f"a bug in {whose or 'workspan'}" in said
