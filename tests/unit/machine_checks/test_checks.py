"""The decisions of the health gates, over any answer."""

from __future__ import annotations

import contextlib
import io
import math
import random
import time
import wave
from collections.abc import Callable, Sequence
from functools import cache, partial

import pytest

from lib import machine_checks
from lib.machine_checks import DEADLINES, Gate, GateFailed, Gpu

GIB = 1024**3


def wav(samples: Sequence[int], *, rate: int = 24_000, channels: int = 1) -> bytes:
    packed = io.BytesIO()
    with wave.open(packed, "wb") as audio:
        audio.setparams((channels, 2, rate, 0, "NONE", ""))
        audio.writeframes(b"".join(value.to_bytes(2, "little", signed=True) for value in samples))
    return packed.getvalue()


@cache
def voiced(seconds: float, loud: float = 9000.0) -> Sequence[int]:
    """Syllables of a voice-like wave with pauses between."""
    return [
        int(loud * math.sin(at / 25) * max(0.0, math.sin(at / 3000))) for at in range(int(seconds * 24_000))
    ]


def noise() -> list[int]:
    chance = random.Random(1)
    return [chance.randint(-9000, 9000) for _ in range(96_000)]


def reason(act: Callable[[], None]) -> str:
    with pytest.raises(GateFailed) as caught:
        act()
    return caught.value.gate.value


def test_every_gate_has_a_deadline_and_a_code_of_its_own() -> None:
    assert set(DEADLINES) == set(Gate)
    assert len({gate.value for gate in Gate}) == len(Gate)


def test_a_nonce_must_come_back_and_nothing_else() -> None:
    machine_checks.nonce(b"abc", b"abc")
    for answer in (b"", b"abd", b"abc\n", b"Welcome\nabc"):
        assert reason(partial(machine_checks.nonce, b"abc", answer)) == "nonce"


def test_gpus_are_counted_with_their_memory() -> None:
    found = machine_checks.read_gpus(b"NVIDIA GeForce RTX 3090, 24576\nNVIDIA T4, 15360\nError: no\n")
    assert found == [Gpu("NVIDIA GeForce RTX 3090", 24 * GIB), Gpu("NVIDIA T4", 15 * GIB)]
    machine_checks.gpu(0, found, least_bytes=10 * GIB, count=2)
    assert reason(lambda: machine_checks.gpu(0, found, least_bytes=20 * GIB, count=2)) == "gpu"
    assert reason(lambda: machine_checks.gpu(9, found, least_bytes=0)) == "gpu"
    assert reason(lambda: machine_checks.gpu(0, [], least_bytes=0)) == "gpu"


def test_the_disk_must_have_room_and_say_so() -> None:
    head = b"Filesystem 1024-blocks Used Available Capacity Mounted on\n"
    assert machine_checks.read_free(head + b"/dev/my disk 100 40 60 40% /home\n") == 60 * 1024
    for listing in (b"", head, head + b"nonsense\n", b"\xff" * 99):
        assert machine_checks.read_free(listing) is None
    machine_checks.disk(machine_checks.LEAST_FREE_BYTES)
    assert reason(lambda: machine_checks.disk(machine_checks.LEAST_FREE_BYTES - 1)) == "disk"
    assert reason(lambda: machine_checks.disk(None)) == "disk"


def test_a_slow_way_is_none() -> None:
    machine_checks.bandwidth(64_000, b"  64000\n", 1.0)
    assert reason(lambda: machine_checks.bandwidth(63_999, b"63999\n", 1.0)) == "bandwidth"


@pytest.mark.parametrize("answer", [b"", b"63999\n", b"64000 bytes\n", b"\xff" * 99])
def test_bytes_that_did_not_all_come_are_not_counted_as_fast(answer: bytes) -> None:
    assert reason(lambda: machine_checks.bandwidth(64_000, answer, 0.1)) == "bandwidth"


@pytest.mark.parametrize("read", [machine_checks.read_gpus, machine_checks.read_free], ids=["gpus", "free"])
@pytest.mark.parametrize("line", [b" " * 65_000, b"1 " * 32_000, b"1" * 65_000, b", " * 32_000])
def test_no_answer_costs_a_machine_s_keeper_more_than_a_moment(
    read: Callable[[bytes], object], line: bytes
) -> None:
    began = time.process_time()
    read(b"head\n" + line)
    assert time.process_time() - began < 1.0


def test_a_wav_file_that_points_out_of_itself_is_no_wav_file() -> None:
    sound = wav(voiced(4.0))
    for at in range(4, 44):
        broken = bytearray(sound)
        broken[at : at + 4] = b"\xff\xff\xff\xff"
        with contextlib.suppress(GateFailed):
            machine_checks.golden(bytes(broken))


def test_an_engine_that_fails_is_told_with_its_last_words() -> None:
    machine_checks.engine(0, "")
    with pytest.raises(GateFailed, match="no model"):
        machine_checks.engine(78, "no model")


def test_speech_passes() -> None:
    machine_checks.golden(wav(voiced(4.0)))


@pytest.mark.parametrize(
    "samples",
    [
        lambda: [],
        lambda: [0] * 96_000,
        lambda: voiced(1.0),
        lambda: voiced(12.0),
        noise,
        lambda: [int(9000 * math.sin(at / 25)) for at in range(96_000)],
        lambda: [32_000 if at // 60 % 2 else -32_000 for at in range(96_000)],
    ],
    ids=["empty", "silence", "short", "long", "noise", "hum", "overdriven"],
)
def test_garbled_audio_does_not(samples: Callable[[], Sequence[int]]) -> None:
    garbled = wav(samples())
    assert reason(lambda: machine_checks.golden(garbled)) == "golden"


@pytest.mark.parametrize("data", [b"", b"RIFF", b"\0" * 4096], ids=["nothing", "a head", "zeros"])
def test_what_is_no_such_file_does_not(data: bytes) -> None:
    assert reason(lambda: machine_checks.golden(data)) == "golden"


def test_two_channels_do_not() -> None:
    both = wav(voiced(4.0), channels=2)
    assert reason(lambda: machine_checks.golden(both)) == "golden"
