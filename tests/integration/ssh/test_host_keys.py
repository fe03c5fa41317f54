"""A machine is known by its key from the first time on, and what keeps us out is said in a line (W12)."""

from __future__ import annotations

from pathlib import Path

import asyncssh
import pytest

from lib.errors import BadConfiguration, ExitStatus
from lib.spool import HostUnreachable
from lib.workers.ssh import (
    HostKeyChanged,
    HostRefused,
    KeyNotAccepted,
    KnownHosts,
    SshAddress,
    SshMachine,
    SshThread,
)
from tests.integration.sshd import SshServer, make_key


def machine_with(
    server: SshServer,
    thread: SshThread,
    known: Path,
    *,
    key: Path | None = None,
    address: str | None = None,
) -> SshMachine:
    return SshMachine(
        thread,
        SshAddress.read(address or server.address),
        key_file=key or server.key_file,
        known_hosts=KnownHosts(known),
    )


def fingerprint(key: Path) -> str:
    return asyncssh.read_public_key(f"{key}.pub").get_fingerprint()


class TestTheFirstTime:
    def test_pins_the_key_and_leaves_other_lines_alone(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        other = "other.example ssh-ed25519 " + (Path(f"{sshd.key_file}.pub").read_text().split()[1])
        known = tmp_path / "ssh" / "known_hosts"
        known.parent.mkdir()
        known.write_text(f"# mine\n{other}")  # no end of line: what is added must not join it

        machine = machine_with(sshd, ssh_thread, known)
        assert machine.run(["true"]).ok
        machine.close()

        shown = Path(f"{sshd.host_key}.pub").read_text().split()[:2]
        lines = known.read_text().splitlines()
        assert lines == ["# mine", other, f"[127.0.0.1]:{sshd.port} {shown[0]} {shown[1]}"]

    def test_makes_the_file_and_only_its_owner_reads_it(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        known = tmp_path / "data" / "ssh" / "known_hosts"

        assert machine_with(sshd, ssh_thread, known).run(["true"]).ok

        assert known.stat().st_mode & 0o777 == 0o600
        assert [item.name for item in known.parent.iterdir()] == ["known_hosts"]

    def test_pins_nothing_of_a_machine_that_does_not_let_us_in(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        with pytest.raises(KeyNotAccepted):
            machine_with(sshd, ssh_thread, tmp_path / "known", key=make_key(tmp_path / "key")).run(["true"])
        assert not (tmp_path / "known").exists()

    def test_pins_nothing_where_the_file_cannot_be_written(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(BadConfiguration, match="Set SSH_KNOWN_HOSTS to a file that this user may write"):
            machine_with(sshd, ssh_thread, tmp_path / "file" / "known").run(["true"])


class TestAChangedKey:
    def test_is_refused_with_both_fingerprints_and_how_to_accept_it(
        self, own_sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        known = tmp_path / "known"
        assert machine_with(own_sshd, ssh_thread, known).run(["true"]).ok
        before, pinned = fingerprint(own_sshd.host_key), known.read_text()
        own_sshd.stop()
        own_sshd.new_host_key()
        own_sshd.start()

        with pytest.raises(HostKeyChanged) as caught:
            machine_with(own_sshd, ssh_thread, known).run(["true"])

        said = caught.value.message
        assert f"known is {before}, shown is {fingerprint(own_sshd.host_key)}" in said
        assert f"ssh-keygen -R '[127.0.0.1]:{own_sshd.port}' -f {known}" in said
        assert caught.value.exit_status is ExitStatus.BAD_CONFIGURATION
        assert isinstance(caught.value, HostUnreachable)  # so that jobs wait for the machine, or go elsewhere
        assert known.read_text() == pinned

    def test_of_another_kind_is_refused_too(
        self, own_sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        known = tmp_path / "known"
        assert machine_with(own_sshd, ssh_thread, known).run(["true"]).ok
        own_sshd.stop()
        own_sshd.new_host_key("ecdsa")
        own_sshd.start()

        with pytest.raises(HostKeyChanged, match="has changed: known is SHA256:"):
            machine_with(own_sshd, ssh_thread, known).run(["true"])

    def test_beside_the_known_one_is_no_change(
        self, own_sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        """A server with several keys is asked for the one it is known by."""
        known = tmp_path / "known"
        own_sshd.stop()
        ecdsa = own_sshd.add_host_key("ecdsa")
        own_sshd.start()
        known.write_text(f"[127.0.0.1]:{own_sshd.port} {Path(f'{ecdsa}.pub').read_text()}")

        assert machine_with(own_sshd, ssh_thread, known).run(["true"]).ok
        assert len(known.read_text().splitlines()) == 1

    def test_that_was_revoked_is_refused(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        known = tmp_path / "known"
        known.write_text(f"@revoked * {Path(f'{sshd.host_key}.pub').read_text()}")

        with pytest.raises(HostRefused, match="cannot be trusted"):
            machine_with(sshd, ssh_thread, known).run(["true"])

    def test_of_the_usual_port_says_nothing_of_another(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        """Behind one address there may be several machines, each at its port."""
        known = tmp_path / "known"
        known.write_text(f"127.0.0.1 {Path(f'{sshd.key_file}.pub').read_text()}")

        assert machine_with(sshd, ssh_thread, known).run(["true"]).ok


class TestWhatKeepsUsOut:
    def test_a_key_that_is_not_accepted(self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path) -> None:
        key = make_key(tmp_path / "key")

        with pytest.raises(KeyNotAccepted, match=f"ssh-copy-id -i {key}.pub -p {sshd.port} ") as caught:
            machine_with(sshd, ssh_thread, tmp_path / "known", key=key).run(["true"])
        assert caught.value.exit_status is ExitStatus.BAD_CONFIGURATION

    def test_a_key_that_is_none_or_is_not_there(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        (tmp_path / "none").write_text("no key")

        for name in ("none", "nowhere"):
            with pytest.raises(KeyNotAccepted, match=f"{name} cannot be read .*: set SSH_KEY_FILE"):
                machine_with(sshd, ssh_thread, tmp_path / "known", key=tmp_path / name).run(["true"])

    def test_a_key_with_a_passphrase(self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path) -> None:
        make_key(tmp_path / "key", passphrase="secret")

        with pytest.raises(KeyNotAccepted, match="has a passphrase, and nobody is here to type it"):
            machine_with(sshd, ssh_thread, tmp_path / "known", key=tmp_path / "key").run(["true"])

    def test_a_name_that_nobody_knows(self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path) -> None:
        machine = machine_with(sshd, ssh_thread, tmp_path / "known", address="me@no-such-host.invalid:22")

        with pytest.raises(HostUnreachable, match=r"is not known here .*: look at SSH_MACHINES") as caught:
            machine.run(["true"])
        assert caught.value.exit_status is ExitStatus.UNAVAILABLE

    def test_every_sentence_is_one_line(self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path) -> None:
        address = f"{sshd.user}@127.0.0.1:{sshd.port}?key={make_key(tmp_path / 'own')}"

        with pytest.raises(KeyNotAccepted, match=f"with the key {tmp_path}/own: ") as caught:
            machine_with(sshd, ssh_thread, tmp_path / "known", address=address).run(["true"])
        assert "\n" not in caught.value.message


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("me@gpu.example", SshAddress("me", "gpu.example", 22)),
        ("me@gpu.example:2222", SshAddress("me", "gpu.example", 2222)),
        ("me@[2001:db8::1]:2222", SshAddress("me", "2001:db8::1", 2222)),
        ("me@gpu:22?key=/keys/gpu", SshAddress("me", "gpu", 22, Path("/keys/gpu"))),
    ],
)
def test_an_address_is_read(text: str, read: SshAddress) -> None:
    assert SshAddress.read(text) == read
    assert SshAddress.read(str(read)) == SshAddress(read.user, read.host, read.port)


@pytest.mark.parametrize(
    "text", ["gpu", "me@gpu:0", "me@gpu:65536", "me@gpu -oProxyCommand=x", "me@-gpu", ""]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"user@host:port|ports go from"):
        SshAddress.read(text)
