"""A text that a person mends at its open gate: written whole where it lies; a decision is then about that."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lib.errors import BadInput, TryAgain
from lib.files import NotPlain, open_below, write_below
from lib.pipeline.failures import SeenSomethingElse
from lib.pipeline.gates import look_again, note_files, open_gate
from lib.pipeline.ledger import PipelineLedger, Transaction
from lib.pipeline.model import Artifact
from lib.pipeline.rejected_texts import is_text
from lib.pipeline.run_transitions import Board
from lib.pipeline.views import get_job_status

#: Bytes of a text that is mended here.
LONGEST_EDITED: Final = 1 << 20


class UnknownText(BadInput):
    """The stage made no text of that name."""


@dataclass(frozen=True, slots=True)
class EditedText:
    """A file as it is now. `seen` is the digest that a decision is about from now on."""

    path: str
    sha256: str
    size: int
    seen: str


def edit_text(
    ledger: PipelineLedger, run: str, stage: str, path: str, text: str, *, folder: Path, seen: str
) -> EditedText:
    """Write a text of a stage that waits at its gate, in the run's `folder`.

    `seen` is the digest that the text was mended on. The file is written while nobody can decide.

    Raises:
        UnknownRun, UnknownStage, UnknownText: there is none.
        WrongState, AlreadyDecided: the stage waits for nobody, or not any more.
        SeenSomethingElse: what it made has changed since, in the ledger or where it lies; none was written.
        BadInput: the text is too long, or no text.
        TryAgain: it does not lie on this computer, or cannot be written there.
    """
    data = _bytes_of(path, text)
    found = next((each for each in get_job_status(ledger, run).artifacts if each.path == path), None)
    if found is None or found.task != stage or not is_text(found) or found.placeholder:
        raise UnknownText(f"{stage} of {run} has no text {path[:200]!r} that could be mended")
    _check_place(ledger, run, found, folder)
    now = replace(found, sha256=hashlib.sha256(data).hexdigest(), size=len(data), measures={})

    def step(board: Board, transaction: Transaction) -> EditedText:
        gate = open_gate(transaction, board, stage)
        if gate.seen != seen:
            raise _changed(path, run)
        if now.sha256 == found.sha256:
            return EditedText(path, found.sha256, found.size, seen)
        try:
            write_below(folder, path, data)
        except OSError as error:
            raise TryAgain(
                f"{path} of {run} could not be written: {error.strerror}; it is as it was"
            ) from None
        return EditedText(path, now.sha256, now.size, note_files(transaction, board, gate, [now]))

    return ledger.change_run(run, step)


def _bytes_of(path: str, text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError:
        raise BadInput(f"what {path[:200]!r} is to say has half of a character") from None
    if len(data) > LONGEST_EDITED:
        raise BadInput(f"what {path[:200]!r} is to say is longer than {LONGEST_EDITED >> 20} MiB")
    if "\0" in text:
        raise BadInput(f"what {path[:200]!r} is to say has a NUL, which no text has")
    return data


def _check_place(ledger: PipelineLedger, run: str, known: Artifact, folder: Path) -> None:
    """Make sure that the file lies here as the ledger has it: else somebody else's words would be lost."""
    try:
        with open(open_below(folder, known.path), "rb") as file:
            size, sha256 = os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()
    except NotPlain:
        raise TryAgain(f"{known.path} of {run} is no plain file where the console is") from None
    except OSError:
        raise TryAgain(
            f"{known.path} of {run} cannot be read where the console is; it may lie on another computer"
        ) from None
    if sha256 != known.sha256:
        look_again(ledger, run, known.task, [replace(known, size=size, sha256=sha256)])
        raise _changed(known.path, run)


def _changed(path: str, run: str) -> SeenSomethingElse:
    return SeenSomethingElse(f"{path} of {run} has changed since you looked; look again, then mend it")
