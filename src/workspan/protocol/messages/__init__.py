"""Messages: a body read into Chat Completions, and a chat's reply written as blocks and events.

body     its settings and tools
blocks   its conversation
reply    the message, whole and as a stream
telling · hearing   the other way: a chat asked in Messages, and what comes back
"""

from workspan.protocol.messages.body import carry
from workspan.protocol.messages.reply import Speaker

__all__ = ["Speaker", "carry"]
