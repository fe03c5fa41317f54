"""A worker uploads to a real bucket by URLs that were signed for its bytes (W13)."""

from __future__ import annotations

from pathlib import Path

from lib.jobqueue import JobState
from synth.worker.uploads import Uploader
from tests.integration.storage.conftest import Place
from tests.unit.dispatch.bench import Bench, spec


def test_a_machine_puts_its_audio_into_the_bucket_itself(place: Place, tmp_path: Path) -> None:
    bench, said = Bench(tmp_path), list[str]()
    bench.storage = place.through()
    bench.host.remote = True
    job = spec()
    dispatcher = bench.holding(job)
    bench.host.speak_all()
    bench.host.beat()
    dispatcher.step()

    uploader = Uploader(bench.host.spool, said.append)
    puts = len([request for request in place.proxy.seen if request.method == "PUT"])
    uploader.look()
    (by_the_machine,) = [request for request in place.proxy.seen if request.method == "PUT"][puts:]
    bench.clock.advance(1)
    dispatcher.step()

    assert said == []
    assert "authorization" not in by_the_machine.headers  # the URL is all that it has
    assert "x-amz-checksum-sha256" in by_the_machine.path  # among the signed headers
    assert bench.job(job).state is JobState.DONE
    assert len(place.outputs()) == 1
    bench.close()
