"""Where a reply ends, and where it stands: before a turn or question that the model goes on to ask.

A mark of the chat template ends it, and so does a further question or problem once there was an
answer, or one at all; a question that the reply only repeats ends nothing.
"""

from __future__ import annotations

import re
from itertools import islice

_TURN = re.compile(
    r"<(?=[|/e｜])(?:\|(?:im_end|im_start|eot_id|end_of_text|endoftext|end|return|call|user|eom_id"
    r"|end_of_turn|end_of_solution)\|>"
    r"|/s>|end_of_turn>|eos>|\|start_header_id\|>user|｜end▁of▁sentence｜>)"
)
_NEXT = re.compile(
    r"\n[ \t]*+[*#_]{0,4}[ \t]*+(?=[qpehuin])(?:(?:next |new )?(?:question|problem"
    r"|exercise)(?: ?#?[0-9]{1,3})?|q[0-9]{0,3}|human|user|instruction"
    r"|input)[*_]{0,2}[ \t]?[:：]"
)
_AGAIN = re.compile(
    r"\n[ \t]*(?:\[?(?:assistant|question|instruction|context)\]?:"
    r"|#{1,4}[ ]*(?:question|problem|exercise|example)[ ]+#?(?:[2-9]|[1-9][0-9])(?![0-9])"
    r"|(?:\*\*)?(?:question|problem|exercise|example)[ ]+#?(?:[2-9]|[1-9][0-9])[.:)])"
)
"""A turn or question that follows an answer."""
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


_CONTAINED = re.compile(
    r"</(final(?:_(?:response|result|output))?|output|result|response|solution|reply)>\s*\Z"
)
_TAIL = 40


def contained(low: str) -> tuple[int, int] | None:
    """Return what stands in a last tag that holds the reply, such as <output> or <result>."""
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
    end = _turn_end(text, low)
    if not has_answer or "\n" not in low:
        return end
    again = _AGAIN.search(low, 0, end)
    if again and _GIVES.search(low, 0, again.start()):
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


def _turn_end(text: str, low: str) -> int:
    end = len(text)
    turns = islice(_TURN.finditer(text), _QUESTIONS) if "<" in text else ()
    for turn in turns:
        if text[: turn.start()].strip() and not _is_quoted(text, turn):
            end = turn.start()
            break
    if "[inst]" in low and (turn_at := low.find("[inst]", 0, end)) > 0 and text[:turn_at].strip():
        end = turn_at
    return end


def _is_quoted(text: str, turn: re.Match[str]) -> bool:
    """Tell a turn's mark inside a string, as in JSON about chat templates."""
    line = max(text.rfind("\n", 0, turn.start()) + 1, turn.start() - _BACK)
    stop = text.find("\n", turn.end())
    stop = min(len(text) if stop < 0 else stop, turn.end() + _BACK)
    quotes = text.count('"', line, turn.start()) - text.count('\\"', line, turn.start())
    return quotes % 2 == 1 and text.find('"', turn.end(), stop) >= 0


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
