"""What a backend returns is a whole PNG of the size that it says, or it is refused."""

from __future__ import annotations

import io
import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lib.png import MOST_BYTES, SIGNATURE, NotPng, check_png, write_palette_png
from synth.pictures.backend import PictureOrder
from synth.pictures.mock import MockBackend

GOOD = MockBackend("mock").draw(PictureOrder("Fog.", 64, 72)).png


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(header: tuple[int, ...], pixels: bytes, *between: bytes) -> bytes:
    parts = (chunk(b"IHDR", struct.pack(">IIBBBBB", *header)), *between)
    return b"".join((SIGNATURE, *parts, chunk(b"IDAT", zlib.compress(pixels)), chunk(b"IEND", b"")))


LARGE = struct.pack(">IIBBBBB", 16_000, 16_000, 8, 0, 0, 0, 0)


def parted(pixels: bytes) -> bytes:
    """Pixels before and behind a text: some readers go on there, and some do not."""
    packed = zlib.compress(pixels)
    parts = (chunk(b"IDAT", packed[:8]), chunk(b"tEXt", b"a\0b"), chunk(b"IDAT", packed[8:]))
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0))
    return b"".join((SIGNATURE, header, *parts, chunk(b"IEND", b"")))


def test_what_others_write_beside_the_pixels_is_let_be() -> None:
    """I1: a picture that was paid for is not refused for a note that nobody here reads."""
    assert check_png(png((8, 8, 8, 0, 0, 0, 0), bytes(72), chunk(b"caBX", b"who drew it"))) == (8, 8)


def test_a_whole_png_has_its_size() -> None:
    """I1."""
    assert check_png(GOOD) == (64, 72)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
@pytest.mark.parametrize("size", [(1, 1), (3, 5), (70, 33)])
def test_every_kind_that_pillow_writes_is_read(mode: str, size: tuple[int, int]) -> None:
    """I1."""
    image = pytest.importorskip("PIL.Image")
    written = io.BytesIO()
    image.new(mode, size).save(written, "PNG")
    assert check_png(written.getvalue()) == size


@pytest.mark.parametrize(("width", "height", "rows"), [(8, 8, 15), (1, 1, 1), (2, 3, 5), (5, 5, 11)])
def test_an_interlaced_one_is_read_pass_by_pass(width: int, height: int, rows: int) -> None:
    """I1: the rows of all passes, counted by hand."""
    pixels = width * height + rows
    assert check_png(png((width, height, 8, 0, 0, 0, 1), bytes(pixels))) == (width, height)
    with pytest.raises(NotPng, match="as many pixels"):
        check_png(png((width, height, 8, 0, 0, 0, 1), bytes(pixels - 1)))


@given(st.integers(0, len(GOOD) - 1))
def test_one_that_is_cut_off_anywhere_is_refused(end: int) -> None:
    """I1."""
    with pytest.raises(NotPng):
        check_png(GOOD[:end])


@given(st.integers(0, len(GOOD) - 1), st.integers(1, 255))
def test_one_with_a_changed_byte_is_refused(at: int, change: int) -> None:
    """I1: everything stands under a checksum."""
    changed = bytearray(GOOD)
    changed[at] ^= change
    with pytest.raises(NotPng):
        check_png(bytes(changed))


@given(st.binary(max_size=200))
def test_whatever_else_it_is_it_is_refused_as_that(data: bytes) -> None:
    """I1."""
    for given_data in (data, SIGNATURE + data):
        with pytest.raises(NotPng):
            check_png(given_data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "is no PNG"),
        (b"\xff\xd8\xff\xe0 a JPEG", "is no PNG"),
        (GOOD + b"<script>", "behind its end"),
        (png((0, 8, 8, 0, 0, 0, 0), b""), "0 x 8 pixels"),
        (png((16385, 1, 8, 0, 0, 0, 0), b""), "16385 x 1 pixels"),
        (png((8, 8, 3, 0, 0, 0, 0), bytes(72)), "does not exist"),
        (png((8, 8, 8, 5, 0, 0, 0), bytes(72)), "does not exist"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(71)), "as many pixels"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(73)), "as many pixels"),
        (png((8, 8, 8, 3, 0, 0, 0), bytes(72)), "palette is missing"),
        (png((8, 8, 8, 3, 0, 0, 0), bytes(72), chunk(b"PLTE", bytes(4))), "palette is none"),
        (png((8, 8, 2, 3, 0, 0, 0), bytes(24), chunk(b"PLTE", bytes(15))), "palette is none"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(72), chunk(b"PLTE", bytes(3))), "palette is none"),
        (png((8, 8, 8, 3, 0, 0, 0), bytes(72), *[chunk(b"PLTE", bytes(3))] * 2), "in two places"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(72), chunk(b"IHDR", LARGE)), "second header"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(72), chunk(b"acTL", bytes(8))), "no still picture has"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(72), chunk(b"EVIL", b"")), "no still picture has"),
        (png((8, 8, 8, 0, 0, 0, 0), bytes(63) + b"\5" + bytes(8)), "filter that does not exist"),
        (png((5, 5, 8, 0, 0, 0, 1), bytes(30) + b"\7" + bytes(5)), "filter that does not exist"),
        (parted(bytes(72)), "in two places"),
    ],
)
def test_what_is_wrong_is_said(data: bytes, words: str) -> None:
    """I1."""
    with pytest.raises(NotPng, match=words):
        check_png(data)


def test_a_bomb_is_left_as_soon_as_it_has_more_than_it_promises() -> None:
    """I1: some kilobytes hold a gigabyte of zeros."""
    packer = zlib.compressobj(9)
    bomb = b"".join(packer.compress(bytes(2**20)) for _ in range(64)) + packer.flush()
    whole = png((8, 8, 8, 0, 0, 0, 0), b"")
    at = whole.index(b"IDAT") - 4
    with pytest.raises(NotPng, match="as many pixels"):
        check_png(whole[:at] + chunk(b"IDAT", bomb) + chunk(b"IEND", b""))


def test_more_bytes_than_any_picture_has_are_not_read() -> None:
    """I1."""
    with pytest.raises(NotPng, match="more than"):
        check_png(bytes(MOST_BYTES + 1))


def test_what_is_written_here_reads_elsewhere() -> None:
    """I1."""
    image = pytest.importorskip("PIL.Image")
    data = write_palette_png(2, [b"\0\1", b"\1\1"], [(1, 2, 3), (250, 0, 9)], "Nebel über Föhr")
    read = image.open(io.BytesIO(data))
    assert read.convert("RGB").tobytes() == bytes((1, 2, 3, 250, 0, 9, 250, 0, 9, 250, 0, 9))
    assert read.text == {"Description": "Nebel über Föhr"}
