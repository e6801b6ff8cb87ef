"""The weights that come with the package, by name."""

from __future__ import annotations

from pathlib import Path

from workspan.errors import SpecError, nearest

FOLDER = Path(__file__).parents[1] / "weights"
DEFAULT = "graphs"


def names() -> list[str]:
    """Return the names of all weights of the package."""
    return sorted(path.stem for path in FOLDER.glob("*.safetensors"))


def find(name: str) -> Path:
    """Return the file of a name, or of a path that ends in ``.safetensors``.

    Raises:
        SpecError: there are no such weights.
    """
    if name.endswith(".safetensors"):
        if not Path(name).is_file():
            raise SpecError(f"there is no file {name}")
        return Path(name)
    if name not in names():
        raise SpecError(f"the package has no reasoner {name!r}: {nearest(name, names())}")
    return FOLDER / f"{name}.safetensors"
