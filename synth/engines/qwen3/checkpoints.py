"""The folder of a checkpoint: found by name, and checked before anything is loaded. No torch here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration
from lib.foreign import parse_json
from lib.voices import VoiceKind

#: `CustomVoice` has built-in speakers, `Base` clones a voice, `VoiceDesign` makes one from a description.
NAME: Final = re.compile(r"Qwen3-TTS-12Hz-(?P<size>0\.6B|1\.7B)-(?P<kind>CustomVoice|Base|VoiceDesign)")
#: A file of hashes in a checkpoint's folder, as `sha256sum` writes it, is held against what is loaded.
HASHES: Final = "SHA256SUMS"

_KINDS: Final = {
    "CustomVoice": VoiceKind.BUILT_IN,
    "Base": VoiceKind.CLONED,
    "VoiceDesign": VoiceKind.DESIGNED,
}
_CONFIGURED: Final = {  # as its config.json says it
    "CustomVoice": "custom_voice",
    "Base": "base",
    "VoiceDesign": "voice_design",
}
_SMALL: Final = ("0.6B", "0b6")  # as its name and its config.json say it
_TOKENIZER: Final = "qwen3_tts_tokenizer_12hz"
_FILES: Final = (
    "config.json",
    "generation_config.json",
    "tokenizer_config.json",
    "speech_tokenizer/config.json",
    "speech_tokenizer/preprocessor_config.json",
)
_WEIGHTS: Final = "model.safetensors"
_INDEX: Final = "model.safetensors.index.json"
_MOST_HEADER: Final = 100_000_000  # bytes; the format's own limit
_HASH_LINE: Final = re.compile(r"([0-9a-f]{64}) [ *](.+)")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A folder that holds all of a checkpoint; what is in its weights was not read."""

    name: str
    folder: Path
    weights: tuple[Path, ...]  # of the model, then of the speech tokenizer

    @property
    def kind(self) -> VoiceKind:
        """Which voices it speaks."""
        return kind_of_model(self.name)

    @property
    def weights_bytes(self) -> int:
        """The size of all weights on disk."""
        return sum(path.stat().st_size for path in self.weights)

    def revision(self) -> str:
        """The sha256 of all weights in one, after holding each against `SHA256SUMS`; reads every byte.

        Raises:
            BadConfiguration: a file is not what its hash says.
        """
        hashes = _hashes(self.folder)
        whole = hashlib.sha256()
        for path in self.weights:
            whole.update(_verified(self.folder, path, hashes).encode())
        for name in hashes.keys() - {str(path.relative_to(self.folder)) for path in self.weights}:
            _verified(self.folder, self.folder / name, hashes)
        return whole.hexdigest()


def kind_of_model(name: str) -> VoiceKind:
    """Which voices the checkpoint of that name speaks: one kind, and no other."""
    return _KINDS[name.rpartition("-")[2]]


def find_checkpoint(source: Path, name: str) -> Checkpoint:
    """The checkpoint `name` in the folder `source`: that folder itself, or the one of that name in it.

    Raises:
        BadConfiguration: it is not there, incomplete, cut short, or of another kind, size or version.
    """
    folder = source if (source / "config.json").is_file() else source / name
    if not folder.is_dir():
        there = sorted(found.name for found in source.glob("Qwen3-TTS-*") if found.is_dir())
        raise BadConfiguration(
            f"The model folder {source} (QWEN_MODEL) holds no {name}; "
            f"it has: {', '.join(there) or 'no checkpoint'}. Put the checkpoint's folder there."
        )
    missing = [file for file in _FILES if not (folder / file).is_file()]
    if not _has_vocabulary(folder):
        missing.append("tokenizer.json")
    if missing:
        raise BadConfiguration(
            f"The model folder {folder} is incomplete: it misses {', '.join(missing)}. Copy it anew."
        )
    _check_kind(folder, name)
    weights = (*_weights(folder), *_weights(folder / "speech_tokenizer"))
    for path in weights:
        _check_length(path)
    return Checkpoint(name, folder, weights)


def _has_vocabulary(folder: Path) -> bool:
    return (folder / "tokenizer.json").is_file() or all(
        (folder / file).is_file() for file in ("vocab.json", "merges.txt")
    )


def _check_kind(folder: Path, name: str) -> None:
    wanted = NAME.fullmatch(name)
    if wanted is None:
        raise BadConfiguration(f"{name!r} is no checkpoint of Qwen3-TTS that this engine knows.")
    config = _json(folder / "config.json")
    if config.get("model_type") != "qwen3_tts" or config.get("tokenizer_type") != _TOKENIZER:
        raise BadConfiguration(
            f"The model folder {folder} holds {config.get('model_type')!r} with the tokenizer "
            f"{config.get('tokenizer_type')!r}; this engine speaks 'qwen3_tts' with {_TOKENIZER!r}."
        )
    kind, size = config.get("tts_model_type"), config.get("tts_model_size")
    is_small, wants_small = size == _SMALL[1], wanted["size"] == _SMALL[0]
    if kind != _CONFIGURED[wanted["kind"]] or is_small != wants_small:
        raise BadConfiguration(
            f"The model folder {folder} holds a checkpoint of kind {kind!r} and size {size!r}, and {name} is "
            "needed. Let QWEN_MODEL be a folder that holds the folders of all checkpoints your jobs need."
        )


def _weights(folder: Path) -> Iterator[Path]:
    if (folder / _INDEX).is_file():
        shards = _json(folder / _INDEX).get("weight_map")
        names = sorted({str(shard) for shard in shards.values()}) if isinstance(shards, dict) else []
    else:
        names = [_WEIGHTS]
    for name in names or [_WEIGHTS]:
        path = folder / name
        if path.parent != folder or not path.is_file():
            raise BadConfiguration(
                f"The model folder {folder} is incomplete: it misses {name}. Copy it anew."
            )
        yield path


def _check_length(path: Path) -> None:
    """A file of weights says in its header how long it is."""
    size = path.stat().st_size
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        header = file.read(length) if length <= min(size, _MOST_HEADER) else b""
    try:
        tensors = parse_json(header)
        end = max(tensor["data_offsets"][1] for name, tensor in tensors.items() if name != "__metadata__")
    except (ValueError, TypeError, KeyError, IndexError, AttributeError):
        raise BadConfiguration(f"{path} holds no weights that can be read. Copy it anew.") from None
    if size != 8 + length + end:
        raise BadConfiguration(
            f"{path} was cut short: it has {size:,} bytes of {8 + length + end:,}. Copy it anew."
        )


def _json(path: Path) -> dict[str, Any]:
    try:
        data = parse_json(path.read_bytes())
    except (OSError, ValueError) as error:
        raise BadConfiguration(f"{path} cannot be read: {error}.") from None
    if not isinstance(data, dict):
        raise BadConfiguration(f"{path} holds no mapping.")
    return data


def _hashes(folder: Path) -> dict[str, str]:
    """What `SHA256SUMS` says, by file; empty without one."""
    path = folder / HASHES
    if not path.is_file():
        return {}
    found = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        match = _HASH_LINE.fullmatch(line)
        if match is None or not (folder / match[2]).resolve().is_relative_to(folder.resolve()):
            raise BadConfiguration(
                f"{path} has a line that is no hash of a file in its folder: {line[:80]!r}."
            )
        found[match[2]] = match[1]
    return found


def _verified(folder: Path, path: Path, hashes: dict[str, str]) -> str:
    try:
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise BadConfiguration(f"{path} cannot be read: {error.strerror}.") from None
    wanted = hashes.get(str(path.relative_to(folder)), digest)
    if digest != wanted:
        raise BadConfiguration(
            f"{path} is not the file that {folder / HASHES} names: its sha256 is {digest}. Copy it anew."
        )
    return digest
