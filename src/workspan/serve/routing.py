"""Which engine and strategy a request means, and which requests are not worth scaling."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import msgspec

from workspan.errors import InputError, nearest
from workspan.serve.asked import Wish
from workspan.serve.config import Config, Upstream
from workspan.serve.relay.body import Body
from workspan.serve.wire.errors import no_model
from workspan.serve.wishes import STRAIGHT, safe_strategy

if TYPE_CHECKING:
    from workspan.core.session import Strategy

AUTO = "auto"
_MADE = 256
"""Strategies that are remembered."""


@dataclass(frozen=True, slots=True)
class Target:
    """What a name of a model stands for."""

    upstream: str
    strategy: Strategy | None = None
    written: str = ""
    """The strategy as it is written; empty where there is none."""
    is_default: bool = False
    """The route's own strategy, which nobody asked for by name."""
    why_straight: str = ""


class Routing:
    """The names that clients may ask for."""

    def __init__(self, config: Config, models: Mapping[str, str]) -> None:
        """Lay out the table; what the operator wrote may import.

        Args:
            config: what was stated.
            models: the model behind each upstream, by the upstream's name.

        Raises:
            SpecError: a strategy can't be made.
        """
        self.config = config
        self.models = models
        self._named = {AUTO: AUTO, **config.strategies}
        self._made: dict[str, Strategy] = {}
        """What was written, by the operator or by clients, made once: what strategies are made of
        is loaded by the first that needs it."""
        self._known: dict[str, Target] = {}
        for upstream in config.upstreams:
            for name in dict.fromkeys((self._shown(upstream), upstream.name)):
                self._add(name, upstream)
        for pool in config.pools:
            first = next(u for u in config.upstreams if u.name in pool.upstreams)
            self._add(pool.name, first)
        for word, text in self._named.items():
            self._known.setdefault(word, Target(config.first.name, None, text))

    def _shown(self, upstream: Upstream) -> str:
        return self.models.get(upstream.name) or upstream.name

    def _add(self, name: str, upstream: Upstream) -> None:
        """Add a model, alone and with each strategy that has a name."""
        own = self.config.strategy
        text = self._named.get(own, own) or ("" if upstream.is_server else "single")
        self._known.setdefault(name, Target(upstream.name, None, text, is_default=bool(text)))
        for word, written in self._named.items():
            self._known.setdefault(f"{name}:{word}", Target(upstream.name, None, written))

    def names(self) -> list[str]:
        """All names that a list of models shows; the engines' own names are left out."""
        shown = dict.fromkeys(map(self._shown, self.config.upstreams))
        words = [*self._named]
        return [*shown, *words, *(f"{model}:{word}" for model in shown for word in words)]

    def upstream_of(self, name: str) -> str:
        """Return the upstream that one of the names stands for."""
        return self._known[name].upstream

    def target(self, model: str, wish: Wish) -> Target:
        """Return what a request means.

        Raises:
            Failed: no such model.
            InputError: the strategy is none that a client may name.
        """
        found = self._known.get(model)
        if found is None:
            found = self._written_out(model)
        elif wish.strategy is None and found.written:
            return replace(found, strategy=self._operators(found.written))
        if wish.strategy is None:
            return found
        if wish.strategy in STRAIGHT:
            return Target(found.upstream)
        return Target(found.upstream, self._strategy(wish.strategy), wish.strategy)

    def _written_out(self, model: str) -> Target:
        """Read ``MODEL:strategy(…)``; a model's own name may hold colons."""
        at = model.rfind(":", 0, (model.find("(") + 1 or len(model) + 1) - 1)
        while at > 0:
            known = self._known.get(model[:at])
            if known is not None:
                text = model[at + 1 :]
                if text in STRAIGHT:
                    return Target(known.upstream)
                return Target(known.upstream, self._strategy(text), text)
            at = model.rfind(":", 0, at)
        raise no_model(model, nearest(model, self.names()))

    def _strategy(self, text: str) -> Strategy:
        """Make what a client named or wrote."""
        if text in self._named:
            return self._operators(self._named[text])
        known = self._made.get(f"client {text}")
        if known is None:
            known = safe_strategy(text)
            if len(self._made) < _MADE:
                self._made[f"client {text}"] = known
        return known

    def operators(self, text: str) -> Strategy:
        """Make what the operator wrote or named, which may import.

        Raises:
            SpecError: it is none.
        """
        return self._operators(self._named.get(text, text))

    def _operators(self, text: str) -> Strategy:
        known = self._made.get(f"operator {text}")
        if known is None:
            from workspan.spec import parse_strategy

            known = self._made[f"operator {text}"] = parse_strategy(text, imports=True)
        return known


@dataclass(frozen=True, slots=True)
class Rule:
    """A kind of request that no strategy makes better."""

    name: str
    seen: str
    """Which client sends it, and where that is seen."""
    pattern: re.Pattern[str]
    """Of its last user turn, or of its system turn."""
    most_tokens: int | None = None
    """Only where the request is capped at no more."""


def _words(text: str) -> re.Pattern[str]:
    return re.compile(text, re.IGNORECASE | re.DOTALL)


RULES: tuple[Rule, ...] = (
    Rule(
        "ping",
        "aider keeps a prompt's cache warm by requests of one token (aider/coders/base_coder.py, "
        "warm_cache); probes of health ask for one, too",
        _words(r""),
        most_tokens=1,
    ),
    Rule(
        "title",
        "Open WebUI, backend/open_webui/config.py, DEFAULT_TITLE_GENERATION_PROMPT_TEMPLATE: "
        "'### Task:\\nGenerate a concise, 3-5 word title'",
        _words(r"### Task:\s*Generate a concise, 3-5 word title"),
    ),
    Rule(
        "tags",
        "Open WebUI, DEFAULT_TAGS_GENERATION_PROMPT_TEMPLATE: Generate 1-3 broad tags",
        _words(r"### Task:\s*Generate 1-3 broad tags"),
    ),
    Rule(
        "follow_ups",
        "Open WebUI, DEFAULT_FOLLOW_UP_GENERATION_PROMPT_TEMPLATE: '### Task:\\nSuggest 3-5 "
        "relevant follow-up questions'",
        _words(r"### Task:\s*Suggest 3-5 relevant follow-up"),
    ),
    Rule(
        "queries",
        "Open WebUI, DEFAULT_QUERY_GENERATION_PROMPT_TEMPLATE: '### Task:\\nAnalyze the chat "
        "history to determine the necessity of generating search queries'",
        _words(r"### Task:\s*Analyze the chat history to determine the necessity"),
    ),
    Rule(
        "autocomplete",
        "Open WebUI, DEFAULT_AUTOCOMPLETE_GENERATION_PROMPT_TEMPLATE: '### Task:\\nYou are an "
        "autocompletion system'",
        _words(r"### Task:\s*You are an autocompletion system"),
    ),
    Rule(
        "image_prompt",
        "Open WebUI, DEFAULT_IMAGE_PROMPT_GENERATION_PROMPT_TEMPLATE: '### Task:\\nGenerate a "
        "detailed prompt for am image generation task'",
        _words(r"### Task:\s*Generate a detailed prompt for a[mn] image generation"),
    ),
    Rule(
        "title",
        "LibreChat, @librechat/agents, src/utils/title.ts, defaultCompletionPrompt and the older "
        "titleInstruction: 'a concise, 5-word-or-less title for the conversation'",
        _words(r"concise, 5-word-or-less title for the conversation"),
    ),
    Rule(
        "title",
        "LibreChat, the same file, defaultTitlePrompt: 'Analyze this conversation and provide: "
        "1. The detected language … 2. A concise title in the detected language'",
        _words(r"detected language of the conversation.{0,20}A concise title in the detected"),
    ),
)
"""What clients send beside a person's own turns: Open WebUI makes four requests of one message
(open-webui issues 9506 and 15081)."""

_TITLE_METADATA = frozenset(
    {"title_generation", "tags_generation", "follow_up_generation", "query_generation"}
    | {"emoji_generation", "autocomplete_generation", "image_prompt_generation"}
)
"""What Open WebUI names in ``metadata.task``, where it passes that on."""


_LOOKED_AT = 4_000
"""Characters of a turn: a client's own prompt stands at its beginning."""


class _Turn(msgspec.Struct):
    role: str = ""
    content: Any = None


def housekeeping(body: Body, cap: int | None) -> str:
    """Return the rule by which a request is a client's housekeeping; empty where it is none."""
    metadata = body.get("metadata", object, "an object")
    if isinstance(metadata, dict) and metadata.get("task") in _TITLE_METADATA:
        return str(metadata["task"])
    texts = _told(body)
    for rule in RULES:
        if rule.most_tokens is not None:
            if cap is not None and cap <= rule.most_tokens:
                return rule.name
        elif any(rule.pattern.search(text) for text in texts):
            return rule.name
    return ""


def _told(body: Body) -> Sequence[str]:
    """Return the texts that a client's own prompts stand in: the first turn and the last."""
    try:
        turns = body.get("messages", list[_Turn], "a list of messages") or []
    except InputError:
        return ()
    ends = turns if len(turns) < 2 else [turns[0], turns[-1]]
    return [text for turn in ends for text in _texts(turn)]


def _texts(turn: _Turn) -> list[str]:
    parts = turn.content if isinstance(turn.content, list) else [{"text": turn.content}]
    told = [part.get("text") for part in parts if isinstance(part, dict)]
    return [text[:_LOOKED_AT] for text in told if isinstance(text, str)]
