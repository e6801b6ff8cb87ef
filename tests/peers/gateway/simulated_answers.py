"""What the simulated upstream answers: the form that a request asks for, and no model behind it."""

from __future__ import annotations

import base64
import json
import re
import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

TEXT = "The answer is 4."
AFTER_TOOL = "It is sunny there, as the tool says."
_FIELD = re.compile(r"\[\[ ## (\w+) ## \]\]")
_WORD = re.compile(r"</?think>|\s*(?:(?!</?think>)\S)+|\s+(?=</?think>)")
"""A tag is a token of its own, as it is to models that think."""
_SCALARS: Mapping[str, Any] = {
    "string": "Paris",
    "integer": 7,
    "number": 7.5,
    "boolean": True,
    "null": None,
}


def instance(schema: Mapping[str, Any], root: Mapping[str, Any] | None = None) -> Any:
    """Make a value that a JSON schema allows, the same each time."""
    root = schema if root is None else root
    if "$ref" in schema:
        found: Any = root
        for name in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[name]
        return instance(found, root)
    if "enum" in schema:
        return schema["enum"][0]
    if options := schema.get("anyOf") or schema.get("oneOf"):
        return instance(options[0], root)
    kind = schema.get("type", "object")
    kind = kind[0] if isinstance(kind, list) else kind
    if kind == "object":
        return {k: instance(v, root) for k, v in schema.get("properties", {}).items()}
    if kind == "array":
        return [instance(schema.get("items", {"type": "string"}), root)]
    return _SCALARS[kind]


ROLES = ("system", "developer", "user", "assistant", "tool", "function")


def refusal(path: str, body: Mapping[str, Any]) -> str:
    """Say what a server would refuse of a request; empty where it would answer."""
    if path == "chat/completions":
        turns = body.get("messages")
        is_chat = isinstance(turns, list) and turns and all(map(_is_turn, turns))
        return "" if is_chat else "messages are no chat"
    told = body.get("prompt" if path == "completions" else "input")
    return "" if isinstance(told, str) or _are_texts(told) else "what is asked is no text"


def _is_turn(told: Any) -> bool:
    if not isinstance(told, dict) or told.get("role") not in ROLES:
        return False
    content = told.get("content")
    return content is None or isinstance(content, str) or _are_parts(content)


def _are_parts(told: Any) -> bool:
    return isinstance(told, list) and all(
        isinstance(part, dict)
        and isinstance(part.get("type"), str)
        and part["type"]
        and (part["type"] != "text" or isinstance(part.get("text"), str))
        for part in told
    )


def _are_texts(told: Any) -> bool:
    if not isinstance(told, list) or not told:
        return False
    return (
        all(isinstance(one, str) for one in told)
        or _are_tokens(told)
        or all(isinstance(one, list) and one and _are_tokens(one) for one in told)
    )


def _are_tokens(told: list[Any]) -> bool:
    return all(type(one) is int or (type(one) is float and one.is_integer()) for one in told)


def message(body: Mapping[str, Any]) -> dict[str, Any]:
    """Answer a chat: a call of a tool, a value of a schema, a prompt's own fields, or a text."""
    last = body["messages"][-1]
    if (tool := _tool(body)) is not None and last["role"] != "tool":
        function = tool["function"]
        arguments = json.dumps(instance(function.get("parameters") or {}))
        call = {"name": function["name"], "arguments": arguments}
        calls = [{"id": "call_1", "type": "function", "function": call}]
        return {"role": "assistant", "content": None, "tool_calls": calls}
    return {"role": "assistant", "content": _text(body, last)}


def _tool(body: Mapping[str, Any]) -> dict[str, Any] | None:
    tools, choice = body.get("tools") or [], body.get("tool_choice")
    if not tools or choice == "none":
        return None
    wanted = choice["function"]["name"] if isinstance(choice, dict) else None
    found: dict[str, Any]
    for found in tools:
        if wanted in (None, found["function"]["name"]):
            return found
    return None


def _text(body: Mapping[str, Any], last: Mapping[str, Any]) -> str:
    if last["role"] == "tool":
        return AFTER_TOOL
    form = body.get("response_format") or {}
    if form.get("type") == "json_schema":
        return json.dumps(instance(form["json_schema"]["schema"]))
    if form.get("type") == "json_object":
        return json.dumps({"city": "Paris", "population": 7})
    content = last.get("content")
    said = content if isinstance(content, str) else json.dumps(content)
    if names := _FIELD.findall(said.rpartition("Respond")[2]):
        return "\n\n".join(
            f"[[ ## {name} ## ]]\n{'' if name == 'completed' else 4}" for name in names
        )
    return TEXT


def words(text: str) -> list[str]:
    """Cut a text into what this upstream calls tokens."""
    return _WORD.findall(text) or [""]


def decoded(told: Mapping[str, Any]) -> int:
    """Count the tokens of a message."""
    calls = told.get("tool_calls") or []
    texts = [told.get("content") or "", told.get("reasoning_content") or ""]
    texts += [call["function"]["arguments"] for call in calls]
    return sum(len(words(text)) for text in texts if text)


def read(body: Mapping[str, Any]) -> int:
    """Count the tokens of a prompt."""
    return len(words(json.dumps(body.get("messages") or body.get("prompt") or body.get("input"))))


def usage(prompt: int, completion: int) -> dict[str, int]:
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
    }


def scored(text: str, top: int) -> dict[str, Any]:
    """Score a text's tokens as chats do."""
    alternatives = [{"token": "x", "logprob": -2.0, "bytes": [120]}] * top
    content = [
        {"token": word, "logprob": -0.5, "bytes": [*word.encode()], "top_logprobs": alternatives}
        for word in words(text)
    ]
    return {"content": content, "refusal": None}


def whole(body: Mapping[str, Any], told: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Write a whole chat reply."""
    told = message(body) if told is None else told
    choices = []
    for index in range(body.get("n") or 1):
        choice = {"index": index, "message": told, "finish_reason": _finish(told)}
        if body.get("logprobs"):
            choice["logprobs"] = scored(told.get("content") or "", body.get("top_logprobs") or 0)
        choices.append(choice)
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": choices,
        "usage": usage(read(body), decoded(told) * len(choices)),
    }


def _finish(told: Mapping[str, Any]) -> str:
    return "tool_calls" if told.get("tool_calls") else "stop"


def chunks(
    body: Mapping[str, Any], told: Mapping[str, Any] | None = None
) -> Iterator[dict[str, Any]]:
    """Write a chat reply as the events of a stream, usage where it was asked for."""
    told = message(body) if told is None else told
    count = body.get("n") or 1
    for index in range(count):
        yield _chunk(body, index, {"role": "assistant", "content": ""})
        if thought := told.get("reasoning_content"):
            yield _chunk(body, index, {"reasoning_content": thought})
        for word in words(told["content"]) if told.get("content") else ():
            chunk = _chunk(body, index, {"content": word})
            if body.get("logprobs"):
                chunk["choices"][0]["logprobs"] = scored(word, body.get("top_logprobs") or 0)
            yield chunk
        for number, call in enumerate(told.get("tool_calls") or ()):
            for fragment in fragments(call):
                yield _chunk(body, index, {"tool_calls": [{"index": number, **fragment}]})
        yield _chunk(body, index, {}, _finish(told))
    if (body.get("stream_options") or {}).get("include_usage"):
        frame = _chunk(body, 0, {})
        yield {**frame, "choices": [], "usage": usage(read(body), decoded(told) * count)}


def fragments(call: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Cut a call: its id, type and name once, then pieces of its arguments."""
    function = call["function"]
    yield {**call, "function": {**function, "arguments": ""}}
    text = function["arguments"]
    for at in range(0, len(text), 5):
        yield {"function": {"arguments": text[at : at + 5]}}


def _chunk(
    body: Mapping[str, Any], index: int, delta: Mapping[str, Any], finish: str | None = None
) -> dict[str, Any]:
    return {
        "id": "chatcmpl-simulated",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": [{"index": index, "delta": delta, "finish_reason": finish}],
    }


def completion(body: Mapping[str, Any]) -> dict[str, Any]:
    """Go on from a text, or from tokens, echoed and scored where that is asked for."""
    prompts = body["prompt"]
    if isinstance(prompts, str) or isinstance(prompts[0], int | float):
        prompts = [prompts]
    choices = []
    for index, prompt in enumerate(prompts):
        before = words(prompt) if isinstance(prompt, str) else [f" {token}" for token in prompt]
        after = words(" 4.")[: body.get("max_tokens") or 1]
        tokens = [*(before if body.get("echo") else ()), *after]
        choice: dict[str, Any] = {"index": index, "text": "".join(tokens), "finish_reason": "stop"}
        choice["logprobs"] = _scored_text(tokens) if body.get("logprobs") else None
        choices.append(choice)
    return {
        "id": "cmpl-simulated",
        "object": "text_completion",
        "created": 1_700_000_000,
        "model": body["model"],
        "choices": choices,
        "usage": usage(read(body), len(choices)),
    }


def _scored_text(tokens: Sequence[str]) -> dict[str, Any]:
    return {
        "tokens": tokens,
        "token_logprobs": [None, *[-0.5] * (len(tokens) - 1)],
        "top_logprobs": [None, *({token: -0.5} for token in tokens[1:])],
        "text_offset": [sum(map(len, tokens[:place])) for place in range(len(tokens))],
    }


VECTOR = (0.5, -0.25, 0.125)


def embedding(body: Mapping[str, Any]) -> dict[str, Any]:
    """Turn texts into vectors, written as numbers or as base64."""
    texts = body["input"] if isinstance(body["input"], list) else [body["input"]]
    packed = base64.b64encode(struct.pack("<3f", *VECTOR)).decode()
    vector = packed if body.get("encoding_format") == "base64" else [*VECTOR]
    data = [{"object": "embedding", "index": i, "embedding": vector} for i in range(len(texts))]
    told = {"prompt_tokens": len(texts), "total_tokens": len(texts)}
    return {"object": "list", "data": data, "model": body["model"], "usage": told}
