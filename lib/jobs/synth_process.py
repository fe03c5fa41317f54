"""A command of `synth` as a process of ours: it needs packages that this program does without."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Sequence
from typing import Any

from lib.child import exit_sentence
from lib.errors import JobFailed
from lib.foreign import parse_json

_GRACE_S = 30.0  # to remove what it was writing


def run_synth(
    words: Sequence[str], *, doing: str, module: str = "synth.main", within_s: float | None = None
) -> tuple[int, dict[str, Any]]:
    """Run it to its end; returns its exit status and its JSON: what it made, or the error.

    It tells people itself, on our stderr. It ends with us, however we end, and leaves no file half written.
    `doing` begins the sentence where it was killed. `module` is the program's: `synth.main` is `voice-synth`.
    `within_s` is how long it may take, in seconds, before it is ended; None: as long as it likes.

    Raises:
        JobFailed: it was ended by a signal.
        KeyboardInterrupt: we were interrupted, and so was it.
    """
    # -P: a file of the user's folder must not stand in for a module of ours
    argv = [sys.executable, "-P", "-m", module, *words]
    process = subprocess.Popen(
        [*argv, "--exit-with-parent", "--json"],
        stdin=subprocess.PIPE,  # its lifeline: nobody writes to it
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C reaches only us, so that it is asked to end once
    )
    assert process.stdout is not None
    assert process.stdin is not None
    patience = None if within_s is None else threading.Timer(within_s, process.kill)
    if patience is not None:
        patience.start()
    try:
        answer = process.stdout.read()
        status = process.wait()
    except BaseException:
        _end(process)
        raise
    finally:
        if patience is not None:
            patience.cancel()
        process.stdin.close()
        process.stdout.close()
    if status < 0:
        raise JobFailed(f"{doing} ended with {exit_sentence(status)}; nothing was written. Try it again.")
    return status, _read(answer)


def _read(answer: bytes) -> dict[str, Any]:
    value: dict[str, Any] = parse_json(answer) if answer.strip() else {}
    return value


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
