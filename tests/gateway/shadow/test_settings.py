"""What is compared with what: strategies, names, texts, verifiers, and the budget's end."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from gateway.rig import ASK, Scripted, Seen, gate, replies, reply, whole
from gateway.shadow.rig import NUMBER, SHADOW, VOTE, Bill, kept, outcomes, shadowed, usage
from gateway.shadow.test_never_in_the_way import is_shadow
from workspan.errors import InputError
from workspan.serve.auth import Keys
from workspan.serve.config import Upstream
from workspan.serve.shadow.account import ID
from workspan.serve.shadow.stated import Shadow, read_shadow
from workspan.serve.store.limits import parse_limits


def test_a_route_with_a_strategy_is_compared_with_a_single_call(tmp_path: Path) -> None:
    async def main() -> None:
        shadow = "share=1, strategies=[single, careful], budget='1M work/day'"
        bill = Bill("4", "4", "4", "5")
        async with shadowed(
            tmp_path / "s.db", bill.answer, shadow, strategy="careful", strategies={"careful": VOTE}
        ) as (gw, _, headers):
            got = await gw.post({**ASK, "messages": NUMBER}, headers=headers)
            assert got.value["workspan"]["strategy"] == VOTE
            assert await outcomes(gw) == {"kept": 1}
            [one] = await kept(tmp_path / "s.db")
            now, [then] = one.now, one.beside  # the route's own is not run a second time
            assert (now.strategy, now.answer, now.work, now.calls) == (VOTE, 0, 15, 3)
            assert now.agreement == 1.0
            assert (then.strategy, then.answer, then.work) == ("single", 1, 5)

    asyncio.run(main())


def test_what_nothing_is_to_be_learnt_from_is_not_run(tmp_path: Path) -> None:
    async def main() -> None:
        async with shadowed(tmp_path / "s.db", replies(whole("4"))) as (gw, up, headers):
            for body in (ASK, {**ASK, "messages": NUMBER, "n": 2}, {**ASK, "max_tokens": 1}):
                assert (await gw.post(body, headers=headers)).status == 200
            assert await outcomes(gw, 3) == {"alike": 3}
            assert len(up.seen) == 3
            assert (await gw.post({**ASK, "model": "none"}, headers=headers)).status == 404
            assert await outcomes(gw, 3) == {"alike": 3}

    asyncio.run(main())


def test_a_share_is_a_share(tmp_path: Path) -> None:
    async def main() -> None:
        shadow = SHADOW.replace("share=1", "share=0.25")
        async with shadowed(tmp_path / "s.db", replies(whole("4")), shadow) as (gw, _, __):
            shadowing = gw.serving.gateway.shadow
            assert shadowing is not None
            shadowing.seed(1)
            chosen = sum(shadowing.chosen() for _ in range(4000))
            assert 900 < chosen < 1100

    asyncio.run(main())


def test_texts_are_kept_only_where_they_may_be(tmp_path: Path) -> None:
    secret = "the launch is on Tuesday"

    async def main() -> None:
        for keeps in ("marks", "texts"):
            path = tmp_path / f"{keeps}.db"
            async with shadowed(
                path, replies(whole("4 on Tuesday it is 4")), f"{SHADOW}, keeps='{keeps}'"
            ) as (gw, _, headers):
                said = [{"role": "user", "content": f"{secret}. Reply with a single number."}]
                await gw.post({**ASK, "messages": said}, headers=headers)
                assert await outcomes(gw) == {"kept": 1}
            assert (secret.encode() in _held(tmp_path, keeps)) is (keeps == "texts")
            [one] = await kept(path)
            if keeps == "texts":
                assert one.question == f"user: {secret}. Reply with a single number."
                assert one.answers[0].text == "4"

    asyncio.run(main())


def _held(folder: Path, name: str) -> bytes:
    return b"".join(file.read_bytes() for file in folder.glob(f"{name}.db*"))


def test_equal_prompts_are_one_problem(tmp_path: Path) -> None:
    async def main() -> None:
        other = [{"role": "user", "content": "3 + 3? Reply with a single number."}]
        async with shadowed(tmp_path / "s.db", replies(whole("4"))) as (gw, _, headers):
            for place, said in enumerate((NUMBER, other, NUMBER)):
                await gw.post({**ASK, "messages": said, "temperature": place / 4}, headers=headers)
            assert await outcomes(gw, 3) == {"kept": 3}
            found = await kept(tmp_path / "s.db")
            assert len({one.problem for one in found}) == 2

    asyncio.run(main())


def test_a_verifier_says_which_answers_are_right(tmp_path: Path) -> None:
    check = tmp_path / "check.py"
    check.write_text("def check(problem, answer):\n    return float(answer.answer == '4')\n")

    async def main() -> None:
        shadow = f"{SHADOW}, verifier='{check}:check'"
        async with shadowed(tmp_path / "s.db", Bill("5", "4", "4", "4").answer, shadow) as (
            gw,
            _,
            headers,
        ):
            await gw.post({**ASK, "messages": NUMBER}, headers=headers)
            assert await outcomes(gw) == {"kept": 1}
            [one] = await kept(tmp_path / "s.db")
            assert [said.score for said in one.answers] == [0.0, 1.0]

    asyncio.run(main())


def test_the_end_of_its_budget_drops_shadows_and_no_answers(tmp_path: Path) -> None:
    path = tmp_path / "s.db"

    async def main() -> None:
        shadow = SHADOW.replace("1M work/day", "40 work/day")
        async with shadowed(path, Bill("4").answer, shadow) as (gw, _, headers):
            for place in range(5):
                sent = {**ASK, "messages": NUMBER, "max_tokens": 10}
                assert (await gw.post(sent, headers=headers)).status == 200
                await outcomes(gw, place + 1)
            told = await outcomes(gw, 5)
            assert told["kept"] >= 1
            assert told["budget"] == 5 - told["kept"]
        spent = await usage(path, time.time())
        assert spent["shadow"].totals.work <= 40
        assert spent["client"].totals.work == 25
        assert all(len(one.beside) == 1 and one.beside[0].calls == 3 for one in await kept(path))

    asyncio.run(main())


def test_its_key_is_nobody_s(tmp_path: Path) -> None:
    async def main() -> None:
        async with shadowed(tmp_path / "s.db", replies(whole())) as (gw, _, __):
            store = gw.serving.gateway.store
            assert store is not None
            assert isinstance(gw.serving.gateway.keys, Keys)
            for text in ("", ID, f"wsk-{ID}-", f"wsk-{'a' * 12}-{'b' * 43}"):
                got = await gw.post(ASK, headers={"Authorization": f"Bearer {text}"})
                assert (got.status, got.error["code"]) == (401, "invalid_api_key")

    asyncio.run(main())


def test_an_error_of_ours_is_logged_and_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from workspan.serve.shadow import beside

    async def broken(*_: Any) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(beside, "beside", broken)

    async def main() -> None:
        async with shadowed(tmp_path / "s.db", replies(whole("4"))) as (gw, _, headers):
            for place in range(3):  # whoever works goes on
                assert (await gw.post({**ASK, "messages": NUMBER}, headers=headers)).status == 200
                assert await outcomes(gw, place + 1) == {"bug": place + 1}

    asyncio.run(main())


def test_an_engine_in_this_process_is_shadowed_only_while_no_client_is_there(
    tmp_path: Path,
) -> None:
    async def main() -> None:
        from gateway.test_keys_http import bearing, key_for

        path = tmp_path / "s.db"
        headers = bearing(await key_for(path, "1M work/day"))
        async with gate(
            Upstream("up", "scripted"), store=str(path), shadow=read_shadow(SHADOW)
        ) as gw:
            got = await gw.post({**ASK, "model": "up", "messages": NUMBER}, headers=headers)
            assert got.status == 200, got.body
            assert await outcomes(gw) == {"kept": 1}
            shadow = gw.serving.gateway.shadow
            assert shadow is not None
            with shadow.present("up"):
                await gw.post({**ASK, "model": "up", "messages": NUMBER}, headers=headers)
                assert (await outcomes(gw, 2))["busy"] == 1

    asyncio.run(main())


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ("", "write share"),
        ("0.1", "write share"),
        ("share=0.1", "strategies is missing"),
        ("share=0.1, strategies=[auto]", "budget is missing"),
        ("share=2, strategies=[auto], budget='1 work/day'", "above 0 and at most 1"),
        ("share=True, strategies=[auto], budget='1 work/day'", "share is a number"),
        ("share=0.1, strategies=auto, budget='1 work/day'", "a list"),
        ("share=0.1, strategies=[], budget='1 work/day'", "1 to 16"),
        ("share=0.1, strategies=[auto, auto], budget='1 work/day'", "named twice"),
        ("share=0.1, strategies=[auto], budget='5 requests/day'", "budget"),
        ("share=0.1, strategies=[auto], budget='1M prefill/day'", "limits work, calls or money"),
        ("share=0.1, strategies=[auto], budget='1 work/day', keeps='all'", "texts"),
        ("share=0.1, strategies=[auto], budget='1 work/day', shade=1", "unknown"),
        ("share=0.1, strategies=[auto], budget='1 work/day', width=0", "at least 1"),
        ("share=0.1, strategies=[auto], budget='1 work/day', seconds=0", "above 0"),
        ("share=__import__('os').getpid(), strategies=[auto], budget='1 work/day'", "a number"),
        ("(" * 500, "write share"),
    ],
)
def test_what_is_stated_wrongly_is_said(said: str, why: str) -> None:
    with pytest.raises(InputError, match=why):
        read_shadow(said)


def test_what_is_stated_is_read() -> None:
    said = (
        "share=0.1, strategies=[auto, self_consistency(n=4), 'best_of_n(n=2)'], budget='9 work/day'"
    )
    assert read_shadow(said) == Shadow(
        0.1,
        ("auto", "self_consistency(n=4)", "best_of_n(n=2)"),
        parse_limits("9 work/day"),
    )


@pytest.mark.parametrize(
    ("stated", "why"),
    [
        ({"store": ""}, "--store"),
        ({"shadow": read_shadow(SHADOW.replace(VOTE, "nonsense(3)"))}, "nonsense"),
        (
            {"shadow": read_shadow(SHADOW.replace("1M work", "$1"))},
            "no price is known for up",
        ),
    ],
)
def test_what_can_not_work_is_refused_at_the_start(
    tmp_path: Path, stated: dict[str, Any], why: str
) -> None:
    async def main() -> None:
        told = {"store": str(tmp_path / "s.db"), "shadow": read_shadow(SHADOW), **stated}
        async with Scripted(replies(whole())).serve() as up:
            with pytest.raises(InputError, match=why):
                async with gate(up.url, **told):
                    pass

    asyncio.run(main())


def test_a_client_that_leaves_is_not_shadowed(tmp_path: Path) -> None:
    async def answer(_: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        assert not is_shadow(seen)
        await asyncio.sleep(0.2)
        await reply(writer, whole("4"))

    async def main() -> None:
        async with shadowed(tmp_path / "s.db", answer) as (gw, up, headers):
            asking = asyncio.create_task(gw.post({**ASK, "messages": NUMBER}, headers=headers))
            while not up.seen:  # noqa: ASYNC110
                await asyncio.sleep(0.01)
            asking.cancel()
            await gw.record()
            assert await outcomes(gw, 0) == {}

    asyncio.run(main())


def test_a_record_holds_no_reply_once_it_is_over(tmp_path: Path) -> None:
    async def main() -> None:
        async with shadowed(tmp_path / "s.db", replies(whole("4"))) as (gw, _, headers):
            for place, model in enumerate(("m", f"m:{VOTE}")):
                sent = {**ASK, "model": model, "messages": NUMBER}
                assert (await gw.post(sent, headers=headers)).status == 200
                record = await gw.record(place + 1)
                assert (record.told, record.decided) == (None, None)
            await outcomes(gw, 2)

    asyncio.run(main())
