"""What is wrong with a job or a file of jobs, as sentences that name the place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from lib.errors import BadInput
from lib.jobspec.lookalikes import stripped
from lib.jobspec.synonyms import MEANINGS

_SHOWN_CHARACTERS = 60
_COMPARED_CHARACTERS = 64
_CLOSE = 0.75  # of 1; at 0.6 "id" is "kind", "pitch" is "width" and "file" is "profile"
_SHORTEST_PART = 3  # letters; "so" is the start of too much
_MOST_MEANT = 2

NO_FIELD = "is no known field"


class Broken:
    """Stands in a tree for a value whose problem has been reported already; no rule looks at it."""

    def __repr__(self) -> str:
        return "<broken>"


BROKEN = Broken()


class Refused(Exception):
    """A rule said no to one value. Internal: callers add the place and make a `Problem` of it."""

    def __init__(self, message: str, suggestion: str | None = None, path: tuple[str | int, ...] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.suggestion = suggestion
        self.path = path
        self.others: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldFinding:
    """A problem of one job before its file and line are known. `path` leads from the job to the value."""

    path: tuple[str | int, ...]
    message: str
    suggestion: str | None = None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing to mend. `str()` gives `file:line: job NAME: field: message; suggestion`.

    Fields that are not known are None: a job given by a program has no file, a broken file no job.
    """

    message: str
    file: str | None = None
    line: int | None = None  # from 1
    job: str | None = None  # its request id, else its output name, else "number 3"
    field: str | None = None  # dotted below the first level: callback_data.scene.index
    suggestion: str | None = None

    def __str__(self) -> str:
        parts = []
        if self.file is not None:
            parts.append(self.file if self.line is None else f"{self.file}:{self.line}")
        if self.job is not None:
            parts.append(f"job {self.job}")
        if self.field is not None:
            parts.append(self.field)
        parts.append(self.message if self.suggestion is None else f"{self.message}; {self.suggestion}")
        return ": ".join(parts)

    def to_json(self) -> dict[str, str | int | None]:
        """The same as a JSON object with the keys file, line, job, field, message, suggestion."""
        return {
            "file": self.file,
            "line": self.line,
            "job": self.job,
            "field": self.field,
            "message": self.message,
            "suggestion": self.suggestion,
        }


class InvalidJobSpec(BadInput):
    """One job breaks rules. `problems` holds all of them."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


def shown(value: object) -> str:
    """Write a value for an error: short, on one line, with nothing a terminal would act on."""
    if isinstance(value, str):
        cut = value if len(value) <= _SHOWN_CHARACTERS else value[: _SHOWN_CHARACTERS - 1] + "…"
        return f'"{printable(cut)}"'
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, date):
        return f"the date {value.isoformat()}"
    if isinstance(value, int | float):
        return _number_shown(value)
    if isinstance(value, list | tuple):
        return "a list"
    return "a mapping" if hasattr(value, "items") else f"a {type(value).__name__}"


def printable(text: str) -> str:
    """Replace what does not print (controls, lone surrogates, direction marks) by its escape."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode("ascii")
        for character in text
    )


def _number_shown(value: int | float) -> str:
    if isinstance(value, int) and value.bit_length() > 128:
        return "a number of more than 38 digits"
    return repr(value)


@lru_cache(maxsize=1024)
def nearest(word: str, known: tuple[str, ...]) -> str | None:
    """Suggest the known word that was probably meant, as `did you mean "voice"?`, or None.

    What a word means counts before how it is spelled; a spelling must be close, for a wrong guess misleads.
    """
    lowered = stripped(word[:_COMPARED_CHARACTERS]).lower().replace("-", "_").replace(" ", "_")
    found = [meant for meant in MEANINGS.get(lowered, ()) if meant in known and lowered not in known]
    if not found:
        found = _spelled_like(lowered, known)
    if not found:
        return None
    named = " or ".join(f'"{name}"' for name in found[:_MOST_MEANT])
    return f"did you mean {named}?"


def _spelled_like(word: str, known: tuple[str, ...]) -> list[str]:
    import difflib  # only a wrong file pays for it

    close = difflib.get_close_matches(word, known, n=1, cutoff=_CLOSE)
    if close or len(word) < _SHORTEST_PART:
        return close
    return [name for name in known if name.startswith(word) or _is_part(word, name) or _is_part(name, word)][
        :1
    ]


def _is_part(word: str, name: str) -> bool:
    """Whether `word` is one of the words that `name` is joined of."""
    return word in name.split("_")
