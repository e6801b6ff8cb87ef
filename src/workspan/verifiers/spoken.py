"""What a judge says once it has thought: how long it may take, and what is quoted of it."""

from __future__ import annotations

import re
import unicodedata

from workspan.answers.thinking import spoken
from workspan.data.types import Sample

ROOM = 1024
"""Tokens that a judge may take by default: as many as the default of what it judges.

A judge that thinks needs some hundreds before its verdict, and a cap within the thought buys
nothing at all. One that does not think ends by itself after a few, so the room costs it nothing;
the account is charged for what was decoded, never for the cap.
"""

WINDOW = 8_192
"""Characters at the end of a reply in which a verdict is looked for."""


def is_whole(reply: Sample) -> bool:
    """Say whether a reply ended by itself, so that its last word is not cut."""
    return reply.finish == "stop"


def excerpt(reply: Sample) -> str:
    """Quote the end of a reply that holds no verdict, and say so if it was cut."""
    said = spoken(reply.text)
    cut = "" if is_whole(reply) else f", cut by {reply.finish}"
    if not said:
        return f"nothing after its thinking{cut}" if reply.text or reply.reasoning else "nothing"
    return f"{said[-80:]!r}{cut}"


def plain(text: str) -> str:
    """Write a reply's end without emphasis, with the digits of every script as 0 to 9."""
    digits = "".join(
        str(unicodedata.decimal(c)) if not c.isascii() and c.isdecimal() else c
        for c in text[-WINDOW:]
    )
    unboxed = _BOX.sub(r"\1", digits)
    return unboxed.translate(_PLAIN)


_BOX = re.compile(r"\\(?:f?boxed|text|mathbf|textbf)\s?\{([^{}\n]{0,60})\}")
_PLAIN = str.maketrans(
    {"*": "", "`": "", "$": "", "\u2212": "-", "\u00a0": " ", "\u202f": " ", "\uff1a": ":"}
    | {"\uff0f": "/", "\r": "\n", "\u2010": "-", "\u2011": "-"}
)
