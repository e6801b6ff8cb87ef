"""The path of strategies: a client's turn is drawn several times, and one of the drafts returned.

`plan` says what a request is worth before anything is spent; `answer` and `stream` do it.
"""

from workspan.serve.rules import Rules
from workspan.serve.scaled.answering import Account, Reply, answer
from workspan.serve.scaled.plan import Plan, plan
from workspan.serve.scaled.streaming import stream

__all__ = ["Account", "Plan", "Reply", "Rules", "answer", "plan", "stream"]
