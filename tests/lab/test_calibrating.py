"""Calibration profiles: what of a recording is kept, and that nothing else is read back."""

from __future__ import annotations

import gzip
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workspan.data.types import Message, Problem
from workspan.errors import DataError, InputError, OutputError
from workspan.lab.calibrating import calibrate
from workspan.recordings.recording import Chain, Recording
from workspan.strategies.auto.fit.form import LARGEST
from workspan.strategies.auto.fit.profile import (
    Case,
    Profile,
    Record,
    read_profile,
    write_profile,
)
from workspan.strategies.auto.prompt_features import prompt_features

SAID = "the capital of the north"


def recording(*chains: Chain, right: str = "4", model: str = "m") -> Recording:
    problem = Problem("p", (Message("user", "a secret question"),), "number")
    return Recording(model, (problem,), {"p": chains}, {"p": right}, {"p": "sums"})


def test_a_chain_becomes_depths_and_numbers() -> None:
    chains = (Chain((500, 1000, 1200), ("5", None, "4")), Chain((500, 900), ("4.0", "5")))
    profile = calibrate([recording(*chains)])
    first, second = profile.problems[0].chains
    assert first == Record((500, 1000, 1200), (0, -1, 1), ended=True)
    assert second == Record((500, 900), (1, 0), ended=True)
    assert profile.problems[0].right == (1,)
    assert (profile.model, profile.unit, profile.problems[0].task) == ("m", "tokens", "sums")


def test_a_chain_without_a_last_answer_is_censored() -> None:
    profile = calibrate([recording(Chain((500, 900), ("4", None)))])
    assert not profile.problems[0].chains[0].ended


def test_a_probe_behind_the_end_of_its_chain_is_dropped() -> None:
    profile = calibrate([recording(Chain((500, 1000, 990), ("5", "6", "4")))])
    assert profile.problems[0].chains[0].depths == (500, 990)


def test_unlabelled_problems_have_no_right_group() -> None:
    profile = calibrate([recording(Chain((9,), ("4",)), right="")])
    assert profile.problems[0].right is None
    assert profile.labelled == 0
    assert profile.signals == {}


def test_a_prompt_leaves_its_signs_where_it_is_known() -> None:
    known = recording(Chain((9,), ("4",)))
    assert calibrate([known]).problems[0].prompt_features == prompt_features(known.problems[0])
    bare = Problem("p", (Message("user", "p"),), is_asked=False)
    assert calibrate([replace(known, problems=(bare,))]).problems[0].prompt_features == ()


def test_the_sign_of_length_is_measured() -> None:
    short, long = Chain((10,), ("4",)), Chain((20,), ("5",))
    assert calibrate([recording(short, long)]).signals == {"length": -1.0}
    assert calibrate([recording(short, long, right="5")]).signals == {"length": 1.0}


def test_a_profile_holds_no_words(tmp_path: Path) -> None:
    one = recording(Chain((10,), (SAID,)), right=SAID)
    write_profile(calibrate([one]), tmp_path / "profile.json")
    text = (tmp_path / "profile.json").read_text()
    assert "capital" not in text
    assert "secret" not in text
    assert (tmp_path / "profile.json").stat().st_mode & 0o077 == 0


def test_nothing_to_calibrate_on_is_refused() -> None:
    with pytest.raises(InputError, match="at least one"):
        calibrate([])


records = st.lists(
    st.tuples(st.integers(1, 10_000), st.integers(-1, 5)), min_size=1, unique_by=lambda x: x[0]
).map(
    lambda probes: Record(
        tuple(depth for depth, _ in sorted(probes)), tuple(g for _, g in sorted(probes)), ended=True
    )
)
cases = st.builds(
    Case,
    chains=st.lists(records).map(tuple),
    right=st.none() | st.lists(st.integers(0, 5)).map(tuple),
)


@given(cases=st.lists(cases).map(tuple), signal=st.floats(-1, 1))
def test_what_is_written_is_read(
    tmp_path_factory: pytest.TempPathFactory, cases: tuple[Case, ...], signal: float
) -> None:
    path = tmp_path_factory.mktemp("profile") / "one.json"
    profile = Profile("m", "tokens", cases, 4.5, {"length": signal})
    write_profile(profile, path)
    assert read_profile(path) == profile


def test_a_large_profile_is_packed(tmp_path: Path) -> None:
    chain = Record(tuple(range(1, 400)), (0,) * 399, ended=True)
    profile = Profile("m", "tokens", (Case((chain,) * 50),))
    write_profile(profile, tmp_path / "one.json")
    assert (tmp_path / "one.json").read_bytes().startswith(b"\x1f\x8b")
    assert read_profile(tmp_path / "one.json") == profile


BROKEN = {
    "empty": b"",
    "words": b"no profile",
    "another format": b'{"format":2,"library":{}}',
    "no problems": b'{"format":1,"library":{"model":"m","unit":"tokens"}}',
    "depths that fall": b'{"format":1,"library":{"model":"m","unit":"tokens",'
    b'"problems":[{"lines":[[[5,4],[0,0],true]]}]}}',
    "no depth": b'{"format":1,"library":{"model":"m","unit":"tokens",'
    b'"problems":[{"lines":[[[],[],true]]}]}}',
    "half a pack": gzip.compress(b"{}" * 90)[:20],
    "deep": b"[" * 100_000,
}


@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN)
def test_a_broken_profile_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "one.json").write_bytes(content)
    with pytest.raises(DataError, match=r"one\.json"):
        read_profile(tmp_path / "one.json")


def test_a_profile_that_unpacks_without_end_is_refused(tmp_path: Path) -> None:
    with gzip.open(tmp_path / "one.json", "wb", compresslevel=1) as packed:
        for _ in range(LARGEST // 2**24 + 1):
            packed.write(bytes(2**24))
    with pytest.raises(DataError, match="too large"):
        read_profile(tmp_path / "one.json")


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="can't be written"):
        write_profile(Profile("m", "tokens", ()), tmp_path / "no" / "one.json")


def test_files_keep_the_names_that_their_fields_had(tmp_path: Path) -> None:
    content = (
        b'{"format":1,"library":{"model":"m","unit":"tokens","problems":'
        b'[{"lines":[[[5],[0],true]],"right":[0],"signs":[1.0,2.0]}]}}'
    )
    (tmp_path / "l").write_bytes(content)
    profile = read_profile(tmp_path / "l")
    [case] = profile.problems
    assert (len(case.chains), case.prompt_features) == (1, (1.0, 2.0))
    write_profile(profile, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == content
