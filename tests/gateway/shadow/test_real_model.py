"""The whole way on a real small model: answered, run beside, labelled, advised."""

from __future__ import annotations

import asyncio
import json
import time
from fractions import Fraction
from pathlib import Path

import pytest
from typer.testing import CliRunner

from gateway.rig import gate
from gateway.shadow.rig import VOTE, kept, outcomes, usage
from gateway.test_keys_http import bearing, key_for
from workspan.answers.number import value
from workspan.cli.main import app
from workspan.engines import models
from workspan.lab.advising.advice import FEWEST, advise
from workspan.lab.advising.kept import Label, Shadowed, ShadowStore
from workspan.serve.config import Upstream
from workspan.serve.shadow.stated import read_shadow
from workspan.store.database import database_at

pytestmark = [pytest.mark.heavy, pytest.mark.timeout(1800)]

SUMS = [(a, b) for a in range(1, 6) for b in range(1, 6)]
SHADOW = f"share=1, strategies=['{VOTE}'], budget='100k work/day', keeps='texts', seconds=600"


async def served(path: Path) -> None:
    """Answer one sum after the other; what is run beside waits until nobody asks."""
    headers = bearing(await key_for(path, "100k work/day"))
    small = Upstream("small", f"embedded:{models.fetch(models.DEFAULT).name}")
    async with gate(small, store=str(path), shadow=read_shadow(SHADOW)) as gw:
        for place, (a, b) in enumerate(SUMS):
            question = f"What is {a} + {b}? Reply with a single number."
            turns = [{"role": "user", "content": question}]
            got = await gw.post(
                {"model": "small", "messages": turns, "max_tokens": 16}, headers=headers
            )
            assert got.status == 200, got.body
            assert await outcomes(gw, place + 1) == {"kept": place + 1}


async def labelled(path: Path, requests: list[Shadowed]) -> None:
    """Say of each answer whether it is the sum that its question asks for."""
    database = database_at(str(path))
    await database.open()
    for one in requests:
        assert one.question is not None
        words = one.question.partition("What is ")[2].partition("?")[0].split(" + ")
        for said in one.answers:
            assert said.text is not None
            is_right = value(said.text) == Fraction(sum(map(int, words)))
            label = Label(said.number, "sums", "right" if is_right else "wrong", time.time())
            await ShadowStore(database).label(one.id, label)
    await database.aclose()


def test_advice_on_a_real_model(tmp_path: Path) -> None:
    path = tmp_path / "s.db"
    asyncio.run(served(path))
    requests = asyncio.run(kept(path))
    assert len(requests) == len(SUMS) > FEWEST
    asyncio.run(labelled(path, requests))
    spent = asyncio.run(usage(path, time.time()))
    beside = sum(arm.work for one in requests for arm in one.beside)
    assert spent["shadow"].totals.work == beside
    assert spent["client"].totals.work == sum(one.now.work for one in requests)
    [advice] = advise(asyncio.run(kept(path)))
    [found] = advice.compared
    assert (advice.kind, found.truth, found.judged) == ("number", "labels", len(SUMS))
    assert found.cost > advice.cost_now
    assert found.difference is not None
    assert found.low <= found.difference <= found.high
    shown = CliRunner().invoke(app, ["advise", "--store", str(path), "--json"])
    row = json.loads(shown.stdout)
    assert (row["verdict"], row["difference"]) == (advice.verdict, found.difference)
    print(shown.stdout)  # noqa: T201  # what a person who runs it wishes to see
