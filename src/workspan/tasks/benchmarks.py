"""Benchmarks by name, from a file of your own or from the hub; none of them is shipped.

A file is ``file=``, or the one of that name in the folder that $WORKSPAN_TASKS names, such as
``gsm8k.parquet``. Where there is none, the hub's data set is fetched. One that its authors keep
behind a gate is read from a file only.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from workspan.errors import DataError, SpecError, nearest
from workspan.tasks.base import Task
from workspan.tasks.files import ENDINGS, read_tasks, sampled
from workspan.tasks.hub import hub

FOLDER = "WORKSPAN_TASKS"
"""The variable that names the folder of files called after benchmarks."""

_AIME = {2024: "hf:HuggingFaceH4/aime_2024:train", 2025: "hf:MathArena/aime_2025:train"}
BBH = (
    *("boolean_expressions", "causal_judgement", "date_understanding", "disambiguation_qa"),
    *("dyck_languages", "formal_fallacies", "geometric_shapes", "hyperbaton"),
    *("logical_deduction_five_objects", "logical_deduction_seven_objects"),
    *("logical_deduction_three_objects", "movie_recommendation", "multistep_arithmetic_two"),
    *("navigate", "object_counting", "penguins_in_a_table", "reasoning_about_colored_objects"),
    *("ruin_names", "salient_translation_error_detection", "snarks", "sports_understanding"),
    *("temporal_sequences", "tracking_shuffled_objects_five_objects"),
    *("tracking_shuffled_objects_seven_objects", "tracking_shuffled_objects_three_objects"),
    *("web_of_lies", "word_sorting"),
)
"""Its subsets (Suzgun et al. 2022, arXiv:2210.09261)."""


@dataclass(frozen=True, slots=True)
class Benchmark:
    """A data set that people know by its name."""

    name: str
    """As it was written."""
    summary: str
    source: str
    known: str
    """Its own name: of a file in the folder."""
    sets: tuple[str, ...] = ()
    """Of the hub; none where it is read from a file only."""
    file: str = ""
    subset: str = ""
    """What of a file's problems is meant: those whose task ends so."""

    def load(self, limit: int | None = None, seed: int = 0) -> list[Task]:
        """Read the file or fetch the data set, and choose by `seed` what a limit takes.

        Raises:
            DataError: there is no file and it may not be fetched, or what is there can't be read.
            MissingDependency: the library `datasets` is not installed, and there is no file.
        """
        path = self._file()
        if path is not None:
            return sampled(self._part(read_tasks(path), path), limit, seed)
        if not self.sets:
            raise DataError(
                f"{self.known} is behind a gate: fetch it yourself, and write "
                f"{self.known}(file='…') or put {self.known}.parquet into ${FOLDER}"
            )
        return sampled([task for name in self.sets for task in hub(name).load()], limit, seed)

    def _file(self) -> Path | None:
        if self.file:
            return Path(self.file)
        folder = os.environ.get(FOLDER)
        if not folder:
            return None
        paths = (Path(folder) / f"{self.known}{ending}" for ending in ENDINGS)
        return next((path for path in paths if path.exists()), None)

    def _part(self, tasks: list[Task], path: Path) -> list[Task]:
        """Keep the problems of a subset, by the task that their rows name."""
        if not self.subset:
            return tasks
        names = [dict(task.problem.metadata).get("task", "") for task in tasks]
        found = [t for t, n in zip(tasks, names, strict=True) if n.endswith(self.subset)]
        if not found:
            hint = nearest(self.subset, {*names})
            raise DataError(f"no row is of the task {self.subset!r}: {hint}", path=str(path))
        return found


def gsm8k(name: str = "gsm8k", file: str = "") -> Benchmark:
    """Open the test problems of GSM8K (Cobbe et al. 2021, arXiv:2110.14168, MIT)."""
    summary = "1,319 word problems of grade-school mathematics"
    return Benchmark(name, summary, "OpenAI", "gsm8k", ("hf:openai/gsm8k:main:test",), file)


def math500(name: str = "math500", file: str = "") -> Benchmark:
    """Open the 500 problems of MATH that Lightman et al. 2023 (arXiv:2305.20050) tested on."""
    summary = "500 competition problems with formulas as answers"
    sets = ("hf:HuggingFaceH4/MATH-500:test",)
    return Benchmark(name, summary, "Hendrycks et al. 2021", "math500", sets, file)


def aime(name: str = "aime", year: int = 0, file: str = "") -> Benchmark:
    """Open the AIME's problems of 2024 and 2025, or of one year; answers are whole numbers.

    Raises:
        SpecError: another year.
    """
    if year not in (0, *_AIME):
        raise SpecError(f"aime has the years {', '.join(map(str, _AIME))}, not {year}", text=name)
    sets = (_AIME[year],) if year else tuple(_AIME.values())
    summary = "30 problems a year, each answered by a whole number up to 999"
    return Benchmark(name, summary, "the MAA", "aime", sets, file, str(year) if year else "")


def bbh(name: str = "bbh", subset: str = "", file: str = "") -> Benchmark:
    """Open BIG-Bench Hard, or one of its 27 subsets (not to be trained on).

    Raises:
        SpecError: there is no such subset.
    """
    if subset and subset not in BBH:
        raise SpecError(f"bbh has no subset {subset!r}: {nearest(subset, BBH)}", text=name)
    sets = tuple(f"hf:lukaemon/bbh:{one}:test" for one in ((subset,) if subset else BBH))
    summary = "6,511 problems of 27 kinds that models found hard"
    return Benchmark(name, summary, "Suzgun et al. 2022", "bbh", sets, file, subset)


def gpqa_diamond(name: str = "gpqa_diamond", file: str = "") -> Benchmark:
    """Open GPQA's diamond set from a file: its authors ask that the questions be kept off the net.

    Rein et al. 2023 (arXiv:2311.12022).
    """
    summary = "198 questions of science, choices of four; from a file of your own"
    return Benchmark(name, summary, "Rein et al. 2023", "gpqa_diamond", (), file)
