"""The words of formulas: which names are known, and a text cut into them."""

from __future__ import annotations

import re

from workspan.answers.words import listed

_MOST = 800
"""Words of one formula."""


class NotRead(ValueError):
    """The formula is written in a way that is not understood here."""


FUNCTIONS = listed(
    "sin cos tan cot sec csc arcsin arccos arctan asin acos atan sinh cosh tanh ln log exp sqrt abs"
    " lg cbrt"
)
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi"
    " rho"
    " sigma tau phi varphi chi psi omega Gamma Delta Theta Lambda Xi Sigma Phi Psi Omega ell hbar"
)
GREEK_NAMES = listed(_GREEK)
GREEK_LETTERS = dict(
    zip(
        "αβγδεζηθικλμνξρστφχψω",
        (name for name in _GREEK.split()[:24] if name not in ("varepsilon", "vartheta", "varphi")),
        strict=True,
    )
)
_TOKEN = re.compile(
    r"\s*(?:(?P<number>[0-9]+(?:\.[0-9]+)?|\.[0-9]+)|\\(?P<command>[A-Za-z]+)|(?P<word>[A-Za-z]+)"
    r"|(?P<sign>\*\*|[-+*/^!|(){}\[\]_√·×=<>,:;'&]|[αβγδεζηθικλμνξπρστφχψω]|[⁰¹²³⁴-⁹⁺⁻]+|[₀-₉]+"
    r"|\\.))"
)
RAISED = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻₀₁₂₃₄₅₆₇₈₉", "0123456789+-0123456789")
_UNSAID = frozenset({"left", "right", "displaystyle", "big", "Big", "bigl", "bigr"})
_RENAMED = {
    **dict.fromkeys(("dfrac", "tfrac", "cfrac"), ("command", "frac")),
    **dict.fromkeys(("lvert", "rvert", "vert"), ("sign", "|")),
}


def words(text: str) -> list[tuple[str, str]]:
    """Return each word with its sort: number, command, word or sign.

    Raises:
        NotRead: something in it is none.
    """
    tokens: list[tuple[str, str]] = []
    at, text = 0, text.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None or found.end() == at:
            raise NotRead(f"{text[at]!r} was not expected")
        sort = found.lastgroup or ""
        said = found[sort]
        if sort == "sign" and said[0] == "\\" and said not in ("\\{", "\\}"):
            if said not in ("\\,", "\\;", "\\:", "\\!", "\\ "):
                raise NotRead(f"{said!r} was not expected")
        elif sort != "command":
            tokens.append((sort, said))
        elif said not in _UNSAID:
            tokens.append(_RENAMED.get(said, (sort, said)))
        at = found.end()
        if len(tokens) > _MOST:
            raise NotRead("too long")
    return tokens
