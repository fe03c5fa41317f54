"""Jobs of one file that would get in each other's way: the same id, or files that meet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from lib.jobspec.kinds import IMAGE
from lib.jobspec.names import (
    CAPTION_SUFFIXES,
    PEAKS_SUFFIX,
    RESULT_FILE,
    TEXT_FILE,
    derive_request_id,
    folded,
    folder_names,
)
from lib.jobspec.pictures import PICTURE_SUFFIX
from lib.jobspec.problems import shown

_TAKE: Final = re.compile(r"(.+)\.take-(?:0[1-9]|1[0-6])(?:\.(wav|flac|mp3|opus))?", re.DOTALL)
#: Of the files beside a take's audio, and what those are called.
_BESIDE: Final = {f".{PEAKS_SUFFIX}": "a waveform"} | {
    f".{suffix}": "captions" for suffix in CAPTION_SUFFIXES
}
_CHILDREN: Final = tuple(f"/{name}" for name in (TEXT_FILE, RESULT_FILE))


@dataclass(frozen=True, slots=True)
class Clash:
    """Job `index` meets job `other`. `message` is to be completed by the other's name."""

    index: int
    other: int
    field: str
    message: str


def clashes(jobs: Sequence[Mapping[str, Any]]) -> Iterator[Clash]:
    """Find every job that shares its request id with an earlier one, or whose files meet another's.

    Each job is a mapping that may lack `request_id` or `output_name` when they are wrong. Names are compared
    as a file system would that ignores case and Unicode form. Linear in the number of jobs.
    """
    yield from _same_ids(jobs)
    yield from _Files(jobs).clashes()


def _suffix(job: Mapping[str, Any]) -> str:
    return PICTURE_SUFFIX if job.get("kind") == IMAGE else job.get("format", "wav")


def _same_ids(jobs: Sequence[Mapping[str, Any]]) -> Iterator[Clash]:
    first: dict[str, int] = {}
    for index, job in enumerate(jobs):
        request_id = job.get("request_id")
        if request_id is None:
            continue
        other = first.setdefault(request_id, index)
        if other != index and not _follows_from_the_names(job, jobs[other]):
            yield Clash(index, other, "request_id", f"{shown(request_id)} is also the id of")


def _follows_from_the_names(job: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether equal output names, a problem of their own, have led to the equal ids."""
    name = job.get("output_name")
    return (
        name is not None and name == other.get("output_name") and derive_request_id(name) == job["request_id"]
    )


class _Files:
    """The files and folders of all jobs, by folded name."""

    def __init__(self, jobs: Sequence[Mapping[str, Any]]) -> None:
        self._jobs = jobs
        self._names: dict[str, int] = {}
        self._audio: dict[str, int] = {}
        self._folded: list[str | None] = []
        for index, job in enumerate(jobs):
            name = job.get("output_name")
            key = None if name is None else folded(name)
            self._folded.append(key)
            if key is not None:
                self._names.setdefault(key, index)
                self._audio.setdefault(f"{key}.{_suffix(job)}", index)

    def clashes(self) -> Iterator[Clash]:
        for index, key in enumerate(self._folded):
            if key is None:
                continue
            yield from self._same_name(index, key)
            yield from self._own_take(index, key)
            for folder in folder_names(key):
                yield from self._folder_is_a_file(index, folder)

    def _same_name(self, index: int, key: str) -> Iterator[Clash]:
        other = self._names[key]
        if other == index:
            return
        name = self._jobs[index]["output_name"]
        if name == self._jobs[other]["output_name"]:
            message = f"{shown(name)} is also the output name of"
        else:
            message = f"{shown(name)} differs only by case or Unicode form from the output name of"
        yield Clash(index, other, "output_name", message)

    def _own_take(self, index: int, key: str) -> Iterator[Clash]:
        """The job's files would be a take's of another job; whatever the formats, the waveforms meet."""
        match = _TAKE.fullmatch(key) if ".take-" in key else None
        if match and match[2] is None and match[1] in self._names:
            yield self._meets(index, self._names[match[1]], "is the name of a take of")

    def _folder_is_a_file(self, index: int, folder: str) -> Iterator[Clash]:
        """A folder that the job needs would be a file of another job."""
        if folder.endswith(_CHILDREN):
            above, _, child = folder.rpartition("/")
            if above in self._names:
                yield self._meets(index, self._names[above], f"needs a folder that would be the {child} of")
        suffix = next((suffix for suffix in _BESIDE if folder.endswith(suffix)), None)
        if suffix is not None:
            base = folder.removesuffix(suffix)
            match = _TAKE.fullmatch(base) if ".take-" in base else None
            for name in (base, match[1] if match and match[2] is None else None):
                if name in self._names:
                    other = self._names[name]
                    yield self._meets(index, other, f"needs a folder that would be {_BESIDE[suffix]} of")
        if folder in self._audio:
            other = self._audio[folder]
            what = "picture" if self._jobs[other].get("kind") == IMAGE else "audio file"
            yield self._meets(index, other, f"needs a folder that would be the {what} of")
        match = _TAKE.fullmatch(folder) if ".take-" in folder else None
        if match and match[2] is not None and f"{match[1]}.{match[2]}" in self._audio:
            other = self._audio[f"{match[1]}.{match[2]}"]
            yield self._meets(index, other, "needs a folder that would be a take of")

    def _meets(self, index: int, other: int, message: str) -> Clash:
        return Clash(index, other, "output_name", f"{shown(self._jobs[index]['output_name'])} {message}")
