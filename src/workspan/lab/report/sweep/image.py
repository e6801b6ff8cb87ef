"""A sweep as one picture, PNG or SVG: its phase diagram, and the plots of its first groups."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from zlib import crc32

import vl_convert

from workspan.boundary.outputs import replace_file
from workspan.errors import InputError, OutputError
from workspan.lab.report.sweep.curves import accuracy, selection
from workspan.lab.report.sweep.drawing import CONFIG, Names, Spec
from workspan.lab.report.sweep.page import SweepReport, groups
from workspan.lab.report.sweep.phased import phase_diagram
from workspan.lab.report.sweep.planes import plane
from workspan.legible import legible

GROUPS = 6
"""Engines with a task that one picture holds."""
_LIGHT = {
    "paper": "#fdfdfb",
    "ink": "#1c1d20",
    "muted": "#6b6f76",
    "line": "#dddcd6",
    "hue-0": "#2563a8",
    "hue-1": "#c2571a",
    "hue-2": "#2c7d4f",
    "hue-3": "#7a4fa3",
    "hue-4": "#b3303f",
    "hue-5": "#1f7a80",
}
_VARIABLE = re.compile(r"var\(--([a-z0-9-]+)\)")
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER = len(_SIGNATURE) + 25
"""Where the first chunk of a PNG ends: a length, a name, 13 bytes and a checksum."""
_SAYS = b"Software\0workspan"
_SVG = '<svg data-generator="workspan" '
_SHARP = 2.0
"""Pixels of a PNG for each one of the picture."""


def write_image(found: SweepReport, path: Path) -> None:
    """Write the picture to `path`, in the form that its suffix names.

    Raises:
        InputError: no cell is done, so that there is nothing to draw; or something else is there.
        OutputError: it can't be written.
    """
    form = FORMS[path.suffix.lower()]
    content = form.draw(picture(found))
    try:
        if path.exists() and path.stat().st_size and not form.is_ours(path):
            raise InputError(f"the picture {path} is none of ours, and is left as it is")
        replace_file(path, content)
    except OSError as error:
        raise OutputError(f"the picture {path} can't be written: {error.strerror}") from error


def picture(found: SweepReport) -> Spec:
    """Return all of it as one specification with colours of its own.

    Raises:
        InputError: no cell is done.
    """
    names, shown = Names.of(found.cells), groups(found.cells)
    parts = [_titled("Breadth or depth", phase_diagram(found.phases))]
    for group in shown[:GROUPS]:
        drawn = [accuracy(group.rows, names), plane(group.rows, names)]
        drawn.append(selection(group.rows, names))
        parts += [_titled(group.title if not i else "", one) for i, one in enumerate(drawn)]
    held = [one for one in parts if one is not None]
    if not held:
        raise InputError("no cell of the sweep is done yet: there is nothing to draw")
    more = len(shown) - GROUPS
    said = f"Sweep {found.sweep.name}" + (f", the first {GROUPS} groups" if more > 0 else "")
    whole = {
        "title": {"text": said, "fontSize": 16},
        "vconcat": held,
        "spacing": 40,
        "resolve": {"scale": dict.fromkeys(("color", "shape"), "independent")},
        "config": {**CONFIG, "background": _LIGHT["paper"], "padding": 20},
    }
    coloured: Spec = _coloured(whole)
    return coloured


def is_png(path: Path) -> bool:
    """Tell whether the file is a picture of ours.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        head = file.read(_HEADER + 8 + len(_SAYS))
    return head.startswith(_SIGNATURE) and head.endswith(b"tEXt" + _SAYS)


def is_svg(path: Path) -> bool:
    """Tell whether the file is a drawing of ours.

    Raises:
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return file.read(len(_SVG)) == _SVG.encode()


def _png(spec: Spec) -> bytes:
    drawn: bytes = vl_convert.vegalite_to_png(spec, scale=_SHARP, allowed_base_urls=[])
    mark = b"tEXt" + _SAYS
    told = struct.pack(">I", len(_SAYS)) + mark + struct.pack(">I", crc32(mark))
    return drawn[:_HEADER] + told + drawn[_HEADER:]


def _svg(spec: Spec) -> bytes:
    drawn: str = vl_convert.vegalite_to_svg(spec, allowed_base_urls=[])
    return drawn.replace("<svg ", _SVG, 1).encode()


@dataclass(frozen=True, slots=True)
class Form:
    """One form of a picture."""

    draw: Callable[[Spec], bytes]
    is_ours: Callable[[Path], bool]


FORMS: Mapping[str, Form] = {".png": Form(_png, is_png), ".svg": Form(_svg, is_svg)}
"""By the suffix of the file."""


def _titled(title: str, spec: Spec | None) -> Spec | None:
    """Return a part of a picture under its title; what belongs to the whole is left out."""
    if spec is None:
        return None
    own = {key: value for key, value in spec.items() if key not in ("$schema", "config")}
    return {**own, "title": title} if title else own


def _coloured(value: Any) -> Any:
    """Put colours in place of the page's variables."""
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _LIGHT.get(found[1], found[0]), legible(value))
    if isinstance(value, Mapping):
        return {key: _coloured(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_coloured(item) for item in value]
    return value
