"""Where an answer stands: after thinking, under marks, in rows, before what follows."""

from __future__ import annotations

import pytest

from workspan.answers import read
from workspan.data.types import AnswerKind

CASES: list[tuple[str, AnswerKind, str | None]] = [
    # a number inside a command of a formula is no answer by itself
    ("Hence we get x = 5\\sqrt{2}.", "number", None),
    ("Hence we get x = 5\\sqrt{2}.", "math", "x = 5\\sqrt{2}"),
    ("Hence we get 5\\sqrt[3]{2}", "number", None),
    ("so it is \\binom{5}{2}.", "number", None),
    ("so the term is a_{5}", "number", None),
    ("so we get \\log_{2}{8}", "number", None),
    ("hence \\sin{30}", "number", None),
    ("it is \\frac{3}{4}\\sqrt{2}", "number", None),
    ("it is \\frac{3}{4}", "number", "3/4"),
    ("So it is \\textbf{12}.", "number", "12"),
    ("it is \\color{red}{12}", "number", "12"),
    # a number that a word or a command makes another, or that has one beside it
    *(
        (f"Answer: {said}", "number", None)
        for said in (
            *("log 5", "sin 30", "\\ln 5", "twice 5", "double 5", "the square root of 16"),
            *("the cube of 2", "reciprocal of 4", "the absolute value of -5", "multiples of 5"),
            *("divisible by 5", "+/-5", "3 May", "5 a.m.", "5..7", "4; 5", "5 apples; 6 pears"),
            *("Part A: 5; Part B: 6", "(a) 5 (b) 6", "a) 5, b) 6", "1. 5", "two, three"),
            *("a=5 b=6", "5 != 6", "5 == 5", "4 => 5", "nineteen ninety", "twenty twenty"),
        )
    ),
    ("Answer: two point five", "number", "2.5"),
    ("Answer: minus zero point oh three", "number", "-0.03"),
    ("Answer: a=5 b=6", "math", "a=5 b=6"),
    ("It began in nineteen ninety", "number", None),
    # what a reply says about numbers that are none of its answer
    *(
        (said, "number", None)
        for said in (
            *("It takes 5 of the 7 days.", "That is 15% of 80.", "It can't be 5.", "(1) 5 (2) 6"),
            *(
                "I got it from equation (3).",
                "By Theorem 4.2 we are done.",
                "\\boxed{5} or \\boxed{6}",
            ),
            "The answer cannot be determined from 5 numbers.",
            "There is not enough information (only 5 given).",
        )
    ),
    # rows: what a chain comes to; several values stay whole
    ("\\begin{align} x &= 5 \\end{align}", "math", "5"),
    ("\\begin{aligned} x &= 2+3 \\\\ &= 5 \\end{aligned}", "math", "5"),
    (
        "$\\begin{cases} x = 5 \\\\ y = 6\\end{cases}$",
        "math",
        "\\begin{cases} x = 5 \\\\ y = 6\\end{cases}",
    ),
    ("\\boxed{}", "math", None),
    ("A: 5", "math", "5"),
    ("答えは5です", "math", "5"),
    ("So the total is 5 (3 + 2).", "math", None),
    # JSON: a value that is denied, a scalar under a mark
    ('{"a": 1} is the answer, not {"a": 2}', "json", '{"a": 1}'),
    ("Answer: 5", "json", "5"),
    ("Answer: yes", "json", None),
    ('Answer: "x".', "json", '"x"'),
    ("**Answer:** `5`.", "json", "5"),
    ("The answer is not 5.", "json", None),
    ("`x=1`", "code", "x=1"),
    # options side by side
    ("Answer: A & B", "choice", None),
    ("(A) 5 (B) 6 (C) 7", "choice", None),
    ("Statement A is true, so B.", "choice", "B"),
    # a formula that ends a sentence without a mark
    ("It follows that the area equals 3\\pi", "math", "3\\pi"),
    ("We tried. The vector is (1, 2, 3).", "math", "(1, 2, 3)"),
    ("The ratio is 3:4.", "math", "3:4"),
    ("If x is 3\\pi.", "math", None),
    ("Is it true that x is 3\\pi?", "math", None),
    ("It is not that x is 3\\pi.", "math", None),
    ("Our task is to find x^2 - 1", "math", None),
    ("So it is a + b, which is nice.", "math", None),
    # thinking
    ("<thinking>Answer: 12</thinking>\nAnswer: 15", "number", "15"),
    ("<thought>Answer: 12</thought>15", "number", "15"),
    ("<think>a <think>b</think> Answer: 12</think>Answer: 15", "number", "15"),
    ("<think>outer <think>inner</think> Answer: 12", "number", None),
    (
        "<|channel|>analysis<|message|>Answer:"
        " 12<|end|><|start|>assistant<|channel|>final<|message|>Answer: 15<|return|>",
        "number",
        "15",
    ),
    ("analysisWe think 12.assistantfinalThe answer is 15.", "number", "15"),
    ("[THINK]Answer: 12[/THINK]Answer: 15", "number", "15"),
    ("◁think▷Answer: 12◁/think▷Answer: 15", "number", "15"),
    ("<think>\nAnswer: 12\n</think>\n\n", "number", None),
    ("Answer: 12\n</think>\n15", "number", "15"),
    ("<THINK>\\boxed{12}</THINK> \\boxed{15}", "math", "15"),
    ("<think>```python\nx=1\n```</think>\n```python\ny=2\n```", "code", "y=2"),
    ('<think>{"a": 1}</think>{"a": 2}', "json", '{"a": 2}'),
    ("<think>plan A</think>plan B", "open", "plan B"),
    ("<think>plan A", "open", None),
    ("<think>n1 = n2", "symbols", None),
    ("<think>n1 = n2</think>n3 = n4", "symbols", "n4"),
    ("The tag `<think>` is a tag.\nAnswer: 5", "number", "5"),
    (
        "```python\nimport re\ndef f(s):\n    return re.sub(r'<think>.*?</think>', '', s)\n```",
        "code",
        "import re\ndef f(s):\n    return re.sub(r'<think>.*?</think>', '', s)",
    ),
    ("<reasoning>Answer: 12</reasoning>\n<answer>15</answer>", "number", "15"),
    (
        "<|begin_of_thought|>12<|end_of_thought|><|begin_of_solution|>15<|end_of_solution|>",
        "number",
        "15",
    ),
    ("<seed:think>12</seed:think>15", "number", "15"),
    ("Here is my thought process: 12\n\nHere is my response: 15", "number", "15"),
    ("Answer: 15\n<think>hm 12", "number", "15"),
    ("<think>12</think>Answer: 15<think>no 13</think>", "number", "15"),
    # where
    ("**Answer: 15**", "number", "15"),
    ("**Answer:** 15", "number", "15"),
    ("Answer: **15**", "number", "15"),
    ("## Final Answer\n\n15", "number", "15"),
    ("**Final Answer**\n15", "number", "15"),
    ("### Answer\n\\boxed{15}", "math", "15"),
    ("> Answer: 15", "number", "15"),
    ("- Answer: 15", "number", "15"),
    ("1. Answer: 15", "number", "15"),
    ("| Answer | 15 |", "number", "15"),
    ('{"answer": "15", "x": 3}', "number", "15"),
    ('{"answer": 15}', "number", "15"),
    ('```json\n{"reasoning": "12", "answer": "Lyon"}\n```', "text", "Lyon"),
    ("Antwort: 15", "number", "15"),
    ("Die Antwort ist 15.", "number", "15"),
    ("La réponse est 15.", "number", "15"),
    ("La respuesta es 15.", "number", "15"),
    ("答案：15", "number", "15"),
    ("答案是15。", "number", "15"),
    ("Ответ: 15", "number", "15"),
    ("答えは15です", "number", "15"),
    ("정답: 15", "number", "15"),
    ("答案：B", "choice", "B"),
    ("Antwort: Lyon", "text", "Lyon"),
    ("Answer: 12\nWait, no, I forgot 3.\nAnswer: 15", "number", "15"),
    ("Answer: 12. Wait, no, that is wrong. It is 15.", "number", "15"),
    ("Answer: 12\n\nWait, no. That's not right.", "number", None),
    ("The answer is 12... no, 15.", "number", "15"),
    ("Answer: 12. Wait, let me double check: 9 + 3 = 12. Yes, that is correct.", "number", "12"),
    ("The answer is 12. Scratch that, it should be 15.", "number", "15"),
    ("\\boxed{12}. Wait, I made a mistake: it's $15$.", "math", "15"),
    ("Answer: Paris. Wait, no, it is Lyon.", "text", "Lyon"),
    ("Answer: A. Wait, no, it's B.", "choice", "B"),
    ("15\n\nQuestion: What is 2+2?\nAnswer: 4", "number", "15"),
    ("The answer is 15.\n\nQ: What is 2+2?\nA: The answer is 4.", "number", "15"),
    ("Answer: 15\nHuman: thanks! What is 2+2?\nAssistant: 4", "number", "15"),
    ("Answer: 15<|im_end|>\n<|im_start|>user\n4", "number", "15"),
    ("Question: What is 2+2?\nAnswer: 4", "number", "4"),
    ("Let me restate.\n\nQuestion: What is 2+2?\nAnswer: 4", "number", "4"),
    (" 15\n\nQ: 3+3?\nA: 6\n\nQ: 4+4?\nA: 8", "number", "15"),
    ("So x is \\boxed{2} or \\boxed{3}.", "math", "2, 3"),
    ("\\boxed{2}\n\nLater \\boxed{3}", "math", "3"),
    ("$\\boxed{2}$ and $\\boxed{3}$", "math", "2, 3"),
    ("The answer is 15, because 9 + 6 makes 15.", "number", "15"),
    ("The answer is Paris, because it is the capital.", "text", "Paris"),
    ("Answer: Paris.", "text", "Paris"),
    ("Answer: U.S.", "text", "U.S."),
    ("Answer: C++", "text", "C++"),
    ("Answer: C#", "text", "C#"),
    ("Answer: Yahoo!", "text", "Yahoo!"),
    ("Answer:\n1 2 3\n4 5 6\n7 8 9", "text", "1 2 3\n4 5 6\n7 8 9"),
    ("Answer:\n```\n1 2 3\n4 5 6\n```\nDone", "text", "1 2 3\n4 5 6"),
    ("Answer:\nParis\nI hope this helps!", "text", "Paris"),
    ("Answer:\n\n- apple\n- pear\n\nBye", "text", "- apple\n- pear"),
    ("Answer: Paris\n\nI hope this helps!", "text", "Paris"),
    ("Answer:\n[[1, 2],\n [3, 4]]\nDone", "text", "[[1, 2],\n [3, 4]]"),
    ("Answer:\n| a | b |\n|---|---|\n| 1 | 2 |", "text", "| a | b |\n|---|---|\n| 1 | 2 |"),
    # choice
    ("Answer: A car is fastest", "choice", None),
    ("I think it is B", "choice", "B"),
    ("Answer: I think B", "choice", "B"),
    ("Answer: (B) 15", "choice", "B"),
    ("Answer: B) Paris", "choice", "B"),
    ("The correct answer is option C.", "choice", "C"),
    ("The answer is A and B", "choice", None),
    ("Answer: A", "choice", "A"),
    ("The answer is a.", "choice", "A"),
    ("**B**", "choice", "B"),
    ("**B. Paris**", "choice", "B"),
    ("B) Paris", "choice", "B"),
    ("Vitamin C is good", "choice", None),
    ("C is correct.", "choice", "C"),
    ("(A) is wrong, so (B) is right", "choice", "B"),
    ("I considered (A) and (B).", "choice", None),
    ("The answer is not A", "choice", None),
    ("\\boxed{B}", "choice", "B"),
    ("\\boxed{\\text{(B)}}", "choice", "B"),
    ("Answer: B, not A", "choice", "B"),
    ("Answer: D. Because A is wrong", "choice", "D"),
    ("B\n\nHope this helps!", "choice", "B"),
    ("A car drives.\nI think so.", "choice", None),
    ("Option B", "choice", "B"),
    ("The best choice is D", "choice", "D"),
    ("Answer: B because A is smaller", "choice", "B"),
    ("Answer: b", "choice", "B"),
    ("So I'd go with (C).", "choice", "C"),
    ("Answer: A is right", "choice", "A"),
    ("The answer is A, since I checked.", "choice", "A"),
    ("It's an A-frame house", "choice", None),
    ("Answer: none of these", "choice", None),
    ('{"answer": "C"}', "choice", "C"),
    # number unmarked
    ("Together they have **15** apples in 3 baskets.", "number", "15"),
    ("It takes 10-12 days.", "number", None),
    ("He was born on March 5, 2024.", "number", None),
    ("The total is 72 clips, altogether.", "number", "72"),
    ("So 12 + 3 = 15", "number", "15"),
    ("12 + 3", "number", None),
    ("at least 5", "number", None),
    ("She has fifteen apples", "number", "15"),
    ("see step 3.", "number", None),
    ("from 5 to 10.", "number", None),
    ("5 apples and 3 pears", "number", None),
    ("1. First\n2. Second", "number", None),
    ("So the cost is $5.", "number", "5"),
    ("That makes 15!", "number", "15"),
    ("x - 3", "number", None),
    ("is -3", "number", "-3"),
    ("= - 3", "number", "-3"),
    ("- 5", "number", "5"),
    # unfinished
    # json
    ('Answer: {"a": 1}', "json", '{"a": 1}'),
    ('Here:\n```json\n{"a": 1}\n```\nbye', "json", '{"a": 1}'),
    ('{"a": 1, "a": 2}', "json", None),
    ('{"a": NaN}', "json", None),
    ("{'a': 1}", "json", None),
    (
        '<tool_call>\n{"name": "f", "arguments": {"x": 1}}\n</tool_call>',
        "json",
        '{"name": "f", "arguments": {"x": 1}}',
    ),
    ("I call [1, 2] first", "json", "[1, 2]"),
    ("nothing", "json", None),
    ('<function=f>{"x": 1}</function>', "json", '{"name": "f", "arguments": {"x": 1}}'),
    # math
    ("The answer is $\\frac{1}{2}$, since one.", "math", "\\frac{1}{2}"),
    ("Answer: x^2 + 1", "math", "x^2 + 1"),
    ("Answer: (1, 2)", "math", "(1, 2)"),
    ("Answer: 2\\sqrt{3} because of that", "math", "2\\sqrt{3}"),
    ("$n$ is even", "math", None),
    ("Answer: no solution", "math", "no solution"),
    ("so $x = 3 + 4 = 7$.", "math", "7"),
    ("Answer: $x=2$ or $x=3$", "math", "$x=2$ or $x=3$"),
    ("The answer is $15\\%$.", "math", "15\\%"),
    ("\\boxed{\\text{even}}", "math", "\\text{even}"),
    # a base model runs on after its ####
    ("a\n#### 119\n\nQuestion: Ann buys 6.\nAnswer: More.\n#### 11", "number", "119"),
    ("a\n#### (25, 5)\n\nQuestion: Ann buys 6.\nAnswer: More.\n#### (5, 25)", "math", "(25, 5)"),
    ("#### 5\n\nQuestion: what?\n#### 6", "number", "5"),
    ("a\n#### no solution\n\nQuestion: what?\n#### 6", "math", "no solution"),
    ("#### Step 1\n\nQuestion: what?\nAnswer: 5", "number", "5"),
    ("### The problem\n\nQuestion: what?\nAnswer: 5", "number", "5"),
    # a table, dollars, several lines
    ("| Answer | 4.5 |", "math", "4.5"),
    ("| Answer | $|x|$ | ok |", "math", "|x|"),
    ("Answer: |x|", "math", "|x|"),
    ("Answer: $\\$215,517.65$", "math", "\\$215,517.65"),
    ("**Answer: $\\$36$**", "math", "\\$36"),
    ("Answer: $\\$36$", "number", "36"),
    ("so $a$ or $\\$36$", "math", "\\$36"),
    (
        "Answer: $\\begin{pmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{pmatrix}$\n\nDone 5.",
        "math",
        "\\begin{pmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{pmatrix}",
    ),
    (
        "**Answer:**\n\n\\left(\\begin{array}{c}\n1 \\\\\n3\n\\end{array}\\right).\n5",
        "math",
        "\\left(\\begin{array}{c}\n1 \\\\\n3\n\\end{array}\\right)",
    ),
    ("Answer: $5!$", "math", "5!"),
    ("<answer>$x = 24 \\text{ or } x = -27$</answer>", "math", "x = 24 \\text{ or } x = -27"),
    ("so \\boxed{44}$.\n\nIt fits, so our answer is correct.", "math", "44"),
    ("\\boxed{44}\n\nWe may check our answer: 3 = 3.", "math", "44"),
    # a reply that is one formula
    ("(18, -23)", "math", "(18, -23)"),
    ("15-42√2", "math", "15-42√2"),
    ("(8√3)/9", "math", "(8√3)/9"),
    ("143 + 1", "math", "143 + 1"),
    ("20*pi", "math", "20*pi"),
    ("x ≤ 17", "math", "x ≤ 17"),
    ("7 and 17", "math", "7 and 17"),
    ("6:7", "math", "6:7"),
    ("- 5", "math", "5"),
    ("2024-05-01", "math", None),
    ("10-12", "math", None),
    ("555-1234", "math", None),
    ("x &= 3\n\\end{align}", "math", "3"),
    # what denies gives no value
    ("There is no way to obtain 24 with the given numbers", "math", None),
    ("It is impossible to get 24.", "number", None),
    (
        "Answer: There is no solution to obtain 24 with these.",
        "math",
        "There is no solution to obtain 24 with these",
    ),
    ("Answer: Invalid Input (cannot obtain 24)", "number", None),
    ("Answer: 24 cannot be obtained from 1, 1 and 1.", "number", None),
    (
        "Answer: 24 cannot be obtained from 1, 1 and 1.",
        "text",
        "24 cannot be obtained from 1, 1 and 1.",
    ),
    ("So 24 cannot be obtained.", "number", None),
    ("So 24 can never be reached.", "math", None),
    ("$\\boxed{24}$ could not be reached.", "number", None),
    ("\\boxed{24} is impossible", "math", None),
    ("Answer: $24$ is not possible.", "math", None),
    ("Answer: (1 + 2) * 8 = 24 is not allowed", "math", "(1 + 2) * 8 = 24 is not allowed"),
    # what was announced and not said
    ("I did.\nSo the final answer is:", "text", None),
    ("Follow up: who?\nIntermediate answer:", "text", None),
    ("**Result:**", "text", None),
    ("Paris\n\nMy answer is", "text", None),
    ("There are 12 boxes.\nAnswer:", "number", None),
    ("There are 12 boxes.\n\n### Answer\n", "math", None),
    ("There are 12 boxes.\nAnswer: N/A", "number", None),
    ("Option B is first.\n\n**Answer:**\n", "choice", None),
    ("It is on drive C:", "text", "It is on drive C:"),
    # a program is no value
    ("def answer():return 453", "number", None),
    ("def answer():return 453", "code", "def answer():return 453"),
    ("    return 453", "math", None),
    ("print(453)", "number", None),
    # an exclamation mark, or a factorial
    ("The answer is 42!", "number", "42"),
    ("The answer is 42! Great.", "number", "42"),
    ("Answer: **42!**", "number", "42"),
    ("The answer is 42! 🎉", "number", "42"),
    ("The answer is $5!$", "number", None),
    ("The answer is $5!$", "math", "5!"),
    ("So 5! = 120", "number", "120"),
    ("So it is 5! / 3!", "number", None),
    ("5!/3!", "number", None),
    ("Answer: 5!/3!", "math", "5!/3!"),
    ("Answer: n!", "math", "n!"),
    # emphasis around money
    ("Answer: **$203,086.19**", "text", "$203,086.19"),
    ("The answer is **$203,086.19**.", "text", "$203,086.19"),
    ("**Answer: **$203,086.19**", "number", "203086.19"),
    ("Answer: _$5_", "number", "5"),
    ("**Answer:** $5 and **$6**", "math", "$5 and **$6**"),
    # matrices over several lines, without a mark
    (
        "\\begin{pmatrix}\n1 \\\\\n2\n\\end{pmatrix}",
        "math",
        "\\begin{pmatrix}\n1 \\\\\n2\n\\end{pmatrix}",
    ),
    (
        "So it is $A = \\begin{bmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{bmatrix}$.",
        "math",
        "A = \\begin{bmatrix}\n1 & 2 \\\\\n3 & 4\n\\end{bmatrix}",
    ),
    (
        "It is\n\\left(\\begin{array}{c}\n1\\\\\n3\n\\end{array}\\right).",
        "math",
        "\\left(\\begin{array}{c}\n1\\\\\n3\n\\end{array}\\right)",
    ),
    # boards whose rows have nothing, or only signs, between them
    (
        "Answer:\n5   3 < 4\n\n6 > 7   2\n∨\n1   9   8",
        "text",
        "5   3 < 4\n\n6 > 7   2\n∨\n1   9   8",
    ),
    ("Answer:\n1 2 3\n\n4 5 6\n\n7 8 9\n\nDone.", "text", "1 2 3\n\n4 5 6\n\n7 8 9"),
    ("Answer:\n1 2\n    ∧\n3 4", "text", "1 2\n    ∧\n3 4"),
    ("Answer:\n1 2 3\n\nI am ok", "text", "1 2 3"),
    ("Answer:\na b\n\nI am ok", "text", "a b"),
    # words for numbers
    ("Half of 97 goes. In total that makes seven tenths.", "number", "0.7"),
    ("She had 33. That makes minus six.", "number", "-6"),
    ("She has 33. This one is easy.", "number", "33"),
    ("This one is right.", "number", None),
    ("She has one.", "number", "1"),
    ("It grew by 100.\nShe has ¹³⁄₂₉ in all.", "number", "13/29"),
    ("<answer>\nk = 4310\n</answer>", "number", "4310"),
    # choice
    ("A rather than C", "choice", "A"),
    ("Answer: A rather than C", "choice", "A"),
    ("A, not C", "choice", "A"),
    ("D, because B is wrong", "choice", "D"),
    ("A - 12 km", "choice", "A"),
    ("$\\text{B}$", "choice", "B"),
    ("I would choose $\\mathrm{D}$.", "choice", "D"),
    ("Answer: A/C", "choice", None),
    ("Answer: B/C", "choice", None),
    ("Answer: N/A", "choice", None),
    ("Answer: either C or B", "choice", None),
    ("(B), (C), and (D)", "choice", None),
    ("D can be ruled out, and so can C.", "choice", None),
    ("It is not B.", "choice", None),
    ("We can rule out B.", "choice", None),
    ("The correct option is B or C", "choice", None),
    ("So not B but C.", "choice", "C"),
    ("We can rule out A and B, leaving C.", "choice", "C"),
    ("I like A/B tests.\n\nSo it is C.", "choice", "C"),
    # rows and headings
    ("5 6 1\n0 3 0", "text", "5 6 1\n0 3 0"),
    ("<think>x</think>\n\n924\n517\n785", "text", "924\n517\n785"),
    ("5 | 5\n9 | 0", "text", "5 | 5\n9 | 0"),
    (
        "Move disk 1 to 3\nMove disk 2 to 2\nMove disk 1 to 2",
        "text",
        "Move disk 1 to 3\nMove disk 2 to 2\nMove disk 1 to 2",
    ),
    ("Hmm\nParis", "text", "Paris"),
    ("- think\n- Paris", "text", "- Paris"),
    ("Final Answer:\n\n", "text", None),
    ("**Answer:**", "text", None),
    ("The answer is: **He ate the cake.**", "text", "He ate the cake"),
    ("```\ndef answer():return 453\n```", "text", "def answer():return 453"),
    # refusals, and what was cut
    ("I'm sorry, I can't write this program.", "code", None),
    ("pass", "code", "pass"),
    ("print hello", "code", "print hello"),
    ('{"items": [1, 2, 3], "total": ', "json", None),
    ('{"items": [1, 2, 3], "name": "ab', "json", None),
    ("{'items': [1, 2, 3]}", "json", None),
    ("see {x: [1]} then [3]", "json", "[3]"),
]

CUT: list[tuple[str, AnswerKind, str | None]] = [
    ("<think>\n12</think>Answer: 15", "number", None),
    ("\\boxed{15} and", "number", "15"),
    ("Answer: 15\nso", "number", "15"),
    ("```python\ndef f(): pass\n```\n", "code", "def f(): pass"),
    ('{"a": 1} and', "json", '{"a": 1}'),
    ('{"a": 1', "json", None),
    ("Answer:\n1 2\n3 4", "text", None),
    ("<think>Answer: 15\nso", "number", None),
    ("the thought\n</think>\nAnswer: 15\n", "number", "15"),
]

_TOGETHER = ("boxes", "tool calls", "JSON member")


@pytest.mark.parametrize(("text", "kind", "answer"), CASES)
def test_the_answer_is_read_where_it_stands(
    text: str, kind: AnswerKind, answer: str | None
) -> None:
    found = read(text, kind)
    assert (found and found.answer) == answer
    if found is not None and kind in ("text", "code", "math") and found.rule not in _TOGETHER:
        start, end = found.span
        assert text[start:end].strip() == found.answer.strip()


@pytest.mark.parametrize(("text", "kind", "answer"), CUT)
def test_a_cut_text_gives_what_was_closed(text: str, kind: AnswerKind, answer: str | None) -> None:
    found = read(text, kind, finished=False)
    assert (found and found.answer) == answer


TAGS = [
    ("<think>", "</think>"),
    ("<thinking>", "</thinking>"),
    ("<thought>", "</thought>"),
    ("<reasoning>", "</reasoning>"),
    ("<Think>", "</THINK>"),
    ("<seed:think>", "</seed:think>"),
    ("[THINK]", "[/THINK]"),
    ("◁think▷", "◁/think▷"),
    ("<|begin_of_thought|>", "<|end_of_thought|>"),
    ("<|channel|>analysis<|message|>", "<|end|><|start|>assistant<|channel|>final<|message|>"),
    ("<unused94>thought\n", "<unused95>"),
]
DRAFTS: dict[AnswerKind, tuple[str, str, str]] = {
    "number": ("Answer: 12", "Answer: 15", "15"),
    "math": (r"\boxed{12}", r"\boxed{15}", "15"),
    "text": ("Answer: Paris", "Answer: Lyon", "Lyon"),
    "choice": ("Answer: A", "Answer: B", "B"),
    "code": ("```python\nx = 1\n```", "```python\nx = 2\n```", "x = 2"),
    "json": ('{"x": 1}', '{"x": 2}', '{"x": 2}'),
    "open": ("Plan A", "Plan B", "Plan B"),
    "symbols": ("n1 = n2", "n1 = n3", "n3"),
}


@pytest.mark.parametrize("kind", DRAFTS)
@pytest.mark.parametrize(("opening", "closing"), TAGS)
def test_thinking_is_never_read_in_any_kind(opening: str, closing: str, kind: AnswerKind) -> None:
    draft, said, answer = DRAFTS[kind]
    whole = f"{opening}\n{draft}\n{closing}\n{said}"
    found = read(whole, kind)
    assert found is not None
    assert found.answer == answer
    assert answer in whole[found.span[0] : found.span[1]]
    assert read(f"{draft}\n{closing}\n{said}", kind).answer == answer  # type: ignore[union-attr]
    assert read(f"{opening}\n{draft}", kind) is None
    assert read(f"{opening}\n{draft}\n{closing}\n", kind) is None


def test_reasoning_that_the_text_repeats_is_cut() -> None:
    thought = "Perhaps the answer is 12. No, I forgot three."
    found = read(f"{thought}\n\nAnswer: 15", "number", reasoning=thought)
    assert found is not None
    assert found.answer == "15"
    assert read(thought, "number", reasoning=thought) is None


@pytest.mark.parametrize("kind", ["number", "math", "choice", "text"])
def test_a_question_of_its_own_ends_a_reply(kind: AnswerKind) -> None:
    answers = {"number": "15", "math": "15", "choice": "B", "text": "Lyon"}
    for turn in (
        "\n\nQuestion: next?\n",
        "\nQ: next?\n",
        "\nHuman: next?\n",
        "<|im_end|>\n<|im_start|>user\n",
    ):
        found = read(f"Answer: {answers[kind]}{turn}Answer: D 4", kind)
        assert found is not None
        assert found.answer == answers[kind]


@pytest.mark.parametrize(
    ("text", "kind", "answer"),
    [
        ("Answer: None", "text", "None"),
        ("Answer: 24. Sorry, it is not possible to say more.", "text", "24"),
        ("Answer: Paris. It is the capital of France.", "text", "Paris"),
        ("    return x\n\n\ndef h():\n    pass", "code", "    return x\n\n\ndef h():\n    pass"),
        ("Here it is:\n\ndef f():\n    return 1\n\nThat is all.", "code", "def f():\n    return 1"),
        ("1. ```python\n   def f():\n       pass\n   ```", "code", "def f():\n    pass"),
        ("- so:\n  ```python\n  def f():\n      pass\n  ```\n", "code", "def f():\n    pass"),
    ],
)  # fmt: skip
def test_forms_that_recordings_showed(text: str, kind: AnswerKind, answer: str) -> None:
    found = read(text, kind)
    assert found is not None
    assert found.answer == answer


PROGRAM = "def double(x):\n    return 2 * x"
BESIDE = {
    "a usage example": "```python\nprint(double(3))\n```",
    "its output": "```\n6\n```",
    "a shell line": "```bash\npython double.py\n```",
    "a test": "```python\ndef test_double():\n    assert double(2) == 4\n```",
    "a main": "```python\nif __name__ == '__main__':\n    print(double(2))\n```",
    "a transcript": "```pycon\n>>> double(2)\n4\n```",
    "an untagged transcript": "```\n>>> double(2)\n4\n```",
    "data": '```json\n{"x": 1}\n```',
    "a title": "```text\ndouble.py\n```",
    "a demo": "```python\ndef demo():\n    for i in range(3):\n        print(double(i))\n```",
}


@pytest.mark.parametrize("around", ["after", "before"])
@pytest.mark.parametrize(
    "fence", ["```python", "```py", "```", "~~~python", '```python title="a.py"', "````"]
)
@pytest.mark.parametrize("what", BESIDE)
def test_the_program_stands_among_other_blocks(what: str, fence: str, around: str) -> None:
    block = f"{fence}\n{PROGRAM}\n{fence[:4] if fence == '````' else fence[:3]}"
    parts = [block, BESIDE[what]] if around == "after" else [BESIDE[what], block]
    found = read("\n\nText:\n".join(parts), "code")
    assert found is not None
    assert found.answer == PROGRAM


def test_a_correction_wins_and_helpers_come_along() -> None:
    wrong = "```python\ndef double(x):\n    return x\n```\nWrong, fixed:\n"
    right = f"```python\n{PROGRAM}\n```"
    assert read(wrong + right, "code").answer == PROGRAM  # type: ignore[union-attr]
    helper = "```python\ndef twice(x):\n    return x + x\n```\n"
    user = "```python\ndef four(x):\n    return twice(twice(x))\n```"
    found = read(helper + "and\n" + user, "code")
    assert found is not None
    assert "def twice" in found.answer
    assert "def four" in found.answer
    assert read(helper + user, "code", asked="twice").answer.startswith("def twice")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    "reply",
    [
        "I can't give an accurate answer to this question as it is missing the date.",
        "I don't know the answer to this question.",
        "There is no correct answer to the problem, as it is flawed.",
        "An accurate answer to this question requires more data.",
    ],
)
def test_a_verb_is_none_inside_a_word_or_a_reason(reply: str) -> None:
    """Of "answer to this" the last letters are no verb, and "as it is" gives none."""
    found = read(reply, "text")
    assert found is not None
    assert (found.answer, found.rule) == (reply, "last line")
    assert read(reply, "math") is None
    said = read("The answer to this question is Paris.", "text")
    assert said is not None
    assert said.answer == "Paris"


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("I get 11 (after 3 steps).", None),
        ("So there are 6 (with a remainder of 2 students)", None),
        ("The rope is 1 m (100 cm) long.", None),
        ("There are (in all) 15 apples.", "15"),
        ("It costs (5 + 6) = 11 dollars.", "11"),
        ("Answer: 42 (approximately 41.97)", "42"),
    ],
)
def test_a_number_in_an_aside_is_no_answer(reply: str, answer: str | None) -> None:
    found = read(reply, "number")
    assert (found and found.answer) == answer
