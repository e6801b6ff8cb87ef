"""From a written form to Python's syntax tree, bounded in length and depth."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from workspan.errors import SpecError
from workspan.registry.table import WRITTEN

LONGEST = 65_536
"""Characters of a written form: Python's parser takes seconds for a million."""
DEEPEST = 64
"""Brackets inside brackets; Python's own parser ends at 200."""
TOO_DEEP = f"nested too deep: a strategy has at most {DEEPEST} brackets inside each other"


def split_list(text: str) -> list[str]:
    """Split ``a(n=1, m=2),b`` at the commas that are outside brackets and quotes."""
    parts, start = [], 0
    for place, char, depth in _outside_quotes(text):
        if char == "," and depth == 0:
            parts.append(text[start:place])
            start = place + 1
    parts.append(text[start:])
    return [part.strip() for part in parts if part.strip()]


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text's syntax tree."""

    text: str
    node: ast.expr
    paths: Mapping[int, str]
    """Each ``module:Name`` by its column; in the tree an equally long name stands there."""

    def error(self, said: str, node: ast.expr | ast.keyword) -> SpecError:
        """Point at a part of the text."""
        return SpecError(said, text=self.text, column=self.column(node))

    def column(self, node: ast.expr | ast.keyword) -> int:
        """Return where a part of the tree stands in the text, in characters from 0."""
        start = _beginning(self.text, node.lineno)
        line = self.text[start:].encode("utf-8", "replace")  # Python counts bytes
        return start + len(line[: node.col_offset].decode("utf-8", "replace"))


def parse(text: str, example: str) -> Parsed:
    """Parse a text; `example` shows what one of its kind looks like.

    Raises:
        SpecError: it is too long, too deep or no expression.
    """
    if len(text) > LONGEST:
        raise SpecError(f"of {len(text):,} characters: a strategy has at most {LONGEST:,}")
    _check_depth(text)
    plain, paths = _without_paths(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Python's own, of escapes that it does not know
            return Parsed(text, ast.parse(plain, mode="eval").body, paths)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        line, place = getattr(error, "lineno", None), getattr(error, "offset", None)
        column = None if not (line and place) else _beginning(text, line) + place - 1
        said = f"not understood: write it like {example}"
        raise SpecError(said, text=text, column=column) from None


def _without_paths(text: str) -> tuple[str, dict[int, str]]:
    """Put a name of the same length where ``module:Name`` stands, which is no expression."""
    if ":" not in text:
        return text, {}
    outside = ["'"] * len(text)
    for place, char, _ in _outside_quotes(text):
        outside[place] = char
    found = [*WRITTEN.finditer("".join(outside))]
    plain = text
    for path in found:
        begin, end = path.span()
        plain = plain[:begin] + "_" * len(path[0]) + plain[end:]
    return plain, {path.start(): path[0] for path in found}


def _check_depth(text: str) -> None:
    """Refuse what the recursion of all that reads a strategy would not survive."""
    for place, _, depth in _outside_quotes(text):
        if depth > DEEPEST:
            raise SpecError(TOO_DEEP, text=text, column=place)


def _outside_quotes(text: str) -> Iterator[tuple[int, str, int]]:
    """Give each character that is in no quotes, with its place and the brackets around it."""
    depth, quote, is_escaped = 0, "", False
    for place, char in enumerate(text):
        if quote:
            if char == quote and not is_escaped:
                quote = ""
            is_escaped = char == "\\" and not is_escaped
            continue
        if char in "'\"":
            quote = char
        depth += (char in "([{") - (char in ")]}")
        yield place, char, depth


def _beginning(text: str, line: int) -> int:
    """Return where a line begins, counted from 1 as Python's parser does."""
    ends = [found.end() for found in _LINE_END.finditer(text)]
    return ends[line - 2] if 2 <= line < len(ends) + 2 else 0


_LINE_END = re.compile(r"\r\n|\r|\n")
