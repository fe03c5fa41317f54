"""A worker as a program of its own: `URL SCHEMA {options}`, with lines about it on stderr."""

from __future__ import annotations

import json
import logging
import sys
from pathlib import Path

from job_pipeline.recovery import recovery_loop
from job_pipeline.stop_signals import stops_on_signals
from job_pipeline.worker.options import PipelineWorkerOptions
from job_pipeline.worker.program import PipelineWorker
from lib.pipeline.ledger import PipelineLedger
from lib.sql import open_database


def main() -> None:
    url, schema, words = sys.argv[1:]
    options = json.loads(words)

    def open_ledger() -> PipelineLedger:
        return PipelineLedger(open_database(url, schema=schema or None, patience_s=2.0))

    logging.basicConfig(level=logging.INFO, stream=sys.stderr, format="%(levelname)s %(message)s")
    if poll_s := options.get("recovery"):
        rounds = recovery_loop(open_ledger(), poll_s=poll_s)
        with stops_on_signals(rounds.stop):
            rounds.run()
        return
    worker = PipelineWorker(
        open_ledger, PipelineWorkerOptions(**{**options, "folder": Path(options["folder"])})
    )
    with stops_on_signals(worker.drain):
        worker.run()


if __name__ == "__main__":
    main()
