"""A calibration profile: what a model's chains on other problems did, without a word of them.

It holds when chains ended, which interim answers agreed, how much a prompt held (its
`prompt_features`), and, where the right answer was known, which answers were right. These are small
numbers, the same within a problem for equal ones.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import msgspec

from workspan.errors import DataError
from workspan.strategies.auto.fit.form import Form
from workspan.strategies.auto.fit.seen import Ladders

FORMAT = 1
_NOTHING = b"null"


class Record(msgspec.Struct, frozen=True, array_like=True):
    """One chain."""

    depths: tuple[int, ...]
    """Tokens decoded at each interim answer, ascending; the last is the chain's end."""
    groups: tuple[int, ...]
    """The answer at each depth, -1 for none."""
    ended: bool
    """By itself; else it was cut there, and its length is censored."""


class Once(msgspec.Struct, frozen=True, array_like=True):
    """One run of an arm, a strategy that is not made of chains."""

    work: int
    span: int
    right: bool
    """It was answered, and rightly."""


class Case(msgspec.Struct, frozen=True, omit_defaults=True):
    """One problem."""

    chains: tuple[Record, ...] = msgspec.field(name="lines")
    right: tuple[int, ...] | None = None
    """The groups that are right; None where nobody knows."""
    task: str = ""
    """The task set that it is of."""
    arms: tuple[Once | None, ...] = ()
    """A run of each of the profile's arms; None where it failed, or nobody knows what is right."""
    prompt_features: tuple[float, ...] = msgspec.field(default=(), name="signs")
    """What its prompt shows (`prompt_features.NAMES`); empty where nobody knows."""
    cut: bool = False
    """It has fewer draws for how long these were, or for what they said: a limit or a rule ended
    them, or a kill."""


class Profile(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was seen of a model on problems of the user's kind."""

    model: str
    unit: str
    """"tokens", or "characters" where nobody counted tokens."""
    problems: tuple[Case, ...]
    asked: float = 0.0
    """Tokens of an interim answer, mean; 0 where none was asked."""
    signals: Mapping[str, float] = {}
    """How a signal of a chain speaks for its being right, among chains of one problem: 2 AUC - 1,
    so -1 to 1 and 0 for nothing. Signs differ between models, hence they are measured."""
    arms: tuple[str, ...] = ()
    """Strategies that were run beside the chains, with every dial (their `repr`)."""
    kinds: tuple[str, ...] = ()
    """Kinds of answers of its problems; none where nobody knows."""
    ladders: Ladders | None = None
    """What was seen of the model's efforts, of `workspan which`; `auto` then climbs them."""
    temperature: float | None = None
    """Of its chains; None where nobody knows."""
    max_tokens: int | None = None
    """Of each chain, at most; None where nobody knows."""

    @property
    def labelled(self) -> int:
        """Problems of which the right answer was known."""
        return sum(case.right is not None for case in self.problems)

    def even(self) -> tuple[list[Case], int]:
        """Return the problems to learn from, and how many chains to take of each; maybe none.

        If any right answer is known, only such problems are taken; those that have far fewer chains
        than most are left out.
        """
        known = [case for case in self.problems if case.right is not None]
        cases = [case for case in known or self.problems if case.chains]
        sizes = sorted(len(case.chains) for case in cases)
        n = sizes[len(sizes) // 4] if sizes else 0
        return [case for case in cases if len(case.chains) >= n], n


_FORM = Form("profile", "library", Profile, FORMAT, "calibrate")
is_profile = _FORM.is_one


class Held(NamedTuple):
    """What a profile's file holds."""

    profile: Profile
    content: msgspec.Raw
    """The profile, as it is written there."""
    evaluation: msgspec.Raw
    """What plans came to on it; null where that was not written."""


def write_profile(profile: Profile, path: Path) -> None:
    """Write it, readable by its owner only where it is new; packed from 64 kB on.

    Raises:
        DataError: something else is there.
        OutputError: the file can't be written.
    """
    write_held(profile, _NOTHING, path)


def write_held(profile: Profile, evaluation: bytes, path: Path) -> None:
    """Write a profile and what plans came to on it, as JSON (see `kept.write_evaluated`).

    Raises:
        DataError: something else is there.
        OutputError: the file can't be written.
    """
    _FORM.write(profile, path, {} if evaluation == _NOTHING else {"evaluation": evaluation})


def read_profile(path: Path) -> Profile:
    """Read a profile.

    Raises:
        DataError: not readable, not a profile, of another format, or not sound in itself.
    """
    return read_held(path).profile


def read_held(path: Path) -> Held:
    """Read a profile, and what plans came to on it where the file holds that.

    Raises:
        DataError: the profile can't be read: see `read_profile`.
    """
    profile, fields = _FORM.read_all(path)
    for number, case in enumerate(profile.problems):
        if not all(_is_sound(chain) for chain in case.chains):
            raise DataError(f"problem {number} holds a chain that can't be", path=str(path))
        runs = [one for one in case.arms if one is not None]
        if len(case.arms) > len(profile.arms) or any(min(one.work, one.span) < 0 for one in runs):
            raise DataError(f"problem {number} holds an arm that can't be", path=str(path))
    if profile.ladders is not None and not profile.ladders.is_sound:
        raise DataError("holds samples of efforts that can't be", path=str(path))
    return Held(profile, fields["library"], fields.get("evaluation", msgspec.Raw(_NOTHING)))


def _is_sound(chain: Record) -> bool:
    """Check what the types can't: depths ascend from above 0, one group for each."""
    return (
        0 < len(chain.depths) == len(chain.groups)
        and chain.depths[0] > 0
        and all(a < b for a, b in pairwise(chain.depths))
        and min(chain.groups) >= -1
    )
