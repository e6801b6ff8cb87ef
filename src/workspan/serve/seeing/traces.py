"""Requests and their calls as OpenTelemetry's spans: written once a request is over, never content.

Names are those of the GenAI semantic conventions, whose status is "development": they have moved to
a repository of their own, open-telemetry/semantic-conventions-genai, which has no release yet
(its page docs/gen-ai/gen-ai-spans.md as of commit 002c8a6). HTTP, server and error attributes are
the stable ones of semantic conventions 1.41. What neither has is called ``workspan.…``.

A request's span is the parent of its calls', and the child of the client's own, where the client
sends one. Usage stands on the calls alone, so that adding spans up counts no token twice.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from workspan.errors import MissingDependency
from workspan.serve.config import Config
from workspan.serve.seeing.record import Record
from workspan.serve.seeing.timeline import Bar

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

ENDPOINTS = ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT")
_OPERATIONS = {"chat/completions": "chat", "completions": "text_completion"}
_PROVIDERS = {
    "api.openai.com": "openai",
    "openai.azure.com": "azure.ai.openai",
    "api.anthropic.com": "anthropic",
    "api.mistral.ai": "mistral_ai",
    "api.deepseek.com": "deepseek",
    "api.groq.com": "groq",
    "api.x.ai": "x_ai",
    "api.perplexity.ai": "perplexity",
    "api.cohere.com": "cohere",
    "api.moonshot.ai": "moonshot_ai",
    "generativelanguage.googleapis.com": "gcp.gemini",
}
"""Well-known names, by the end of a host's; all others speak the same protocol."""
_UNKNOWN = "openai_compatible"
_LAST_SECONDS = 3.0
_BROKEN = frozenset({"failed", "lost"})


def is_wished(config: Config, environment: Mapping[str, str] = os.environ) -> bool:
    """Tell whether traces are to be sent."""
    if config.otlp:
        return True
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true":
        return False
    if environment.get("OTEL_TRACES_EXPORTER", "otlp") == "none":
        return False
    return any(environment.get(name) for name in ENDPOINTS)


def traces_of(config: Config, models: Mapping[str, str]) -> Traces | None:
    """Return what sends traces; None where nobody wishes for any.

    Raises:
        MissingDependency: they were asked for by an option, and OpenTelemetry is not installed.
    """
    if not is_wished(config):
        return None
    try:
        exporter = _exporter(config.otlp)
    except ImportError:
        if config.otlp:
            raise MissingDependency("--otlp", "otel") from None
        sys.stderr.write(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and no traces are sent: they need "
            "pip install 'workspan[otel]'\n"
        )
        return None
    return Traces(exporter, config, models)


def _exporter(address: str) -> SpanExporter:
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    if not address:
        return OTLPSpanExporter()  # from the environment
    at = address.rstrip("/")
    return OTLPSpanExporter(endpoint=at if at.endswith("/v1/traces") else f"{at}/v1/traces")


class Traces:
    """The spans of one process, sent in batches by a thread of their own."""

    def __init__(
        self,
        exporter: SpanExporter,
        config: Config,
        models: Mapping[str, str],
        *,
        is_immediate: bool = False,
    ) -> None:
        """Take where they go; `is_immediate` sends each at once, for tests."""
        from opentelemetry import trace
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        import workspan

        named = os.environ.get("OTEL_SERVICE_NAME", "workspan")
        resource = Resource.create({"service.name": named, "service.version": workspan.__version__})
        self._provider: TracerProvider = TracerProvider(resource=resource, shutdown_on_exit=False)
        of = SimpleSpanProcessor if is_immediate else BatchSpanProcessor
        self._provider.add_span_processor(of(exporter))
        self._tracer = self._provider.get_tracer("workspan.serve", workspan.__version__)
        self._extract = TraceContextTextMapPropagator().extract
        self._trace = trace
        self._places = {one.name: _place(one.engine) for one in config.upstreams}
        self._models = models

    def add(self, record: Record) -> None:
        """Write the spans of a request that is over."""
        trace = self._trace
        parent = self._extract(dict(record.parent)) if record.parent else None
        began = record.at
        span = self._tracer.start_span(
            f"{record.method} {record.route}",
            context=parent,
            kind=trace.SpanKind.SERVER,
            attributes=_of_request(record),
            start_time=_nanoseconds(began),
        )
        if record.status >= 500:
            span.set_attribute("error.type", record.code or str(record.status))
            span.set_status(trace.StatusCode.ERROR)
        if span.is_recording():
            inside = trace.set_span_in_context(span)
            for bar in record.timeline.bars:
                self._call(record, bar, inside)
        span.end(_nanoseconds(began + record.seconds))

    def _call(self, record: Record, bar: Bar, inside: Any) -> None:
        trace = self._trace
        operation = _operation(record.route)
        model = self._models.get(bar.engine) or bar.engine
        span = self._tracer.start_span(
            f"{operation} {model}",
            context=inside,
            kind=trace.SpanKind.CLIENT,
            attributes=self._of_call(record, bar, operation, model),
            start_time=_nanoseconds(record.at + bar.began),
        )
        if bar.outcome in _BROKEN:
            codes = [code for engine, code in record.failures if engine == bar.engine and code]
            span.set_attribute("error.type", codes[0] if codes else bar.outcome)
            span.set_status(trace.StatusCode.ERROR)
        span.end(_nanoseconds(record.at + max(bar.ended, bar.began)))

    def _of_call(
        self, record: Record, bar: Bar, operation: str, model: str
    ) -> dict[str, str | int | bool]:
        provider, address, port = self._places.get(bar.engine, (_UNKNOWN, "", 0))
        usage = bar.usage
        told: dict[str, str | int | bool] = {
            "gen_ai.operation.name": operation,
            "gen_ai.provider.name": provider,
            "gen_ai.request.model": model,
            "gen_ai.request.stream": record.is_stream or bool(record.strategy),
            "gen_ai.usage.input_tokens": usage.input_tokens,
            "gen_ai.usage.output_tokens": usage.output_tokens,
            "workspan.call.key": bar.key,
            "workspan.call.start": bar.start,
            "workspan.call.outcome": bar.outcome,
            "workspan.call.chosen": bar.is_chosen,
            "workspan.engine": bar.engine,
        }
        if usage.cached_tokens:
            told["gen_ai.usage.cache_read.input_tokens"] = usage.cached_tokens
        if usage.reasoning_tokens:
            told["gen_ai.usage.reasoning.output_tokens"] = usage.reasoning_tokens
        if bar.vote is not None:
            told["workspan.call.vote"] = bar.vote
        if address:
            told |= {"server.address": address, "server.port": port}
        return told

    async def aclose(self) -> None:
        """Send what is left; a collector that is gone is not waited for long."""
        loop, done = asyncio.get_running_loop(), asyncio.Event()

        def end() -> None:
            self._provider.shutdown()
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(done.set)

        threading.Thread(target=end, name="workspan-traces-end", daemon=True).start()
        with suppress(TimeoutError):
            await asyncio.wait_for(done.wait(), _LAST_SECONDS)


def _of_request(record: Record) -> dict[str, str | int | float | bool]:
    total = record.total
    told: dict[str, str | int | float | bool] = {
        "http.request.method": record.method,
        "http.route": record.route,
        "http.response.status_code": record.status,
        "workspan.request.id": record.id,
        "workspan.stream": record.is_stream,
        "workspan.calls": total.calls,
        "workspan.work": total.output_tokens,
        "workspan.span": record.span or total.output_tokens,
        "workspan.source": total.source,
        "workspan.overrun": record.over,
        "workspan.overhead_ms": record.overhead_ms,
        "workspan.queue_seconds": record.queued,
    }
    words = {
        "workspan.key.id": record.key,
        "workspan.engine": record.engine,
        "workspan.strategy": record.strategy,
        "workspan.straight": record.why_straight,
        "workspan.stop": record.stop,
        "workspan.code": record.code,
    }
    told |= {name: word[:200] for name, word in words.items() if word}
    return told if total.cost is None else told | {"workspan.cost_usd": float(total.cost)}


def _operation(route: str) -> str:
    return _OPERATIONS.get(route.removeprefix("/v1").strip("/"), "embeddings")


def _place(engine: str) -> tuple[str, str, int]:
    """Return the provider, the host and the port of an engine; of one in this process its kind."""
    if not engine.startswith(("http://", "https://")):
        return "workspan", "", 0
    parts = urlsplit(engine)
    host = parts.hostname or ""
    port = parts.port or (443 if parts.scheme == "https" else 80)
    known = (name for end, name in _PROVIDERS.items() if host == end or host.endswith(f".{end}"))
    return next(known, _UNKNOWN), host, port


def _nanoseconds(seconds: float) -> int:
    return int(seconds * 1e9)
