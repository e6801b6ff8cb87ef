"""From a written form to what it stands for."""

from __future__ import annotations

import ast
import inspect
import typing
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, is_dataclass
from typing import Any, cast

from workspan.core.session import Strategy, Verifier
from workspan.errors import SpecError, WorkspanError, nearest
from workspan.legible import quoted
from workspan.registry.table import Group, Table, load_written, said, table
from workspan.spec.parameters import (
    MISFIT,
    SEVERAL,
    describe,
    fit,
    is_bounded,
    parameters,
    strategy_fields,
)
from workspan.spec.text import TOO_DEEP, Parsed, parse

STRATEGIES: Table = table("strategies")
VERIFIERS: Table = table("verifiers")

_PARTS: Mapping[object, Group] = {Strategy: "strategies", Verifier: "verifiers"}
_EXAMPLES: Mapping[Group, str] = {
    "strategies": "self_consistency(n=8)",
    "verifiers": "judge(max_tokens=64)",
    "engines": "embedded or mypkg.mine:MyEngine(n=3)",
    "graders": "exact_match or mypkg.mine:MyGrader(n=3)",
    "readers": "mypkg.mine:read",
    "tasks": "chain_sum or chain_sum(max_terms=3)",
}
_KINDS: Mapping[Group, str] = {
    "strategies": "strategy",
    "verifiers": "verifier",
    "engines": "engine",
    "graders": "grader",
    "readers": "reader",
    "tasks": "task set",
}


def parse_strategy(text: str, *, imports: bool = False) -> Strategy:
    """Read one strategy.

    Args:
        text: its written form.
        imports: ``module:Name`` is imported and ``'sh:COMMAND'`` may stand for a verifier. Only
            for what the user wrote: either runs code.

    Raises:
        SpecError: not a strategy, too long or too deep, an unknown name or parameter, or a value
            out of range.
        PluginError: a distribution brings the name, and can't be used.
    """
    return cast("Strategy", make(text, "strategies", imports=imports))


def parse_verifier(text: str, *, imports: bool = False) -> Verifier:
    """Read one verifier; as `parse_strategy`, and ``sh:COMMAND`` may stand without quotes."""
    if text.strip().startswith("sh:"):
        text = repr(text.strip())
    return cast("Verifier", make(text, "verifiers", imports=imports))


def make(
    text: str,
    group: Group,
    *,
    imports: bool = False,
    is_called: bool = False,
    given: Mapping[str, object] | None = None,
) -> Any:
    """Make what a text of a group stands for.

    Args:
        text: its written form.
        group: whose names it may begin with.
        imports: see `parse_strategy`.
        is_called: a function is called, even if no brackets follow its name.
        given: further arguments of the call.

    Raises:
        SpecError: see `parse_strategy`.
        PluginError: see `parse_strategy`.
    """
    text = text.strip()
    try:
        parsed = parse(text, _EXAMPLES[group])
        arguments = (given or {}) if is_called else None
        return _Reading(parsed, imports).build(parsed.node, group, arguments)
    except RecursionError:
        raise SpecError(TOO_DEEP) from None


@dataclass(frozen=True, slots=True)
class _Reading:
    """Makes objects of one text's syntax tree."""

    parsed: Parsed
    imports: bool

    def build(
        self, node: ast.expr, group: Group, given: Mapping[str, object] | None = None
    ) -> object:
        """Make what ``name`` or ``name(key=value, …)`` stands for."""
        if isinstance(node, ast.Constant) and group == "verifiers":
            return self._command(node)
        call = node if isinstance(node, ast.Call) else None
        head = call.func if call else node
        name, made = self._named(head, group)
        if not isinstance(made, type) and call is None and given is None:
            return self._checked(made, name, node, group)
        arguments = {**(given or {}), **self._arguments(made, call, name)}
        missing = [
            item.name
            for item in parameters(made).values()
            if item.name not in arguments and item.default is MISSING
        ]
        if missing:
            raise self.parsed.error(f"{name} needs {', '.join(missing)}", node)
        return self._checked(self._call(made, arguments, name, node), name, node, group)

    def _named(self, head: ast.expr, group: Group) -> tuple[str, Any]:
        """Find what a name stands for."""
        kind = _KINDS[group]
        if isinstance(head, ast.Attribute):
            raise self.parsed.error(f"expected a {kind}: {self._meant(head)}", head)
        if not isinstance(head, ast.Name):
            first = next(iter(table(group)), "module:Name")
            raise self.parsed.error(f"expected a {kind} such as {first}()", head)
        path = self._path(head)
        if path is not None:
            if not self.imports:
                why = "is imported only where the user writes it: import it in Python instead"
                raise self.parsed.error(f"{quoted(path)} {why}", head)
            try:
                return path, load_written(path)
            except SpecError as error:
                raise self.parsed.error(str(error), head) from error.__cause__
        try:
            made = table(group).find(head.id).load()
        except SpecError as error:
            raise self.parsed.error(str(error), head) from None
        if not self.imports and getattr(getattr(made, "card", None), "runs", False):
            why = f"{head.id} runs a command, and that only where the user writes it"
            raise self.parsed.error(why, head)
        return head.id, made

    def _meant(self, head: ast.Attribute) -> str:
        """Say what a name with a dot is likely to mean."""
        if head.attr == "py":
            return "a file is written with what it holds, such as mine.py:Name"
        if any(isinstance(one, ast.Name) and self._path(one) for one in ast.walk(head)):
            return "a path is written module:Name or file.py:Name"
        where, _, name = ast.unparse(head).rpartition(".")
        return f"did you mean {where}:{name}?"

    def _path(self, head: ast.expr) -> str | None:
        return self.parsed.paths.get(self.parsed.column(head))

    def _call(self, made: Any, arguments: Mapping[str, object], name: str, node: ast.expr) -> Any:
        """Call a class or function of ours or of someone else's."""
        try:
            return made(**arguments)
        except (ValueError, ArithmeticError) as error:
            raise self.parsed.error(f"{name}: {error}", node) from None
        except (WorkspanError, ImportError):
            raise
        except Exception as error:  # the boundary to the code of others
            raise self.parsed.error(f"{name} failed: {said(error)}", node) from error

    def _checked(self, made: Any, name: str, node: ast.expr, group: Group) -> object:
        """Hold what was made against what its group asks for."""
        if group == "verifiers" and inspect.isroutine(made):
            from workspan.verifiers.own import FunctionVerifier

            return FunctionVerifier(name, made)
        if group not in ("strategies", "verifiers"):
            return made
        kind, call = _KINDS[group], getattr(type(made), "__call__", None)  # noqa: B004
        requires = getattr(made, "requires", None)
        if isinstance(made, type) or not inspect.iscoroutinefunction(call):
            what = "is a function" if inspect.isroutine(made) else "has no async def __call__"
        elif not is_dataclass(made):
            what = "is no dataclass"
        elif not isinstance(requires, frozenset):
            what = "has no `requires`: ClassVar[frozenset[Capability]] = frozenset()"
        else:
            return made
        error = self.parsed.error(f"{name} {what}: see docs/plugins.md for a {kind}", node)
        raise error

    def _command(self, node: ast.Constant) -> object:
        """Make a verifier of ``'sh:COMMAND'``."""
        text = node.value
        if not isinstance(text, str) or not text.startswith("sh:"):
            first = next(iter(VERIFIERS))
            raise self.parsed.error(f"expected a verifier such as {first}() or 'sh:COMMAND'", node)
        if not self.imports:
            why = "a command is run only where the user writes it"
            raise self.parsed.error(why, node)
        if not text[3:].strip():
            raise self.parsed.error("write the command after sh:, such as 'sh:./check.sh'", node)
        from workspan.verifiers.own import CommandVerifier

        return CommandVerifier(text[3:].strip())

    def _arguments(self, made: Any, call: ast.Call | None, name: str) -> dict[str, object]:
        """Read what stands between the brackets."""
        arguments = self._unnamed(made, call.args if call else (), name)
        for keyword in call.keywords if call else ():
            value = self._argument(made, keyword, name)
            if keyword.arg in arguments:
                raise self.parsed.error(f"{name} is given {keyword.arg} twice", keyword)
            arguments[keyword.arg or ""] = value
        return arguments

    def _unnamed(self, made: Any, args: Sequence[ast.expr], owner: str) -> dict[str, object]:
        """Give the strategies that stand without a name to the parameters for them."""
        if not args:
            return {}
        names = strategy_fields(made) if isinstance(made, type) else []
        if names and parameters(made)[names[0]].type == SEVERAL:
            return {names[0]: tuple(self.build(arg, "strategies") for arg in args)}
        if len(args) > len(names):
            raise self.parsed.error(f"give {owner} its parameters by name", args[len(names)])
        pairs = zip(names, args, strict=False)
        return {name: self.build(arg, "strategies") for name, arg in pairs}

    def _argument(self, made: Any, keyword: ast.keyword, owner: str) -> object:
        known = parameters(made)
        name = keyword.arg or "**"
        if name not in known:
            hint = nearest(name, known)
            raise self.parsed.error(f"{owner} has no parameter {quoted(name)}: {hint}", keyword)
        wanted = known[name].type
        options = (wanted, *typing.get_args(wanted))
        part = next((_PARTS[one] for one in options if _is_part(one)), None)
        if part is not None and wanted != SEVERAL:
            is_none = isinstance(keyword.value, ast.Constant) and keyword.value.value is None
            if is_none and type(None) in options:
                return None
            return self.build(keyword.value, part)
        if wanted == SEVERAL:
            several = keyword.value
            items = several.elts if isinstance(several, ast.Tuple | ast.List) else [several]
            return tuple(self.build(item, "strategies") for item in items)
        return self._literal(keyword, name, wanted)

    def _literal(self, keyword: ast.keyword, name: str, wanted: Any) -> object:
        try:
            value: object = ast.literal_eval(keyword.value)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            raise self.parsed.error(f"{name} must be a plain value", keyword) from None
        if not is_bounded(value):
            why = f"{name} must hold numbers up to 10^15 in size, and text that is whole Unicode"
            raise self.parsed.error(why, keyword)
        fitting = fit(value, wanted)
        if fitting is MISFIT:
            why = f"{name} must be {describe(wanted)}, not {quoted(value)}"
            raise self.parsed.error(why, keyword)
        return fitting


def _is_part(wanted: Any) -> bool:
    try:
        return wanted in _PARTS
    except TypeError:  # an annotation that can't be hashed
        return False
