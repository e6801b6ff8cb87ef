"""What a reply decoded: a bound while it streams, the server's own figures at its end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from msgspec import structs

from workspan.core.engine import Price
from workspan.data.types import Request, Usage
from workspan.engines.endpoint.figures import Figures, merged, reconcile, together
from workspan.engines.endpoint.meter import Meter, hear_of_all, may_be_of_one
from workspan.engines.endpoint.pace import Pace
from workspan.engines.endpoint.wire import Choice, Delta, Event, Report
from workspan.errors import EngineError

UNCAPPED = 1 << 30
"""Tokens of a choice that nobody capped."""


class Counts:
    """The choices of one reply: an endpoint's own meters, one a choice."""

    def __init__(
        self,
        request: Request,
        choices: int,
        prompt: int,
        overshoot: int,
        pace: Pace,
        *,
        is_bounded: bool,
    ) -> None:
        """Begin; `prompt` bounds its tokens, unless it is not `is_bounded`."""
        self._overshoot = overshoot
        self._is_capped = request.max_tokens < UNCAPPED
        self.meters = [
            Meter(request, prompt, overshoot, pace, is_bounded=is_bounded) for _ in range(choices)
        ]
        self.report: Report | None = None
        self._heard_at = 0
        """Pieces of all choices that had come at the last report: what came after is not in it."""
        self._open: list[int] = []
        """Choices that had not ended by then: they may have decoded an end token since."""
        self._absent: list[int] = []
        """Choices that were asked for and never came."""
        self._contradictions: tuple[str, ...] = ()
        self.tier = ""
        """The service tier that the reply names."""

    def take(self, events: Sequence[Event | list[str]]) -> None:
        """Add what events say; a list is of pieces of the first choice's text, none empty."""
        for event in events:
            if isinstance(event, list):
                self._take_plain(event)
                continue
            for choice in event.choices:
                self._take(choice)
            if event.usage is not None:
                self.hear(event.usage)
            if event.service_tier:
                self.tier = event.service_tier
        for meter in self.meters:
            meter.forget()

    def _take_plain(self, texts: list[str]) -> None:
        """Add texts of the first choice: what nearly all events are."""
        if self.meters[0].finish is None:
            self.meters[0].take_texts(texts)
        else:
            for text in texts:
                self._take(Choice(delta=Delta(text)))

    def _take(self, choice: Choice) -> None:
        if choice.usage is not None:
            self.hear(choice.usage)
        if not 0 <= choice.index < len(self.meters):
            self.meters[0].take_unasked(choice)
            return
        meter = self.meters[choice.index]
        try:
            meter.take(choice)
        except EngineError:
            meter.finish = "stop"  # withheld or given up: it is the client's to read

    def hear(self, report: Report) -> None:
        """Take the server's figures."""
        hear_of_all(self.meters, report)
        self.report = merged(self.report, report)
        self._heard_at, self._open = self._pieces, self.unfinished

    @property
    def _pieces(self) -> int:
        return sum([meter.pieces for meter in self.meters])

    @property
    def seen(self) -> int:
        """Decoded tokens that have come, at most."""
        if len(self.meters) == 1:
            return self.meters[0].seen
        return sum(meter.seen for meter in self.meters)

    @property
    def has_spoken(self) -> bool:
        """A token has come, or an end."""
        return any(meter.was_served or meter.least for meter in self.meters)

    @property
    def unfinished(self) -> list[int]:
        """The choices that have not ended."""
        return [i for i, meter in enumerate(self.meters) if meter.finish is None]

    def settled(self, server: str) -> Usage:
        """Return the bill of a reply that ended."""
        self._absent = [i for i, meter in enumerate(self.meters) if not meter.was_served]
        for place in self.unfinished:
            self.meters[place].finish = "stop"
        first = self.meters[0]
        if len(self.meters) == 1 or self.report is None:
            for meter in self.meters:
                meter.settle(server, with_prompt=meter is first)
            return self._added([self._held(meter.usage, [meter]) for meter in self.meters])
        figures = reconcile(self.report, together([meter.shown for meter in self.meters]))
        self._contradictions = figures.contradictions
        figures = self._whole(figures)
        if figures.prompt is not None:
            first.expects(figures.prompt, figures.cached, "measured")
        whole = replace(
            first.usage,
            output_tokens=figures.decoded,
            reasoning_tokens=figures.reasoning,
            unseen_tokens=0,
            cost=figures.cost or Decimal(0),
            source="measured" if figures.is_measured else "estimated",
        )
        return self._held(whole, self.meters)

    def _whole(self, figures: Figures) -> Figures:
        """Hold the figures of several choices against what came of each.

        They may be one choice's alone, as llama.cpp's were (its issue 27318), or come too early.
        """
        bound = sum(meter.decoded for meter in self.meters)
        is_early = self._heard_at < self._pieces
        if bound > figures.decoded and (is_early or self._is_too_low(figures.decoded)):
            return structs.replace(figures, decoded=bound, is_measured=False)
        late = [place for place in self._open if place not in self._absent]
        ends = sum(self.meters[place].finish == "stop" for place in late)
        if ends:
            return structs.replace(figures, decoded=figures.decoded + ends, is_measured=False)
        return figures

    def _is_too_low(self, decoded: int) -> bool:
        """Tell whether figures are not of all choices: they are few, or may be one's alone.

        A choice that ended by its cap took all of it, by the server's word, unless its context was
        full before. Where the report is one cap, to the token, it is of one such choice.
        """
        present = [m for place, m in enumerate(self.meters) if place not in self._absent]
        cap = self.meters[0].request.max_tokens
        is_cap = self.report is not None and self.report.completion_tokens == cap
        least = [
            cap if is_cap and meter.finish == "length" else meter.usual_least for meter in present
        ]
        return decoded < sum(least) or may_be_of_one(present, decoded)

    def _held(self, usage: Usage, meters: Sequence[Meter]) -> Usage:
        """Return a bill that rests on what came, where no cap stands for what did not.

        An end, or a call that was rewritten, is charged at the cap unless the server says better.
        """
        if self._is_capped or usage.source == "measured":
            return usage
        told = self.report.completion_tokens if self.report is not None else 0
        came = sum(meter.seen + 1 for meter in meters)
        tokens = min(usage.output_tokens, max(came, told))
        thought = min(usage.reasoning_tokens, tokens)
        return replace(usage, output_tokens=tokens, reasoning_tokens=thought)

    def read_only(self) -> Usage:
        """Return the bill of a request that decodes nothing."""
        report, bound = self.report, self.meters[0].usage
        if report is None or not (report.prompt_tokens or report.total_tokens):
            return replace(bound, output_tokens=0, reasoning_tokens=0)
        tokens = report.prompt_tokens or report.total_tokens
        return Usage(calls=1, input_tokens=tokens)

    @property
    def odd(self) -> list[str]:
        """What of the server's figures can't be true, once the bill is settled."""
        notices = [notice for meter in self.meters for notice in meter.notices]
        if not (notices or self._contradictions):
            return []
        found = [notice.text for notice in notices if notice.code == "contradiction"]
        return [*dict.fromkeys([*self._contradictions, *found])]

    def if_cut(self) -> Usage:
        """Return the bill if nothing more is read: what the server may decode on is in it."""
        return self._added([self._cut(meter) for meter in self.meters])

    def _cut(self, meter: Meter) -> Usage:
        usage = meter.usage_if_cut
        if not self._is_capped:
            usage = replace(usage, unseen_tokens=min(usage.unseen_tokens, self._overshoot))
        return usage

    def _added(self, parts: list[Usage]) -> Usage:
        """Add the choices of one call, which share its prompt."""
        first, rest = parts[0], parts[1:]
        for one in rest:
            first += replace(one, calls=0, input_tokens=0, cached_tokens=0)
        return first


def charged(usage: Usage, price: Price | None) -> Usage:
    """Return a bill with its cost: the provider's own where that is above the price."""
    told = usage.cost or _NONE
    cost = (told or None) if price is None else max(price.of(usage), told)
    return Usage(
        usage.calls,
        usage.input_tokens,
        usage.cached_tokens,
        usage.output_tokens,
        usage.reasoning_tokens,
        usage.unseen_tokens,
        cost,
        usage.source,
    )


_NONE = Decimal(0)
