"""How many tokens a prompt takes: asked of servers that tell, bounded from above for the others."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from workspan.data.types import Message, Request
from workspan.engines.endpoint.dialect import Form, chat_prompt, plain_prompt
from workspan.errors import EngineError

_FRAME = 16
"""Tokens that a chat template puts around a message, at most."""
_MARGIN = 128
"""Tokens that a template adds by itself, such as a default system message."""
_TOLD = 1024
"""Tokens of what is said about tools and forms, beside their own words, at most."""
_SPREAD = 2
"""Bytes of a template's JSON for each of ours: some put every field on a line of its own."""
_REMEMBERED = 512
_PROBE = Request(prompt=(Message("user", "a"),))
"""Tells whether a server has a route for counting, before it is shown a prompt there."""

Ask: TypeAlias = Callable[[str, object], Awaitable[Any]]
"""Posts a body to an address of the server and returns the decoded answer."""


def _key(request: Request) -> object:
    return request.prompt, request.prefix, request.tools, request.response_format


def _media(request: Request) -> int:
    """Count the parts whose size no text tells."""
    return sum(len(turn.media) for turn in request.prompt if isinstance(turn.content, tuple))


def _size(turn: Message) -> int:
    """Return the bytes of a message's texts; JSON may be spread out by a template."""
    beside = (turn.reasoning, turn.refusal or "", turn.name, turn.tool_call_id)
    if not (turn.tool_calls or any(beside) or turn.extra):
        return len(turn.text.encode())
    json_size = sum(
        len(f"{call.id}{call.name}{call.arguments}{call.extra.text}".encode())
        for call in turn.tool_calls
    )
    whole = "".join((turn.text, *beside))
    frames = _FRAME * (1 + len(turn.tool_calls))
    return len(whole.encode()) + _SPREAD * (json_size + len(turn.extra.text.encode())) + frames


def _told_size(request: Request) -> int:
    """Bound what a template or a provider tells a model of its tools and of the answer's form."""
    told = [tool.fields.text for tool in request.tools]
    if request.response_format is not None:
        told.append(request.response_format.text)
    return _TOLD + _SPREAD * sum(len(text.encode()) for text in told)


class PromptSizes:
    """Token counts of prompts, each asked once.

    Two routes are known: llama.cpp's `/v1/chat/completions/input_tokens` and vLLM's `/tokenize`,
    which llama.cpp has for plain text.
    """

    def __init__(
        self, form: Form, model: str, url: str, ask: Ask, media_tokens: int | None = None
    ) -> None:
        """Begin without knowing anything.

        Args:
            form: what is asked for.
            model: its name.
            url: of the server.
            ask: see `Ask`.
            media_tokens: the most that one image, sound or file takes; None if nobody knows.
        """
        self._form = form
        self._model = model
        self._ask = ask
        self._routes = [f"{url}/chat/completions/input_tokens"] if form == "chat" else []
        if url.endswith("/v1"):
            self._routes.append(url.removesuffix("/v1") + "/tokenize")
        self._is_tried = False
        self._media_tokens = media_tokens
        self._known: OrderedDict[object, int] = OrderedDict()
        self._margin = _MARGIN

    def bound(self, request: Request) -> int:
        """Return the known count, or a bound: a token is at least a byte in every vocabulary.

        Where it is not `is_bounded`, that of its texts alone.
        """
        known = self.known(request)
        if known is not None:
            return known
        size = sum(map(_size, request.prompt)) + self._media_tokens_of(request)
        if request.tools or request.response_format is not None:
            size += _told_size(request)
        return size + len(request.prefix.encode()) + _FRAME * len(request.prompt) + self._margin

    def is_bounded(self, request: Request) -> bool:
        """Tell whether anything bounds the prompt: nothing does where an image may be any size."""
        return self._media_tokens is not None or not _media(request)

    def _media_tokens_of(self, request: Request) -> int:
        return (self._media_tokens or 0) * _media(request)

    def known(self, request: Request) -> int | None:
        """Return the server's own count, if it was asked."""
        return self._known.get(_key(request)) if self._known else None

    def correct(self, request: Request, reported: int) -> None:
        """Learn from a server that counts more than our bound: its template is larger."""
        if self.known(request) is None and self.is_bounded(request):
            self._margin += max(0, reported - self.bound(request))

    async def count(self, request: Request) -> int:
        """Return the server's count, or the bound where it has no route for that."""
        if not self._is_tried:
            self._routes = [route for route in self._routes if await self._asked(route, _PROBE)][:1]
            self._is_tried = True
        if self._routes and self.known(request) is None and not _media(request):
            counted = await self._asked(self._routes[0], request)
            if counted:
                self._known[_key(request)] = counted
                while len(self._known) > _REMEMBERED:
                    self._known.popitem(last=False)
        return self.bound(request)

    async def _asked(self, route: str, request: Request) -> int | None:
        """Ask at a route; None if it does not open."""
        body: dict[str, Any] = {"model": self._model}
        if self._form == "chat":
            body |= chat_prompt(request)
            if request.tools:
                body["tools"] = [tool.fields.value for tool in request.tools]
        else:
            text = plain_prompt(request)  # the two servers give their fields different names
            body |= {"prompt": text, "content": text, "add_special": True}
        try:
            answer = await self._ask(route, body)
        except EngineError:
            return None
        if not isinstance(answer, dict):
            return None
        tokens = answer.get("tokens") if self._form == "completion" else None
        counted = answer.get("input_tokens") or answer.get("count") or len(tokens or ())
        return counted if isinstance(counted, int) and counted > 0 else None
