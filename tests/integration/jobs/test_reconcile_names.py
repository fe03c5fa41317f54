"""Whose audio lies under a name, as `reconcile` sees and mends it (Q43)."""

from __future__ import annotations

import time
from pathlib import Path

from lib.findings import Finding
from lib.jobs.reconcile import Audit
from lib.storage import Claim, publish_takes
from tests.contract.jobqueue.jobs import job
from tests.doubles import records
from tests.integration.jobs.conftest import Yard
from tests.integration.jobs.strange import other_audio


def look(yard: Yard, *, mend: bool = False, deep: bool = False) -> list[Finding]:
    return list(Audit(yard.queue, yard.storage, mend=mend, deep=deep).findings())


def ids(findings: list[Finding]) -> list[str]:
    return [item.kind.id for item in findings]


def test_another_jobs_audio_of_the_same_length_is_seen_by_a_deep_look(yard: Yard) -> None:
    other_audio(b"AUDIO OF DONE")(yard)

    assert look(yard) == []
    assert ids(look(yard, deep=True, mend=True)) == ["R023"]
    assert Path(yard.storage.location("done.wav")).read_bytes() == b"audio of done"


def test_the_audio_of_a_job_that_was_asked_for_later_is_no_finding(yard: Yard) -> None:
    audio = yard.stored("done.flac", b"of a newer job")
    newer = Claim("newer", 1, 10**14)
    publish_takes(yard.storage, newer, [records.take(audio=audio)])

    assert look(yard, deep=True) == []
    assert not Path(yard.storage.location("done.wav")).exists()


def test_the_name_of_a_job_that_was_asked_for_again_is_filled_again(yard: Yard) -> None:
    """`enqueue` of a done job publishes nothing; the name may be another one's by then."""
    done = yard.queue.result("done")
    assert done is not None
    audio = yard.stored("done.wav", b"AUDIO OF DONE")
    publish_takes(yard.storage, Claim("between", 1, done.order + 1), [records.take(audio=audio)])
    assert look(yard) == []
    time.sleep(0.01)
    yard.queue.enqueue([job("done")])

    assert ids(look(yard, mend=True)) == ["R023"]
    assert Path(yard.storage.location("done.wav")).read_bytes() == b"audio of done"
    assert look(yard) == []
