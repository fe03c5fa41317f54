"""Brings our programs to a bare machine: asks what it is, brings the bundle that fits, installs it once."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from importlib.resources import files
from typing import Any

from job_watcher.providers.over_ssh.ports import MachineLink, MachineOut
from lib.bundle import (
    IMAGE_FOLDER,
    Bundle,
    BundleMaker,
    MachineFacts,
    image_script,
    probe_script,
    programs_wanted,
    python_beside,
    read_facts,
    target_of,
)
from lib.errors import BadConfiguration, JobRunnerError, Unavailable
from lib.foreign import parse_json
from lib.units import MIB
from lib.workers.ssh import RemoteTimedOut

log = logging.getLogger(__name__)

FOLDER = ".local/share/job-runner/bundles"  # below the machine's home
_ASK_S, _INSTALL_S = 30.0, 900.0
_TIMES = 5  # as large as its wheels is a bundle with them and installed
_TIMES_FETCHED = 3  # as large as what is fetched, for nothing of it is kept


def ask(machine: MachineLink) -> MachineFacts:
    """What the machine is.

    Raises:
        MachineOut: it does not say so in the form that is asked for.
        JobRunnerError: it does not answer.
    """
    done = machine.run(("sh", "-s"), stdin=probe_script(), timeout_s=_ASK_S)
    try:
        return read_facts(done.stdout, machine.name)
    except BadConfiguration as error:
        raise MachineOut("no_shell", error.message) from None


class Bootstrap:
    """Has our programs on machines. Does nothing where the same bundle is installed already.

    Threads: any, each with its machine.
    Raises: MachineOut from every method, where somebody has to do something first.
    """

    def __init__(self, maker: BundleMaker) -> None:
        self._maker = maker

    def found_there(self, machine: MachineLink, facts: MachineFacts) -> str | None:
        """The path of a program that runs what the machine has already, as from its image.

        None unless every file of ours there is what it is here, and the packages are the pinned ones: else it
        would speak otherwise than the others do. Nothing of what was found is run before.
        """
        if facts.program is None:
            return None
        try:
            wanted = programs_wanted(self._maker.requirements, facts, machine.name)
            words = (python_beside(facts.program), "-I", "-c", image_script(), f"{facts.home}/{IMAGE_FOLDER}")
            done = machine.run(words, stdin=wanted, timeout_s=_ASK_S)
        except (BadConfiguration, RemoteTimedOut):
            return None
        answer = _answer(done.stdout)
        if answer is None or answer["state"] != "same" or not _is_path(answer.get("program")):
            said = "it is no environment of ours" if answer is None else f"{answer['said']} is another"
            log.info("the voice-synth that %s has is not used: %s", machine.name, said)
            return None
        return str(answer["program"])

    def bundle(self, machine: MachineLink, facts: MachineFacts) -> Bundle:
        """The bundle for the machine, made here when there is none yet."""
        try:
            python = facts.python(machine.name)
        except BadConfiguration as error:
            code = "no_venv" if any(found.fits for found in facts.pythons) else "no_python"
            raise MachineOut(code, error.message) from None
        try:
            return self._maker.make(target_of(facts, python, machine.name))
        except (BadConfiguration, Unavailable) as error:
            raise MachineOut("no_bundle", error.message) from None

    def needed(self, bundle: Bundle) -> int:
        """Bytes that it takes on a machine."""
        return bundle.bytes * _TIMES + bundle.fetched_bytes * _TIMES_FETCHED

    def is_installed(self, machine: MachineLink, facts: MachineFacts, bundle: Bundle) -> str | None:
        """The path of its voice-synth, where it is installed."""
        answer = self._do(machine, facts, bundle, "look")
        return str(answer["program"]) if answer["state"] == "installed" else None

    def install(self, machine: MachineLink, facts: MachineFacts, bundle: Bundle) -> str:
        """Bring what is missing and install it; returns the path of voice-synth."""
        log.info("our programs are brought to %s (%d MiB)", machine.name, bundle.bytes // MIB)
        if bundle.fetched:
            log.info("%s fetches %d packages of the engine itself", machine.name, len(bundle.fetched))
        try:
            self._bring(machine, facts, bundle)
        except JobRunnerError:
            # Another watcher may bring the same at this moment, and have moved or removed a file under our
            # hands; who asks waits for its turn, and finds what that one has installed.
            program = self.is_installed(machine, facts, bundle)
            if program is None:
                raise
            return program
        answer = self._do(machine, facts, bundle, "install")
        if answer["state"] == "installed":
            return str(answer["program"])
        raise MachineOut(
            "upload",
            f"{machine.name} has other bytes than were sent to it; see to its disk. It is tried again.",
        )

    def _bring(self, machine: MachineLink, facts: MachineFacts, bundle: Bundle) -> None:
        answer = self._do(machine, facts, bundle, "look")
        if answer["state"] == "missing":
            wrong = set(map(str, answer["wheels"]))
            for path, _ in bundle.wheels:
                if path.name in wrong:
                    machine.upload(path, f"{facts.home}/{FOLDER}/{bundle.name}/wheels/{path.name}")

    def _do(self, machine: MachineLink, facts: MachineFacts, bundle: Bundle, act: str) -> Mapping[str, Any]:
        """Let the script on the machine do one thing."""
        script = files("lib.bundle").joinpath("install.script").read_text(encoding="utf-8")
        wanted = {
            "do": act,
            "name": bundle.name,
            "wheels": {path.name: digest for path, digest in bundle.wheels},
            "fetched": list(bundle.fetched),
        }
        words = (facts.python(machine.name).path, "-c", script, f"{facts.home}/{FOLDER}")
        done = machine.run(words, stdin=json.dumps(wanted).encode(), timeout_s=_INSTALL_S)
        answer = _answer(done.stdout)
        if answer is None:
            said = " ".join(done.stderr.decode("utf-8", "replace").split())[-300:]
            raise MachineOut(
                "install", f"{machine.name} could not install our programs: {said or 'no answer'}."
            )
        if answer["state"] == "no_space":
            raise MachineOut(
                "disk",
                f"{machine.name} has no room for our programs ({self.needed(bundle) // MIB} MiB); make room "
                f"in its home folder, or set VAST_DISK_GB higher where it is rented. It says: "
                f"{answer['said']}.",
            )
        if answer["state"] == "failed":
            raise MachineOut("install", f"{machine.name} could not install our programs: {answer['said']}.")
        return answer


def _answer(written: bytes) -> dict[str, Any] | None:
    """The script's line, if it is one: a machine is untrusted."""
    lines = written.splitlines()
    try:
        found = parse_json(lines[-1]) if lines else None
    except ValueError:
        return None
    if not isinstance(found, dict) or not isinstance(found.get("state"), str):
        return None
    found["said"] = "".join(char if char.isprintable() else "?" for char in str(found.get("said", "")))[:400]
    if found["state"] == "installed" and not _is_path(found.get("program")):
        return None
    if found["state"] == "missing" and not isinstance(found.get("wheels"), list):
        return None
    return found


def _is_path(found: object) -> bool:
    return re.fullmatch(r"/[^\x00-\x1f\x7f]{1,1000}", str(found)) is not None


def reason_of(error: JobRunnerError) -> str:
    """The reason code of what kept us from talking to a machine."""
    from lib.workers import ssh

    codes = {
        ssh.HostKeyChanged: "host_key",
        ssh.KeyNotAccepted: "key_refused",
        ssh.KeyFileUnusable: "key_file",
        ssh.KnownHostsUnusable: "known_hosts",
        ssh.RemoteTimedOut: "timed_out",
    }
    for kind, code in codes.items():
        if isinstance(error, kind):
            return code
    return "unreachable" if isinstance(error, Unavailable) else "configuration"
