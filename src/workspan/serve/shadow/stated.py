"""What the operator stated of shadowing: which share, through what, within which budget."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, get_args

from workspan.errors import InputError, SpecError, nearest
from workspan.legible import quoted
from workspan.serve.store.limits import Limit, parse_limits

Keeps = Literal["marks", "texts"]
_EXAMPLE = "share=0.1, strategies=[auto, self_consistency(n=4)], budget='200k work/day, $2/day'"
_MOST_STRATEGIES = 16


@dataclass(frozen=True, slots=True)
class Shadow:
    """How a share of the traffic is run beside."""

    share: float
    """Of the requests that were answered, in (0, 1]."""
    strategies: tuple[str, ...]
    """As the operator wrote them; a name of his own stands for what it stands for."""
    budget: tuple[Limit, ...]
    """Of all shadow calls of all workers together."""
    keeps: Keeps = "marks"
    """"marks" keeps which answers of a request are the same, "texts" prompts and answers too."""
    verifier: str = ""
    """The operator's own: it says which answers are right."""
    width: int = 2
    """Requests that a worker runs beside at a time."""
    waiting: int = 16
    """Requests that wait for that; further ones are dropped."""
    waiting_bytes: int = 16 * 1024 * 1024
    """That those which wait or run may hold together: prompts and answers as they came."""
    seconds: float = 120.0
    """That one request may take, through all strategies."""
    days: int = 30
    """After which what was kept is dropped."""

    def __post_init__(self) -> None:
        """Check what was stated.

        Raises:
            InputError: something is out of range, or no money, work or calls are limited.
        """
        if not 0 < self.share <= 1:
            raise InputError(f"--shadow: share is above 0 and at most 1, not {self.share}")
        if not 0 < len(self.strategies) <= _MOST_STRATEGIES:
            raise InputError(f"--shadow: strategies are 1 to {_MOST_STRATEGIES}: {_EXAMPLE}")
        if len({*self.strategies}) < len(self.strategies):
            raise InputError("--shadow: a strategy is named twice")
        if not {one.quantity for one in self.budget} & {"work", "cost", "calls"}:
            raise InputError(f"--shadow: budget limits work, calls or money: {_EXAMPLE}")
        if self.keeps not in get_args(Keeps):
            hint = nearest(self.keeps, get_args(Keeps))
            raise InputError(f"--shadow: keeps is {quoted(self.keeps)}: {hint}")
        for name in ("width", "waiting", "waiting_bytes", "days"):
            if getattr(self, name) < 1:
                raise InputError(f"--shadow: {name} is at least 1")
        if not 0 < self.seconds < math.inf:
            raise InputError("--shadow: seconds is a number above 0")

    @property
    def limits_money(self) -> bool:
        """A price must be known of what is asked."""
        return any(one.quantity == "cost" for one in self.budget)


def read_shadow(text: str) -> Shadow:
    """Read ``share=0.1, strategies=[auto, self_consistency(n=4)], budget='1M work/day'``.

    Raises:
        InputError: it is not understood; says what would be right.
    """
    try:
        call = ast.parse(f"shadow({text})", mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        call = None
    if not isinstance(call, ast.Call) or call.args or not call.keywords:
        raise InputError(f"--shadow {quoted(text)}: write {_EXAMPLE}")
    told: dict[str, Any] = {}
    for keyword in call.keywords:
        name = keyword.arg or ""
        read = _READ.get(name)
        if read is None:
            raise InputError(f"--shadow: {quoted(name)} is unknown: {nearest(name, _READ)}")
        told[name] = read(name, keyword.value)
    for name in ("share", "strategies", "budget"):
        if name not in told:
            raise InputError(f"--shadow: {name} is missing: write {_EXAMPLE}")
    return Shadow(**told)


def _literal(kinds: tuple[type, ...], what: str) -> Callable[[str, ast.expr], Any]:
    def read(name: str, node: ast.expr) -> Any:
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, RecursionError):
            value = None
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise InputError(f"--shadow: {name} is {what}: write {_EXAMPLE}")
        return value

    return read


def _strategies(name: str, node: ast.expr) -> tuple[str, ...]:
    """Read a list whose items are written as strategies, or as texts of them."""
    if not isinstance(node, ast.List | ast.Tuple):
        raise InputError(f"--shadow: {name} is a list: write {_EXAMPLE}")
    return tuple(
        one.value.strip()
        if isinstance(one, ast.Constant) and isinstance(one.value, str)
        else ast.unparse(one)
        for one in node.elts
    )


def _limits(name: str, node: ast.expr) -> tuple[Limit, ...]:
    text = _literal((str,), "a text in quotes")(name, node)
    try:
        return parse_limits(text)
    except SpecError as error:
        raise InputError(f"--shadow: budget: {error}") from None


_READ: Mapping[str, Callable[[str, ast.expr], Any]] = {
    "share": _literal((int, float), "a number"),
    "strategies": _strategies,
    "budget": _limits,
    "keeps": _literal((str,), "'marks' or 'texts'"),
    "verifier": _literal((str,), "a text in quotes"),
    "width": _literal((int,), "a whole number"),
    "waiting": _literal((int,), "a whole number"),
    "waiting_bytes": _literal((int,), "a whole number"),
    "seconds": _literal((int, float), "a number"),
    "days": _literal((int,), "a whole number"),
}
