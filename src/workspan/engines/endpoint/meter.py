"""Counts what one choice streamed and holds the server's own figures against it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from msgspec import structs

from workspan.data.types import Chunk, FinishReason, Notice, Request, Source, Usage, weaker
from workspan.engines.endpoint.figures import (
    BEYOND,
    Shown,
    least_of_prompt,
    merged,
    reconcile,
    running,
)
from workspan.engines.endpoint.pace import Pace
from workspan.engines.endpoint.rejections import finish_of
from workspan.engines.endpoint.sides import Came, Side
from workspan.engines.endpoint.tool_calls import ToolCalls
from workspan.engines.endpoint.wire import Choice, Delta, Report
from workspan.errors import EngineRejected

_IGNORES_CAP = Notice("ignores_cap", "the server decodes more tokens than it is asked for")


_NO_LOGPROBS = Notice("no_logprobs", "log-probabilities were asked for and did not come")
_NO_ALTERNATIVES = Notice(
    "no_logprobs", "alternatives were asked for and did not come: no confidence rests on them"
)


_NO_SIZE = Notice(
    "no_usage",
    "the server does not say what the prompt took: its images, sounds and files are not counted",
)
_ANY = 1 << 40
"""Tokens of a prompt that nothing bounds."""

_MOST_DETAILS = 1_000
"""Parts of thinking in one event: more is no reply."""


_EMOJI = 3
"""Tokens of an emoji, at most: the first two of its four bytes are one in vocabularies that were
learnt from bytes."""


def hear_of_all(meters: Sequence[Meter], report: Report) -> None:
    """Tell the meters of one reply what the server says of all its choices together."""
    if len(meters) == 1:
        meters[0].hear(report)
    elif sum(meter.request.max_tokens for meter in meters) < running(report) < BEYOND:
        for meter in meters:
            meter.hear_past()


def may_be_of_one(meters: Sequence[Meter], decoded: int) -> bool:
    """Tell whether a server's figure for several choices may be one choice's alone.

    llama.cpp reports so (its issue 27318). Where a piece is a token, a sum below the pieces shows
    it. An emoji is several that come in one piece: there, what one choice may have taken tells.
    """
    is_few = decoded < sum(meter.usual_least for meter in meters)
    of_one = max((meter.usual_most for meter in meters if meter.emoji), default=0)
    return len(meters) > 1 and (is_few or decoded <= of_one)


class Meter:
    """The pieces of one choice, turned into chunks and counts.

    While it streams, the count is a bound from above: by the server's own running figure, by
    log-probabilities, by what its pieces have been learnt to hold, or by bytes, and never more than
    was asked for, unless more has surely come. At the end the server's figures are believed where
    they can be true.
    """

    __slots__ = (
        *("_blank", "_cached", "_called", "_calls", "_confidences", "_counted"),
        *("_details", "_goes_on", "_heard_at", "_is_bounded", "_is_confident"),
        *("_is_told_past", "_is_whole", "_logprobs", "_overshoot", "_pace", "_prompt"),
        *("_prompt_bound", "_prompt_source", "_refusal", "_report", "_scored"),
        *("_settled", "_text", "_thought", "_thought_name", "_tokens", "_told"),
        *("_unasked", "finish", "is_asked_whole", "notices", "request"),
    )

    def __init__(
        self,
        request: Request,
        prompt_bound: int,
        overshoot: int,
        pace: Pace,
        *,
        is_bounded: bool = True,
    ) -> None:
        """Begin the account of a choice.

        Args:
            request: what was asked for.
            prompt_bound: its prompt's tokens, at most, or their known number.
            overshoot: tokens that the server may decode before it notices a hang-up.
            pace: what the server's streams have taught.
            is_bounded: False where the prompt holds what nothing bounds, such as an image.
        """
        self.request = request
        self._is_bounded = is_bounded
        self.finish: FinishReason | None = None
        self.notices: list[Notice] = []
        self._pace = pace
        self._overshoot = overshoot
        self._prompt_bound = self._prompt = prompt_bound
        self._cached = 0
        self._prompt_source: Source = "estimated"
        self._text, self._thought, self._refusal = Side(), Side(), Side()
        self._called = Side()
        """The arguments of tools' calls, as far as the model's own words came."""
        self._calls = ToolCalls()
        self._unasked = Side()
        """Of choices that nobody asked for: decoded, and charged for, all the same."""
        self._counted = Came()
        """As it was when it was last asked for; see `_all`."""
        self._blank = 0
        """Pieces without a text that is known, since the last running figure: a token each."""
        self._logprobs: list[float] = []
        self._confidences: list[float] = []
        self._tokens: list[object] = []
        self._thought_name = ""
        self._details: list[object] = []
        self._scored = 0
        self._report: Report | None = None
        self._told = (0, 0, 0)
        """Tokens of the server's running figure, and the pieces and bytes that had come by then."""
        self._heard_at = 0
        """Pieces that had come at its last report: text after that is not in it."""
        self._goes_on = False
        """Text came after the end that the server gave."""
        self._is_told_past = False
        """The server's figures say that the cap was passed."""
        self.is_asked_whole = False
        """No stream is asked for: until the reply comes nothing tells how much was decoded."""
        self._settled: Usage | None = None
        self._is_confident = False
        """Alternatives have come."""
        self._is_whole = False
        """The reply came in one body: its parts say nothing of a stream's pieces."""

    def take(self, choice: Choice) -> None:
        """Add what one event says of this choice.

        Raises:
            EngineError: the choice ended for a reason that makes it no answer.
        """
        before, has_ended = self.pieces, self.finish is not None
        delta = choice.delta or choice.message
        if delta is not None:
            text = delta.content
            self._is_whole = choice.message is not None
            if thought := delta.thought:
                self._thought.add(thought)
                self._thought_name = self._thought_name or delta.thought_name
            if delta.refusal or delta.reasoning_details:
                self._take_rarer(delta)
            if delta.tool_calls or delta.function_call:
                self._take_calls(delta)
        else:
            text = choice.text
        if text:
            self._text.add(text)
        elif self.pieces == before and not choice.finish_reason and choice.usage is None:
            self._blank += 1
        self._goes_on |= has_ended and self.pieces > before
        if choice.logprobs is not None:
            values = choice.logprobs.values
            self._scored += len(values)
            self._logprobs += values
            self._confidences += choice.logprobs.confidences
            self._tokens += choice.logprobs.content or ()
            self._is_confident = self._is_confident or bool(self._confidences)
        if choice.usage is not None:
            self.hear(choice.usage)
        if choice.finish_reason:
            self.finish = "stop" if finish_of(choice.finish_reason) == "stop" else "length"

    def take_texts(self, texts: list[str]) -> None:
        """Add pieces of plain text, none of them empty, that came before the choice's end."""
        self._text.extend(texts)

    def _take_rarer(self, delta: Delta) -> None:
        """Add a refusal, and parts of thinking as they came; what is no part is not kept."""
        if delta.refusal:
            self._refusal.add(delta.refusal)
        told = delta.reasoning_details
        parts = told if isinstance(told, list) else ()
        self._details += [one for one in parts[:_MOST_DETAILS] if isinstance(one, dict)]

    def _take_calls(self, delta: Delta) -> None:
        told = self._calls.take(delta.tool_calls)
        if not delta.tool_calls:
            told = self._calls.take_function(delta.function_call)
        for piece in told:
            self._called.add(piece)

    def take_unasked(self, choice: Choice) -> None:
        """Add a piece of a choice beyond those that were asked for."""
        delta = choice.delta or choice.message
        self._is_whole = choice.message is not None
        texts = [choice.text]
        if delta is not None:
            texts = [delta.content, delta.refusal, delta.thought]
        for text in texts:
            if text:
                self._unasked.add(text)

    def hear(self, report: Report, pieces: int | None = None) -> None:
        """Take the server's figures, in the middle of the stream or at its end.

        Args:
            report: the figures.
            pieces: those that had come before it, if others have come since.
        """
        self._report = merged(self._report, report)
        self._heard_at, self._blank = self.pieces if pieces is None else pieces, 0
        is_all = self._heard_at == self.pieces
        told = running(self._report)
        if is_all and self.least <= told < BEYOND:
            self._told = (told, self.pieces, self._size)
            self._is_told_past |= told > self.request.max_tokens

    def hear_past(self) -> None:
        """Take the server's word that all choices together are past what all were allowed."""
        self._is_told_past = True

    @property
    def was_served(self) -> bool:
        """The stream held something of this choice."""
        return self.pieces > 0 or self.finish is not None

    @property
    def is_empty(self) -> bool:
        """Nothing waits to be handed on."""
        return not (self._text or self._thought or self._refusal or self._logprobs)

    @property
    def pieces(self) -> int:
        """Pieces of text and thinking so far."""
        shown = self._text.pieces + self._thought.pieces + self._refusal.pieces
        return shown + self._called.pieces + self._unasked.pieces

    def _all(self) -> Came:
        """Return what came, counted anew where there is more of it than at the last time."""
        pieces = self.pieces
        if self._counted.pieces != pieces:
            self._counted = self._count(pieces)
        return self._counted

    def _count(self, pieces: int) -> Came:
        text, called, refusal = self._text, self._called, self._refusal
        thought, unasked = self._thought, self._unasked
        for side in (text, thought, refusal, called, unasked):
            side.count()
        return Came(
            pieces,
            text.size + thought.size + refusal.size + called.size + unasked.size,
            text.least + refusal.least + called.least,
            thought.least,
            unasked.least,
            text.emoji + thought.emoji + refusal.emoji + called.emoji + unasked.emoji,
        )

    @property
    def emoji(self) -> int:
        """Emoji, and other characters of four bytes, so far."""
        return self._all().emoji

    @property
    def usual_least(self) -> int:
        """Decoded tokens with most servers, at least: a piece is one."""
        return max(1, self.least, self._pace.usual(self.pieces))

    @property
    def usual_most(self) -> int:
        """Decoded tokens with most servers, at most: emoji take more, and so may the end.

        An end token is not sent, nor are the tokens of an emoji that the cap cut.
        """
        end = 1 if self.finish == "stop" else _EMOJI - 1
        return self.usual_least + self.emoji * (_EMOJI - 1) + end

    @property
    def _size(self) -> int:
        return self._all().size + self._calls.beside

    @property
    def least(self) -> int:
        """Decoded tokens that have surely arrived."""
        return self._least(self._all())

    def _least(self, came: Came) -> int:
        return max(came.text + came.thought, self._scored) + came.unasked

    @property
    def seen(self) -> int:
        """Decoded tokens that have arrived, at most."""
        came = self._all()
        return self._seen(came, self._least(came))

    def _seen(self, came: Came, least: int) -> int:
        if self._scored:
            return least
        told, pieces, size = self._told
        rest = came.size + self._calls.beside - size
        is_whole = self._is_whole or self.is_asked_whole or bool(self._calls)
        most = told + (rest if is_whole else self._pace.bound(came.pieces - pieces, rest))
        return self._capped(max(least, most + self._blank), least)

    def _capped(self, tokens: int, least: int) -> int:
        """Hold a bound against the cap, unless the server minds none."""
        cap = self.request.max_tokens
        is_past = least > cap or self._is_told_past or self._goes_on or self._pace.ignores_cap
        is_past = is_past or self._unasked.pieces > 0
        return tokens if is_past else min(tokens, cap)

    @property
    def has_overrun(self) -> bool:
        """More arrived than was asked for: the server knows no cap."""
        cap = self.request.max_tokens
        return self.least > cap or (self._pace.ignores_cap and self.seen > cap)

    def cut_off(self) -> None:
        """End a choice that goes on past its cap; the server may decode on until it notices."""
        self.finish = "length"
        self._pace.ignores_cap = True
        self.notices.append(_IGNORES_CAP)

    def end_unsaid(self, server: str) -> None:
        """End a choice whose reply is said to be done, though no reason came.

        The answer has arrived: to ask for it again would be to pay for it twice.
        """
        is_full = self._report is not None and (
            self._report.completion_tokens >= self.request.max_tokens
        )
        self.finish = "length" if is_full or self.least >= self.request.max_tokens else "stop"
        self.notices.append(
            Notice("contradiction", f"{server} says that it is done, but not why an answer ended")
        )

    def chunk(self) -> Chunk | None:
        """Return what arrived since the last time, or None if nothing did."""
        return None if self.is_empty else self._chunk(None)

    def _chunk(self, finish: FinishReason | None) -> Chunk:
        chunk = Chunk(
            self._text.taken(),
            self._thought.taken(),
            tuple(self._logprobs),
            tuple(self._confidences),
            finish,
            self._refusal.taken(),
            self._calls.calls if finish else (),
            self._thought_name,
            tuple(self._tokens),
            tuple(self._details),
        )
        self._tokens.clear()
        self._details.clear()
        self._logprobs.clear()
        self._confidences.clear()
        return chunk

    def forget(self) -> None:
        """Keep nothing of what arrived but its counts, where nobody asks for chunks."""
        for side in (self._text, self._thought, self._refusal, self._called, self._unasked):
            if side.pieces:
                side.forget()
        for told in (self._tokens, self._details, self._logprobs, self._confidences):
            told.clear()

    def last_chunk(self) -> Chunk:
        """Return the rest, with the reason why it ended.

        Raises:
            EngineRejected: log-probabilities were asked for, and the server sent none.
        """
        if self.request.logprobs and self._speaks and not self._scored:
            raise EngineRejected("the server sends no log-probabilities: it ignores `logprobs`")
        return self._chunk(self.finish)

    @property
    def unmet(self) -> list[Notice]:
        """Say what was asked for beside the text and did not come, however the stream ended."""
        request = self.request
        found = []
        if not self._is_bounded and self._prompt_source != "measured":
            found.append(_NO_SIZE)
        if not self._speaks:
            return found
        if request.logprobs and not self._scored:
            return [*found, _NO_LOGPROBS]
        if request.top_logprobs and not self._is_confident:
            found.append(_NO_ALTERNATIVES)
        return found

    @property
    def _speaks(self) -> bool:
        """Words came, or thinking: what has log-probabilities with every server that tells any."""
        return self._text.pieces + self._thought.pieces > 0

    def expects(self, prompt: int, cached: int, source: Source) -> None:
        """Replace the prompt's bound by a better figure."""
        self._prompt, self._cached, self._prompt_source = prompt, min(cached, prompt), source

    @property
    def prompt_told(self) -> int:
        """The prompt's tokens by the server; 0 where it has not said."""
        return self._prompt if self._prompt_source == "measured" else 0

    def settle(self, server: str, *, with_prompt: bool = True) -> None:
        """Close the account of a choice that ended, with all that `server` has said of it."""
        if self._unasked.pieces:
            self.notices.append(Notice("contradiction", f"{server} sends choices nobody asked for"))
        if self._report is None:
            self.notices.append(_no_usage(server))
            self.settle_at(self.decoded, self.count_source)
            return
        shown = self.shown
        figures = reconcile(self._report, shown)
        if self._heard_at < self.pieces and shown.decoded_most > figures.decoded:
            figures = structs.replace(figures, decoded=shown.decoded_most, is_measured=False)
        for odd in figures.contradictions:
            self.notices.append(Notice("contradiction", f"{server} contradicts itself: {odd}"))
        if figures.prompt is not None and with_prompt:
            self.expects(figures.prompt, figures.cached, "measured")
        if not figures.is_measured and not figures.contradictions:
            self.notices.append(_no_usage(server))
        if figures.is_measured and not self._unasked.pieces and not self._calls:
            pieces = 0 if self._is_whole or self.is_asked_whole else self.pieces
            ends = sum(side.pieces > 0 for side in (self._text, self._thought, self._refusal))
            self._pace.learn(pieces, self._size, figures.decoded, ends)
        source: Source = "measured" if figures.is_measured else self.count_source
        self.settle_at(figures.decoded, source, figures.reasoning)
        if figures.cost is not None and self._settled is not None:
            self._settled = replace(self._settled, cost=figures.cost)

    def settle_at(self, tokens: int, source: Source, reasoning: int = 0) -> None:
        """Close the account of a choice that ended, at a figure found elsewhere."""
        if max(tokens, self.least) > self.request.max_tokens:
            self._pace.ignores_cap = True
            self.notices.append(_IGNORES_CAP)
        self._settled = self._usage(tokens, reasoning or self._reasoning, source)

    @property
    def shown(self) -> Shown:
        """What the server's figures are held against."""
        came = self._all()
        least = self._least(came)
        return Shown(
            cap=self.request.max_tokens,
            decoded_least=least,
            decoded_most=self._decoded(came, least),
            text_least=came.text,
            prompt_least=least_of_prompt(self.request.prompt),
            prompt_most=self._prompt_bound if self._is_bounded else _ANY,
        )

    @property
    def decoded(self) -> int:
        """Our bound of an ended choice: an end token is decoded, too, but not streamed."""
        came = self._all()
        return self._decoded(came, self._least(came))

    def _decoded(self, came: Came, least: int) -> int:
        seen = self._seen(came, least)
        if self.finish == "length" or self._calls:  # by the server's word; calls are rewritten
            return max(self.request.max_tokens, seen)
        return self._capped(seen + 1 if self.finish == "stop" else seen, least)

    @property
    def usage(self) -> Usage:
        """The bill so far: settled, or as far as was seen."""
        if self._settled is not None:
            return self._settled
        return self._usage(self.seen, self._reasoning, self.count_source)

    @property
    def usage_if_cut(self) -> Usage:
        """The bill if nothing more is read: what the server may decode before it notices."""
        if self._settled is not None:
            return self._settled
        seen = self.seen
        left = max(0, self.request.max_tokens - seen)
        is_hidden = self._pace.hides or self.is_asked_whole or self.request.may_call
        unseen = left if is_hidden else min(self._overshoot, left)
        if self._pace.ignores_cap or self._is_told_past or self.has_overrun:
            unseen = max(unseen, self._overshoot)
        return self._usage(seen, self._reasoning, "estimated", unseen)

    @property
    def _reasoning(self) -> int:
        """Tokens of the thinking that was streamed, at most."""
        if not self._thought.pieces:
            return 0
        self._thought.count()
        return self._pace.bound(self._thought.pieces, self._thought.size)

    @property
    def count_source(self) -> Source:
        """Where our own count comes from."""
        return "tokenised" if self._scored >= max(1, self.pieces) else "estimated"

    def _usage(self, tokens: int, thought: int, source: Source, unseen: int = 0) -> Usage:
        return Usage(
            1,
            self._prompt,
            self._cached,
            tokens,
            min(thought, tokens),
            unseen,
            source=weaker(source, self._prompt_source),
        )


def _no_usage(server: str) -> Notice:
    return Notice("no_usage", f"{server} does not say what it decoded: counts are bounds")
