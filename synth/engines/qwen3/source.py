"""Where checkpoints come from: the folder in QWEN_MODEL, or hub ids that the user named there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from lib.errors import BadConfiguration
from lib.voices import HubId, engine_facts, hub_ids
from synth.engines.qwen3.checkpoints import Checkpoint, find_checkpoint
from synth.engines.qwen3.hub import check_not_refused, fetch, is_whole


class ModelSource:
    """Checkpoints by name, from what QWEN_MODEL says: a folder, or hub ids with commas between."""

    def __init__(self, setting: str, kept_in: str = "") -> None:
        self._setting, self._kept_in = setting.strip(), kept_in

    @property
    def kept_in(self) -> Path:
        """Where downloads are kept."""
        return Path(self._kept_in)

    def first_of(self, names: Iterable[str]) -> str:
        """The first of `names` that is there, or was named; else the first. Raises BadConfiguration."""
        wanted = list(names)
        return next(iter(self.present(wanted)), wanted[0])

    def present(self, names: Sequence[str]) -> list[str]:
        """Those of `names` that are there, or were named by a hub id, whole or not.

        Raises:
            BadConfiguration: the setting is wrong, or is the folder of a checkpoint that is none of them.
        """
        ids = self._ids()
        if ids:
            return [name for name in names if name in ids]
        folder = self._folder()
        inside = [name for name in names if (folder / name).is_dir()]
        if inside or not (folder / "config.json").is_file():
            return inside
        for name in names:
            try:
                return [find_checkpoint(folder, name).name]
            except BadConfiguration as error:
                refused = error
        raise refused

    def is_pending(self, name: str) -> bool:
        """Whether the checkpoint `name` is of the hub, and not downloaded yet."""
        found = self._ids().get(name)
        return found is not None and not is_whole(self._kept(found))

    def checkpoint(self, name: str, stopped: Callable[[], bool] = lambda: False) -> Checkpoint:
        """The checkpoint `name`, checked; one of the hub is downloaded once, until `stopped` says so.

        Raises:
            BadConfiguration: it is not there, incomplete, or of another kind.
            lib.errors.Unavailable: the hub does not answer.
            LoadStopped: the download was stopped.
        """
        ids = self._ids()
        if not ids:
            return find_checkpoint(self._folder(), name)
        if name not in ids:
            raise BadConfiguration(
                f"The jobs need {name}, and QWEN_MODEL names {', '.join(ids)}; add owner/{name}@COMMIT to it."
            )
        found = ids[name]
        if not self._kept_in:
            raise BadConfiguration("QWEN_MODEL names a hub id, and there is no folder to keep downloads in.")
        return find_checkpoint(fetch(found.repository, found.commit, self._kept(found), stopped), name)

    def check_not_refused(self, name: str) -> None:
        """Pass a pending one that may be downloaded. Raises BadConfiguration: it came wrong before."""
        found = self._ids()[name]
        check_not_refused(found.repository, found.commit, self._kept(found))

    def _kept(self, found: HubId) -> Path:
        return self.kept_in / f"{found.name}@{found.commit}"

    def _folder(self) -> Path:
        if not self._setting:
            raise BadConfiguration(
                "The engine qwen3 needs QWEN_MODEL: the folder that holds its checkpoints, such as "
                "Qwen3-TTS-12Hz-1.7B-CustomVoice; see docs/how-to/qwen-on-a-gpu.md."
            )
        folder = Path(self._setting).expanduser()
        if not folder.is_dir():
            raise BadConfiguration(
                f"QWEN_MODEL is {self._setting}, which is neither a folder nor a hub id like "
                "Qwen/Qwen3-TTS-12Hz-1.7B-CustomVoice@COMMIT."
            )
        return folder

    def _ids(self) -> dict[str, HubId]:
        """Hub ids by checkpoint; empty where the setting is a folder (or nothing)."""
        if not self._setting or Path(self._setting).expanduser().is_dir():
            return {}
        return hub_ids(self._setting, engine_facts("qwen3").model_names, "QWEN_MODEL")
