"""OpenTelemetry: spans with the conventions' names, no content, off unless configured."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from gateway.rig import Gate, Scripted, gate, replies, run, upstream, usage, whole
from workspan.serve.config import Config, Upstream
from workspan.serve.seeing.traces import ENDPOINTS, Traces, is_wished

pytest.importorskip("opentelemetry.sdk", reason="the extra [otel] is not installed")

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

NUMBER = [{"role": "user", "content": "What is 2 + 2? Reply with a single number. SECRET-PROMPT"}]
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


def traced(gw: Gate) -> InMemorySpanExporter:
    """Keep a gateway's spans in memory."""
    gateway, exporter = gw.serving.gateway, InMemorySpanExporter()
    models = gateway.routing.models
    gateway.traces = Traces(exporter, gateway.config, models, is_immediate=True)
    return exporter


async def spans(gw: Gate, exporter: InMemorySpanExporter, number: int = 1) -> list[ReadableSpan]:
    await gw.record(number)
    return list(exporter.get_finished_spans())


def test_a_request_is_the_parent_of_its_calls_and_the_child_of_the_client_s() -> None:
    async def main() -> None:
        told = whole("SECRET-ANSWER 4", completion=6)
        details = {"prompt_tokens_details": {"cached_tokens": 4}}
        told["usage"] = usage(25, 6, **details)
        async with Scripted(replies(told)).serve() as up, gate(up.url) as gw:
            exporter = traced(gw)
            headers = {
                "traceparent": f"00-{TRACE}-{PARENT}-01",
                "Authorization": "Bearer SECRET-KEY",
            }
            body = {"model": "m:self_consistency(n=3)", "messages": NUMBER, "user": "SECRET"}
            assert (await gw.post(body, headers=headers)).status == 200
            *calls, request = sorted(await spans(gw, exporter), key=lambda one: one.kind.value)[
                ::-1
            ]
            assert request.name == "POST /v1/chat/completions"
            assert request.kind.name == "SERVER"
            assert request.context is not None
            assert f"{request.context.trace_id:032x}" == TRACE
            assert request.parent is not None
            assert f"{request.parent.span_id:016x}" == PARENT
            said = dict(request.attributes or {})
            assert said["http.response.status_code"] == 200
            assert said["http.route"] == "/v1/chat/completions"
            assert (said["workspan.work"], said["workspan.span"]) == (18, 6)
            assert not [name for name in said if name.startswith("gen_ai.")]
            assert len(calls) == 3
            for call in calls:
                assert call.name == "chat m"
                assert call.kind.name == "CLIENT"
                assert call.parent is not None
                assert call.parent.span_id == request.context.span_id
                told_of = dict(call.attributes or {})
                assert told_of["gen_ai.operation.name"] == "chat"
                assert told_of["gen_ai.provider.name"] == "openai_compatible"
                assert told_of["gen_ai.request.model"] == "m"
                assert told_of["gen_ai.usage.input_tokens"] == 25
                assert told_of["gen_ai.usage.output_tokens"] == 6
                assert told_of["gen_ai.usage.cache_read.input_tokens"] == 4
                assert told_of["server.address"] == "127.0.0.1"
                assert told_of["server.port"] == up.port
                assert (call.start_time or 0) <= (call.end_time or 0)
                assert (request.start_time or 0) <= (call.start_time or 0)
            chosen = [one for one in calls if (one.attributes or {})["workspan.call.chosen"]]
            assert len(chosen) == 1
            everything = "".join(one.to_json() for one in (request, *calls))
            assert "SECRET" not in everything

    run(main)


def test_trouble_is_an_error_of_the_call_and_of_the_request_that_failed() -> None:
    async def main() -> None:
        async with (
            Scripted(replies({"error": {"message": "SECRET"}}, 503)).serve() as down,
            gate(upstream(down.url, "down")) as gw,
        ):
            exporter = traced(gw)
            assert (await gw.ask()).status == 503
            call, request = await spans(gw, exporter)
            assert request.status.status_code.name == "ERROR"
            assert call.status.status_code.name == "ERROR"
            assert (call.attributes or {})["error.type"] == "upstream_error"
            assert "SECRET" not in call.to_json() + request.to_json()
            assert not request.events
            await gw.ask(model="nope")
            refused = (await spans(gw, exporter, 2))[-1]
            assert refused.status.status_code.name == "UNSET"  # the client's, not the server's

    run(main)


def test_a_malformed_parent_begins_a_trace_of_its_own() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            exporter = traced(gw)
            for told in ("", "x", f"00-{'0' * 32}-{PARENT}-01", "00-" + "f" * 3_000):
                await gw.post({"model": "m", "messages": NUMBER}, headers={"traceparent": told})
            await gw.record(4)
            requests = [s for s in exporter.get_finished_spans() if s.kind.name == "SERVER"]
            assert [one.parent for one in requests] == [None] * 4

    run(main)


def test_what_is_no_completion_has_no_span() -> None:
    async def main() -> None:
        async with Scripted(replies(whole())).serve() as up, gate(up.url) as gw:
            exporter = traced(gw)
            for path in ("/healthz", "/metrics", "/v1/models", "/nowhere"):
                await gw.get(path)
            assert await spans(gw, exporter, 4) == []

    run(main)


def test_it_is_off_unless_configured() -> None:
    config = Config((Upstream("up", "http://127.0.0.1:9/v1", "m"),))
    assert not is_wished(config, {})
    for name in ENDPOINTS:
        assert is_wished(config, {name: "http://127.0.0.1:4318"})
        assert not is_wished(config, {name: "http://x", "OTEL_SDK_DISABLED": "true"})
        assert not is_wished(config, {name: "http://x", "OTEL_TRACES_EXPORTER": "none"})
    code = "import sys, workspan.serve.app; print([m for m in sys.modules if 'opentel' in m])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"


@contextmanager
def collector() -> Iterator[tuple[str, list[ExportTraceServiceRequest], list[str]]]:
    """Receive OTLP over HTTP on loopback, as a collector does."""
    got: list[ExportTraceServiceRequest] = []
    paths: list[str] = []

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            import gzip

            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.headers.get("Content-Encoding") == "gzip":
                body = gzip.decompress(body)
            assert self.headers["Content-Type"] == "application/x-protobuf"
            one = ExportTraceServiceRequest()
            one.ParseFromString(body)
            got.append(one)
            paths.append(self.path)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", got, paths
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("is_flag", [True, False])
def test_a_real_receiver_gets_them_by_the_end(
    is_flag: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main(address: str) -> None:
        told = address if is_flag else ""
        async with Scripted(replies(whole())).serve() as up, gate(up.url, otlp=told) as gw:
            await gw.ask(messages=NUMBER)
            await gw.record()

    with collector() as (address, got, paths):
        if not is_flag:
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", address)
        asyncio.run(main(address))
        assert set(paths) == {"/v1/traces"}
        resources = [one for request in got for one in request.resource_spans]
        names = [s.name for one in resources for scope in one.scope_spans for s in scope.spans]
        assert sorted(names) == ["POST /v1/chat/completions", "chat m"]
        said = {a.key: a.value.string_value for a in resources[0].resource.attributes}
        assert said["service.name"] == "workspan"
        assert b"SECRET" not in b"".join(one.SerializeToString() for one in got)


def test_a_collector_that_is_gone_holds_nothing_up() -> None:
    async def main() -> None:
        gone = "http://127.0.0.1:9"
        async with Scripted(replies(whole())).serve() as up, gate(up.url, otlp=gone) as gw:
            for _ in range(3):
                assert (await gw.ask(messages=NUMBER)).status == 200

    asyncio.run(asyncio.wait_for(main(), 60))
