"""A request as it goes to one upstream: in that one's dialect, capped by its budget, counted."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Any, Literal, TypeAlias

import msgspec
from msgspec import structs

from workspan.core.engine import Price
from workspan.data.content import JsonObject, ToolSpec
from workspan.data.types import Request
from workspan.engines.endpoint.lessons import CAP_NAMES
from workspan.errors import InputError, UnsupportedCapability
from workspan.legible import quoted
from workspan.protocol.carried import Carried
from workspan.serve.asked import Asked
from workspan.serve.dialects import DIALECTS, Dialect
from workspan.serve.dialects.base import Form as DialectForm
from workspan.serve.prices import IN_BATCHES, PriceRow, price_asked
from workspan.serve.relay.body import Body
from workspan.serve.relay.charge import Limited, Plan
from workspan.serve.relay.counts import UNCAPPED, Counts
from workspan.serve.relay.native.asking import said_of_effort, written_in
from workspan.serve.relay.native.backward import TONGUES
from workspan.serve.relay.thinking import said_of_thinking, set_thinking
from workspan.serve.relay.upstream import Server

Form: TypeAlias = Literal["chat", "completion", "embedding", "response", "message"]

PATHS: dict[Form, str] = {
    "chat": "chat/completions",
    "completion": "completions",
    "embedding": "embeddings",
    **{dialect.form: dialect.path for dialect in DIALECTS.values()},
}
UNSTATED_CAP = 16_384
"""Tokens of a whole reply under a limit, where neither client nor budget caps it: all are held, or
a share of what is left, where that is less."""
MOST_CHOICES = 4096
"""Of one request, those of all its prompts: each is counted apart, whatever the upstream makes of
them."""
_TOLD_OF_TOOLS = 1024
"""Tokens that a provider's own words about tools take, at most: Anthropic states some hundreds."""
_FRAME = 64
"""Tokens around a prompt's own bytes, at most."""
_CALLS = (ToolSpec(JsonObject('{"type":"function"}')),)
"""Stands for whatever tools a request has: what is counted is only that there are some."""


class Passed(msgspec.Struct, frozen=True, dict=True, weakref=True):
    """One request that is passed on: what of its body matters to the gateway."""

    asked: Asked
    body: Body
    form: Form
    is_streamed: bool = False
    wants_usage: bool = False
    """The client asked for usage at the end of its stream."""
    n: int = 1
    """Choices: of each prompt, where there are several."""
    cap: int | None = None
    """As the client stated it, of one choice."""
    cap_name: str = ""
    """What it called it."""
    backward: DialectForm | None = None
    """A chat that is asked in another dialect, since the upstream speaks nothing else."""
    dialect: Dialect | None = None
    """In which it is asked, where that is not Chat Completions or a form of its own."""
    tier: str = ""
    """The service tier that the client asked for."""

    @classmethod
    def read(cls, asked: Asked, body: Body, form: Form) -> Passed:
        """Read what matters; the rest is the upstream's to judge.

        Raises:
            InputError: a field that the account rests on is none.
        """
        tier = body.get("service_tier", str, "a text") or ""
        if form == "embedding":
            return cls(asked, body, form, tier=tier)
        if (dialect := DIALECTS.get(form)) is not None:
            return cls._of_dialect(asked, body, dialect, tier)
        is_streamed = bool(body.get("stream", bool, "true or false"))
        options = body.get("stream_options", dict[str, Any], "an object") or {}
        n = _count(body, "n") or 1
        best = (_count(body, "best_of") or 1) if form == "completion" else 1
        prompts = _prompts(body) if form == "completion" else 1
        cap, name = _cap(body, least=1 if form == "chat" else 0)
        wants = options.get("include_usage") is True
        choices = max(n, best) * prompts
        if choices > MOST_CHOICES:
            raise InputError(f"one request has at most {MOST_CHOICES} choices, not {choices}")
        return cls(asked, body, form, is_streamed, wants, choices, cap, name, tier=tier)

    @classmethod
    def _of_dialect(cls, asked: Asked, body: Body, dialect: Dialect, tier: str) -> Passed:
        """Read what matters of another dialect, whose streams always tell their usage."""
        is_streamed = bool(body.get("stream", bool, "true or false"))
        cap = _count(body, dialect.cap)
        named = dialect.cap if cap is not None else ""
        form = dialect.form
        return cls(asked, body, form, is_streamed, True, 1, cap, named, dialect=dialect, tier=tier)

    @cached_property
    def carried(self) -> Carried:
        """The same request in Chat's words.

        Raises:
            InputError: something in it can't be said in them.
        """
        assert self.dialect is not None  # a chat is asked in its own
        return self.dialect.carry(self.asked.fields)

    @property
    def spaces(self) -> Mapping[str, tuple[str, str]]:
        """Namespaces of tools, where it was put into Chat's words."""
        return self.carried.spaces if "carried" in self.__dict__ else {}

    @property
    def as_chat(self) -> Passed:
        """The same request as a chat, for an upstream that speaks no other.

        Raises:
            InputError: something in it can't be said there.
        """
        return self if self.dialect is None else self._carried_over

    @cached_property
    def _carried_over(self) -> Passed:
        body = Body.read(msgspec.json.encode(self.carried.body))
        asked = structs.replace(self.asked, body=body.written(), notices=self.carried.notices)
        return Passed.read(asked, body, "chat")

    def _in(self, form: DialectForm) -> Passed:
        """Return a chat that is to be asked in another dialect.

        Raises:
            InputError: something in it can't be said there.
        """
        told = TONGUES[form].tell(self.asked.fields)
        notices = (*self.asked.notices, *told.notices)
        headers = {**DIALECTS[form].needed, **self.asked.headers}
        asked = structs.replace(self.asked, notices=notices, headers=headers)
        return structs.replace(self, asked=asked, backward=form)

    async def at(self, server: Server) -> Passed:
        """Return what one upstream is asked, in a dialect that it speaks.

        Raises:
            InputError: it speaks another, in which something of this can't be said.
            UnsupportedCapability: it speaks neither.
        """
        speaks: bool | None = False
        if self.dialect is not None:
            speaks = await server.spoken.speaks(self.dialect, server)
        if speaks:
            return self
        if self.form in ("chat", *DIALECTS) and not server.spoken.has_chat:
            if (form := server.spoken.instead) is not None:
                return self.as_chat._in(form)
            asked = self.dialect.name if self.dialect is not None else "chat"
            said = f"{server.name} does not speak {asked}, by the operator's word (--speaks)"
            raise UnsupportedCapability(said)
        try:
            return self.as_chat
        except InputError:
            if speaks is None:  # nobody was there to be asked: so its own trouble is told
                return self
            raise

    @property
    def path(self) -> str:
        """Below the upstream's address."""
        return PATHS[self.backward or self.form]

    def allowed(self, server: Server, limited: Limited) -> int | None:
        """Return the cap of one choice within the budget; None is none.

        Where there is not one token for each choice, the account refuses what is held.
        """
        budget = self.asked.budget
        caps = [] if self.cap is None else [self.cap]
        bought = self._bought(budget.cost, server)
        caps += [self._each(one) for one in (budget.work, bought) if one is not None]
        if budget.span is not None:
            caps.append(budget.span)
        if not caps and limited.tokens and not self.is_streamed:
            caps.append(UNSTATED_CAP)
        return min(caps, default=None)

    def left(self, server: Server, limited: Limited) -> int | None:
        """Return the tokens that an account has not spent, money counted; None is no limit."""
        rooms = (limited.work_left, self._bought(limited.cost_left, server))
        return min((one for one in rooms if one is not None), default=None)

    def _each(self, tokens: int) -> int:
        """Return as many for each choice, one at least."""
        return max(1, tokens // self.n)

    def _bought(self, money: Decimal | None, server: Server) -> int | None:
        """Return the tokens that an amount of money buys beside the prompt."""
        price = None if money is None else self.price(server)
        if money is None or price is None or price.output <= 0:
            return None
        left = money - self.prompt_bound(server) * price.input / 1_000_000
        return max(0, int(left * 1_000_000 / price.output))

    def prompt_bound(self, server: Server) -> int:
        """Bound the prompt's tokens: a token is at least a byte.

        Raises:
            UnsupportedCapability: it holds an image, sound or file, and nothing bounds that.
        """
        if self.dialect is not None:
            return max(self._bound_as_chat(server), len(self.asked.body)) + _TOLD_OF_TOOLS
        if self.form == "chat":
            request = self.asked.chat.request
            if not server.sizes.is_bounded(request):
                raise UnsupportedCapability(
                    "nothing bounds the tokens of what is no text in the prompt, so that no limit "
                    f"on prefill or money can be kept: {server.name} has no media_tokens"
                )
            return server.sizes.bound(request)
        return len(self.body.raw("prompt") or self.body.raw("input")) + _FRAME

    def _bound_as_chat(self, server: Server) -> int:
        """Bound a prompt of another dialect: what Chat has no words for, nothing bounds.

        Raises:
            UnsupportedCapability: so it is, such as a search that the provider's servers make.
        """
        try:
            chat, unbounded = self.as_chat, "; ".join(self.carried.notices)
        except InputError as error:
            chat, unbounded = self, str(error).partition(",")[0]
        if unbounded:
            raise UnsupportedCapability(
                "nothing bounds the tokens that such a prompt comes to, so that no limit on "
                f"prefill or money can be kept: {unbounded}"
            )
        return chat.prompt_bound(server)

    def plan(self, server: Server, limited: Limited, cap: int | None) -> Plan:
        """Say what is to be held.

        Raises:
            UnsupportedCapability: see `prompt_bound`.
        """
        prefill = self.prompt_bound(server) if limited.prompts else 0
        work = 0 if self.form == "embedding" else None if cap is None else cap * self.n
        is_cuttable = self.is_streamed and server.pace.can_be_cut
        is_stated = self.cap is not None or self.asked.budget.span is not None
        return Plan(
            work,
            prefill,
            is_cuttable,
            server.overshoot * self.n,
            self.price(server),
            self.n,
            may_shrink=bool(work) and not (is_stated or self.is_streamed),
        )

    def price(self, server: Server) -> Price | None:
        """Return what the request is held to there; None where it is not known.

        Raises:
            InputError: its service tier is no text.
        """
        return price_asked(server.price, self.tier)

    def tier_asked(self, server: Server) -> str:
        """Return the service tier that it is asked for in, where nobody but the lane says one.

        A request without a deadline is asked for in the tier that costs what batches do, where the
        operator has stated such rates.
        """
        knows = self.form in ("chat", "response") and self.backward is None
        has_rates = isinstance(server.price, PriceRow) and server.price.batch is not None
        is_unsaid = "service_tier" not in self.body
        return IN_BATCHES if self.asked.wish.is_batch and knows and has_rates and is_unsaid else ""

    def counts(self, server: Server, plan: Plan, cap: int | None) -> Counts:
        """Begin to count a reply."""
        request = _counted(UNCAPPED if cap is None else cap, has_tools=self.has_tools)
        bound = plan.prefill or self._rough_prompt
        return Counts(request, self.n, bound, server.overshoot, server.pace, is_bounded=True)

    @property
    def has_tools(self) -> bool:
        """What was decoded may be rewritten as calls, or hidden in them."""
        return len(self.body.raw("tools")) > 4 or len(self.body.raw("functions")) > 4

    @property
    def _rough_prompt(self) -> int:
        """Bound the prompt by the body, where no limit rests on it."""
        return len(self.asked.body)

    def written(self, server: Server, cap: int | None) -> Body:
        """Write the body for one upstream."""
        body = self.body.copy()
        if tier := self.tier_asked(server):
            body.set("service_tier", tier)
        if self.dialect is not None:
            return written_in(self.dialect, body, server, self.cap if cap is None else cap)
        if server.model and self.asked.model != server.model:
            body.set("model", server.model)
        if self.form == "embedding":
            return body
        if self.is_streamed:
            self._ask_usage(body, server)
        self._set_cap(body, server, cap)
        if self.form == "chat":
            set_thinking(body, server, self.cap if cap is None else cap)
        for name in server.lessons.gave_up - {"stream_options"}:
            body.drop(name)
        for name, value in server.extra.items():
            body.set(name, value)
        return body

    def left_out(self, server: Server) -> list[str]:
        """Say which of the client's settings the upstream is not sent."""
        names = server.lessons.gave_up - {"stream_options"}
        said = [name for name in sorted(names) if name in self.body] if names else ()
        lost = [f"{name} was left out: {server.name} refuses it" for name in said]
        lost += self.asked.notices
        if self.dialect is not None:
            return lost + said_of_effort(self.dialect, self.body, server)
        return lost + (said_of_thinking(self.body, server) if self.form == "chat" else [])

    def _ask_usage(self, body: Body, server: Server) -> None:
        """Ask for the usage, always: whether the client is told is another matter."""
        if "stream_options" in server.lessons.gave_up:
            body.drop("stream_options")
        elif not self.wants_usage:
            told = body.get("stream_options", dict[str, Any], "an object") or {}
            body.set("stream_options", {**told, "include_usage": True})

    def _set_cap(self, body: Body, server: Server, cap: int | None) -> None:
        name = server.lessons.cap_name(self.cap_name)
        if self.cap_name and name != self.cap_name:
            body.rename(self.cap_name, name)
        if cap is not None and cap != self.cap:
            for one in CAP_NAMES:
                if one in body and one != name:
                    body.drop(one)
            body.set(name, cap)


@lru_cache(maxsize=256)
def _counted(cap: int, *, has_tools: bool) -> Request:
    """Return what a choice is counted against."""
    return Request((), max_tokens=cap, tools=_CALLS if has_tools else ())


def _count(body: Body, name: str) -> int | None:
    found = body.get(name, int, "a whole number of at least 1")
    if found is not None and found < 1:
        raise InputError(f"{name} must be a whole number of at least 1, not {quoted(found)}")
    return found


def _cap(body: Body, least: int) -> tuple[int | None, str]:
    """Return the cap and its name.

    Raises:
        InputError: it is none, or two are said that differ.
    """
    said: dict[str, int] = {}
    for name in CAP_NAMES:
        found = body.get(name, int, "a whole number")
        if found is not None:
            if found < least:
                raise InputError(f"{name} must be a whole number of at least {least}, not {found}")
            said[name] = found
    if not said:
        return None, ""
    name, cap = next(iter(said.items()))
    if any(other != cap for other in said.values()):
        raise InputError(f"{' and '.join(CAP_NAMES)} differ: give one of them")
    return cap, name


def _prompts(body: Body) -> int:
    """Return how many prompts a completion has: a text or a list of tokens is one."""
    prompt = body.get("prompt", object, "a prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str | list):
        return len(prompt)
    return 1
