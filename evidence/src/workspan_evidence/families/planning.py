"""Timetables: every item gets a slot, and items that clash get different ones.

Three kinds of prompt over the same clashes let best-of-n, revision and evolution run on a learnt
proposer: *propose* a plan; *revise* one, told by the checker which clash it violates; *recombine*
two. The learnt strategy looks only at what is already placed: it never searches, so a first plan
often fails, and the checker and what is done with its verdict make the difference.

A prompt is ``<s> plan|revise|recombine``, ``; u v ..`` for each item that clashes with items
before it, ``? SLOTS , ITEMS``, the plans to mend or to mix (``, slot item ..``: behind an item
stands its slot in the chain's own plan only), what the checker says of one (``, bad u v``), and
``steps : u`` with the first item. A chain places item after item: ``u``, each item that it clashes
with and its slot, as far as the strategy looks at them, ``u slot``; then ``= ok`` or ``= bad``.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import combinations
from random import Random
from typing import Literal, TypeAlias

from workspan.errors import InputError, at_least
from workspan_evidence.families.base import Chain, Instance, Verdict, split_answer
from workspan_evidence.grammar import (
    ABSTAIN,
    ANSWER,
    BOS,
    COMMA,
    EOS,
    FORMATS,
    GO,
    N_LABELS,
    QUERY,
    ROW,
    TASKS,
    encode,
)

OK, BAD = encode("ok bad")

Role = Literal["plan", "revise", "recombine"]

Plan: TypeAlias = tuple[int, ...]
"""The slot of each item, in the items' order."""

_SHAKEN = 0.15
"""Chance of a random slot, for each item of a plan that is to be revised or recombined."""


@dataclass(frozen=True, slots=True)
class PlanInstance(Instance):
    """Items, slots, clashes, and the plans that the prompt shows."""

    items: tuple[int, ...]
    slots: tuple[int, ...]
    clashes: tuple[tuple[int, int], ...]
    """Pairs of places in `items`, the later first."""
    role: Role = "plan"
    parents: tuple[Plan, ...] = ()
    blamed: tuple[int, int] | None = None
    """The violated clash that the checker named; the strategy moves its first item."""

    def before(self, item: int) -> Plan:
        """Return the places of the items before one that clash with it, as the prompt has them."""
        return tuple(v for u, v in self.clashes if u == item)

    def violated(self, plan: Plan) -> list[tuple[int, int]]:
        """Return the clashes whose two items share a slot in `plan`."""
        return [(u, v) for u, v in self.clashes if plan[u] == plan[v]]

    def proposing(self) -> PlanInstance:
        """Return the same problem, asking for a first plan."""
        return self._asking("plan", (), None)

    def revising(self, plan: Plan, blamed: tuple[int, int]) -> PlanInstance:
        """Return the same problem, asking to mend `plan`, whose violated clash is `blamed`."""
        return self._asking("revise", (plan,), blamed)

    def recombining(self, one: Plan, other: Plan) -> PlanInstance:
        """Return the same problem, asking for a child of two plans."""
        return self._asking("recombine", (one, other), None)

    def _asking(
        self, role: Role, parents: tuple[Plan, ...], blamed: tuple[int, int] | None
    ) -> PlanInstance:
        asked = replace(self, role=role, parents=parents, blamed=blamed)
        return replace(asked, prompt=_prompt(asked))

    def free(self, item: int, plan: dict[int, int], among: Plan) -> Plan:
        """Return the slots of `among` in which nothing stands that clashes with an item."""
        taken = {plan.get(u if v == item else v) for u, v in self.clashes if item in (u, v)}
        return tuple(dict.fromkeys(slot for slot in among if slot not in taken))


def _prompt(instance: PlanInstance) -> tuple[int, ...]:
    items = instance.items
    rows = dict.fromkeys(u for u, _ in instance.clashes)
    facts = [s for u in rows for s in (ROW, items[u], *(items[v] for v in instance.before(u)))]
    shown: list[int] = []
    for plan in instance.parents:
        shown += (COMMA, *(s for pair in zip(plan, items, strict=True) for s in pair))
    if instance.blamed:
        shown += (COMMA, BAD, *(items[place] for place in instance.blamed))
    return (
        *(BOS, TASKS[instance.role], *facts, QUERY, *instance.slots),
        *(COMMA, *items, *shown),
        *(FORMATS["steps"], GO, items[0]),
    )


def written(instance: PlanInstance, plan: Plan) -> tuple[int, ...]:
    """Write a plan as a chain does, the prompt's last symbol left out."""
    return tuple(symbol for step in _steps(instance, plan) for symbol in step)[1:]


def _steps(instance: PlanInstance, plan: Plan) -> list[list[int]]:
    """Write how each item is placed: the item, what clashes with it and where that is, its slot."""
    moved = {instance.blamed[0]} if instance.blamed else {*range(len(instance.items))}
    steps = []
    for place, item in enumerate(instance.items):
        seen = instance.before(place) if place in moved else ()
        notes = [s for v in seen for s in (instance.items[v], plan[v])]
        steps.append([item, *notes, item, plan[place]])
    return steps


def read_plan(instance: PlanInstance, ids: tuple[int, ...]) -> Plan | None:
    """Return the plan of a model's chain, or None where it is no whole plan."""
    rest, plan = (instance.items[0], *split_answer(ids)[0]), list[int]()
    for item in instance.items:
        if rest[:1] != (item,) or item not in rest[1:]:
            return None
        again = rest.index(item, 1)
        notes, slot, rest = rest[1:again], rest[again + 1 : again + 2], rest[again + 2 :]
        if not slot or slot[0] not in instance.slots or len(notes) % 2:
            return None
        if not {*notes[::2]} <= {*instance.items} or not {*notes[1::2]} <= {*instance.slots}:
            return None
        plan += slot
    return None if rest else tuple(plan)


@dataclass(frozen=True, slots=True)
class Timetable:
    """`n` items in `slots` slots under `clashes` clashes that some plan satisfies."""

    n: int
    clashes: int
    slots: int = 3
    role: Role = "plan"

    def __post_init__(self) -> None:
        at_least(2, n=self.n, slots=self.slots)
        at_least(1, clashes=self.clashes)
        sizes = [len(range(slot, self.n, self.slots)) for slot in range(self.slots)]
        most = sum(a * b for a, b in combinations(sizes, 2))
        if self.clashes > most:
            raise ValueError(f"clashes is {self.clashes}; a plan can satisfy {most} at most")

    def problem(self, rng: Random) -> PlanInstance:
        """Draw clashes around a hidden plan that uses all slots evenly, and plans to show."""
        items = rng.sample(range(self.slots, N_LABELS), self.n)
        hidden = [place % self.slots for place in range(self.n)]
        rng.shuffle(hidden)
        apart = [(u, v) for v, u in combinations(range(self.n), 2) if hidden[u] != hidden[v]]
        instance = PlanInstance(
            prompt=(),
            answer=OK,
            candidates=(OK, BAD),
            items=tuple(items),
            slots=tuple(range(self.slots)),
            clashes=tuple(rng.sample(apart, self.clashes)),
        )
        if self.role == "recombine":
            return instance.recombining(_shaken(instance, rng), _shaken(instance, rng))
        if self.role == "plan":
            return instance.proposing()
        while not (violated := instance.violated(plan := _shaken(instance, rng))):
            pass
        u, v = rng.sample(rng.choice(violated), 2)
        return instance.revising(plan, (u, v))

    def chain(self, instance: PlanInstance, rng: Random) -> Chain:
        """Draw a plan by the strategy of the instance's role."""
        plan, options = _drawn(instance, rng)
        steps = written(instance, plan)
        choices: list[tuple[int, ...]] = [(symbol,) for symbol in steps]
        at = -1
        for step, option in zip(_steps(instance, plan), options, strict=True):
            at += len(step)
            choices[at - 1] = option
        ending = (ANSWER, BAD if instance.violated(plan) else OK, EOS)
        endings = ((symbol,) for symbol in ending)
        return Chain((*steps, *ending), (*choices, *endings), unsure=len(steps))

    def check(self, instance: PlanInstance, ids: tuple[int, ...]) -> Verdict:
        """Judge a model's plan: right where it is whole and violates no clash, said ok or not."""
        steps, answer = split_answer(ids)
        plan = read_plan(instance, ids)
        passes = plan is not None and not instance.violated(plan)
        return Verdict(
            answer=None if answer in (ABSTAIN, None) else answer,
            correct=passes,
            found=passes and answer == OK,
            legal=plan is not None,
            moves=len(steps),
        )


def _drawn(instance: PlanInstance, rng: Random) -> tuple[Plan, list[Plan]]:
    """Draw a plan by the strategy; return it and, for each item, the slots it chose from."""
    plan: dict[int, int] = {}
    options = []
    moved = instance.blamed[0] if instance.blamed else None
    for item in range(len(instance.items)):
        shown = tuple(dict.fromkeys(parent[item] for parent in instance.parents))
        if instance.role != "revise":
            among = shown or instance.slots
            option = instance.free(item, plan, among) or instance.free(item, plan, instance.slots)
            option = option or among
        elif item == moved:
            others = tuple(slot for slot in instance.slots if slot not in shown)
            option = instance.free(item, plan, others) or others
        else:
            option = shown
        options.append(option)
        plan[item] = rng.choice(option)
    return tuple(plan.values()), options


def propose(instance: PlanInstance, rng: Random) -> Plan:
    """Draw a first plan as the strategy does that a model learns from."""
    return _drawn(instance.proposing(), rng)[0]


def passing(instance: PlanInstance) -> float:
    """Return the exact chance that the strategy's first plan violates no clash."""
    shares: dict[Plan, float] = {(): 1.0}
    for item in range(len(instance.items)):
        after: dict[Plan, float] = defaultdict(float)
        for plan, share in shares.items():
            free = instance.free(item, dict(enumerate(plan)), instance.slots)
            for slot in free:
                after[*plan, slot] += share / len(free)
        shares = after
    return min(1.0, sum(shares.values()))


def _shaken(instance: PlanInstance, rng: Random) -> Plan:
    """Draw a plan as the strategy proposes it, some slots then at random."""
    return tuple(
        rng.choice(instance.slots) if rng.random() < _SHAKEN else slot
        for slot in propose(instance, rng)
    )


def read_problem(text: str) -> PlanInstance:
    """Read a problem back from its first prompt, as `PlanInstance.proposing` writes it.

    Raises:
        InputError: it is no such prompt.
    """
    ids = encode(text)
    wrong = InputError("no timetable: a prompt begins with '<s> plan ;' and ends with 'steps : n'")
    if ids[:2] != (BOS, TASKS["plan"]) or ids.count(QUERY) != 1 or ids.count(COMMA) != 1:
        raise wrong
    asked, listed = ids.index(QUERY), ids.index(COMMA)
    slots, items = ids[asked + 1 : listed], ids[listed + 1 : -3]
    rows: list[list[int]] = []
    for symbol in ids[2:asked]:
        if symbol == ROW:
            rows.append([])
        elif not rows or symbol not in items:
            raise wrong
        else:
            rows[-1].append(items.index(symbol))
    if not items or not slots or max((*items, *slots)) >= N_LABELS:
        raise wrong
    clashes = tuple((u, v) for u, *others in rows for v in others)
    read = PlanInstance((), OK, (OK, BAD), items, slots, clashes).proposing()
    if read.prompt != ids:
        raise wrong
    return read
