"""The watcher's side of a spool."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from lib.records import FileRef
from lib.spool import layout
from lib.spool.errors import InvalidSpoolData
from lib.spool.files import Files
from lib.spool.layout import entry_of, is_entry, is_file_name, job_path
from lib.spool.model import Heartbeat, Phase, SpoolJob, SpoolResult
from lib.spool.pieces import key_of, piece_name
from lib.spool.uploads import UploadOrder, orders_to_bytes

_PHASES: Final = (Phase.INBOX, Phase.WORK, Phase.OUTBOX)


class SpoolClient:
    """Hands jobs to a worker and takes its results, over any `Files`.

    Every call is safe to repeat, so a watcher that died and came back may simply do it all again. What the
    worker wrote is not trusted: sizes are bounded, names checked, hashes compared, no path in it followed.
    """

    def __init__(self, files: Files, *, remote: bool = False, machine: str = "") -> None:
        self._files = files
        self.remote = remote  # its files come over a network: the worker had better upload them itself
        self.machine = machine  # whose network that is

    def submit(self, job: SpoolJob) -> str:
        """Lay the job into the inbox, unless this lease of it is there already; returns its entry.

        Raises:
            InvalidSpoolData: the job file would be over the format's bound.
        """
        entry = job.entry
        data = job.to_bytes()
        if len(data) > layout.MAX_JOB_BYTES:
            raise InvalidSpoolData(f"The job {job.request_id} is over {layout.MAX_JOB_BYTES} bytes.")
        self._files.write(job_path(layout.INBOX, entry), data, unless=_places(entry))
        self._files.ring(layout.WORKER_BELL)
        return entry

    def bring_voice(self, name: str, recording: tuple[str, bytes] | None, voice_yaml: bytes) -> None:
        """Put a voice where the worker looks for voices; `recording` is its file's name and bytes.

        One of that name that lies there already is not sent again: its name is its hash. Others of the voice
        are removed: what it was cloned from before is nobody's to keep.

        Raises:
            ValueError: `name` cannot be one of a voice.
        """
        folder, kept = _voice_folder(name), {layout.VOICE_FILE}
        if recording is not None:
            file, data = recording
            kept.add(file)
            self._files.write(f"{folder}/{file}", data, unless=[f"{folder}/{file}"])
        self._files.write(f"{folder}/{layout.VOICE_FILE}", voice_yaml)
        for other in self._files.list(folder):
            if other not in kept and is_file_name(other):  # not what is on its way there
                self._files.remove_tree(f"{folder}/{other}")

    def voices(self) -> list[str]:
        """The names of voices that were brought and lie there."""
        return [name for name in self._files.list(layout.VOICES) if is_file_name(name)]

    def voice_files(self, name: str) -> list[str]:
        """The files of a voice there; none where it is not there. Raises ValueError, as `bring_voice`."""
        return [file for file in self._files.list(_voice_folder(name)) if is_file_name(file)]

    def voice_yaml(self, name: str) -> bytes | None:
        """The bytes of its `voice.yaml`, of which a sent one has few; None where there is none.

        Raises:
            ValueError: as `bring_voice`.
        """
        try:
            return self._files.read(f"{_voice_folder(name)}/{layout.VOICE_FILE}", layout.MAX_HEARTBEAT_BYTES)
        except FileNotFoundError:
            return None
        except InvalidSpoolData:  # too large for one that was sent, or no file at all
            return b""

    def pieces(self, digest: str) -> list[str]:
        """The keys of the pieces that lie there of the job of that `job_digest`, in order."""
        return sorted(filter(None, map(key_of, self._files.list(f"{layout.PIECES}/{digest}"))))

    def fetch_piece(self, digest: str, key: str, local: Path, most: int) -> None:
        """Copy a piece of at most `most` bytes to `local`; nothing of it was looked at.

        Raises:
            InvalidSpoolData: it is gone, no plain file, or longer.
        """
        try:
            self._files.fetch(f"{layout.PIECES}/{digest}/{piece_name(key)}", local, most)
        except FileNotFoundError:
            raise InvalidSpoolData("The piece is gone.") from None

    def bring_piece(self, digest: str, key: str, data: bytes) -> None:
        """Put a piece where the worker looks for those of that job."""
        self._files.write(f"{layout.PIECES}/{digest}/{piece_name(key)}", data)

    def remove_voice(self, name: str, recordings: Sequence[str], *, whole: bool) -> None:
        """Remove these files of a voice, and where it is `whole` first what names them.

        Its folder goes where nothing else lies in it.

        Raises:
            ValueError: as `bring_voice`.
        """
        folder = _voice_folder(name)
        for file in ([layout.VOICE_FILE] if whole else []) + [*recordings]:
            self._files.remove_tree(f"{folder}/{file}")
        if not self._files.list(folder):
            self._files.remove_tree(folder)

    def entries(self) -> dict[str, Phase]:
        """Every entry and where it lies. One seen twice while it moves counts as the further one."""
        found: dict[str, Phase] = {}
        listing = self._files.scan(layout.ON_THE_WAY)
        for phase in (Phase.INBOX, Phase.WORK):
            for name in listing[phase.value]:
                entry = entry_of(name)
                if entry is not None:
                    found[entry] = phase
        found.update((name, Phase.OUTBOX) for name in listing[layout.OUTBOX] if is_entry(name))
        return found

    def phase(self, entry: str) -> Phase | None:
        """Where one entry lies; None where it lies nowhere."""
        _check(entry)
        found = self._files.present(_places(entry))  # one seen twice while it moves counts as the further one
        return None if not found else _PHASES[_places(entry).index(found[-1])]

    def fingerprint(self, entry: str, phase: Phase) -> str:
        """Which work an entry is, as its job file or its result says.

        Raises:
            InvalidSpoolData: it cannot be read, does not lie where `phase` says, or does not say.
        """
        _check(entry)
        found = self.result(entry) if phase is Phase.OUTBOX else self._job(entry, phase)
        if found is None:
            raise InvalidSpoolData(f"The entry {entry} is not where it was a moment ago.")
        if not found.fingerprint:  # the worker could not read the job file
            raise InvalidSpoolData(f"The entry {entry} does not say which work it is.")
        return found.fingerprint

    def _job(self, entry: str, phase: Phase) -> SpoolJob | None:
        try:
            return SpoolJob.from_bytes(self._files.read(job_path(phase.value, entry), layout.MAX_JOB_BYTES))
        except FileNotFoundError:
            return None

    def finished(self) -> list[str]:
        """Entries whose results wait in the outbox, in no order."""
        return [name for name in self._files.list(layout.OUTBOX) if is_entry(name)]

    def result(self, entry: str) -> SpoolResult | None:
        """The result of `entry`; None while there is none.

        Raises:
            InvalidSpoolData: the worker wrote something else, or a result of another job.
        """
        _check(entry)
        try:
            data = self._files.read(f"{layout.OUTBOX}/{entry}/{layout.RESULT}", layout.MAX_RESULT_BYTES)
        except FileNotFoundError:
            return None
        result = SpoolResult.from_bytes(data)
        if result.entry != entry:
            raise InvalidSpoolData(f"The worker's result in {entry} belongs to another job or lease.")
        return result

    def fetch(self, entry: str, file: FileRef, local: Path) -> None:
        """Copy one file of a result to `local` and verify it; on failure `local` does not exist.

        Raises:
            InvalidSpoolData: missing, or its size or hash differ from the result's.
        """
        _check(entry)
        if not layout.is_file_name(file.file):
            raise InvalidSpoolData(f"The worker's result in {entry} names a file that is no plain name.")
        try:
            self._files.fetch(f"{layout.OUTBOX}/{entry}/{file.file}", local, file.bytes)
            _verify(entry, file, local)
        except FileNotFoundError:
            local.unlink(missing_ok=True)
            raise InvalidSpoolData(f"The worker's result in {entry} lacks its file {file.file}.") from None
        except BaseException:
            local.unlink(missing_ok=True)
            raise

    def acknowledge(self, entry: str) -> None:
        """Remove the result and all that is left of `entry`: it has been stored elsewhere."""
        _check(entry)
        self._files.remove_tree(f"{layout.CANCEL}/{entry}")
        self._files.remove_tree(f"{layout.OUTBOX}/{entry}")

    def order_uploads(self, entry: str, orders: Sequence[UploadOrder]) -> None:
        """Ask the worker to upload files of a result. What it makes of it, `uploaded` says."""
        _check(entry)
        self._files.write(layout.order_path(entry), orders_to_bytes(entry, orders))
        self._files.ring(layout.WORKER_BELL)

    def uploaded(self, entry: str) -> bool:
        """Whether the worker has done what it could of that order; not, that it succeeded."""
        _check(entry)
        return bool(self._files.present([layout.uploads_end_path(entry)]))

    def forget_uploads(self, entry: str) -> None:
        """Remove the order, which holds URLs, and the word of its end."""
        _check(entry)
        self._files.remove_tree(layout.order_path(entry))
        self._files.remove_tree(layout.uploads_end_path(entry))

    def cancel(self, entry: str) -> None:
        """Ask that `entry` be given up; it ends as a result of class `canceled`, or as done if it was."""
        _check(entry)
        self._files.write(f"{layout.CANCEL}/{entry}", b"")
        self._files.ring(layout.WORKER_BELL)

    def withdraw(self, entry: str) -> bool:
        """Take `entry` back out of the inbox; False when a worker has begun it, or it is not there."""
        _check(entry)
        away = f"{layout.TMP}/withdrawn.{entry}"
        try:
            self._files.rename(job_path(layout.INBOX, entry), away)
        except FileNotFoundError:
            return False
        self._files.remove_tree(away)
        return True

    def heartbeat(self) -> Heartbeat | None:
        """The worker's last sign of life; None before the first.

        Raises:
            InvalidSpoolData: it breaks the format.
        """
        try:
            return Heartbeat.from_bytes(self._files.read(layout.HEARTBEAT, layout.MAX_HEARTBEAT_BYTES))
        except FileNotFoundError:
            return None

    def wait(self, timeout_s: float) -> None:
        """Return when a result may have come, or after `timeout_s` seconds, or earlier (first: at once)."""
        self._files.wait(layout.CLIENT_BELL, timeout_s)

    def listen(self) -> int | None:
        """A descriptor that is readable when a result may have come, until `heard`; None where there is none.

        For a caller that waits for several spools at once. Listen first, then look.
        """
        return self._files.listen(layout.CLIENT_BELL)

    def heard(self) -> None:
        """Make the descriptor of `listen` unreadable until the next ring. Then look."""
        self._files.heard(layout.CLIENT_BELL)

    def wake(self) -> None:
        """End a `wait` that goes on in another thread."""
        self._files.ring(layout.CLIENT_BELL)


def _places(entry: str) -> tuple[str, ...]:
    """Where an entry may lie, in the order it travels."""
    return job_path(layout.INBOX, entry), job_path(layout.WORK, entry), f"{layout.OUTBOX}/{entry}"


def _check(entry: str) -> None:
    if not is_entry(entry):
        raise InvalidSpoolData(f"{entry[:80]!r} is no entry of a spool.")


def _verify(entry: str, file: FileRef, local: Path) -> None:
    size = local.stat().st_size
    if size != file.bytes:
        raise InvalidSpoolData(
            f"The worker's file {file.file} in {entry} has {size} bytes where its result says {file.bytes}."
        )
    with local.open("rb") as opened:
        digest = hashlib.file_digest(opened, "sha256").hexdigest()
    if digest != file.sha256:
        raise InvalidSpoolData(
            f"The worker's file {file.file} in {entry} has another sha256 than its result."
        )


def _voice_folder(name: str) -> str:
    if not is_file_name(name):
        raise ValueError(f"no name of a voice: {name!r}")
    return f"{layout.VOICES}/{name}"
