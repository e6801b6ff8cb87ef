"""Responses: a body read into Chat Completions, and a chat's reply written as items and events.

body           its settings
items · tools  its conversation; what the model may call
reply          the response, whole and as a stream
"""

from workspan.protocol.responses.body import carry
from workspan.protocol.responses.reply import Speaker

__all__ = ["Speaker", "carry"]
