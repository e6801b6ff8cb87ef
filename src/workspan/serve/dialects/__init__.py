"""The dialects beside Chat Completions: how each is read, spoken, and known of an upstream.

base                   what a dialect is
responses · messages   OpenAI's and Anthropic's
"""

from __future__ import annotations

from collections.abc import Mapping

from workspan.serve.dialects.base import Dialect, Voiced
from workspan.serve.dialects.messages import MESSAGES
from workspan.serve.dialects.responses import RESPONSES

DIALECTS: Mapping[str, Dialect] = {one.form: one for one in (RESPONSES, MESSAGES)}
"""By the form in which a request is passed on."""


__all__ = ["DIALECTS", "MESSAGES", "RESPONSES", "Dialect", "Voiced"]
