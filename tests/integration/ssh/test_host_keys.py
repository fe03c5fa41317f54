"""A machine is known by its key from the first time on, and what keeps us out is said in a line (W12)."""

from __future__ import annotations

import os
import re
from pathlib import Path

import asyncssh
import pytest

from job_watcher.providers.over_ssh.bootstrap import reason_of
from lib.errors import BadConfiguration, ExitStatus
from lib.spool import HostUnreachable
from lib.workers.ssh import (
    FOR_RENTED_MACHINES,
    HostKeyChanged,
    HostRefused,
    KeyFileUnusable,
    KeyNotAccepted,
    KnownHosts,
    KnownHostsUnusable,
    OneMachine,
    SshAddress,
    SshMachine,
    SshOptions,
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


@pytest.fixture(params=["none", "nowhere", "public", "open", "passphrase", "pipe"])
def wrong_key(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Path, str]:
    """A key file that cannot be used, and what is said of it."""
    file = tmp_path / str(request.param)
    match request.param:
        case "none":
            file.write_text("no key")
            file.chmod(0o600)
            return file, "holds no private key that can be read: set SSH_KEY_FILE"
        case "nowhere":
            return file, r"cannot be read \(No such file or directory\): set SSH_KEY_FILE"
        case "public":
            make_key(file)
            return file.with_suffix(".pub"), "the public half of a key: set SSH_KEY_FILE to the private half"
        case "open":
            make_key(file).chmod(0o644)
            return file, r"can be read by others \(mode 0644\).*: chmod 600"
        case "passphrase":
            make_key(file, passphrase="secret")
            return file, "has a passphrase, and nobody is here to type it: make one with: ssh-keygen"
        case _:
            os.mkfifo(file)
            return file, r"cannot be read \(not a regular file\)"


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
        """It is that machine's trouble: another one, whose key is known, is driven on."""
        (tmp_path / "file").write_text("")

        with pytest.raises(
            KnownHostsUnusable,
            match=r"cannot be trusted: .* Set SSH_KNOWN_HOSTS to a file that this user may",
        ) as caught:
            machine_with(sshd, ssh_thread, tmp_path / "file" / "known").run(["true"])
        assert isinstance(caught.value, HostUnreachable)
        assert not isinstance(caught.value, BadConfiguration)
        assert reason_of(caught.value) == "known_hosts"

    def test_the_same_where_the_file_cannot_be_read(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        os.mkfifo(tmp_path / "known")  # opened, it would hold the connections of all machines

        with pytest.raises(KnownHostsUnusable, match="not a regular file"):
            machine_with(sshd, ssh_thread, tmp_path / "known").run(["true"])

    def test_a_line_that_says_nothing_is_named(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path
    ) -> None:
        """Passed over it would make a machine whose line was damaged one that nobody knows yet."""
        (tmp_path / "known").write_text("half-a-line\n")

        with pytest.raises(KnownHostsUnusable, match=r"half-a-line\): correct or remove that line"):
            machine_with(sshd, ssh_thread, tmp_path / "known").run(["true"])


class TestBeforeTheFirstConnection:
    """`see_usable_for`, at the start of a watcher."""

    def test_a_folder_that_cannot_be_written_is_a_wrong_setting_where_nobody_is_known(
        self, tmp_path: Path
    ) -> None:
        (tmp_path / "file").write_text("")

        with pytest.raises(BadConfiguration, match="Set SSH_KNOWN_HOSTS"):
            KnownHosts(tmp_path / "file" / "known").see_usable_for([SshAddress("me", "gpu")])

    def test_it_is_none_where_one_machine_is_known(self, sshd: SshServer, tmp_path: Path) -> None:
        (tmp_path / "known").write_text("gpu " + Path(f"{sshd.host_key}.pub").read_text())
        (tmp_path / "link").symlink_to(tmp_path / "known")  # the folder beside it is never asked for

        KnownHosts(tmp_path / "link").see_usable_for([SshAddress("me", "new"), SshAddress("me", "gpu")])

    def test_it_is_made_where_there_is_none(self, tmp_path: Path) -> None:
        KnownHosts(tmp_path / "data" / "known").see_usable_for([SshAddress("me", "gpu")])

        assert not list((tmp_path / "data").iterdir())


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

    def test_a_key_file_of_ours_is_said_as_what_it_is(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path, wrong_key: tuple[Path, str]
    ) -> None:
        """Nothing is wrong with the machine, and `ssh-copy-id` would mend nothing."""
        file, said = wrong_key

        with pytest.raises(KeyFileUnusable, match=said) as caught:
            machine_with(sshd, ssh_thread, tmp_path / "known", key=file).run(["true"])
        assert str(file) in caught.value.message
        assert "\n" not in caught.value.message
        assert reason_of(caught.value) == "key_file"

    def test_no_key_at_all_is_said(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("HOME", str(tmp_path))
        machine = SshMachine(
            ssh_thread,
            SshAddress.read(sshd.address),
            key_file=None,
            known_hosts=KnownHosts(tmp_path / "known"),
        )

        with pytest.raises(KeyFileUnusable, match=f"no private key in {tmp_path}/.ssh .* set SSH_KEY_FILE"):
            machine.run(["true"])

    def test_a_name_that_nobody_knows(self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path) -> None:
        machine = machine_with(sshd, ssh_thread, tmp_path / "known", address="me@no-such-host.invalid:22")

        with pytest.raises(HostUnreachable, match=r"is not known here .*: look at SSH_MACHINES") as caught:
            machine.run(["true"])
        assert caught.value.exit_status is ExitStatus.UNAVAILABLE

    @pytest.mark.parametrize("case", ["name", "port", "key", "key file", "host key"])
    def test_of_a_rented_machine_nobody_is_sent_to_a_setting(
        self, sshd: SshServer, ssh_thread: SshThread, tmp_path: Path, case: str
    ) -> None:
        """None names it, its key is ours alone, and nobody can go there."""
        address, key, known = (
            SshAddress.read(sshd.address),
            Path(sshd.key_file),
            KnownHosts(tmp_path / "known"),
        )
        match case:
            case "name":
                address = SshAddress.read("me@no-such-host.invalid:22")
            case "port":
                address = SshAddress("me", "127.0.0.1", 1)
            case "key":
                key = make_key(tmp_path / "key")
            case "key file":
                key = tmp_path / "nowhere"
            case _:
                line = Path(f"{sshd.key_file}.pub").read_text()
                known = OneMachine("jr-1", " ".join(line.split()[:2]), lambda line: line)
        machine = SshMachine(
            ssh_thread,
            address,
            key_file=key,
            known_hosts=known,
            options=SshOptions(advice=FOR_RENTED_MACHINES),
        )

        with pytest.raises(HostUnreachable) as caught:
            machine.run(["true"])
        said = caught.value.message
        assert not re.search("SSH_[A-Z]|ssh-copy-id|ssh-keygen|start its SSH server", said), said
        assert re.search("given back|tried again|written anew", said), said

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
