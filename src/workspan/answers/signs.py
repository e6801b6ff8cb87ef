"""Signs of other scripts and fonts as their plain ones, character for character.

A text keeps its length, so that a place in the plain text is the same place in what was written.
"""

from __future__ import annotations

import re

_ZEROS = (
    *(0x660, 0x6F0, 0x7C0, 0x966, 0x9E6, 0xA66, 0xAE6, 0xB66, 0xBE6, 0xC66, 0xCE6, 0xD66, 0xDE6),
    *(0xE50, 0xED0, 0xF20, 0x1040, 0x17E0, 0x1810, 0x1946, 0x19D0, 0x1BB0, 0x1C40, 0xA9D0, 0xFF10),
    *(0x1D7CE, 0x1D7D8, 0x1D7E2, 0x1D7EC, 0x1D7F6),
)
"""The zeros of decimal digits in use (Unicode, category Nd); nine digits follow each."""

THIN = "\u2009"
"""Stands for every narrow or unbreakable space, which may stand between thousands."""

_SAME = {
    "-": "−–﹣－‐‑‒⁃",
    "'": "’‘‛′ʼ",
    '"': "“”„‟«»″",
    "/": "⁄∕÷",
    "·": "⋅∙•‧",
    "*": "∗⁎",
    ":": "∶꞉",
    ".": "。٫",
    ",": "、٬،",
    "%": "٪",
    "≤": "⩽≦",
    "≥": "⩾≧",
    "~": "∼",
    " ": "\u2002\u2003\u2004\u2005\u2006\u3000\u200b\u2060\ufeff\u200e\u200f\u00ad\u2066\u2069",
    THIN: "\u00a0\u202f\u2007\u2008\u200a",
}
_TABLE: dict[str, str] = {
    **{chr(0xFF01 + i): chr(0x21 + i) for i in range(94)},
    **{chr(zero + i): str(i) for zero in _ZEROS for i in range(10)},
    **{other: sign for sign, others in _SAME.items() for other in others},
}
_OTHER = re.compile("[" + "".join(re.escape(sign) for sign in _TABLE if sign < "\uffff") + "]")
_FANCY = re.compile("[\U0001d7ce-\U0001d7ff]")
"""Apart: a class of the lower plane alone is looked up in one step."""


def plain(text: str) -> str:
    """Return the text with plain digits, signs, quotes and spaces, as long as it was."""
    if text.isascii():
        return text
    text = _OTHER.sub(_plain, text)
    is_beyond = len(text.encode("utf-16-le", "surrogatepass")) > 2 * len(text)
    return _FANCY.sub(_plain, text) if is_beyond else text


def _plain(sign: re.Match[str]) -> str:
    return _TABLE.get(sign[0], sign[0])


def lower(text: str) -> str:
    """Lower the case; a letter that would become two stays as it is."""
    low = text.lower()
    if len(low) == len(text):
        return low
    return "".join(c if len(c.lower()) != 1 else c.lower() for c in text)
