"""`job-watcher rehearse`: the whole of renting for a newcomer, at no cost (W1)."""

from __future__ import annotations

import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Protocol

import pytest

from job_watcher.rehearsal.room import Interruption
from job_watcher.rehearsal.vast.processes import environment_of
from lib.cli.signals import Terminated
from tests import warm
from tests.e2e.home import check_shape
from tests.integration.sshd import need_sshd

EXAMPLE = Path(__file__).parents[3] / "jobs.example.yaml"
JOBS = """\
jobs:
  - {output_name: tides/one, speaker: Ryan, text: Twice a day the sea leaves and comes back.}
  - {output_name: tides/two, speaker: Ryan, text: Boats that floated at breakfast lie on mud by noon.}
"""


class Rehearsal:
    """A rehearsal by somebody whose settings name a server, a bucket and a receiver of their own.

    All that it may write is below `folder`: home, data folder and temporary files.
    """

    def __init__(self, folder: Path, *words: str, file: Path | None = None) -> None:
        need_sshd()
        pytest.importorskip("vastai", reason="the SDK is not installed (the extra vast)")
        self.folder, self.tmp = folder, folder / "t"
        self.tmp.mkdir()
        (folder / "jobs.yaml").write_text(JOBS)
        environ = {
            **os.environ,
            "REDIS_URL": "redis://127.0.0.1:1/0",
            "STORAGE_URL": "s3://nowhere/at-all?endpoint=http://127.0.0.1:1",
            "WEBHOOK_URL": "https://receiver.example/",
            "WEBHOOK_SECRET": "a-secret-that-is-long-enough",
            "JOBS_DATA_DIR": str(folder / "data"),
            "TMPDIR": str(self.tmp),
            "HOME": str(folder / "home"),
        }
        command = [sys.executable, "-m", "job_watcher.main", "rehearse", str(file or folder / "jobs.yaml")]
        with (folder / "stderr").open("w") as told:
            self.process = self._start([*command, "--json", *words], environ, told)

    def _start(
        self, command: Sequence[str], environ: Mapping[str, str], told: IO[str]
    ) -> subprocess.Popen[str]:
        return subprocess.Popen(
            command,
            env=environ,
            cwd=EXAMPLE.parent,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=told,
            text=True,
        )

    def close(self) -> None:
        """End it, should it still run."""
        self.process.kill()
        self.process.wait()
        self.lines.close()

    @property
    def lines(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout

    def wait_for(self, event: str, **fields: str) -> None:
        for line in self.lines:
            told = json.loads(line)
            if told["event"] == event and fields.items() <= told.items():
                return
        raise AssertionError(f"{event} never came: {(self.folder / 'stderr').read_text()}")

    def rest(self, status: int) -> list[dict[str, Any]]:
        """What it tells until it ends with that status; each line has its documented shape."""
        told = [json.loads(line) for line in self.lines]
        assert self.process.wait(60) == status, (self.folder / "stderr").read_text()
        for line in told:
            if "error" not in line:
                check_shape("job-watcher-rehearse", line)
        return told

    def left(self) -> tuple[list[str], list[str]]:
        """The names of files, and the processes, that it left; each of those names its folder somewhere."""
        mark = str(self.folder).encode()
        processes = list[str]()
        for entry in Path("/proc").iterdir():
            with contextlib.suppress(OSError):
                if entry.name.isdigit() and int(entry.name) != os.getpid():
                    environ = environment_of(int(entry.name))
                    words = (entry / "cmdline").read_bytes()
                    if mark in words + environ:
                        processes.append(words.replace(b"\0", b" ").decode("utf-8", "replace"))
        ours = {"jobs.yaml", "stderr"}
        files = [
            str((Path(place) / name).relative_to(self.folder))
            for place, _, names in os.walk(self.folder)  # which may go meanwhile
            for name in names
        ]
        return sorted(set(files) - ours), processes

    def wait_for_its_processes(self) -> None:
        """Return once none is left that names its folder."""
        end = time.monotonic() + 30
        while left := self.left()[1]:
            assert time.monotonic() < end, left
            time.sleep(0.02)


class Begin(Protocol):
    def __call__(self, *words: str, file: Path | None = None) -> Rehearsal: ...


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[Begin]:
    """Begins a rehearsal, which is over when the test is."""
    with contextlib.ExitStack() as stack:

        def began(*words: str, file: Path | None = None) -> Rehearsal:
            return stack.enter_context(contextlib.closing(Rehearsal(tmp_path, *words, file=file)))

        yield began


SUFFIXES = ("captions.json", "peaks.json", "srt", "vtt", "wav")
AUDIO = [f"tides/{name}.{suffix}" for name in ("one", "two") for suffix in SUFFIXES]


def test_a_batch_is_rented_spoken_destroyed_and_billed_and_only_the_audio_stays(
    begin: Begin, tmp_path: Path
) -> None:
    """What a newcomer sees of W1, in order; their own queue, bucket and receiver are left alone."""
    place = tmp_path / "audio"
    rehearsal = begin("--speed", "100", "--fault", "none", "--out", str(place))

    told = rehearsal.rest(0)

    market, outcome = told[0], told[-1]
    taken = [offer for offer in market["offers"] if offer["chosen"]]
    assert len(taken) == 1
    states = [line["status"] for line in told if line["event"] == "instance"]
    assert states[0] == "created"
    assert states[-2:] == ["running", "destroyed"]
    assert [line["output_name"] for line in told if line["event"] == "done"] == ["tides/one", "tides/two"]
    assert (outcome["jobs"], outcome["done"], outcome["left"], outcome["trouble"]) == (2, 2, 0, None)
    assert [rental["gpu"] for rental in outcome["rentals"]] == [taken[0]["gpu"]]
    assert float(outcome["usd"]) == pytest.approx(sum(float(item["usd"]) for item in outcome["rentals"]))
    assert float(outcome["usd"]) > 0
    assert not [line for line in told if "brought" in line.get("message", "")]  # the image has them
    assert rehearsal.left() == ([f"audio/{name}" for name in AUDIO], [])
    assert not list(rehearsal.tmp.iterdir())


def test_a_cap_on_batches_counts_as_it_does_for_real(begin: Begin, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SPEND_CAP_BATCH", "0.0001")

    told = begin("--fault", "outbid@100s").rest(75)

    outcome = next(line for line in told if line["event"] == "rehearsed")
    assert (outcome["done"], outcome["rentals"], outcome["left"]) == (0, [], 0)
    assert (outcome["faults"], outcome["faults_missed"]) == ([], ["outbid"])
    assert any("SPEND_CAP_BATCH is $0.0001" in str(line) for line in told)


@pytest.mark.parametrize("words", [[], ["--keep"]], ids=["", "kept"])
def test_killed_it_leaves_no_process_and_nothing_that_was_not_to_be_kept(
    begin: Begin, words: list[str]
) -> None:
    rehearsal = begin("--fault", "none", *words)
    rehearsal.wait_for("market")

    rehearsal.process.kill()
    rehearsal.process.wait()

    rehearsal.wait_for_its_processes()
    assert bool(list(rehearsal.tmp.iterdir())) == bool(words)


@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_interrupted_it_destroys_everything_and_leaves_no_process_and_no_file(
    number: signal.Signals, begin: Begin
) -> None:
    rehearsal = begin("--fault", "none")
    rehearsal.wait_for("instance", status="running")

    rehearsal.process.send_signal(number)
    told = rehearsal.rest(130 if number == signal.SIGINT else 75)

    outcome = next(line for line in told if line["event"] == "rehearsed")
    assert (outcome["done"], outcome["left"], outcome["audio"]) == (0, 0, None)
    assert [line["status"] for line in told if line["event"] == "instance"][-1] == "destroyed"
    assert rehearsal.left() == ([], [])
    assert not list(rehearsal.tmp.iterdir())


@pytest.mark.soak
def test_the_example_file_with_its_usual_outbid_takes_less_than_two_minutes(
    begin: Begin, tmp_path: Path
) -> None:
    rehearsal = begin(file=EXAMPLE)

    told = rehearsal.rest(0)

    outcome = told[-1]
    assert (outcome["jobs"], outcome["done"], outcome["left"]) == (9, 9, 0)
    assert (outcome["machines"], outcome["faults"]) == (2, ["outbid"])
    assert outcome["seconds"] < 120
    files, processes = rehearsal.left()
    assert len([name for name in files if name.endswith(".wav")]) == 9
    assert all(Path(outcome["audio"]) in (tmp_path / name).parents for name in files)
    assert processes == []


@pytest.mark.soak
@pytest.mark.parametrize(
    ("kind", "machines", "status"),
    [
        *(("lost-reply@0s", 1, 0), ("lost-destroy@0s", 1, 0), ("empty-list@audio", 1, 0)),
        *(("server-error@audio", 1, 0), ("rate-limited@audio", 1, 0), ("cut@audio", 1, 0)),
        *(("stuck-loading@2s", 2, 0), ("offline@4s", 2, 0), ("exit@4s", 2, 0)),
        ("credit-gone@4s", 1, 75),
    ],
)
def test_whatever_is_ordered_nothing_is_forgotten(
    kind: str, machines: int, status: int, begin: Begin
) -> None:
    rehearsal = begin("--speed", "20", "--fault", kind)

    told = rehearsal.rest(status)

    outcome = next(line for line in told if line["event"] == "rehearsed")
    assert (outcome["machines"], outcome["left"]) == (machines, 0)
    assert outcome["done"] == (2 if status == 0 else 0)
    assert (outcome["faults"], outcome["faults_missed"]) == ([kind.partition("@")[0]], [])
    assert rehearsal.left()[1] == []


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        ((), 69, r"error: .*OpenSSH's server is not installed here.*apt install openssh-server.*\n"),
        (("--fault", "earthquake@5s"), 2, r"error: --fault 'earthquake@5s' is none: .*outbid.*\n"),
        (("--out", "jobs.yaml"), 2, r"error: --out jobs.yaml is a file.*\n"),
    ],
    ids=["no sshd", "no such fault", "no folder"],
)
def test_what_cannot_be_is_one_sentence_before_anything_begins(
    words: Sequence[str], status: int, said: str, tmp_path: Path
) -> None:
    (tmp_path / "jobs.yaml").write_text(JOBS)
    environ = {"PATH": "/nowhere", "PYTHONPATH": str(EXAMPLE.parent), "HOME": str(tmp_path)}
    environ |= warm.usual()
    argv, call = ["job-watcher", "rehearse", "jobs.yaml", *words], warm.CALLS["job-watcher"]
    ended = warm.run(argv, call, cwd=tmp_path, environ=environ, timeout_s=60)

    assert (ended.returncode, ended.stdout) == (status, "")
    assert re.fullmatch(said, ended.stderr)
    assert [entry.name for entry in tmp_path.iterdir()] == ["jobs.yaml"]


# --- interruptions, without a rehearsal ------------------------------------------------------------------


class Drained:
    """A watcher that counts how often it was told to end."""

    def __init__(self) -> None:
        self.told = 0

    def drain(self) -> None:
        self.told += 1


def test_an_interruption_before_there_is_a_watcher_raises() -> None:
    with pytest.raises(KeyboardInterrupt), Interruption():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(Terminated), Interruption():
        signal.raise_signal(signal.SIGHUP)


def test_an_interruption_ends_the_watcher_and_what_is_cleared_away_is_not_interrupted() -> None:
    watcher, former = Drained(), signal.getsignal(signal.SIGINT)
    with Interruption() as interruption:
        with interruption.ends(watcher):
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGTERM)
            interruption.join()
        signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            interruption.check()
    assert watcher.told == 2
    assert signal.getsignal(signal.SIGINT) is former
