"""The one grammar of every family: a closed vocabulary in which a symbol is a token.

In text the symbols stand apart by spaces, so a problem can be asked of any engine and read back.

A prompt is ``<s>``, the facts, ``?``, the question, a format, ``:`` and the chain's first symbol. A
chain is steps, ``=``, the answer and ``</s>``. ``= ?`` abstains: what a chain must say that is made
to answer before it knows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from workspan.errors import InputError

VERSION: Final = 1
"""Changes with any change to the order or meaning of symbols; written beside the weights."""

N_LABELS: Final = 96
"""Labels name things (nodes, cells, keys): a problem draws a fresh permutation of them."""

_SYMBOLS: Final = (
    *("<pad>", "<s>", "</s>", ";", "?", ":", "<", "=", ",", "x", "ok", "bad"),
    *("dfs", "path", "shortest", "steps", "direct"),
    *("rule110", "compose", "parity", "majority", "lookup", "plan", "revise", "recombine"),
    *("0", "1", "<search>", "</search>", "<information>", "</information>", "<unk>"),
)

VOCABULARY: Final = (*(f"n{label}" for label in range(N_LABELS)), *_SYMBOLS)
"""Every symbol; its index is its token id."""

_IDS: Final = {symbol: index for index, symbol in enumerate(VOCABULARY)}

PAD: Final = _IDS["<pad>"]
BOS: Final = _IDS["<s>"]
EOS: Final = _IDS["</s>"]
ROW: Final = _IDS[";"]
QUERY: Final = _IDS["?"]
"""Begins the question in a prompt."""
ABSTAIN: Final = QUERY
"""The answer of a chain that was cut before it knew; the same symbol as `QUERY`."""
GO: Final = _IDS[":"]
BACK: Final = _IDS["<"]
"""Climb: the next symbol is the node that the walk returns to."""
ANSWER: Final = _IDS["="]
COMMA: Final = _IDS[","]
BITS: Final = (_IDS["0"], _IDS["1"])
FORMATS: Final = {name: _IDS[name] for name in ("dfs", "path", "shortest", "steps", "direct")}
"""Stand before ``:`` and say which kind of chain is wanted."""
TASKS: Final = {
    name: _IDS[name] for name in _SYMBOLS[_SYMBOLS.index("rule110") : _SYMBOLS.index("0")]
}
"""Begin a prompt whose facts are not a graph."""


def encode(text: str) -> tuple[int, ...]:
    """Return the token ids of symbols that stand apart by white space.

    Raises:
        InputError: a symbol is not of the vocabulary.
    """
    try:
        return tuple(_IDS[symbol] for symbol in text.split())
    except KeyError as unknown:
        raise InputError(f"{unknown.args[0]!r} is not a symbol of the reasoner's grammar") from None


def decode(ids: Iterable[int]) -> str:
    """Write token ids as symbols with a space between."""
    return " ".join(VOCABULARY[index] for index in ids)
