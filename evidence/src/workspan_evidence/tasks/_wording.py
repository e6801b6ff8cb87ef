"""The reasoner's problems in English, for language models: the same facts, the same question."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from workspan.answers import MARKED
from workspan.data.types import AnswerKind
from workspan_evidence.families.base import Instance
from workspan_evidence.families.graph import GraphInstance
from workspan_evidence.families.serial import GENERATORS
from workspan_evidence.grammar import ROW, VOCABULARY

_THINGS = "ABCDE"
_PLACES = ("first", "second", "third", "fourth", "fifth")


def worded(family: str, instance: Instance) -> tuple[str, AnswerKind, str]:
    """Return a problem's question in English, the kind of its answer, and the answer."""
    if isinstance(instance, GraphInstance):
        return f"{_graph(instance)}\n\n{MARKED}", "number", str(instance.answer)
    tell, kind, write = _TOLD[family]
    return f"{tell(instance)}\n\n{MARKED}", kind, write(instance.answer)


def choices(family: str, instance: Instance) -> tuple[str, ...]:
    """Return the answers that a problem's English question names, as it writes them."""
    if isinstance(instance, GraphInstance):
        return tuple(map(str, instance.candidates))
    return tuple(_THINGS) if family == "compose" else ("0", "1")


def _graph(instance: GraphInstance) -> str:
    """Write (s, t1, t2)-connectivity as a list of links: node n17 of the grammar is node 17."""
    links = [
        f"{node} leads to {', '.join(map(str, others)) if others else 'no other node'}"
        for node, others in instance.rows.items()
    ]
    first, second = instance.candidates
    return (
        "Here is which nodes of a graph lead to which others:\n"
        + "\n".join(links)
        + f"\n\nBeginning at node {instance.source} and going from node to node as they lead, you "
        f"can reach exactly one of node {first} and node {second}. Which one?"
    )


def _rule110(instance: Instance) -> str:
    steps, *cells = instance.prompt[5:]
    return (
        f"{len(cells)} cells stand in a ring, each 0 or 1. At a step all cells change at once: a "
        "cell is 1 afterwards if it or its right neighbour was 1, unless the cell and both its "
        "neighbours were 1; else it is 0. The right neighbour of the last cell is the first.\n"
        f"The cells now: {_bits(cells)}\n\nWhat is the first cell after {_times(steps)}?"
    )


def _compose(instance: Instance) -> str:
    prompt = instance.prompt
    letters = [prompt[i + 2] for i, symbol in enumerate(prompt) if symbol == ROW]
    moves = [
        f"{n}. " + ", ".join(_PLACES[place] for place in GENERATORS[letter - 40])
        for n, letter in enumerate(letters, 1)
    ]
    return (
        f"Five things stand in a row: {' '.join(map(_thing, prompt[-5:]))}. Each of these moves "
        "says for the places of the new row, from the first to the fifth, from which place of the "
        "row before it each thing is taken:\n"
        + "\n".join(moves)
        + "\n\nWhich thing stands first after the last move?"
    )


def _parity(instance: Instance) -> str:
    bits = _bits(instance.prompt[5:])
    return f"Here are some bits: {bits}\n\nIs the number of ones odd (answer 1) or even (answer 0)?"


def _majority(instance: Instance) -> str:
    return f"Here are some bits: {_bits(instance.prompt[5:])}\n\nAre more of them 1 or 0?"


def _bits(ids: tuple[int, ...] | list[int]) -> str:
    return " ".join(VOCABULARY[i] for i in ids)


def _times(steps: int) -> str:
    return "one step" if steps == 1 else f"{steps} steps"


def _thing(symbol: int) -> str:
    return _THINGS[symbol - 60]


_TOLD: Mapping[str, tuple[Callable[[Instance], str], AnswerKind, Callable[[int], str]]] = {
    "rule110": (_rule110, "number", VOCABULARY.__getitem__),
    "compose": (_compose, "choice", _thing),
    "parity": (_parity, "number", VOCABULARY.__getitem__),
    "majority": (_majority, "number", VOCABULARY.__getitem__),
}
