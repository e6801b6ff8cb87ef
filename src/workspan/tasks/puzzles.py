"""Entries of reasoning-gym's families, the same for one place in every process.

An entry belongs to a family with its parameters, a seed and a place: it does not depend on how
many others are made. Where the library makes all entries at once, they are made in blocks of one
size. Where it iterates over sets of texts, whose order Python draws anew in each process, they are
made in a child whose order is fixed. What it draws from the module `random` is seeded for each.
"""

from __future__ import annotations

import atexit
import contextlib
import decimal
import hashlib
import io
import json
import os
import random
import select
import subprocess
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from threading import Lock
from typing import Any

from workspan.errors import DataError, MissingDependency, SpecError

_SIZE = 10_000
"""Entries of a block; the i-th is made from the block's seed + i."""
_AT_ONCE: Mapping[str, int] = {"acre": 50}
"""Families whose entries depend on the size of the set, and the size that they are made in."""
_OF_SETS = frozenset(
    {
        "isomorphic_strings",
        "knight_swap",
        "polynomial_multiplication",
        "ransom_note",
        "word_ladder",
    }
)
"""Families whose entries depend on the order of sets."""
_APART = 4_000_012
"""Between the seeds of two sets: blocks of neighbouring ones do not meet."""
_PLAIN = 1_000
"""Seeds from here on are hashed: numpy takes 32 bits."""
_PATIENCE_S = 600.0

Registry = Mapping[str, tuple[Any, Any]]


def registry() -> Registry:
    """Return the library's families: how each is made, and its parameters' class.

    Raises:
        MissingDependency: reasoning-gym is not installed.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of its dependencies' syntax, when first compiled
            import reasoning_gym  # noqa: F401  # fills the registry
            from reasoning_gym.factory import DATASETS
    except ImportError:
        raise MissingDependency("a procedural task set", "tasks") from None
    known: Registry = DATASETS
    return known


def version() -> str:
    """Return the version of the library: another one may make other entries."""
    return metadata.version("reasoning-gym")


def make(name: str, parameters: Mapping[str, Any], size: int, seed: int) -> Any:
    """Make the library's set.

    Raises:
        SpecError: it refuses its parameters.
        DataError: files that it needs can't be read.
    """
    maker, config_class = registry()[name]
    try:
        config = config_class(**parameters, seed=seed, size=size)
        if hasattr(config, "validate"):
            config.validate()
        return maker(config)
    except (AssertionError, ValueError, TypeError) as error:
        said = str(error) or "out of range"
        raise SpecError(f"{name} refuses its parameters: {said}") from None
    except OSError as error:
        raise DataError(f"{name} needs data that can't be read: {error}") from error


def entries(
    name: str, parameters: Mapping[str, Any], seed: int, places: Iterable[int]
) -> Iterator[dict[str, Any] | None]:
    """Yield the entry of each place, or None where the library makes none.

    Raises:
        SpecError: see `make`.
        DataError: see `make`; or the child ended before its time.
    """
    if name in _OF_SETS:
        yield from _in_order(name, parameters, seed, [*places])
    else:
        yield from _here(name, parameters, seed, places)


def _here(
    name: str, parameters: Mapping[str, Any], seed: int, places: Iterable[int]
) -> Iterator[dict[str, Any] | None]:
    size = _AT_ONCE.get(name, _SIZE)
    made: tuple[int, Any] | None = None
    for place in places:
        block, index = divmod(place, size)
        first = _first(seed) + block * _SIZE
        with _steady(f"{name}/{seed}/{place}"):
            try:
                if made is None or made[0] != block:
                    made = block, make(name, parameters, size, first)
                entry = made[1][index]
            except IndexError:  # the library's word for no entry that fits
                made, entry = None, None
        yield entry


def _first(seed: int) -> int:
    """Return the library's seed of a set's first entry."""
    if 0 <= seed < _PLAIN:
        return seed * _APART
    digest = hashlib.blake2b(str(seed).encode(), digest_size=8).digest()
    return _PLAIN * _APART + int.from_bytes(digest, "big") % 250_000_000


@contextlib.contextmanager
def _steady(place: str) -> Iterator[None]:
    """Seed what is drawn from global generators, give them back as they were, and be silent.

    A family sets the precision of decimal numbers, too, for whatever comes after it.
    """
    before = random.getstate()
    numbers = sys.modules.get("numpy")
    numpy_before = numbers.random.get_state() if numbers else None
    seed = int.from_bytes(hashlib.blake2b(place.encode(), digest_size=4).digest(), "big")
    try:
        random.seed(seed)
        if numbers:
            numbers.random.seed(seed)
        with contextlib.redirect_stdout(io.StringIO()), decimal.localcontext():
            yield
    finally:
        random.setstate(before)
        if numbers:
            numbers.random.set_state(numpy_before)


class _Child:
    """A process in which sets of texts have one order; it ends when this process does."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._lock = Lock()

    def ask(self, asked: str) -> str:
        """Send a line and return the line that answers it; "" if the child ended or took long."""
        with self._lock:
            child = self._process = self._process or _start()
            assert child.stdin is not None
            assert child.stdout is not None
            with contextlib.suppress(BrokenPipeError):
                child.stdin.write(asked + "\n")
                child.stdin.flush()
            ready, _, _ = select.select([child.stdout], [], [], _PATIENCE_S)
            said = child.stdout.readline() if ready else ""
            if not said.endswith("\n"):
                self._end()
            return said.strip()

    def close(self) -> None:
        """End the child; the next question starts another."""
        with self._lock:
            self._end()

    def _end(self) -> None:
        if self._process is not None:
            self._process.kill()
            with self._process:
                pass
            self._process = None


@cache
def _child() -> _Child:
    child = _Child()
    atexit.register(child.close)
    return child


def _start() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-m", "workspan.tasks.puzzles"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONHASHSEED": "0", "PYTHONIOENCODING": "utf-8"},
    )


def _in_order(
    name: str, parameters: Mapping[str, Any], seed: int, places: list[int]
) -> list[dict[str, Any] | None]:
    """Make entries in the child.

    Raises:
        DataError: it could not make them.
    """
    said = _child().ask(json.dumps([name, dict(parameters), seed, places]))
    found = json.loads(said) if said else "its process ended or took too long"
    if isinstance(found, str):
        raise DataError(f"{name} could not be made: {found}")
    made: list[dict[str, Any] | None] = found
    return made


def _serve() -> None:
    """Make what each line of standard input asks for, in the child."""
    answers = sys.stdout
    for line in sys.stdin:
        name, parameters, seed, places = json.loads(line)
        try:
            made: Any = [*_here(name, parameters, seed, places)]
        except Exception as error:  # noqa: BLE001  # said where it was asked
            made = str(error)
        answers.write(json.dumps(made, default=str) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()
