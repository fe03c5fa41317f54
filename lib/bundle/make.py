"""Makes bundles here, once for each kind of machine, and keeps them."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.bundle.own_wheel import own_wheel
from lib.bundle.target import Target
from lib.errors import BadConfiguration, Unavailable
from lib.files import alone_in, write_whole

_REQUIREMENTS: Final = "{}-requirements.txt"  # in the wheel, beside this file; a clone has its own
_DOWNLOAD_S: Final = 1800.0
_HALF: Final = "half-"
_KEPT_S: Final = 30 * 86_400.0  # for a kind of machine, or a version of ours, that nobody asks for any more
_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class Bundle:
    """Wheels that need no index where they are installed. `name` is made of what is in all of them.

    `fetched` are packages that the machine itself gets from its index, each pinned and with its hashes,
    and `fetched_bytes` about how much that is.
    """

    name: str
    wheels: tuple[tuple[Path, str], ...]  # file here, sha256
    fetched: tuple[str, ...] = ()
    fetched_bytes: int = 0

    @property
    def bytes(self) -> int:
        """The size of all wheels that are brought."""
        return sum(path.stat().st_size for path, _ in self.wheels)


def requirements_text(name: str = "synth") -> str:
    """The pinned and hashed packages of the set `name`, that our programs need on a machine.

    Raises:
        BadConfiguration: they are in no place where an installation has them.
    """
    here = Path(__file__).parent
    for path in (here / _REQUIREMENTS.format(name), here.parents[1] / "requirements" / f"{name}.txt"):
        with contextlib.suppress(OSError):
            return path.read_text(encoding="utf-8")
    raise BadConfiguration(
        f"The list of packages for machines, {name}, is not where job-runner is installed ({here}); "
        "install it anew"
    )


def joined_requirements(texts: Iterable[str]) -> str:
    """Several sets as one: of a package that more than one has, the pins of the first set."""
    found: dict[str, str] = {}
    for text in texts:
        own: dict[str, str] = {}
        for pin in re.findall(r"^[A-Za-z0-9].*\n(?:[ \t].*\n)*", f"{text}\n", re.MULTILINE):
            name = re.split(r"[=<>~! ;\[]", pin, maxsplit=1)[0].lower()
            own[name] = own.get(name, "") + pin
        found = own | found
    return "".join(found[name] for name in sorted(found))


class BundleMaker:
    """Makes bundles below a folder, each once; what is not as its hashes say is made anew.

    `extra` are further words for `pip download`, as where the packages come from. With `fetched_bytes` the
    packages, so large, are no part of the bundle: whoever installs it fetches them, by the same hashes.

    Threads: any; they wait for each other, and for other processes on the folder.
    Raises: only `make`, as it says.
    """

    def __init__(
        self, folder: Path, requirements: str, *, extra: Sequence[str] = (), fetched_bytes: int = 0
    ) -> None:
        self._folder, self.requirements, self._extra = folder, requirements, tuple(extra)
        self._fetched_bytes = fetched_bytes

    def make(self, target: Target) -> Bundle:
        """The bundle for such machines.

        Raises:
            Unavailable: the packages cannot be had now.
            BadConfiguration: there is none for such machines, or the folder cannot be written.
        """
        with _turn, self._as_sentences():
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            with alone_in(self._folder):
                brought = [] if self._fetched_bytes else self._downloaded(target)
                wheels = sorted((*brought, self._own()))
                self._sweep()
        fetched = tuple(lines_for(self.requirements, target)) if self._fetched_bytes else ()
        words = "".join((*(f"{path.name} {digest}\n" for path, digest in wheels), *fetched))
        name = f"{target.name}-{hashlib.sha256(words.encode()).hexdigest()[:16]}"
        return Bundle(name, tuple(wheels), fetched, self._fetched_bytes)

    def _sweep(self) -> None:
        """Remove what killed processes were making, and what nobody has asked for in a month."""
        before = time.time() - _KEPT_S
        for folder in self._folder.iterdir():
            if folder.name.startswith(_HALF) or (folder.is_dir() and folder.stat().st_mtime < before):
                shutil.rmtree(folder, ignore_errors=True)

    def _own(self) -> tuple[Path, str]:
        name, data = own_wheel()
        digest = hashlib.sha256(data).hexdigest()
        folder = self._folder / f"own-{digest[:16]}"
        path = folder / name
        if not path.exists() or _sha256(path) != digest:
            folder.mkdir(exist_ok=True, mode=0o700)
            write_whole(path, data, sync=True)
        os.utime(folder)  # somebody asks for it still
        return path, digest

    def _downloaded(self, target: Target) -> list[tuple[Path, str]]:
        """The packages' wheels, just as they are pinned.

        They are looked at each time: after a power cut a file may be there and have no bytes.
        """
        wanted = lines_for(self.requirements, target)
        digest = hashlib.sha256("\n".join(wanted).encode()).hexdigest()[:16]
        folder = self._folder / f"{target.name}-{digest}"
        found = _wheels_of(folder, wanted)
        if found is not None:
            os.utime(folder)
            return found
        shutil.rmtree(folder, ignore_errors=True)
        half = Path(tempfile.mkdtemp(prefix=_HALF, dir=self._folder))
        try:
            if wanted:
                self._download(target, wanted, half)
            half.rename(folder)
        finally:
            shutil.rmtree(half, ignore_errors=True)
        found = _wheels_of(folder, wanted)
        if found is None:
            raise Unavailable(f"The packages in {folder} are not the pinned ones; look after the disk.")
        return found

    def _download(self, target: Target, wanted: Sequence[str], into: Path) -> None:
        listed = into / "requirements.txt"
        listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
        abi = f"cp{target.python[0]}{target.python[1]}"
        command = [
            *(
                sys.executable,
                "-m",
                "pip",
                "download",
                "--quiet",
                "--no-input",
                "--disable-pip-version-check",
            ),
            *("--no-deps", "--require-hashes", "--only-binary", ":all:", "--implementation", "cp"),
            *("--python-version", ".".join(map(str, target.python)), "--abi", abi, "--abi", "abi3"),
            *("--abi", "none", *(word for tag in target.platforms() for word in ("--platform", tag))),
            *(*self._extra, "--dest", str(into), "--requirement", str(listed)),
        ]
        done = _ran(command)
        listed.unlink()
        if done.returncode == 0:
            return
        said = " ".join(done.stderr.split())[-300:]
        if "No module named pip" in said:
            raise BadConfiguration(
                f"{sys.executable} has no pip, which fetches the packages of machines; add it"
            )
        if "No matching distribution" in said:
            raise BadConfiguration(
                f"There are no packages for machines of the kind {target.name}: {said}. Use another Python"
            )
        raise Unavailable(f"The packages for machines of the kind {target.name} cannot be fetched: {said}")

    @contextlib.contextmanager
    def _as_sentences(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise BadConfiguration(
                f"The bundles for machines cannot be kept in {self._folder}: {error.strerror or error}. "
                "Make room, or set JOBS_DATA_DIR to a folder this user may write"
            ) from error


def _ran(command: Sequence[str]) -> subprocess.CompletedProcess[str]:
    # Python's own settings are not for pip's child; how packages are reached is.
    environ = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "PYTHONHOME")}
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_DOWNLOAD_S,
            check=False, env=environ,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"The packages for machines were not here after {_DOWNLOAD_S:.0f} s; it is tried again"
        ) from None


def lines_for(requirements: str, target: Target) -> list[str]:
    """The requirements whose conditions such a machine meets, each on one line and without its condition.

    pip itself would ask the conditions of the machine that it runs on.
    """
    from packaging.requirements import Requirement

    found = []
    for line in requirements.replace("\\\n", " ").splitlines():
        words, *hashes = line.split("#")[0].split("--hash=")
        if not words.strip():
            continue
        wanted = Requirement(words)
        if wanted.marker is None or wanted.marker.evaluate(dict(target.marker_environment())):
            pins = " ".join(f"--hash={digest.strip()}" for digest in hashes)
            found.append(f"{wanted.name}{wanted.specifier} {pins}".strip())
    return found


def _wheels_of(folder: Path, wanted: Sequence[str]) -> list[tuple[Path, str]] | None:
    """The wheels in a folder with their hashes; None unless there is one of each package, as pinned."""
    if not folder.is_dir():
        return None
    pinned = {digest for line in wanted for digest in re.findall(r"--hash=sha256:([0-9a-f]{64})", line)}
    found = [(path, _sha256(path)) for path in sorted(folder.glob("*.whl"))]
    whole = len(found) == len(wanted) and all(digest in pinned for _, digest in found)
    return found if whole else None


def _sha256(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
