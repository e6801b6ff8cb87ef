"""Every Python block of README and docs runs as it stands, in the order of its page."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)
BLOCKS = {str(page.relative_to(ROOT)): _BLOCK.findall(page.read_text()) for page in PAGES}


def test_the_pages_have_blocks() -> None:
    assert BLOCKS["README.md"]
    assert BLOCKS["docs/tutorial.md"]


@pytest.mark.slow
@pytest.mark.parametrize("page", [page for page, blocks in BLOCKS.items() if blocks])
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text("\n\n".join(BLOCKS[page]))
    done = subprocess.run(
        [sys.executable, "page.py"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_links_between_pages_lead_somewhere() -> None:
    for page in PAGES:
        for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page.read_text()):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"


def test_no_page_holds_what_a_merge_left() -> None:
    for page in (*PAGES, ROOT / "CHANGELOG.md"):
        left = re.findall(r"^(?:<{7}|>{7})(?: .*)?$", page.read_text(), re.MULTILINE)
        assert not left, f"{page.name}: {left}"


def test_the_files_to_read_for_a_change_are_there() -> None:
    named = re.findall(r"`((?:src|tests)/[\w./]+)`", (ROOT / "docs/howto/change.md").read_text())
    assert len(named) > 10
    for path in named:
        assert (ROOT / path).exists(), path
