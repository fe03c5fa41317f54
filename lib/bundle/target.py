"""For which Python, processor and C library a bundle is made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lib.bundle.machine_facts import MachineFacts, Python
from lib.errors import BadConfiguration

_PROCESSORS: Final = {"x86_64": "x86_64", "amd64": "x86_64", "aarch64": "aarch64", "arm64": "aarch64"}
_OLDEST_GLIBC: Final = (2, 17)


@dataclass(frozen=True, slots=True)
class Target:
    """A kind of machine. Two that are the same take the same bundle."""

    python: tuple[int, int]
    processor: str
    libc: str
    libc_version: tuple[int, int]

    @property
    def name(self) -> str:
        """As a folder has it: `cp311-glibc2.36-x86_64`."""
        major, minor = self.libc_version
        return f"cp{self.python[0]}{self.python[1]}-{self.libc}{major}.{minor}-{self.processor}"

    def platforms(self) -> list[str]:
        """The tags of wheels that run there, the newest first."""
        major, minor = self.libc_version
        if self.libc == "musl":
            return [f"musllinux_{major}_{step}_{self.processor}" for step in range(minor, -1, -1)]
        steps = range(minor, _OLDEST_GLIBC[1] - 1, -1)
        found = [f"manylinux_{major}_{step}_{self.processor}" for step in steps]
        return [*found, f"manylinux2014_{self.processor}", f"linux_{self.processor}"]

    def marker_environment(self) -> Mapping[str, str]:
        """What stands for such a machine in the conditions of a requirements file."""
        version = ".".join(map(str, self.python))
        return {
            "implementation_name": "cpython",
            "implementation_version": f"{version}.0",
            "os_name": "posix",
            "platform_machine": self.processor,
            "platform_python_implementation": "CPython",
            "platform_release": "",
            "platform_system": "Linux",
            "platform_version": "",
            "python_full_version": f"{version}.0",
            "python_version": version,
            "sys_platform": "linux",
            "extra": "",
        }


def target_of(facts: MachineFacts, python: Python, machine: str) -> Target:
    """The target that a machine is.

    Raises:
        BadConfiguration: our programs come for no such machine.
    """
    processor = _PROCESSORS.get(facts.processor.lower())
    if facts.system != "Linux" or processor is None:
        raise BadConfiguration(
            f"{machine} is {facts.system or 'unknown'} on {facts.processor or 'an unknown processor'}; "
            "our programs come for Linux on x86_64 and aarch64. Install them there by hand and set "
            "SSH_VOICE_SYNTH to the path of voice-synth"
        )
    if facts.libc is None or (facts.libc[0] == "glibc" and facts.libc[1] < _OLDEST_GLIBC):
        raise BadConfiguration(
            f"{machine} has a C library that no wheel is made for; glibc from 2.17 and musl will do. Use a "
            "newer system there"
        )
    return Target(python.version, processor, *facts.libc)
