"""A folder as it stood at one moment, and copies of it to work in."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from workspan.checkout.git import git
from workspan.errors import CheckoutError, InputError

MOST_BYTES = 2 << 30
"""Of a folder that is copied."""
MOST_FILES = 200_000
LONGEST = 8_000_000
"""Bytes of a diff."""
_PREFIX = "workspan-rollouts-"


@dataclass
class Snapshot:
    """A copied folder with a repository of its own, in a private place outside of the user's.

    `take` makes one, `close` removes it with every copy. One that was left by a killed process is
    removed by the next `take`.
    """

    root: Path
    """Holds all that is here."""
    within: Path
    """Where the folder stands in its repository; empty if it is the whole."""
    digest: str
    """Names what the files hold: git's hash of the tree."""
    lock: int
    """A descriptor: as long as it is open the place is in use."""
    count: itertools.count[int] = field(default_factory=itertools.count)

    @property
    def base(self) -> Path:
        """The copy that nobody works in."""
        return self.root / "base"

    def tree(self) -> Path:
        """Make a copy to work in, with a repository of its own."""
        place = self._place("tree")
        shutil.copytree(self.base, place, symlinks=True)
        return place

    def diff(self, tree: Path) -> str:
        """Return what has changed in a copy, as `git diff` writes it; "" if nothing has.

        What git ignores is left out, and so are repositories inside.

        Raises:
            CheckoutError: it is too long, or holds what is no UTF-8.
        """
        for is_binary in (False, True):
            written = self._diff(tree, is_binary=is_binary)
            if len(written) > LONGEST:
                raise CheckoutError(f"the diff is of {len(written):,} bytes: at most {LONGEST:,}")
            try:
                return written.decode()
            except UnicodeDecodeError:
                continue  # once more, each changed file as a whole
        raise CheckoutError("the diff holds names that are no UTF-8")

    def patched(self, diff: str) -> Path:
        """Make a copy without a repository, with a diff applied.

        Raises:
            CheckoutError: it does not apply.
        """
        place = self._place("patched")
        try:
            shutil.copytree(
                self.base, place, symlinks=True, ignore=lambda at, _: _own_git(at, self.base)
            )
            ceiling = {"GIT_CEILING_DIRECTORIES": str(self.root)}
            words = ("apply", "--whitespace=nowarn", "-")
            git(words, place, given=diff.encode(errors="replace"), variables=ceiling)
        except BaseException:
            remove(place)
            raise
        return place

    def close(self) -> None:
        """Remove it with all copies; idempotent."""
        if self.lock >= 0:
            remove(self.root)
            os.close(self.lock)
            self.lock = -1

    def _place(self, kind: str) -> Path:
        return self.root / f"{kind}{next(self.count)}"

    def _diff(self, tree: Path, *, is_binary: bool) -> bytes:
        """Stage a copy in an index of its own, by the base's repository."""
        scratch = self._place("index")
        scratch.mkdir()
        try:
            store = self.base / ".git"
            shutil.copy(store / "index", scratch / "index")
            variables = {
                "GIT_DIR": str(store),
                "GIT_WORK_TREE": str(tree),
                "GIT_INDEX_FILE": str(scratch / "index"),
                "GIT_OBJECT_DIRECTORY": str(scratch / "objects"),
                "GIT_ALTERNATE_OBJECT_DIRECTORIES": str(store / "objects"),
            }
            (scratch / "objects").mkdir()
            git(("add", "-A"), tree, variables=variables)
            if is_binary:
                (scratch / "attributes").write_text("* -diff\n")
            words = ("-c", f"core.attributesFile={scratch / 'attributes'}", "diff", "--cached")
            shown = ("--binary", "--full-index", "--no-ext-diff", "--no-textconv", "--no-color")
            return git((*words, *shown, "--ignore-submodules=all"), tree, variables=variables)
        finally:
            remove(scratch)


def take(folder: Path, carry: Sequence[str] = (), without: Iterable[Path] = ()) -> Snapshot:
    """Copy a folder as it stands.

    Of a repository all of it is copied, with its history: what is committed and what is not, but
    nothing that git ignores, unless it is to be carried. Of any other folder, all.

    Args:
        folder: in a repository, or not.
        carry: paths in it that git ignores and that are needed, such as "node_modules".
        without: files that are left out wherever they are, such as those that a run writes itself.

    Raises:
        InputError: there is no such folder, it is too large, or there is no git.
        CheckoutError: git failed.
    """
    whole = folder.expanduser().resolve()
    if not whole.is_dir():
        raise InputError(f"{folder}: no such folder")
    top = _top(whole)
    unwanted = {path.expanduser().resolve() for path in without}
    _sweep(Path(tempfile.gettempdir()))
    root, lock = _locked_place()
    taken = Snapshot(root, whole.relative_to(top or whole), "", lock)
    try:
        if top is None:
            _copy_all(whole, taken.base, unwanted)
            git(("init", "-q"), taken.base)
            git(("add", "-A"), taken.base)
        else:
            _clone(top, taken.base, unwanted)
        message = "The folder as it stood when the rollouts began"
        git(("commit", "-q", "--no-verify", "--allow-empty", "-m", message), taken.base)
        for path in carry:
            _carry(whole, path, taken.base / taken.within)
        taken.digest = git(("write-tree",), taken.base).decode().strip()
    except BaseException:
        taken.close()
        raise
    return taken


def _locked_place() -> tuple[Path, int]:
    """Make a private folder, which has its name only when it is locked."""
    import fcntl  # of Unix alone, and this module is loaded to be listed

    made = Path(tempfile.mkdtemp(prefix="workspan-new-")).resolve()
    lock = os.open(made / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    fcntl.flock(lock, fcntl.LOCK_EX)
    root = made.with_name(made.name.replace("workspan-new-", _PREFIX))
    return made.rename(root), lock


def remove(place: Path) -> None:
    """Remove a folder of ours, also one that others have made read-only."""

    def again(_call: object, path: str, _error: object) -> None:
        try:
            os.chmod(os.path.dirname(path), 0o700)
            if os.path.isdir(path) and not os.path.islink(path):
                os.chmod(path, 0o700)
                shutil.rmtree(path, ignore_errors=True)
            else:
                os.unlink(path)
        except OSError:
            pass  # the next `take` tries once more

    shutil.rmtree(place, onerror=again)


def _top(folder: Path) -> Path | None:
    """Return the top of the repository that a folder is in, if that has a commit."""
    try:
        said = git(("rev-parse", "--show-toplevel"), folder)
        git(("rev-parse", "--verify", "-q", "HEAD"), folder)
    except CheckoutError:
        return None
    return Path(os.fsdecode(said.rstrip(b"\n"))).resolve()


def _clone(top: Path, base: Path, without: Collection[Path]) -> None:
    """Give the copy the history by reference, and the files as they stand."""
    git(("clone", "-q", "--shared", "--no-checkout", "--no-tags", top, base), top)
    git(("remote", "remove", "origin"), base)
    listed = git(("ls-files", "-z", "--cached", "--others", "--exclude-standard"), top, is_own=True)
    names = [os.fsdecode(name) for name in listed.split(b"\0") if name]
    _copy(top, base, (name for name in names if top / name not in without))
    git(("add", "-A", "-f"), base)


def _copy_all(folder: Path, base: Path, without: Collection[Path]) -> None:
    base.mkdir()
    names = []
    for at, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        links = [name for name in folders if os.path.islink(os.path.join(at, name))]
        names += [os.path.relpath(os.path.join(at, name), folder) for name in (*files, *links)]
        if len(names) > MOST_FILES:
            break
    _copy(folder, base, (name for name in names if folder / name not in without))


def _copy(folder: Path, base: Path, names: Iterable[str]) -> None:
    """Copy files and links; what is neither, such as a submodule, is left out.

    Raises:
        InputError: they are too many or too large.
    """
    size = 0
    for number, name in enumerate(names):
        source, target = folder / name, base / name
        if not source.is_symlink():
            if not source.is_file():
                continue
            size += source.stat().st_size
        if size > MOST_BYTES or number >= MOST_FILES:
            raise InputError(
                f"{folder} is too large to copy for each rollout: at most {MOST_FILES:,} files "
                f"of {MOST_BYTES >> 30} GiB; name a smaller folder, or have git ignore some of it"
            )
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(source, target, follow_symlinks=False)


def _carry(folder: Path, path: str, target: Path) -> None:
    """Copy what git ignores, where the user asks for it.

    Raises:
        InputError: it is not in the folder.
    """
    source, place = folder / path, target / path
    if not source.exists() or not place.resolve().is_relative_to(target.resolve()):
        raise InputError(f"carry {path!r}: there is no such path in {folder}")
    place.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        shutil.copytree(source, place, symlinks=True, dirs_exist_ok=True)
    else:
        shutil.copy2(source, place)


def _own_git(at: str, base: Path) -> list[str]:
    return [".git"] if Path(at) == base else []


def _sweep(place: Path) -> None:
    """Remove what killed processes of this user have left."""
    import fcntl

    for left in place.glob(f"{_PREFIX}*"):
        try:
            if left.is_symlink() or left.stat().st_uid != os.getuid():
                continue
            lock = os.open(left / "lock", os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            remove(left)
        except OSError:
            continue  # in use
        finally:
            os.close(lock)
