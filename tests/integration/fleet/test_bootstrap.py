"""A bare machine gets our programs: asked, brought, checked, installed once; and what keeps it from it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from job_watcher.providers.over_ssh.bootstrap import FOLDER, Bootstrap, ask
from job_watcher.providers.over_ssh.ports import MachineOut
from job_watcher.providers.over_ssh.remote import RemoteMachine
from lib.bundle import BundleMaker, requirements_text
from lib.voices import engine_facts
from lib.workers.ssh import KnownHosts, SshAddress, SshMachine, SshThread
from tests.integration.fleet.machine import LoopbackMachine
from tests.integration.fleet.packing import NAMES, pack


@pytest.fixture(scope="session")
def maker(tmp_path_factory: pytest.TempPathFactory) -> BundleMaker:
    """Makes bundles of wheels that lie here: enough for the program to start."""
    wheels = tmp_path_factory.mktemp("wheels")
    lines = [pack(name, wheels) for name in NAMES]
    words = ("--no-index", "--find-links", str(wheels))
    return BundleMaker(tmp_path_factory.mktemp("bundles"), "\n".join(lines), extra=words)


def no_host(machine: SshMachine, number: int, program: str, home: str) -> NoReturn:
    raise AssertionError("no worker is wanted")


@pytest.fixture
def connect(tmp_path: Path) -> Iterator[Callable[[LoopbackMachine], RemoteMachine]]:
    """The way to a machine."""
    opened: list[RemoteMachine] = []
    with SshThread() as thread:

        def made(machine: LoopbackMachine) -> RemoteMachine:
            way = SshMachine(
                thread,
                SshAddress.read(machine.address),
                key_file=machine.key_file,
                known_hosts=KnownHosts(tmp_path / "known_hosts"),
            )
            opened.append(RemoteMachine(way, no_host, lambda: True))
            return opened[-1]

        yield made
        for each in opened:
            each.close()


Connect = Callable[[LoopbackMachine], RemoteMachine]


def install(machine: RemoteMachine, maker: BundleMaker) -> str:
    """What a keeper does with a bare machine; the path of its voice-synth."""
    facts, bootstrap = ask(machine), Bootstrap(maker)
    return bootstrap.install(machine, facts, bootstrap.bundle(machine, facts))


def test_a_bare_machine_gets_the_programs_once_and_half_made_ones_are_not_used(
    machine: LoopbackMachine, connect: Connect, maker: BundleMaker
) -> None:
    remote = connect(machine)
    facts, bootstrap = ask(remote), Bootstrap(maker)
    bundle = bootstrap.bundle(remote, facts)
    half = machine.home / FOLDER / bundle.name
    (half / "venv" / "bin").mkdir(parents=True)  # of a machine that went off in the midst of it
    (half / "venv" / "bin" / "voice-synth").write_text("#!/bin/sh\nexit 1\n")
    (half / "wheels").mkdir()
    (half / "wheels" / bundle.wheels[0][0].name).write_bytes(b"half of it")
    assert bootstrap.is_installed(remote, facts, bundle) is None

    program = bootstrap.install(remote, facts, bundle)

    assert program == str(half / "venv" / "bin" / "voice-synth")
    assert remote.run((program, "--version")).text().startswith("voice-synth ")
    before = half.stat().st_ino, Path(program).stat().st_mtime_ns
    assert bootstrap.install(remote, facts, bundle) == program
    assert before == (half.stat().st_ino, Path(program).stat().st_mtime_ns)  # nothing was made anew
    assert not [name for name in machine.files() if not name.startswith("home/.")]
    python = half / "venv" / "bin" / "python"
    python.unlink()
    python.symlink_to("/gone")  # as where the system's Python was replaced
    assert bootstrap.is_installed(remote, facts, bundle) is None


def index_of(machine: LoopbackMachine, wheels: Path) -> None:
    """Let the machine's pip know these packages, and no others."""
    told = machine.home / ".config" / "pip" / "pip.conf"
    told.parent.mkdir(parents=True)
    told.write_text(f"[global]\nno-index = true\nfind-links = {wheels}\n")


@pytest.mark.soak
def test_packages_that_are_too_large_to_be_brought_are_fetched_there(
    machine: LoopbackMachine, connect: Connect, tmp_path: Path
) -> None:
    """As those of qwen3: only our own wheel goes over the connection."""
    lines = [pack(name, tmp_path) for name in NAMES]
    index_of(machine, tmp_path)
    remote = connect(machine)
    maker = BundleMaker(tmp_path / "bundles", "\n".join(lines), fetched_bytes=1_000_000)
    facts, bootstrap = ask(remote), Bootstrap(maker)
    bundle = bootstrap.bundle(remote, facts)
    program = bootstrap.install(remote, facts, bundle)

    assert [path.name.partition("-")[0] for path, _ in bundle.wheels] == ["job_runner"]
    assert bootstrap.needed(bundle) > 3_000_000
    assert remote.run((program, "--version")).text().startswith("voice-synth ")
    assert bootstrap.is_installed(remote, facts, bundle) == program


def test_what_is_fetched_with_other_bytes_than_the_pinned_ones_is_not_installed(
    machine: LoopbackMachine, connect: Connect, tmp_path: Path
) -> None:
    line = pack("mdurl", tmp_path)
    index_of(machine, tmp_path)
    maker = BundleMaker(tmp_path / "bundles", f"{line[:-8]}00000000", fetched_bytes=1)

    with pytest.raises(MachineOut, match=r"from the machine's index: .*Expected sha256") as caught:
        install(connect(machine), maker)

    assert caught.value.reason == "install"


@pytest.mark.soak
def test_two_watchers_that_bring_the_programs_at_once_both_have_them(
    machine: LoopbackMachine, connect: Connect, maker: BundleMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    late, early = connect(machine), connect(machine)
    upload, programs = late.upload, list[str]()

    def overtaken(local: Path, remote: str) -> None:
        if not programs:
            programs.append(install(early, maker))  # which removes the folder that this one is filling
        upload(local, remote)

    monkeypatch.setattr(late, "upload", overtaken)

    assert install(late, maker) == programs[0]
    assert late.run((programs[0], "--version")).ok


def test_an_upload_that_was_cut_goes_on_and_wrong_bytes_are_sent_again(
    machine: LoopbackMachine, connect: Connect, tmp_path: Path
) -> None:
    remote = connect(machine)
    local = tmp_path / "large"
    local.write_bytes(bytes(range(256)) * 16384)
    part = machine.home / "large.part"
    part.write_bytes(local.read_bytes()[: 3 * 1024 * 1024])

    remote.upload(local, str(machine.home / "large"))

    assert (machine.home / "large").read_bytes() == local.read_bytes()
    assert not part.exists()


def test_a_machine_whose_files_are_others_than_its_shells_is_told_as_that(
    machine: LoopbackMachine, connect: Connect
) -> None:
    """SFTP may begin anywhere; but without the home all that comes later would fail."""
    remote = connect(machine)
    remote.try_files(ask(remote).home)

    with pytest.raises(MachineOut, match="other files over SFTP than its shell has") as caught:
        remote.try_files("/home/of-another-root")
    assert caught.value.reason == "files"


@pytest.mark.parametrize(
    ("shim", "script", "reason", "words"),
    [
        ("python3", 'echo "no" >&2; exit 1', "no_python", "no Python that our programs run on"),
        ("uname", "case $1 in -m) echo sparc64;; *) echo Linux;; esac", "no_bundle", "sparc64"),
        ("df", 'printf "F K U A C M\\n/dev/x 100 99 1 99%% /\\n"', "disk", "make room"),
    ],
    ids=lambda value: str(value)[:12],
)
def test_what_keeps_a_machine_from_it_is_one_sentence_that_says_what_to_do(
    machine: LoopbackMachine,
    connect: Connect,
    maker: BundleMaker,
    shim: str,
    script: str,
    reason: str,
    words: str,
) -> None:
    from job_watcher.providers.over_ssh.machine_spec import MachineSpec
    from job_watcher.providers.over_ssh.preparation import SshPreparation

    names = ["python3.13", "python3.12", "python3.11", "python3.14", "python"] if shim == "python3" else []
    for name in [shim, *names]:
        machine.shim(name, script)
    preparation = SshPreparation(MachineSpec.read(machine.address), Bootstrap(maker), engine="hibari")

    with pytest.raises(MachineOut) as caught:
        preparation.prepare(connect(machine), lambda stage: None)

    assert caught.value.reason == reason
    assert words in caught.value.sentence
    assert machine.address in caught.value.sentence


@pytest.mark.soak
@pytest.mark.timeout(900)
@pytest.mark.parametrize("engine", ["hibari", "espeak"])
def test_the_whole_bundle_of_the_index_speaks(
    engine: str, machine: LoopbackMachine, connect: Connect, tmp_path: Path
) -> None:
    """The pinned packages, downloaded for the machine; its environment reaches no index and has no redis."""
    pinned = requirements_text(engine_facts(engine).requirements)
    program = install(connect(machine), BundleMaker(tmp_path / "bundles", pinned))

    remote = connect(machine)
    python = str(Path(program).with_name("python"))
    assert remote.run((python, "-c", "import redis")).status != 0
    argv = (program, "speak", "The tide turns.", "--engine", engine, "--out-exact", "said")
    done = remote.run(argv, timeout_s=120)
    assert done.ok, done.stderr
    assert (machine.home / "said.wav").stat().st_size > 20_000
    shutil.rmtree(tmp_path / "bundles")
