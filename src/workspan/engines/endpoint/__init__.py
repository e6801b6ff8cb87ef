"""Any OpenAI-compatible server: vLLM, SGLang, llama.cpp, Ollama, hosted models."""

from workspan.engines.endpoint.client import Retries, Timeouts
from workspan.engines.endpoint.engine import Endpoint

__all__ = ["Endpoint", "Retries", "Timeouts"]
