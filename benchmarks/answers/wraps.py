"""Where the answer stands in a reply: each wrap builds a whole reply around one written answer."""

# ruff: noqa: E501 - replies stand whole

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from benchmarks.answers.forms.base import Form, Written

SHORT = ("number", "math", "choice", "text")
_CALCULATED = (
    "First, {a} + {b} = {c}. Then half of that is taken.",
    "There are {a} boxes with {b} in each, so that is a start.",
    "Let me work through it step by step.\n1. Start with {a}.\n2. Add {b} to reach {c}.",
    "We know that $x + {a} = {c}$, and so $x = {b}$ in the first case.",
    "After {a} days, {b} were left; on the next day {c} more came.",
)
_ARGUED = (
    "Let me go through the possibilities one after another.",
    "The first sentence rules some of them out, and the second one more.",
    "Step 1: read the question again.\nStep 2: compare with what is known.",
    "This follows from the definition, as shown in class.",
)


@dataclass(frozen=True, slots=True)
class Wrap:
    """A place in a reply where an answer stands.

    Attributes:
        name: what the place is.
        kinds: kinds of answers that stand there.
        build: makes the reply from the answer, its form and another answer that is not meant.
        latex: None for any form; True for those that belong in a formula; False for those that do not.
        prose: only forms that can stand in a sentence.
        boxes: only forms that can stand in a box.
        lines: forms of several lines can stand there.
        source: where the field writes so, or "".
    """

    name: str
    kinds: tuple[str, ...]
    build: Callable[[random.Random, Written, Form, str], str]
    latex: bool | None = None
    prose: bool = False
    boxes: bool = False
    lines: bool = False
    source: str = ""

    def takes(self, form: Form, kind: str, written: Written) -> bool:
        """Tell whether an answer of this form can stand here."""
        return (
            kind in self.kinds
            and self.latex in (None, form.latex)
            and (form.prose or not self.prose)
            and (form.boxes or not self.boxes)
            and (self.lines or "\n" not in written.text or form.latex)
            and not ("bold" in self.name and "*" in written.text)
        )


def thought(rng: random.Random, kind: str) -> str:
    """Return a line of reasoning that gives no answer."""
    if kind in ("number", "math"):
        a, b = rng.randint(2, 60), rng.randint(2, 60)
        return rng.choice(_CALCULATED).format(a=a, b=b, c=a + b)
    return rng.choice(_ARGUED)


def shown(written: Written, form: Form) -> str:
    """Return the answer as it stands in running text: a formula between dollars."""
    return f"${written.text}$" if form.latex else written.text


WRAPS: list[Wrap] = []


def _wrap(
    name: str,
    pattern: str,
    kinds: tuple[str, ...] = SHORT,
    *,
    latex: bool | None = None,
    prose: bool = False,
    boxes: bool = False,
    lines: bool = False,
    source: str = "",
) -> None:
    """Add a wrap from a pattern: T reasoning, X the answer, R the answer without dollars, D another."""

    def build(rng: random.Random, written: Written, form: Form, decoy: str) -> str:
        parts = {
            "«T»": thought(rng, form.kinds[0]),
            "«X»": shown(written, form),
            "«R»": written.text,
            "«D»": decoy,
        }
        text = pattern
        for mark, part in parts.items():
            text = text.replace(mark, part)
        return text

    WRAPS.append(Wrap(name, kinds, build, latex, prose, boxes, lines, source))


NUMERIC = ("number", "math")

# --- marks ---
_wrap("alone", "«X»", lines=True)
_wrap("mark", "«T»\nAnswer: «X»")
_wrap("mark.blank_line", "«T»\n\nAnswer: «X»\n")
_wrap("mark.next_line", "«T»\nAnswer:\n«X»", lines=True)
_wrap("mark.next_line_gap", "«T»\n\nAnswer:\n\n«X»\n", lines=True)
_wrap("mark.bold", "«T»\n\n**Answer:** «X»")
_wrap("mark.bold_around", "«T»\n\n**Answer: «X»**")
_wrap("mark.bold_outside", "«T»\n\n**Answer**: «X»")
_wrap("mark.bold_both", "«T»\n\n**Answer:** **«X»**")
_wrap("mark.bold_next_line", "«T»\n\n**Answer:**\n\n«X»", lines=True)
_wrap("mark.underscores", "«T»\n\n__Answer:__ «X»")
_wrap("mark.italic", "«T»\n\n*Answer:* «X»")
_wrap("mark.heading", "«T»\n\n### Answer\n\n«X»", lines=True)
_wrap("mark.heading_final", "«T»\n\n## Final Answer\n«X»", lines=True)
_wrap("mark.heading_inline", "«T»\n\n### Answer: «X»")
_wrap("mark.capitals", "«T»\nANSWER: «X»")
_wrap("mark.small", "«T»\nanswer: «X»")
_wrap("mark.final", "«T»\nFinal Answer: «X»")
_wrap("mark.final_bold", "«T»\n\n**Final Answer:** «X»")
_wrap("mark.final_bold_gap", "«T»\n\n**Final Answer**\n\n«X»", lines=True)
_wrap("mark.spaced", "«T»\nAnswer : «X»")
_wrap("mark.joined", "«T»\nAnswer:«X»")
_wrap("mark.equals", "«T»\nAnswer = «X»", NUMERIC)
_wrap("mark.quote", "«T»\n\n> Answer: «X»")
_wrap("mark.list", "«T»\n- Answer: «X»")
_wrap("mark.star", "«T»\n* **Answer:** «X»")
_wrap("mark.numbered", "«T»\n\n3. Answer: «X»")
_wrap("mark.emoji", "«T»\n\n✅ **Answer:** «X»", source="chat models' lists")
_wrap("mark.code", "«T»\nAnswer: `«R»`", ("text",))
_wrap("mark.carriage_return", "«T»\r\n\r\nAnswer: «X»\r\n")
_wrap("mark.fullwidth_colon", "«T»\nAnswer：«X»", source="Qwen")
_wrap(
    "mark.final_answer_is_hope",
    "«T»\nFinal Answer: The final answer is «X». I hope it is correct.",
    NUMERIC,
    source="Minerva's prompt, lm-evaluation-harness minerva_math",
)
_wrap("mark.table", "«T»\n\n| Quantity | Value |\n|---|---|\n| Answer | «X» |\n", NUMERIC)
_wrap("mark.after_steps", "**Step 1:** «T»\n\n**Step 2:** Check it.\n\n**Answer:** «X»\n")

# --- sentences ---
_wrap("sentence.the_answer_is", "«T» The answer is «X».", ("number", "math", "choice"), prose=True)
_wrap(
    "sentence.so_the_answer_is",
    "«T» So the answer is «X».",
    ("number", "math", "choice"),
    prose=True,
    source="BBH's chain of thought",
)
_wrap(
    "sentence.therefore",
    "«T»\n\nTherefore, the answer is «X».",
    ("number", "math", "choice"),
    prose=True,
)
_wrap(
    "sentence.final_answer_is",
    "«T»\nThe final answer is «X».",
    ("number", "math", "choice"),
    prose=True,
)
_wrap(
    "sentence.correct_answer_is",
    "«T»\nThe correct answer is «X».",
    ("number", "math", "choice"),
    prose=True,
)
_wrap("sentence.colon", "«T»\nThe answer is: «X»", ("number", "math", "choice", "text"))
_wrap("sentence.colon_bold", "«T»\nThe answer is: **«X»**", ("number", "math", "choice", "text"))
_wrap("sentence.bold", "«T»\nThe answer is **«X»**.", ("number", "math", "choice"), prose=True)
_wrap("sentence.hence", "«T»\nHence the answer is «X»", ("number", "math", "choice"), prose=True)
_wrap(
    "sentence.comma_reason",
    "The answer is «X», because nothing else fits.",
    ("number", "math", "choice"),
    prose=True,
    source="a reason after the answer",
)
_wrap(
    "sentence.since_reason",
    "«T»\nThe answer is «X», since 4 of them were counted twice.",
    NUMERIC,
    prose=True,
)
_wrap(
    "sentence.full_stop_reason",
    "«T»\nThe answer is «X». This is because 3 of the 8 were taken away.",
    NUMERIC,
    prose=True,
)
_wrap(
    "sentence.mark_then_reason",
    "Answer: «X»\n\nExplanation: «T»",
    ("number", "math", "choice", "text"),
)
_wrap("sentence.final", "«T» In total that makes «X».", NUMERIC, prose=True)
_wrap("sentence.altogether", "«T»\nShe has «X» in all.", ("number",), latex=False, prose=True)
_wrap(
    "sentence.comma_after",
    "«T»\nThe total is «X», altogether.",
    ("number",),
    latex=False,
    prose=True,
    source="opencompass PR 2426",
)
_wrap(
    "sentence.bold_last",
    "«T»\nIn the end there are **«X»** of them left.",
    ("number",),
    latex=False,
    prose=True,
)
_wrap("sentence.option", "«T»\nThe correct option is «X».", ("choice",), prose=True)
_wrap("sentence.i_choose", "«T»\nI would choose «X».", ("choice",), prose=True)

# --- boxes ---
_wrap("box", "«T»\n\\boxed{«R»}", ("number", "math", "choice", "text"), boxes=True, source="MATH")
_wrap(
    "box.dollars",
    "«T»\nThe answer is $\\boxed{«R»}$.",
    ("number", "math", "choice", "text"),
    boxes=True,
    source="MATH",
)
_wrap(
    "box.display",
    "«T»\n\\[\n\\boxed{«R»}\n\\]",
    ("number", "math", "choice", "text"),
    boxes=True,
    source="lm-evaluation-harness 2552",
)
_wrap("box.display_line", "«T» \\[ \\boxed{«R»} \\]", NUMERIC, boxes=True)
_wrap("box.double_dollars", "«T»\n$$\\boxed{«R»}$$", NUMERIC, boxes=True)
_wrap("box.double_dollars_lines", "«T»\n$$\n\\boxed{«R»}\n$$\n", NUMERIC, boxes=True)
_wrap("box.fbox", "«T»\n$\\fbox{«R»}$", NUMERIC, boxes=True, source="MATH solutions")
_wrap(
    "box.final_mark",
    "«T»\n\n**Final Answer**\n\n\\boxed{«R»}",
    ("number", "math", "choice", "text"),
    boxes=True,
    source="R1, QwQ",
)
_wrap("box.mark", "«T»\nAnswer: $\\boxed{«R»}$", ("number", "math", "choice", "text"), boxes=True)
_wrap("box.text", "«T»\n$\\boxed{\\text{«R»}}$", ("choice", "text"), latex=False, boxes=True)
_wrap("box.equals", "«T»\n\\[ S = \\boxed{«R»} \\]", NUMERIC, boxes=True)
_wrap("box.inside", "«T»\n\\[ \\boxed{S = «R»} \\]", ("number",), boxes=True)
_wrap("box.spaced", "«T»\n$\\boxed{ «R» }$", NUMERIC, boxes=True)
_wrap(
    "box.two_same",
    "«T»\nThis gives $\\boxed{«R»}$.\n\nSo the final answer is $\\boxed{«R»}$.",
    ("number", "math", "choice"),
    boxes=True,
)
_wrap(
    "box.then_words",
    "«T»\n$\\boxed{«R»}$\n\nI hope this helps! Let me know if 1 or 2 steps are unclear.",
    ("number", "math", "choice", "text"),
    boxes=True,
)
_wrap(
    "box.draft_first",
    "«T»\nA first try gives \\boxed{«D»}. But that forgets a case.\n\nCorrected: \\boxed{«R»}",
    NUMERIC,
    boxes=True,
)
_wrap("box.bold", "«T»\n\n**$\\boxed{«R»}$**", NUMERIC, boxes=True)

# --- tags ---
_wrap("tag.answer", "«T»\n<answer>«X»</answer>", lines=True, source="R1-Zero, reasoning-gym")
_wrap(
    "tag.answer_lines", "«T»\n<answer>\n«X»\n</answer>", lines=True, source="R1-Zero, reasoning-gym"
)
_wrap("tag.answer_spaced", "«T»\n<answer> «X» </answer>", lines=True)
_wrap(
    "tag.think_answer",
    "<think>«T» Maybe it is «D»?</think>\n<answer>«X»</answer>",
    lines=True,
    source="R1-Zero",
)
_wrap("tag.final_answer", "«T»\n<final_answer>«X»</final_answer>", lines=True)
_wrap("hashes", "«T»\n#### «X»", ("number", "math"), source="GSM8K")
_wrap("hashes.gap", "«T»\n\n####   «X»\n", ("number", "math"), source="GSM8K")

# --- display math without a box ---
_wrap(
    "display.brackets",
    "Thus the answer is\n\\[\n«R»\n\\]",
    NUMERIC,
    latex=True,
    source="lm-evaluation-harness 2552",
)
_wrap("display.dollars", "«T»\nThe answer is:\n$$\n«R»\n$$", NUMERIC, latex=True)
_wrap("display.mark", "«T»\n\n**Answer:**\n\n\\[\n«R»\n\\]\n", NUMERIC, latex=True)
_wrap("display.one_line", "«T»\nSo the answer is $$«R»$$", NUMERIC, latex=True)
_wrap("display.parens", "«T»\nThe answer is \\(«R»\\).", NUMERIC, latex=True)
_wrap(
    "display.full_stop",
    "«T»\nThe answer is\n\\[«R».\\]",
    NUMERIC,
    latex=True,
    source="MATH solutions",
)

# --- after a thought ---
_wrap(
    "think.draft",
    "<think>\nPerhaps the answer is «D».\nNo, that is not it.\n</think>\n\nAnswer: «X»",
    lines=False,
    source="lighteval 869",
)
_wrap(
    "think.draft_mark",
    "<think>\nAnswer: «D»\nWait.\n</think>\n\n«T»\n\nAnswer: «X»",
    source="lighteval 869",
)
_wrap(
    "think.draft_box",
    "<think>\nIs it \\boxed{«D»}? No.\n</think>\n\nThe answer is $\\boxed{«R»}$.",
    NUMERIC,
    boxes=True,
    source="lighteval 869",
)
_wrap(
    "think.reply_alone",
    "<think>\nThe answer is «D»? Hmm.\n</think>\n\n«X»",
    lines=True,
    source="lm-evaluation-harness 2682",
)
_wrap(
    "think.closed_only",
    "Perhaps the answer is «D».\nNo.\n</think>\n\nAnswer: «X»",
    source="templates that open the thought",
)
_wrap("think.thinking", "<thinking>\nAnswer: «D»\n</thinking>\nAnswer: «X»")
_wrap("think.reasoning", "<reasoning>\nAnswer: «D»\n</reasoning>\nAnswer: «X»")
_wrap("think.thought", "<thought>\nAnswer: «D»\n</thought>\nAnswer: «X»", source="Gemma, Gemini")
_wrap(
    "think.begin_of_thought",
    "<|begin_of_thought|>\nAnswer: «D»\n<|end_of_thought|>\n\n<|begin_of_solution|>\nAnswer: «X»\n<|end_of_solution|>",
    source="Sky-T1, OpenThinker",
)
_wrap("think.kimi", "◁think▷The answer is «D»? No.◁/think▷Answer: «X»", source="Kimi-VL")
_wrap("think.mistral", "[THINK]Answer: «D»[/THINK]Answer: «X»", source="Magistral")
_wrap("think.seed", "<seed:think>Answer: «D»</seed:think>Answer: «X»", source="Seed-OSS")
_wrap(
    "think.harmony",
    "<|channel|>analysis<|message|>Answer: «D»<|end|><|start|>assistant<|channel|>final<|message|>Answer: «X»<|return|>",
    source="gpt-oss",
)
_wrap(
    "think.empty",
    "<think>\n\n</think>\n\nAnswer: «X»",
    lines=False,
    source="Qwen3 without thinking",
)
_wrap("think.capitals", "<THINK>Answer: «D»</THINK>\nAnswer: «X»")
_wrap("think.two", "<think>Answer: «D»</think>\nHm.\n<think>Answer: «D»</think>\nAnswer: «X»")

# --- retracted ---
_wrap("retracted.mark", "Answer: «D»\n\nWait, no, that is wrong. «T»\n\nAnswer: «X»")
_wrap(
    "retracted.sentence",
    "The answer is «D». Wait, no: the answer is «X».",
    ("number", "math", "choice"),
    prose=True,
)
_wrap(
    "retracted.actually",
    "Answer: «D»\n\nActually, let me check. «T»\nI made a mistake.\n\nCorrected answer: «X»",
)
_wrap(
    "retracted.final", "Answer: «D»\nHmm, on reflection that is not right.\n**Final Answer:** «X»"
)
_wrap(
    "retracted.scratch",
    "The answer is «D».\nScratch that. The correct answer is «X».",
    ("number", "math", "choice"),
    prose=True,
)

# --- a base model runs on ---
_wrap(
    "run_on.question",
    "«T»\nAnswer: «X»\n\nQuestion: Tom has 3 cats and buys 4 more. How many are there?\nAnswer: «D»",
)
_wrap(
    "run_on.q_a",
    "«T» The answer is «X».\n\nQ: What comes next?\nA: The answer is «D».",
    ("number", "math", "choice"),
    prose=True,
    source="chain-of-thought prompts",
)
_wrap(
    "run_on.hashes",
    "«T»\n#### «X»\n\nQuestion: Ann buys 6 pens.\nAnswer: She pays more.\n#### «D»",
    NUMERIC,
    source="GSM8K few-shot",
)
_wrap("run_on.user", "Answer: «X»\n\nUser: And another one?\nAssistant: Answer: «D»")
_wrap("run_on.human", "Answer: «X»\n\nHuman: thanks, now the next one.\n\nAssistant: Answer: «D»")
_wrap(
    "run_on.problem",
    "«T»\nFinal Answer: The final answer is $«R»$. I hope it is correct.\n\nProblem:\nFind the next one.\n\nSolution:\nFinal Answer: The final answer is $«D»$. I hope it is correct.",
    NUMERIC,
    latex=True,
    source="minerva_math",
)
_wrap("run_on.problem_number", "«T»\nAnswer: «X»\n\nProblem 2: How many are left?\nAnswer: «D»")

# --- what stands after ---
_wrap("after.im_end", "«T»\nAnswer: «X»<|im_end|>", source="chat templates")
_wrap("after.eot", "«T»\nAnswer: «X»<|eot_id|>", source="chat templates")
_wrap("after.s", "«T»\nAnswer: «X»</s>", source="chat templates")
_wrap("after.endoftext", "«T»\nAnswer: «X»<|endoftext|>", source="chat templates")
_wrap("after.rule", "«T»\nAnswer: «X»\n\n---\n")
_wrap("after.help", "«T»\n\nAnswer: «X»\n\nLet me know if you have any other questions!")
_wrap(
    "after.note",
    "«T»\n\nAnswer: «X»\n\nNote: this assumes that 2 or more are present.",
    ("number", "math", "choice"),
)
_wrap("after.confidence", "«T»\nAnswer: «X»\nConfidence: 95%", ("number", "math", "choice", "text"))

# --- words taken for option letters ---
_wrap("letters.tempting", "A is tempting, yet the answer is «X».", ("choice",), prose=True)
_wrap("letters.i_think", "I think a careful reading helps. Answer: «X»", ("choice",))
_wrap(
    "letters.a_plan",
    "A good plan is to try each. I did. The answer is «X».",
    ("choice",),
    prose=True,
)
_wrap("letters.list", "A: no, too small\nB: maybe\nC: no\nD: hardly\n\nAnswer: «X»", ("choice",))
_wrap(
    "letters.not_others",
    "It cannot be «D». I see only one that is left.\nSo the answer is «X».",
    ("choice",),
    prose=True,
)
_wrap(
    "letters.among",
    "Among A, B, C and D only one holds: the answer is «X».",
    ("choice",),
    prose=True,
)
_wrap(
    "letters.answer_a_cat",
    "The answer is a matter of taste, said the tutor. Yet one fits.\nAnswer: «X»",
    ("choice",),
)
_wrap("letters.vitamin", "Vitamin C and hepatitis B do not matter here.\nAnswer: «X»", ("choice",))
_wrap("letters.because_after", "Answer: «X»\nA is wrong because of B, and D is not C.", ("choice",))
