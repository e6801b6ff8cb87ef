"""23: nothing of the gateway is loaded that is not used; many requests leave nothing behind."""

from __future__ import annotations

import gc
import subprocess
import sys
from asyncio import StreamWriter

import workspan.serve.routes.scaling  # noqa: F401  # else loaded, and frozen, meanwhile
from gateway.rig import DONE, GOOD, Scripted, Seen, gate, replies, run, streams, whole

EXTRAS = ("uvicorn", "uvloop", "httptools", "starlette", "prometheus_client", "psycopg")


def loaded(code: str) -> set[str]:
    """Return the top names that are loaded after some code."""
    ask = f"{code}\nimport sys; print(*sorted({{n.partition('.')[0] for n in sys.modules}}))"
    done = subprocess.run(
        [sys.executable, "-c", ask], capture_output=True, text=True, check=True, timeout=120
    )
    return set(done.stdout.split())


def test_the_command_line_loads_nothing_of_it() -> None:
    code = "import contextlib, workspan.cli.main as m\n"
    code += (
        "with contextlib.redirect_stdout(None), contextlib.suppress(SystemExit): m.main(['--help'])"
    )
    assert not loaded(code).intersection(EXTRAS)
    assert not loaded("import workspan").intersection(EXTRAS)


def test_serving_loads_no_heavy_library() -> None:
    names = loaded("import workspan.serve.running, workspan.serve.options")
    assert not names.intersection(("numpy", "scipy", "sympy", "matplotlib", "openvino_genai"))


def test_requests_leave_nothing_behind() -> None:
    """Objects, not bytes: what allocators keep for later is none of ours."""

    async def main() -> None:
        async def answer(server: Scripted, seen: Seen, writer: StreamWriter) -> None:
            one = streams(*GOOD, DONE) if seen.value.get("stream") else replies(whole())
            await one(server, seen, writer)

        async with Scripted(answer).serve() as up, gate(up.url) as gw:

            async def some(times: int) -> int:
                for number in range(times):
                    assert (await gw.ask(stream=number % 2 == 0)).status == 200
                gw.log.records.clear()
                up.seen.clear()
                gc.collect()
                return len(gc.get_objects())

            await some(100)  # the last so many are remembered
            before = await some(40)
            after = await some(120)
            assert after - before < 120  # less than one object a request

    run(main)
