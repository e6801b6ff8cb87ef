"""Arrays as a file holds them: whole numbers by their rises, packed."""

from __future__ import annotations

import zlib
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Ints = NDArray[np.int64]

_BITS = "bits"
_KINDS = ("<i1", "<i2", "<i4", "<i8")


class Column(msgspec.Struct, frozen=True, array_like=True):
    """One array, of whole numbers, fractions or truths; flat."""

    kind: str
    """Of a rise or a fraction, as NumPy writes it; or bits."""
    size: int
    content: bytes

    @classmethod
    def of(cls, values: NDArray[Any], starts: Ints | None = None) -> Column:
        """Pack an array.

        Args:
            values: of any shape; the shape is not kept.
            starts: where a part begins whose first value is no rise on the one before it.
        """
        flat = values.ravel()
        if flat.dtype == bool:
            return cls(_BITS, flat.size, zlib.compress(np.packbits(flat).tobytes()))
        if flat.dtype.kind == "f":
            return cls("<f8", flat.size, zlib.compress(flat.astype("<f8").tobytes()))
        rises = np.diff(flat.astype(np.int64), prepend=0)
        if starts is not None:
            rises[starts] = flat[starts]
        low, high = (int(of(rises, initial=0)) for of in (np.min, np.max))
        kind = next(one for one in _KINDS if _holds(one, low) and _holds(one, high))
        return cls(kind, flat.size, zlib.compress(rises.astype(kind).tobytes()))

    def values(self, starts: Ints | None = None) -> NDArray[Any]:
        """Unpack it, with the starts that it was packed with.

        Raises:
            zlib.error: it is damaged.
            ValueError: it holds another number of values.
        """
        content = zlib.decompress(self.content)
        if self.kind == _BITS:
            bits = np.frombuffer(content, np.uint8)
            return self._whole(np.unpackbits(bits, count=self.size).astype(bool))
        found = self._whole(np.frombuffer(content, self.kind))
        if self.kind == "<f8":
            return found
        total: Ints = found.cumsum(dtype=np.int64)
        if starts is None:
            return total
        sizes = np.diff(np.append(starts, self.size))
        whole: Ints = total - np.repeat(total[starts] - found[starts], sizes)
        return whole

    def _whole(self, found: NDArray[Any]) -> NDArray[Any]:
        if found.size != self.size:
            raise ValueError(f"{found.size} values stand where {self.size} were written")
        return found


def _holds(kind: str, value: int) -> bool:
    limits = np.iinfo(kind)
    return bool(limits.min <= value <= limits.max)
