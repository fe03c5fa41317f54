"""Fixtures with real SSH servers."""

from __future__ import annotations

from tests.integration.ssh_machines import own_sshd, ssh_machine, ssh_thread, sshd

__all__ = ["own_sshd", "ssh_machine", "ssh_thread", "sshd"]
