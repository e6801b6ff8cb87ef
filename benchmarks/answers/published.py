"""Disagreements that were published in other readers' trackers: the replies, and what is right."""

# ruff: noqa: E501 - replies stand whole

from __future__ import annotations

from benchmarks.answers.corpus import Row


def _row(kind: str, thread: str, text: str, truth: str | None, *differs: str) -> Row:
    return Row(kind, thread, "published", text, truth, differs)


# Facts of the threads; where a thread shows no whole reply, its reply is put in a sentence here.
PUBLISHED: tuple[Row, ...] = (
    _row("math", "Math-Verify 76", "Thus, the number of residents is **73**.\n\n---\n\n✅ Final Answer: **73**", "73", "234"),
    _row("math", "Math-Verify 60", "The answer is $3x-1y+13=0$.", "3x-y+13=0", "3x+4y+14=0", "0"),
    _row("math", "Math-Verify 37", "The answer is $\\text{13}$.", "13", "3"),
    _row("math", "Math-Verify 14", "The answer is $n=2, 3, 4$.", "2, 3, 4", "1, 2, 3"),
    _row("math", "Math-Verify 14", "The answer is $\\frac{1}{2^{99}}$.", "\\frac{1}{2^{99}}", "\\frac{1}{2^{98}}"),
    _row("math", "Math-Verify 14", "The answer is $\\pm 2021$.", "2021, -2021", "2021"),
    _row("math", "Math-Verify 14", "The answer is $12:00$.", "12:00", "1:00"),
    _row("math", "Math-Verify 41", "The answer is $4\\sqrt{2}$.", "4\\sqrt{2}", "4"),
    _row("math", "Math-Verify 64", "The answer is $\\sqrt{1/n}$.", "\\sqrt{\\frac{1}{n}}", "\\sqrt{n}"),
    _row("math", "Math-Verify 34", "The answer is 1 1/4.", "5/4", "1", "1/4", "11/4"),
    _row("math", "Math-Verify 34", "The answer is 2 2/3.", "8/3", "2", "2/3"),
    _row("math", "Math-Verify 25", "\\boxed{m \\geq \\sqrt{2}}", "[\\sqrt{2}, \\infty)", "(\\sqrt{2}, \\infty)"),
    _row("number", "lm-evaluation-harness 3214", "So the total cost of Rory's delivery order is $29.00.", "29", "2900"),
    _row("number", "helm 4337", "His profit was the rise in value, so he made $120,000.", "120000", "120", "0"),
    _row("number", "opencompass 2426", "The total is 72 clips, altogether.", "72", "7"),
    _row("math", "lm-evaluation-harness 2552", "Thus the answer is \\[ \\boxed{42} \\]", "42", "4"),
    _row("number", "sglang 29933", "He has 5 + 6 = 11 left.\n#### 11\n\nQuestion: A box holds 7 pens. How many hold 3?\nAnswer: 7 x 3 = 21\n#### 21", "11", "21"),
    _row("choice", "lm-evaluation-harness 4188", "The answer is B because a car moves.", "B", "A"),
    _row("choice", "lm-evaluation-harness 4188", "I would pick B — a safe choice.", "B", "A"),
    _row("choice", "lm-evaluation-harness 4188", "d", "D", "A"),
    _row("number", "inspect_ai 838", "ANSWER: 60%", "60", "20"),
    _row("number", "inspect_ai 4742", "The answer is 42!", "42", "4"),
    _row("number", "inspect_ai 4742", "The answer is (42).", "42", "2"),
    _row("number", "PostTrainBench 44", "ANSWER: 711", "711", "11"),
    _row("number", "inspect_ai 3916", "the result is -5 exactly", "-5", "5"),
    _row("number", "inspect_ai 3916", "The answer is 33.14", "33.14", "3.14"),
    _row("text", "inspect_ai 4620", "ANSWER: (3.14)", "3.14", "314"),
    _row("math", "EuroEval 2167", "\\boxed{\\text{Yes}}", "Yes", "No"),
    _row("math", "inspect_ai 4361", "The answer is 42 because geometry proves it", "42", "4"),
    _row("math", "inspect_ai 4361", "First compute 6*7.\n42", "42", "7"),
    _row("number", "lighteval 869", "<think>Perhaps the answer is 12.\nNo: 9 + 6 makes 15.</think>\n\nTogether they have 15 apples.", "15", "12"),
    _row("choice", "lighteval 998", "So it is $\\boxed{C}$.", "C", "A"),
    _row("choice", "NeMo Skills 1526", "It is small: \\boxed{\\langle H\\rangle \\ll \\Delta E}.\n\n**Answer: D**", "D", "E"),
    _row("number", "simple-evals 115", "Answer: 12\n\nThat forgets a case.\n\nAnswer: 15", "15", "12"),
    _row("choice", "OPD-V 2", "I considered (A), but it is incorrect. Final answer: D.", "D", "A"),
    _row("choice", "OPD-V 2", "Answer: **D**", "D", "A"),
)  # fmt: skip
