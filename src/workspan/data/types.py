"""The plain data of Workspan: frozen, without I/O, shared by every layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from decimal import Decimal
from typing import Literal, NamedTuple, TypeAlias

from workspan.data import money
from workspan.data.content import (
    NO_FIELDS,
    Content,
    JsonObject,
    Media,
    Other,
    Refusal,
    Text,
    ToolCall,
    ToolSpec,
)
from workspan.data.explanation import Explanation
from workspan.errors import InputError
from workspan.legible import is_whole_unicode, quoted

Role = Literal["system", "developer", "user", "assistant", "tool", "function"]

AnswerKind = Literal["text", "math", "number", "choice", "code", "open", "symbols", "json"]
"""How an answer is read from a text and compared: see `workspan.answers`."""

FinishReason = Literal["stop", "length", "halted", "budget", "deadline"]
"""stop: the model ended; length: the request's own cap; halted: cut by the strategy's own rule
while it streamed; budget, deadline: cut by the account."""

Source = Literal["measured", "tokenised", "estimated"]
"""Where a count comes from: the engine's own figure, our count of what it sent, or a bound."""

_SOURCES: tuple[Source, ...] = ("measured", "tokenised", "estimated")

NoticeCode = Literal[
    "contradiction",  # a server's figures can't all be true
    "ignores_cap",  # more was decoded than was asked for
    "no_usage",  # a server never says what it decoded
    "unavailable",  # a call was still failing when its time was up
    "no_logprobs",  # log-probabilities were asked for and did not come
    "no_effort",  # a server refuses to be told how much to think
    "no_effect",  # a setting was given up, or had no effect
    "alike",  # all draws are the same at a temperature above 0
    "no_verdict",  # judgements that a strategy rests on are missing
    "other_library",  # a profile of another model, or of other problems, was used
    "kept",  # what an earlier run had finished was taken
    "comparison_cut",  # answers that were not compared, since the time was up
]
"""What a notice is about, for programs."""


class Notice(NamedTuple):
    """Something odd about a run that its owner must see: neither an error nor an answer."""

    code: NoticeCode
    text: str
    """One sentence without figures that differ from call to call, so that equal ones add up."""
    times: int = 1
    of_all: str = ""
    """The same of many runs, where `text` holds what is of one alone; empty where it doesn't."""


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation."""

    role: Role
    content: Content = None
    """Text, or parts in their order."""
    name: str = ""
    """Who speaks, where several have one role; of a function's result, the function."""
    tool_calls: tuple[ToolCall, ...] = ()
    """What a model wished to be called."""
    tool_call_id: str = ""
    """Of a tool's result: the call that it answers."""
    reasoning: str = ""
    """What a model thought before it spoke, for servers that want it back."""
    reasoning_name: str = "reasoning_content"
    """The field that holds it on the wire; newer vLLM and OpenRouter say "reasoning"."""
    refusal: str | None = None
    """What a model said in place of an answer that it would not give."""
    extra: JsonObject = NO_FIELDS
    """Further fields of the wire, passed on as they are."""

    def __post_init__(self) -> None:
        """Refuse content that is neither a text nor parts.

        Raises:
            InputError: so it is.
        """
        if isinstance(self.content, str | None):
            return
        if not isinstance(self.content, tuple) or not all(
            isinstance(part, Text | Refusal | Media | Other) for part in self.content
        ):
            raise InputError(
                f"a message's content is a text or a tuple of parts, not {quoted(self.content)}"
            )

    @property
    def text(self) -> str:
        """All its text, parts joined by line ends; empty where it has none."""
        if isinstance(self.content, tuple):
            return "\n".join(part.text for part in self.content if isinstance(part, Text))
        return self.content or ""

    @property
    def texts(self) -> Iterator[str]:
        """Every text that it holds, in whatever field."""
        yield from (self.name, self.tool_call_id, self.reasoning, self.refusal or "")
        for call in self.tool_calls:
            yield from (call.id, call.name, call.arguments)
        for part in self.content if isinstance(self.content, tuple) else ():
            if isinstance(part, Media):
                told = (part.address, part.data, part.format, part.name, part.detail)
                yield from (text for text in told if text is not None)
            elif not isinstance(part, Other):
                yield part.text
        if isinstance(self.content, str):
            yield self.content

    @property
    def media(self) -> tuple[Media | Other, ...]:
        """Its parts that are no text, and may be of any size."""
        if not isinstance(self.content, tuple):
            return ()
        return tuple(part for part in self.content if isinstance(part, Media | Other))

    def plus(self, text: str) -> Message:
        """Return it with more text at its end."""
        if isinstance(self.content, tuple):
            return replace(self, content=(*self.content, Text(text)))
        return replace(self, content=f"{self.content or ''}{text}")

    def saying(self, text: str) -> Message:
        """Return it with another text; its parts that are no text follow that."""
        if isinstance(self.content, tuple):
            return replace(self, content=(Text(text), *self.media))
        return replace(self, content=text)

    def __repr__(self) -> str:
        told = {item.name: getattr(self, item.name) for item in fields(self)}
        said = [
            f"{item.name}={told[item.name]!r}"
            for item in fields(self)
            if item.name in ("role", "content") or told[item.name] != item.default
        ]
        return f"Message({', '.join(said)})"


Prompt: TypeAlias = tuple[Message, ...]


@dataclass(frozen=True, slots=True)
class Problem:
    """What a strategy may see. The reference answer is not part of it."""

    id: str
    prompt: Prompt
    kind: AnswerKind = "text"
    metadata: Mapping[str, str] = field(default_factory=dict)
    """Further texts by name, such as the task's."""
    choices: tuple[str, ...] = ()
    """The answers to choose from, where the problem names them."""
    tests: tuple[str, ...] = ()
    """Those that the problem itself shows, of a program: an assert each."""
    plan: JsonObject = NO_FIELDS
    """The constraints of a plan, as `planning.dump` gives them."""
    is_asked: bool = True
    """False where nobody recorded the question, and the id stands in its place."""
    request: Request | None = None
    """How its owner wants it asked: tools, a form of the answer, stops, a cap and whatever else a
    request has, for every call that asks the prompt as it is (`shaping.shaped`). Its own prompt,
    prefix, engine and seed say nothing."""

    def __post_init__(self) -> None:
        """Refuse text that no file can hold, and facts where they are not looked for.

        Raises:
            InputError: half of a character, a lone surrogate, is in it, or a field is of another
                type.
        """
        if not isinstance(self.prompt, tuple) or not all(
            isinstance(turn, Message) for turn in self.prompt
        ):
            raise InputError(
                f"a problem's prompt is a tuple of messages, not {quoted(self.prompt)}: "
                "Problem.ask(question) makes one of a text"
            )
        _check_facts(self)
        turns = (text for turn in self.prompt for text in turn.texts)
        beside = (*self.metadata, *self.metadata.values(), *self.choices, *self.tests)
        for text in (self.id, *turns, *beside):
            if not isinstance(text, str):
                raise InputError(
                    f"a problem's id, metadata, choices and tests are texts, not {quoted(text)}"
                )
            if not is_whole_unicode(text):
                raise InputError(
                    f"the problem {quoted(self.id)} holds half of a character (a lone surrogate) "
                    f"in {quoted(text)}: write whole Unicode"
                )

    @classmethod
    def ask(cls, question: str, *, kind: AnswerKind = "text", id: str = "question") -> Problem:
        """Make a problem of one user turn."""
        return cls(id, (Message("user", question),), kind)


_FACTS = ("choices", "tests", "plan")
"""Fields of a problem that were texts in its metadata once."""


def _check_facts(problem: Problem) -> None:
    """Refuse facts of a type or in a place in which nobody finds them.

    Raises:
        InputError: so it is.
    """
    for name in ("choices", "tests"):
        if not isinstance(value := getattr(problem, name), tuple):
            raise InputError(f"{name} of a problem are a tuple of texts, not {quoted(value)}")
    if not isinstance(problem.plan, JsonObject):
        raise InputError(
            f"a problem's plan is a JsonObject, not {quoted(problem.plan)}: planning.dump makes one"
        )
    if packed := [name for name in _FACTS if name in problem.metadata]:
        raise InputError(
            f"{packed[0]} of a problem is a field of its own, no metadata: Problem(…, "
            f"{packed[0]}=…)"
        )


class Amount(NamedTuple):
    """The columns of a ledger: what a call may take or has taken."""

    calls: int = 0
    work: int = 0
    """Decoded tokens, those that a cut may have left unseen included."""
    prefill: int = 0
    """Prompt tokens not served from a cache."""
    cost: Decimal = Decimal(0)
    """USD; 0 where no price is known (a money limit refuses such engines beforehand)."""

    def plus(self, other: Amount) -> Amount:
        """Add column by column."""
        return Amount(
            self.calls + other.calls,
            self.work + other.work,
            self.prefill + other.prefill,
            money.add(self.cost, other.cost),
        )

    def minus(self, other: Amount) -> Amount:
        """Subtract column by column."""
        return Amount(
            self.calls - other.calls,
            self.work - other.work,
            self.prefill - other.prefill,
            money.subtract(self.cost, other.cost),
        )


_NO_COST = Decimal(0)


@dataclass(frozen=True, slots=True)
class Usage:
    """Compute spent. Buckets are inclusive: cached is part of input, reasoning of output."""

    calls: int = 0
    input_tokens: int = 0
    cached_tokens: int = 0
    output_tokens: int = 0
    reasoning_tokens: int = 0
    unseen_tokens: int = 0
    """Tokens that the engine may have decoded after a cut, beyond `output_tokens`: an upper bound
    that counts against the budget but not in `work`."""
    cost: Decimal | None = Decimal(0)
    """USD; None is unknown, never zero."""
    source: Source = "measured"
    """The weakest source among the counts added up here."""

    @property
    def work(self) -> int:
        """Decoded tokens of all calls."""
        return self.output_tokens

    @property
    def prefill(self) -> int:
        """Prompt tokens that were not served from a cache."""
        return self.input_tokens - self.cached_tokens

    @property
    def amount(self) -> Amount:
        """What this takes from a ledger."""
        decoded = self.output_tokens + self.unseen_tokens
        return Amount(self.calls, decoded, self.prefill, self.cost or _NO_COST)

    def __add__(self, other: Usage) -> Usage:
        unpriced = self.cost is None or other.cost is None
        return Usage(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.cached_tokens + other.cached_tokens,
            self.output_tokens + other.output_tokens,
            self.reasoning_tokens + other.reasoning_tokens,
            self.unseen_tokens + other.unseen_tokens,
            None if unpriced else money.add(self.cost or _NO_COST, other.cost or _NO_COST),
            weaker(self.source, other.source),
        )


def weaker(one: Source, other: Source) -> Source:
    """Return the source that less can be said by."""
    return one if one == other else max(one, other, key=_SOURCES.index)


OWNED = frozenset(
    {
        *("model", "messages", "prompt", "stream", "stream_options", "n", "best_of"),
        *("use_beam_search", "max_tokens", "max_completion_tokens", "max_output_tokens"),
        *("max_new_tokens", "n_predict", "num_predict", "temperature", "top_p", "stop", "seed"),
        *("logprobs", "top_logprobs", "reasoning_effort", "tools", "tool_choice"),
        *("parallel_tool_calls", "response_format", "frequency_penalty", "presence_penalty"),
        "logit_bias",
    }
)
"""Names on the wire that a request's own fields stand for, or that the account rests on."""


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to draw."""

    prompt: Prompt
    prefix: str = ""
    """Assistant text that the model continues; needs the capability "continue"."""
    max_tokens: int = 1024
    temperature: float | None = 0.7
    """None leaves it to the model's own settings."""
    top_p: float = 1.0
    stop: tuple[str, ...] = ()
    logprobs: bool = False
    """Ask for the log-probability of each decoded token; needs the capability "logprobs"."""
    top_logprobs: int = 0
    """Ask for each token's confidence over its so many most likely alternatives too, where the
    engine has the capability "top_logprobs"; others give none."""
    engine: str = ""
    """Name of one of the run's further engines; the run's own engine if empty."""
    reasoning_effort: str | None = None
    """Passed to engines that have the setting, such as "low", "medium", "high"."""
    seed: int = 0
    """Set by the session from the call's key."""
    max_reasoning_tokens: int | None = None
    """The most tokens of thinking, part of `max_tokens`; needs "thinking_cap"."""
    tools: tuple[ToolSpec, ...] = ()
    """What the model may wish to be called; needs "tools"."""
    tool_choice: str | JsonObject | None = None
    """"auto", "none", "required", or the one to call, as the wire has it."""
    parallel_tool_calls: bool | None = None
    response_format: JsonObject | None = None
    """Such as a JSON schema that the answer must fit, as the wire has it."""
    frequency_penalty: float | None = None
    """Needs "penalties", as the next; None leaves it to the model's own settings."""
    presence_penalty: float | None = None
    logit_bias: JsonObject | None = None
    """By the number of a token, -100 to 100, as the wire has it."""
    extra: JsonObject = NO_FIELDS
    """Fields that one provider knows, such as its repetition penalty or its routing: sent as they
    are, to engines that offer "provider_fields"."""

    def __post_init__(self) -> None:
        """Refuse what no journal could hold, and a field that would change the account.

        Raises:
            InputError: a field is of another type, or `extra` holds what the account rests on.
        """
        for name in _WHOLE:
            if type(value := getattr(self, name)) is not int:
                raise InputError(f"{name} of a request is a whole number, not {quoted(value)}")
        for name in _TUPLES:
            if not isinstance(value := getattr(self, name), tuple):
                raise InputError(f"{name} of a request is a tuple, not {quoted(value)}")
        if self.extra and (owned := sorted(OWNED.intersection(self.extra))):
            raise InputError(
                f"extra holds {', '.join(owned)}: the account rests on it, or the request has a "
                "field of its own for it"
            )

    @property
    def may_call(self) -> bool:
        """The model may wish that a tool be called."""
        return bool(self.tools) or "functions" in self.extra


_WHOLE = ("max_tokens", "top_logprobs", "seed")
_TUPLES = ("prompt", "stop", "tools")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a completion as it arrives."""

    text: str = ""
    reasoning: str = ""
    """Thinking that the engine reports apart from the text."""
    logprobs: tuple[float, ...] = ()
    """Natural logarithm, one for each token of this chunk, if asked for."""
    confidences: tuple[float, ...] = ()
    """For each token, minus the mean log-probability of its most likely alternatives, if asked for
    (token confidence C_i of arXiv:2508.15260: high where one token stands out)."""
    finish: FinishReason | None = None
    """Set on the last chunk only."""
    refusal: str = ""
    """What the model says in place of an answer that it will not give."""
    tool_calls: tuple[ToolCall, ...] = ()
    """On the last chunk only, each put together: a call that was cut short is none."""
    reasoning_name: str = ""
    """The field that the server sends thinking in, where it is told."""
    scored: tuple[object, ...] = ()
    """The tokens of `logprobs` with their texts, as `msgspec.to_builtins` writes them for the wire;
    empty from engines that give none."""
    details: tuple[object, ...] = ()
    """Thinking in parts as JSON's values, which its server wants back as they came: signed,
    encrypted or summed up (OpenRouter's `reasoning_details`)."""


@dataclass(frozen=True, slots=True)
class Sample:
    """One completion drawn from an engine."""

    text: str
    finish: FinishReason
    usage: Usage
    reasoning: str = ""
    logprobs: tuple[float, ...] | None = None
    confidences: tuple[float, ...] | None = None
    key: str = ""
    """Journal key of the call that drew it."""
    tool_calls: tuple[ToolCall, ...] = ()
    """What the model wishes to be called. Its tokens are output like any others."""
    refusal: str = ""
    """What it says in place of an answer: no text, so no vote either."""

    @property
    def message(self) -> Message:
        """The sample as a turn of the conversation that it goes on with."""
        return Message(
            "assistant",
            self.text or None,
            tool_calls=self.tool_calls,
            reasoning=self.reasoning,
            refusal=self.refusal or None,
        )


@dataclass(frozen=True, slots=True)
class Candidate:
    """A possible answer and what speaks for it."""

    text: str
    answer: str | None
    """Extracted from the text; None when nothing could be extracted."""
    score: float | None = None
    """A verifier's value in [0, 1]; 1 is a pass."""
    feedback: str = ""
    """What the verifier said beside its score."""
    logprob: float | None = None
    """Mean log-probability of the tokens it was drawn with, where that was asked for."""
    key: str = ""
    """Journal key of the call that made it."""
    sources: tuple[str, ...] = ()
    """Where the passages stand that it rests on, for strategies that search."""
    turn: Message | None = None
    """The turn that it stands for, where that is more than its text: calls of tools, a refusal.
    Calls are voted on by their value, whatever the kind of the problem."""


class Tally(NamedTuple):
    """One answer's votes, equivalent answers counted together."""

    answer: str
    weight: float


@dataclass(frozen=True, slots=True)
class Answer:
    """What a strategy returns."""

    best: Candidate | None
    """None is an abstention: nothing that was drawn held an answer."""
    candidates: tuple[Candidate, ...] = ()
    votes: tuple[Tally, ...] = ()
    """Heaviest first; no answer is not a vote."""
    tied: bool = False
    """The two heaviest weigh the same; the first drawn was taken."""
    why: Explanation | None = None
    """How the budget was spent and why, from strategies that decide it themselves."""
    uncompared: int = 0
    """Pairs of answers that were not compared since the time was up: they count as different."""
    certified: bool | None = None
    """A promise that was asked for holds of it (see `workspan certify`); None where none was."""

    @property
    def text(self) -> str | None:
        """The answer itself, or None for an abstention."""
        return self.best.answer if self.best else None

    @property
    def margin(self) -> float | None:
        """Lead of the heaviest answer over the next, as a share of all votes."""
        total = sum(vote.weight for vote in self.votes)
        if not total:
            return None
        first, second = [*(vote.weight for vote in self.votes[:2]), 0.0][:2]
        return (first - second) / total

    @property
    def effective_n(self) -> float | None:
        """Different answers that the votes amount to: (sum w)^2 / sum w^2; None without votes.

        1 where all agree, so that there was nothing to choose; n where n votes all differ.
        """
        squares = sum(vote.weight**2 for vote in self.votes)
        return sum(vote.weight for vote in self.votes) ** 2 / squares if squares else None
