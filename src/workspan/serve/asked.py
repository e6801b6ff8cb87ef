"""A request as the gateway understands it: what is asked, of whom, with which wishes, by whom."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

import msgspec

from workspan.data.budget import UNLIMITED, Budget
from workspan.protocol.chat import Chat, read_chat
from workspan.serve.store.keys import Key
from workspan.serve.trajectories.named import Named

if TYPE_CHECKING:
    from workspan.core.session import Strategy
    from workspan.serve.trajectories.book import Turn


@dataclass(frozen=True, slots=True)
class Wish:
    """What a request says beside what is to be answered, in ``workspan`` or in headers."""

    budget: Budget | None = None
    """Never above the operator's; None leaves it to that."""
    strategy: str | None = None
    """As it was written; `Asked.strategy` is what it stands for."""
    explain: bool = False
    """The reply is to say how the budget was spent, and a stream to tell what goes on."""
    is_batch: bool = False
    """It has no deadline: it stands behind all that do, and costs what batches cost."""
    trajectory: Named | None = None
    """The run of an agent that the request is a turn of."""


NO_WISH = Wish()


class Asked(msgspec.Struct, frozen=True, dict=True):
    """One request for a completion, checked: nothing was spent yet.

    `chat` is read where it is first needed. A request that is only passed on is never read whole,
    so that nothing is lost that we don't know.
    """

    body: bytes
    """As it goes upstream, byte for byte as it came but for ``workspan``."""
    wish: Wish
    upstream: str
    """The name of the engine that answers, or that answers first."""
    model: str
    """The name that the client asked for."""
    strategy: Strategy | None = None
    """None passes the request on as it is."""
    key: Key | None = None
    headers: Mapping[str, str] = msgspec.field(default_factory=dict)
    """The few that may go upstream, in lower case."""
    id: str = ""
    """Of the request: in the log, in errors, in `x-request-id`."""
    budget: Budget = UNLIMITED
    """What it may spend: the wish within the operator's limits."""
    notices: tuple[str, ...] = ()
    """What of it could not be put into Chat's words, and was left out."""
    turn: Turn | None = None
    """Its place in a trajectory; None where it is of none."""

    @cached_property
    def client(self) -> str:
        """Who asks, as a pool tells clients apart: a key, an agent's run, or what is asked."""
        if self.key is not None:
            return self.key.id
        if self.turn is not None:
            return self.turn.trajectory.id
        return blake2b(self.body, digest_size=16).hexdigest()

    @cached_property
    def chat(self) -> Chat:
        """The body as a chat.

        Raises:
            InputError: a field of it is none; it is named.
        """
        return read_chat(self.fields)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The body as JSON's values."""
        found: dict[str, Any] = msgspec.json.decode(self.body)
        return found
