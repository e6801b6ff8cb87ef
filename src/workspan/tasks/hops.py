"""Questions of known depth and width over made-up people, with the passages that answer them.

`fanout` ways of `hops` people each lead from one to the next by a relation ("the teacher of X is
Y"), and end with a number of books. The names are invented, so that no model knows the answers.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from workspan.data.types import Problem
from workspan.errors import InputError, SpecError, at_least
from workspan.retrieval.base import Passage
from workspan.tasks.base import Task
from workspan.tasks.graders.overlap import ExactMatch
from workspan.tasks.written import written

RELATIONS = ("teacher", "rival", "landlord", "tailor", "physician", "neighbour", "cousin", "guide")
_TRADES = ("potter", "ferryman", "clerk", "baker", "surveyor", "weaver", "printer", "miller")
_TOWNS = ("on the coast", "in the hills", "by the river", "at the border", "in the old town")
_SYLLABLES = tuple(c + v for c in "bdfgklmnprstvz" for v in ("a", "e", "i", "o", "u"))
_NAMES = 342_989
"""Different names: a prime below the number of three-syllable words."""
_APART = 1_000
"""Names kept for each task, so that no two of some hundred tasks share a person."""


@dataclass(frozen=True, slots=True)
class Hops:
    """Multi-hop questions of h = `hops` and f = `fanout`."""

    hops: int = 2
    """h: facts on each way, the number of books included; each needs the one before it."""
    fanout: int = 3
    """f: ways side by side, independent of one another."""
    distractors: int = 20
    """People of each task who lead nowhere; half are mentioned as like one who does."""
    name: str = "hops"
    """As written, parameters included."""
    source: str = "after HDS-QA and FanOutQA: arXiv:2508.19113, arXiv:2402.14116"

    def __post_init__(self) -> None:
        """Refuse values out of range."""
        at_least(1, hops=self.hops, fanout=self.fanout)
        at_least(0, distractors=self.distractors)
        if self.hops > len(RELATIONS) + 1:
            raise ValueError(f"hops is {self.hops}: must be at most {len(RELATIONS) + 1}")
        if self.hops * self.fanout + self.distractors + 2 > _APART:
            raise ValueError(f"hops × fanout and distractors must stay below {_APART} people")

    @property
    def summary(self) -> str:
        """What its problems are."""
        return f"{self.fanout} independent ways of {self.hops} facts each, and who is found there"

    @property
    def serial_depth(self) -> int:
        """Facts that each need the one before."""
        return self.hops

    @classmethod
    def from_text(cls, text: str) -> Hops:
        """Open the set that a text names, such as ``hops(hops=3, fanout=2)``.

        Raises:
            SpecError: an unknown parameter, or a value that it refuses.
        """
        said = written(text)
        known = {name: asdict(cls())[name] for name in ("hops", "fanout", "distractors")}
        values = said.literals(known)
        try:
            return cls(**values, name=said.text)  # type: ignore[arg-type]  # of the defaults' types
        except ValueError as error:
            why = f"{said.name} refuses its parameters: {error}"
            raise SpecError(why, text=said.text) from None

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Make `limit` tasks, the i-th the same whatever the limit.

        Raises:
            InputError: no limit, or one below 1: there is no end to these problems.
        """
        return [made.task for made in self._made(limit, seed)]

    def passages(self, limit: int | None = None, seed: int = 0) -> list[Passage]:
        """Return what the same tasks are to be answered from: one corpus for all of them."""
        return [passage for made in self._made(limit, seed) for passage in made.passages]

    def _made(self, limit: int | None, seed: int) -> Iterator[_Made]:
        if limit is None or limit < 1:
            raise InputError(f"say how many problems of {self.name} to make, at least 1")
        return (_make(self, seed, i) for i in range(limit))


@dataclass(frozen=True, slots=True)
class _Made:
    task: Task
    passages: tuple[Passage, ...]


def _make(wanted: Hops, seed: int, i: int) -> _Made:
    """Make the i-th task of a seed with its share of the corpus."""
    h, f = wanted.hops, wanted.fanout
    rng = random.Random(f"hops {h} {f} {wanted.distractors} {seed} {i}")
    names = [_name(seed, i * _APART + n) for n in range(h * f + wanted.distractors + 2)]
    ways = [names[c * h : (c + 1) * h] for c in range(f)]
    relations = rng.sample(RELATIONS, h - 1)
    books = dict(zip(names, rng.sample(range(100, 10_000), len(names)), strict=True))
    others = names[h * f :]
    leads = {way[j]: (relations[j], way[j + 1]) for way in ways for j in range(h - 1)}
    people = [_person(rng, name, leads.get(name), books, others) for name in names[: h * f]]
    for n, name in enumerate(others):
        like = rng.choice(names[: h * f]) if n % 2 else None
        people.append(_person(rng, name, None, books, others, like))
    rng.shuffle(people)
    best = max(ways, key=lambda way: books[way[-1]])
    answer = best[0] if f > 1 else str(books[best[-1]])
    problem = Problem.ask(_question(ways, relations), id=f"{wanted.name}/{seed}/{i}")
    return _Made(Task(problem, answer, ExactMatch()), tuple(people))


def _question(ways: list[list[str]], relations: list[str]) -> str:
    starts = [way[0] for way in ways]
    steps = ", then to the ".join(f"{relation} of that person" for relation in relations)
    route = f" go to the {steps}, and there" if relations else ""
    if len(starts) == 1:
        return f"Begin with {starts[0]}:{route} count the books. How many are they?"
    listed = f"{', '.join(starts[:-1])} and {starts[-1]}"
    return (
        f"Begin with each of {listed}:{route} count the books. "
        "With whom does the way begin that leads to the most books?"
    )


def _person(
    rng: random.Random,
    name: str,
    lead: tuple[str, str] | None,
    books: dict[str, int],
    others: list[str],
    like: str | None = None,
) -> Passage:
    """Write about one person: the fact that counts among others that do not."""
    strangers = [other for other in others if other != name]
    facts = {relation: rng.choice(strangers) for relation in rng.sample(RELATIONS, 3)}
    if lead is not None:
        facts[lead[0]] = lead[1]
    told = [f"The {relation} of {name} is {other}." for relation, other in facts.items()]
    told += [f"{name} owns {books[name]} books."]
    told += [f"{name} is often taken for {like}."] if like else []
    rng.shuffle(told)
    first = f"{name} is a {rng.choice(_TRADES)} {rng.choice(_TOWNS)}."
    return Passage(name, name, " ".join([first, *told]))


def _name(seed: int, n: int) -> str:
    """Return the n-th name of a seed; different n below `_NAMES` give different names."""
    place = ((n + 1) * 104_729 + seed * 7_919) % _NAMES
    parts = []
    for _ in range(3):
        place, rest = divmod(place, len(_SYLLABLES))
        parts.append(_SYLLABLES[rest])
    return "".join(parts).capitalize()
