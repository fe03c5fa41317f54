"""Audio beside that of a file: of jobs that do not stand in it, as of lines that were renamed or removed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from lib.errors import BadInput
from lib.jobqueue import FinishedJob, JobQueue
from lib.jobspec import JobSpec
from lib.storage import Storage, output_name_of

_MOST_FOLDERS: Final = 20  # each is a look through all ids that are known


class BesideJob(NamedTuple):
    """A job that the file does not ask for and whose audio lies in one of its folders, as `file`."""

    request_id: str
    file: str  # the published name of the chosen take

    def to_json(self) -> dict[str, Any]:
        """One entry of `extra` in `report --json`."""
        return self._asdict()


def published_beside(queue: JobQueue, storage: Storage, specs: Sequence[JobSpec]) -> tuple[BesideJob, ...]:
    """The published audio in the folders of these jobs that other jobs made, as far as their ids tell.

    Looked through are the ids that begin as the folders do, `topic:` for `topic/`: what ids look like that
    nobody chose. Nobody wrote down which file a job came from, so another file may ask for them.

    Raises:
        BadInput: the jobs lie in more than 20 folders.
        TooMany: too many ids are known, or begin so.
        StorageUnavailable: the store refuses.
    """
    folders = {spec.output_name.rpartition("/")[0] for spec in specs} - {""}
    if len(folders) > _MOST_FOLDERS:
        raise BadInput(
            f"the jobs lie in {len(folders)} folders, and at most {_MOST_FOLDERS} are looked through; give a "
            "file of fewer topics"
        )
    ours = {spec.request_id for spec in specs}
    found = {name for folder in folders for name in queue.ids_under(f"{folder.replace('/', ':')}:")} - ours
    jobs = queue.results(sorted(found))
    files = [(job.request_id, _file_of(storage, job, folders)) for job in jobs if job is not None]
    return tuple(BesideJob(request_id, file) for request_id, file in files if file is not None)


def _file_of(storage: Storage, job: FinishedJob, folders: set[str]) -> str | None:
    """The published file of the job where that lies in one of the folders and is its own."""
    done = job.done()
    if done is None or not done.takes:
        return None
    file, name = done.takes[0].main.file, output_name_of(done.takes)
    owner = storage.owner(name) if name.rpartition("/")[0] in folders else None
    return (
        file if owner is not None and owner.request_id == job.request_id and storage.published(file) else None
    )
