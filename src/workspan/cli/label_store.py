"""Judging the answers of shadowed requests: ``workspan label --store``."""

from __future__ import annotations

import time
from collections.abc import Sequence
from itertools import combinations
from typing import TYPE_CHECKING

import anyio
from rich.panel import Panel
from rich.text import Text

from workspan.cli.judging import Typed, ask, cut, said_of
from workspan.cli.plain import say_json
from workspan.cli.terminal import Terminal
from workspan.legible import counted, one_line

if TYPE_CHECKING:
    from workspan.lab.advising.kept import Label, Shadowed
    from workspan.lab.labelling.shadowed import ToJudge


def label_store(store: str, since: str, who: str, n: int, *, every: bool, json: bool) -> None:
    """Judge up to n answers of a store; each judgement is kept as it is made.

    Raises:
        InputError: there is nothing to judge.
    """
    from workspan.lab.advising.past import past
    from workspan.lab.labelling.shadowed import to_judge

    moment = past(since, time.time())
    wanted = to_judge(anyio.run(_read, store, moment), every=every)
    done = {one.place for one in wanted if who in _labellers(one)}
    left = [one for one in wanted if one.place not in done][:n]
    _judge(store, left, who, len(done), len(wanted))
    _close(anyio.run(_read, store, moment), who, len(wanted), json=json)


def _labellers(one: ToJudge) -> set[str]:
    return {label.labeller for label in one.request.labels if label.number == one.said.number}


def _judge(store: str, left: Sequence[ToJudge], who: str, done: int, total: int) -> None:
    from workspan.lab.advising.kept import Label

    place = 0
    while place < len(left):
        one = left[place]
        _show(one, done + place + 1, total)
        typed: Typed = ask()
        if typed.is_over:
            return
        if typed.is_back:
            place = max(0, place - 1)
        elif typed.verdict is not None:
            label = Label(one.said.number, who, typed.verdict, time.time())
            if not anyio.run(_keep, store, one, label):
                said = "not kept: the gateway has dropped this request since, see days in --shadow"
                Terminal(stderr=True).print(Text(said, "dim"))
            place += 1


def _show(one: ToJudge, number: int, total: int) -> None:
    """Show question and answer: never which setting gave it, how often, or what it cost."""
    console = Terminal(stderr=True)
    console.rule(Text(f"{number} of {total}"))
    console.print(Text(cut(one.request.question or "")))
    console.print(Panel(Text(cut(one.said.text or "")), title="answer", expand=False))


def _close(requests: Sequence[Shadowed], who: str, total: int, *, json: bool) -> None:
    """Say what there is by now, and how far labellers agree."""
    from workspan.lab.labelling.kappa import kappa
    from workspan.lab.labelling.shadowed import by_labeller

    held = by_labeller(requests)
    judged = len(held.get(who, ()))
    pairs = {
        f"{first}, {second}": kappa(held[first], held[second])
        for first, second in combinations(sorted(held), 2)
    }
    if json:
        told = {name: found._asdict() for name, found in pairs.items()}
        say_json({"labeller": who, "judged": judged, "answers": total, "kappa": told})
        return
    console = Terminal()
    console.print(
        f"{one_line(who, 40)} judged {judged} of {counted(total, 'answer')}; workspan advise uses "
        "them",
        soft_wrap=True,
    )
    for name, found in pairs.items():
        console.print(f"agreement of {one_line(name, 80)}: {said_of(found)}", soft_wrap=True)


async def _read(store: str, since: float) -> list[Shadowed]:
    from workspan.lab.advising.kept import MADE_BY, ShadowStore
    from workspan.store.database import opened_database

    async with opened_database(store, made_by=MADE_BY, is_made=False) as database:
        return await ShadowStore(database).since(since)


async def _keep(store: str, one: ToJudge, label: Label) -> bool:
    from workspan.lab.advising.kept import MADE_BY, ShadowStore
    from workspan.store.database import opened_database

    async with opened_database(store, made_by=MADE_BY, is_made=False) as database:
        return await ShadowStore(database).label(one.request.id, label)
