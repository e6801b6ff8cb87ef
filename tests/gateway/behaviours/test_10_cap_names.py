"""10: the cap goes by the name that a server takes; a reasoning model is not sent a temperature."""

from __future__ import annotations

import asyncio

import pytest

from gateway.rig import Scripted, Seen, gate, reply, run, whole

OLD, NEW = "max_tokens", "max_completion_tokens"


def refusing(name: str, other: str) -> object:
    async def answer(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
        if name in seen.value:
            said = (
                f"Unsupported parameter: '{name}' is not supported with this model. "
                f"Use '{other}' instead."
            )
            error = {"message": said, "param": name, "code": "unsupported_parameter"}
            await reply(writer, {"error": error}, 400)
        else:
            await reply(writer, whole())

    return answer


@pytest.mark.parametrize(("refused", "taken"), [(OLD, NEW), (NEW, OLD)])
def test_a_cap_that_is_refused_by_one_name_goes_by_the_other(refused: str, taken: str) -> None:
    async def main() -> None:
        async with Scripted(refusing(refused, taken)).serve() as up, gate(up.url) as gw:  # type: ignore[arg-type]
            for _ in range(2):
                assert (await gw.ask(**{refused: 77})).status == 200
            assert len(up.seen) == 3  # learnt once
            assert up.seen[-1].value[taken] == 77
            assert refused not in up.seen[-1].value
            assert (await gw.record(2)).total.calls == 1

    run(main)


def test_a_temperature_that_a_reasoning_model_refuses_is_left_out_and_that_is_said() -> None:
    async def main() -> None:
        async def answer(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            if "temperature" in seen.value:
                said = (
                    "Unsupported value: 'temperature' does not support 0 with this model. Only "
                    "the default (1) value is supported."
                )
                error = {"message": said, "param": "temperature", "code": "unsupported_value"}
                await reply(writer, {"error": error}, 400)
            else:
                await reply(writer, whole())

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            for number in (2, 3):
                value = (await gw.ask(temperature=0)).value
                assert "temperature" in value["workspan"]["notices"][0]
                assert len(up.seen) == number

    run(main)


def test_a_refusal_of_the_clients_own_field_is_the_clients_to_mend() -> None:
    async def main() -> None:
        async def answer(server: Scripted, seen: Seen, writer: asyncio.StreamWriter) -> None:
            error = {"message": "max_tokens must be at most 4096", "param": "max_tokens"}
            await reply(writer, {"error": {**error, "code": "invalid_value"}}, 400)

        async with Scripted(answer).serve() as up, gate(up.url) as gw:
            got = await gw.ask(max_tokens=99_999)
            assert got.status == 400
            assert "4096" in got.error["message"]
            assert (got.error["code"], got.error["param"]) == ("invalid_value", "max_tokens")
            assert len(up.seen) == 1

    run(main)


def test_two_caps_that_differ_are_refused_before_anything_is_asked() -> None:
    async def main() -> None:
        async with Scripted(refusing("x", "y")).serve() as up, gate(up.url) as gw:  # type: ignore[arg-type]
            got = await gw.ask(max_tokens=5, max_completion_tokens=6)
            assert got.status == 400
            assert "differ" in got.error["message"]
            assert not up.seen

    run(main)
