"""What is drawn or written when the results are out already: a failure there takes nothing away."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from workspan.boundary.outputs import Output
from workspan.errors import OutputError, WorkspanError
from workspan.store.journals import is_journal_file


@contextmanager
def drawing(what: str, kept: str = "what was printed is whole") -> Iterator[None]:
    """Draw or write `what`; whatever goes wrong is one error that says what is kept.

    Raises:
        OutputError: it failed.
    """
    try:
        yield
    except WorkspanError:
        raise
    except Exception as error:
        said = getattr(error, "strerror", None) or f"{type(error).__name__}: {error}"
        raise OutputError(f"{what} could not be made: {said}; {kept}") from error


def journal_output(path: Path, option: str = "--journal") -> Output:
    """Describe a journal that will be written or gone on with."""
    return Output(option, path, "a journal", is_journal_file, makes_folders=True)


def report_output(path: Path) -> Output:
    """Describe a page that will be written or replaced."""
    from workspan.lab.report.pages import is_page

    return Output("--report", path, "a report", is_page)


def named_inputs(
    source: Path | None, names: Sequence[str] = (), corpus: str | None = None
) -> list[tuple[str, Path]]:
    """List the files that a command reads; a name of a task set is one where such a file is."""
    found = [("--input", source)] if source is not None else []
    found += [("--task", Path(name)) for name in names if Path(name).exists()]
    return found + ([("--corpus", Path(corpus))] if corpus and Path(corpus).exists() else [])
