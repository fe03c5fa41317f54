"""A beatsheet: the narration of one topic, beat by beat, as JSON.

Each beat becomes a job through the same door as a job file's, so the same rules hold and read the same.
docs/reference/beatsheet.md describes the form.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from lib.errors import BadInput
from lib.jobspec.fields import FIELDS
from lib.jobspec.files.collisions import clashes
from lib.jobspec.files.doubts import doubts
from lib.jobspec.files.jobfile import default_lines, draft_of, job_file
from lib.jobspec.files.jsontree import read_json
from lib.jobspec.files.source import MAX_FILE_BYTES, read_source, source_name
from lib.jobspec.files.yamltree import LinedDict, LinedList, Tree, line_of, resting_collector
from lib.jobspec.kinds import PICTURE_FIELDS
from lib.jobspec.model import Draft, InvalidJobFile, JobFile, JobSpec
from lib.jobspec.names import check_output_name, derive_request_id
from lib.jobspec.normalize import Defaults, check_defaults, check_job, problem_of
from lib.jobspec.problems import BROKEN, FieldFinding, Problem, Refused, nearest, printable, shown
from lib.units import MIB

ROOT_KEYS: Final = ("topic", "voice", "speaker", "beats", "defaults")
#: What a beat may hold beside `id` and `narration`: every field of a job but those the beatsheet gives it.
_NOT_OF_A_BEAT: Final = frozenset({"output_name", "text_file", "lexicon"}) | PICTURE_FIELDS
JOB_FIELDS: Final = tuple(name for name in FIELDS if name not in _NOT_OF_A_BEAT)
BEAT_KEYS: Final = ("id", "narration", *JOB_FIELDS)
#: Put into every job's callback_data.
GIVEN_BACK: Final = ("topic", "beat_id", "index")
_STAND_IN: Final = "topic"  # for names, while the topic is wrong, so that beats are checked all the same
_NO_LEXICON: Final = ("is not read beside a beatsheet", "give the words under pronounce")
_MADE_OF: Final = "is made of topic and id"


def load_beatsheet(path: Path, *, voice: str | None = None, speaker: str | None = None) -> JobFile:
    """Read and check a beatsheet, or standard input for `-`.

    `voice` or `speaker` speaks every beat that names none of its own.

    Raises:
        InvalidJobFile: not readable, or anything in it is wrong; `.problems` lists all of it.
        BadInput: `voice` or `speaker` is no name, or both are given.
    """
    data, name = read_source(path), source_name(path)
    return replace(parse_beatsheet(data, name=name, voice=voice, speaker=speaker), path=path)


def parse_beatsheet(
    data: bytes, *, name: str, voice: str | None = None, speaker: str | None = None
) -> JobFile:
    """Check the bytes of a beatsheet. `name` stands in errors.

    Raises:
        InvalidJobFile: anything is wrong; `.problems` lists all of it, by line.
        BadInput: `voice` or `speaker` is no name, or both are given.
    """
    spoken_by = _checked_flags(voice, speaker)
    if len(data) > MAX_FILE_BYTES:
        message = f"is larger than {MAX_FILE_BYTES // MIB} MiB"
        raise InvalidJobFile(name, [Problem(message, name, suggestion="make several files of it")])
    with resting_collector():
        tree = read_json(data)
        reading = _BeatsheetReading(name, tree)
        if tree.complete:
            reading.check(spoken_by)
    # Who is given beside the file does not stand in its defaults.
    lines = {
        field: line
        for field, line in default_lines(tree.root).items()
        if not spoken_by or field not in _SPOKEN_BY
    }
    read = replace(job_file(name, reading.drafts, lines), warnings=tuple(reading.warnings))
    if reading.problems:
        raise InvalidJobFile(name, sorted(reading.problems, key=lambda problem: problem.line or 0), read)
    return read


def _checked_flags(voice: str | None, speaker: str | None) -> dict[str, str]:
    """The one of the two that is given. Raises BadInput."""
    given = {name: value for name, value in (("voice", voice), ("speaker", speaker)) if value is not None}
    if len(given) > 1:
        raise BadInput("A voice and a speaker are given for the beatsheet; give one of the two.")
    for name, value in given.items():
        try:
            FIELDS[name].rule.check(value)
        except Refused as refused:
            raise BadInput(f"The {name} given for the beatsheet cannot be used: {refused.message}.") from None
    return given


class _BeatsheetReading:
    """One beatsheet while it is checked."""

    def __init__(self, name: str, tree: Tree) -> None:
        self.drafts: list[Draft] = []
        self.problems: list[Problem] = []
        self.warnings: list[Problem] = []
        self._name = name
        self._root = tree.root
        self._line = tree.line
        self._topic: str | None = None  # until it is found right
        for flaw in tree.flaws:
            beat = flaw.path[1] if len(flaw.path) > 1 and flaw.path[0] == "beats" else None
            path = flaw.path if beat is None else flaw.path[2:]
            job = self._label(beat) if isinstance(beat, int) else None
            self._add(FieldFinding(path, flaw.message, flaw.suggestion), flaw.line, job)

    def check(self, spoken_by: Mapping[str, str]) -> None:
        """Check topic, defaults and beats, each by itself and then together."""
        if not isinstance(self._root, LinedDict):
            what = f"holds {shown(self._root)}, which is no beatsheet"
            self._add(FieldFinding((), what, "write an object with topic and beats"), self._line)
            return
        for key in self._root:
            if key not in ROOT_KEYS:
                hint = (
                    "put it under defaults, or into the beats" if key in FIELDS else nearest(key, ROOT_KEYS)
                )
                self._add_at(FieldFinding((key,), "is no known key of a beatsheet", hint))
        beats = self._beats()
        self._check_topic(beats)
        defaults = check_defaults(self._root.get("defaults"))
        for finding in defaults.findings:
            self._add_at(finding)
        if "lexicon" in defaults.values:  # once, and not for each beat
            self._add_at(FieldFinding(("defaults", "lexicon"), *_NO_LEXICON))
            values = {name: value for name, value in defaults.values.items() if name != "lexicon"}
            defaults = Defaults(values, defaults.findings, defaults.broken | {"lexicon"})
        defaults = _spoken_by(self._with_own_voice(defaults), spoken_by)
        self._check_beats(beats, defaults)

    def _with_own_voice(self, defaults: Defaults) -> Defaults:
        """The defaults, with who speaks by the sheet itself; it names at most one, and in one place."""
        own = {name: self._root[name] for name in _SPOKEN_BY if self._root.get(name) is not None}
        if len(own) == len(_SPOKEN_BY):
            self._add_at(FieldFinding(("speaker",), "stands beside voice; name one of the two"))
            own.popitem()
        for name, value in own.items():
            if any(defaults.values.get(other) is not None for other in _SPOKEN_BY):
                message = "stands beside defaults that name somebody; name one of them"
                self._add_at(FieldFinding((name,), message))
            try:
                FIELDS[name].rule.check(value)
            except Refused as refused:
                self._add_at(FieldFinding((name,), refused.message, refused.suggestion))
                return Defaults(defaults.values, defaults.findings, defaults.broken | {name})
        return _spoken_by(defaults, own)

    def _beats(self) -> LinedList:
        beats = self._root.get("beats")
        if "beats" not in self._root:
            self._add(FieldFinding(("beats",), "is missing; it is the list of beats"), self._line)
        elif not isinstance(beats, LinedList):
            self._add_at(FieldFinding(("beats",), f"must be a list of beats, not {shown(beats)}"))
        elif not beats:
            self._add_at(FieldFinding(("beats",), "is empty"))
        return beats if isinstance(beats, LinedList) else LinedList(self._line)

    def _check_topic(self, beats: LinedList) -> None:
        topic = self._root.get("topic")
        if topic is None:
            line = self._root.lines.get("topic", self._line)
            self._add(
                FieldFinding(("topic",), "is missing; it names the folder of the audio, such as tides"), line
            )
            return
        try:
            if not isinstance(topic, str):
                raise Refused(f"must be text, not {shown(topic)}")
            check_output_name(topic)
            derivable = derive_request_id(topic) is not None
            if not derivable and not all(isinstance(beat, dict) and beat.get("request_id") for beat in beats):
                raise Refused(
                    f"{shown(topic)} gives no request ids; they are made of A-Z a-z 0-9 . _ ~ - and /",
                    "write it shorter or in those letters, or give each beat a request_id",
                )
            self._topic = topic
        except Refused as refused:
            self._add_at(FieldFinding(("topic",), refused.message, refused.suggestion))

    def _check_beats(self, beats: LinedList, defaults: Defaults) -> None:
        known = []
        for index, beat in enumerate(beats):
            job = _Beat(beat, index, self._topic)
            spec, findings, values = job.checked(defaults)
            known.append(values)
            self.drafts.append(draft_of(self._label(index), beats.lines[index], beat, spec, values))
            for finding in findings:
                self._add_to_beat(beats, index, finding)
            for finding in job.doubts(values):
                line = line_of(self._root, ("beats", index, *finding.path), beats.lines[index])
                label = self._label(index)
                self.warnings.append(problem_of(finding, file=self._name, line=line, job=label))
        for clash in clashes(known):
            other = f"beat {self._label(clash.other)} in line {beats.lines[clash.other]}"
            field = "id" if clash.field == "output_name" else clash.field
            self._add_to_beat(beats, clash.index, FieldFinding((field,), f"{clash.message} {other}"))

    def _add_to_beat(self, beats: LinedList, index: int, finding: FieldFinding) -> None:
        line = line_of(self._root, ("beats", index, *finding.path), beats.lines[index])
        self._add(finding, line, self._label(index))

    def _add_at(self, finding: FieldFinding) -> None:
        self._add(finding, line_of(self._root, finding.path, self._line))

    def _add(self, finding: FieldFinding, line: int, job: str | None = None) -> None:
        self.problems.append(problem_of(finding, file=self._name, line=line, job=job))

    def _label(self, index: int) -> str:
        beats = self._root.get("beats") if isinstance(self._root, dict) else None
        beat = beats[index] if isinstance(beats, list) and index < len(beats) else None
        given = beat.get("id") if isinstance(beat, dict) else None
        if isinstance(given, str) and given:
            return printable(given if len(given) <= 80 else given[:79] + "…")
        return f"number {index + 1}"


_SPOKEN_BY: Final = ("voice", "speaker")


def _spoken_by(defaults: Defaults, who: Mapping[str, str]) -> Defaults:
    """The defaults with this voice or speaker in place of whom they name; as they are where it is nobody."""
    if not who:
        return defaults
    values = {name: value for name, value in defaults.values.items() if name not in _SPOKEN_BY}
    return Defaults({**values, **who}, defaults.findings, defaults.broken.difference(_SPOKEN_BY))


class _Beat:
    """One beat on its way to a job."""

    def __init__(self, raw: Any, index: int, topic: str | None) -> None:
        self._raw = raw
        self._index = index
        self._topic = topic
        self._findings: list[FieldFinding] = []

    def checked(self, defaults: Defaults) -> tuple[JobSpec | None, list[FieldFinding], dict[str, Any]]:
        """As `check_job`; the findings name the beat's own keys."""
        if not isinstance(self._raw, dict):
            message = f"must be an object with id and text, not {shown(self._raw)}"
            return None, [FieldFinding((), message)], {}
        job = self._job()
        spec, findings, values = check_job(job, defaults, None)
        renamed = [self._in_words_of_the_beat(finding) for finding in findings]
        return (None if self._findings else spec), [*self._findings, *renamed], values

    def doubts(self, values: Mapping[str, Any]) -> list[FieldFinding]:
        """What is right and was probably not meant, in the beat's own keys."""
        return [self._in_words_of_the_beat(finding) for finding in doubts(None, values)]

    def _job(self) -> dict[str, Any]:
        """The mapping of a job. What is wrong already is noted, and BROKEN stands in its place."""
        job = {name: value for name, value in self._raw.items() if name in JOB_FIELDS}
        for name in self._raw:
            if name not in BEAT_KEYS:
                self._unknown(name)
        job["output_name"] = self._output_name()
        job["text"] = self._text()
        for name, other in (_SPOKEN_BY, _SPOKEN_BY[::-1]):
            if self._raw.get(name) is not None and other not in self._raw:
                job[other] = None  # who is named in the beat beats who speaks the others
        job["callback_data"] = self._callback_data()
        return job

    def _output_name(self) -> Any:
        given = self._raw.get("id")
        try:
            if given is None:
                raise Refused("is missing; every beat needs one, such as beat-001")
            if not isinstance(given, str):
                hint = "put quotes around it" if isinstance(given, int | float) else None
                raise Refused(f"must be text, not {shown(given)}", hint)
            if "/" in given:
                raise Refused(f"{shown(given)} holds a /; the topic may have folders, an id may not")
            check_output_name(given)
        except Refused as refused:
            self._findings.append(FieldFinding(("id",), refused.message, refused.suggestion))
            return BROKEN
        return f"{self._topic or _STAND_IN}/{given}"

    def _text(self) -> Any:
        text, narration = self._raw.get("text"), self._raw.get("narration")
        if text is not None and narration is not None:
            message = "stands beside text; exactly one of the two may be set"
            self._findings.append(FieldFinding(("narration",), message))
        elif text is None and narration is None:
            self._findings.append(FieldFinding(("text",), "is missing; write text or narration"))
            return BROKEN
        return narration if text is None else text

    def _callback_data(self) -> Any:
        given = self._raw.get("callback_data")
        if given is not None and not isinstance(given, dict):
            return given  # the field's own rule says what is wrong
        beat_id = self._raw.get("id")
        ours = {
            "topic": self._topic or BROKEN,
            "beat_id": beat_id if isinstance(beat_id, str) else BROKEN,
            "index": self._index,
        }
        for name in GIVEN_BACK:
            if given and name in given and given[name] != ours[name]:
                message = "is set by the beatsheet itself"
                self._findings.append(FieldFinding(("callback_data", name), message, "leave it away"))
        return {**(given or {}), **ours}

    def _unknown(self, name: str) -> None:
        if name == "output_name":
            finding = FieldFinding((name,), _MADE_OF, "leave it away")
        elif name == "text_file":
            finding = FieldFinding(
                (name,), "may not stand in a beat", "write its content as text or narration"
            )
        else:
            finding = FieldFinding((name,), "is no known field of a beat", nearest(name, BEAT_KEYS))
        self._findings.append(finding)

    def _in_words_of_the_beat(self, finding: FieldFinding) -> FieldFinding:
        path, message, hint = finding.path, finding.message, finding.suggestion
        if path[:1] == ("output_name",):
            path = ("id", *path[1:])
        elif path[:1] == ("text",) and self._raw.get("text") is None:
            path = ("narration", *path[1:])
        if hint is not None and "YAML" in hint:
            hint = "put quotes around it"
        elif path == ("voice",) and message.startswith("is missing") and "voice" not in self._raw:
            message = "is missing; name who speaks at the top of the sheet, in the beat, or with --voice"
        return FieldFinding(path, message, hint)
