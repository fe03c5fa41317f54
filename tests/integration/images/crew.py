"""Real picture workers as processes, and what they left behind."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema

from tests.integration.images.conftest import Shelf
from tests.warm.process import WarmProcess

ROOT = Path(__file__).parents[3]
_WITHIN_S = 120.0


def until(seen: Callable[[], object]) -> None:
    """Ask until it is so."""
    give_up = time.monotonic() + _WITHIN_S
    while not seen():
        assert time.monotonic() < give_up, "it did not come to that"
        time.sleep(0.01)


class Crew:
    """Workers of one shelf. They share a data folder, as those of one machine do."""

    def __init__(self, shelf: Shelf, folder: Path, **settings: str) -> None:
        self.shelf, self.folder = shelf, folder
        self.processes: list[WarmProcess] = []
        self._env = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "JOBS_DATA_DIR": str(folder / "data"),
            "IMAGEN_WORKER_DATABASE_URL": f"{shelf.url()}&application_name=painter",
            **settings,
        }

    def start(self, *words: str, module: str = "synth.image_main") -> WarmProcess:
        with (self.folder / "log").open("ab") as log:
            argv = ["image-synth", *(words or ("worker",))]
            process = WarmProcess(
                argv, f"{module}:main", cwd=self.folder, environ=self._env, out=log.fileno()
            )
        self.processes.append(process)
        return process

    def listening(self, count: int = 1) -> None:
        """Wait until so many listen."""
        asked = "SELECT count(*) FROM pg_stat_activity WHERE datname = %s AND query LIKE 'LISTEN%%'"
        until(lambda: self.shelf.execute(asked, self.shelf.database)[0][0] >= count)

    def ended(self, *ids: str) -> list[str]:
        """Wait until these rows have ended; how."""
        until(lambda: all(self.shelf.row(id)["status"] in ("done", "failed") for id in ids))
        return [self.shelf.row(id)["status"] for id in ids]

    def objects(self) -> dict[str, str]:
        """The hash of each object in the store, by its path."""
        root = self.folder / "data" / "storage" / "imagen-generated"
        return {
            str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in root.rglob("*.png")
        }

    def log(self) -> str:
        return (self.folder / "log").read_text()

    def lines(self, schema: str) -> list[dict[str, Any]]:
        """What was printed as JSON, held against its schema."""
        path = ROOT / "docs/reference/json" / f"{schema}.json"
        validator = jsonschema.Draft202012Validator(json.loads(path.read_text(encoding="utf-8")))
        text, found, at = self.log(), [], 0
        decoder = json.JSONDecoder()
        while (at := text.find("{", at)) >= 0:
            value, at = decoder.raw_decode(text, at)
            validator.validate(value)
            found.append(value)
        return found

    def dismiss(self) -> list[int]:
        """SIGTERM to all; how each ended."""
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        return [process.wait(_WITHIN_S) for process in self.processes]

    def end(self) -> None:
        """Whatever still runs goes."""
        for process in self.processes:
            process.kill()
            process.wait()
