"""What a server's rejection means: from complaints and finish reasons to typed errors."""

from __future__ import annotations

import re

from workspan.engines.endpoint.complaints import Complaint
from workspan.errors import (
    ContextExceeded,
    EngineError,
    EngineRejected,
    EngineUnavailable,
)

_CONTEXT = re.compile(
    r"context[ _](length|size|window|limit)|maximum context|exceed_context|max_model_len"
    r"|(prompt|input) (is )?too long|too many (input )?tokens|input token count"
    r"|`inputs` tokens \+",
    re.IGNORECASE,
)
_RETRYABLE = frozenset({408, 409, 425, 429})
_FINAL = frozenset({501, 505})
_SPENT = re.compile(
    r"insufficient[_ ](quota|balance|credits?|funds)|exceeded_current_quota|billing[_ ]hard|"
    r"credits? (is|are|has been|have been) (used up|exhausted)|PerDay|out of credits|"
    r"arrearage|account.{0,20}suspended",
    re.IGNORECASE,
)
"""What no waiting brings back today, whatever Retry-After says."""
_MONEY = re.compile(r"billing|quota|balance", re.IGNORECASE)
"""What may be a limit of the minute, too: final where the server names no time to wait."""


def rejection(complaint: Complaint, url: str) -> EngineError:
    """Choose the error for a rejection."""
    status = complaint.status
    told = f"{url} answered {status}: {complaint.words}"
    everything = f"{complaint.text} {complaint.marks}"
    if 300 <= status < 400:
        return EngineRejected(
            f"{url} redirects to {complaint.location}; redirects are not followed: "
            "name the final address",
            status=status,
        )
    if status in {401, 403}:
        return EngineRejected(
            f"{told}; is the key right? It is read from WORKSPAN_API_KEY or OPENAI_API_KEY, "
            "or given as api_key (--api-key-env)",
            status=status,
        )
    if status == 413 or (status in {400, 422, 500} and _CONTEXT.search(everything)):
        return ContextExceeded(told, status=status)
    if (
        (status in _RETRYABLE or status >= 500)
        and status not in _FINAL
        and not _is_spent(complaint)
    ):
        return EngineUnavailable(told, status=status, retry_after=complaint.retry_after)
    return EngineRejected(told, status=status)


def _is_spent(complaint: Complaint) -> bool:
    """Tell a quota that is used up from a rate that is too high."""
    everything = f"{complaint.text} {complaint.marks}"
    if _SPENT.search(everything):
        return True
    waits = complaint.retry_after is not None
    return complaint.status == 429 and not waits and bool(_MONEY.search(everything))


_FINISHES = {
    "stop": "stop",
    "stopped": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "end_of_sequence": "stop",
    "end_turn": "stop",
    "endoftext": "stop",
    "eos_token_id": "stop",
    "stop_sequence": "stop",
    "stop_token": "stop",
    "stop_word": "stop",
    "complete": "stop",
    "completed": "stop",
    "finished": "stop",
    "done": "stop",
    "success": "stop",
    "normal": "stop",
    "finish_reason_stop": "stop",
    "tool_calls": "stop",
    "tool_call": "stop",
    "tool_use": "stop",
    "function_call": "stop",
    "length": "length",
    "max_tokens": "length",
    "max_new_tokens": "length",
    "max_output_tokens": "length",
    "max_completion_tokens": "length",
    "max_length": "length",
    "maxtokens": "length",
    "token_limit": "length",
    "model_length": "length",
    "context_length": "length",
    "model_context_window_exceeded": "length",
    "finish_reason_max_tokens": "length",
    "limit": "length",
    "truncated": "length",
    "incomplete": "length",
    "content_filter": "withheld",
    "content_filtered": "withheld",
    "safety": "withheld",
    "recitation": "withheld",
    "blocklist": "withheld",
    "prohibited_content": "withheld",
    "spii": "withheld",
    "image_safety": "withheld",
    "language": "withheld",
    "refusal": "withheld",
    "sensitive": "withheld",
    "guardrail_intervened": "withheld",
    "error_toxic": "withheld",
    "error_limit": "length",
    "user_cancel": "given up",
    "malformed_function_call": "given up",
    "abort": "given up",
    "aborted": "given up",
    "cancel": "given up",
    "cancelled": "given up",
    "canceled": "given up",
    "error": "given up",
    "failed": "given up",
    "timeout": "given up",
    "network_error": "given up",
    "insufficient_system_resource": "given up",
}
"""In lower case, with low lines: those of OpenAI, vLLM, SGLang, TGI, llama.cpp, Ollama, Anthropic,
Gemini, Mistral, DeepSeek, Cohere, Zhipu, Bedrock and OpenRouter."""


def finish_of(reason: str) -> str:
    """Translate a server's finish reason into "stop" or "length".

    One that nobody knows is "stop": the server says that the answer has ended, and an answer that
    has arrived is not thrown away to be paid for twice. What was wrong with it shows in its text.

    Raises:
        EngineRejected: the provider withheld the answer.
        EngineUnavailable: the server gave the answer up.
    """
    finish = _FINISHES.get(reason) or _FINISHES.get(_plain(reason), "stop")
    if finish == "withheld":
        raise EngineRejected(f"the provider's content filter withheld the answer: {reason[:40]!r}")
    if finish == "given up":
        raise EngineUnavailable(f"the server gave the answer up: finish_reason {reason[:40]!r}")
    return finish


def _plain(reason: str) -> str:
    """Return a reason in lower case, its words with low lines between them."""
    name = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", reason.strip())
    return re.sub(r"[\s-]+", "_", name).lower()
