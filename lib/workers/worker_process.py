"""A resident worker as a child process of ours."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from lib.child import ChildProcess, exit_sentence
from lib.clock import Clock
from lib.workers.worker_death import WorkerDeath

#: What a worker may know of our environment.
_PASSED_ON = (
    *("PATH", "HOME", "LANG", "LC_ALL", "TMPDIR", "PYTHONPATH", "VIRTUAL_ENV"),
    *("XDG_DATA_HOME", "JOBS_DATA_DIR", "STATE_DIRECTORY"),  # where weights are kept that it downloads
    *("QWEN_MODEL", "QWEN_DEVICE", "QWEN_BATCH", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH"),
    *("VERIFY", "VERIFY_MODEL"),
    *("IMAGEN_BACKENDS_FILE", "FLUX_MODEL", "FLUX_DEVICE", "CARD_FONTS", "REPLICATE_URL"),
    # The one secret, in each of its forms: this worker itself orders there, and runs on this computer alone.
    *("REPLICATE_API_TOKEN", "REPLICATE_API_TOKEN_FILE", "CREDENTIALS_DIRECTORY", "XDG_CONFIG_HOME"),
)
_FIRST_PAUSE = 0.25  # seconds before a restart; doubled by each death that follows soon
_LONGEST_PAUSE = 30.0
_SETTLED_AFTER = 20.0  # a worker that lived this long is no part of a crash loop


class WorkerProcess:
    """Keeps one `voice-synth work` alive, with growing pauses when it keeps dying.

    Threads: one at a time: the loop's, then the one that stops it.
    Raises: OSError from `tend`, where the machine starts no process; the others nothing.
    """

    def __init__(
        self, argv: Sequence[str], *, log: Path, clock: Clock, environ: Mapping[str, str] | None = None
    ) -> None:
        self._argv, self._log, self._clock, self._environ = list(argv), log, clock, environ
        self._child: ChildProcess | None = None
        self._started = 0.0
        self._pause = 0.0
        self._not_before = 0.0

    @classmethod
    def of_spool(
        cls,
        spool: Path,
        *,
        voices_dir: Path,
        engine: str,
        log: Path,
        clock: Clock,
        grace: float,
        pauses: str | None = None,
        environ: Mapping[str, str] | None = None,
    ) -> WorkerProcess:
        """`voice-synth work` on `spool`; when we are gone, the job at hand gets `grace` more seconds.

        It sees of our environment what a worker may know, and `environ`.
        """
        # -P: a file of the user's folder must not stand in for a module of ours
        argv = [sys.executable, "-P", "-m", "synth.main", "work", "--spool", str(spool)]
        argv += ["--voices-dir", str(voices_dir), "--engine", engine]
        argv += [] if pauses is None else ["--pauses", pauses]
        argv += ["--grace", str(grace), "--exit-with-parent"]
        ours = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        return cls(argv, log=log, clock=clock, environ={**ours, **(environ or {})})

    def tend(self) -> WorkerDeath | None:
        """Start the process when none runs and the pause is over; report a death once."""
        now = self._clock.monotonic()
        if self._child is None:
            if now >= self._not_before:
                self._child = ChildProcess(self._argv, log=self._log, environ=self._environ)
                self._started = now
            return None
        status = self._child.poll()
        if status is None:
            return None
        death = WorkerDeath(status, exit_sentence(status), tuple(self._child.log_tail()))
        self._child = None
        settled = now - self._started >= _SETTLED_AFTER
        self._pause = _FIRST_PAUSE if settled else min(max(self._pause * 2, _FIRST_PAUSE), _LONGEST_PAUSE)
        self._not_before = now + self._pause
        return death

    def restart(self) -> None:
        """Kill the process; the next `tend` starts another without a pause."""
        self.stop(grace=0.0)
        self._not_before = 0.0

    def stop(self, grace: float) -> None:
        """SIGTERM, wait, SIGKILL."""
        if self._child is not None:
            self._child.stop(grace)
            self._child = None

    @property
    def pid(self) -> int | None:
        """The worker's process id while it runs."""
        return None if self._child is None else self._child.pid
