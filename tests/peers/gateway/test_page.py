"""The blocks of `docs/howto/gateway-clients.md` that need a client run as they stand, with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pytest

from peers.conftest import Install
from peers.gateway.commands import run
from peers.gateway.driven import node_modules, node_of
from peers.gateway.served import KEY, Served
from peers.gateway.simulated_upstream import Upstream

pytestmark = [pytest.mark.peers, pytest.mark.timeout(600)]

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "gateway-clients.md"


def _blocks() -> Iterator[tuple[str, str, str]]:
    """Return each block with the client whose heading it stands under."""
    client, rest = "", PAGE.read_text()
    for part in re.split(r"^(?=### |```)", rest, flags=re.MULTILINE):
        head, _, body = part.partition("\n")
        if head.startswith("### "):
            client = head.split()[1]
        elif head in ("```py", "```js"):
            yield client, head[3:], body


BLOCKS = list(_blocks())
PACKAGES: Mapping[str, tuple[str, Sequence[str]]] = {
    "openai": ("gateway-openai", ["openai==3.57.0"]),
    "litellm": ("gateway-litellm", ["litellm==1.110.2"]),
    "langchain-openai": ("gateway-langchain", ["langchain-openai==1.7.4"]),
    "dspy": ("gateway-dspy", ["dspy==3.4.1"]),
    "anthropic": ("gateway-anthropic", ["anthropic==2.14.0"]),
}


def test_each_block_is_found() -> None:
    text = PAGE.read_text()
    assert len(BLOCKS) == text.count("```py\n") + text.count("```js\n") == 7
    for name, packages in PACKAGES.values():
        version = packages[0].partition("==")[2]
        assert re.search(rf" {re.escape(version)}[\n,]", text), name


@pytest.mark.parametrize(("name", "kind", "code"), BLOCKS, ids=[f"{n}-{k}" for n, k, _ in BLOCKS])
def test_it_runs(
    name: str,
    kind: str,
    code: str,
    installed: Install,
    gateway: Served,
    upstream: Upstream,
    tmp_path: Path,
) -> None:
    upstream.clear()
    # Anthropic's client adds /v1 by itself.
    code = code.replace("http://127.0.0.1:8080/v1", gateway.url)
    code = code.replace("http://127.0.0.1:8080", gateway.url.removesuffix("/v1"))
    code = code.replace('"KEY"', f'"{KEY}"')
    if kind == "py":
        environment, packages = PACKAGES[name]
        command: list[object] = [
            installed(environment, packages),
            _written(tmp_path / "block.py", code),
        ]
    else:
        folder = node_modules()
        command = [node_of(folder), _written(folder / f"{tmp_path.name}.mjs", code)]
    ran = run(command, tmp_path)
    assert ran.code == 0, ran.err
    assert "4" in ran.out
    assert upstream.decoded["m"] > 0


def _written(path: Path, code: str) -> Path:
    path.write_text(code)
    return path
