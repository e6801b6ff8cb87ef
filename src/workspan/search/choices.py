"""Which of several named candidates the beginning of an answer stands for. Pure."""

from __future__ import annotations

from collections.abc import Sequence


def meant(said: str, choices: Sequence[str]) -> list[str]:
    """Return the candidates that an answer which begins so may still be, in their order.

    Space before it does not count, so that nothing said yet may be any of them. A candidate that
    was said whole is meant unless a letter or digit follows: "22." is 22, and not 2.
    """
    said = said.lstrip()
    return [one for one in choices if one.startswith(said) or _is_whole(said, one)]


def _is_whole(said: str, choice: str) -> bool:
    return said.startswith(choice) and not said[len(choice) :][:1].isalnum()
