"""The table of what servers refuse, and how a refusal is told from a mention in passing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from workspan.engines.endpoint.complaints import Complaint, Objection

CAP_NAMES = ("max_tokens", "max_completion_tokens")
"""The two names of the cap; a request without one of them is never sent."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A field that some servers refuse."""

    loss: str = ""
    """What its loss means to whoever asked for it; empty where no answer changes."""
    spelling: str = ""
    """How a text names it, where the bare name is a word of its own; a regular expression."""
    others: tuple[str, ...] = ()
    """Names that it has elsewhere, such as in a provider behind a gateway."""
    is_range: bool = False
    """A complaint about its value is a refusal, too: the only value left is the default."""


_LISTED = r"(?:parameters?|arguments?|fields?|property|keys?|inputs?|supplied):?\s*\[?"
"""What a text writes before the bare name of a field."""

SETTINGS: Mapping[str, Setting] = {
    "stream": Setting(
        "whole replies are asked for, which can't be cut before their end",
        spelling=r"['\"`]stream['\"`]|\bstreaming\b|\bto stream\b|^\s*stream\b"
        r"|\bstream(?: (?:is|must|mode|parameter|requests?|responses?|not)\b|\s*=)"
        rf"|{_LISTED}stream\b",
        is_range=True,
    ),
    "stream_options": Setting(others=("include_usage", "continuous_usage_stats")),
    "seed": Setting("its draws can't be repeated", others=("random_seed",)),
    "temperature": Setting("it samples at its own default"),
    "top_p": Setting("it samples at its own default", others=("topP",)),
    "stop": Setting(
        "answers end where the model ends them",
        spelling=r"['\"`]stop['\"`]|\bstop (?:sequences?|words?|strings?|tokens?)\b"
        rf"|{_LISTED}stop\b"
        r"|^\s*stop\b",
        others=("stop_sequences", "stopSequences"),
    ),
    "presence_penalty": Setting("it was given up", others=("presencePenalty",)),
    "frequency_penalty": Setting("it was given up", others=("frequencyPenalty",)),
    "logprobs": Setting(
        "no answer has log-probabilities", others=("responseLogprobs", "log_probs")
    ),
    "top_logprobs": Setting("no answer has the confidence that rests on them"),
    "n": Setting(
        spelling=r"['\"`]n['\"`]|\bn\s*(?:=|>|is\b|must\b)"
        rf"|{_LISTED}n\b"
        r"|^\s*n\s*:|multiple (?:choices|completions)",
        others=("candidateCount", "candidate_count"),
        is_range=True,
    ),
    "reasoning_effort": Setting("it thinks as much as it likes", others=("reasoning",)),
    "add_generation_prompt": Setting("that it continues a beginning is taken on trust"),
    "continue_final_message": Setting("that it continues a beginning is taken on trust"),
}
"""By the name on the wire. What the engine's owner adds to a body is refused the same way."""

_NEVER = frozenset({"model", "messages", "prompt", *CAP_NAMES})
"""Without these a request is another one."""

_TEACHING = frozenset({400, 403, 415, 422, 500, 501})

_FIELD = r"(?:param|argument|arg|field|name|key|keyword|propert|option|setting|input|value)"
_REFUSED = re.compile(
    rf"un(?:supported|known|recogni[sz]ed|expected)[_ ]*(?:request |keyword |body |extra )?{_FIELD}"
    r"|unsupported:|(?:is|are|was|were) un(?:supported|known|recogni[sz]ed|expected)"
    r"|disallowed|deprecated|extra_forbidden|(?:fields?|inputs?|is|are) forbidden"
    rf"|extra {_FIELD}|cannot find field|additional propert"
    r"|no longer supported|not_supported"
    r"|\b(?:not|isn't|aren't|never)(?: currently| yet| be| been)*"
    r" (?:supported|permitted|allowed|accepted|recogni[sz]ed|available|enabled|implemented"
    r"|a (?:valid|known|recogni[sz]ed))"
    r"|(?:does|do|did|can|may|could|should|must)(?: not|n't|not)(?: currently| yet)*"
    r" (?:support|accept|allow|recogni[sz]e|handle|implement|know|use|specify|set"
    r"|be (?:used|set|specified|changed|supplied|sent|combined))\b"
    r"|only the default|verified to|both be (?:specified|set)"
    r"|only [\w.'\"`=()]+(?: \([^)]*\))?(?: value)? is (?:allowed|supported|accepted|permitted)"
    r"|(?:may only be set|must be(?: set| equal)?)(?: to)? (?:1(?:\.0)?|false|true|none|null)\b"
    r"|should be (?:false|true|none|null)|invalid (?:parameter|argument|field|key)",
    re.IGNORECASE,
)
"""A field as such is refused."""

_RANGE = re.compile(
    r"supported values|valid values|must be (?:between|one of|in\b|less|greater|at (?:most|least)"
    r"|an? |[<>]|positive|no (?:more|less))|should be (?:less|greater|between|an? |one of|[<>])"
    r"|expected an? |expected one of|too (?:large|long|many|high|big|small|low|short)"
    r"|(?:above|below|exceed\w*|over)\b.{0,20}(?:maximum|minimum|max|min|limit|allowed)"
    r"|out of range|greater than|less than|at most|maximum|invalid type"
    r"|(?<!input)_type\b|_parsing\b",
    re.IGNORECASE,
)
"""The field is known, and its value is wrong: the caller's to mend."""

_NO_FIELD = re.compile(r"model_not_found|does not exist|no such model|not found", re.IGNORECASE)
_NAMED_MODEL = re.compile(
    r"\bmodels?\s*[=:]?\s*(?:[`'\"][^`'\"]+[`'\"]|\S*[\d/:-]\S*)", re.IGNORECASE
)
_SUBORDINATE = re.compile(
    r",?\s*\b(?:expected\b|did you mean|instead of|supported (?:parameters|fields|arguments)"
    r"|(?:allowed|valid|known) (?:parameters|fields|arguments|keys|names)).*"
    r"|\b(?:when|while|unless|because|since|if|with|for)\b[^,;:]*",
    re.IGNORECASE | re.DOTALL,
)
"""What a sentence says beside its point; fields named there are no lesson."""
_SENTENCE = re.compile(r"(?<=[.;!?])\s+|\n")
_ONE_OF_TWO = re.compile(r"temperature.{0,20}top_p.{0,20}both", re.IGNORECASE | re.DOTALL)


def refused_fields(complaint: Complaint, sent: Mapping[str, Any], model: str) -> set[str]:
    """Return those of the fields sent that a refusal gives as its reason."""
    if complaint.status not in _TEACHING or _NO_FIELD.search(complaint.marks):
        return set()
    can = [name for name in sent if name not in _NEVER]
    found: set[str] = set()
    for objection in complaint.objections:
        found |= _of_objection(objection, can, model)
    return found


def is_cap_refused(complaint: Complaint, name: str, model: str) -> bool:
    """Tell that the cap is refused by this name, rather than its value."""
    if complaint.status not in _TEACHING or not name:
        return False
    return any(_of_objection(objection, [name], model) for objection in complaint.objections)


def _of_objection(objection: Objection, can: list[str], model: str) -> set[str]:
    text = objection.text
    if objection.field:
        named = {name for name in can if objection.field in (name, *_others(name))}
        return {name for name in named if _is_refused(name, text)}
    found: set[str] = set()
    if _ONE_OF_TWO.search(text) and "top_p" in can:
        return {"top_p"}
    if _VALUES.search(text):
        can = [name for name in can if _takes_range(name)]
    for sentence in _SENTENCE.split(re.sub(r"\n[ \t]+", ": ", text)):
        unnamed = re.sub(_whole(model), " ", sentence) if model else sentence
        point = _NAMED_MODEL.sub(" ", unnamed)
        point = _SUBORDINATE.sub(" ", point)
        found |= {name for name in can if _names(name, point) and _is_refused(name, point)}
    return found


_VALUES = re.compile(r"supported values|valid values", re.IGNORECASE)


def _is_refused(name: str, text: str) -> bool:
    if _takes_range(name) and _RANGE.search(text):
        return True
    return bool(_REFUSED.search(text)) and not _RANGE.search(text)


def _takes_range(name: str) -> bool:
    known = SETTINGS.get(name)
    return known is not None and known.is_range


def _others(name: str) -> tuple[str, ...]:
    known = SETTINGS.get(name)
    return known.others if known else ()


def _names(name: str, text: str) -> bool:
    """Tell whether a text names a field, and not a longer word that holds its name."""
    known = SETTINGS.get(name)
    bare = known.spelling if known and known.spelling else _whole(name)
    spelled = "|".join([f"(?:{bare})", *map(_whole, known.others if known else ())])
    return re.search(spelled, text, re.IGNORECASE) is not None


def _whole(name: str) -> str:
    return rf"(?<![\w.\-/]){re.escape(name)}(?![\w\-/])"


@dataclass(frozen=True, slots=True)
class Limits:
    """Tokens, as far as a refusal tells them."""

    context: int | None = None
    completion: int | None = None
    prompt: int | None = None


_NUMBER = r"(\d[\d,_]*)"
_CONTEXTS = (
    rf"exceed context limit: \d+ \+ \d+ > {_NUMBER}",
    rf"context (?:length|size|window|limit)[^.\d]{{0,60}}?{_NUMBER}",
    rf"{_NUMBER}[\w\s-]{{0,12}}(?:maximum )?context (?:length|size|window)",
    rf"max_model_len\W{{0,3}}{_NUMBER}",
    rf"exceeds? (?:the )?limit of {_NUMBER}",
    rf"maximum number of tokens allowed \({_NUMBER}\)",
    rf"`max_new_tokens` must be <= {_NUMBER}",
)
_COMPLETIONS = (
    rf"at most {_NUMBER} (?:completion|output) tokens",
    rf"maximum (?:allowed )?(?:number of )?(?:output|completion) tokens[^.\d]{{0,30}}{_NUMBER}",
    rf"> {_NUMBER}, which is the maximum allowed number of output tokens",
    rf"max(?:_completion|_output)?_tokens\W+(?:must|should) be (?:less than or equal to|<=|"
    rf"at most|no more than)\W{{0,3}}{_NUMBER}",
    rf"valid range of max_tokens is \[\d+, ?{_NUMBER}\]",
)
_PROMPTS = (
    rf"{_NUMBER} (?:tokens )?(?:in|from) (?:the|your) (?:messages|prompt|input)",
    rf"{_NUMBER} input tokens",
    rf"messages resulted in {_NUMBER}",
    rf"prompt contains {_NUMBER}",
    rf"(?:input|request|prompt) \({_NUMBER} tokens\)",
    rf"input token count \({_NUMBER}\)",
    rf"given: {_NUMBER} `inputs`",
    rf"exceed context limit: {_NUMBER} \+",
)
_SMALLEST, _LARGEST = 1, 1 << 31


def limits_told(complaint: Complaint) -> Limits | None:
    """Read the limits out of a refusal; None where it tells none."""
    if complaint.status not in {400, 413, 422, 500}:
        return None
    text, figures = complaint.text, complaint.figures
    completion = _first(_COMPLETIONS, text)
    if completion is not None:
        return Limits(completion=completion)
    context = _sane(figures.get("n_ctx")) or _first(_CONTEXTS, text)
    if context is None:
        return None
    prompt = _sane(figures.get("n_prompt_tokens")) or _first(_PROMPTS, text)
    return Limits(context=context, prompt=prompt)


def _first(patterns: tuple[str, ...], text: str) -> int | None:
    for pattern in patterns:
        if match := re.search(pattern, text, re.IGNORECASE):
            return _sane(int(re.sub(r"[,_]", "", match[1])[:12]))
    return None


def _sane(value: int | None) -> int | None:
    return value if value is not None and _SMALLEST <= value < _LARGEST else None
