"""Puts a voice into a registry's folder: whole, or not at all.

A folder is a voice once its `voice.yaml` stands there. So the recording is written first, under a name that
its hash gives it, and the file that names it last: who reads meanwhile finds the old voice or the new one,
and what a killed `add` leaves is a folder that is no voice, or a recording that none names.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration, BadInput
from lib.files import alone_in, sweep_drafts, sync_folder, write_whole
from lib.voices.errors import InvalidVoice, quoted
from lib.voices.flatyaml import NotFlat, read_flat
from lib.voices.voice_design import one_line
from lib.voices.voice_fields import MAX_AUDIO_BYTES, NAME_PATTERN
from lib.voices.voicefile import FILE_NAME, Voice, examine_values, load_voice

#: What recordings are called that were added, or sent to a machine.
OURS: Final = re.compile(r"recording-[0-9a-f]{16}\.[a-z0-9]{1,5}")


@dataclass(frozen=True, slots=True)
class NewRecording:
    """The bytes of an audio file, what is said in it, and how such a file's name ends (`wav`)."""

    data: bytes
    text: str
    suffix: str

    @property
    def sha256(self) -> str:
        """Of the bytes, in hexadecimal digits."""
        return hashlib.sha256(self.data).hexdigest()

    @property
    def file_name(self) -> str:
        """Given by the bytes, so that a new recording never takes the place of an old one."""
        return f"recording-{self.sha256[:16]}.{self.suffix}"


@dataclass(frozen=True, slots=True)
class NewVoice:
    """What `voice.yaml` will say; exactly one of `builtin`, `recording` and `design` is set."""

    name: str
    engine: str
    language: str
    licence: str
    consent: str
    description: str = ""
    builtin: str | None = None
    recording: NewRecording | None = None
    design: str | None = None

    def fields(self) -> dict[str, str]:
        """As `voice.yaml` has them, in its order."""
        fields = {"name": self.name, "engine": self.engine, "language": self.language}
        if self.description:
            fields["description"] = self.description
        if self.builtin is not None:
            fields["builtin"] = self.builtin
        if self.design is not None:
            fields["design"] = one_line(self.design)
        if self.recording is not None:
            fields["reference_audio"] = self.recording.file_name
            fields["reference_text"] = self.recording.text
            fields["sha256"] = self.recording.sha256
        fields["licence"] = self.licence
        if self.design is None or self.consent:
            fields["consent"] = self.consent
        return fields


def add_voice(registry: Path, new: NewVoice, *, replace: bool = False) -> Voice:
    """Write the voice into `registry`, which is made when missing, and read it back.

    Raises:
        BadInput: the name cannot be one, or a voice of that name is there and `replace` is not given.
        InvalidVoice: a rule of voices is broken; nothing was written.
        BadConfiguration: the folder cannot be written.
    """
    if not NAME_PATTERN.fullmatch(new.name):
        raise BadInput(
            f"{quoted(new.name)} is no name of a voice: letters, digits, '.', '_' and '-', 64 at most."
        )
    if new.recording is not None and len(new.recording.data) > MAX_AUDIO_BYTES:
        raise BadInput(f"The recording is over {MAX_AUDIO_BYTES} bytes; 3 to 15 seconds are enough.")
    try:
        registry.mkdir(parents=True, exist_ok=True)
        with alone_in(registry):
            return _written(registry / new.name, new, replace=replace)
    except OSError as error:
        raise BadConfiguration(f"The voice cannot be written into {registry}: {error.strerror}.") from None


def _written(folder: Path, new: NewVoice, *, replace: bool) -> Voice:
    path = folder / FILE_NAME
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise BadInput(f"{folder} is there and is no folder of a voice; take another name, or remove it.")
    if not replace and (path.exists() or path.is_symlink()):
        raise BadInput(
            f"There is a voice {quoted(new.name)} already ({path}); give --replace, or another name."
        )
    made = not folder.exists()
    folder.mkdir(exist_ok=True)
    sweep_drafts(folder)
    before = _recordings(folder)
    try:
        if new.recording is not None:
            write_whole(folder / new.recording.file_name, new.recording.data, sync=True)
        write_whole(path, _checked(path, new), sync=True)
        sync_folder(folder.parent)
    except BaseException:
        _remove(folder, _recordings(folder) - before)
        if made:
            with contextlib.suppress(OSError):  # the error in the block is the news
                folder.rmdir()
        raise
    _remove(folder, before - {new.recording.file_name if new.recording else ""})
    return load_voice(folder)


def voice_yaml(new: NewVoice) -> bytes:
    """The bytes of its file, in UTF-8."""
    import yaml

    return yaml.safe_dump(new.fields(), sort_keys=False, allow_unicode=True, width=100).encode()


def _checked(path: Path, new: NewVoice) -> bytes:
    """The file's bytes, which every reader of voices accepts. Raises InvalidVoice."""
    data = voice_yaml(new)
    try:
        read = read_flat(data)
    except NotFlat:  # half a pair of surrogates: an argument that is no UTF-8
        raise InvalidVoice(f"{path}: cannot be written: one of its texts is no UTF-8.") from None
    examined = examine_values(path, read)
    if examined.voice is None:
        raise examined.problems[0]
    return data


def _recordings(folder: Path) -> set[str]:
    """The names of those that were added here; what somebody else put there is theirs."""
    return {child.name for child in folder.iterdir() if OURS.fullmatch(child.name)}


def _remove(folder: Path, names: set[str]) -> None:
    for name in names:
        with contextlib.suppress(OSError):  # it is named by nothing any more
            (folder / name).unlink()
