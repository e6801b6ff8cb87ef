"""Facts that must be asked for: f chains of h facts, up to k keys a round.

The facts are not in the prompt. A chain writes ``<search> key .. </search>``; whoever runs it gives
``<information> key value .. </information>`` (`LookupInstance.inform`) and lets it go on. The form
is RAG-R1's (Tan et al., arXiv:2507.02962), which allows three queries a round.

The prompt ``<s> lookup KEYS ? nK steps :`` names f keys. Each leads to another, h times, and at
last to a bit; the answer is the parity of the f bits, so all but one of them tell nothing. Behind
information that holds bits, a chain writes the parity of all bits so far for each. Asking k at once
takes h ceil(f / k) rounds, one at a time h f; with f = 1 there is nothing to ask at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from random import Random
from typing import Final

from workspan.errors import at_least
from workspan_evidence.families.base import Chain, Instance, Verdict, split_answer
from workspan_evidence.grammar import (
    ABSTAIN,
    ANSWER,
    BITS,
    BOS,
    EOS,
    FORMATS,
    GO,
    N_LABELS,
    QUERY,
    TASKS,
    encode,
)

SEARCH, SEARCHED, INFORM, INFORMED, UNKNOWN = encode(
    "<search> </search> <information> </information> <unk>"
)
_NUMBERS: Final = 10
"""Labels below it are numbers, so that n3 can say three; keys are drawn from the others."""
_OTHERS: Final = 8
"""Facts of no use that the corpus holds besides."""


@dataclass(frozen=True, slots=True)
class LookupInstance(Instance):
    """A question and the corpus that can answer it."""

    keys: tuple[int, ...]
    """What the question names."""
    facts: Mapping[int, int]
    """For each key its value: a further key or a bit."""
    at_once: int
    """Keys that a round may ask for."""

    def inform(self, chain: Sequence[int]) -> tuple[int, ...]:
        """Return what a chain that has just written ``</search>`` is to be given."""
        pairs = [(key, self.facts.get(key, UNKNOWN)) for key in asked(chain)]
        return (INFORM, *(symbol for pair in pairs for symbol in pair), INFORMED)


@dataclass(frozen=True, slots=True)
class LookupVerdict(Verdict):
    """What a checker says of a chain that asked; `moves` are the symbols it wrote itself."""

    rounds: int = 0
    """Times that it asked."""
    queries: int = 0
    """Keys that it asked for."""
    different: int = 0
    """The same, each key counted once."""


def asked(chain: Sequence[int]) -> tuple[int, ...]:
    """Return the keys of the last ``<search>``, without its end if that is there."""
    begin = max((i for i, symbol in enumerate(chain) if symbol == SEARCH), default=len(chain))
    return tuple(symbol for symbol in chain[begin + 1 :] if symbol != SEARCHED)


def running(given: Sequence[int], parity: int) -> tuple[int, ...]:
    """Return what a chain is to write behind information: the parity so far after each bit."""
    parities = []
    for bit in (BITS.index(value) for value in given[2:-1:2] if value in BITS):
        parity ^= bit
        parities.append(BITS[parity])
    return tuple(parities)


@dataclass(frozen=True, slots=True)
class Lookup:
    """`f` chains of `h` facts, `k` keys at once: one group of k chains after the other."""

    h: int
    f: int = 1
    k: int = 1

    def __post_init__(self) -> None:
        at_least(1, h=self.h, f=self.f, k=self.k)

    @property
    def rounds(self) -> int:
        """Times that the strategy asks: h ceil(f / k)."""
        return self.h * ceil(self.f / self.k)

    def problem(self, rng: Random) -> LookupInstance:
        """Draw keys, facts and bits."""
        labels = list(range(_NUMBERS, N_LABELS))
        rng.shuffle(labels)
        bits = [rng.randrange(2) for _ in range(self.f)]
        facts: dict[int, int] = {}
        keys = []
        for bit in bits:
            links = [labels.pop() for _ in range(self.h)]
            keys.append(links[0])
            facts |= dict(zip(links, [*links[1:], BITS[bit]], strict=True))
        facts |= {labels.pop(): rng.choice([*labels, *BITS]) for _ in range(_OTHERS)}
        return LookupInstance(
            prompt=(BOS, TASKS["lookup"], *keys, QUERY, self.k, FORMATS["steps"], GO),
            answer=BITS[sum(bits) % 2],
            candidates=BITS,
            keys=tuple(keys),
            facts=facts,
            at_once=self.k,
        )

    def chain(self, instance: LookupInstance, rng: Random) -> Chain:
        """Return the one chain there is; what it is given is not learnt."""
        del rng
        ids: list[int] = []
        choices: list[tuple[int, ...]] = []
        parity = 0
        parities: tuple[int, ...] = ()
        for begin in range(0, self.f, self.k):
            group = instance.keys[begin : begin + self.k]
            while group[0] in instance.facts:
                written = (SEARCH, *group, SEARCHED)
                given = instance.inform(written)
                parities = running(given, parity)
                ids += (*written, *given, *parities)
                choices += [*((symbol,) for symbol in written), *(() for _ in given)]
                choices += [(symbol,) for symbol in parities]
                group = given[2:-1:2]
            parity = BITS.index(ids[-1])
        ending = (ANSWER, instance.answer, EOS)
        unsure = len(ids) - len(parities) - 1  # the last bit stands before "</information>"
        return Chain((*ids, *ending), (*choices, *((symbol,) for symbol in ending)), unsure)

    def check(self, instance: LookupInstance, ids: tuple[int, ...]) -> LookupVerdict:
        """Judge a chain with what it was given in it: it may ask for what it has read of."""
        steps, answer = split_answer(ids)
        read, queries = set(instance.keys), list[int]()
        at = rounds = moves = parity = 0
        is_legal = True
        while at < len(steps) and is_legal:
            end = steps.index(SEARCHED, at) if SEARCHED in steps[at:] else len(steps)
            keys = steps[at + 1 : end]
            given = instance.inform(steps[at:end]) if end < len(steps) else ()
            parities = running(given, parity)
            right = (*given, *parities)
            rest = steps[end + 1 : end + 1 + len(right)]
            is_legal = (
                steps[at] == SEARCH
                and len(keys) <= instance.at_once
                and read.issuperset(keys)
                and rest == right[: len(rest)]
            )
            if given and rest[: len(given)] == given:
                rounds, queries = rounds + 1, [*queries, *keys]
                read.update(given[2:-1:2])
            moves += min(end + 1, len(steps)) - at + max(0, len(rest) - len(given))
            at = end + 1 + len(right)
            parity = BITS.index(parities[-1]) if parities else parity
        is_correct = answer == instance.answer
        is_all_read = sum(instance.facts.get(key) in BITS for key in set(queries)) == self.f
        return LookupVerdict(
            answer=None if answer in (ABSTAIN, None) else answer,
            correct=is_correct,
            found=is_legal and is_correct and is_all_read,
            legal=is_legal,
            moves=moves,
            rounds=rounds,
            queries=len(queries),
            different=len(set(queries)),
        )

    def found(self, rounds: int) -> float:
        """Return 1 from the strategy's rounds on, 0 below."""
        return float(rounds >= self.rounds)
