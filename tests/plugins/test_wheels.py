"""Both distributions as they are given out: what is in their wheels, and that they work."""

from __future__ import annotations

import json
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.heavy  # it builds two wheels, and an environment for each

ROOT = Path(__file__).parents[2]
OFFLINE = ("--no-deps", "--no-build-isolation", "--no-index")
PIP = (sys.executable, "-m", "pip", "--disable-pip-version-check")
MOST = 2_000_000
"""Bytes of the product's wheel: code, and nothing that was trained."""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("wheels")
    for project in (ROOT, ROOT / "evidence"):
        built = [*PIP, "wheel", "-q", *OFFLINE, "-w", str(folder), str(project)]
        subprocess.run(built, check=True)
    (product,) = folder.glob("workspan-*.whl")
    (evidence,) = folder.glob("workspan_evidence-*.whl")
    return product, evidence


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as held:
        return {*held.namelist()}


def test_the_product_carries_code_and_the_evidence_its_weights(wheels: tuple[Path, Path]) -> None:
    product, evidence = wheels
    assert product.stat().st_size < MOST
    inside = {name for name in names(product) if not name.startswith("workspan-")}
    pages = {".j2", ".html", ".css", ".js", ".svg"}
    assert {Path(name).suffix for name in inside} <= {".py", ".sql", ".toml", ".typed", "", *pages}
    assert all(name.startswith("workspan/") for name in inside)
    inside = names(evidence)
    assert len([name for name in inside if name.endswith(".safetensors")]) == 7
    assert {"workspan_evidence/MODEL_CARD.md", "workspan_evidence/py.typed"} <= inside
    assert any(name.endswith("licenses/LICENSE") for name in inside)


def test_they_work_as_they_were_built(wheels: tuple[Path, Path], tmp_path: Path) -> None:
    site = tmp_path / "site"
    subprocess.run(
        [*PIP, "install", "-q", *OFFLINE, "-t", str(site), *map(str, wheels)], check=True
    )
    asked = ["claims", "guessing_tokens", "retrieval_learnt", "--json"]
    code = (
        f"import sys; sys.path.insert(0, {str(site)!r}); sys.argv[1:] = {asked!r}\n"
        "import workspan, workspan_evidence\n"
        f"assert workspan.__file__.startswith({str(site)!r}), workspan.__file__\n"
        f"assert workspan_evidence.__file__.startswith({str(site)!r})\n"
        "from workspan.cli.main import main; main()"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert [one["verdict"] for one in found] == ["holds", "holds"]
