"""Typed records of what was spoken, drawn and done: one shape of a take, one name for one fact.

`audio_seconds` is the length of audio, `work_seconds` the time spent on making it, `wall_seconds` how long
the whole took; `state` is where something is; `bytes` is the length of a file.
"""

from __future__ import annotations

from lib.records.done import DoneRecord, FailedRecord, Timings, done_record
from lib.records.drawn import DrawnRecord, JobPicture
from lib.records.execution import ExecutionJob, ExecutionRecord
from lib.records.made import Made, MadeRecord, made_from, record_from
from lib.records.reading import InvalidRecord
from lib.records.spoken import SpokenRecord
from lib.records.takes import FileRef, Take, WordTiming
from lib.records.verification import FaultRecord, RejectedRecord, Verification

__all__ = [
    "DoneRecord",
    "DrawnRecord",
    "ExecutionJob",
    "ExecutionRecord",
    "FailedRecord",
    "FaultRecord",
    "FileRef",
    "InvalidRecord",
    "JobPicture",
    "Made",
    "MadeRecord",
    "RejectedRecord",
    "SpokenRecord",
    "Take",
    "Timings",
    "Verification",
    "WordTiming",
    "done_record",
    "made_from",
    "record_from",
]
