"""What a rented machine spoke of a chapter is there for the next one, and is not trusted (V8)."""

from __future__ import annotations

import itertools
import os
from dataclasses import replace
from pathlib import Path

import pytest

from lib.dispatch import CarriedPieces, Dispatcher
from lib.dispatch.carried_pieces import BRING_S, KEEP_S
from lib.jobqueue import JobState
from lib.spool import HostUnreachable, SpoolClient, WorkerSpool, job_digest
from lib.spool.pieces import PieceFile, piece_name
from lib.voices import VoiceRegistry
from synth.engines import Utterance
from synth.worker.jobs import EngineShelf, JobSpeaker
from synth.worker.resident import Worker, WorkerOptions
from synth.worker.stop import StopSignal
from tests.unit.dispatch.bench import Bench, ScriptedHost, spec
from tests.unit.synth.fakes import HummingEngine
from tests.unit.synth.worker_bench import Death

TEXT = "One came first. Two was there too. Three is the third one. Four is next. Five is all there is."
ID = "topic:a"
JOB = job_digest(ID)
KEYS = [f"{number:064x}" for number in range(40)]


def work(bench: Bench, root: Path, dies_at: int | None = None) -> HummingEngine:
    """A real worker on that spool, until nothing waits; or it dies as by SIGKILL before that piece."""
    counted = itertools.count(1)

    def die(utterance: Utterance) -> None:
        bench.clock.sleep(1.0)  # a heartbeat is due
        if next(counted) == dies_at:
            raise Death

    engine = HummingEngine(before=die)
    shelf = EngineShelf(lambda name: engine)
    speaker = JobSpeaker(shelf, VoiceRegistry, "hibari", bench.clock)
    options = WorkerOptions("hibari", once=True, beat_every_s=600.0)
    with WorkerSpool(root) as spool:
        worker = Worker(
            spool, speaker, shelf, StopSignal(bench.clock), bench.clock, options, lambda line: None
        )
        if dies_at is None:
            worker.run()
        else:
            with pytest.raises(Death):
                worker.run()
    return engine


@pytest.fixture
def carried(bench: Bench) -> CarriedPieces:
    return CarriedPieces(bench.root / "carried", bench.clock)


def rented(bench: Bench, carried: CarriedPieces) -> Dispatcher:
    """A dispatcher whose hosts are far away; nobody is at work there but whom a test lets work."""
    made = Dispatcher(replace(bench.parts(), pieces=carried))
    for host in bench.hosts:
        host.remote, host.script = True, lambda: None
        made.add(host, lambda: 1, replaceable=True)
    made.register()
    made.resume()
    return made


def look(bench: Bench, made: Dispatcher) -> None:
    bench.clock.sleep(1.5)
    made.step()


def chapter(**changes: object) -> dict[str, object]:
    return {"text": TEXT, "chunk": True, "speaker": "heart", **changes}


def here(bench: Bench) -> list[str]:
    folder = bench.root / "carried" / JOB
    return sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []


def on(host: ScriptedHost) -> Path:
    return host.root / "pieces" / JOB


def lay(host: ScriptedHost, *pieces: tuple[str, bytes]) -> None:
    on(host).mkdir(parents=True, exist_ok=True)
    for name, data in pieces:
        (on(host) / name).write_bytes(data)


def a_piece(key: str, samples: int = 10) -> bytes:
    return PieceFile(key, 24_000, b"\0\0\0\0" * samples, 5, (), ()).to_bytes()


class TestAMachineThatIsLost:
    def test_leaves_its_pieces_to_the_next(self, bench: Bench, carried: CarriedPieces) -> None:
        first, second = bench.host, bench.another_host("there", "m2")
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.remove(second.name, why="later", lost=False)
        made.claim()
        work(bench, first.root, dies_at=4)
        look(bench, made)
        assert len(here(bench)) == 3

        made.remove(first.name, why="outbid", lost=True)
        made.add(second, lambda: 1, replaceable=True)
        bench.clock.sleep(120)
        made.claim()
        engine = work(bench, second.root)
        look(bench, made)

        assert len(engine.spoken) == 2
        assert bench.job(spec("a")).state is JobState.DONE
        assert here(bench) == []
        again = Bench(bench.root / "again")
        again.enqueue(spec("a", **chapter()))
        alone = rented(again, CarriedPieces(again.root / "carried", again.clock))
        alone.claim()
        work(again, again.host.root)
        look(again, alone)
        assert sha_of(again) == sha_of(bench)

    def test_that_ends_the_job_leaves_none(self, bench: Bench, carried: CarriedPieces) -> None:
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.claim()
        lay(bench.host, (piece_name(KEYS[0]), a_piece(KEYS[0])))
        take_and_tell(bench)
        look(bench, made)
        assert len(here(bench)) == 1

        bench.queue.cancel(ID)
        bench.clock.sleep(30)
        made.step()

        assert here(bench) == []


def sha_of(bench: Bench) -> str:
    finished = bench.queue.result(ID)
    assert finished is not None
    done = finished.done()
    assert done is not None
    return done.takes[0].main.sha256


def take_and_tell(bench: Bench, pieces_done: int = 1) -> None:
    """A worker has the job at hand and says how far it is."""
    if pieces_done == 1:
        bench.host.take()
    bench.host.beat(next(iter(bench.spool.entries())), pieces_done=pieces_done)


class TestOfAMachine:
    @pytest.mark.parametrize(
        ("name", "data"),
        [
            (piece_name(KEYS[0]), a_piece(KEYS[1])),
            (piece_name(KEYS[0]), a_piece(KEYS[0])[:-1]),
            (piece_name(KEYS[0]), b"RIFF"),
            ("audio.wav", b"RIFF"),
            (f"{KEYS[0]}.piece.part", a_piece(KEYS[0])),
        ],
    )
    def test_nothing_is_taken_but_whole_pieces(
        self, bench: Bench, carried: CarriedPieces, name: str, data: bytes
    ) -> None:
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.claim()
        lay(bench.host, (name, data), (piece_name(KEYS[3]), a_piece(KEYS[3])))
        take_and_tell(bench)

        look(bench, made)

        assert here(bench) == [piece_name(KEYS[3])]

    def test_no_link_is_followed(self, bench: Bench, carried: CarriedPieces, tmp_path: Path) -> None:
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.claim()
        secret = tmp_path / "secret"
        secret.write_bytes(a_piece(KEYS[0]))
        on(bench.host).mkdir(parents=True)
        (on(bench.host) / piece_name(KEYS[0])).symlink_to(secret)
        os.mkfifo(on(bench.host) / piece_name(KEYS[1]))
        take_and_tell(bench)

        look(bench, made)

        assert here(bench) == []

    def test_no_more_is_taken_than_the_text_can_take(self, bench: Bench) -> None:
        bench.enqueue(spec("a", **chapter(text="Short.")))
        made = rented(bench, CarriedPieces(bench.root / "carried", bench.clock, spare_bytes=0))
        made.claim()
        lay(bench.host, *((piece_name(key), a_piece(key, 100_000)) for key in KEYS))
        for done in range(1, 5):
            take_and_tell(bench, done)
            look(bench, made)

        assert 0 < len(here(bench)) < 5

    def test_a_job_of_another_machine_gets_none_of_it(self, bench: Bench, carried: CarriedPieces) -> None:
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.claim()
        other = bench.host.root / "pieces" / job_digest("topic:b")
        other.mkdir(parents=True)
        (other / piece_name(KEYS[0])).write_bytes(a_piece(KEYS[0]))
        take_and_tell(bench)

        look(bench, made)

        assert not (bench.root / "carried" / job_digest("topic:b")).exists()

    def test_a_job_without_chunk_is_not_asked_for(self, bench: Bench, carried: CarriedPieces) -> None:
        bench.enqueue(spec("a", **chapter(chunk=False)))
        made = rented(bench, carried)
        made.claim()
        lay(bench.host, (piece_name(KEYS[0]), a_piece(KEYS[0])))
        take_and_tell(bench)

        look(bench, made)

        assert here(bench) == []

    def test_many_pieces_come_in_several_looks(self, bench: Bench, carried: CarriedPieces) -> None:
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.claim()
        lay(bench.host, *((piece_name(key), a_piece(key)) for key in KEYS))
        take_and_tell(bench)

        look(bench, made)
        first = len(here(bench))
        look(bench, made)
        look(bench, made)

        assert 0 < first < len(KEYS)
        assert len(here(bench)) == len(KEYS)

    def test_a_piece_damaged_here_is_not_brought(self, bench: Bench, carried: CarriedPieces) -> None:
        folder = bench.root / "carried" / JOB
        folder.mkdir(parents=True)
        (folder / piece_name(KEYS[0])).write_bytes(a_piece(KEYS[0])[:-1])
        (folder / piece_name(KEYS[1])).write_bytes(a_piece(KEYS[1]))

        assert carried.bring(bench.spool, ID) == 1
        assert bench.spool.pieces(JOB) == [KEYS[1]]

    def test_that_lists_too_many_is_given_the_job_all_the_same(
        self, bench: Bench, carried: CarriedPieces, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        folder = bench.root / "carried" / JOB
        folder.mkdir(parents=True)
        (folder / piece_name(KEYS[0])).write_bytes(a_piece(KEYS[0]))

        def too_many(*_: object) -> list[str]:
            raise HostUnreachable("The folder on the machine has over 10000 names.")

        monkeypatch.setattr(SpoolClient, "pieces", too_many)
        bench.enqueue(spec("a", **chapter()))
        made = rented(bench, carried)
        made.claim()

        assert list(bench.spool.entries())
        assert BRING_S in [may_take_s for _, may_take_s in bench.alive]


def test_a_watcher_sweeps_while_it_works(bench: Bench, carried: CarriedPieces) -> None:
    made = rented(bench, carried)
    folder = bench.root / "carried" / JOB
    for _ in range(2):
        look(bench, made)
        folder.mkdir(parents=True)
        os.utime(folder, (bench.clock.now(),) * 2)
        bench.clock.sleep(KEEP_S + 1)
        made.step()
        assert not folder.exists()


def test_a_machine_that_is_not_far_away_is_left_alone(bench: Bench, carried: CarriedPieces) -> None:
    bench.enqueue(spec("a", **chapter()))
    made = rented(bench, carried)
    bench.host.remote = False
    made.claim()
    lay(bench.host, (piece_name(KEYS[0]), a_piece(KEYS[0])))
    take_and_tell(bench)

    look(bench, made)

    assert here(bench) == []


def test_what_is_old_is_swept(bench: Bench, carried: CarriedPieces) -> None:
    folder = bench.root / "carried" / JOB
    folder.mkdir(parents=True)
    os.utime(folder, (bench.clock.now() - 100, bench.clock.now() - 100))

    carried.sweep(200)
    assert folder.exists()
    carried.sweep(50)
    assert not folder.exists()
