"""Answers taken back: "Answer: 12. Wait, no: 15." never gives 12."""

from __future__ import annotations

import re

_CUE = re.compile(
    r"(?<![a-z])(?:wait(?:,? no(?=[,.:!\s]))?|hold on|actually,? (?:no|it|that|the|this|i)"
    r"|correction|scratch that|strike that|oops|my mistake|my bad"
    r"|sorry,? (?:the|it should|i meant|that|my|no)"
    r"|i made an? (?:\w+ )?(?:mistake|error)|on second thoughts?"
    r"|(?:,|^|[.!?]|-|—|…)\s{0,3}no(?=[,.:!\s])(?! [a-z]+ (?:are|is|remain))|no, (?:that|it|this"
    r"|wait|i|sorry)"
    r"|(?:that|this|it)(?:'s| is| was| can't be| cannot be) (?:wrong|incorrect|not right"
    r"|not correct|a mistake|right)"
    r"|let me (?:re(?:do|calculate|compute|consider|think|count|check|work|start|try|-)\w*"
    r"|correct|fix)"
    r"|i (?:was wrong|meant|misread|mis\w+|forgot)|or rather(?! answer)"
    r"|should (?:instead )?be)(?![a-z])"
)
_CONFIRMED = re.compile(
    r"(?<!not )(?<!n't )(?<![a-z])(?:yes|confirm(?:ed|s)?|checks out|(?:is|was|seems|looks"
    r"|'s) (?:indeed )?"
    r"(?:correct|right|fine|good)|consistent|stands|matches|same (?:result|answer))(?![a-z])"
)
_SAYS = re.compile(
    r"(?<![a-z])(?:(?:it|this|that|answer|result|total|which|she|he|they)(?:'s| is| are| was"
    r"| equals| makes| has"
    r"| have| gives| comes to)|(?:should|must) (?:instead )?be|make (?:that|it)|i (?:get|meant"
    r"|mean)|we get"
    r"|rather)(?: actually| really| instead| therefore| then)?:?\s+"
)
_MARKS = re.compile(r"[\s,.:;!—-]*")
_SPAN = 2_000


def retracted(low: str, end: int) -> list[int] | None:
    """Say whether what follows an answer takes it back.

    Args:
        low: the text in lower case.
        end: where the answer ends.

    Returns:
        None if it does not; else the places where the new answer may start, the likeliest first,
        perhaps none.
    """
    if end >= len(low) or not low[end:].strip(" \t\r\n.*_`$\")'}"):
        return None
    cues = [*_CUE.finditer(low, end, end + _SPAN)]
    if not cues:
        return None
    last = cues[-1].end()
    if _CONFIRMED.search(low, cues[0].start(), end + _SPAN):
        return None
    says = [one.end() for one in _SAYS.finditer(low, cues[0].start(), end + _SPAN)]
    direct = _MARKS.match(low, last)
    return [*reversed(says), *([direct.end()] if direct else [])]
