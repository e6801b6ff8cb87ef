"""Imports run one way, from the front down to the core."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1] / "src" / "workspan"
LAYERS = [
    {"__main__"},
    {"cli"},
    {"sync"},
    {"app"},
    {"claims"},
    {"lab"},
    {"testing"},
    {"recordings"},
    {"graders", "tasks", "models"},
    {"runner", "engine_spec"},
    {"spec"},
    {"strategies"},
    {"verifiers"},
    {"session"},
    {"race", "ballot"},
    {"call"},
    {"store"},
    {"journal_lines"},
    {"journal", "ledger", "clock", "alike"},
    {"entry"},
    {"reasoner"},
    {"engines"},
    {"protocol"},
    {"allocate"},
    {"voting", "sandbox", "planning", "retrieval", "search"},
    {"answers"},
    {"budget"},
    {"types", "inputs", "outputs", "secret", "address", "shell"},
    {"content", "explanation"},
    {"registry"},
    {"errors", "stopwatch", "card", "_rows"},
    {"legible"},
]
RANK = {name: len(LAYERS) - i for i, names in enumerate(LAYERS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("workspan."):
            yield node.module.split(".")[1]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("workspan."))


def room(path: Path) -> str:
    return path.relative_to(ROOT).with_suffix("").parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_only_point_down(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for target in imported(path):
        assert (
            target == here
            or RANK[target] < RANK[here]
            or (here, target)
            in {
                ("engines", "models"),  # the embedded engine asks the catalogue where its file is
                ("graders", "tasks"),  # a task names its grader, and a grader judges a task
                ("tasks", "graders"),
            }
        ), f"{here} imports {target}"


def test_strategies_and_verifiers_never_see_references_or_concrete_engines() -> None:
    for path in FILES:
        if room(path) in {"strategies", "verifiers"}:
            text = path.read_text()
            assert "workspan.graders" not in text
            assert "workspan.tasks" not in text
            assert "workspan.engines." not in text.replace("workspan.engines.base", "")


def test_strategies_and_verifiers_compare_answers_on_the_runs_clock() -> None:
    """By `session.vote`, `leader` and `same`: a bare comparison knows no end of the run."""
    for path in FILES:
        if room(path) in {"strategies", "verifiers"}:
            names = {
                alias.name
                for node in ast.walk(ast.parse(path.read_text()))
                if isinstance(node, ast.ImportFrom) and node.module in OF_ANSWERS
                for alias in node.names
            }
            assert names <= {"MARKED", "extract", "read", "share"}, f"{path.name} imports {names}"


OF_ANSWERS = {"workspan.answers", "workspan.answers.algebra", "workspan.voting"}


def test_importing_workspan_loads_nothing_heavy() -> None:
    code = "import sys, workspan; print(*sorted(m for m in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {"anyio", "aiohttp", "sympy", "numpy", "msgspec", "rich", "typer", "openvino_genai"}
    assert heavy.isdisjoint(loaded)


def test_strategies_are_one_page_each() -> None:
    """Of code: what the list of strategies says of each is not counted."""
    for path in (ROOT / "strategies").rglob("*.py"):
        text = path.read_text()
        cards = [
            node
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == "card"
        ]
        said = sum((card.end_lineno or 0) - card.lineno + 1 for card in cards) + len(cards)
        assert len(text.splitlines()) - said <= 80, path.name
