"""Rows as the field writes them, brought to the fields that `rows.read_row` knows.

Benchmarks of the hub, samples of Inspect, documents and logs of lm-eval, rows of verl, references
of HELM: each names the question, the choices and the answer in its own way, and some leave half of
the question in a second column. A row that is none of them is refused with what is missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from workspan.tasks.choices import Choices, choices_of, labelled, right_and_wrong

QUESTIONS = (
    *("question", "problem", "input", "query", "question_stem", "goal", "text", "instruction"),
    *("question_text", "question_content", "task_description", "user_prompt", "original_question"),
)
"""Columns that hold a question, the likeliest first."""

ANSWERS = (
    *("answer", "reference", "final_answer", "answerkey", "answer_key", "target", "ideal"),
    *("expected_answer", "expected", "expected_output", "ground_truth", "ground_truth_answer"),
    *("correct_answer", "correct", "correct_option", "correct_choice", "best_answer", "gold"),
    *("gold_answer", "gold_index", "answer_letter", "answer_index", "answer_idx", "right_answer"),
    *("label", "cop", "final_decision", "answers", "golden_answers", "gold_answers"),
    *("possible_answers", "correct_answers", "answers_spans", "references", "output", "response"),
    "solution",
)
"""Columns that hold the right answer, the likeliest first."""

CHOICES = (
    *("choices", "options", "endings", "answer_choices", "candidates", "mc1_targets"),
    *("target_scores", "multiple_choice_targets"),
)
IDS = ("id", "unique_id", "task_id", "question_id", "problem_id", "qid", "_id", "uid", "doc_id")
TESTS = ("tests", "test_list")
CONTEXTS = ("passage", "context", "article", "story", "body", "paragraph", "premise", "fact")
"""Columns without which the question can't be answered."""

KINDS = ("kind", "answer_type")
NATIVE = ("prompt", "messages", "meta", "task")

_NUMBERED = frozenset({"label", "gold"})
"""Columns whose numbers stand for names that only the data set's card tells."""


def shaped(row: Mapping[str, Any], seed: str) -> dict[str, Any]:
    """Bring a row to our fields: question, prompt or messages, choices, answer and the rest.

    Args:
        row: as it was read; absent and None are the same.
        seed: tells this row from others, where choices must be put in an order.

    Raises:
        ValueError: the row is of a form that can't be read; says what would be right.
    """
    columns = _columns(row)
    fields: dict[str, Any] = {}
    choices = _choices(columns, fields, seed)
    _asked(columns, fields, choices)
    _answered(columns, fields, choices)
    _rest(columns, fields)
    return fields


def _columns(row: Mapping[str, Any]) -> dict[str, Any]:
    """Lower the names, drop what is None, and take rows out of what they are wrapped in."""
    columns = {str(n).strip().lower(): v for n, v in row.items() if v is not None and v == v}
    for wrapper, others in (("doc", ("doc_id", "target")), ("row", ()), ("vars", ())):
        if isinstance(columns.get(wrapper), Mapping):
            kept = {name: columns[name] for name in others if name in columns}
            inner = _columns(columns[wrapper])
            return {**inner, **{n: v for n, v in kept.items() if not _has(inner, n)}}
    if isinstance(columns.get("reward_model"), Mapping):  # verl
        columns.setdefault("answer", columns["reward_model"].get("ground_truth"))
    if isinstance(columns.get("question"), Mapping) and "stem" in columns["question"]:  # ARC
        inner = columns.pop("question")
        columns |= {"question": inner["stem"], "choices": inner.get("choices")}
    if isinstance(columns.get("input"), Mapping) and "text" in columns["input"]:  # HELM
        columns["input"] = columns["input"]["text"]
    if isinstance(columns.get("references"), list):
        columns |= _of_helm(columns.pop("references"))
    return {name: value for name, value in columns.items() if value is not None}


def _has(columns: Mapping[str, Any], name: str) -> bool:
    """Tell whether a wrapped row has of its own what its wrapper has, too."""
    return any(known in columns for known in (ANSWERS if name == "target" else IDS))


def _of_helm(found: list[Any]) -> dict[str, Any]:
    """Read references with tags: the correct ones, among choices where others are not."""
    texts, right = [], []
    for one in found:
        if not isinstance(one, Mapping):
            return {"answers": found}
        output = one.get("output", one)
        text = output.get("text") if isinstance(output, Mapping) else output
        texts.append(text)
        right += [text] if "correct" in (one.get("tags") or ()) else []
    is_choice = len(right) == 1 and len(texts) > 1
    return {"choices": texts, "answer": right[0]} if is_choice else {"answers": right}


def _choices(columns: dict[str, Any], fields: dict[str, Any], seed: str) -> Choices | None:
    """Take the choices out of the columns, whatever form they have."""
    for name in CHOICES:
        if name in columns and not (name == "options" and columns[name] in ("", [], {})):
            value = columns.pop(name)
            if value in ([], ""):
                continue
            found = choices_of(value)
            if name == "endings":  # HellaSwag writes 0 to 3 as texts
                found = Choices(found.texts, found.labels, base=0, right=found.right)
            fields["choices"] = found
            return found
    split = labelled(columns) or right_and_wrong(columns, seed)
    if split is None:
        return None
    found, used = split
    for name in used:
        del columns[name]
    fields["choices"] = found
    return found


def _asked(columns: dict[str, Any], fields: dict[str, Any], choices: Choices | None) -> None:
    """Put together what is asked; the row's own prompt and messages stay as they are."""
    for name in ("prompt", "messages"):
        if name in columns:
            fields[name] = columns.pop(name)
    if isinstance(columns.get("input"), list) and not _question(columns, but="input"):  # Inspect
        fields["messages"] = columns.pop("input")
        fields["is_marked"] = True
        return
    if "prompt" in fields or "messages" in fields:
        if "question" in columns:
            fields["question"] = columns.pop("question")
        return
    said = _said(columns, choices)
    if said is not None:
        fields["question"] = said


def _question(columns: Mapping[str, Any], but: str = "") -> str | None:
    return next((name for name in QUESTIONS if name in columns and name != but), None)


def _said(columns: dict[str, Any], choices: Choices | None) -> Any:
    if choices is not None and "ctx" in columns:
        return f"Which ending fits best?\n\n{columns.pop('ctx')}"
    if choices is not None and "sent1" in columns:
        start = f"{columns.pop('sent1')} {columns.get('sent2', '')}".strip()
        return f"Which ending fits best?\n\n{start}"
    if choices is not None and "sentence" in columns and "_" in str(columns["sentence"]):
        return f"Which choice fills the blank?\n\n{columns.pop('sentence')}"
    if "hypothesis" in columns and "premise" in columns:
        if not isinstance(columns.get("label"), str) or columns["label"].isdecimal():
            raise ValueError("label is a number, and nothing says what it stands for: write words")
        both = f"{columns.pop('premise')}\n\nHypothesis: {columns.pop('hypothesis')}"
        return f"{both}\n\nIs it an entailment, a contradiction or neutral?"
    name = _question(columns)
    if name is None:
        return None
    asked = columns.pop(name)
    if not isinstance(asked, str):
        return asked
    if choices is not None and name == "question" and asked in ("cause", "effect"):  # COPA
        what = "What was the cause?" if asked == "cause" else "What happened as a result?"
        return f"{columns.pop('premise', '')}\n\n{what}".strip()
    if name == "instruction" and isinstance(columns.get("input"), str) and columns["input"].strip():
        return f"{asked}\n\n{columns.pop('input')}"
    before = [part for context in CONTEXTS if (part := _context(columns.get(context)))]
    return "\n\n".join([*before, asked])


def _context(value: Any) -> str:
    """Write what a question rests on: a text, paragraphs, or titles with their sentences."""
    if isinstance(value, str):
        return value.strip()
    if isinstance(value, Mapping):
        titles, sentences = value.get("title"), value.get("sentences")
        if isinstance(titles, list) and isinstance(sentences, list):  # HotpotQA
            pairs = zip(titles, sentences, strict=False)
            return "\n\n".join(f"{title}: {' '.join(map(str, said))}" for title, said in pairs)
        return _context(value.get("contexts") or value.get("text"))
    if isinstance(value, list) and all(isinstance(part, str) for part in value):
        return "\n\n".join(part.strip() for part in value)
    if isinstance(value, list) and all(isinstance(p, list) and len(p) == 2 for p in value):
        return "\n\n".join(f"{t}: {' '.join(s) if isinstance(s, list) else s}" for t, s in value)
    return ""


def _answered(columns: dict[str, Any], fields: dict[str, Any], choices: Choices | None) -> None:
    """Take the answer: what names a choice where there are choices, else a text or number."""
    if "answer" in columns and "reference" in columns:
        raise ValueError("give the right answer as answer or reference, not both")
    present = [name for name in ANSWERS if name in columns]
    if choices is not None and choices.right is not None:
        return
    if choices is not None:
        # A letter beside a text and a number beside a letter name one choice: all must agree.
        keys = [n for n in present if n in ("answer", "answerkey", "answer_idx", "answer_index")]
        keys = keys or present[:1]
        fields["answer"] = columns[keys[0]] if keys else None
        fields["also"] = [columns[name] for name in keys[1:]]
        return
    if not present:
        return
    name = present[0]
    if name in _NUMBERED and type(columns[name]) is int:
        raise ValueError(f"{name} is a number, and nothing says what it stands for: write words")
    value = columns[name]
    if columns.get("is_multiple_answer") is True and isinstance(value, list):
        value = ", ".join(map(str, value))
    fields["answer"] = value


def _rest(columns: dict[str, Any], fields: dict[str, Any]) -> None:
    """Keep what names the row, its kind and its tests."""
    for ours, known in (("id", IDS), ("tests", TESTS)):
        name = next((name for name in known if name in columns), None)
        if name is not None:
            fields[ours] = columns[name]
    for name in ("kind", "answer_type", "meta", "task"):
        if name in columns:
            fields[name] = columns[name]
    if "meta" not in fields and isinstance(columns.get("test"), str) and "entry_point" in columns:
        fields["meta"] = {"test": columns["test"], "entry_point": columns["entry_point"]}
