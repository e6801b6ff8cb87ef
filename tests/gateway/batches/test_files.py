"""Files of requests: kept, read, checked and bounded, each its own key's."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

from gateway.batches.rig import ERROR, Client, echo, line, written
from gateway.rig import Scripted, gate, replies, run
from gateway.test_keys_http import bearing, key_for
from workspan.serve.batches import statements
from workspan.serve.batches.parts import purge
from workspan.serve.batches.records import Most


def test_files_are_kept_listed_read_and_forgotten_by_their_own_key_alone(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        mine, theirs = [await key_for(path, "1M work/total") for _ in "ab"]
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client, other = Client(gw, bearing(mine)), Client(gw, bearing(theirs))
            content = "﻿".encode() + written(line("é")) + b"\r\n"
            _, file = await client.upload(content)
            assert file["filename"] == "asks.jsonl"
            assert file["bytes"] == len(content)
            url = f"{gw.url}/files/{file['id']}/content"
            async with gw.client.get(url, headers=client.headers) as got:
                assert await got.read() == content
                assert got.headers["x-content-type-options"] == "nosniff"
            batch = await client.begin([line("1")])
            for method, address in (
                ("GET", f"/files/{file['id']}"),
                ("GET", f"/files/{file['id']}/content"),
                ("DELETE", f"/files/{file['id']}"),
                ("GET", f"/batches/{batch['id']}"),
                ("POST", f"/batches/{batch['id']}/cancel"),
            ):
                status, told = await other.call(method, address)
                assert status == 404, (method, address, told)
            assert (await other.call("GET", "/files"))[1]["data"] == []
            assert (await other.call("GET", "/batches"))[1]["data"] == []
            begun = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
            status, told = await other.call(
                "POST", "/batches", json={**begun, "input_file_id": file["id"]}
            )
            assert (status, told["error"]["param"]) == (404, "input_file_id")
            listed = (await client.call("GET", "/files?limit=1"))[1]
            assert listed["has_more"]
            rest = (await client.call("GET", f"/files?limit=100&after={listed['last_id']}"))[1]
            assert file["id"] in [one["id"] for one in listed["data"] + rest["data"]]
            assert (await client.call("DELETE", f"/files/{file['id']}"))[1]["deleted"] is True
            assert (await client.call("GET", f"/files/{file['id']}"))[0] == 404
            for gone in (f"/files?after={file['id']}", "/batches?after=nope"):
                status, told = await client.call("GET", gone)  # never the first page again
                assert (status, told["error"]["param"]) == (404, "after"), gone
            assert (await client.ended(batch))["status"] == "completed"
            async with gw.client.get(f"{gw.url}/files") as got:
                assert got.status == 401

    asyncio.run(main())


PART = b'--b\r\nContent-Disposition: form-data; name="a"\r\n\r\nx\r\n'
BAD: Mapping[str, tuple[bytes, str]] = {
    "no JSON": (b"{\n", "invalid_json_line"),
    "no object": (b"[1]\n", "invalid_json_line"),
    "a lack": (b'{"custom_id": "1"}\n', "invalid_json_line"),
    "a deep one": (b'{"custom_id":"1","method":"POST","url":"/","body":' + b"[" * 9000, "invalid"),
    "two of one id": (written(line("1")) * 2, "duplicate_custom_id"),
    "no id": (written(line("")), "invalid_custom_id"),
    "an id that is no text": (written(line("\0")), "invalid_custom_id"),
    "half a character": (b'{"custom_id": "\\ud800", "method": "POST"}', "invalid"),
    "another url": (written({**line("1"), "url": "/v1/files"}), "mismatched_url"),
    "another method": (written({**line("1"), "method": "GET"}), "invalid_method"),
    "a stream": (written(line("1", stream=True)), "invalid_request"),
    "nothing": (b"\n \n", "empty_file"),
    "blanks before it": (b"\n" * 9 + b" {\n", "invalid_json_line"),
}


@pytest.mark.parametrize("what", BAD)
def test_a_file_with_a_line_that_is_no_request_asks_nothing(what: str, tmp_path: Path) -> None:
    content, code = BAD[what]

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            batch = await client.begin(content)
            assert batch["status"] == "failed"
            assert batch["failed_at"]
            [error, *_] = batch["errors"]["data"]
            assert error["code"].startswith(code)
            assert error["line"] == {"two of one id": 2, "blanks before it": 10}.get(what, 1)
            assert len(error["message"]) < 600
            assert not up.seen

    run(main)


def test_what_is_no_file_and_no_batch_is_refused(tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            for content, fields, said in (
                (b"\xff\xfe", {}, "UTF-8"),
                (b"\0", {}, "NUL"),
                (b"{}", {"purpose": "fine-tune"}, "purpose"),
                (b"{}", {"expires_after[seconds]": "5"}, "expires_after"),
                (b"{}", {"expires_after[anchor]": "x"}, "expires_after"),
            ):
                status, told = await client.upload(content, **fields)
                assert (status, said in told["error"]["message"]) == (400, True), told
            for data, kind in (
                (b"{}", "application/json"),
                (b"x", "multipart/form-data; boundary=b"),
                (b"x", "multipart/form-data"),
                (b"--b\r\n\r\n", "multipart/form-data; boundary=b"),
                (PART * 17 + b"--b--\r\n", "multipart/form-data; boundary=b"),
                (
                    b"--b\r\nContent-Disposition: form-data\r\n\r\nx",
                    "multipart/form-data; boundary=b",
                ),
            ):
                head = {**client.headers, "Content-Type": kind}
                async with gw.client.post(f"{gw.url}/files", data=data, headers=head) as got:
                    assert got.status == 400, (kind, await got.read())
            _, file = await client.upload([line("1")], **{"expires_after[seconds]": "3600"})
            assert file["expires_at"] - file["created_at"] == 3600
            fine = {
                "input_file_id": file["id"],
                "endpoint": "/v1/chat/completions",
                "completion_window": "24h",
            }
            for wrong in (
                {"endpoint": "/v1/files"},
                {"completion_window": "1h"},
                {"input_file_id": 7},
                {"input_file_id": "../../etc/passwd"},
                {"metadata": {"a": 1}},
                {"metadata": {"a" * 65: "b"}},
                {"metadata": [1]},
                {"colour": "red"},
            ):
                status, told = await client.call("POST", "/batches", json={**fine, **wrong})
                assert status == 400, (wrong, told)
            for path_ in ("/files?limit=0", "/files?limit=x", "/batches?limit=-1"):
                assert (await client.call("GET", path_))[0] == 400
            assert (await client.call("GET", "/files/../../x"))[0] == 404
            assert not up.seen
        async with Scripted(echo).serve() as up, gate(up.url) as gw:
            status, told = await Client(gw, {}).upload([line("1")])
            assert (status, told["error"]["code"]) == (404, "unsupported")

    asyncio.run(main())


def test_what_a_key_leaves_here_is_bounded_and_expires(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        most = Most(lines=3, batches=1, files_bytes=2_000, files=3)
        monkeypatch.setattr("workspan.serve.routes.filing.MOST", most)
        monkeypatch.setattr("workspan.serve.routes.batching.MOST", most)
        async with Scripted(replies(ERROR, 503)).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            many = await client.begin([line(str(at)) for at in range(4)])
            assert many["errors"]["data"][0]["code"] == "too_many_lines"
            status, told = await client.upload(b"x" * 2_000)
            assert (status, told["error"]["code"]) == (400, "too_many_files")
            await client.begin([line("1")])
            _, file = await client.upload([line("2")], **{"expires_after[seconds]": "3600"})
            status, told = await client.upload([line("3")])
            assert (status, told["error"]["code"]) == (400, "too_many_files")
            asked = {"input_file_id": file["id"], "endpoint": "/v1/chat/completions"}
            status, told = await client.call(
                "POST", "/batches", json={**asked, "completion_window": "24h"}
            )
            assert (status, told["error"]["code"]) == (429, "too_many_batches")
            database = gw.serving.gateway.database
            assert database is not None
            await purge(database, int(time.time()) + 3_601)
            assert (await client.call("GET", f"/files/{file['id']}"))[0] == 404
            assert len((await client.call("GET", "/files"))[1]["data"]) == 2
            await purge(database, int(time.time()) + 100 * 86_400)
            assert (await client.call("GET", "/files"))[1]["data"] == []
            listed = (await client.call("GET", "/batches"))[1]["data"]
            assert [one["status"] for one in listed] == ["in_progress"]

    asyncio.run(main())


def test_results_count_too_and_are_gone_once_they_are_deleted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What costs nothing fills no store: each line an error that is longer than its request."""

    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        most = Most(files_bytes=1_500, all_batches=3)
        monkeypatch.setattr("workspan.serve.routes.filing.MOST", most)
        monkeypatch.setattr("workspan.serve.routes.batching.MOST", most)
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            client = Client(gw, bearing(key))
            database = gw.serving.gateway.database
            assert database is not None
            batch = await client.begin([line("1"), *(line(f"{x}", model="x") for x in "abc")])
            batch = await client.ended(batch)
            counts = {"total": 4, "completed": 1, "failed": 3}
            kept = await database.transact(lambda: statements.lines(batch["id"], -1, 9))
            assert {one.body for one in kept} == {""}
            asked = {"endpoint": "/v1/chat/completions", "completion_window": "24h"}
            asked["input_file_id"] = batch["input_file_id"]
            status, told = await client.call("POST", "/batches", json=asked)
            assert (status, told["error"]["code"]) == (400, "too_many_files")
            assert (await client.upload([line("1")]))[0] == 400
            assert (await client.call("DELETE", f"/files/{batch['error_file_id']}"))[0] == 200
            [left] = await database.transact(lambda: statements.lines(batch["id"], -1, 9))
            assert (await client.results(batch["output_file_id"]))[0]["custom_id"] == "1"
            assert left.status == 200
            assert (await client.call("DELETE", f"/files/{batch['output_file_id']}"))[0] == 200
            assert not await database.transact(lambda: statements.lines(batch["id"], -1, 9))
            _, told = await client.call("GET", f"/batches/{batch['id']}")
            assert told["request_counts"] == counts
            ended = {batch["id"]}
            for _ in range(2):
                assert (await client.upload([line("1")]))[0] == 200
                assert (await client.call("POST", "/batches", json=asked))[0] == 200
                [latest] = (await client.call("GET", "/batches?limit=1"))[1]["data"]
                assert latest["id"] not in ended
                done = await client.ended(latest)
                ended.add(done["id"])
                for one in ("output_file_id", "error_file_id"):
                    await client.call("DELETE", f"/files/{done[one]}")
            status, told = await client.call("POST", "/batches", json=asked)
            assert (status, told["error"]["code"]) == (400, "too_many_batches")

    asyncio.run(main())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a\x1b[31m.jsonl", "x" * 5000, "<b>.jsonl", "\udcff\u202e.jsonl"]
)
def test_a_file_s_name_is_a_text_and_nothing_else(name: str, tmp_path: Path) -> None:
    async def main() -> None:
        path = tmp_path / "store.db"
        key = await key_for(path, "1M work/total")
        async with Scripted(echo).serve() as up, gate(up.url, store=str(path)) as gw:
            head = b'--b\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nbatch\r\n'
            named = f'form-data; name="file"; filename="{name}"'.encode("utf-8", "surrogateescape")
            body = head + b"--b\r\nContent-Disposition: " + named + b"\r\n\r\n{}\r\n--b--\r\n"
            headers = {**bearing(key), "Content-Type": "multipart/form-data; boundary=b"}
            async with gw.client.post(f"{gw.url}/files", data=body, headers=headers) as got:
                told = json.loads(await got.read())
            if got.status == 400:  # it is no header that can be read
                assert "multipart" in told["error"]["message"]
                assert "\x1b" in name
                return
            shown = told["filename"]
            assert len(shown) <= 255
            assert shown.isprintable()
            async with gw.client.get(
                f"{gw.url}/files/{told['id']}/content", headers=bearing(key)
            ) as got:
                assert await got.read() == b"{}"
                assert "content-disposition" not in got.headers

    asyncio.run(main())
    assert {one.name.partition("-")[0] for one in tmp_path.iterdir()} <= {"store.db"}
