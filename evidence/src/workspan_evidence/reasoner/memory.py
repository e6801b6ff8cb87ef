"""Prompts that the model has read, kept for the chains that follow them."""

from __future__ import annotations

from collections import OrderedDict

from workspan_evidence.reasoner.model import Context, Model

_MOST_TOKENS = 32_768
"""Kept in all; a token of the package's weights takes 4 KiB."""


class Memory:
    """Reads each beginning once: what was used longest ago is forgotten first."""

    def __init__(self, model: Model, most_tokens: int = _MOST_TOKENS) -> None:
        self._model, self._most = model, most_tokens
        self._contexts: OrderedDict[tuple[int, ...], Context] = OrderedDict()
        self._tokens = 0

    def read(self, tokens: tuple[int, ...]) -> tuple[Context, int]:
        """Return `tokens` as a text that was read, and how many of them were known before."""
        known = tokens if tokens in self._contexts else self._longest(tokens)
        context = self._contexts[known] if known is not None else None
        if known is not None:
            self._contexts.move_to_end(known)
        if context is None or len(context.tokens) < len(tokens):
            begin = len(context.tokens) if context else 0
            read = self._model.read(tokens[begin:], context)
            self._keep(read)
            return read, begin
        return context, len(tokens)

    def _longest(self, tokens: tuple[int, ...]) -> tuple[int, ...] | None:
        beginnings = (known for known in self._contexts if tokens[: len(known)] == known)
        return max(beginnings, key=len, default=None)

    def _keep(self, context: Context) -> None:
        self._contexts[context.tokens] = context
        self._tokens += len(context.tokens)
        while self._tokens > self._most and len(self._contexts) > 1:
            forgotten, _ = self._contexts.popitem(last=False)
            self._tokens -= len(forgotten)
