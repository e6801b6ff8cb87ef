"""One call warms a prompt's cache before its siblings fan out, where the engine caches prompts.

Equal prompts that are sent at once are each read anew: providers write a cache when a prompt was
read, and no sooner. So the first call of a prompt goes alone until its first token, which says that
its prompt was read; the others wait for that, and hold nothing meanwhile.
"""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass, field

import anyio

from workspan.core.engine import EngineInfo
from workspan.data.types import Request

_CHARACTERS_A_TOKEN = 4
"""Of a prompt whose tokens nobody has counted."""


@dataclass(slots=True)
class Warmth:
    """What is known of one prompt."""

    told: anyio.Event = field(default_factory=anyio.Event)
    """It is warm, or the call that was to warm it has failed."""
    is_warm: bool = False
    clock: int = 0
    """On the work-span clock: when it was warm. No sibling begins before that."""


@dataclass(slots=True)
class Warming:
    """The prompts of one run."""

    _prompts: dict[Hashable, Warmth] = field(default_factory=dict)

    def place(self, info: EngineInfo, request: Request) -> Hashable:
        """Return what calls share that share a cached prompt; None where it is not cached."""
        if info.caches is None:
            return None
        size = sum(len(text) for turn in request.prompt for text in turn.texts)
        size += sum(len(tool.fields.text) for tool in request.tools)
        if size < info.caches * _CHARACTERS_A_TOKEN:
            return None
        return request.engine, request.prompt, request.tools, request.response_format

    async def wait(self, place: Hashable) -> Warmth | int:
        """Return the warmth that the caller is to bring, or when it was warm by the clock."""
        while (warmth := self._prompts.get(place)) is not None:
            if warmth.is_warm:
                return warmth.clock
            await warmth.told.wait()
        self._prompts[place] = warmth = Warmth()
        return warmth

    def tell(self, warmth: Warmth, clock: int) -> None:
        """Let the siblings go: at this time of the clock the prompt was read."""
        if not warmth.told.is_set():
            warmth.is_warm, warmth.clock = True, clock
            warmth.told.set()

    def give_up(self, place: Hashable, warmth: Warmth) -> None:
        """Let the next sibling try, unless the prompt is warm."""
        if not warmth.told.is_set():
            del self._prompts[place]
            warmth.told.set()
