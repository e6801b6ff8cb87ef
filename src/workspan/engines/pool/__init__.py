"""Several upstreams behind one door: who is asked, how each has answered, what each may take.

``health``, ``rates`` and ``members`` ask nobody anything: the gateway goes by them for what it
passes on, and `Pool` for what strategies ask.
"""

from workspan.engines.pool.engine import Pool
from workspan.engines.pool.members import Member, Members

__all__ = ["Member", "Members", "Pool"]
