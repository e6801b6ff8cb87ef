"""Plain data arrives at the other end as it was."""

from __future__ import annotations

from collections import Counter, OrderedDict, deque
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from workspan.sandbox.trial.wire import Peer


class Plain(Peer):
    """One end that has nothing but data."""

    def __init__(self) -> None:
        self.given: list[Any] = []

    def by_value(self, thing: Any) -> list[Any] | None:
        raise TypeError(f"{thing!r} is no plain data")

    def describe(self, thing: Any) -> list[Any]:
        raise TypeError(f"{thing!r} has no reference here")

    def adopt(self, number: int, told: list[Any]) -> Any:
        raise ValueError(f"object {number} of {told} was never given")

    def perform(self, verb: str, *arguments: Any) -> Any:
        raise ValueError(f"{verb} of {arguments} is asked of nobody here")


DATA = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.complex_numbers(allow_nan=False)
    | st.fractions()
    | st.dates()
    | st.builds(Decimal, st.integers())
    | st.builds(range, st.integers(), st.integers()),
    lambda inner: (
        st.lists(inner)
        | st.lists(inner).map(tuple)
        | st.lists(inner).map(deque)
        | st.dictionaries(st.text(), inner)
        | st.dictionaries(st.integers(), inner).map(OrderedDict)
        | st.sets(st.text(), max_size=1)
        | st.binary().map(bytearray)
    ),
    max_leaves=20,
)


@settings(deadline=None)
@given(DATA)
def test_plain_data_arrives_as_it_was(thing: Any) -> None:
    peer = Plain()
    found = peer.decode(peer.encode(thing, {}, []), [])
    assert found == thing
    assert type(found) is type(thing)
    assert repr(found) == repr(thing)


def test_one_list_in_two_places_stays_one() -> None:
    peer, inner = Plain(), [1]
    first, second = peer.decode(peer.encode([inner, inner], {}, []), [])
    assert first is second
    loop: list[Any] = []
    loop.append(loop)
    found = peer.decode(peer.encode(loop, {}, []), [])
    assert found[0] is found
    assert peer.decode(peer.encode(Counter("aab"), {}, []), []) == Counter("aab")
    assert peer.decode(peer.encode(Fraction(1, 3), {}, []), []) == Fraction(1, 3)
