"""Replies that give no answer: reading one out of them is wrong, whichever it is."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

NUMERIC = ("number", "math")
ALL = ("number", "math", "choice", "text")


@dataclass(frozen=True, slots=True)
class Unread:
    """A reply without an answer.

    Attributes:
        name: why there is none.
        kinds: the kinds for which there is none.
        write: draws the reply.
        finished: whether the model ended by itself.
    """

    name: str
    kinds: tuple[str, ...]
    write: Callable[[random.Random], str]
    finished: bool = True


UNREAD: list[Unread] = []


def _unread(name: str, kinds: tuple[str, ...], *patterns: str, finished: bool = True) -> None:
    def write(rng: random.Random) -> str:
        a, b = sorted(rng.sample(range(2, 500), 2))
        x, y = rng.sample("ABCD", 2)
        text = rng.choice(patterns)
        for mark, part in (
            ("«a»", str(a)),
            ("«b»", str(b)),
            ("«c»", str(a + b)),
            ("«x»", x),
            ("«y»", y),
        ):
            text = text.replace(mark, part)
        return text

    UNREAD.append(Unread(name, kinds, write, finished))


_unread("empty", ALL, "", "   ", "\n\n\n", "\t")
_unread(
    "mark.empty", ALL, "I worked it out.\nAnswer:", "Answer: ", "**Answer:**", "Final Answer:\n\n"
)
_unread(
    "mark.placeholder",
    ALL[:3],
    "Answer: ?",
    "Answer: ...",
    "Answer: <answer>",
    "Answer: [your answer]",
    "Answer: ___",
    "Answer: N/A",
)
_unread(
    "refused",
    ALL[:3],
    "I'm sorry, but I can't help with that.",
    "I cannot determine the answer from what is given.",
    "There is not enough information to say.",
    "I don't know.",
)
_unread(
    "unknown",
    ("number", "choice"),
    "Answer: cannot be determined",
    "Answer: unknown",
    "The answer is unclear to me.",
)
_unread(
    "thought.open",
    ALL,
    "<think>\nPerhaps the answer is «a».",
    "<think>First guess: Answer: «a»\nBut then «b»",
    "<think>\nSo \\boxed{«a»} it is",
    "<thinking>Answer: «x»",
    finished=False,
)
_unread(
    "thought.open_finished",
    ALL,
    "<think>\nPerhaps the answer is «a».",
    "<think>Answer: «x»",
    "<think>\\boxed{«a»}",
)
_unread(
    "thought.only",
    ALL,
    "<think>The answer is «a».</think>",
    "<think>\nAnswer: «x»\n</think>\n",
    "<think>\\boxed{«b»}</think>\n\n",
)
_unread(
    "cut.sentence",
    ALL,
    "There are «a» boxes. Each of them holds «b» and so the",
    "First, «a» + «b» = «c». Next I take",
    "Let me see. The first of these is option «x» which would",
    finished=False,
)
_unread(
    "cut.sum",
    NUMERIC,
    "There are «a» boxes with «b» each, so «a» * «b» +",
    "We get «a» + «b» = «c», then «c» -",
    "Total: «a» + «b» =",
    finished=False,
)
_unread(
    "cut.box",
    NUMERIC,
    "So the answer is $\\boxed{«a»",
    "Thus \\boxed{\\frac{«a»}{",
    "\\[ \\boxed{«a» +",
    finished=False,
)
_unread(
    "cut.mark",
    ALL,
    "I worked it out.\n\nAnswer:",
    "Therefore the final answer is",
    "**Answer:** ",
    finished=False,
)
_unread("cut.tag", ALL, "I worked it out.\n<answer>", "<answer>\n", finished=False)
_unread(
    "range.mark",
    ("number",),
    "Answer: «a»-«b»",
    "Answer: «a» – «b»",
    "Answer: «a» to «b»",
    "Answer: between «a» and «b»",
    "Answer: from «a» to «b»",
    "Answer: $«a»-$«b»",
    "Answer: «a»–«b» km",
)
_unread(
    "either.mark",
    ("number",),
    "Answer: «a» or «b»",
    "Answer: either «a» or «b»",
    "Answer: «a» / «b» (depending on the reading)",
    "\\boxed{«a» \\text{ or } «b»}",
)
_unread(
    "several.mark",
    ("number",),
    "Answer: «a», «b»",
    "Answer: «a» and «b»",
    "Answer: («a», «b»)",
    "Answer: \\{«a», «b»\\}",
    "Answer: [«a», «b»]",
)
_unread("comma.mark", ("number",), "Answer: 3,«a»1", "Answer: 0,75", "Answer: «a»,5")
_unread(
    "bound.mark",
    ("number",),
    "Answer: > «a»",
    "Answer: x < «a»",
    "Answer: $x \\ge «a»$",
    "Answer: less than «a»",
    "Answer: more than «a»",
)
_unread(
    "formula.mark",
    ("number",),
    "Answer: x + «a»",
    "Answer: $«a»x$",
    "Answer: «a»n - «b»",
    "Answer: $\\sqrt{x}$",
    "Answer: «a»y^2",
)
_unread("ratio.mark", ("number",), "Answer: «a»:«b»", "Answer: «a» : «b»", "Answer: «a» to «b»")
_unread(
    "choices.two",
    ("choice",),
    "Answer: «x» or «y»",
    "Answer: «x» and «y»",
    "Answer: «x», «y»",
    "The answer is either «x» or «y».",
    "\\boxed{«x», «y»}",
    "Answer: «x»/«y»",
)
_unread(
    "choices.none",
    ("choice",),
    "Answer: none of these",
    "Answer: None of the above is right.",
    "None of the options is correct.",
)
_unread(
    "choices.words",
    ("choice",),
    "A triangle has three sides.",
    "I would say that depends.",
    "A dog barks; a cat meows.",
    "I think a second look is needed.",
    "Answer: a triangle has three sides",
    "Did I mention that a bee can fly?",
)
_unread(
    "choices.ruled_out",
    ("choice",),
    "It is not «x».",
    "«x» is wrong.",
    "Answer: not «x»",
    "«x» can be ruled out, and so can «y».",
)
_unread(
    "choices.discussed",
    ("choice",),
    "Option «x» says one thing, option «y» another. Both are plausible.",
    "«x» and «y» both look right to me.",
)
_unread(
    "words.no_number",
    ("number",),
    "They have many apples.",
    "Answer: many",
    "Answer: a lot of them",
    "No idea, honestly.",
)
_unread(
    "retracted.no_more",
    ("number", "math"),
    "Answer: «a»\n\nWait, that is wrong. I need to start again and",
    finished=False,
)
