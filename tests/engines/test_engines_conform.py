"""Every engine keeps the promises of `workspan.testing.engine_suite`."""

from __future__ import annotations

import anyio
import pytest

from workspan.data.types import Request
from workspan.engines import models
from workspan.engines.embedded import Embedded
from workspan.engines.endpoint import Endpoint
from workspan.testing.engine_suite import REQUEST, check_engine
from workspan.testing.scripted import FaultyEngine, RecordedEngine, ScriptedEngine
from workspan.testing.server import Behaviour, SimulatedServer
from workspan.testing.strategy_suite import chatter


def wordy(request: Request) -> str:
    return chatter(request) + " one two three four five six"


@pytest.mark.parametrize("overshoot", [0, 8])
def test_the_scripted_engine_conforms(overshoot: int) -> None:
    anyio.run(check_engine, ScriptedEngine(wordy, overshoot=overshoot))


def test_the_faulty_engine_conforms_where_it_has_no_fault() -> None:
    anyio.run(check_engine, FaultyEngine(wordy))


def test_the_recorded_engine_conforms() -> None:
    chains = [(f"chain {i} Answer: {i}", 5 + i) for i in range(40)]
    anyio.run(check_engine, RecordedEngine(chains={REQUEST.prompt[-1].text: chains}))


@pytest.mark.parametrize("form", ["chat", "completion"])
def test_the_endpoint_conforms(form: str) -> None:
    async def main() -> None:
        server = SimulatedServer(Behaviour(text="one two three four five " * 9, is_numbered=True))
        async with server.serve():
            engine = Endpoint(server.url, "simulated", api_key="", form=form, sends_seed=False)  # type: ignore[arg-type]
            try:
                await check_engine(engine)
            finally:
                await engine.aclose()

    anyio.run(main)


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["openvino", "llama"])
def test_the_embedded_engine_conforms(runtime: str) -> None:
    models.fetch(models.DEFAULT)

    async def main() -> None:
        engine = Embedded(runtime=runtime)  # type: ignore[arg-type]
        try:
            await check_engine(engine)
        finally:
            await engine.aclose()

    anyio.run(main)
