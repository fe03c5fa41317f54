"""docs/how-to/own-gpu.md, as a user types it, on a machine of loopback."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema

from tests.integration.fleet.conftest import FleetDeployment

ROOT = Path(__file__).parents[3]
PAGE = (ROOT / "docs/how-to/own-gpu.md").read_text(encoding="utf-8")
SCHEMA = json.loads((ROOT / "docs/reference/json/job-watcher-machines.json").read_text())


def test_the_check_says_what_is_in_order_and_what_is_not(pair: FleetDeployment) -> None:
    sound, off = pair.machines
    done = pair.command("machines", "--check")
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count("ready ") == 2

    off.stop()
    done = pair.command("machines", "--check", "--json")
    assert done.returncode == 69
    found = json.loads(done.stdout)
    jsonschema.validate(found, SCHEMA)
    assert [line["reason"] for line in found["machines"]] == ["", "unreachable"]

    sound.shim("df", 'printf "Filesystem 1024-blocks Used Available Capacity Mounted\\n/d 9 8 1 99%% /\\n"')
    done = pair.command("machines", "--check")
    assert done.returncode == 78
    assert "make room" in done.stdout
    assert not sound.files()  # nothing was changed there


def test_the_page_names_every_reason_and_every_setting() -> None:
    told = set(re.findall(r"^\| `([a-z_]+)`", PAGE, re.MULTILINE))
    rooms = [ROOT / "job_watcher/providers" / name for name in ("over_ssh", "ssh")]
    source = "".join(path.read_text() for room in rooms for path in room.glob("*.py"))
    codes = set(re.findall(r'(?:MachineOut\(|ssh\.[A-Za-z]+:)\s*"([a-z_]+)"', source))
    assert {"host_key", "key_refused", "key_file", "known_hosts", "timed_out"} <= codes
    gates = set(re.findall(r'= "([a-z_]+)"  #', (ROOT / "lib/machine_checks/gate.py").read_text()))
    assert codes | gates | {"configuration"} <= told
    for name in ("PROVIDER", "SSH_MACHINES", "SSH_KEY_FILE", "SSH_KNOWN_HOSTS", "SSH_VOICE_SYNTH"):
        assert name in PAGE
