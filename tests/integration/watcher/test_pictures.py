"""Audio and pictures of one file, by one worker, each made once whoever is killed meanwhile (I7)."""

from __future__ import annotations

import hashlib
import os
import signal
from pathlib import Path

from lib.jobspec import JobSpec, normalize_job_spec
from lib.png import check_png
from tests.integration.watcher.conftest import Deployment, beats

SIZE = {"width": 640, "height": 360}


def pictures() -> list[JobSpec]:
    """Two cards and a test picture."""
    asked = [("pier", "A pier at low tide.", "card"), ("gull", "A gull, white on grey.", "card")]
    asked.append(("chart", "A chart of the tides.", "mock"))
    return [
        normalize_job_spec(
            {
                "output_name": f"tides/{name}",
                "kind": "image",
                "prompt": prompt,
                "backend": backend,
                "seed": number,
                **SIZE,
            }
        )
        for number, (name, prompt, backend) in enumerate(asked)
    ]


def worker_of(data: Path) -> int:
    """The process that holds the spool's lock; 0 while none does."""
    try:
        return int((data / "watchers/0/spool-1/worker.lock").read_text().strip() or 0)
    except (OSError, ValueError):
        return 0


def test_a_file_of_both_kinds_is_made_once_though_its_worker_is_killed_in_the_midst(
    deployment: Deployment,
) -> None:
    spoken, drawn = beats(2), pictures()
    specs = [spoken[0], drawn[0], drawn[1], spoken[1], drawn[2]]
    deployment.enqueue(specs)
    deployment.start_watcher()
    deployment.wait_for("the first is done", lambda: deployment.queue.snapshot().done >= 1)
    killed = worker_of(deployment.data)
    assert killed  # 0 would be all of this test's own processes
    os.kill(killed, signal.SIGKILL)

    deployment.wait_until_done(specs)

    deployment.wait_for("another worker", lambda: worker_of(deployment.data) not in (0, killed))
    for spec in specs:
        deployment.wait_for("published", deployment.output(spec).exists)
        finished = deployment.queue.result(spec.request_id)
        assert finished is not None
        done = finished.done()
        assert done is not None
        data = deployment.output(spec).read_bytes()
        (made,) = done.takes
        assert (made.main.file, made.main.sha256) == (
            f"{spec.output_name}.{spec.suffix}",
            hashlib.sha256(data).hexdigest(),
        )
        assert (done.drawn is not None) is spec.is_picture
        if done.drawn is not None:
            assert check_png(data) == spec.size
            assert (done.drawn.backend, done.drawn.picture.seed) == (spec.drawn_by, spec.seed)
    assert len(deployment.events("done")) == len(specs)
    names = {path.name for path in (deployment.data / "storage/outputs/tides").glob("*.png")}
    assert names == {"pier.png", "gull.png", "chart.png"}
