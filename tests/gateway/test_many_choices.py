"""A request for very many choices is refused at once: each of them would be counted apart."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.rig import Scripted, gate, replies, run, whole

MANY: dict[str, tuple[str, dict[str, Any]]] = {
    "n": ("/chat/completions", {"messages": [{"role": "user", "content": "Hi"}], "n": 10**12}),
    "best_of": ("/completions", {"prompt": "Hi", "best_of": 10**12}),
    "prompts": ("/completions", {"prompt": [[1]] * 5_000}),
    "both": ("/completions", {"prompt": ["Hi"] * 100, "n": 100}),
}


@pytest.mark.parametrize("kind", MANY)
def test_they_are_refused(kind: str) -> None:
    path, fields = MANY[kind]

    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            for model in ("m", "m:auto"):
                got = await gw.post({"model": model, **fields}, path)
                assert got.status == 400
                assert "at most 4096 choices" in got.error["message"]
            assert up.seen == []

    run(main)
