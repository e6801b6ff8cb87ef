"""What an operator lets be shown, of all dialects: the last turn, and what was answered."""

from __future__ import annotations

import pytest

from gateway.dialects.speech import (
    BODIES,
    ITEM,
    MESSAGE,
    PATHS,
    RESPONSE,
    chat,
    chatting,
    native,
    spoken,
    wholly,
)
from gateway.rig import Scripted, gate, run
from workspan.serve.seeing.content import answer


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("how", ["native", "whole", "chat"])
@pytest.mark.parametrize("shows", [True, False])
def test_it_is_shown_only_where_it_may_be(path: str, how: str, *, shows: bool) -> None:
    response = {**RESPONSE, "status": "completed", "output": [ITEM]}
    message = {**MESSAGE, "content": [{"type": "text", "text": "It is 4"}]}
    told = {
        "native": native(*spoken(path, "It", " is 4")),
        "whole": wholly(response if path == "/responses" else message),
        "chat": chatting(*chat({"content": "It is 4"})),
    }

    async def main() -> None:
        async with Scripted(told[how]).serve() as up, gate(up.url, shows_content=shows) as gw:
            got = await gw.post({**BODIES[path], "stream": how != "whole"}, path)
            assert got.status == 200
            record = await gw.record()
            assert record.prompt == ("Hi" if shows else "")
            assert answer(record) == ("It is 4" if shows else "")

    run(main)
