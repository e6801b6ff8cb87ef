"""The index of a corpus, kept in the user's cache under a hash of what it was made of."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import msgspec

from workspan.retrieval.base import Passage
from workspan.retrieval.bm25 import Bm25
from workspan.retrieval.corpus import File, passages, read_files

_FORM = "1"
"""Changes when passages are cut or indexed in another way: older indexes are built again."""

_KEPT_SECONDS = 30 * 24 * 3600
"""After so long without use an index is removed."""

_PASSAGES = "passages.json"
_DRAFT = ".building-"


def open_corpus(path: str | Path, cache: Path | None = None) -> Bm25:
    """Open a folder, or a file, as a retriever; index it first if anything in it has changed.

    All of its content is hashed each time: that costs far less than to index it, and an edit that
    keeps size and time is seen too. `cache` is a private folder, the user's own by default.

    Raises:
        DataError: as `read_files` and `passages`.
        MissingDependency: bm25s, or pyarrow for a Parquet file, is not installed.
    """
    files = read_files(path)
    cache = cache or cache_folder()
    digest = _digest(files)
    place = cache / digest
    kept = _load(place)
    if kept is not None:
        return replace(kept, digest=digest)
    built = replace(Bm25.build(passages(files)), digest=digest)
    _save(built, place)
    _forget(cache)
    return built


def cache_folder() -> Path:
    """Return where indexes are kept: the user's cache, or ``WORKSPAN_HOME`` if set."""
    import platformdirs

    home = os.environ.get("WORKSPAN_HOME")
    return Path(home or platformdirs.user_cache_path("workspan")) / "corpora"


def _digest(files: list[File]) -> str:
    seen = hashlib.blake2b(_FORM.encode(), digest_size=16)
    for file in files:
        seen.update(f"\0{file.name}\0{len(file.content)}\0".encode())
        seen.update(file.content)
    return seen.hexdigest()


def _load(place: Path) -> Bm25 | None:
    """Return the kept index; None where there is none, or one that can't be read."""
    try:
        kept = msgspec.json.decode((place / _PASSAGES).read_bytes(), type=list[Passage])
        index = Bm25.load(kept, place)
        if index.index.scores["num_docs"] != len(kept):
            return None
        os.utime(place)
    except (OSError, ValueError, KeyError, EOFError, msgspec.MsgspecError):
        return None
    return index


def _save(index: Bm25, place: Path) -> None:
    """Keep an index, whole or not at all; where the disk refuses it is built again next time."""
    if index.index is None:
        return
    made: str | None = None
    try:
        place.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        made = tempfile.mkdtemp(dir=place.parent, prefix=_DRAFT)  # for its owner only
        (Path(made) / _PASSAGES).write_bytes(msgspec.json.encode(index.passages))
        index.save(Path(made))
        shutil.rmtree(place, ignore_errors=True)  # one that could not be read
        Path(made).rename(place)
    except OSError:
        if made is not None:  # full, or another process was first
            shutil.rmtree(made, ignore_errors=True)


def _forget(cache: Path) -> None:
    oldest = time.time() - _KEPT_SECONDS
    for place in cache.iterdir() if cache.is_dir() else ():
        is_ours = place.name.startswith(_DRAFT) or (place / _PASSAGES).is_file()
        if is_ours and place.stat().st_mtime < oldest:  # the folder may hold more than indexes
            shutil.rmtree(place, ignore_errors=True)
