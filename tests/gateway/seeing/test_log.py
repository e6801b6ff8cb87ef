"""The log: one line of JSON a request, with documented fields, and nothing that anybody wrote."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

from gateway.rig import Scripted, gate, replies, run, whole
from workspan.serve.seeing.log import RequestLog
from workspan.serve.seeing.record import Record

DOCS = Path(__file__).parents[3] / "docs" / "howto" / "gateway-deploy.md"


def lines(*records: Record) -> list[str]:
    stream = io.StringIO()
    log = RequestLog(stream)
    for one in records:
        log.add(one)
    return stream.getvalue().splitlines()


def test_every_field_is_documented_and_no_other() -> None:
    (line,) = lines(Record("r1"))
    section = DOCS.read_text().split("## The log", 1)[1].split("\n## ", 1)[0]
    documented = set(re.findall(r"^\| `(\w+)`", section, re.MULTILINE))
    assert documented == set(json.loads(line))


def test_a_name_that_a_client_wrote_can_not_break_out_of_its_line() -> None:
    hostile = 'm\n{"event":"request","status":200}\r\x1b[2J\u202e\u0085\u2028"'
    (line,) = lines(Record("r1", asked_model=hostile))
    told = json.loads(line)
    assert "\x1b" not in told["model"]
    assert "\n" not in told["model"]
    assert len(lines(Record("r", asked_model="x" * 10_000))[0]) < 1_500


def test_no_prompt_key_or_header_is_in_it() -> None:
    async def main() -> None:
        async with (
            Scripted(replies(whole("SECRET-ANSWER"))).serve() as up,
            gate(up.url, shows_content=True) as gw,
        ):
            headers = {
                "Authorization": "Bearer SECRET-KEY",
                "Cookie": "SECRET-COOKIE",
                "traceparent": "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            }
            body = {
                "model": "m",
                "user": "SECRET-USER",
                "messages": [{"role": "user", "content": "SECRET-PROMPT"}],
            }
            await gw.post(body, headers=headers)
            (line,) = lines(await gw.record())
            assert "SECRET" not in line
            assert json.loads(line)["status"] == 200

    run(main)
