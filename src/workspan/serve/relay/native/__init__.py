"""Replies in the client's own dialect, from upstreams that speak it: metered, and else left alone.

base                   what is shared: events cut, counted and handed on as they came
responses · messages   each dialect's events, its ends, and how a cut is said
spoken                 which dialects an upstream speaks
asking                 what of a body is written anew
backward               a chat asked in Messages or Responses
"""

from __future__ import annotations

from collections.abc import Mapping

from workspan.serve.relay.native.base import Native
from workspan.serve.relay.native.messages import NativeMessages
from workspan.serve.relay.native.responses import NativeResponses

NATIVES: Mapping[str, type[Native]] = {"response": NativeResponses, "message": NativeMessages}
"""By the form of a request that is passed on."""

__all__ = ["NATIVES", "Native"]
