"""A voice reaches a machine over a real SSH server: whole, its recording once, by its hash (V5)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from lib.clock import SystemClock
from lib.spool import SpoolClient
from lib.voices import Voice, VoiceRegistry
from lib.voices.voice_parcel import parcel_of
from lib.voices.voice_store import add_voice
from lib.workers.ssh import SshHost, SshMachine, SshOptions, SshThread, SshWorkerSetup
from tests.integration.ssh_machines import machine_of
from tests.integration.sshd import SshServer
from tests.unit.voices.test_voice_store import clone, files, wav


@pytest.fixture
def spool(ssh_machine: SshMachine, tmp_path: Path) -> SpoolClient:
    """The spool of a host on the machine; no worker is started."""
    return spool_on(ssh_machine, tmp_path / "far")


def spool_on(machine: SshMachine, folder: Path) -> SpoolClient:
    setup = SshWorkerSetup(("true",), str(folder), "hibari", f"{folder}/spool/voices", SystemClock())
    return SpoolClient(SshHost("far/1", machine, setup).files(), remote=True)


def bring(spool: SpoolClient, voice: Voice) -> None:
    parcel = parcel_of(voice)
    spool.bring_voice(parcel.name, parcel.recording, parcel.voice_yaml)


def test_a_voice_is_there_whole_and_its_recording_is_sent_once(spool: SpoolClient, tmp_path: Path) -> None:
    here, far = tmp_path / "voices", tmp_path / "far/spool/voices"
    bring(spool, add_voice(here, clone()))
    there = VoiceRegistry([far]).get("jo")
    assert there.reference is not None
    assert there.reference.audio.read_bytes() == wav()
    first = there.reference.audio.stat().st_ino

    bring(spool, VoiceRegistry([here]).get("jo"))
    assert there.reference.audio.stat().st_ino == first

    replaced = add_voice(here, clone(data=wav(5.0)), replace=True)
    bring(spool, replaced)
    assert replaced.reference is not None
    assert files(far) == ["jo", f"jo/{replaced.reference.audio.name}", "jo/voice.yaml"]
    assert VoiceRegistry([far]).get("jo").reference is not None


def test_a_large_recording_has_longer_than_one_question(
    sshd: SshServer, ssh_thread: SshThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A line that takes a question's time for each MiB would never bring it otherwise."""
    machine = machine_of(sshd, ssh_thread, SshOptions(call_s=7.0))
    asked = list[float | None]()
    with_sftp = SshMachine.with_sftp

    def noted(self: SshMachine, work: Any, timeout_s: float | None = None) -> Any:
        asked.append(timeout_s)
        return with_sftp(self, work, timeout_s)

    monkeypatch.setattr(SshMachine, "with_sftp", noted)
    data = wav(15.0) + bytes(3 * 1024 * 1024)  # what follows the sound is no sound
    bring(spool_on(machine, tmp_path / "far"), add_voice(tmp_path / "voices", clone(data=data)))
    machine.close()

    assert max(limit or 0.0 for limit in asked) == 4 * 7.0
    there = VoiceRegistry([tmp_path / "far/spool/voices"]).get("jo")
    assert there.reference is not None
    assert there.reference.audio.read_bytes() == data
