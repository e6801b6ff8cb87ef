"""The registry: what every name stands for, ours and what installed distributions bring.

A row maps a name to ``module:Name``, which is imported when the row is used and not before. Our own
rows are one table (`workspan.registry._rows`); others come from the entry points of installed
distributions, in groups called ``workspan.strategies``, ``workspan.engines`` and so on (`GROUPS`).
Our own names can't be taken over, and a name that two distributions bring stands for neither.

The same ``module:Name``, and ``file.py:Name``, may stand wherever the user writes a name
(`load_written`): never in what a model, a server or a journal wrote.
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
import sys
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any, Literal, get_args

from workspan.errors import MissingDependency, PluginError, SpecError, nearest
from workspan.legible import one_line, quoted
from workspan.registry._rows import OFFICIAL, ROWS
from workspan.registry.card import Card

Group = Literal[
    "strategies", "engines", "verifiers", "graders", "readers", "tasks", "commands", "claims"
]
GROUPS: tuple[Group, ...] = get_args(Group)
_ONE: Mapping[Group, str] = {
    "strategies": "strategy",
    "engines": "engine",
    "verifiers": "verifier",
    "graders": "grader",
    "readers": "reader",
    "tasks": "task set",
    "commands": "command",
    "claims": "claim",
}
OURS = "workspan"
"""The distribution of our own rows."""

_NAME = re.compile(r"[A-Za-z]\w{0,99}", re.ASCII)
_COMMAND = re.compile(r"[A-Za-z][\w-]{0,99}", re.ASCII)
WRITTEN = re.compile(
    r"(?P<file>[^\s\"'(),=\[\]{}:][^\t\r\n\"'(),=\[\]{}:]{0,499}\.py):"
    r"(?P<inner>[^\W\d]\w*(?:\.[^\W\d]\w*){0,5})"
    r"|(?P<module>[^\W\d]\w*(?:\.[^\W\d]\w*){0,30}):(?P<name>[^\W\d]\w*(?:\.[^\W\d]\w*){0,5})"
)
"""``file.py:Name`` or ``module:Name``."""


@dataclass(frozen=True, slots=True)
class Row:
    """What one name of one group stands for."""

    group: Group
    name: str
    path: str
    """``module:Name``."""
    distribution: str = OURS
    """Who brings it: the distribution's name and version, ours without a version."""

    @property
    def is_ours(self) -> bool:
        """It comes with this package."""
        return self.distribution == OURS

    @property
    def project(self) -> str:
        """Who brings it, without the version: a normalised name (PEP 503)."""
        name = self.distribution.partition(" ")[0]
        return re.sub("[-_.]+", "-", name).lower()

    @property
    def is_official(self) -> bool:
        """It comes with this package, or with another one of this project."""
        return self.is_ours or self.project in OFFICIAL

    def load(self) -> Any:
        """Import what the name stands for.

        Raises:
            PluginError: another distribution's can't be imported.
            ImportError: ours can't, since an optional extra is missing.
        """
        if self.is_ours:
            return _load(self.path)
        try:
            made = _load(self.path)
        except (Exception, SystemExit) as error:  # other people's code
            raise PluginError(
                f"the {_ONE[self.group]} {self.name!r} of {self.distribution} can't be imported: "
                f"{said(error)}"
            ) from error
        _THEIRS[re.split("[.:]", self.path, maxsplit=1)[0]] = self.distribution
        return made

    @property
    def card(self) -> Card:
        """What it says of itself; for a class without a card, that its name is its example."""
        found = getattr(self.load(), "card", None)
        return found if isinstance(found, Card) else Card(example=self.name)

    @property
    def example(self) -> str:
        """A small written form of it, which its suite runs."""
        return self.card.example

    @property
    def summary(self) -> str:
        """First sentence of its docstring."""
        return first_line(self.load())


def first_line(found: object) -> str:
    """Return the first paragraph of a docstring on one line; "" where there is none of its own."""
    doc = getattr(found, "__doc__", None)
    if not isinstance(doc, str) or doc.startswith(f"{getattr(found, '__name__', '')}("):
        return ""  # a dataclass without a docstring is given its signature
    return " ".join(inspect.cleandoc(doc).split("\n\n")[0].split())


class Table(Mapping[str, Row]):
    """One group's rows by name: ours first, in their order, then those of plug-ins by name.

    Looking up one of ours does not look for plug-ins at all.
    """

    def __init__(self, group: Group) -> None:
        self.group = group
        self.ours: Mapping[str, Row] = {
            name: Row(group, name, path) for name, path in ROWS[group].items()
        }

    def __getitem__(self, name: str) -> Row:
        own = self.ours.get(name)
        return own if own is not None else self._theirs()[name]

    def __contains__(self, name: object) -> bool:
        return name in self.ours or name in self._theirs()

    def __iter__(self) -> Iterator[str]:
        yield from self.ours
        yield from self._theirs()

    def __len__(self) -> int:
        return len(self.ours) + len(self._theirs())

    def seek(self, name: str) -> Row | None:
        """Return the row of a name, None where there is none.

        Raises:
            PluginError: two distributions bring it, or one that can't have it.
            MissingDependency: a distribution of this project's brings it, and is not installed.
        """
        if name in self.ours:
            return self.ours[name]
        plugins = _plugins(self.group)
        if name not in plugins.rows and name not in plugins.refused:
            _scan.cache_clear()  # something may have been installed since
            plugins = _plugins(self.group)
        if name in plugins.rows:
            return plugins.rows[name]
        if name in plugins.refused:
            raise PluginError(plugins.refused[name])
        if owner := official(self.group, name):
            raise MissingDependency(f"the {_ONE[self.group]} {name}", distribution=owner)
        return None

    def find(self, name: str) -> Row:
        """Return the row of a name.

        Raises:
            SpecError: there is none.
            PluginError: see `seek`.
            MissingDependency: see `seek`.
        """
        row = self.seek(name)
        if row is None:
            hint = nearest(name, self) if len(self) else "none is installed"
            if self.group in ("graders", "readers"):
                hint += "; or write it like module:Name, file.py:Name or sh:COMMAND"
            raise SpecError(f"unknown {_ONE[self.group]} {quoted(name)}: {hint}")
        return row

    @property
    def refused(self) -> tuple[str, ...]:
        """What plug-ins bring and can't be used by name, a sentence each."""
        return tuple(_plugins(self.group).refused.values())

    @property
    def absent(self) -> Mapping[str, str]:
        """The names that a distribution of this project's would bring if it were installed."""
        here = self._theirs()
        return {
            name: owner
            for owner, groups in OFFICIAL.items()
            for name in groups.get(self.group, ())
            if name not in here
        }

    def _theirs(self) -> Mapping[str, Row]:
        return _plugins(self.group).rows


@dataclass(frozen=True, slots=True)
class _Plugins:
    """What other distributions bring to one group."""

    rows: Mapping[str, Row]
    refused: Mapping[str, str]
    """By name, why it can't be used."""


@cache
def _table(group: Group) -> Table:
    return Table(group)


def table(group: Group) -> Table:
    """Return a group's rows."""
    return _table(group)


def official(group: Group, name: str) -> str:
    """Return the distribution of this project's that a name of plug-ins belongs to, or ""."""
    return next((who for who, groups in OFFICIAL.items() if name in groups.get(group, ())), "")


def _plugins(group: Group) -> _Plugins:
    return _scan(group, tuple(sys.path))


@cache
def _scan(group: Group, _: tuple[str, ...]) -> _Plugins:
    """Read one group's entry points of everything that is installed; nothing is imported.

    The second argument is the search path, so that what another one holds is found.
    """
    from importlib.metadata import entry_points

    found = []
    for entry in entry_points(group=f"workspan.{group}"):
        dist = entry.dist
        who = "an unnamed distribution" if dist is None else f"{dist.name} {dist.version}"
        found.append(Row(group, entry.name, entry.value.partition("[")[0].strip(), who))
    return _sorted_out(group, found)


def _sorted_out(group: Group, rows: list[Row]) -> _Plugins:
    """Tell the rows that can be used from those that can't."""
    by_name: dict[str, list[Row]] = {}
    for row in sorted(rows, key=lambda row: (row.name, row.distribution, row.path)):
        by_name.setdefault(row.name, []).append(row)
    usable: dict[str, Row] = {}
    refused: dict[str, str] = {}
    for name, brought in by_name.items():
        owner = official(group, name)
        strangers = [row for row in brought if owner and row.project != owner]
        found = [row for row in brought if row not in strangers]
        why = _refusal(group, name, found) if found else ""
        if found and not why:
            usable[name] = found[0]
        if strangers:
            why = f"of {_names(strangers)} is left out: the name is {owner}'s"
        if why:
            refused[name] = f"the {_ONE[group]} {quoted(name)} {why}"
    return _Plugins(usable, refused)


def _refusal(group: Group, name: str, found: list[Row]) -> str:
    """Say why a name can't be used; "" where it can."""
    who = _names(found)
    if name in ROWS[group]:
        return f"of {who} is left out: the name is Workspan's own"
    form = _COMMAND if group == "commands" else _NAME
    if not form.fullmatch(name):
        return f"of {who} is left out: a name is letters, digits and underscores"
    if not all(WRITTEN.fullmatch(row.path) for row in found):
        return f"of {who} is left out: its entry point must read module:Name"
    if len(found) > 1:
        paths = " or ".join(row.path for row in found)
        return f"is brought by {who}: uninstall one, or write {paths}"
    return ""


def _names(rows: list[Row]) -> str:
    return " and ".join(dict.fromkeys(one_line(row.distribution, 80) for row in rows))


def _load(path: str) -> Any:
    module, _, name = path.partition(":")
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part)
    return found


_FILE = "_workspan_file_"
_FILES: dict[str, str] = {}
"""The files that were imported, as the user wrote them, by the names of their modules."""


def load_written(text: str) -> Any:
    """Import what ``module:Name`` or ``file.py:Name``, written by the user, stands for.

    A module that is not installed is looked for in the current directory, too.

    Raises:
        SpecError: it is not written so, can't be imported, or holds no such name.
    """
    found = WRITTEN.fullmatch(text)
    if found is None:
        form = "write it like module:Name or file.py:Name"
        raise SpecError(f"{quoted(text)} is not understood: {form}")
    where, name = found["file"] or found["module"], found["inner"] or found["name"]
    try:
        module = _file(Path(where)) if found["file"] else _module(where)
    except (Exception, SystemExit) as error:  # the user's own module may raise anything
        raise SpecError(f"{where} can't be imported: {said(error)}") from error
    held: Any = module
    for part in name.split("."):
        try:
            held = getattr(held, part)
        except AttributeError:
            at = getattr(module, "__file__", None)
            which = f" ({at})" if at and not found["file"] else ""
            raise SpecError(f"{where}{which} has no {name!r}") from None
    if found["module"]:
        _THEIRS.setdefault(where.partition(".")[0], where)
    return held


_THEIRS: dict[str, str] = {}
"""Who wrote the packages that were imported for others' rows, and the modules of users' files."""


def author(error: BaseException) -> str:
    """Return who wrote the code that raised an error: "" if we did, or nobody can tell.

    That is a distribution of a plug-in, or a path that the user wrote. Of a library that was
    called, it is who called it.
    """
    names = []
    trace = error.__traceback__
    while trace is not None:
        names.append(str(trace.tb_frame.f_globals.get("__name__", "")))
        trace = trace.tb_next
    for name in reversed(names):
        top = name.partition(".")[0]
        if top == OURS:
            return ""
        if who := _THEIRS.get(name) or _THEIRS.get(top):
            return who
    return ""


def said(error: BaseException) -> str:
    """Repeat on one line what an import said."""
    return one_line(f"{type(error).__name__}: {error}", 300)


def _module(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        top = name.partition(".")[0]
        here = Path.cwd()
        is_here = (here / f"{top}.py").is_file() or (here / top).is_dir()
        if error.name != top or not is_here or sys.flags.safe_path or str(here) in sys.path:
            raise
    sys.path.append(str(here))  # last: what lies there takes the place of nothing installed
    importlib.invalidate_caches()
    return importlib.import_module(name)


def _file(path: Path) -> ModuleType:
    """Import a file under a name of its own, once.

    Raises:
        OSError: it is not there.
    """
    from hashlib import sha256  # a library of its own, that only this needs

    whole = path.resolve()
    name = f"{_FILE}{path.stem}_{sha256(str(whole).encode()).hexdigest()[:8]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, whole)
    if spec is None or spec.loader is None or not whole.is_file():
        raise FileNotFoundError(f"no file {path}")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    _FILES[name] = str(path)
    _THEIRS[name] = str(path)
    return module


def written_files() -> list[ModuleType]:
    """Return the modules of the user's own files: no other process can import them by name."""
    return [sys.modules[name] for name in _FILES if name in sys.modules]


def written(found: Any) -> str:
    """Return how a class or function is written: its name in a table, else ``module:Name``.

    What no text could name, such as a class inside a function, has its bare name.
    """
    module, name = getattr(found, "__module__", ""), getattr(found, "__qualname__", "")
    path = f"{module}:{name}"
    if path in _OUR_NAMES:
        return _OUR_NAMES[path]
    text = f"{_FILES.get(module, module)}:{name}"
    if not WRITTEN.fullmatch(text):
        return name or repr(found)
    return _named_by_plugins(found, path) or text


_OUR_NAMES: Mapping[str, str] = {
    path: name for group in ("strategies", "verifiers") for name, path in ROWS[group].items()
}


def _named_by_plugins(found: Any, path: str) -> str:
    """Return the name that a distribution gives what it also has at `path`, or ""."""
    top = re.split("[.:]", path, maxsplit=1)[0]
    groups: tuple[Group, ...] = ("strategies", "verifiers")
    for group in groups:
        for name, row in _plugins(group).rows.items():
            if row.path == path:
                return name
            if re.split("[.:]", row.path, maxsplit=1)[0] == top:
                with suppress(PluginError):  # its entry point may go by a shorter way
                    if row.load() is found:
                        return name
    return ""
