"""Shows as a table how the jobs of a file ended."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from lib.cli import output
from lib.jobqueue import JobState
from lib.jobs.results import ResultRow
from lib.storage import shared_folder
from lib.units import seconds_text

_MOST_PAGES: Final = 5  # that are named; each topic has one


def show_results(rows: Sequence[ResultRow]) -> None:
    """Print where each file is, its seconds and loudness. The folder they share is named once."""
    folder = shared_folder([row.file for row in rows if row.file])
    table = output.Table(
        [
            output.Column("job", wrap=True),
            output.Column("state"),
            output.Column("seconds", align="right"),
            output.Column("LUFS", align="right"),
            output.Column("file", wrap=True),
        ]
    )
    for row in rows:
        where = (row.file or "").removeprefix(folder) or row.error
        table.row(row.request_id, row.word, row.audio_seconds, row.loudness_lufs, where)
    if folder:
        output.say(f"Files are in {folder}")
    table.show()
    for row in rows:
        for warning in row.warnings:
            output.warn(f"{row.request_id}: {warning}")
    _sum_up(rows)


def tell_pages(pages: Sequence[str]) -> None:
    """Print where the pages to listen to are; of many, the first ones."""
    for page in pages[:_MOST_PAGES]:
        output.say(f"Listen: {page}")
    if len(pages) > _MOST_PAGES:
        output.say(f"Listen: and {len(pages) - _MOST_PAGES} more pages beside their audio")


def _sum_up(rows: Sequence[ResultRow]) -> None:
    done = [row for row in rows if row.state is JobState.DONE]
    seconds = seconds_text(sum(row.audio_seconds or 0 for row in done))
    output.note(f"{len(done)} of {len(rows)} done, {seconds} of audio")
    for row in rows:
        if row.is_gone:
            output.warn(f"the audio of {row.request_id} is gone; see: job-runner explain {row.request_id}")
        elif row.edited:
            output.warn(
                f"{row.request_id}: what lies at {row.edited} no job made: it was edited or put there by a "
                "person and stays, and the job's own audio is played from the store; move it away to have it "
                "published there again"
            )
        elif row.replaced_by:
            output.warn(
                f"{row.request_id} was replaced meanwhile: {row.replaced_by} was asked for later and has the "
                "name of its audio"
            )
        elif row.again:
            output.note(
                f"{row.request_id} is {row.word}, see job-runner result {row.request_id}; {row.again}"
            )
