"""What a run is made of: the script, beatsheet or job file that the user gives, or only a topic.

Read once, by the first stage; what it read is part of its result, so that a file that changes later changes
no run. Inputs are `uri` (a path or file:// URL), or `script` (the text), or `beats`, or `topic` alone;
`title` may stand beside each of them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from job_pipeline.stages.narration import Narration, NarrationBeat, beat_id, read_prose
from job_pipeline.stages.prose import clean, first_words, is_speakable
from lib.errors import BadInput
from lib.files import NotPlain, read_plain
from lib.foreign import parse_json
from lib.jobspec import JobFile, parse_job_file, printable, to_payload
from lib.jobspec.files.anyfile import is_beatsheet
from lib.jobspec.files.beatsheet import parse_beatsheet
from lib.jobspec.files.encoding import encoding_fault
from lib.pipeline import RunInput

#: Of a script or file, in bytes: five hours of narration.
MOST_BYTES: Final = 256 * 1024
MOST_BEATS: Final = 5_000
#: As a pipeline says them of its runs. Only `video` writes a script about a topic, and shows one to a model.
SCRIPT: Final = RunInput("script", "The text that is spoken; Markdown is understood.", "text", "one_of")
URI: Final = RunInput(
    "uri", "Or a script, beatsheet or job file, by its path where the worker runs.", "line", "one_of"
)
BEATS: Final = RunInput(
    "beats", "Or a list of texts, or of objects with id and text, as in a beatsheet.", "json", "one_of"
)
TOPIC: Final = RunInput(
    "topic", "Or a few words that a language model writes about; beside beats, their name.", "line", "one_of"
)
TITLE: Final = RunInput("title", "What the film is called; else its first heading or words.", "line")
VERBATIM: Final = RunInput("verbatim", "Keep the words of the script as they are.", "flag")
_LONGEST_TITLE: Final = 200
_GIVEN: Final = ("uri", "script", "beats", "topic")
_SPOKEN_BY: Final = ("voice", "speaker")
_NAMED: Final = ("request_id", "output_name", "text")


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """What was given. `kind` is script, beats or topic; of a topic there is no narration yet.

    `sha256` is that of the bytes that were given.
    """

    kind: str
    sha256: str
    narration: Narration

    @property
    def title(self) -> str:
        """What the whole is called."""
        return self.narration.title

    def to_json(self) -> dict[str, Any]:
        """What results hold."""
        return {"kind": self.kind, "sha256": self.sha256, "narration": self.narration.to_json()}

    @classmethod
    def from_json(cls, value: Mapping[str, Any]) -> Material:
        """Read what `to_json` gave."""
        narration = Narration.from_json(value["narration"])
        return cls(kind=value["kind"], sha256=value["sha256"], narration=narration)


def read_material(inputs: Mapping[str, Any], narration: Mapping[str, Any]) -> Material:
    """What a run's inputs lead to. `narration` are the fields of every job, by the operator's file.

    Raises:
        BadInput: nothing is given, or two things, or what cannot be read, is too long, or has nothing to say.
    """
    given = [name for name in _GIVEN if inputs.get(name) is not None]
    if len(given) > 1 and given != ["beats", "topic"]:
        raise BadInput(f"the run's inputs have both {given[0]} and {given[1]}; give one of them")
    if not given:
        raise BadInput(
            "the run's inputs name nothing to make; give a script, as enqueue --uri FILE or as "
            '--inputs \'{"script": "..."}\''
        )
    title = _text(inputs, "title")
    match given[0]:
        case "uri":
            return _from_file(path_of(_text(inputs, "uri")), title, narration)
        case "script":
            return _from_script(_text(inputs, "script").encode(), "the script", title)
        case "beats":
            return _from_beats(inputs, title, narration)
    topic = " ".join(clean(_text(inputs, "topic")).split())
    if not is_speakable(topic):
        raise BadInput("the run's topic is empty; write a few words")
    digest = hashlib.sha256(topic.encode()).hexdigest()
    return Material(
        kind="topic",
        sha256=digest,
        narration=Narration(title=_bounded(title or topic), beats=()),
    )


def path_of(uri: str) -> Path:
    """The file that a path or a file:// URL names; nothing is looked for.

    Raises:
        BadInput: it is another kind of address, or no path can be that.
    """
    shown = printable(first_words(uri, 100))
    if "\0" in uri or not uri.strip():
        raise BadInput(f"the run's uri {shown!r} is no path")
    if "://" not in uri:
        return Path(uri).expanduser()
    try:
        parts = urlsplit(uri)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme != "file" or parts.netloc not in ("", "localhost") or not parts.path:
        raise BadInput(f"the run's uri {shown!r} is no file of this machine; give a path or file:///path")
    path = unquote(parts.path)
    if "\0" in path:
        raise BadInput(f"the run's uri {shown!r} is no path")
    return Path(path)


def _text(inputs: Mapping[str, Any], name: str) -> str:
    value = inputs.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadInput(f"the run's {name} is no text")
    if len(value.encode("utf-8", "replace")) > MOST_BYTES:
        raise BadInput(f"the run's {name} is longer than {MOST_BYTES // 1024} KiB; make several runs of it")
    return value.encode("utf-8", "replace").decode()


def _from_file(path: Path, title: str, narration: Mapping[str, Any]) -> Material:
    name = printable(str(path))
    try:
        data = read_plain(path, MOST_BYTES, follow=True)
    except NotPlain:
        raise BadInput(f"{name}, the run's uri, is no file") from None
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else None
        raise BadInput(f"{name}, the run's uri, cannot be read: {why or 'no usable path'}") from None
    if len(data) > MOST_BYTES:
        raise BadInput(f"{name} is longer than {MOST_BYTES // 1024} KiB; make several runs of it")
    if path.suffix.lower() in (".yaml", ".yml"):
        return _of_jobs(parse_job_file(data, name=name, base_dir=path.parent), data, title or path.stem)
    if path.suffix.lower() == ".json" or is_beatsheet(data):
        return _of_jobs(_sheet(data, name, narration), data, title)
    return _from_script(data, name, title, path.stem)


def _from_script(data: bytes, name: str, title: str, usual: str = "") -> Material:
    fault = encoding_fault(data)
    if fault is not None:
        raise BadInput(f"{name}, line {fault[0]}, {fault[1]}; {fault[2]}")
    found = read_prose(data.decode(), " ".join(clean(title).split()))
    if not found.beats:
        raise BadInput(f"{name} is empty: there is nothing to say in it; write a sentence")
    return _material("script", data, found, found.title or usual or first_words(found.beats[0].text, 60))


def _from_beats(inputs: Mapping[str, Any], title: str, narration: Mapping[str, Any]) -> Material:
    beats = inputs["beats"]
    if not isinstance(beats, list):
        raise BadInput("the run's beats are no list; write objects with id and text, or texts")
    named = [
        {"id": beat_id(number), "text": beat} if isinstance(beat, str) else _named(beat, number)
        for number, beat in enumerate(beats)
    ]
    topic = _text(inputs, "topic") or "beats"
    data = json.dumps({"topic": topic, "beats": named}, ensure_ascii=False).encode("utf-8", "replace")
    if len(data) > MOST_BYTES:
        raise BadInput(f"the run's beats are longer than {MOST_BYTES // 1024} KiB; make several runs of them")
    return _of_jobs(_sheet(data, "the run's inputs", narration), data, title or _text(inputs, "topic"))


def _named(beat: Any, number: int) -> Any:
    return {"id": beat_id(number), **beat} if isinstance(beat, dict) else beat


def _sheet(data: bytes, name: str, narration: Mapping[str, Any]) -> JobFile:
    """The beats of a sheet, spoken by whom the operator chose where the sheet names nobody."""
    if _names_somebody(data):
        return parse_beatsheet(data, name=name)
    who = {key: narration[key] for key in _SPOKEN_BY if narration.get(key)}
    return parse_beatsheet(data, name=name, **who)


def _names_somebody(data: bytes) -> bool:
    """Whether a sheet says who speaks the beats that do not say it themselves."""
    try:
        root = parse_json(data.decode("utf-8-sig"))
    except ValueError:
        return False
    places = (root, root.get("defaults")) if isinstance(root, dict) else ()
    return any(place.get(key) for place in places if isinstance(place, dict) for key in _SPOKEN_BY)


def _of_jobs(file: JobFile, data: bytes, title: str) -> Material:
    beats = []
    for number, spec in enumerate(file.specs):
        payload = to_payload(spec)
        options = {name: value for name, value in payload.items() if name not in _NAMED}
        name = spec.output_name.rpartition("/")[2]
        beats.append(NarrationBeat(id=beat_id(number), text=spec.text, title=name, options=options))
    topic = file.specs[0].output_name.rpartition("/")[0]
    return _material("beats", data, Narration(title="", beats=tuple(beats)), title or topic or beats[0].title)


def _material(kind: str, data: bytes, narration: Narration, title: str) -> Material:
    if len(narration.beats) > MOST_BEATS:
        raise BadInput(f"there are {len(narration.beats)} beats; make several runs of {MOST_BEATS} at most")
    if sum(len(beat.text.encode()) for beat in narration.beats) > MOST_BYTES:
        raise BadInput(
            f"the beats' texts are longer than {MOST_BYTES // 1024} KiB; make several runs of them"
        )
    named = Narration(title=_bounded(title), beats=narration.beats)
    return Material(kind=kind, sha256=hashlib.sha256(data).hexdigest(), narration=named)


def _bounded(title: str) -> str:
    return first_words(clean(title), _LONGEST_TITLE) or "Untitled"
