"""How a file of ours that `auto` reads is written: one record, its format first, packed if large.

It is known by how it begins, replaced only where it is one, and refused in another format.
"""

from __future__ import annotations

import gzip
import re
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Generic, TypeVar

import msgspec

from workspan.boundary.inputs import read_whole
from workspan.boundary.outputs import replace_file
from workspan.errors import DataError, OutputError

T = TypeVar("T", bound=msgspec.Struct)

LARGEST = 256 * 1024 * 1024
"""Bytes of a file once it is unpacked."""

_ZIPPED = b"\x1f\x8b"
_ZIP_FROM = 64 * 1024
_HEAD = 64


class _Head(msgspec.Struct, frozen=True):
    format: int


@dataclass(frozen=True)
class Form(Generic[T]):
    """One kind of file."""

    name: str
    """Of what it holds, such as "profile"."""
    field: str
    """Of the file, which holds that."""
    kind: type[T]
    format: int
    again: str
    """What makes it anew, such as "calibrate"."""

    def write(
        self, held: T, path: Path, beside: Mapping[str, bytes] = MappingProxyType({})
    ) -> None:
        """Write it, readable by its owner only where it is new; packed from 64 kB on.

        Args:
            held: what the file is of.
            path: where.
            beside: further fields of the file, as JSON.

        Raises:
            DataError: something else is there.
            OutputError: the file can't be written.
        """
        own = {self.field: msgspec.Raw(msgspec.json.encode(held))}
        others = {name: msgspec.Raw(told) for name, told in beside.items()}
        content = msgspec.json.encode({"format": self.format, **own, **others})
        if len(content) >= _ZIP_FROM:
            content = gzip.compress(content, mtime=0)
        try:
            if path.is_file() and path.stat().st_size and not self.is_one(path):
                raise DataError(f"is no {self.name}, and is left as it is", path=str(path))
            replace_file(path, content)
        except OSError as error:
            said = f"the {self.name} {path} can't be written: {error.strerror}"
            raise OutputError(said) from error

    def is_one(self, path: Path) -> bool:
        """Tell whether a file begins like one, of this format or another.

        Raises:
            OSError: it can't be read.
        """
        with path.open("rb") as file:
            head = file.read(_HEAD)
        if head.startswith(_ZIPPED):
            try:
                with gzip.open(path) as packed:
                    head = packed.read(_HEAD)
            except (EOFError, zlib.error, gzip.BadGzipFile):
                return False
        first = self.kind.__struct_encode_fields__[0]
        return re.match(rf'{{"format":\d+,"{self.field}":{{"{first}":'.encode(), head) is not None

    def read(self, path: Path) -> T:
        """Read one.

        Raises:
            DataError: not readable, none, or of another format.
        """
        return self.read_all(path)[0]

    def read_all(self, path: Path) -> tuple[T, dict[str, msgspec.Raw]]:
        """Read one, and return every field of its file beside it, as it is written there.

        Raises:
            DataError: not readable, none, or of another format.
        """
        content = self._content(path)
        try:
            head = msgspec.json.decode(content, type=_Head)
            if head.format != self.format:
                said = f"a {self.name} of format {head.format}, and this version reads"
                raise DataError(f"{said} {self.format}: {self.again} again", path=str(path))
            fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
            if self.field not in fields:
                raise DataError(f"not a {self.name}: it holds none", path=str(path))
            found: T = msgspec.json.decode(fields[self.field], type=self.kind)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise DataError(f"not a {self.name}: {error}", path=str(path)) from error
        return found, fields

    def _content(self, path: Path) -> bytes:
        content = read_whole(path)
        try:
            if content.startswith(_ZIPPED):
                with gzip.open(path) as packed:
                    content = packed.read(LARGEST + 1)
        except (OSError, EOFError, zlib.error) as error:
            said = getattr(error, "strerror", None) or str(error)
            raise DataError(f"can't be read: {said}", path=str(path)) from error
        if len(content) > LARGEST:
            raise DataError(f"too large for a {self.name}", path=str(path))
        return content
