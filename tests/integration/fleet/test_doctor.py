"""`job-watcher doctor` with PROVIDER=ssh: a real machine that answers, and then does not (W1)."""

from __future__ import annotations

import json

from tests.integration.fleet.conftest import FleetDeployment


def found(fleet: FleetDeployment, status: int) -> list[str]:
    """The ids that it finds."""
    done = fleet.command("doctor", "--json")
    assert done.returncode == status, done.stderr
    return [item["id"] for item in json.loads(done.stdout)["findings"]]


def test_each_machine_is_looked_at(fleet: FleetDeployment) -> None:
    (machine,) = fleet.machines
    assert found(fleet, 0) == []

    machine.stop()

    assert found(fleet, 69) == ["D024", "D025"]
    shown = fleet.command("doctor").stdout
    assert f"unreachable: {machine.address} refuses connections" in shown
