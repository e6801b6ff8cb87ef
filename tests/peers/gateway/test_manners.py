"""How a key is shown, which address is asked, and what a retry is billed: the same for all."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from urllib.parse import urlsplit

import pytest

from peers.gateway.conftest import Keyed
from peers.gateway.served import Served
from peers.gateway.simulated_upstream import SECRET, Upstream

BODY = json.dumps({"model": "m", "messages": [{"role": "user", "content": "What is 2 + 2?"}]})


def post(
    gateway: Served,
    headers: Mapping[str, str],
    path: str = "/v1/chat/completions",
    body: str = BODY,
) -> tuple[int, dict[str, str], str]:
    address = urlsplit(gateway.url)
    connection = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=60)
    try:
        connection.request("POST", path, body, {"Content-Type": "application/json", **headers})
        reply = connection.getresponse()
        told = {name.lower(): value for name, value in reply.getheaders()}
        return reply.status, told, reply.read().decode()
    finally:
        connection.close()


SHOWN: Mapping[str, Mapping[str, str]] = {
    "bearer": {"Authorization": "Bearer {}"},
    "lower case": {"authorization": "bearer {}"},
    "x-api-key": {"x-api-key": "{}"},
    "both, as Continue sends": {"Authorization": "Bearer {}", "x-api-key": "{}"},
}


@pytest.mark.parametrize("how", SHOWN)
def test_a_key_is_taken_from_either_header(keyed: Keyed, upstream: Upstream, how: str) -> None:
    upstream.clear()
    headers = {name: value.format(keyed.rich) for name, value in SHOWN[how].items()}
    status, _, text = post(keyed.gateway, headers)
    assert status == 200, text
    (seen,) = upstream.seen
    assert seen.headers["authorization"] == f"Bearer {SECRET}"
    assert "x-api-key" not in seen.headers
    assert keyed.rich not in json.dumps(seen.headers)


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer sk-no"}, {"x-api-key": "no"}])
def test_no_other_key_is(keyed: Keyed, upstream: Upstream, headers: dict[str, str]) -> None:
    upstream.clear()
    status, _, text = post(keyed.gateway, headers)
    assert (status, json.loads(text)["error"]["code"]) == (401, "invalid_api_key")
    assert upstream.seen == []


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/chat/completions"])
def test_an_address_with_and_without_its_version(gateway: Served, path: str) -> None:
    assert post(gateway, {}, path)[0] == 200


@pytest.mark.parametrize("name", ["e401", "e404", "e429"])
def test_a_retry_of_what_was_refused_costs_nothing(gateway: Served, name: str) -> None:
    body = BODY.replace('"m"', f'"{name}"')
    gateway.forget()
    for count in range(3):
        post(gateway, {"x-stainless-retry-count": str(count)}, body=body)
    lines = gateway.wait_for_next(3)
    assert {(line["calls"], line["work"], line["unseen"]) for line in lines} == {(0, 0, 0)}


@pytest.mark.parametrize("name", ["dies"])
def test_what_may_have_been_decoded_is_not_to_be_asked_again(gateway: Served, name: str) -> None:
    _, headers, _ = post(gateway, {}, body=BODY.replace('"m"', f'"{name}"'))
    assert headers["x-should-retry"] == "false"
    assert "retry-after" not in headers


def test_an_upstreams_wait_is_passed_on(gateway: Served) -> None:
    status, headers, _ = post(gateway, {}, body=BODY.replace('"m"', '"e429"'))
    assert (status, headers["retry-after"]) == (429, "1")
    assert "x-should-retry" not in headers
