"""Names that a caller chooses and that become paths, keys and file names: the one validator for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

from lib.jobspec.problems import Refused, shown

MAX_NAME_BYTES: Final = 512  # of any path derived from an output name
MAX_SEGMENT_BYTES: Final = 180
MAX_TAKES: Final = 16
TEXT_FILE: Final = "text.txt"
RESULT_FILE: Final = "result.json"
PEAKS_SUFFIX: Final = "peaks.json"  # of a take's waveform
CAPTION_SUFFIXES: Final = (
    "srt",
    "vtt",
    "captions.json",
)  # of its captions; a test holds them to lib.captions

REQUEST_ID_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._:~-]{0,199}$(?!\n)"
VOICE_PATTERN: Final = r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$(?!\n)"
BATCH_PATTERN: Final = r"^[A-Za-z0-9._-]{1,64}$(?!\n)"
LANGUAGE_PATTERN: Final = r"^[A-Za-z][A-Za-z-]{0,39}$(?!\n)"
#: What lies at the top of an output folder beside the jobs (lib/manifest, `execution.json`); a test holds the
#: two together. No output name begins with one, so that no job's files meet these.
KEPT_NAMES: Final = frozenset(
    {"manifest.json", "execution.json", ".job-runner", ".draft", ".compile", ".manifest.json.next"}
)
#: What a pattern can say of an output name; the byte lengths and Unicode rules need code.
OUTPUT_NAME_PATTERN: Final = (
    r"^(?!(?:.*/)?\.{1,2}(?:/|$))[^/\\:\u0000-\u001f\u007f]+(?:/[^/\\:\u0000-\u001f\u007f]+)*$(?!\n)"
)

_REQUEST_ID: Final = re.compile(REQUEST_ID_PATTERN)
# Plain names of ordinary length, nearly all there are: one match instead of the long way.
_ORDINARY: Final = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}/){0,3}[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}")
_ORDINARY_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/~-]{0,199}")
# Controls and format characters (direction marks, joiners: a name could look like another's), lone
# surrogates, line and paragraph separators.
_INVISIBLE: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
_LONGEST_SUFFIX: Final = f".take-16.{max(PEAKS_SUFFIX, *CAPTION_SUFFIXES, key=len)}"
#: Before there were captions. Names that only this left room for were accepted and are stored; with captions
#: their longest file name has 183 bytes, which file systems hold (255).
_LONGEST_STORED_SUFFIX: Final = f".take-16.{PEAKS_SUFFIX}"
_LONGEST_CHILD: Final = len("/" + RESULT_FILE)


def check_output_name(name: str, *, as_stored: bool = False) -> str:
    """Return `name` when it is a relative path that can stand for a job's files, else raise `Refused`.

    With `as_stored` one that was accepted when less was derived from it is still right.
    """
    if _ORDINARY.fullmatch(name) and name.partition("/")[0].lower() not in KEPT_NAMES:
        return name
    for complaint in _complaints(name, _LONGEST_STORED_SUFFIX if as_stored else _LONGEST_SUFFIX):
        raise Refused(complaint)
    return name


def check_request_id(request_id: str) -> str:
    """Return `request_id` when it is well formed, else raise `Refused`."""
    if not _REQUEST_ID.match(request_id):
        raise Refused(
            f"{shown(request_id)} is no request id; it is 1 to 200 of A-Z a-z 0-9 . _ : ~ - "
            "and starts with a letter or digit"
        )
    return request_id


def derive_request_id(output_name: str) -> str | None:
    """The id of a job that names none: `topic/beat-001` gives `topic:beat-001`; None when it does not fit."""
    return output_name.replace("/", ":") if _ORDINARY_ID.fullmatch(output_name) else None


def take_name(output_name: str, number: int, suffix: str) -> str:
    """`topic/beat-001.wav` for the chosen take, `topic/beat-001.take-02.wav` for the second and so on."""
    return f"{output_name}.{suffix}" if number == 1 else f"{output_name}.take-{number:02d}.{suffix}"


def titles(output_name: str) -> tuple[str, str]:
    """Title and album of a job's audio: `topic/beat-001` is `beat-001` of `topic`; the album may be ""."""
    album, _, title = output_name.rpartition("/")
    return title, album


def folder_names(output_name: str) -> Iterator[str]:
    """Every folder a job's files need: its own and those above it."""
    yield output_name
    cut = output_name.rfind("/")
    while cut > 0:
        yield output_name[:cut]
        cut = output_name.rfind("/", 0, cut)


def folded(name: str) -> str:
    """Equal for two names that a case-insensitive or normalising file system takes for one."""
    if name.isascii():
        return name.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())


def _complaints(name: str, longest_suffix: str) -> Iterator[str]:
    if not name:
        yield "is empty; write a relative name such as topic/beat-001"
    yield from _place_complaints(name)
    yield from _character_complaints(name)
    yield from _segment_complaints(name, longest_suffix)
    first = name.partition("/")[0]
    if folded(first) in KEPT_NAMES:  # whatever the file system takes for the same name
        yield f"{shown(name)} begins with {first}, which an output folder needs for itself"
    # By UTF-8 length, which is what file systems count; the characters are known to encode by now.
    if len(name.encode()) + max(_LONGEST_CHILD, len(longest_suffix)) > MAX_NAME_BYTES:
        yield (
            f"is {len(name.encode())} bytes long; with what is derived from it "
            f"(/{RESULT_FILE}, {longest_suffix}) it may be at most {MAX_NAME_BYTES}"
        )


def _place_complaints(name: str) -> Iterator[str]:
    """A name that begins as a path of some system does."""
    if re.match(r"[A-Za-z]:[\\/]", name):
        yield f"{shown(name)} begins with a drive; it is relative to the output folder"
    elif name.startswith("/"):
        yield f"{shown(name)} starts with /; it is relative to the output folder"
    elif name.startswith("./"):
        yield f"{shown(name)} begins with ./; leave that away"


def _character_complaints(name: str) -> Iterator[str]:
    for character in name:
        if unicodedata.category(character) in _INVISIBLE:
            yield f"{shown(name)} holds the invisible character U+{ord(character):04X}"
    if "\\" in name:
        instead = name.replace("\\", "/")
        yield f"{shown(name)} holds a backslash; folders are separated by /: write {shown(instead)}"
    if ":" in name:
        yield f'{shown(name)} holds a ":"; it separates the parts of request ids'
    if not unicodedata.is_normalized("NFC", name):
        yield f"{shown(name)} is not in Unicode normal form NFC: {_decomposed(name)}"


def _decomposed(name: str) -> str:
    """The first letter of `name` that is written in pieces, as macOS writes the names of files."""
    for at in range(1, len(name)):
        for pieces in (name[at], name[at - 1 : at + 1]):
            whole = unicodedata.normalize("NFC", pieces)
            if whole != pieces:
                return f"{whole} is {_points(pieces)} there; type it anew, so that it is {_points(whole)}"
    return "type it anew"


def _points(text: str) -> str:
    return " ".join(f"U+{ord(character):04X}" for character in text)


def _segment_complaints(name: str, longest_suffix: str) -> Iterator[str]:
    if name.endswith("/"):
        yield f"{shown(name)} ends with /; name a file, not a folder"
    segments = name.split("/")
    if "" in segments:
        yield f"{shown(name)} holds an empty segment (//)"
    for segment in segments:
        if segment in (".", ".."):
            yield f"{shown(name)} holds the segment {segment}; it may not lead elsewhere"
        if segment != segment.strip():
            yield f"{shown(name)} has a space at the start or end of a segment"
    allowed = MAX_SEGMENT_BYTES - len(longest_suffix)
    for segment in segments[:-1]:
        if len(segment.encode()) > MAX_SEGMENT_BYTES:
            yield (
                f"has the segment {shown(segment)} of {len(segment.encode())} bytes; "
                f"at most {MAX_SEGMENT_BYTES} are allowed"
            )
    if len(segments[-1].encode()) > allowed:
        yield (
            f"ends in the segment {shown(segments[-1])} of {len(segments[-1].encode())} bytes; "
            f"at most {allowed} leave room for {longest_suffix} within {MAX_SEGMENT_BYTES}"
        )
