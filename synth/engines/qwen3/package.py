"""The package qwen-tts, imported so that it asks nobody for anything and prints nothing of its own."""

from __future__ import annotations

import contextlib
import importlib
import importlib.machinery
import importlib.util
import io
import os
import shutil
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any, Final

from lib.errors import MissingExtra
from synth.hub_offline import OFFLINE

_NEEDED: Final = ("torch", "transformers", "qwen_tts")


def check_installed(engine: str) -> None:
    """Pass where the package is; nothing is imported.

    Raises:
        MissingExtra: it is not installed; the sentence names the command that installs it.
    """
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise MissingExtra(f"The engine {engine} (it misses {name})", "qwen")


def import_package(engine: str) -> Any:
    """The module `qwen_tts`; torch and transformers are imported with it, some ten seconds the first time.

    Raises:
        MissingExtra: as above.
    """
    check_installed(engine)
    os.environ.update(OFFLINE)
    # All it says as it is imported is that flash attention would be faster, on a CPU too.
    with contextlib.redirect_stdout(io.StringIO()), _without_what_25hz_needs():
        module = importlib.import_module("qwen_tts")
    # Its hints are for whoever writes programs with it: this one passes what they ask for, or means not to.
    importlib.import_module("transformers").logging.set_verbosity_error()
    return module


@contextlib.contextmanager
def words_of_the_package_aside() -> Iterator[None]:
    """The package prints advice on stdout, where `--json` stands; while this lasts it goes to stderr."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


@contextlib.contextmanager
def _without_what_25hz_needs() -> Iterator[None]:
    """Put empty modules in place of two that only the tokenizer of the 25 Hz models calls, where they fail.

    The package imports that tokenizer always, and this engine speaks the 12 Hz models alone. `torchaudio` of
    one build (CUDA, say) cannot be loaded beside a torch of another (CPU); `sox` starts a shell to look for
    the program of its name and complains on stderr where there is none. An empty module that is called after
    all raises AttributeError. It is gone when the import is done, so that nobody else finds it.
    """
    absent = {}
    if not _can_be_loaded("torchaudio.compliance.kaldi"):
        absent.update(_empty("torchaudio", "torchaudio.compliance", "torchaudio.compliance.kaldi"))
    if shutil.which("sox") is None and "sox" not in sys.modules:
        absent.update(_empty("sox"))
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            sys.modules.pop(name, None)


def _can_be_loaded(name: str) -> bool:
    try:
        importlib.import_module(name)
    except (ImportError, OSError):
        top = name.partition(".")[0]
        for loaded in [each for each in sys.modules if each.partition(".")[0] == top]:
            del sys.modules[loaded]  # halves of a module that others would find
        return False
    return True


def _empty(*names: str) -> dict[str, ModuleType]:
    """Modules without content; each one but the first is an attribute of the one it lies in."""
    made = {}
    for name in names:
        module = made[name] = ModuleType(name)
        # transformers asks for the spec of what it may use, and an absent one is an error there
        module.__spec__ = importlib.machinery.ModuleSpec(name, None, is_package=True)
        parent, _, own = name.rpartition(".")
        if parent:
            setattr(made[parent], own, module)
    return made
