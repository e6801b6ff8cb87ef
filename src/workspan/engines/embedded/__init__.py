"""The embedded engine: a real language model on this machine, in a worker process."""

from workspan.engines.embedded.engine import Embedded

__all__ = ["Embedded"]
