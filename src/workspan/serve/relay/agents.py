"""A request that is a turn of an agent's run, as it is passed on."""

from __future__ import annotations

from contextlib import suppress

from msgspec import structs

from workspan.errors import InputError
from workspan.serve.accounts import Account
from workspan.serve.relay.asking import Passed
from workspan.serve.trajectories.telling import headers_of, with_words, words_of
from workspan.serve.wire.exchange import Exchange

_TOLD = frozenset({"chat", "message", "response"})
"""Forms of requests that hold turns."""


def begun(exchange: Exchange, passed: Passed, account: Account) -> Passed:
    """Say how a trajectory stands whose account was opened: to the client, and to its model."""
    turn = passed.asked.turn
    if turn is None:
        return passed
    turn.ledgers = account.trajectory
    turn.look()
    exchange.extra += headers_of(turn)
    if not turn.tells or passed.form not in _TOLD:
        return passed
    if passed.dialect is not None:
        with suppress(
            InputError
        ):  # what can't be said in Chat goes as it came, or is refused later
            passed.carried  # noqa: B018  # the client's voice goes by the names in it
    body = with_words(passed.body, passed.form, words_of(turn))
    asked = structs.replace(passed.asked, body=body.written())
    return structs.replace(passed, asked=asked, body=body)
