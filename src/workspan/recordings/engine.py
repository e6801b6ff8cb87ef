"""An engine that serves recorded chains as if they were decoded now."""

from __future__ import annotations

import random
import re
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import NamedTuple

from anyio.lowlevel import checkpoint

from workspan.core.attempt import SLICE
from workspan.core.engine import Bill, EngineInfo, Price, check_offered, needs
from workspan.data.types import Chunk, Request, Usage
from workspan.errors import EngineRejected
from workspan.recordings.recording import Chain, Recording

_LETTERS = str.maketrans("0123456789", "klmnopqrst")
_DIGITS = str.maketrans("klmnopqrst", "0123456789")
_NOTHING = Chunk()
_MARK = re.compile(r"\[([k-t]{1,9}@[k-t]{1,9})\]")


@dataclass
class ReplayEngine:
    """Replays the recorded chains of a model under any strategy and budget.

    A fresh sample is a chain of its problem that this engine has not given yet: the one that the
    request's seed picks, or the next in the `order` that a seed of the engine's own shuffles them
    into, the same for every strategy. When all were given it starts over, or refuses if `once`. Its
    tokens are charged as they were decoded; a cut at a cap, a halt or a budget gives no answer.
    Continuing what an earlier sample wrote goes on with the same chain from there, and a prefix
    that ends in one of `asks` gives the last answer that the recording read off the chain up to
    there. A recording that was never asked on the way can't be continued.

    The recording holds no texts: each is a placeholder, a mark like ``[l@nkk]`` (chain 1 at 300
    tokens; letters, so that no reader of numbers takes it for an answer) for each slice, and
    "Answer: ..." at the chain's own end. What needs the words themselves is refused: other prompts
    (judges, revisions), nudges, stop sequences. All chains decode at one speed, a slice a turn, so
    that of several at once the shorter end first. Tokens of chains are exact; prompts and interim
    answers were not counted, and are charged a token a byte, which is a bound.

    One engine is one series of draws: take a new one for each run that is to be independent. A run
    that is resumed on a new engine may be given a chain again.
    """

    recording: Recording
    asks: tuple[str, ...] = ("Answer:", "\\boxed{")
    price: Price | None = None
    """None is unknown: a recording has no bill."""
    order: int | None = None
    """Seed of the order of chains; None leaves the choice to each request's seed."""
    once: bool = False
    unrecorded: str = ""
    """What was asked last that only the words could answer, in words; "" is nothing so far."""
    _unused: dict[str, list[int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._names = {problem.prompt: problem.id for problem in self.recording.problems}

    @cached_property
    def info(self) -> EngineInfo:
        """Say that these are recordings, and whose."""
        return EngineInfo(
            "replay",
            f"recorded chains of {self.recording.model}",
            recorded=self.recording.model,
            capabilities=frozenset({"continue"} if self.recording.is_probed else ()),
            price=self.price,
            concurrency=1000,
        )

    async def count(self, request: Request) -> int:
        """Bound the prompt by its bytes, and add the tokens of the chain that is continued."""
        place = _place(request.prefix)
        said = "".join(message.text for message in request.prompt)
        said += _MARK.sub("", request.prefix)
        return len(said.encode()) + (place.depth if place else 0)

    async def stream(self, request: Request, bill: Bill) -> AsyncGenerator[Chunk, None]:
        """Serve a chain from its beginning or from where the prefix left it.

        Raises:
            EngineRejected: the recording has nothing for this request.
        """
        check_offered(self.info, needs(request))
        is_asked = request.prefix.endswith(self.asks)
        place = self.find(request, is_asked=is_asked)
        whole, said = said_at(self.chain(request, place), place.depth, is_asked=is_asked)
        prompt, decoded = await self.count(request), 0
        bill.usage = Usage(1, prompt, source="estimated")
        end = min(whole, request.max_tokens)
        while decoded < end:
            await checkpoint()
            decoded = min(end, decoded + SLICE)
            bill.usage = Usage(1, prompt, output_tokens=decoded, source="estimated")
            yield _NOTHING if is_asked else Chunk(mark(place.chain, place.depth + decoded))
        if end == whole and said is not None:
            yield Chunk(said, finish="stop")
        else:  # at a cap: the request's, or the one under which it was recorded
            yield Chunk(finish="length")

    async def aclose(self) -> None:
        """Nothing to give back."""

    def chain(self, request: Request, place: Place) -> Chain:
        """Return the chain that is served there."""
        return self.recording.chains[self._names[request.prompt]][place.chain]

    def find(self, request: Request, *, is_asked: bool) -> Place:
        """Return which chain to serve and from what depth; a new chain counts as given.

        Raises:
            EngineRejected: the recording has nothing for this request.
        """
        name, prefix = self._names.get(request.prompt), request.prefix
        if name is None:
            asked = request.prompt[-1].text[:60] if request.prompt else ""
            raise self._lacking(f"no chain was recorded for the prompt {asked!r}")
        if request.stop and not is_asked:
            raise self._lacking("recorded chains have no texts: there is nothing to stop at")
        chains = self.recording.chains[name]
        if not prefix:
            return Place(self._next(name, len(chains), request.seed), 0)
        place = _place(prefix)
        if place is None or place.chain >= len(chains):
            raise self._lacking("the prefix is of no recorded chain")
        if not is_asked and not prefix.endswith("]"):
            raise self._lacking(f"no chain was recorded that goes on after {prefix[-60:]!r}")
        return place

    def _lacking(self, said: str) -> EngineRejected:
        """Note what was asked for, and return the refusal: many strategies do without the call."""
        self.unrecorded = said
        return EngineRejected(said)

    def _next(self, name: str, n: int, seed: int) -> int:
        """Return the number of a chain that was not given yet, of n."""
        unused = self._unused.get(name)
        if unused is None or not (unused or self.once):
            unused = self._unused[name] = [*_ordered(self.order, name, n)]
        if not unused:
            raise EngineRejected(f"all {n} recorded chains of {name} were given")
        return unused.pop(seed % len(unused) if self.order is None else -1)


@lru_cache(maxsize=1024)
def _ordered(order: int | None, name: str, n: int) -> tuple[int, ...]:
    """Return the numbers of n chains, the last to be given first."""
    chains = [*range(n)]
    if order is not None:
        random.Random(f"{order} {name}").shuffle(chains)
    return (*chains,)


def draw_order(order: int, name: str, n: int) -> tuple[int, ...]:
    """Return the numbers of a problem's n chains as an engine of this order gives them."""
    return _ordered(order, name, n)[::-1]


def said_at(chain: Chain, depth: int, *, is_asked: bool) -> tuple[int, str | None]:
    """Return the tokens that a chain has left from a depth, and what it says at their end.

    Args:
        chain: which.
        depth: tokens decoded so far.
        is_asked: it is asked for its answer there, and says only that.
    """
    if not is_asked:
        return chain.tokens - depth, chain.ending
    said = chain.answer_at(depth) or ""
    return asked_tokens(said), said


def asked_tokens(answer: str | None) -> int:
    """Bound what an interim answer took to say: a token a byte, and its end."""
    return len((answer or "").encode()) + 1


class Place(NamedTuple):
    """Where a request takes up a recording."""

    chain: int
    """Its number, from 0."""
    depth: int
    """Tokens decoded."""


def mark(chain: int, depth: int) -> str:
    """Write what stands for the text of a slice that ends there."""
    return f"[{chain}@{depth}]".translate(_LETTERS)


def _place(prefix: str) -> Place | None:
    """Read the last mark of a prefix."""
    at = prefix.rfind("[")
    while at >= 0:
        if found := _MARK.match(prefix, at):
            return Place(*map(int, found[1].translate(_DIGITS).split("@")))
        at = prefix.rfind("[", 0, at)
    return None
