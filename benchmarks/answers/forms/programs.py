"""Programs as answers: the reply's program is judged by running it on a known input."""

# ruff: noqa: E501 - replies stand whole

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Program:
    """A reply that gives one program.

    Attributes:
        name: where the program stands in the reply.
        text: the reply.
        call: a Python expression of the program's own name, "double(4)".
        value: what it must give; None where the reply gives no program.
        finished: whether the model ended by itself.
        exact: the program's source where it isn't Python.
    """

    name: str
    text: str
    call: str
    value: object
    finished: bool = True
    exact: str = ""


_BODIES = (
    ("double", "x", "return {k} * x", lambda x, k: k * x),
    ("shift", "x", "return x + {k}", lambda x, k: x + k),
    (
        "power",
        "x",
        "result = 1\n    for _ in range({k}):\n        result *= x\n    return result",
        lambda x, k: x**k,
    ),
    (
        "total",
        "x",
        "total = 0\n    for i in range(x):\n        total += i * {k}\n    return total",
        lambda x, k: sum(i * k for i in range(x)),
    ),
    ("pick", "x", "if x > {k}:\n        return x\n    return {k}", lambda x, k: max(x, k)),
    ("label", "x", 'return f"{{x}}-{k}"', lambda x, k: f"{x}-{k}"),
)

# «P» the program, «W» a wrong draft of it, «N» its name, «I» the program indented by three.
_PLACES: dict[str, str] = {
    "fence": "```python\n«P»\n```",
    "fence_prose": "Here is a solution:\n\n```python\n«P»\n```\n\nIt runs in linear time.",
    "fence_py": "```py\n«P»\n```",
    "fence_python3": "```python3\n«P»\n```",
    "fence_capital": "```Python\n«P»\n```",
    "fence_bare": "Sure!\n```\n«P»\n```",
    "fence_tildes": "~~~python\n«P»\n~~~",
    "fence_four": "````python\n«P»\n````",
    "fence_title": '```python title="a.py"\n«P»\n```',
    "fence_braces": "```{.python}\n«P»\n```",
    "fence_returns": "```python\r\n«P»\r\n```\r\n",
    "fence_in_list": "1. Write this:\n\n   ```python\n«I»\n   ```\n\n2. Done.",
    "no_fence": "«P»",
    "mark": "Answer:\n```python\n«P»\n```",
    "tag": "<answer>\n«P»\n</answer>",
    "tag_fence": "<answer>\n```python\n«P»\n```\n</answer>",
    "begin_done": "[BEGIN]\n«P»\n[DONE]",
    "demo_after": "```python\n«P»\n```\n\nUse it so:\n\n```python\nprint(«N»(3))\n```\n",
    "assert_after": "```python\n«P»\n```\n\nTests:\n\n```python\nassert «N»(3) is not None\nprint('ok')\n```",
    "output_after": "```python\n«P»\n```\n\nThis prints:\n\n```\n6\n```\n",
    "output_text_after": "```python\n«P»\n```\n\nOutput:\n\n```text\n6 7 8\n```\n",
    "shell_after": "```python\n«P»\n```\n\nRun it:\n\n```bash\npython «N».py\n```",
    "shell_before": "```bash\npip install nothing\n```\n\n```python\n«P»\n```",
    "json_after": '```python\n«P»\n```\n\nIt gives:\n\n```json\n{"result": 6}\n```',
    "repl_after": "```python\n«P»\n```\n\n```python\n>>> «N»(3)\n6\n```",
    "call_import_after": "```python\n«P»\n```\n\nExample:\n\n```python\nfrom solution import «N»\n\nfor i in range(3):\n    print(«N»(i))\n```",
    "draft_first": "```python\n«W»\n```\n\nThat is wrong, here it is fixed:\n\n```python\n«P»\n```",
    "draft_twice": "First try:\n```python\n«W»\n```\nStill wrong:\n```python\n«W»\n```\nFinal:\n```python\n«P»\n```\n",
    "draft_then_demo": "```python\n«W»\n```\nOops. Corrected:\n```python\n«P»\n```\nUsage:\n```python\n«N»(2)\n```",
    "thought_first": "<think>\n```python\n«W»\n```\n</think>\n\n```python\n«P»\n```",
    "thought_no_fence": "<think>\n```python\n«W»\n```\n</think>\n«P»",
    "stray_closer": "«P»\n```",
    "open_fence_finished": "```python\n«P»\n",
    "im_end": "```python\n«P»\n```<|im_end|>",
    "inline_code_before": "Call `«N»(3)` to test.\n\n```python\n«P»\n```",
    "two_languages": "In Python:\n\n```python\n«P»\n```\n\nThe idea in pseudocode:\n\n```text\nread x; transform; give back\n```",
    "main_guard": "```python\n«P»\n\n\nif __name__ == '__main__':\n    print(«N»(3))\n```",
    "docstring_fence": '```python\n«P»\n\n\ndef helper():\n    """Show it.\n\n    Example: `«N»(1)`\n    """\n```',
}


def programs(rng: random.Random, each: int) -> list[Program]:
    """Draw replies that give a program, and some that give none."""
    replies = []
    for place, pattern in _PLACES.items():
        for _ in range(each):
            name, argument, body, meaning = rng.choice(_BODIES)
            k, x = rng.randint(2, 9), rng.randint(2, 9)
            source = f"def {name}({argument}):\n    {body.format(k=k)}"
            wrong = f"def {name}({argument}):\n    return None"
            text = pattern.replace(
                "«P»", source.replace("\n", "\r\n") if "\r" in pattern else source
            )
            text = text.replace("«W»", wrong).replace("«N»", name)
            text = text.replace("«I»", "\n".join(f"   {line}" for line in source.split("\n")))
            replies.append(Program(f"program.{place}", text, f"{name}({x})", meaning(x, k)))
    for _ in range(each):
        k = rng.randint(2, 9)
        script = f"function f(x) {{\n  return x * {k};\n}}"
        replies.append(
            Program(
                "program.javascript",
                f"Here:\n\n```javascript\n{script}\n```\n",
                "",
                "",
                exact=script,
            )
        )
        replies.append(
            Program(
                "program.query",
                f"```sql\nSELECT {k} FROM t;\n```",
                "",
                "",
                exact=f"SELECT {k} FROM t;",
            )
        )
        for name, text, finished in (
            ("cut_fence", f"```python\ndef f(x):\n    y = x * {k}\n    return", False),
            (
                "thought_only",
                f"<think>\n```python\ndef f(x):\n    return {k}\n```\n</think>\n",
                True,
            ),
            ("thought_open", f"<think>\n```python\ndef f(x):\n    return {k}\n```\nHm", False),
            ("refused", "I'm sorry, I can't write this program.", True),
            ("empty", "", True),
        ):
            replies.append(Program(f"program.none.{name}", text, "", None, finished))
    return replies
