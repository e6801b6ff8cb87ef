"""JSON as an answer: read strictly, held to a schema, compared by value, voted on."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.answers import canonical, equivalent, extract, read
from workspan.answers.schema import Schema
from workspan.answers.voting import by_field, plurality
from workspan.data.types import Candidate
from workspan.errors import InputError

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=6),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
WRAPPED = [
    "{}",
    "Answer: {}",
    "Here it is:\n```json\n{}\n```\nDone.",
    "<answer>{}</answer>",
    '<think>{{"draft": 1}}</think>\n{}',
    "<tool_call>\n{}\n</tool_call>",
    "I say {} at last.",
]


@given(
    st.dictionaries(st.text(max_size=4), values, min_size=1, max_size=3), st.sampled_from(WRAPPED)
)
def test_an_object_is_read_back_wherever_it_stands(value: dict[str, Any], around: str) -> None:
    written = json.dumps(value)
    found = extract(around.format(written), "json")
    assert found is not None
    assert equivalent(found, written, "json")


@given(values, st.randoms())
def test_the_order_of_names_and_spaces_mean_nothing(value: Any, rng: random.Random) -> None:
    def shuffled(part: Any) -> Any:
        if isinstance(part, dict):
            return {name: shuffled(part[name]) for name in rng.sample([*part], len(part))}
        return [shuffled(one) for one in part] if isinstance(part, list) else part

    one, other = json.dumps(value), json.dumps(shuffled(value), indent=2, ensure_ascii=False)
    assert equivalent(one, other, "json")
    assert canonical(one, "json") == canonical(other, "json")


@given(values, values)
def test_equal_json_is_equal_in_python_too(a: Any, b: Any) -> None:
    if equivalent(json.dumps(a), json.dumps(b), "json"):
        assert a == b


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1, "a": 2}',
        '{"a": {"b": 1, "b": 1}}',
        '{"a": NaN}',
        "[Infinity]",
        "{'a': 1}",
        '{"a": 1,}',
        '{"a": True}',
        '{"a": 1',
        "// no\n",
        "",
        "so it is",
        '{"a": undefined}',
        "[" * 5_000 + "]" * 5_000,
        '<tool_call>{"name": "f"</tool_call>',
        "```json\n{bad}\n```",
    ],
)
def test_what_a_program_would_not_take_is_no_answer(text: str) -> None:
    assert extract(text, "json") is None


def test_several_tool_calls_are_a_list_and_their_arguments_may_be_text() -> None:
    two = '<tool_call>{"name": "a", "arguments": {}}</tool_call>\n' * 2
    assert (
        extract(two, "json") == '[{"name": "a", "arguments": {}}, {"name": "a", "arguments": {}}]'
    )
    said = '[TOOL_CALLS][{"name": "f", "arguments": {"x": 1}}]'
    assert extract(said, "json") == '[{"name": "f", "arguments": {"x": 1}}]'
    as_text = json.dumps({"name": "f", "arguments": json.dumps({"x": 1})})
    assert equivalent(as_text, '{"arguments": {"x": 1.0}, "name": "f"}', "json")
    assert not equivalent(as_text, '{"arguments": {"x": 2}, "name": "f"}', "json")


POINT = {
    "type": "object",
    "properties": {"x": {"type": "integer", "minimum": 0}, "tag": {"enum": ["a", "b"]}},
    "required": ["x"],
    "additionalProperties": False,
}
SHAPES = [
    (POINT, {"x": 1}, True),
    (POINT, {"x": 1.0, "tag": "a"}, True),
    (POINT, {"x": -1}, False),
    (POINT, {"x": 1.5}, False),
    (POINT, {"x": True}, False),
    (POINT, {"tag": "a"}, False),
    (POINT, {"x": 1, "y": 2}, False),
    (POINT, [1], False),
    ({"type": ["string", "null"], "maxLength": 2}, None, True),
    ({"type": ["string", "null"], "maxLength": 2}, "abc", False),
    ({"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"const": 1}}, "minItems": 1}, [1, 1.0], True),
    ({"items": {"$ref": "#/$defs/n"}, "$defs": {"n": {"const": 1}}, "minItems": 1}, [2], False),
    ({"anyOf": [{"type": "string"}, {"minimum": 3}]}, 2, False),
    ({"oneOf": [{"type": "number"}, {"type": "integer"}]}, 2, False),
    ({"not": {"type": "string"}}, "a", False),
    ({"if": {"required": ["a"]}, "then": {"required": ["b"]}}, {"a": 1}, False),
    ({"prefixItems": [{"type": "string"}], "items": False}, ["a", 1], False),
    ({"uniqueItems": True}, [1, 1.0], False),
    ({"multipleOf": 0.1}, 0.3, True),
    ({"$ref": "#"}, 1, False),  # it never ends
    (False, 1, False),
]


@pytest.mark.parametrize(("schema", "value", "fits"), SHAPES)
def test_a_schema_holds_an_answer(schema: Any, value: Any, fits: bool) -> None:
    assert Schema(schema).fits(value) is fits
    if isinstance(schema, dict) and isinstance(value, dict):
        assert (read(json.dumps(value), "json", schema=schema) is not None) is fits


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ({"propertis": {}}, "properties"),
        ({"type": "int"}, "type"),
        ({"properties": {"a": {"pattern": "a+"}}}, "pattern"),
        ({"$ref": "#/$defs/none"}, "nothing"),
        ({"$ref": "other.json"}, "into the schema"),
        ({"anyOf": {}}, "list"),
        ({"items": 3}, "items"),
    ],
)
def test_a_schema_that_is_not_understood_is_refused(schema: Any, said: str) -> None:
    with pytest.raises(InputError, match=said):
        Schema(schema)


def drawn(*answers: str | None) -> list[Candidate]:
    return [Candidate(f"text {i}", answer, key=str(i)) for i, answer in enumerate(answers)]


def test_whole_objects_are_voted_on_by_value() -> None:
    vote = plurality(drawn('{"a": 1}', '{"a": 2}', '{"a":1.0}', None), "json")
    assert vote.text == '{"a": 1}'
    assert [tally.weight for tally in vote.votes] == [2.0, 1.0]


def test_members_are_voted_on_one_by_one() -> None:
    said = drawn(
        '{"a": 1, "b": 1, "c": {"d": 1, "e": [1]}}',
        '{"a": 1, "b": 2, "c": {"d": 2, "e": [1]}}',
        '{"a": 2, "b": 2, "c": {"d": 2}, "x": 0}',
    )
    vote = by_field(said)
    assert vote.text is not None
    assert json.loads(vote.text) == {"a": 1, "b": 2, "c": {"d": 2, "e": [1]}}
    assert vote.best is said[1]  # one of them said exactly that
    nobody = by_field(
        drawn(
            '{"a": 1, "b": 9}',
            '{"a": 2, "b": 1}',
            '{"a": 2, "b": 9}',
            '{"a": 1, "b": 8}',
            '{"a": 1, "b": 7}',
        )
    )
    assert nobody.text == '{"a": 1, "b": 9}'
    made = by_field(drawn('{"a": 1, "b": 2}', '{"a": 2, "b": 9}', '{"a": 1, "b": 9}'), [1, 5, 1.5])
    assert made.text == '{"a": 2, "b": 9}'


def test_numbers_of_a_merged_object_keep_their_digits() -> None:
    said = drawn(
        '{"a": 1.00000000000000000001, "b": 1}',
        '{"a": 1.00000000000000000001, "b": 2}',
        '{"a": 1, "b": 2, "c": 3}',
    )
    assert by_field(said).text == '{"a": 1.00000000000000000001, "b": 2}'


@pytest.mark.parametrize(
    "answers",
    [("[1]", "[1]", "[2]"), ("[1]", '{"a": 1}', "[1]"), ("no json", "[1]", "no json"), (None,), ()],
)
def test_what_is_no_object_is_voted_on_as_a_whole(answers: tuple[str | None, ...]) -> None:
    assert by_field(drawn(*answers)) == plurality(drawn(*answers), "json")


@given(
    st.lists(
        st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), max_size=3),
        min_size=1,
        max_size=5,
    )
)
def test_a_vote_by_field_of_equal_objects_is_that_object(objects: list[dict[str, int]]) -> None:
    same = by_field(drawn(*[json.dumps(objects[0])] * len(objects)))
    assert same.text is not None
    assert json.loads(same.text) == objects[0]
    mixed = by_field(drawn(*map(json.dumps, objects)))
    assert mixed.text is not None
    assert set(json.loads(mixed.text)) <= {name for one in objects for name in one}
