"""A kept piece that is not whole, or not what it says, is spoken again (V8)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lib.clock import ManualClock
from lib.spool.errors import InvalidSpoolData
from lib.spool.pieces import MAX_PIECE_BYTES, PieceFile
from synth.engines import Speech, WordTiming
from synth.speech.kept_pieces import KeptPieces, PieceLost
from synth.speech.speak import speak
from tests.unit.synth.fakes import RATE
from tests.unit.synth.kept_desk import MODEL, Desk, chapter


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def cut(data: bytes) -> bytes:
    return data[: len(data) // 2]


def flip(data: bytes) -> bytes:
    return data[:-100] + bytes([data[-100] ^ 1]) + data[-99:]


def resigned(change: Callable[[PieceFile], PieceFile]) -> Callable[[bytes], bytes]:
    """A piece that is whole, but not what it should be: as a machine might send it that is not trusted."""

    def changed(data: bytes) -> bytes:
        key = data.split(b'"piece":"')[1][:64].decode()
        return change(PieceFile.from_bytes(data, key)).to_bytes()

    return changed


def endless(piece: PieceFile) -> PieceFile:
    return replace(piece, samples=np.full(1000, np.inf, np.float32).tobytes())


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "cut": cut,
    "flipped": flip,
    "empty": lambda data: b"",
    "nothing of ours": lambda data: b"\0" * len(data),
    "longer": lambda data: data + b"\0\0\0\0",
    "of another": resigned(lambda piece: replace(piece, key="ab" * 32)),
    "no numbers": resigned(endless),
    "far too loud": resigned(lambda p: replace(p, samples=np.full(99, 1e9, np.float32).tobytes())),
    "silent": resigned(lambda piece: replace(piece, samples=bytes(4 * RATE))),
    "a constant": resigned(lambda piece: replace(piece, samples=np.full(RATE, 0.5, "<f4").tobytes())),
    "of no samples": resigned(lambda piece: replace(piece, samples=b"")),
    "another rate": resigned(lambda piece: replace(piece, sample_rate=48_000)),
    "half a sample": resigned(lambda piece: replace(piece, samples=piece.samples[:-2])),
    "too long": lambda data: data + b"\0" * MAX_PIECE_BYTES,
}


class TestADamagedPieceIsSpokenAgain:
    @pytest.mark.parametrize("damage", DAMAGES.values(), ids=list(DAMAGES))
    def test_and_said_in_one_line(self, desk: Desk, damage: Callable[[bytes], bytes]) -> None:
        whole = desk.speak(chapter())
        desk.crash(chapter(), 3)
        file = sorted(desk.folder.glob("*.piece"))[1]
        file.write_bytes(damage(file.read_bytes()))
        desk.engine.calls.clear()

        assert desk.speak(chapter()) == whole
        assert desk.spoken == 3
        assert len(desk.said) == 2
        assert desk.said[0].startswith("The kept piece")
        assert desk.said[0].endswith("; it is spoken again.")
        assert desk.said[1] == "2 of 5 pieces were already spoken"

    def test_one_under_the_name_of_another_is_not_taken(self, desk: Desk) -> None:
        whole = desk.speak(chapter())
        desk.crash(chapter(), 2)
        one, other = desk.folder.glob("*.piece")
        one.write_bytes(other.read_bytes())

        assert desk.speak(chapter()) == whole
        assert "is that of another" in desk.said[0]

    @pytest.mark.parametrize("kind", ["link", "pipe"])
    def test_no_plain_file_is_none(self, desk: Desk, tmp_path: Path, kind: str) -> None:
        desk.crash(chapter(), 1)
        (file,) = desk.folder.glob("*.piece")
        elsewhere = tmp_path / "elsewhere"
        file.rename(elsewhere)
        file.symlink_to(elsewhere) if kind == "link" else os.mkfifo(file)

        desk.speak(chapter())

        assert "no plain file" in desk.said[0]
        assert elsewhere.exists()

    def test_one_that_is_lost_while_it_is_spoken_fails_the_try_and_not_the_next(self, desk: Desk) -> None:
        def lose(done: int, total: int) -> None:
            if done == 4:
                next(desk.folder.glob("*.piece")).unlink()

        with pytest.raises(PieceLost, match="gone from"):
            desk.speak(chapter(), lose)
        desk.engine.calls.clear()

        desk.speak(chapter())
        assert desk.spoken == 1


class TestItsFile:
    def test_holds_what_the_engine_said_to_the_last_bit(self, tmp_path: Path) -> None:
        words = (WordTiming("One", 0.1, 1 / 3), WordTiming("“É”", 0.5, 0.7))
        speech = Speech(np.random.default_rng(1).standard_normal(5000).astype(np.float32), RATE, 7, words)
        with KeptPieces(tmp_path / "kept", print) as kept:
            kept.keep("ab" * 32, speech, ("It stuck.",))
            found = kept.find("ab" * 32, MODEL)
            assert found is not None
            again = kept.speech(found)

        assert found.again == ("It stuck.",)
        assert np.array_equal(again.samples, speech.samples)
        assert (again.sample_rate, again.phonemes, again.words) == (RATE, 7, words)

    @pytest.mark.parametrize("field", ["sample_rate", "samples", "phonemes", "words", "again", "piece"])
    def test_a_field_of_another_kind_is_refused(self, field: str) -> None:
        import hashlib
        import json

        data = PieceFile("ab" * 32, RATE, b"", None, (), ()).to_bytes()
        header = json.loads(data.split(b"\n")[1])
        wrong: Any
        for wrong in (True, -1, [1], {}, "x", 1e300):
            line = json.dumps({**header, field: wrong}).encode() + b"\n"
            first = b"voice piece 1 " + hashlib.sha256(line).hexdigest().encode() + b"\n"
            with pytest.raises(InvalidSpoolData):
                PieceFile.from_bytes(first + line, "ab" * 32)

    def test_one_too_long_to_be_kept_stays_in_memory(self, desk: Desk) -> None:
        whole = desk.speak(chapter())
        with KeptPieces(desk.folder, desk.said.append, most_bytes=1000) as kept:
            speak(chapter(), desk.engine, ManualClock(), desk.out, lambda *_: None, kept=kept)

            assert not list(desk.folder.glob("*.piece"))
        assert desk.out.with_name("out.wav").read_bytes() == whole
