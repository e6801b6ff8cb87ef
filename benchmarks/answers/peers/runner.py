"""Runs one other project's reader over rows, in that project's own environment.

Standard library and the reader only: this file is started by another interpreter, as
`python runner.py math-verify < rows.jsonl > verdicts.jsonl`. A row has text, kind, truth, other and
finished; a verdict says whether the reader accepts the truth, whether it accepts the other
answer, and whether it read anything.
"""

import asyncio
import importlib.util
import json
import logging
import sys
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

Row = dict[str, Any]
# Does it accept this truth; did it read anything.
Reading = tuple[Callable[[str], bool], bool]
# The kinds it reads, and how.
Reader = tuple[tuple[str, ...], Callable[[Row], Reading]]

CHOICES = ["A", "B", "C", "D"]


def _folder(package: str) -> str:
    """Return where a package lies, without importing what it imports."""
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(package)
    return spec.submodule_search_locations[0]


def math_verify_reader() -> Reader:
    """math_verify.parse and verify with their defaults, the reference between dollars."""
    from math_verify import parse, verify

    def read(row: Row) -> Reading:
        said = parse(row["text"], parsing_timeout=5)

        def accepts(truth: str) -> bool:
            gold = parse(f"${truth}$", parsing_timeout=5)
            return bool(said) and bool(verify(gold, said, timeout_seconds=5))

        return accepts, bool(said)

    return ("number", "math"), read


def lm_eval_reader() -> Reader:
    """The filters and metrics of lm-eval's own tasks: gsm8k, minerva_math, gpqa_cot_zeroshot.

    Where a task has two filters the more lenient is taken (flexible-extract; math_verify or
    exact_match, whichever accepts).
    """
    from lm_eval.api.metrics import exact_match_hf_evaluate
    from lm_eval.filters.extraction import MultiChoiceRegexFilter, RegexFilter

    # By its path: the package of tasks imports more than its readers need.
    path = f"{_folder('lm_eval')}/tasks/minerva_math/utils.py"
    minerva: Any = types.ModuleType("minerva_math_utils")
    exec(compile(Path(path).read_text(), path, "exec"), minerva.__dict__)  # noqa: S102
    number = RegexFilter(r"(-?[$0-9.,]{2,})|(-?[0-9]+)", group_select=-1)
    letter = MultiChoiceRegexFilter(
        r"(\([A-Z]\))", group_select=-1, ignore_case=True, ignore_punctuation=True
    )

    def until(text: str, *stops: str) -> str:
        for stop in stops:
            text = text.split(stop)[0]
        return text

    def number_in(row: Row) -> Reading:
        text = until(row["text"], "Question:", "</s>", "<|im_end|>")
        said = number.apply([[text]], [{}])[0][0]
        ignored = [",", r"\$", r"(?s).*#### ", r"\.$"]

        def accepts(truth: str) -> bool:
            score = exact_match_hf_evaluate([said], [truth], ignored, ignore_case=True)
            return bool(score["exact_match"])

        return accepts, said != "[invalid]"

    def letter_in(row: Row) -> Reading:
        text = until(row["text"], "</s>")
        said = letter.apply([[text]], [{"choices": [f"choice {c}" for c in CHOICES]}])[0][0]

        def accepts(truth: str) -> bool:
            score = exact_match_hf_evaluate(
                [said], [f"({truth})"], None, ignore_case=True, ignore_punctuation=True
            )
            return bool(score["exact_match"])

        return accepts, said != "[invalid]"

    def formula_in(row: Row) -> Reading:
        text = until(row["text"], "Problem:")

        def accepts(truth: str) -> bool:
            doc = {
                "answer": minerva.normalize_final_answer(truth),
                "solution": f"The answer is $\\boxed{{{truth}}}$.",
            }
            return any(minerva.process_results(doc, [text]).values())

        found = minerva.get_unnormalized_answer(text) != "[invalidanswer]"
        return accepts, found or bool(minerva.parse(text))

    readers = {"number": number_in, "math": formula_in, "choice": letter_in}

    def read(row: Row) -> Reading:
        return readers[row["kind"]](row)

    return tuple(readers), read


def inspect_reader() -> Reader:
    """Inspect's scorers: match(numeric=True), math(), answer("letter"), answer("line")."""
    from inspect_ai.model import ModelOutput
    from inspect_ai.scorer import Target, answer, match, math
    from inspect_ai.solver import TaskState

    scorers = {
        "number": match(numeric=True),
        "math": math(),
        "choice": answer("letter"),
        "text": answer("line"),
    }
    loop = asyncio.new_event_loop()

    def read(row: Row) -> Reading:
        output = ModelOutput.from_content("m", row["text"])
        state = TaskState("m", 0, 0, "q", [], output=output)

        def score(truth: str) -> Any:
            try:
                return loop.run_until_complete(scorers[row["kind"]](state, Target(truth)))
            except ValueError:
                return None

        def accepts(truth: str) -> bool:
            said = score(truth)
            return said is not None and said.value == "C"

        first = score(row["truth"] or "12345678")
        said = first.answer if first is not None else None
        reason = (first.metadata or {}).get("status") if first is not None else None
        read_any = bool(said) and said != row["text"].strip() and reason is None
        return accepts, read_any or (row["truth"] is not None and accepts(row["truth"]))

    return tuple(scorers), read


def lighteval_reader() -> Reader:
    """Lighteval's extractive match, as its metrics math, expr and gpqa set it.

    Its package imports torch through metrics/__init__.py; the two modules that read and compare
    do not need it and are loaded without it.
    """
    root = _folder("lighteval")
    for name in ("metrics", "tasks"):
        package = types.ModuleType(f"lighteval.{name}")
        package.__path__ = [f"{root}/{name}"]
        sys.modules[f"lighteval.{name}"] = package
    from lighteval.metrics.utils.extractive_match_utils import (
        ExprExtractionConfig,
        IndicesExtractionConfig,
        LatexExtractionConfig,
        extract_target_from_pred,
        get_extraction_regexes_inspect,
    )
    from lighteval.metrics.utils.math_comparison import compare_gold_target
    from lighteval.utils.language import Language
    from lighteval.utils.utils import remove_reasoning_tags

    def regexes(targets: list[Any]) -> Any:
        return get_extraction_regexes_inspect(targets, Language.ENGLISH, len(CHOICES))

    formulas = regexes([ExprExtractionConfig(), LatexExtractionConfig()])
    letters = regexes(
        [
            IndicesExtractionConfig(
                prefix_for_extraction="NativeLetters", try_extract_without_anchor=True
            )
        ]
    )

    def final(text: str) -> str:
        return str(remove_reasoning_tags(text, [("<think>", "</think>")]))  # its pipeline's default

    def read(row: Row) -> Reading:
        kind = letters if row["kind"] == "choice" else formulas
        said = extract_target_from_pred(final(row["text"]), kind, "first_match", "any_match", 5)

        def accepts(truth: str) -> bool:
            shown = truth if row["kind"] == "choice" else f"${truth}$"
            gold = extract_target_from_pred(shown, kind, "first_match", "any_match", 5)
            if not said:
                return False
            return bool(compare_gold_target(gold or [truth], said, 6, timeout_seconds=5))

        return accepts, bool(said)

    return ("number", "math", "choice"), read


READERS = {
    "math-verify": math_verify_reader,
    "lm-eval": lm_eval_reader,
    "inspect-ai": inspect_reader,
    "lighteval": lighteval_reader,
}


def main() -> None:
    """Read rows from standard input and write one verdict a line."""
    logging.disable(logging.CRITICAL)
    kinds, read = READERS[sys.argv[1]]()
    out = sys.stdout
    sys.stdout = sys.stderr
    for line in sys.stdin:
        row = json.loads(line)
        verdict = {"id": row["id"]}
        if row["kind"] in kinds:
            try:
                accepts, read_any = read(row)
                verdict["read"] = read_any
                if row["truth"] is not None:
                    verdict["right"] = accepts(row["truth"])
                    verdict["other"] = accepts(row["other"]) if row.get("other") else False
            except Exception as error:  # noqa: BLE001 - a reader that fails on a reply has read nothing
                verdict.update(read=False, right=False, other=False, error=type(error).__name__)
        else:
            verdict["skipped"] = True
        out.write(json.dumps(verdict) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
