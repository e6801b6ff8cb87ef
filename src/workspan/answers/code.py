"""Programs: the fenced block that defines what the others use; never run here.

A later block that defines the same names is a correction and wins. Shell lines, outputs,
transcripts
and demonstrations of a program beside it are not the program. A helper in a block of its own that
the program needs comes before it.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import NamedTuple

from workspan.answers.said import Found, Said
from workspan.answers.words import listed

_FENCE = re.compile(r"(`{3,}+|~{3,}+)[ \t]*+([^\n`]*+)(?=\n|\Z)")
_RUN = re.compile(r"(?:`{3,}+|~{3,}+)[^\n`]*+")
_INDENT = re.compile(r"[ \t>]{0,12}(?:(?:[-*+]|[0-9]{1,3}[.)])[ \t]{1,4})?")
_BLOCKS = 200
_NOT_PROGRAMS = listed(
    "bash sh shell console zsh shellsession shell-session terminal cmd powershell ps1 bat text txt"
    " plaintext plain output out stdout stderr log json jsonl yaml yml toml ini csv tsv xml html"
    " css"
    " markdown md diff patch latex tex pycon python-repl ipython doctest traceback none mermaid"
    " requirements dockerfile input result results example"
)
_DEFINES = re.compile(
    r"^(?:async[ ]def|def|class)[ ]+(\w+)"
    r"|^(?:export[ ]+)?(?:default[ ]+)?(?:async[ ]+)?function[ ]*\*?[ ]*(\w+)"
    r"|^(?:pub[ ]+)?(?:fn|func|fun|sub|struct|interface|trait)[ ]+(?:\([^()\n]*\)[ ]*)?(\w+)"
    r"|^(?:public|private|protected|static|final|abstract)[ ][^\n;={}()]{0,80}?(\w+)[ ]*(?:\(|\{)"
    r"|^(?:unsigned[ ]|long[ ]|const[ ])*(?:int|void|bool|char|double|float|long|string|auto"
    r"|std::\w+(?:<[^\n;{}]{0,40}>)?"
    r"|vector<[^\n;{}]{0,40}>)[ &*]+(\w+)[ ]*\([^;\n]*\)?[ ]*(?:\{|$)"
    r"|^(?:const|let|var)[ ]+(\w+)[ ]*=[ ]*(?:async[ ]*)?(?:function|\([^()\n]*\)[ ]*=>|\w+[ ]*=>)"
    r"|^(\w+)[ ]*=[ ]*lambda\b",
    re.MULTILINE,
)
_LANGUAGE = re.compile(r"\{?\.?([\w+#-]+)")
_NAME = re.compile(r"[A-Za-z_]\w*")
_TEST = re.compile(r"test|main$|demo|example|check_|run_|driver", re.IGNORECASE)
_STATEMENT = re.compile(
    r"^[ \t]*(?:print|import|from|for|while|return|if|select|let|var)\b|\w\s*=|\w\(", re.M | re.I
)
_TRANSCRIPT = re.compile(r"\s*(?:>>>|In \[\d+\]:|\$ |Traceback|> )")
_STARTS = re.compile(
    r"^(?:def|class|async def|import|from[ ]\w[\w.]*[ ]import|@\w|#!|#include|using[ ]namespace"
    r"|function|fn"
    r"|pub fn|package|public class|const|let|var|int main)\b",
    re.MULTILINE,
)
_CODE_LINE = re.compile(
    r"[ \t]|$|[@#})\]]|(?:def|class|import|from|if|for|while|try|with|return|print|else|elif"
    r"|async|assert)\b|\w[\w.\[\]]*\s*(?:[-+*/|&]?=|\()"
)


class _Fence(NamedTuple):
    """A line of backticks or tildes."""

    start: int
    end: int
    indent: str
    signs: str
    info: str


class Block(NamedTuple):
    """A fenced block."""

    start: int
    end: int
    text: str
    language: str
    defines: frozenset[str]


def read(said: Said) -> Found | None:
    """Return the program; of a finished text without a fence, its code or all of it."""
    text = said.text
    inside = _tagged(said)
    if inside is not None and not _has_fence(text, *inside):
        content = text[inside[0] : inside[1]].strip("\n")
        return Found(content, *inside, "<answer> tag") if content.strip() else None
    blocks, stray = fenced(text, finished=said.finished)
    if blocks:
        return _chosen(blocks, said.asked)
    if not said.finished or not text.strip():
        return None
    if stray is not None:
        return _around(text, stray)
    return _unfenced(text, 0, len(text))


def key(answer: str) -> Hashable:
    """Return its lines, without trailing space and empty ones."""
    return ("p", "\n".join(line.rstrip() for line in answer.splitlines() if line.strip()))


_TAGS = (("<answer>", "</answer>"), ("[python]", "[/python]"), ("<code>", "</code>"))


def _tagged(said: Said) -> tuple[int, int] | None:
    for opening, closing in _TAGS:
        start = said.low.rfind(opening)
        end = said.low.find(closing, start)
        if 0 <= start < end:
            return start + len(opening), end
    return None


def _has_fence(text: str, start: int, end: int) -> bool:
    """Tell if a fence ends some line of a part; each line is looked at once."""
    for run in _RUN.finditer(text, start, end):
        if run.end() == end or text[run.end()] == "\n":
            return True
    return False


def _fences(text: str) -> list[_Fence]:
    """Return the lines that open or close a block."""
    fences = []
    for signs in ("```", "~~~"):
        at = text.find(signs)
        while at >= 0:
            line = text.rfind("\n", 0, at) + 1
            found = _FENCE.match(text, at)
            if found and _INDENT.fullmatch(text, line, at):
                fences.append(_Fence(line, found.end(), text[line:at], found[1], found[2].strip()))
            at = text.find(signs, found.end() if found else text.find("\n", at) + 1 or len(text))
    return sorted(fences)


def fenced(text: str, *, finished: bool) -> tuple[list[Block], _Fence | None]:
    """Return the closed blocks, and the fence that is left without its pair."""
    if "```" not in text and "~~~" not in text:
        return [], None
    blocks: list[Block] = []
    opening: _Fence | None = None
    for fence in _fences(text)[-2 * _BLOCKS :]:
        if opening is None:
            opening = fence
        elif fence.signs[0] == opening.signs[0] and len(fence.signs) >= len(opening.signs):
            if fence.info:  # a new block opens: the one before was never closed
                opening = fence
                continue
            blocks.append(_block(text, opening, opening.end + 1, fence.start))
            opening = None
    if opening is not None and finished and opening.info:
        end = len(text)
        if text[opening.end : end].strip():
            blocks.append(_block(text, opening, opening.end + 1, end))
            opening = None
    return blocks, opening


def _block(text: str, opening: _Fence, start: int, end: int) -> Block:
    content = text[start : max(start, end)]
    if opening.indent:
        lines = content.split("\n")
        spaces = " " * len(opening.indent)
        content = "\n".join(
            line.removeprefix(opening.indent if line.startswith(opening.indent) else spaces)
            for line in lines
        )
    content = content.strip("\n")
    word = _LANGUAGE.match(opening.info)
    language = word[1].lower() if word else ""
    found = _DEFINES.findall(content) if len(content) < 200_000 else []
    names = frozenset(name for groups in found for name in groups if name)
    return Block(
        start, start + len(text[start:end].rstrip("\n")), content.rstrip(), language, names
    )


_UNWRITTEN = re.compile(r"(?:\s*(?:#(?!!|include)|//|\.\.\.)[^\n]*(?:\n|\Z)|\s++)*")
"""Comments alone: "your code here"."""


def _chosen(blocks: list[Block], asked: str) -> Found | None:
    filled = [
        block for block in blocks if block.text.strip() and not _UNWRITTEN.fullmatch(block.text)
    ]
    if not filled:
        return None
    programs = [
        block
        for block in filled
        if block.language not in _NOT_PROGRAMS and not _TRANSCRIPT.match(block.text)
    ]
    if not programs:
        last = filled[-1]
        return _found(last.text, last, last, "last fenced block")
    if asked and (named := [block for block in programs if asked in block.defines]):
        return _with_helpers(programs, named[-1], "block that defines the asked name")
    defining = [block for block in programs if block.defines and not _is_demo(block, programs)]
    if defining:
        return _with_helpers(programs, defining[-1], "last block that defines the program")
    last = ([block for block in programs if _STATEMENT.search(block.text)] or programs)[-1]
    return _found(last.text, last, last, "last fenced block")


def _is_demo(block: Block, programs: list[Block]) -> bool:
    """Tell a test or demonstration of what an earlier block defines."""
    if not all(_TEST.search(name) for name in block.defines):
        return False
    others = (
        frozenset(name for other in programs if other is not block for name in other.defines)
        - block.defines
    )
    return any(name in others for name in _NAME.findall(block.text))


_IMPORTS = re.compile(
    r"(?:(?:import[ ]|from[ ][\w.]+[ ]import[ ]|#include|using[ ]|use[ ])[^\n(]{1,200}(?:\n|\Z)"
    r"|\s++)+"
)


def _with_helpers(programs: list[Block], chosen: Block, rule: str) -> Found:
    """Put the blocks before a program that define what it uses and lacks."""
    parts, known, used = [chosen], set(chosen.defines), set(_NAME.findall(chosen.text))
    for block in reversed(programs[: programs.index(chosen)]):
        wanted = (block.defines - known) & used
        if _IMPORTS.fullmatch(block.text):
            if used & set(_NAME.findall(block.text)) and block.text not in parts[-1].text:
                parts.insert(0, block)
        elif wanted and not block.defines & known and not _is_demo(block, programs):
            parts.insert(0, block)
            known |= block.defines
            used |= set(_NAME.findall(block.text))
    text = "\n\n".join(part.text for part in parts)
    return _found(text, parts[0], chosen, rule if len(parts) == 1 else f"{rule}, with its helpers")


def _found(text: str, first: Block, last: Block, rule: str) -> Found:
    return Found(text, first.start, last.end, rule)


def _around(text: str, fence: _Fence) -> Found | None:
    """Read a text with one fence: what follows an opening one, or stands before a closing one."""
    before, after = text[: fence.start], text[fence.end :]
    if before.strip() and not fence.info and (not after.strip() or _STARTS.search(before)):
        return _unfenced(text, 0, fence.start)
    start = fence.end + 1
    content = after.strip("\n")
    return (
        Found(content.rstrip(), start, len(text), "open fenced block") if content.strip() else None
    )


def _unfenced(text: str, start: int, end: int) -> Found | None:
    """Read a text without fences: from its first line of code to the last; all of it if none."""
    if inline := _INLINE.fullmatch(text, start, end):
        return Found(inline[2], inline.start(2), inline.end(2), "inline code")
    content = text[start:end]
    first = _STARTS.search(content)
    if first is None:
        return _indented(content, start) or _all(content, start)
    line = content.lstrip("\n").partition("\n")[0]
    if first.start() and (line[:1].isspace() or _CODE_LINE.match(line)):
        return _all(content, start)  # the body of a function that the prompt began
    code = content[first.start() :]
    lines = code.rstrip().split("\n")
    while len(lines) > 1 and not _CODE_LINE.match(lines[-1]):
        lines.pop()
    body = "\n".join(lines).rstrip()
    at = start + first.start()
    rule = "whole text" if len(body) >= len(content.strip()) else "unfenced code"
    return Found(body, at, at + len(body), rule)


_INLINE = re.compile(r"\s*(`{1,2})([^`\n]{1,2000})\1\s*")
_INDENTED = re.compile(
    r"(?:\A|\n)(?=[^\s\d])[^\n]*[:.]\n(?:[ \t]*\n){1,3}"
    r"((?:[ ]{4}|\t)(?:(?:async[ ])?def|class|import|from)[ ]\w[^\n]*"
    r"(?:\n(?:(?:[ ]{4}|\t)[^\n]*|[ \t]*))*)"
)
"""A sentence, an empty line and an indented program, as Markdown also writes code."""


def _indented(content: str, start: int) -> Found | None:
    blocks = [*_INDENTED.finditer(content)]
    if not blocks:
        return None
    body = blocks[-1][1].rstrip()
    indent = "\t" if body[0] == "\t" else " " * 4
    at = start + blocks[-1].start(1)
    text = "\n".join(line.removeprefix(indent) for line in body.split("\n"))
    return Found(text, at, at + len(body), "indented code")


_PROSE = re.compile(
    r"[ ]?[A-Z\"'*][^=;{}\[\]<>|\\$@#]{0,400}[^\W_][ ][^=;{}\[\]<>|\\$@#]{1,400}"
    r"[.!?][\"'*)]{0,3}\s*"
)
"""A line of words that ends like a sentence: a refusal, an excuse, a plan."""


def _all(content: str, start: int) -> Found | None:
    """Return all of a text; the indent of its first line belongs to a program."""
    found = content.strip("\n").rstrip()
    if all(_PROSE.fullmatch(line) for line in found.split("\n") if line.strip()):
        return None
    at = start + len(content) - len(content.lstrip("\n"))
    return Found(found, at, at + len(found), "whole text") if found.strip() else None
