"""A turn that names no trajectory: found by what it goes on from, and remembered at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from msgspec import structs

from workspan.data.types import Message
from workspan.errors import InputError, StoreError
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
from workspan.serve.seeing.record import Record
from workspan.serve.trajectories.named import Named
from workspan.serve.trajectories.prefix import Hearer, apart, prefix_after, prefixes
from workspan.serve.wire.exchange import Exchange

NAMELESS = (
    "workspan.trajectory must be given: without the name of a run, it is found by the chat that a "
    "request goes on from"
)
"""Begins the refusal of what says more of a run, and can't be found."""


_MARKS = ("prompt_cache_key", "safety_identifier", "user", "metadata")
"""Fields by which clients tell their users and sessions apart: Codex writes a session's id into the
first, Claude Code into the last."""


async def followed(gateway: Gateway, exchange: Exchange, passed: Passed, record: Record) -> Passed:
    """Give a request that names no trajectory the one that it goes on from, or a new one.

    So it is where the operator lets all be found, or the request itself says more of its run. What
    can't be compared with others is a run of its own.

    Raises:
        InputError: it says more, and its prompt can't be compared with others.
        Refused: there are too many.
        StoreGone: the store can't be asked.
    """
    asked, book = passed.asked, gateway.trajectories
    wish = asked.wish.trajectory
    if asked.turn is not None or not (book.rules.by_prefix or wish):
        return passed
    scope = f"{exchange.key_id}\n"
    prompt: tuple[Message, ...] = ()
    try:
        prompt = passed.as_chat.asked.chat.request.prompt
    except InputError as error:  # whether it can be asked, others say
        if wish is not None:
            raise InputError(f"{NAMELESS}; this prompt can't be compared: {error}") from None
    marks = _marks(passed, wish)
    before = apart(prefixes(scope, prompt), marks)
    name = await book.follow(before, in_pairs=bool(marks)) or f"by prefix {asked.id}"
    found = replace(wish or Named(), name=name, is_found=True)
    named = replace(asked.wish, trajectory=found)
    joined = await gateway.joined(structs.replace(asked, wish=named), record)
    if prompt:
        exchange.hears = _Hearing(gateway, scope, marks, prompt, Hearer(passed.form), name)
    return structs.replace(passed, asked=joined)


def _marks(passed: Passed, wish: Named | None) -> str:
    """Return what a request says of whose it is, and of its run's budget; empty where nothing."""
    said = [passed.body.raw(name).decode() for name in _MARKS]
    budget = "" if wish is None or wish.budget is None else str(wish.budget)
    return "\n".join([budget, *said]) if budget or any(said) else ""


@dataclass(slots=True)
class _Hearing:
    """Remembers what goes on from an answer, before its client can go on from it."""

    gateway: Gateway
    scope: str
    marks: str
    prompt: tuple[Message, ...]
    hearer: Hearer
    name: str

    async def __call__(self, said: bytes, *, is_last: bool) -> None:
        """Take a part; at the last one keep the hash of each answer."""
        self.hearer.hear(said)
        if not is_last or not (answers := self.hearer.answers()):
            return
        found = [prefix_after(self.scope, self.prompt, answer) for answer in answers]
        try:
            kept = apart(found, self.marks)
            await self.gateway.trajectories.remember(kept, self.name)
        except StoreError as error:  # this process knows it all the same
            self.gateway.log.store(error)
