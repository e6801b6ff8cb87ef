"""What the engine and its worker process say to each other: msgpack in length-prefixed frames."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any, Literal

import msgspec

from workspan.errors import EngineProtocolError

OVERSHOOT = 32
"""Tokens of a chain that the worker decodes, at most, beyond what its reader has taken."""

ErrorKind = Literal["context", "rejected", "unavailable"]

_LARGEST = 256 << 20
"""Bytes of a frame: a prompt of the longest context is far below."""

_LENGTH = struct.Struct("<I")


class Frame(msgspec.Struct, array_like=True, frozen=True, tag=True):
    """A message; its kind is its first element on the wire."""


class Open(Frame, frozen=True):
    """Load this model; the first message to a worker."""

    path: str
    runtime: Literal["openvino", "llama"]
    width: int
    context: int
    """Prompt and completion together, in tokens."""
    threads: int


class Count(Frame, frozen=True):
    """Count the tokens of this prompt."""

    id: int
    turns: list[tuple[str, str]]
    """Role and content of each message."""
    prefix: str


class Draw(Frame, frozen=True):
    """Decode one chain."""

    id: int
    turns: list[tuple[str, str]]
    prefix: str
    max_tokens: int
    temperature: float
    top_p: float
    stop: list[str]
    logprobs: bool
    seed: int
    alternatives: int = 0
    """Most likely tokens that a token's confidence is asked over."""


class Taken(Frame, frozen=True):
    """The reader has taken this many tokens of the chain, all in all."""

    id: int
    tokens: int


class Cancel(Frame, frozen=True):
    """Stop this chain and say what it came to."""

    id: int


class Total(Frame, frozen=True):
    """Say how many tokens the runtime has decoded for all chains so far."""

    id: int


Command = Open | Count | Draw | Taken | Cancel | Total


class Ready(Frame, frozen=True):
    """The model is loaded."""

    seconds: float


class Counted(Frame, frozen=True):
    """The answer to `Count` and `Total`."""

    id: int
    tokens: int


class Started(Frame, frozen=True):
    """The chain is with the runtime: its prompt is exact and charged from here on."""

    id: int
    prompt_tokens: int


class Piece(msgspec.Struct, array_like=True, frozen=True):
    """What one step added to one chain."""

    id: int
    tokens: int
    """Decoded since the chain began."""
    text: str
    logprobs: list[float]
    cached_tokens: int
    finish: Literal["stop", "length"] | None
    confidences: list[float] = []


class Step(Frame, frozen=True):
    """One step of the batch: also the heartbeat of a worker with work in hand."""

    pieces: list[Piece]


class Closed(Frame, frozen=True):
    """The answer to `Cancel`: exactly what the runtime decoded and the prompt that it read."""

    id: int
    tokens: int
    prompt_tokens: int | None
    """None: the worker never had the chain."""


class Failed(Frame, frozen=True):
    """The call can't go on; nothing of it is decoded any more."""

    id: int
    kind: ErrorKind
    message: str


Event = Ready | Counted | Started | Step | Closed | Failed

_encode = msgspec.msgpack.Encoder().encode
commands: msgspec.msgpack.Decoder[Command] = msgspec.msgpack.Decoder(Command)
events: msgspec.msgpack.Decoder[Event] = msgspec.msgpack.Decoder(Event)


def pack(message: Command | Event) -> bytes:
    """Return the frame of a message."""
    body = _encode(message)
    return _LENGTH.pack(len(body)) + body


def unpack(buffer: bytearray, decoder: msgspec.msgpack.Decoder[Any]) -> Iterator[Any]:
    """Take every whole message out of the buffer.

    Raises:
        EngineProtocolError: what came is no frame, or holds no message; after that nothing in the
            buffer can be told from noise.
    """
    while len(buffer) >= _LENGTH.size:
        size = _LENGTH.unpack_from(buffer)[0]
        if size > _LARGEST:
            raise EngineProtocolError(f"a frame of {size:,} bytes: none has more than {_LARGEST:,}")
        end = _LENGTH.size + size
        if len(buffer) < end:
            return
        body = bytes(buffer[_LENGTH.size : end])
        del buffer[:end]
        try:
            message = decoder.decode(body)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            raise EngineProtocolError(f"a frame that is no message: {error}") from None
        yield message
