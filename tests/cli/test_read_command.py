"""``workspan read``: what was read, from where and why; no answer is exit code 4."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from workspan.cli.main import app, main
from workspan.errors import DataError, InputError

TEXT = "<think>Answer: 12</think>\nSo it is 15 apples.\nAnswer: 15 apples"


def read(*arguments: str, stdin: str = "") -> tuple[int, str]:
    result = CliRunner().invoke(app, ["read", *arguments], input=stdin)
    if isinstance(result.exception, InputError):
        raise result.exception
    return result.exit_code, result.stdout


def test_a_record_says_answer_kind_span_and_rule(tmp_path: Path) -> None:
    path = tmp_path / "said.txt"
    path.write_text(TEXT)
    for given, stdin in ((TEXT, ""), (str(path), ""), ("-", TEXT)):
        code, out = read(given, "--kind", "number", "--json", stdin=stdin)
        record = json.loads(out)
        assert code == 0
        assert record["answer"] == "15"
        assert record["kind"] == "number"
        assert record["rule"] == "answer label"
        start, end = record["span"]
        assert TEXT[start:end] == "15 apples"


def test_people_see_the_answer_where_it_stands() -> None:
    code, out = read(TEXT, "-k", "number")
    assert code == 0
    assert "answer label" in out
    assert "Answer: 15 apples" in out


def test_no_answer_is_exit_code_4() -> None:
    assert read("it takes 10-12 days", "-k", "number")[0] == 4
    code, out = read("<think>Answer: 12", "-k", "number", "--json")
    assert code == 4
    assert json.loads(out) == {"answer": None, "kind": "number", "span": None, "rule": None}
    assert read("Answer: 12", "-k", "number", "--cut")[0] == 4


def test_a_schema_decides_what_counts(tmp_path: Path) -> None:
    schema = tmp_path / "schema.json"
    schema.write_text('{"type": "object", "required": ["a"]}')
    assert read('{"a": 1}', "-k", "json", "--schema", str(schema))[0] == 0
    assert read('{"b": 1}', "-k", "json", "--schema", str(schema))[0] == 4
    with pytest.raises(DataError, match="is a device"):
        read('{"a": 1}', "-k", "json", "--schema", "/dev/zero")


def test_control_characters_of_a_model_are_not_printed() -> None:
    assert "\x1b" not in read("Answer: \x1b[31mred\x1b[0m")[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("x", "-k", "nmber"), "number"),
        (("missing.txt",), "does not exist"),
        (("x", "--schema", "a.json"), "--kind json"),
        (("{}", "-k", "json", "--schema", "missing.json"), "can't be read"),
    ],
)
def test_what_is_wrong_is_said(arguments: tuple[str, ...], said: str) -> None:
    with pytest.raises(InputError, match=said):
        read(*arguments)


def test_a_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "said.txt"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="UTF-8"):
        read(str(path))


def test_a_number_with_its_sign_is_told_how_it_is_given(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("-3", "-3 + 5 is 2", "--5", "-.5"):
        with pytest.raises(SystemExit):
            main(["read", text, "--kind", "number"])
        assert "after -- a text may begin with a dash" in capsys.readouterr().err
    assert read("--kind", "number", "--", "-3")[0] == 0
    with pytest.raises(SystemExit):
        main(["read", "5", "--knd", "number"])
    assert "dash" not in capsys.readouterr().err
