"""The head of a GGUF file: what model it is, and how its weights are stored.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

from __future__ import annotations

import struct
from collections.abc import Container, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TypeAlias

from workspan.engines.embedded.text import byte_level, sentence_piece
from workspan.errors import EngineRejected

MAGIC = b"GGUF"

_SCALARS = {
    0: "B",
    1: "b",
    2: "H",
    3: "h",
    4: "I",
    5: "i",
    6: "f",
    7: "?",
    10: "Q",
    11: "q",
    12: "d",
}
_STRING, _ARRAY = 8, 9

Value: TypeAlias = "str | int | list[Value] | None"

_TOKENIZER = "tokenizer.ggml.model"
_TOKENS = "tokenizer.ggml.tokens"
_TOKEN_TYPES = "tokenizer.ggml.token_type"
_CONTROL = 3

_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1",
    10: "Q2_K", 11: "Q3_K", 12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 30: "BF16",
}  # fmt: skip
"""Names of the tensor types; the rarer ones keep their number."""


@dataclass(frozen=True, slots=True)
class Header:
    """What the head of a model's file says."""

    architecture: str
    context: int | None
    """Longest context that the model was made for, in tokens."""
    tensor_types: frozenset[str]
    size: int
    """Bytes of the file."""
    tokenizer: str = ""
    """How text becomes tokens: "gpt2" is byte-level BPE, "llama" and "t5" are SentencePiece's."""


def read_header(path: Path) -> Header:
    """Read the head of a GGUF file; takes some ten milliseconds.

    Raises:
        EngineRejected: this is no GGUF file, or a broken one.
    """
    with _reading(path) as reader:
        tensors, values = reader.pairs(arrays=())
        types = frozenset(reader.tensor_type() for _ in range(tensors))
        architecture = str(values["general.architecture"])
        context = values.get(f"{architecture}.context_length")
        return Header(
            architecture=architecture,
            context=context if isinstance(context, int) else None,
            tensor_types=types,
            size=path.stat().st_size,
            tokenizer=str(values.get(_TOKENIZER, "")),
        )


def read_vocabulary(path: Path) -> list[bytes]:
    """Return the bytes that each token stands for; empty for control tokens.

    Raises:
        EngineRejected: this is no GGUF file, or a broken one.
    """
    with _reading(path) as reader:
        _, values = reader.pairs(arrays=(_TOKENS, _TOKEN_TYPES))
        entries, types = values[_TOKENS], values[_TOKEN_TYPES]
        assert isinstance(entries, list)
        assert isinstance(types, list)
        to_bytes = byte_level if values[_TOKENIZER] == "gpt2" else sentence_piece
        return [
            b"" if kind == _CONTROL else to_bytes(str(entry))
            for entry, kind in zip(entries, types, strict=True)
        ]


@contextmanager
def _reading(path: Path) -> Iterator[_Reader]:
    try:
        with path.open("rb") as file:
            yield _Reader(file)
    except (OSError, struct.error, UnicodeDecodeError, KeyError) as error:
        raise EngineRejected(f"{path} can't be read as a GGUF model: {error!r}") from error


class _Reader:
    """Reads little-endian values from the start of the file."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file

    def pairs(self, arrays: Container[str]) -> tuple[int, dict[str, Value]]:
        """Return the number of tensors and the metadata, arrays only where they are asked for."""
        if self.file.read(4) != MAGIC:
            raise EngineRejected(f"{self.file.name} is no GGUF file")
        version = self.scalar("I")
        if version not in (2, 3):
            raise EngineRejected(f"{self.file.name}: unknown GGUF version {version}")
        tensors, pairs = self.scalar("Q"), self.scalar("Q")
        values: dict[str, Value] = {}
        for _ in range(pairs):
            key = self.string()
            values[key] = self.value(self.scalar("I"), keep=key in arrays)
        return tensors, values

    def scalar(self, code: str) -> int:
        form = struct.Struct("<" + code)
        return int(form.unpack(self.file.read(form.size))[0])

    def string(self) -> str:
        return self.file.read(self.scalar("Q")).decode()

    def value(self, kind: int, *, keep: bool = False) -> Value:
        """Read one value; an array is skipped unless it is to be kept."""
        if kind == _STRING:
            return self.string()
        if kind != _ARRAY:
            return self.scalar(_SCALARS[kind])
        kind, size = self.scalar("I"), self.scalar("Q")
        if keep:
            return [self.value(kind) for _ in range(size)]
        self.skip_array(kind, size)
        return None

    def skip_array(self, kind: int, size: int) -> None:
        if kind in _SCALARS:
            self.file.seek(size * struct.calcsize("<" + _SCALARS[kind]), 1)
            return
        for _ in range(size):
            self.value(kind)

    def tensor_type(self) -> str:
        """Read one tensor's entry: name, shape, type, offset."""
        self.string()
        self.file.seek(8 * self.scalar("I"), 1)
        kind = self.scalar("I")
        self.scalar("Q")
        return _TYPES.get(kind, str(kind))
