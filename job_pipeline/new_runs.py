"""What a command line says of a new run, as a value; and the pipeline that it is bound to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from job_pipeline.wiring import SHIPPED, PipelineRoom
from lib.errors import BadInput, UsageError
from lib.files import read_plain
from lib.foreign import parse_json
from lib.pipeline.ruled_runs import StartedRun, start_by_rules
from lib.pipeline.runs import NewRun
from lib.pipeline.snapshots import GraphSnapshot, list_snapshots, save_snapshot

_LARGEST: Final = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class RunWords:
    """What the options of `enqueue` say, as they were typed."""

    run_id: str | None = None
    uri: str | None = None
    inputs: str | None = None
    metadata: str | None = None
    slug: str | None = None
    intent: str | None = None

    def new_run(self, sample: Mapping[str, Any] | None = None) -> NewRun:
        """The run that they mean; `sample` are its inputs where none are given.

        Raises:
            BadInput: something is no JSON object, or a file cannot be read.
            UsageError: --uri and --inputs contradict each other.
        """
        inputs = {} if self.inputs is None else _object("--inputs", self.inputs)
        if self.uri is not None:
            if inputs.get("uri", self.uri) != self.uri:
                raise UsageError("--uri and the uri of --inputs are two; leave one of them away")
            inputs = {**inputs, "uri": self.uri}
        if self.inputs is None and self.uri is None and sample is not None:
            inputs = dict(sample)
        return NewRun(
            id=self.run_id,
            inputs=inputs,
            metadata={} if self.metadata is None else _object("--metadata", self.metadata),
            slug=self.slug,
            intent=self.intent,
        )


def _object(option: str, text: str) -> dict[str, Any]:
    if text.startswith("@"):
        option, text = f"{text[1:]} of {option}", _text_of(Path(text[1:]), option)
    try:
        value = parse_json(text, parse_constant=_refuse)
    except ValueError as error:
        raise BadInput(f'{option} is no JSON ({error}); write an object like {{"script": "..."}}') from None
    if not isinstance(value, dict):
        raise BadInput(f'{option} is no JSON object; write one like {{"script": "..."}}')
    return value


def _refuse(word: str) -> Any:
    raise ValueError(f"{word} is no JSON")


def _text_of(path: Path, option: str) -> str:
    try:
        data = read_plain(path, _LARGEST, follow=True)
    except OSError as error:
        raise BadInput(f"{path} of {option} cannot be read: {error.strerror}; name a file") from None
    if len(data) > _LARGEST:
        raise BadInput(f"{path} of {option} is over {_LARGEST >> 20} MiB; name the right file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInput(f"{path} of {option} is not UTF-8; save it as UTF-8") from None


def start_run(room: PipelineRoom, dag: str | None, run: NewRun, config: str | None = None) -> StartedRun:
    """Start a run of the pipeline that is named, and bring the trail up to date.

    `config` is the operator's file that it goes by; None: `conf/operator.yaml`, if there is one.

    Raises:
        BadInput, RunConflict: the run cannot be started so; nothing was.
        UsageError: it is not clear which pipeline is meant.
        BadConfiguration: its code cannot be loaded, or the operator's file is wrong.
    """
    found = start_by_rules(
        room.ledger,
        snapshot_of(room, dag),
        run,
        config=None if config is None else Path(config),
        timeout_s=float(room.found.task_timeout_seconds),
        max_attempts=room.found.max_attempts,
    )
    room.tell()
    return found


def snapshot_of(room: PipelineRoom, dag: str | None) -> GraphSnapshot:
    """The active snapshot of a pipeline, which is stored first where there is none.

    `dag` is `module:object`, a shipped name, or the name of one that is stored. None: JOB_PIPELINE_DAG,
    else the only pipeline that is stored.

    Raises: as `start_run`.
    """
    active = {each.graph.dag: each for each in list_snapshots(room.ledger) if each.active}
    wanted = dag or room.found.job_pipeline_dag
    if wanted is None:
        if len(active) != 1:
            known = ", ".join(sorted(active)) or "none is stored yet"
            raise UsageError(f"say of which pipeline it is with --dag: {known}")
        return next(iter(active.values()))
    if wanted in active:
        return active[wanted]
    if ":" not in wanted and wanted not in SHIPPED:
        known = ", ".join(sorted({*active, *SHIPPED}))
        raise UsageError(f"no pipeline {wanted!r} is stored; there are {known}, or name module:object")
    (loaded,) = room.dags([wanted])
    return active.get(loaded.name) or save_snapshot(room.ledger, loaded.graph())
