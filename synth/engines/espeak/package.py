"""The package espeakng-loader, which brings the library of eSpeak NG and its data in its wheel."""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lib.errors import BadConfiguration, MissingExtra

_MODULE: Final = "espeakng_loader"


@dataclass(frozen=True, slots=True)
class LibraryFiles:
    """Where the library lies, and the folder of its data."""

    library: Path
    data: Path

    def sha256(self) -> str:
        """Of the library and of all its data, by name and content; some 18 MB are read.

        Raises:
            BadConfiguration: a file cannot be read.
        """
        found = hashlib.sha256()
        try:
            for path in [self.library, *sorted(path for path in self.data.rglob("*") if path.is_file())]:
                found.update(hashlib.sha256(path.read_bytes()).digest())
                found.update(path.name.encode("utf-8", "surrogateescape"))
        except OSError as error:
            raise BadConfiguration(
                f"{error.filename} of eSpeak NG cannot be read: {error.strerror}."
            ) from None
        return found.hexdigest()


def check_installed(engine: str) -> None:
    """Pass where the package is; nothing is imported.

    Raises:
        MissingExtra: it is not installed; the sentence names the command that installs it.
    """
    if importlib.util.find_spec(_MODULE) is None:
        raise MissingExtra(f"The engine {engine} (it misses {_MODULE})", "espeak")


def files_of_package(engine: str) -> LibraryFiles:
    """The package's files; the library is not loaded.

    Raises:
        MissingExtra: as above.
        BadConfiguration: the package has none of them.
    """
    check_installed(engine)
    module = importlib.import_module(_MODULE)
    try:
        return LibraryFiles(Path(module.get_library_path()), Path(module.get_data_path()))
    except RuntimeError as error:
        raise BadConfiguration(f"The package espeakng-loader is incomplete: {error}.") from None
