"""The reasoner keeps an engine's promises, its bills exact whatever is cut."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from random import Random

import anyio
import pytest
from anyio.lowlevel import checkpoint

from workspan.core.engine import Bill
from workspan.data.types import Message, Request
from workspan.errors import ContextExceeded, EngineRejected, SpecError
from workspan.spec.engines import open_engine
from workspan.testing.engine_suite import check_engine, draw
from workspan_evidence.families.connectivity import Deep
from workspan_evidence.reasoner import catalogue
from workspan_evidence.reasoner.chain import Chain
from workspan_evidence.reasoner.engine import LEG, Reasoner, _Call
from workspan_evidence.reasoner.model import Model
from workspan_evidence.reasoner.untrained import SHAPE, untrained

SMALL = replace(SHAPE, d=32, layers=2, heads=2, ff=48, context=128)
MODEL = Model(SMALL, untrained(SMALL))


def asked(d: int = 3, seed: int = 1, max_tokens: int = 24) -> Request:
    text = Deep(d).problem(Random(d)).text
    return Request((Message("user", text),), max_tokens=max_tokens, temperature=1.0, seed=seed)


def engine() -> Reasoner:
    return Reasoner(MODEL, "untrained")


class Counting(Reasoner):
    """Counts what its thread decodes."""

    def __init__(self) -> None:
        super().__init__(MODEL, "untrained")
        self.decoded = 0
        self.widths: list[int] = []

    def _leg(self, calls: Sequence[_Call], gone: set[Chain]) -> None:
        before = sum(len(call.chain.tokens) for call in calls)
        super()._leg(calls, gone)
        self.decoded += sum(len(call.chain.tokens) for call in calls) - before
        self.widths.append(len(calls))


def test_the_reasoner_conforms() -> None:
    anyio.run(check_engine, engine(), asked())


def test_a_seed_repeats_whatever_runs_beside_it() -> None:
    async def main() -> None:
        alone = {seed: (await draw(engine(), asked(seed=seed)))[0] for seed in range(12)}
        used, texts = engine(), dict[int, str]()

        async def one(seed: int) -> None:
            for _ in range(seed % 4):
                await checkpoint()
            texts[seed] = (await draw(used, asked(seed=seed)))[0]

        async with anyio.create_task_group() as group:
            for seed in range(12):
                group.start_soon(one, seed)
                group.start_soon(draw, used, asked(d=2, seed=seed))
        assert texts == alone

    anyio.run(main)


def test_chains_that_run_together_are_one_batch() -> None:
    async def main() -> None:
        used = Counting()
        async with anyio.create_task_group() as group:
            for seed in range(30):
                group.start_soon(draw, used, asked(seed=seed))
        assert used.widths[0] == 30
        assert len(used.widths) == -(-24 // LEG)

    anyio.run(main)


@pytest.mark.parametrize("ticks", range(0, 60, 4))
def test_bills_add_up_to_what_was_decoded_wherever_a_run_is_cut(ticks: int) -> None:
    async def main() -> None:
        used, bills = Counting(), [Bill() for _ in range(9)]

        async def one(i: int) -> None:
            async with aclosing(used.stream(asked(seed=i), bills[i])) as chunks:
                async for _ in chunks:
                    if i % 3 == 0:
                        break

        async with anyio.create_task_group() as group:
            for i in range(9):
                group.start_soon(one, i)
            for _ in range(ticks):
                await anyio.sleep(0.0005)
            group.cancel_scope.cancel()
        assert sum(bill.usage.output_tokens for bill in bills) == used.decoded
        assert all(bill.usage.unseen_tokens == 0 for bill in bills)

    anyio.run(main)


def test_a_prompt_is_read_once() -> None:
    async def main() -> None:
        used = engine()
        first, *others = [(await draw(used, asked(seed=seed)))[2].usage for seed in range(4)]
        assert first.cached_tokens == 0
        assert all(usage.prefill == 0 for usage in others)
        further = replace(asked(), prefix="n5 <")
        usage = (await draw(used, further))[2].usage
        assert usage.prefill == 2
        assert usage.input_tokens == first.input_tokens + 2 == await used.count(further)

    anyio.run(main)


def test_a_chain_goes_on_from_its_prefix_as_if_it_had_not_stopped() -> None:
    async def main() -> None:
        greedy = replace(asked(max_tokens=12), temperature=0.0)
        whole, _, _ = await draw(engine(), greedy)
        half, _, _ = await draw(engine(), replace(greedy, max_tokens=5))
        rest, _, _ = await draw(engine(), replace(greedy, prefix=half, max_tokens=7))
        assert half + rest == whole

    anyio.run(main)


def test_a_chain_ends_where_the_context_does() -> None:
    async def main() -> None:
        request = asked(max_tokens=1000)
        size = await engine().count(request)
        for seed in range(30):
            _, finish, bill = await draw(engine(), replace(request, seed=seed))
            if finish == "length":
                assert bill.usage.output_tokens == SMALL.context - size
                break
        with pytest.raises(ContextExceeded):
            await draw(engine(), replace(request, prefix="n1 " * 1000))

    anyio.run(main)


@pytest.mark.parametrize(
    "prompt",
    [
        (Message("user", "Count from one to twenty."),),
        (Message("user", "n1 n2"),),
        (Message("system", "<s>"), Message("user", "<s>")),
        (),
    ],
)
def test_another_language_is_refused_before_any_spend(prompt: tuple[Message, ...]) -> None:
    async def main() -> None:
        bill = Bill()
        with pytest.raises(EngineRejected):
            await draw(engine(), Request(prompt), bill)
        assert bill.usage.calls == 0

    anyio.run(main)


def test_unknown_weights_are_named() -> None:
    with pytest.raises(SpecError, match="no reasoner 'grafs'"):
        anyio.run(open_engine, "reasoner:grafs")
    with pytest.raises(SpecError, match="no file"):
        anyio.run(open_engine, "reasoner:elsewhere.safetensors")


@pytest.mark.parametrize("name", catalogue.names())
def test_the_packages_weights_open(name: str) -> None:
    used = anyio.run(open_engine, f"reasoner:{name}")
    assert used.info.model.startswith(f"{name}-")
