"""What of a text is meant to be read: no thinking.

Thinking is cut before anything else, in every kind: between tags of any maker, before a closing tag
whose opening one the chat template wrote, and to the end where it was left open. A tag that is only
spoken of, between quotes or backticks, is none.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from typing import NamedTuple

_NAMES = (
    r"(?:[a-z0-9_]{1,12}:|ant_?|longcat_)?(?:think(?:ing)?|thoughts?|reasoning|reflection"
    r"|scratchpad|inner_?monologue|cot"
    r"|chain_of_thought|deep_?think|analysis|thought_process|inner_thoughts?)"
)
_ANGLED = (
    rf"<(?=[ /|a-z])(?:[ ]?(?P<close1>/)?[ ]?{_NAMES}(?:\s[^<>\n]{{0,80}})?>"
    r"|\|(?P<open4>begin_of_thought|start_thinking|begin_of_thinking|thinking|think)\|>"
    r"|\|(?P<close4>end_of_thought|end_thinking|end_of_thinking|/thinking|/think)\|>"
    r"|(?P<close5>\|channel\|>(?:final"
    r"|commentary to=)[^<]{0,80}(?:<\|constrain\|>[^<]{0,20})?<\|message\|>"
    r"|channel\|>|unused95>)"
    r"|(?P<open5>\|channel\|>(?:analysis|commentary)[^<]{0,80}<\|message\|>|\|channel>thought"
    r"|unused94>))"
)
_HINT = re.compile(_ANGLED)
_TAG = re.compile(_ANGLED + r"|\[(?P<close2>/)?think\]|◁(?P<close3>/)?think▷")
_QUOTES = "\"'`“‘"
_PAIRED = {"“": "”", "‘": "’"}
_STRIPPED = re.compile(r"\s*(?:analysis)(?=[A-Z\s])")
_GRANITE = ("here is my thought process:", "here is my response:")


class Visible(NamedTuple):
    """The text that is read, and where its pieces stood."""

    text: str
    starts: tuple[int, ...]
    """Where each piece starts in `text`."""
    places: tuple[int, ...]
    """Where it started in the original."""
    is_open: bool
    """The text ends inside a thought."""

    def original(self, at: int, *, is_end: bool = False) -> int:
        """Return the place in the original of a place in `text`."""
        i = bisect_right(self.starts, at - is_end) - 1
        return self.places[i] + at - self.starts[i] if i >= 0 else at


def visible(text: str, low: str, reasoning: str = "") -> Visible | None:
    """Cut the thinking out of a text; None if there is none.

    Args:
        text: what a model wrote.
        low: the same in lower case.
        reasoning: its thinking as the engine reported it apart; some servers repeat it in the text.
    """
    skipped = 0
    if reasoning and (thought := reasoning.strip()):
        lead = len(text) - len(text.lstrip())
        if text.startswith(thought, lead) and len(thought) > 16:
            skipped = lead + len(thought)
    is_tagged = ("<" in low and _HINT.search(low)) or "think]" in low or "◁" in low
    if not is_tagged and _GRANITE[0] not in low:
        skipped = max(skipped, _final_channel(low) if low.startswith("analysis") else 0)
        return Visible(text[skipped:], (0,), (skipped,), is_open=False) if skipped else None
    pieces, is_open = _pieces(text, low, skipped)
    if not is_open and _GRANITE[0] in low:
        reply = low.rfind(_GRANITE[1]) + len(_GRANITE[1]) if _GRANITE[1] in low else len(low)
        pieces = [(max(start, reply), end) for start, end in pieces if end > reply]
        is_open = not pieces
    starts, places, kept, length = [], [], [], 0
    for start, end in pieces:
        starts.append(length)
        places.append(start)
        kept.append(text[start:end])
        length += end - start
    return Visible("".join(kept), tuple(starts), tuple(places), is_open)


def spoken(text: str) -> str:
    """Return a reply without its thinking, as whoever reads more than an answer needs it.

    What comes before an end of thinking that nothing opened is thinking; so is all that comes after
    a beginning that nothing ends.
    """
    cut = visible(text, text.lower())
    return (text if cut is None else cut.text).strip()


def _final_channel(low: str) -> int:
    """Return where the reply starts in a text whose channel marks lost their signs."""
    at = low.rfind("assistantfinal")
    return at + len("assistantfinal") if at >= 0 and _STRIPPED.match(low) else 0


def _pieces(text: str, low: str, skipped: int) -> tuple[list[tuple[int, int]], bool]:
    """Return the parts outside thoughts, and whether the last thought was left open."""
    pieces: list[tuple[int, int]] = []
    depth, start = 0, skipped
    for tag in _TAG.finditer(low, skipped):
        is_closing = bool(
            tag["close1"] or tag["close2"] or tag["close3"] or tag["close4"] or tag["close5"]
        )
        if _is_spoken_of(low, tag, is_closing=is_closing) or _is_in_code(low, tag, start, depth):
            continue
        if not is_closing:
            if depth == 0 and tag.start() > start:
                pieces.append((start, tag.start()))
            depth += 1
            if tag["open5"]:
                depth = 1
        elif depth > 0:
            depth = 0 if tag["close5"] else depth - 1
            start = tag.end()
        else:  # the template opened it: all before was thought, but for replies to closed thoughts
            pieces = []
            start = tag.end()
    if depth == 0:
        pieces.append((start, len(text)))
    return [piece for piece in pieces if piece[0] < piece[1]], depth > 0


def _is_spoken_of(low: str, tag: re.Match[str], *, is_closing: bool) -> bool:
    before, after = low[tag.start() - 1 : tag.start()], low[tag.end() : tag.end() + 1]
    if not before or before not in _QUOTES:
        return False
    return not is_closing or after == _PAIRED.get(before, before)


def _is_in_code(low: str, tag: re.Match[str], start: int, depth: int) -> bool:
    """Tell a tag inside a closed block of code of the reply, as in a program that strips tags."""
    if depth or "```" not in low[start : tag.start()]:
        return False
    if low.count("```", start, tag.start()) % 2 == 0:
        return False
    line = low.rfind("\n", 0, tag.start()) + 1
    return bool(low[line : tag.start()].strip()) and "```" in low[tag.end() :]
