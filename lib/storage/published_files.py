"""The published files of a done job: made by whoever gets jobs done, read by every command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from lib.records import FileRef, Made
from lib.storage.port import ArtifactMismatch, Claim, NotStored, Published, Storage, StoredArtifact


@dataclass(frozen=True, slots=True)
class PublishedTakes:
    """Where takes can be played, the chosen one first; "" for one that is gone.

    `rival` is the newer job that owns the name of one of them, which was not touched then. `trouble` says
    why one could not be published, "" where all could.
    """

    files: tuple[str, ...]
    rival: Claim | None = None
    trouble: str = ""


def output_name_of(takes: Sequence[Made]) -> str:
    """The output name of a done job, by the published name of its chosen take."""
    return takes[0].main.file.rpartition(".")[0]


def files_by_path(takes: Iterable[Made]) -> dict[str, StoredArtifact]:
    """Every file of the takes by its published name, the audio first.

    Raises:
        NotStored: a record names no place in a store.
    """
    return {file.file: StoredArtifact.of(file) for file in _files(takes)}


def publish_takes(
    storage: Storage,
    claim: Claim,
    takes: Sequence[Made],
    *,
    former: Iterable[Sequence[Made]] = (),
    keep: bool = False,
) -> Published:
    """Make the takes of a job, and what lies beside them, readable by name unless a newer job owns that.

    `former` are the takes of the job's earlier revisions: what they have under other names goes. Repeatable.
    A waveform or captions that cannot be published are left out: the audio is good without them.

    Raises:
        NotStored, ArtifactMismatch: the store has a take no more.
        StorageUnavailable: it refuses.
    """
    return _publish(storage, claim, output_name_of(takes), takes, _former(former), keep=keep)


def publish_again(
    storage: Storage, claim: Claim, takes: Sequence[Made], *, former: Iterable[Sequence[Made]] = ()
) -> PublishedTakes:
    """Publish what is in the store already, under the order of the latest asking.

    A person's file stays; so does what a newer job has published: then a take is played from its own place.

    Raises:
        StorageUnavailable: the store refuses.
    """
    here, trouble = list(takes), ""
    try:
        done = publish_takes(storage, claim, takes, former=former, keep=True)
    except (ArtifactMismatch, NotStored) as error:
        trouble = error.message
        here = [take for take in takes if _can_be_had(storage, take)]
        name, done = output_name_of(takes), Published()
        if here:
            done = _publish(storage, claim, name, here, {}, keep=True)
    rivals = [done.superseded_by, *(done.lost.get(take.main.file) for take in takes)]
    files = tuple(_place(storage, take, done.places) if take in here else "" for take in takes)
    others = [rival for rival in rivals if rival is not None and rival.request_id != claim.request_id]
    return PublishedTakes(files, others[0] if others else None, trouble)


def files_of(storage: Storage, takes: Sequence[Made]) -> list[str]:
    """Where each take can be played, the chosen first; "" for one that is gone. Changes nothing.

    That is its published name, unless something else stands there: then it is the take's place in the store.
    """
    return [_place(storage, take, {}) for take in takes]


def links_of(storage: Storage, takes: Sequence[Made], files: Sequence[str]) -> list[str] | None:
    """A URL for each take that `files_of` found, by which anybody may read it for an hour; "" for others.

    None: the store is a folder, whose places are paths.
    """
    links = [
        storage.sign_download(StoredArtifact.of(take.main), take.main.file) if file else ""
        for take, file in zip(takes, files, strict=True)
    ]
    return None if None in links else [link or "" for link in links]


def _publish(
    storage: Storage,
    claim: Claim,
    name: str,
    takes: Sequence[Made],
    former: Mapping[str, Mapping[str, StoredArtifact]],
    *,
    keep: bool,
) -> Published:
    extras = [file.file for file in _extras(takes)]
    return storage.publish(claim, name, files_by_path(takes), extras=extras, former=former, keep=keep)


def _place(storage: Storage, take: Made, places: Mapping[str, str]) -> str:
    artifact, name = StoredArtifact.of(take.main), take.main.file
    if name in places:
        return places[name]
    return storage.location(name) if storage.stands(artifact, name) else storage.blob(artifact)


def _can_be_had(storage: Storage, take: Made) -> bool:
    artifact = StoredArtifact.of(take.main)
    return bool(storage.stands(artifact, take.main.file)) or storage.verify(artifact)


def _extras(takes: Iterable[Made]) -> list[FileRef]:
    return [file for take in takes for file in take.extras]


def _former(revisions: Iterable[Sequence[Made]]) -> dict[str, dict[str, StoredArtifact]]:
    """The files of earlier revisions by output name; those that were never stored are nobody's to remove."""
    found: dict[str, dict[str, StoredArtifact]] = {}
    for takes in revisions:
        if takes and all(file.key is not None for file in _files(takes)):
            found.setdefault(output_name_of(takes), {}).update(files_by_path(takes))
    return found


def _files(takes: Iterable[Made]) -> list[FileRef]:
    takes = list(takes)
    return [take.main for take in takes] + _extras(takes)
