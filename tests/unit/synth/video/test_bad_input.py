"""What cannot be assembled is refused in one sentence, and nothing is written (I8)."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from lib.errors import BadInput
from tests.unit.synth.video.studio import Studio


def bomb(path: Path) -> None:
    """A PNG of a few bytes that says it is 60,000 pixels wide and high."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + head + data)


def folder_at(path: Path) -> None:
    path.unlink()
    path.mkdir()


def cue(start: float, end: float, text: str = "High tide.") -> dict[str, object]:
    return {"cues": [{"start": start, "end": end, "text": text}]}


FAULTS: dict[str, tuple[Callable[[Studio], object], str]] = {
    "no narration": (lambda s: (s.folder / "voice.wav").unlink(), r"narration .*voice\.wav is missing"),
    "no audio": (
        lambda s: (s.folder / "voice.wav").write_bytes(b"RIFF" + b"x" * 500),
        "cannot be read as audio",
    ),
    "empty": (lambda s: (s.folder / "voice.wav").write_bytes(b""), "cannot be read as audio"),
    "missing picture": (lambda s: (s.folder / "picture_1.png").unlink(), r"picture_1\.png is missing"),
    "no picture": (
        lambda s: (s.folder / "picture_1.png").write_text("hello"),
        r"picture_1\.png is no picture",
    ),
    "folder": (lambda s: folder_at(s.folder / "picture_1.png"), r"picture_1\.png is no file"),
    "bomb": (lambda s: bomb(s.folder / "picture_1.png"), "larger than can be decoded|60000 by 60000"),
    "late caption": (lambda s: s.timeline.update(captions=cue(1, 99)), r"Caption 1 ends at 99\.00 s"),
    "late scene": (lambda s: s.timeline["scenes"][2].update(start=50), r"Scene 3 starts at 50\.00 s"),
    "late poster": (lambda s: s.timeline.update(poster=50), r"The poster is at 50\.00 s"),
    "no letters": (
        lambda s: s.timeline.update(captions=cue(0, 1, "\U00012000\U00012001")),
        "Caption 1 cannot be drawn",
    ),
    "no song": (
        lambda s: (
            soundfile.write(s.folder / "tick.wav", np.full(4, 0.1), 48_000),
            s.timeline.update(music={"file": "tick.wav"}),
        ),
        r"music .*tick\.wav is shorter than 0\.5 s",
    ),
    "no music": (lambda s: s.timeline.update(music={"file": "none.mp3"}), r"music .*none\.mp3 is missing"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_sentence_and_nothing_is_written(studio: Studio, fault: str) -> None:
    change, sentence = FAULTS[fault]
    change(studio)

    with pytest.raises(BadInput, match=sentence) as refused:
        studio.make()

    assert "\n" not in refused.value.message
    assert [path for path in studio.out.parent.rglob("*") if path.is_file() and path.suffix != ".mp4"] == []
    assert not studio.out.exists()
