"""A page of Ogg has the checksum of its standard, whatever computes it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from synth.audio.ogg import checksum


def by_the_bit(page: bytes) -> int:
    """RFC 3533, section 6, field 7: polynomial 0x04C11DB7, highest bit first, beginning at 0."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1 ^ (0x04C11DB7 if value & 0x80000000 else 0)) & 0xFFFFFFFF
    return value


@given(st.binary(max_size=300))
def test_thechecksum_is_that_of_the_standard(page: bytes) -> None:
    assert checksum(page) == by_the_bit(page)
