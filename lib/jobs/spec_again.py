"""What was asked for, so that it can be asked for again with a change.

Of a job that is not done the queue keeps it. Of a done one it is put together from its record and its
captions; the fingerprint, which the queue keeps, proves it, or does not.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lib.errors import BadInput
from lib.jobqueue import JobQueue, JobRecord, UnknownJob
from lib.jobs.changes_since_done import proved_spec
from lib.jobspec import from_payload, to_payload
from lib.records import DoneRecord, SpokenRecord
from lib.storage import output_name_of

#: Between two captions of a text: what parts sentences, lines and paragraphs.
_SEAMS: Final = (" ", "\n", "\n\n", "")


@dataclass(frozen=True, slots=True)
class KnownSpec:
    """A job as a file has it. `unknown` are the fields that nobody knows any more, where any is.

    `exact`: it asks for the same output, to the letter.
    """

    job: Mapping[str, Any]
    exact: bool
    unknown: tuple[str, ...]
    revision: int

    @property
    def why(self) -> str:
        """What there is to know about it, as a sentence."""
        if self.exact:
            return "This is what was asked for."
        if not self.job.get("text"):
            return (
                "What was asked for is kept no more, and no captions tell it: write it anew. The rest is as "
                "its record says."
            )
        return (
            "What was asked for is kept no more: the text is that of the captions and the rest as the record "
            f"says. It may differ in its {' or '.join(self.unknown)}."
        )

    def to_json(self) -> dict[str, Any]:
        """As REST tells it."""
        return {
            "job": dict(self.job),
            "exact": self.exact,
            "unknown": list(self.unknown),
            "why": self.why,
            "revision": self.revision,
        }


def spec_again(queue: JobQueue, request_id: str) -> KnownSpec:
    """What the present revision of a job asks for. Reads the same for one job and for a million.

    Raises:
        UnknownJob: there is no such job.
        BadInput: nothing of it is known any more.
    """
    record = queue.job(request_id)
    if record is None:
        raise UnknownJob(request_id, queue.nearest(request_id))
    (spec,) = queue.specs([request_id])
    if spec is not None:
        return KnownSpec(to_payload(spec), exact=True, unknown=(), revision=record.revision)
    finished = queue.result(request_id)
    done = finished.done() if finished else None
    if done is None:
        raise BadInput(f"nothing is known any more of what {request_id} asks for; enqueue it from its file")
    return _from_record(record, done)


def _from_record(record: JobRecord, done: DoneRecord) -> KnownSpec:
    kept = {"priority": record.priority, "max_attempts": record.max_attempts}
    if done.callback_data:
        kept["callback_data"] = dict(done.callback_data)
    if done.spoken is None:
        return _of_picture(record, done, kept)
    told = _told(record, done.spoken, kept)
    texts = [*_texts(done.spoken)]
    for text in texts:
        guess = proved_spec(from_payload({**told, "text": text}), done.spoken, record.fingerprint)
        if guess is not None:
            return KnownSpec(to_payload(guess), exact=True, unknown=(), revision=record.revision)
    if not texts:
        return KnownSpec(told, exact=False, unknown=("text", "pronounce"), revision=record.revision)
    right = next((text for text in texts if len(text) == done.spoken.characters), None)
    sure = right is not None and len(done.spoken.chosen.captions) == 1  # a line end is as long as a blank
    unknown = ("pronounce", "seed") if sure else ("text", "pronounce", "seed")
    job = {**told, "text": texts[0] if right is None else right}
    return KnownSpec(job, exact=False, unknown=unknown, revision=record.revision)


def _told(record: JobRecord, spoken: SpokenRecord, kept: Mapping[str, Any]) -> dict[str, Any]:
    """What the record says of a job, as a file would have it."""
    first = next((take for take in spoken.takes if take.made == 1), spoken.chosen)
    told: dict[str, Any] = {
        **kept,
        "request_id": record.request_id,
        "output_name": output_name_of(spoken.takes),
        "language": spoken.language,
        "profile": spoken.profile,
        "format": spoken.audio_format,
    }
    told |= {"voice": spoken.voice} if spoken.voice else {"speaker": spoken.speaker}
    if spoken.asked > 1:
        told["variants"] = spoken.asked
    if spoken.pronounce:
        told["pronounce"] = dict(spoken.pronounce)
    if first.speed != 1.0:
        told["speed"] = first.speed
    if spoken.pieces > 1:
        told["chunk"] = True
    return told


def _texts(spoken: SpokenRecord) -> Iterator[str]:
    """What may have been written, by the captions of the chosen take; nothing where there are none."""
    cues = [cue.text for cue in spoken.chosen.captions]
    if cues:
        yield from dict.fromkeys(seam.join(cues) for seam in _SEAMS)


def _of_picture(record: JobRecord, done: DoneRecord, kept: Mapping[str, Any]) -> KnownSpec:
    assert done.drawn is not None, "a record is of a picture or of speech"
    picture = done.drawn.picture
    job = {
        **kept,
        "kind": "image",
        "request_id": record.request_id,
        "output_name": output_name_of(done.takes),
        "backend": done.drawn.backend,
        "width": picture.width,
        "height": picture.height,
        "seed": picture.seed,
    }
    return KnownSpec(job, exact=False, unknown=("prompt",), revision=record.revision)
