"""The file of one piece that was spoken, so that whoever goes on with its job need not speak it again.

    voice piece 1 <sha256 of all that follows>\n
    {"piece": <its key>, "sample_rate": …, "samples": …, "phonemes": …, "words": […], "again": […]}\n
    samples, 32 bit floats, the least significant byte first

What decides how a piece sounds is in its key, so one of another text or voice is never found. A file may
have been cut short by a crash, or come from a machine that is not trusted: nothing of it is used unless all
of it is as it should be. The format is docs/reference/spool.md.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.records import WordTiming
from lib.spool.checked_json import Checked, parse_object
from lib.spool.errors import InvalidSpoolData

MAX_PIECE_BYTES: Final = 32 * 1024 * 1024  # five minutes at 24 kHz; a piece is a sentence or two
_WHAT: Final = "The kept piece"
_FIRST: Final = re.compile(rb"voice piece 1 ([0-9a-f]{64})\n")
_NAME: Final = re.compile(r"([0-9a-f]{64})\.piece")
_LONGEST_HEADER: Final = 1024 * 1024
_MOST_WORDS: Final = 10_000
_LONGEST_WORD: Final = 1_000
_MOST_AGAIN: Final = 16
_LONGEST_WHY: Final = 2_000
_MOST_RATE: Final = 384_000
_SAMPLE: Final = 4  # bytes


@dataclass(frozen=True, slots=True)
class PieceFile:
    """What is kept of one piece. `samples` are its bytes as the engine made them, before trimming."""

    key: str  # 64 hexadecimal digits
    sample_rate: int
    samples: bytes
    phonemes: int | None
    words: tuple[WordTiming, ...]
    again: tuple[str, ...]  # why it was said again with another seed, each time

    def to_bytes(self) -> bytes:
        """The file."""
        header = {
            "piece": self.key,
            "sample_rate": self.sample_rate,
            "samples": len(self.samples) // _SAMPLE,
            "phonemes": self.phonemes,
            "words": [word.to_json() for word in self.words],
            "again": [why[:_LONGEST_WHY] for why in self.again],
        }
        line = json.dumps(header, separators=(",", ":"), allow_nan=False).encode() + b"\n"
        digest = hashlib.sha256(line)
        digest.update(self.samples)
        return b"voice piece 1 " + digest.hexdigest().encode() + b"\n" + line + self.samples

    @classmethod
    def from_bytes(cls, data: bytes, key: str) -> PieceFile:
        """Read the file of the piece `key`.

        Raises:
            InvalidSpoolData: it is damaged, of another piece, or breaks the format.
        """
        first = _FIRST.match(data)
        if first is None or len(data) > MAX_PIECE_BYTES:
            raise InvalidSpoolData(f"{_WHAT} does not begin as one.")
        rest = memoryview(data)[first.end() :]
        if hashlib.sha256(rest).hexdigest().encode() != first[1]:
            raise InvalidSpoolData(f"{_WHAT} has another sha256 than it says.")
        end = data.find(b"\n", first.end(), first.end() + _LONGEST_HEADER)
        checked = Checked(parse_object(data[first.end() : max(end, first.end())], _WHAT), _WHAT)
        if checked.text("piece", longest=64) != key:
            checked.refuse("piece", "is that of another")
        samples = data[end + 1 :]
        if checked.whole("samples") * _SAMPLE != len(samples):
            checked.refuse("samples", "is not how many follow")
        phonemes = None if checked.optional_number("phonemes") is None else checked.whole("phonemes")
        words = tuple(map(_word, checked.items("words", most=_MOST_WORDS)))
        rate = checked.whole("sample_rate", least=1, most=_MOST_RATE)
        return cls(key, rate, samples, phonemes, words, _again(checked))


def piece_name(key: str) -> str:
    """What the file of a piece is called."""
    return f"{key}.piece"


def key_of(name: str) -> str | None:
    """The key of a piece whose file is called so; None for any other name."""
    found = _NAME.fullmatch(name)
    return None if found is None else found[1]


def _word(value: Any) -> WordTiming:
    word = Checked(value if isinstance(value, dict) else {}, f"{_WHAT}: a word")
    start, end = (word.optional_number(field) for field in ("start", "end"))
    if start is None or end is None:
        word.refuse("start", "must be a number, and end")
    return WordTiming(word.text("text", longest=_LONGEST_WORD), start, end, word.text("source", longest=20))


def _again(checked: Checked) -> tuple[str, ...]:
    whys: Sequence[Any] = checked.items("again", most=_MOST_AGAIN)
    if not all(isinstance(why, str) and len(why) <= _LONGEST_WHY for why in whys):
        checked.refuse("again", f"must hold texts of at most {_LONGEST_WHY} characters")
    return tuple(whys)
