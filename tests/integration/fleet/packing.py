"""Wheels of what is installed here, so that a bundle can be made where no index is reached."""

from __future__ import annotations

import base64
import hashlib
import zipfile
from importlib.metadata import distribution
from pathlib import Path

#: What `voice-synth --version` needs.
NAMES = (
    *("annotated-doc", "markdown-it-py", "mdurl", "pygments", "rich", "shellingham", "typer"),
    "typing-extensions",
)


def pack(name: str, folder: Path) -> str:
    """Write the wheel of an installed distribution that is pure Python; its line in a requirements file."""
    found = distribution(name)
    stem = f"{name.replace('-', '_')}-{found.version}"
    entries = {}
    for file in found.files or ():
        path = Path(str(file.locate()))
        inside = ".." not in file.parts and "__pycache__" not in file.parts
        if (
            inside
            and path.is_file()
            and path.name not in ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
        ):
            entries[file.as_posix()] = path.read_bytes()
    (info,) = {name.split("/")[0] for name in entries if name.split("/")[0].endswith(".dist-info")}
    lines = [f"{name},sha256={_digest(data)},{len(data)}" for name, data in entries.items()]
    entries[f"{info}/RECORD"] = "\n".join([*lines, f"{info}/RECORD,,", ""]).encode()
    wheel = folder / f"{stem}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for inside_name, data in entries.items():
            archive.writestr(inside_name, data)
    return f"{name}=={found.version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def _digest(data: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
