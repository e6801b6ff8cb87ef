"""Replies that the reader was not made for: whole ones, in the words that models of each sort use.

They were written before the reader was run on any of them. `held_out_first.json` keeps what the
first run gave; what was mended afterwards makes a later figure no longer held out.
"""

# ruff: noqa: E501 - replies stand whole

from __future__ import annotations

import random
from dataclasses import dataclass
from math import gcd


@dataclass(frozen=True, slots=True)
class HeldOut:
    """A reply with «signs» for what is drawn.

    Attributes:
        name: whose style, and what is written.
        kind: the kind of answer asked for.
        pattern: the reply.
        truth: what it says; None where it gives no answer.
        differs: answers that must not compare equal to it.
        finished: whether the model ended by itself.
        call: for programs, an expression to run.
        value: for programs, what it must give, as Python writes it.
    """

    name: str
    kind: str
    pattern: str
    truth: str | None
    differs: tuple[str, ...] = ()
    finished: bool = True
    call: str = ""
    value: str = ""


HELD_OUT: list[HeldOut] = []


def _held(
    kind: str, name: str, pattern: str, truth: str | None, *differs: str, finished: bool = True
) -> None:
    HELD_OUT.append(HeldOut(name, kind, pattern, truth, differs, finished))


def _program(name: str, pattern: str, call: str, value: str) -> None:
    HELD_OUT.append(HeldOut(name, "code", pattern, call, (), call=call, value=value))


def drawn(rng: random.Random) -> dict[str, str]:
    """Draw the parts of a reply, by the sign that stands for each."""
    a, b = sorted(rng.sample(range(11, 99), 2))
    while True:
        high, low = rng.randint(1, 12), rng.randint(3, 13)
        if high < low and gcd(high, low) == 1:
            break
    big = rng.randint(1_200_345, 98_765_432)
    mid = rng.randint(1_201, 98_765)
    cents = rng.randint(11, 89)
    letters = rng.sample("ABCD", 4)
    name, other = rng.sample(("Canberra", "Ottawa", "Nairobi", "Lima", "Oslo", "Quito"), 2)
    head, tail = str(big)[:-3], str(big)[-3:]
    pairs = [head[max(0, i - 2) : i] for i in range(len(head), 0, -2)][::-1]
    return {
        "a": str(a), "b": str(b), "c": str(a + b), "p": str(a * b), "d": str(b - a), "k": str(rng.randint(2, 9)),
        "h": str(high), "l": str(low), "big": str(big), "big,": f"{big:,}", "big.": f"{big:,}".replace(",", "."),
        "big_": f"{big:,}".replace(",", "\u202f"), "big'": f"{big:,}".replace(",", "'"), "lakh": ",".join([*pairs, tail]),
        "mid": str(mid), "mid,": f"{mid:,}", "mid.": f"{mid:,}".replace(",", "."), "mid_": f"{mid:,}".replace(",", "\u00a0"),
        "e": str(cents), "x": letters[0], "y": letters[1], "z": letters[2], "w": letters[3], "N": name, "O": other,
    }  # fmt: skip


def filled(pattern: str, parts: dict[str, str]) -> str:
    """Put the parts in their places."""
    for sign, part in parts.items():
        pattern = pattern.replace(f"«{sign}»", part)
    return pattern


# fmt: off
# --- numbers: thinking models ---
_held("number", "thinking.recomputed", "<think>\nOkay, so there are «a» crates with «b» bottles each. «a» times «b»... that's «c»? No wait, that's the sum. «a» * «b» = «p». Yes.\n</think>\n\nTo find the total, multiply the crates by the bottles in each crate:\n\n$$«a» \\times «b» = «p»$$\n\nThere are **«p» bottles** in total.", "«p»", "«c»", "«a»", "«b»")
_held("number", "thinking.boxed_unit", "<think>\nFirst «a», then «b» more. The answer should be «c». Let me double-check: «c» - «b» = «a». Good.\n</think>\n\nAdding both days gives\n\\[\n«a» + «b» = «c»\n\\]\n\n\\[\n\\boxed{«c» \\text{ pages}}\n\\]", "«c»", "«a»", "«b»")
_held("number", "thinking.no_tag_wait", "Hmm, let me think. If he starts with «a» and gets «b», he has «d». Wait, no, gets means plus, so «c». Let me verify: «a» + «b» = «c». Okay.\n\n**Final Answer**\n\\boxed{«c»}", "«c»", "«d»", "«a»")
_held("number", "thinking.reflection_after", "<think>\nSo «a» + «b» = «c».\n</think>\n\n**Solution:**\n\n1. Monday: «a» km\n2. Tuesday: «b» km\n3. Sum: «a» + «b» = «c» km\n\n**The total distance is «c» km.**", "«c»", "«a»", "3")
_held("number", "thinking.open_after_limit", "<think>\nLet me set it up. «a» + «b» is «c». But the question asks for half, so the answer is", None, finished=False)
# --- numbers: chat models in markdown ---
_held("number", "chat.table_total", "Here's the breakdown:\n\n| Item | Cost |\n|------|------|\n| Rent | $«a» |\n| Food | $«mid,» |\n| **Total** | **$«big,».«e»** |\n\nSo the total cost comes to **$«big,».«e»**.", "«big».«e»", "«a»", "«mid»", "«big»")
_held("number", "chat.summary_list", "**Summary:**\n\n- Total revenue: $«big,»\n- Total cost: $«a»\n- **Profit: $«mid,»**", "«mid»", "«big»", "«a»")
_held("number", "chat.final_heading_emoji", "### Step 1: Morning\nShe bakes «a» muffins.\n\n### Step 2: Evening\nShe bakes «b» more.\n\n---\n\n### ✅ Final Answer:\n**«c» muffins**", "«c»", "«a»", "«b»", "2")
_held("number", "chat.check_then_answer", "Solving, x = «k».\n\n**Check:** 3(«k») + «a» should match ✓\n\n**Answer: x = «k»**", "«k»", "3", "«a»")
_held("number", "chat.is_the_final_answer", "Adding everything up, we get «a» + «b».\n\nTherefore, **«c»** is the final answer.", "«c»", "«a»", "«b»")
_held("number", "chat.the_answer_therefore_is", "We add «a» and «b». The answer, therefore, is «c».", "«c»", "«a»", "«b»")
_held("number", "chat.to_the_question", "The answer to the question is therefore «c» minutes.", "«c»", "-«c»")
_held("number", "chat.in_words_too", "Answer: «k» («k» in total)\n", "«k»", "«k»«k»")
_held("number", "chat.rounded", "**Answer:** approximately «a».«e» cm² (rounded to two decimal places)", "«a».«e»", "«a»", "2")
_held("number", "chat.code_output", "Let me compute it.\n\n```python\nprint(«a» * «b»)\n```\n\n```output\n«p»\n```\n\nThe result is «p».", "«p»", "«a»", "«b»")
_held("number", "chat.percent", "That gives a probability of about **«a».5%**.", "«a».5", "0.«a»5", "«a»", "5")
_held("number", "chat.json_answer", "```json\n{\n  \"reasoning\": \"«a» + «b» = «c»\",\n  \"answer\": «c»,\n  \"confidence\": 0.95\n}\n```", "«c»", "«a»", "0.95")
_held("number", "chat.exclamation", "So in the end, Tom has «c» marbles!", "«c»", "«a»")
_held("number", "chat.smiley", "The answer is «c»! 🎉 Let me know if you'd like another one.", "«c»", "1")
_held("number", "chat.per_unit", "So the car travels at a speed of \\(«a».5 \\text{ km/h}\\).", "«a».5", "«a»", "5")
_held("number", "chat.science", "The energy of the photon is therefore:\n\n$$E = «k».«e» \\times 10^{-19} \\, \\text{J}$$", "«k».«e»e-19", "«k».«e»", "19", "-19")
_held("number", "chat.so_equation_words", "Total = «a» apples + «b» apples = «c» apples", "«c»", "«a»", "«b»")
_held("number", "chat.llama_steps", "## Step 1: Add the numbers\n«a» + «b» = «c»\n\n## Step 2: State the result\nNothing else is left to do.\n\nThe final answer is: $\\boxed{«c»}$", "«c»", "2", "«a»")
_held("number", "chat.bold_key_value", "**Given:**\n- Price: $«a»\n- Discount: «k»%\n\n**Result:** $«b».«e»\n", "«b».«e»", "«a»", "«b»")
_held("number", "chat.money_bold_mark", "**Answer: **$«mid,».«e»**", "«mid».«e»", "«mid»")
_held("number", "chat.of_the_cake", "Answer: $\\frac{«h»}{«l»}$ of the cake", "«h»/«l»", "«h»", "«l»")
# --- numbers: base models ---
_held("number", "base.calculator_notes", "He reads «a»+«b»=<<«a»+«b»=«c»>>«c» pages.\nTwice that is «c»*2=<<«c»*2=0>>«big» pages.\n#### «big»", "«big»", "«c»", "2")
_held("number", "base.calculator_notes_no_mark", "In all that is «a»+«b» = <<«a»+«b»=«c»>>«c» clips altogether.", "«c»", "«a»", "«b»")
_held("number", "base.next_example", " «c»\n\n### Instruction:\nHow many legs have «k» dogs?\n\n### Response:\n«p»", "«c»", "«p»", "«k»")
_held("number", "base.next_math_problem", "The total is «a» + «b» = «c». The answer is «c».\n\nQ: There are «k» trees. How many are left?\nA: There are «k» - 1 left. The answer is «p».\n\nQ:", "«c»", "«p»", "«k»")
_held("number", "base.solution_end", "Solution: «a» + «b» = «c»\nFinal answer: «c»\n\\end{solution}\n\\begin{problem}\nFind «p».\n\\end{problem}", "«c»", "«p»")
# --- numbers: languages and currencies ---
_held("number", "german.euros", "Rechnung: ...\n\nDie Antwort lautet: **«mid.»,«e» €**", "«mid».«e»", "«mid»", "«e»")
_held("number", "german.sentence", "Insgesamt sind es also «big.» Einwohner.", "«big»", "«mid»")
_held("number", "french.answer", "Réponse : «mid_»,«e» €", "«mid».«e»", "«mid»", "«e»")
_held("number", "french.sentence", "La réponse est donc «big_» habitants.", "«big»", "«mid»")
_held("number", "spanish.answer", "Respuesta final: «big.» pesos", "«big»", "«mid»")
_held("number", "portuguese.answer", "**Resposta:** R$ «mid.»,«e»", "«mid».«e»", "«mid»")
_held("number", "swiss.francs", "Total: CHF «big'».«e»", "«big».«e»", "«big»", "«e»")
_held("number", "indian.rupees", "Therefore, the total profit is ₹«lakh».", "«big»", "«mid»")
_held("number", "chinese.answer", "所以，答案是 «c» 个苹果。", "«c»", "-«c»")
_held("number", "chinese.in_all", "«a» + «b» = «c»\n\n答：一共有 «c» 个。", "«c»", "«a»")
_held("number", "japanese.answer", "したがって、答えは **«c»個** です。", "«c»", "-«c»")
_held("number", "korean.answer", "따라서 정답은 «c»입니다.", "«c»", "-«c»")
_held("number", "russian.answer", "Ответ: «c» яблок.", "«c»", "-«c»")
# --- no number ---
_held("number", "none.not_enough", "There are «a» pens and «b» pencils. The price cannot be determined from the information given.", None)
_held("number", "none.feet_inches", "Answer: 5 feet «k» inches", None)
_held("number", "none.clock", "Answer: 06:3«k»", None)
_held("number", "none.estimate", "It's hard to say. Somewhere between «a» and «b», I'd guess.", None)
_held("number", "none.asks_back", "Could you tell me the price of one ticket? With «a» visitors I could then work it out.", None)
_held("number", "none.list_of_values", "Answer: «a», «b», and «c»", None)
_held("number", "none.impossible", "Answer: It is impossible to reach «a» with these coins.", None)
# --- mathematics ---
_held("math", "latex.two_roots", "The solutions are \\(x = «k»\\) and \\(x = -«a»\\).", "«k», -«a»", "«k»", "-«a»")
_held("math", "latex.union", "**Answer:** $x \\in (-\\infty, «k») \\cup («a», \\infty)$", "(-\\infty,«k»)\\cup(«a»,\\infty)", "(«k»,«a»)")
_held("math", "latex.aligned_box", "\\[\n\\begin{aligned}\n2x &= 2 \\cdot «a» \\\\\nx &= «a»\n\\end{aligned}\n\\]\n\nHence $\\boxed{x = «a»}$.", "«a»", "2", "-«a»")
_held("math", "latex.function_box", "Thus $\\boxed{f(x) = «k»x + «a»}$", "«k»x+«a»", "«a»x+«k»", "«a»")
_held("math", "latex.factored", "So the factored form is $\\boxed{(x-«k»)(x+«a»)}$.", "(x+«a»)(x-«k»)", "(x+«k»)(x-«a»)", "«a»")
_held("math", "latex.surd", "$$\\boxed{\\dfrac{«k»\\sqrt{5}}{7}}$$", "«k»\\sqrt{5}/7", "«k»/7", "«k»\\sqrt{5}")
_held("math", "latex.set_box", "\\[\\boxed{\\left\\{ -«a», 0, \\tfrac12 \\right\\}}\\]", "\\{0, 1/2, -«a»\\}", "\\{0,-«a»\\}", "1/2")
_held("math", "latex.displaystyle", "The answer is \\(\\displaystyle \\frac{\\pi}{«k»}\\).", "\\pi/«k»", "«k»", "\\pi")
_held("math", "plain.or", "Therefore x = «k» or x = −«a».", "«k», -«a»", "«k»", "-«a»", "«a»")
_held("math", "latex.degrees_box", "Hence $\\angle ABC = \\boxed{«c»^\\circ}$.", "«c»", "«c»0", "-«c»")
_held("math", "latex.line_box", "$$\\boxed{y = -\\frac{«h»}{«l»}x + «k»}$$", "y = -\\frac{«h»}{«l»}x+«k»", "y = \\frac{«h»}{«l»}x+«k»", "«k»")
_held("math", "latex.none_box", "\\boxed{\\text{No real solutions}}", "no real solutions", "0", "real solutions")
_held("math", "latex.complex_box", "So $z = \\boxed{«k» - «a»i}$.", "«k»-«a»i", "«k»+«a»i", "«k»-«a»")
_held("math", "latex.column", "**Final Answer:**\n\n$$\n\\begin{bmatrix}\n«a» \\\\\n-«b»\n\\end{bmatrix}\n$$", "\\begin{pmatrix}«a»\\\\-«b»\\end{pmatrix}", "\\begin{pmatrix}«b»\\\\«a»\\end{pmatrix}", "-«b»")
_held("math", "latex.matrix_inline_end", "The inverse is $A^{-1} = \\begin{pmatrix} «a» & «b» \\\\ 0 & «k» \\end{pmatrix}$.", "\\begin{pmatrix}«a»&«b»\\\\0&«k»\\end{pmatrix}", "«k»", "\\begin{pmatrix}«b»&«a»\\\\0&«k»\\end{pmatrix}")
_held("math", "latex.power_minus", "The sum is $\\boxed{2^{10} - 1}$.", "1023", "1024", "2")
_held("math", "latex.binomial_value", "There are $\\boxed{\\binom{10}{3} = 120}$ ways.", "120", "10", "3")
_held("math", "plain.sqrt", "Answer: sqrt(5)/«k»", "\\frac{\\sqrt{5}}{«k»}", "\\sqrt{5}", "5/«k»")
_held("math", "plain.polynomial", "Answer: x^2 - «a»x + «k»", "x^2-«a»x+«k»", "x^2+«a»x+«k»", "«k»")
_held("math", "latex.log_box", "\\boxed{\\log_2 «k»}", "\\frac{\\ln «k»}{\\ln 2}", "\\ln «k»", "«k»")
_held("math", "latex.named_pair", "\\boxed{A = «a»,\\ B = -«b»}", "A=«a», B=-«b»", "A=-«b», B=«a»", "«a»")
_held("math", "latex.approx_box", "The exact value is $\\boxed{\\frac{«h»}{«l»}}$, which is about $0.«e»$.", "«h»/«l»", "0.«e»")
_held("math", "thinking.box_draft", "<think>\nIs it $\\boxed{«a»}$? No, the sign is wrong.\n</think>\n\nThe value of the integral is\n\n$$\n\\boxed{-\\frac{«a»}{«b»}}\n$$\n", "-«a»/«b»", "«a»", "«a»/«b»")
_held("math", "chat.numbered_solutions", "The solutions are:\n\n1. $x = «k»$\n2. $x = «a»$\n\n**Final answer:** $x = «k»$ and $x = «a»$", "«k», «a»", "«k»", "«a»", "2")
_held("math", "chat.simplified_answer", "**Simplified answer:**\n\n$$\\frac{«h»}{«l»}$$", "«h»/«l»", "«h»", "«l»")
# --- choices ---
_held("choice", "chat.bold_words_then_others", "**Answer: («x») Mitochondria**\n\n**Explanation:**\n- («y») Ribosomes make proteins.\n- («z») The nucleus stores DNA.", "«x»", "«y»", "«z»", "«w»")
_held("choice", "chat.why_not", "The correct answer is **«x») Paris**.\n\nHere's why the other options are incorrect:\n* **«y») London** – capital of the UK.\n* **«z») Rome** – capital of Italy.", "«x»", "«y»", "«z»", "«w»")
_held("choice", "chat.letter_then_reason", "«x»\n\nThe membrane keeps the gradient, unlike what option «y» says.", "«x»", "«y»", "«z»")
_held("choice", "chat.best_answer_option", "Let's go through them. Thus, the best answer is option «x».", "«x»", "«y»", "«z»")
_held("choice", "chat.option_is_correct", "Therefore, **option «x»** is correct.", "«x»", "«y»", "«z»")
_held("choice", "chinese.correct", "因此，正确答案是 «x»。", "«x»", "«y»", "«z»")
_held("choice", "chinese.therefore_choose", "综上所述，«y» 错误。故选：«x»", "«x»", "«y»", "«z»")
_held("choice", "chat.json_letter", "{\"answer\": \"«x»\", \"confidence\": 0.9}", "«x»", "«y»", "«z»")
_held("choice", "chat.eliminated", "Let's eliminate. «y» is out because it is too small, «z» is out as well, and «w» contradicts the text. That leaves «x».", "«x»", "«y»", "«z»", "«w»")
_held("choice", "thinking.bold_letter", "<think>\nIt might be «y». Hmm, but «z»... no. I'd say «x».\n</think>\n\n**«x»**", "«x»", "«y»", "«z»")
_held("choice", "gpqa.with_value", "The correct answer is («x») 10^-4 eV", "«x»", "«y»", "«z»")
_held("choice", "chat.although", "I'd go with «x», although «y» is tempting.", "«x»", "«y»", "«z»")
_held("choice", "german.answer", "Die richtige Antwort ist «x») Berlin.", "«x»", "«y»", "«z»")
_held("choice", "chat.boxed_bold", "$$\\boxed{\\textbf{(«x»)}}$$", "«x»", "«y»", "«z»")
_held("choice", "none.value_is_not_listed", "None of these options is right; the value is 12.", None)
_held("choice", "none.two_fit", "Both «x» and «y» fit, so the question is flawed.", None)
# --- words ---
_held("text", "chat.italic_title", "**Answer:** *Pride and Prejudice*", "Pride and Prejudice", "Pride", "Prejudice")
_held("text", "chat.bold_in_sentence", "The capital that the poem refers to is **«N»**.", "«N»", "«O»")
_held("text", "chat.yes_or_no_is", "So the final answer (Yes or No) is: No.", "No", "Yes")
_held("text", "chat.answer_then_note", "The answer is: Thomas Jefferson.\n\nHe was born in 1743.", "Thomas Jefferson", "Jefferson", "1743")
_held("text", "chat.fenced_grid", "**Answer:**\n\n```\n«k» 3 4\n6 7 2\n1 9 8\n```", "«k» 3 4\n6 7 2\n1 9 8", "«k» 3 4", "1 9 8")
_held("text", "chat.blank_rows_grid", "Answer:\n«k»   3 < 4\n\n6 > 7   2\n∨\n1   9   8", "«k»   3 < 4\n\n6 > 7   2\n∨\n1   9   8", "«k»   3 < 4", "1   9   8")
_held("text", "japanese.answer", "答え：東京タワー", "東京タワー", "東京")
_held("text", "arabic.answer", "الإجابة: باريس", "باريس", "لندن")
_held("text", "thinking.place", "<think>\nProbably «O»... no, the river is elsewhere. «N» it is.\n</think>\n\n**«N»**", "«N»", "«O»")
_held("text", "base.next_question", " «N»\n\nQuestion: Which river is the longest?\nAnswer: «O»", "«N»", "«O»")
_held("text", "chat.quoted_final", "Final Answer: \"«N»\".", "«N»", "«O»")
_held("text", "none.empty_label", "I compared both.\n\nSo the final answer is:", None)
# --- structures ---
_held("json", "openai.arguments_as_text", "{\"name\": \"get_weather\", \"arguments\": \"{\\\"city\\\": \\\"«N»\\\", \\\"days\\\": «k»}\"}", "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"«N»\", \"days\": «k»}}", "{\"name\": \"get_weather\", \"arguments\": {\"city\": \"«O»\", \"days\": «k»}}")
_held("json", "llama.python_tag", "<|python_tag|>{\"name\": \"find\", \"parameters\": {\"id\": «a»}}<|eom_id|>", "{\"name\": \"find\", \"parameters\": {\"id\": «a»}}", "{\"name\": \"find\", \"parameters\": {\"id\": «b»}}", "{\"id\": «a»}")
_held("json", "mistral.tool_calls", "[TOOL_CALLS] [{\"name\": \"find\", \"arguments\": {\"id\": «a»}}]", "[{\"name\": \"find\", \"arguments\": {\"id\": «a»}}]", "[{\"name\": \"find\", \"arguments\": {\"id\": «b»}}]")
_held("json", "hermes.two_calls", "<tool_call>\n{\"name\": \"find\", \"arguments\": {\"id\": «a»}}\n</tool_call>\n<tool_call>\n{\"name\": \"find\", \"arguments\": {\"id\": «b»}}\n</tool_call>", "[{\"name\": \"find\", \"arguments\": {\"id\": «a»}}, {\"name\": \"find\", \"arguments\": {\"id\": «b»}}]", "[{\"name\": \"find\", \"arguments\": {\"id\": «b»}}, {\"name\": \"find\", \"arguments\": {\"id\": «a»}}]")
_held("json", "qwen.thought_then_call", "<think>\nI should call find with {\"id\": «b»}? No, «a».\n</think>\n\n<tool_call>\n{\"name\": \"find\", \"arguments\": {\"id\": «a»}}\n</tool_call>", "{\"name\": \"find\", \"arguments\": {\"id\": «a»}}", "{\"id\": «b»}")
_held("json", "chat.notes_after", "Sure! Here's the JSON:\n\n```json\n{\"id\": «a», \"tags\": [\"x\", \"y\"]}\n```\n\n**Notes:**\n- `id` is a whole number, as in `{\"id\": 1}`.\n- Let me know if you need {more}.", "{\"id\": «a», \"tags\": [\"x\", \"y\"]}", "{\"id\": 1}")
_held("json", "chat.schema_first", "The schema is:\n\n```json\n{\"type\": \"object\", \"properties\": {\"id\": {\"type\": \"integer\"}}}\n```\n\nAnd the result:\n\n```json\n{\"id\": «a»}\n```", "{\"id\": «a»}", "{\"id\": «b»}")
_held("json", "deepseek.tool_calls", "<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>find\n```json\n{\"id\": «a»}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>", "{\"name\": \"find\", \"arguments\": {\"id\": «a»}}", "{\"id\": «a»}")
_held("json", "glm.arg_keys", "<tool_call>find\n<arg_key>id</arg_key>\n<arg_value>«a»</arg_value>\n</tool_call>", "{\"name\": \"find\", \"arguments\": {\"id\": «a»}}", "{\"id\": «a»}")
_held("json", "none.comment", "{\"id\": «a», // the key\n \"n\": 1}", None)
_held("json", "none.trailing_comma", "```json\n{\"id\": «a»,}\n```", None)
_held("json", "none.python_dict", "{'id': «a», 'ok': True}", None)
_held("json", "none.not_a_number", "{\"id\": NaN}", None)
# --- programs ---
_program("chat.explained", "Here's a Python function that does it:\n\n```python\ndef scale(x):\n    \"\"\"Scale x.\"\"\"\n    return x * «k»\n```\n\n### Explanation\n1. It multiplies.\n2. `scale(2)` shows it.\n\n### Example Usage\n\n```python\nresult = scale(3)\nprint(result)  # Output: 6\n```\n\n### Complexity\n- Time: O(1)", "scale(10)", "«k»0")
_program("chat.two_approaches", "**Approach 1: Loop**\n\n```python\ndef total(n):\n    s = 0\n    for i in range(n):\n        s += «k»\n    return s\n```\n\n**Approach 2: Formula**\n\n```python\ndef total(n):\n    return n * «k»\n```\n\nBoth give the same; the second is faster.", "total(10)", "«k»0")
_program("leetcode.class", "```python\nfrom typing import List\n\nclass Solution:\n    def tops(self, nums: List[int]) -> int:\n        return max(nums) * «k»\n```\n\n**Time complexity:** O(n)", "Solution().tops([3, 10])", "«k»0")
_program("chat.import_apart", "First, the import:\n\n```python\nimport math\n```\n\nThen the function:\n\n```python\ndef area(x):\n    return math.floor(x) * «k»\n```", "area(10.5)", "«k»0")
_program("codellama.python_tags", "[PYTHON]\ndef scale(x):\n    return x * «k»\n[/PYTHON]\n[TESTS]\nassert scale(0) == 0\n[/TESTS]", "scale(10)", "«k»0")
_program("chat.comment_tests_inside", "```python\n# Solution\ndef scale(x):\n    return x * «k»\n\n# Test cases\nprint(scale(2))\n```", "scale(10)", "«k»0")
_program("thinking.indented_reply", "<think>\ndef scale(x): return 0\n</think>\n\n1. The function:\n\n    ```python\n    def scale(x):\n        return x * «k»\n    ```", "scale(10)", "«k»0")
_program("chat.helper_then_main", "We need a helper:\n\n```python\ndef twice(x):\n    return 2 * x\n```\n\nand the solution:\n\n```python\ndef scale(x):\n    return twice(x) * «k»\n```\n\nTry it:\n\n```python\nassert scale(0) == 0\n```", "scale(5)", "«k»0")
_held("code", "none.asks_back", "Could you tell me which language you would like?", None)
_held("code", "none.cut_in_fence", "Sure:\n\n```python\ndef scale(x):\n    y = x *", None, finished=False)
# fmt: on
