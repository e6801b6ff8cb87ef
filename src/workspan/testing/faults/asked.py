"""What a completion request asks for, as a server reads it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request's body."""

    is_chat: bool
    body: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, path: str, body: bytes) -> Asked:
        """Decode the body of a request to `path`."""
        return cls("chat" in path, json.loads(body))

    @property
    def cap(self) -> int:
        """The most tokens of one choice; 16 where none is named, as in OpenAI's completions."""
        return int(self.body.get("max_tokens") or self.body.get("max_completion_tokens") or 16)

    @property
    def choices(self) -> int:
        """How many completions."""
        return int(self.body.get("n") or 1)

    @property
    def is_streamed(self) -> bool:
        """Server-sent events, not one JSON reply."""
        return bool(self.body.get("stream"))

    @property
    def wants_usage(self) -> bool:
        """A streamed request gets a last event with usage only if it asks for it."""
        return not self.is_streamed or bool(self.body.get("stream_options"))

    @property
    def wants_logprobs(self) -> bool:
        """One log-probability for each token."""
        return self.body.get("logprobs") not in (None, False, 0)

    @property
    def alternatives(self) -> int:
        """How many of the most likely tokens at each place."""
        named = self.body.get("top_logprobs" if self.is_chat else "logprobs")
        return int(named or 0)

    @property
    def texts(self) -> list[str]:
        """The prompt's messages, or the one prompt."""
        if self.is_chat:
            return [str(message["content"]) for message in self.body["messages"]]
        return [str(self.body["prompt"])]

    @property
    def prompt_tokens(self) -> int:
        """By this server's vocabulary: a token for three bytes, five to frame a message."""
        return sum(len(text.encode()) // 3 + 5 for text in self.texts)
