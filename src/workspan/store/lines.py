"""The text of a journal: JSON lines, each with a checksum of itself and of all lines before it.

So a byte that changed, and a line that is missing, doubled or moved, is named by its place and is
never read as another result. It costs a few hundred nanoseconds a line.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple, TypeVar
from zlib import crc32

import msgspec

from workspan.boundary.inputs import read_whole
from workspan.data.entry import FORMAT, Header, Line
from workspan.errors import DataError

MARK = b'{"journal":"workspan",'
"""How every journal begins."""
_LINE = b'{"run":{'
"""How every other line begins."""
_SEAL = len(',"sum":"00000000"}')
_NO_LINE = "not a journal line"
_OTHER = (
    f"a journal of format {{}}, and this version has {FORMAT}: name a new one, or go on with the "
    "version of Workspan that wrote it"
)

T = TypeVar("T")


class _Unsealed(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The header of format 1."""

    engine: str
    seed: int
    format: int


_HEADERS, _LINES = msgspec.json.Decoder(Header), msgspec.json.Decoder(Line)


class Broken(Exception):
    """A line that is not what was written, and why."""

    def __init__(self, number: int, why: str, *, is_other: bool = False) -> None:
        super().__init__(why)
        self.number = number
        self.is_other = is_other
        """Whole, but of another format."""


class Content(NamedTuple):
    """A journal that was read."""

    header: Header
    lines: list[Line]
    end: int
    """Bytes up to the end of the last whole line; what follows was cut short."""
    check: int
    """Checksum up to there."""


def is_journal(content: bytes) -> bool:
    """Tell whether a file that begins so is a journal of ours, of this format or an older one."""
    return content.startswith(MARK) or _is_unsealed(content)


def read_lines(path: Path) -> tuple[Header, list[Line]]:
    """Read a journal that nobody writes to; a last line that was cut short is passed over.

    Raises:
        DataError: not readable, not a journal, or a line is not what was written.
    """
    content = read_whole(path)
    try:
        found = parse(content)
    except Broken as broken:
        raise DataError(str(broken), path=str(path), line=broken.number) from broken.__cause__
    return found.header, found.lines


def sealed(record: bytes, before: int) -> tuple[bytes, int]:
    """Return the line of a JSON object, its checksum the last field, and that checksum."""
    body = record[:-1]
    check = crc32(body, before)
    return b'%b,"sum":"%08x"}\n' % (body, check), check


def parse(content: bytes) -> Content:
    """Read whole lines; what stands behind the last newline must be the beginning of one.

    Raises:
        Broken: a line is not what was written, or of another format.
    """
    if not is_journal(content):
        raise Broken(1, "not a journal")
    if _is_unsealed(content):
        raise Broken(1, _OTHER.format(1), is_other=True)
    *whole, tail = content.split(b"\n")
    if not whole:
        raise Broken(1, "not a journal: its first line is not whole")
    check = _verified(whole[0], 1, 0)
    header = _decoded(whole[0], 1, _HEADERS)
    if header.format != FORMAT:
        raise Broken(1, _OTHER.format(header.format), is_other=True)
    lines = []
    for number, line in enumerate(whole[1:], start=2):
        check = _verified(line, number, check)
        lines.append(_decoded(line, number, _LINES))
    if not _is_cut(tail, check):
        raise Broken(len(whole) + 1, f"{_NO_LINE}: what stands there is not the start of one")
    return Content(header, lines, len(content) - len(tail), check)


def _is_unsealed(content: bytes) -> bool:
    if not content.startswith(b'{"engine":'):
        return False
    try:
        msgspec.json.decode(content.partition(b"\n")[0], type=_Unsealed)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return True


def _verified(line: bytes, number: int, before: int) -> int:
    """Return the checksum that a line carries, which must be its own."""
    check = _sum_of(line, before)
    if check is None:
        why = "its checksum is of another text, or of other lines before it"
        raise Broken(number, f"{_NO_LINE} as it was written: {why}")
    return check


def _sum_of(line: bytes, before: int) -> int | None:
    check = crc32(line[:-_SEAL], before)
    return check if line[-_SEAL:] == b',"sum":"%08x"}' % check else None


def _decoded(line: bytes, number: int, decoder: msgspec.json.Decoder[T]) -> T:
    try:
        return decoder.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Broken(number, f"{_NO_LINE}: {error}") from error


def _is_cut(tail: bytes, check: int) -> bool:
    """Tell whether `tail` is the start of a line; one that is whole but for its newline is not."""
    return (tail.startswith(_LINE) or _LINE.startswith(tail)) and _sum_of(tail[:-1], check) is None
