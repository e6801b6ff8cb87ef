"""Files of recorded samples whose columns hold what they can't: refused, and never read as 1."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from workspan.errors import DataError
from workspan.recordings.parquet import read_recordings

pyarrow = pytest.importorskip("pyarrow")
NAN = float("nan")


def written(path: Path, *samples: dict[str, Any]) -> Path:
    from pyarrow import parquet

    told = {"task": "t", "model": "m", "gold": "4"}
    rows = [{"problem_id": f"p{i}", **told, "samples": [*samples]} for i in range(3)]
    parquet.write_table(pyarrow.Table.from_pylist(rows), path)
    return path


@pytest.mark.parametrize(
    ("sample", "said"),
    [
        ({"tokens": -5}, "tokens is -5: from 0 to"),
        ({"tokens": 2**62}, "tokens is 4.61169e.18: from 0 to"),
        ({"tokens": 100.5}, "tokens has fractions"),
        ({"tokens": "100"}, "tokens is of string: it holds numbers"),
        ({"tokens": 1, "chars": -1}, "chars is -1"),
        ({"tokens": NAN}, "neither the tokens nor the characters .* were counted"),
        ({"tokens": 1, "score": 7.0}, "score is 7: from 0 to 1"),
        ({"tokens": 1, "correct": 1}, "correct is of int64: it holds true or false"),
        ({"tokens": 1, "answer": 4}, "answer is of int64: it holds texts"),
    ],
)
def test_what_is_no_length_verdict_or_answer_is_named(
    sample: dict[str, Any], said: str, tmp_path: Path
) -> None:
    file = written(tmp_path / "samples.parquet", {"answer": "4", **sample})
    with pytest.raises(DataError, match=rf"samples\.parquet: .*{said}"):
        read_recordings(file)


def test_whole_numbers_may_be_written_as_fractions_and_nan_is_unknown(tmp_path: Path) -> None:
    told = {"answer": "4", "correct": None}
    many = [{**told, "tokens": 100.0, "score": 1.0}] * 39 + [{**told, "tokens": NAN, "score": NAN}]
    found = read_recordings(written(tmp_path / "samples.parquet", *many)).recordings[0]
    assert [chain.depths for chain in found.chains["p0"]] == [(100,)] * 39
    assert found.grade(found.problems[0], "4") == 1.0
