"""Reads what a machine said of itself. It is untrusted: one that breaks the form is out of order."""

from __future__ import annotations

import re
from dataclasses import dataclass
from importlib.resources import files
from typing import Final

from lib.errors import BadConfiguration

OLDEST_PYTHON: Final = (3, 11)
NEWEST_PYTHON: Final = (3, 14)
MOST_BYTES: Final = 65_536
_PATH: Final = re.compile(r"/[^\x00-\x1f\x7f]{0,1000}")
_PYTHON: Final = re.compile(r"(\d)\.(\d{1,3}) ([a-z0-9-]{1,20}) (venv|-)")


def probe_script() -> bytes:
    """What `sh -s` reads on the machine; `read_facts` reads what it writes."""
    return files("lib.bundle").joinpath("probe.sh").read_bytes()


@dataclass(frozen=True, slots=True)
class Python:
    """An interpreter on a machine."""

    path: str
    version: tuple[int, int]
    implementation: str
    has_venv: bool

    @property
    def fits(self) -> bool:
        """Whether our programs run on it."""
        return self.implementation == "cpython" and OLDEST_PYTHON <= self.version <= NEWEST_PYTHON

    @property
    def words(self) -> str:
        """`3.12`."""
        return ".".join(map(str, self.version))


@dataclass(frozen=True, slots=True)
class MachineFacts:
    """What a machine said. Sizes are bytes; None: it could not say."""

    system: str
    processor: str
    home: str
    libc: tuple[str, tuple[int, int]] | None  # its name and version
    pythons: tuple[Python, ...]
    cores: int = 1
    memory: int | None = None
    free: int | None = None
    has_gpu_driver: bool = False
    program: str | None = None  # a voice-synth that is there already

    def python(self, machine: str) -> Python:
        """The interpreter to use: the first that fits and has venv.

        Raises:
            BadConfiguration: there is none.
        """
        fitting = [python for python in self.pythons if python.fits]
        if not fitting:
            found = ", ".join(
                python.words
                if python.implementation == "cpython"
                else f"{python.words} ({python.implementation})"
                for python in self.pythons
            )
            raise BadConfiguration(
                f"{machine} has no Python that our programs run on: "
                f"{f'it has {found}' if found else 'none was found'}, and CPython 3.11 to 3.14 will do. "
                "Install one there (Debian and Ubuntu: apt install python3 python3-venv)"
            )
        usable = next((python for python in fitting if python.has_venv), None)
        if usable is None:
            raise BadConfiguration(
                f"{machine} has {fitting[0].path} without its venv module; install it there "
                "(Debian and Ubuntu: apt install python3-venv)"
            )
        return usable


def read_facts(answer: bytes, machine: str) -> MachineFacts:
    """What the probe wrote.

    Raises:
        BadConfiguration: it is no answer of the probe: something else writes when a command is run there.
    """
    lines = answer[:MOST_BYTES].decode("utf-8", "replace").splitlines()
    words = [line.split("\t") for line in lines]
    single = {line[0]: line[1] for line in words if len(line) == 2}
    if single.get("probe") != "1" or single.get("done") != "1":
        raise BadConfiguration(
            f"{machine} did not answer as a POSIX shell does; its login shell must run commands and its "
            f"start-up files must print nothing. Try: ssh {machine.partition('@')[0]}@... true"
        )
    home = single.get("home", "")
    if not _PATH.fullmatch(home):
        raise BadConfiguration(f"{machine} does not say which folder is its user's home; set HOME there")
    return MachineFacts(
        system=single.get("system", "")[:40],
        processor=single.get("processor", "")[:40],
        home=home,
        libc=_libc(single.get("libc", "")),
        pythons=tuple(filter(None, (_python(line) for line in words if line[0] == "python"))),
        cores=_number(single.get("cores")) or 1,
        memory=_kib(single.get("memory_kib")),
        free=_kib(single.get("free_kib")),
        has_gpu_driver="nvidia_driver" in single or "nvidia_smi" in single,
        program=program if _PATH.fullmatch(program := single.get("program", "")) else None,
    )


def _python(line: list[str]) -> Python | None:
    found = _PYTHON.fullmatch(line[1]) if len(line) == 3 else None
    if found is None or not _PATH.fullmatch(line[2]):
        return None
    return Python(line[2], (int(found[1]), int(found[2])), found[3], found[4] == "venv")


def _libc(words: str) -> tuple[str, tuple[int, int]] | None:
    found = re.fullmatch(r"(glibc|musl) (\d{1,3})\.(\d{1,3}).*", words)
    return None if found is None else (found[1], (int(found[2]), int(found[3])))


def _number(words: str | None) -> int | None:
    return int(words) if words is not None and re.fullmatch(r"[0-9]{1,15}", words) else None


def _kib(words: str | None) -> int | None:
    number = _number(words)
    return None if number is None else number * 1024
