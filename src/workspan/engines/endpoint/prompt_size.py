"""How many tokens a prompt takes: asked of servers that tell, bounded from above for the others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from workspan.engines.endpoint.dialect import Form, chat_prompt, plain_prompt
from workspan.errors import EngineError
from workspan.types import Message, Request

_FRAME = 16
"""Tokens that a chat template puts around a message, at most."""
_MARGIN = 128
"""Tokens that a template adds by itself, such as a default system message."""
_REMEMBERED = 512
_PROBE = Request(prompt=(Message("user", "a"),))
"""Tells whether a server has a door for counting, before it is shown a prompt there."""

Ask: TypeAlias = Callable[[str, object], Awaitable[Any]]
"""Posts a body to an address of the server and returns the decoded answer."""


class PromptSizes:
    """Token counts of prompts, each asked once.

    Two doors are known: llama.cpp's `/v1/chat/completions/input_tokens` and vLLM's `/tokenize`,
    which llama.cpp has for plain text.
    """

    def __init__(self, form: Form, model: str, url: str, ask: Ask) -> None:
        self._form = form
        self._model = model
        self._ask = ask
        self._doors = [f"{url}/chat/completions/input_tokens"] if form == "chat" else []
        if url.endswith("/v1"):
            self._doors.append(url.removesuffix("/v1") + "/tokenize")
        self._is_tried = False
        self._known: OrderedDict[tuple[object, str], int] = OrderedDict()
        self._margin = _MARGIN

    def bound(self, request: Request) -> int:
        """Return the known count, or a bound: a token is at least a byte in every vocabulary."""
        known = self.known(request)
        if known is not None:
            return known
        size = sum(len(message.content.encode()) for message in request.prompt)
        return size + len(request.prefix.encode()) + _FRAME * len(request.prompt) + self._margin

    def known(self, request: Request) -> int | None:
        """Return the server's own count, if it was asked."""
        return self._known.get((request.prompt, request.prefix)) if self._known else None

    def correct(self, request: Request, reported: int) -> None:
        """Learn from a server that counts more than our bound: its template is larger."""
        if self.known(request) is None:
            self._margin += max(0, reported - self.bound(request))

    async def count(self, request: Request) -> int:
        """Return the server's count, or the bound where it has no door for that."""
        if not self._is_tried:
            self._doors = [door for door in self._doors if await self._asked(door, _PROBE)][:1]
            self._is_tried = True
        if self._doors and self.known(request) is None:
            counted = await self._asked(self._doors[0], request)
            if counted:
                self._known[request.prompt, request.prefix] = counted
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return self.bound(request)

    async def _asked(self, door: str, request: Request) -> int | None:
        """Ask at a door; None if it does not open."""
        body: dict[str, Any] = {"model": self._model}
        if self._form == "chat":
            body |= chat_prompt(request)
        else:
            text = plain_prompt(request)  # the two servers give their fields different names
            body |= {"prompt": text, "content": text, "add_special": True}
        try:
            answer = await self._ask(door, body)
        except EngineError:
            return None
        if not isinstance(answer, dict):
            return None
        tokens = answer.get("tokens") if self._form == "completion" else None
        counted = answer.get("input_tokens") or answer.get("count") or len(tokens or ())
        return counted if isinstance(counted, int) and counted > 0 else None
