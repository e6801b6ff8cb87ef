"""What of a text is meant to be read: no thinking, and no question that the model went on to ask.

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
_TURN = re.compile(
    r"<(?=[|/e｜])(?:\|(?:im_end|im_start|eot_id|end_of_text|endoftext|end|return|call|user|eom_id"
    r"|end_of_turn|end_of_solution)\|>"
    r"|/s>|end_of_turn>|eos>|\|start_header_id\|>user|｜end▁of▁sentence｜>)"
)
_NEXT = re.compile(
    r"\n[ \t]*[*#_]{0,4}[ \t]*(?=[qpehuin])(?:(?:next |new )?(?:question|problem"
    r"|exercise)(?: ?#?[0-9]{1,3})?|q[0-9]{0,3}|human|user|instruction"
    r"|input)[*_]{0,2}[ \t]?[:：]"
)
_AGAIN = re.compile(
    r"\n\s*(?:\[?(?:assistant|question|instruction|context)\]?:"
    r"|#{1,4}[ ]*(?:question|problem|exercise|example)[ ]+#?(?:[2-9]|[1-9][0-9])(?![0-9])"
    r"|(?:\*\*)?(?:question|problem|exercise|example)[ ]+#?(?:[2-9]|[1-9][0-9])[.:)])"
)
"""A turn or question that follows an answer."""
_AGAIN_WORDS = (
    *("assistant:", "assistant]", "instruction:", "instruction]", "context:", "context]"),
    *("question", "problem ", "exercise ", "example "),
)
_GIVES = re.compile(r"answer[*_]{0,2}\s?(?:is|:)\s*[^\s*_]|\n#### ?\S|boxed\{|</answer>")
_GIVEN = (
    "question",
    "problem",
    "q:",
    "**question",
    "**problem",
    "###",
    "human",
    "user",
    "instruction",
)


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


_CONTAINED = re.compile(
    r"</(final(?:_(?:response|result|output))?|output|result|response|solution|reply)>\s*\Z"
)
_TAIL = 40


def contained(low: str) -> tuple[int, int] | None:
    """Return what stands in a last tag that holds the reply, such as <output> or <result>."""
    if ">" not in low[-4:]:
        return None
    last = _CONTAINED.search(low, max(0, len(low) - _TAIL))
    if last is None:
        return None
    start = low.rfind(f"<{last[1]}>", 0, last.start())
    return None if start < 0 else (start + len(last[1]) + 2, last.start())


def reply_end(text: str, low: str, *, has_answer: bool) -> int:
    """Return where the model goes on into a turn or a question of its own; else the end.

    Args:
        text: without thinking.
        low: the same in lower case.
        has_answer: the kind has answers that such a question may follow.
    """
    end = len(text)
    if "<" in text and (turn := _TURN.search(text)) and text[: turn.start()].strip():
        end = turn.start()
    if "[inst]" in low and (turn_at := low.find("[inst]", 0, end)) > 0 and text[:turn_at].strip():
        end = turn_at
    if not has_answer or "\n" not in low:
        return end
    if (
        any(word in low for word in _AGAIN_WORDS)
        and (again := _AGAIN.search(low, 0, end))
        and _GIVES.search(low, 0, again.start())
    ):
        end = again.start()
    if not (":" in low or "：" in low):
        return end
    at = 0
    for _ in range(_QUESTIONS):
        following = _NEXT.search(low, at, end)
        if following is None:
            return end
        before = low[max(0, following.start() - _BACK) : following.start()].strip()
        lead = low[:40].lstrip()
        starts_so = lead.startswith(_GIVEN) and not _VALUE_FIRST.match(lead)
        if before and not starts_so and not _RESTATES.search(before[-80:]):
            return following.start()
        if "answer" in before and _ANSWERED.search(before):
            return following.start()
        at = following.end()
    return end


_QUESTIONS = 64
_BACK = 2_000
_VALUE_FIRST = re.compile(r"#### ?[-$+(\\]{0,3}[0-9]")
_ANSWERED = re.compile(r"answer[*_]{0,2}\s?(?:is|:)")
_RESTATES = re.compile(
    r"(?:restat|repeat|given|first|recall|here is|understand|read|analy[sz]e|break|look at|let's"
    r"|let me)[^\n]{0,60}$"
    r"|(?<!#)#{1,3}[^#\n]{0,60}$|#{4,6}[ \t]*(?:step|problem|question|part|task|solution|analysis"
    r"|approach|example|plan|reasoning)(?![a-z])[^\n]{0,60}$"
)
