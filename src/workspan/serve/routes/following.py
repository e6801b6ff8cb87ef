"""A turn that names no trajectory: found by what it goes on from, and remembered at its end."""

from __future__ import annotations

from dataclasses import dataclass, replace

from workspan.data.types import Message
from workspan.errors import InputError, StoreError
from workspan.serve.gateway import Gateway
from workspan.serve.relay.asking import Passed
from workspan.serve.seeing.record import Record
from workspan.serve.trajectories.named import Named
from workspan.serve.trajectories.prefix import Hearer, prefix_after, prefixes
from workspan.serve.wire.exchange import Exchange


async def followed(gateway: Gateway, exchange: Exchange, passed: Passed, record: Record) -> Passed:
    """Give a request its trajectory, where the operator lets them be found and it names none.

    Raises:
        Refused: there are too many.
        StoreGone: the store can't be asked.
    """
    asked, book = passed.asked, gateway.trajectories
    if asked.turn is not None or not book.rules.by_prefix:
        return passed
    try:
        prompt = passed.as_chat.asked.chat.request.prompt
    except InputError:  # it can't be compared; whether it can be asked, others say
        return passed
    scope = f"{exchange.key_id}\n"
    name = await book.follow(prefixes(scope, prompt)) or f"by prefix {asked.id}"
    wish = asked.wish.trajectory or Named()
    named = replace(asked.wish, trajectory=replace(wish, name=name, is_found=True))
    joined = await gateway.joined(replace(asked, wish=named), record)
    exchange.hears = _Hearing(gateway, scope, prompt, Hearer(passed.form), name)
    return replace(passed, asked=joined)


@dataclass(slots=True)
class _Hearing:
    """Remembers what goes on from an answer, before its client can go on from it."""

    gateway: Gateway
    scope: str
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
            await self.gateway.trajectories.remember(found, self.name)
        except StoreError as error:  # this process knows it all the same
            self.gateway.log.store(error)
