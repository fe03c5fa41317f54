"""MemoryStorage: what is particular to it. What every store does is in tests/contract/storage."""

from __future__ import annotations

import hashlib

from lib.clock import ManualClock
from lib.storage import MemoryStorage

AUDIO = b"RIFF of it"


def test_a_signed_upload_is_taken_for_an_hour() -> None:
    clock = ManualClock()
    storage = MemoryStorage(now=clock.now)
    signed = storage.sign_upload(hashlib.sha256(AUDIO).hexdigest(), len(AUDIO))
    assert signed is not None

    assert signed.expires_at == clock.now() + 3600
    clock.advance(3599)
    assert storage.upload(signed, AUDIO)
    clock.advance(1)
    assert not storage.upload(signed, AUDIO)
