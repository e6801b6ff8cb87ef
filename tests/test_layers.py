"""Imports run one way, from the front down to the core."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]
ROOT = PROJECT / "src" / "workspan"
EVIDENCE = PROJECT / "evidence" / "src" / "workspan_evidence"
LAYERS = [
    {"testing.gateway_fuzz"},
    {"__main__"},
    {"cli"},
    {"integrations"},
    {"serve"},
    {"sync"},
    {"app"},
    {"claims"},
    {"lab"},
    {"cluster"},
    {"batch"},
    {"testing"},
    {"recordings"},
    {"tasks"},
    {"runner"},
    {"spec"},
    {"strategies"},
    {"verifiers"},
    {"store", "engines"},
    {"core", "protocol"},
    {"sandbox", "planning", "retrieval", "search", "checkout"},
    {"answers"},
    {"data", "boundary"},
    {"registry"},
    {"errors"},
    {"legible"},
]
RANK = {name: len(LAYERS) - i for i, names in enumerate(LAYERS) for name in names}
FILES = sorted(ROOT.rglob("*.py"))
OPEN = {
    *("answers", "errors", "data.budget", "data.types", "registry.card", "boundary.inputs"),
    *("core.engine", "core.session", "engines.embedded.text"),
    *("claims.base", "claims.measures", "batch.compare", "lab.stats"),
    *("tasks", "tasks.base", "tasks.written", "tasks.graders.equivalence"),
    *("planning", "planning.calendar", "planning.meeting", "planning.steg_poet", "planning.trip"),
    "strategies.evolutionary.mind_evolution",
    "strategies.parallel.best_of_n",
    "strategies.sequential.sequential_revision",
    "testing.scripted",
    "verifiers.program",
}
"""What of the product the evidence may import: as any plug-in might."""
EVIDENCE_LAYERS = [
    {"claims"},
    {"tasks"},
    {"verifiers", "train", "simulated"},
    {"reasoner", "audit"},
    {"families"},
    {"grammar"},
]


def imported(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("workspan."):
            _, *parts = node.module.split(".")
            whole = ".".join(parts[:2])
            yield whole if whole in RANK else parts[0]
        elif isinstance(node, ast.Import):
            yield from (a.name.split(".")[1] for a in node.names if a.name.startswith("workspan."))


def room(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    whole = ".".join(parts[:2])
    return whole if whole in RANK else parts[0]


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_only_point_down(path: Path) -> None:
    here = room(path)
    if here == "__init__":
        return
    for target in imported(path):
        assert target == here or RANK[target] < RANK[here], f"{here} imports {target}"


def test_strategies_and_verifiers_never_see_references_or_concrete_engines() -> None:
    for path in FILES:
        if room(path) in {"strategies", "verifiers"}:
            text = path.read_text()
            assert "workspan.tasks" not in text
            assert "workspan.engines." not in text.replace("workspan.core.engine", "")


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


OF_ANSWERS = {"workspan.answers", "workspan.answers.algebra", "workspan.answers.voting"}


def test_importing_workspan_loads_nothing_heavy() -> None:
    code = "import sys, workspan; print(*sorted(m for m in sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    heavy = {
        "anyio",
        "aiohttp",
        "sympy",
        "numpy",
        "msgspec",
        "rich",
        "typer",
        "openvino_genai",
        "ray",
    }
    assert heavy.isdisjoint(loaded)


def all_imported(path: Path) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Yield each module that a file imports, with the names that it takes from it."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            yield node.module or "", tuple(alias.name for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, ()) for alias in node.names)


def test_the_product_never_imports_the_evidence() -> None:
    for path in FILES:
        top = {module.partition(".")[0] for module, _ in all_imported(path)}
        assert "workspan_evidence" not in top, path
        assert "workspan_evidence" not in path.read_text(), path  # nor as a text to load


def test_the_evidence_imports_only_what_is_open_to_any_plug_in() -> None:
    used = set()
    for path in EVIDENCE.rglob("*.py"):
        for module, names in all_imported(path):
            top, _, rest = module.partition(".")
            if top == "workspan":
                assert rest in OPEN, f"{path.name} imports {module}"
                assert not [name for name in names if name.startswith("_")], path.name
                used.add(rest)
    assert used == OPEN


@pytest.mark.parametrize(
    "path", sorted(EVIDENCE.rglob("*.py")), ids=lambda p: str(p.relative_to(EVIDENCE))
)
def test_imports_within_the_evidence_only_point_down(path: Path) -> None:
    rank = {name: -i for i, names in enumerate(EVIDENCE_LAYERS) for name in names}
    here = path.relative_to(EVIDENCE).with_suffix("").parts[0]
    for module, names in all_imported(path):
        top, *rest = module.split(".")
        if top == "workspan_evidence":
            for target in rest[:1] or names:
                assert target == here or rank[target] < rank[here], f"{here} imports {target}"


def test_a_task_is_imported_with_few_of_our_modules() -> None:
    code = (
        "import sys\nfrom workspan.tasks import Task\n"
        "print(*[m for m in sys.modules if m.startswith('workspan')])"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert len(loaded) <= 10, loaded


def test_no_modules_import_one_another_in_a_circle() -> None:
    """Types included: what is only named in a signature ties two files as well."""
    names = {
        ".".join(path.relative_to(ROOT.parent).with_suffix("").parts).removesuffix(".__init__")
        for path in FILES
    }
    arrows = {}
    for path in FILES:
        here = ".".join(path.relative_to(ROOT.parent).with_suffix("").parts)
        targets = set()
        for module, imported_names in all_imported(path):
            inner = {f"{module}.{name}" for name in imported_names} & names
            targets |= inner or {module} & names
        arrows[here.removesuffix(".__init__")] = targets - {here.removesuffix(".__init__")}
    del arrows["workspan"]  # it names what it exports, and loads none of it
    assert [*TopologicalSorter(arrows).static_order()], "a circle raises"
