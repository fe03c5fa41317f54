"""Makes a wheel of the very programs that run here, from an installation of any kind.

The installed distribution gives the metadata, the imported packages the files: so it is the same from a
clone, where the distribution only points to it, and from a wheel that somebody installed.
"""

from __future__ import annotations

import base64
import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from importlib import import_module
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from io import BytesIO
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration

DISTRIBUTION: Final = "job-runner"
OWN_PACKAGES: Final = ("synth", "lib")  # what a machine needs: it takes no jobs and keeps no queue
#: What only an installed wheel has, and a machine needs not.
_SETS: Final = ("drawing", "espeak", "qwen", "synth", "verify")
_ADDED: Final = tuple(f"lib/bundle/{name}-requirements.txt" for name in _SETS)
_PROGRAMS: Final = ("voice-synth",)
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)  # of every file, so that the same programs are the same bytes


def own_files() -> Mapping[str, bytes]:
    """Every file of the packages that a machine needs, as it is here, by its name in the wheel.

    Raises:
        BadConfiguration: one cannot be read.
    """
    try:
        found = {name: path.read_bytes() for package in OWN_PACKAGES for name, path in _files_of(package)}
    except OSError as error:
        raise BadConfiguration(
            f"The installed programs cannot be read: {error}. Install them anew"
        ) from error
    return {name: data for name, data in found.items() if name not in _ADDED}


def own_wheel() -> tuple[str, bytes]:
    """The wheel's file name and its bytes. The same programs give the same bytes.

    Raises:
        BadConfiguration: they are not installed as a distribution, or cannot be read.
    """
    try:
        found = distribution(DISTRIBUTION)
        return _named(found), _packed(found)
    except (PackageNotFoundError, OSError) as error:
        raise BadConfiguration(
            f"A wheel of the installed programs cannot be made: {error}. Install job-runner with pip, or run "
            "it by ./run from a clone"
        ) from error


def _named(found: Distribution) -> str:
    return f"{_stem(found)}-py3-none-any.whl"


def _stem(found: Distribution) -> str:
    return f"{DISTRIBUTION.replace('-', '_')}-{found.version}"


def _packed(found: Distribution) -> bytes:
    info = f"{_stem(found)}.dist-info"
    entries = {name: path.read_bytes() for package in OWN_PACKAGES for name, path in _files_of(package)}
    entries[f"{info}/METADATA"] = (found.read_text("METADATA") or "").encode()
    entries[f"{info}/WHEEL"] = (
        b"Wheel-Version: 1.0\nGenerator: job-runner\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    )
    entries[f"{info}/entry_points.txt"] = _entry_points(found).encode()
    record = f"{info}/RECORD"
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in sorted(entries.items())]
    entries[record] = "\n".join([*lines, f"{record},,", ""]).encode()
    packed = BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in sorted(entries.items()):
            about = zipfile.ZipInfo(name, _EPOCH)
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(about, data)
    return packed.getvalue()


def _files_of(package: str) -> Iterator[tuple[str, Path]]:
    """Every file of an imported package, by its name in a wheel."""
    root = Path(str(import_module(package).__file__)).parent
    for path in sorted(root.rglob("*")):
        below = path.relative_to(root)
        if "__pycache__" not in below.parts and path.is_file():
            yield f"{package}/{below.as_posix()}", path


def _entry_points(found: Distribution) -> str:
    """The programs of a machine, and the engines."""
    groups: dict[str, list[str]] = {}
    for point in found.entry_points:
        if point.group != "console_scripts" or point.name in _PROGRAMS:
            groups.setdefault(point.group, []).append(f"{point.name} = {point.value}")
    return "\n".join(f"[{group}]\n{chr(10).join(lines)}\n" for group, lines in sorted(groups.items()))


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
