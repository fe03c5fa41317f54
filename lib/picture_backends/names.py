"""Names of picture backends: each is a class and what it is told, shipped here or in the user's own file.

Who draws opens them (`synth.pictures.open_backend`); who plans, rents or hands out only asks what they need.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration, BadInput
from lib.files import read_plain
from lib.foreign import parse_toml

#: What nobody chose: it needs no GPU, no network and no money.
USUAL: Final = "card"
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_MOST_BYTES: Final = 65_536
_LARGEST_NUMBER: Final = 100_000
#: By the sizes of its weights in two bytes a number, 12 billion and 4.9 of its text encoders, and room to
#: work in; not measured on a GPU.
FLUX_VRAM_GB: Final = 40.0


class UnknownBackend(BadInput):
    """No backend has this name; the sentence lists those there are."""


@dataclass(frozen=True, slots=True)
class PictureSettings:
    """What the settings say about backends. Made by the wiring; the defaults are those of the settings."""

    backends_file: Path | None = None  # of the user's own names; it need not exist
    card_fonts: Path | None = None
    flux_model: str = ""
    flux_device: str = "auto"
    replicate_url: str = "https://api.replicate.com"
    replicate_token: str = field(default="", repr=False)


#: Where nobody set anything.
SHIPPED_BACKENDS: Final = PictureSettings()


@dataclass(frozen=True, slots=True)
class BackendClass:
    """Where a class is, and the types of what a name may tell it."""

    place: str  # module:Class, called with the name and the mapping of options
    options: Mapping[str, type]
    extra: str = ""  # that brings its packages
    takes_preset: bool = True  # what reads a prompt as a description, and not as the words themselves
    needs_token: bool = False  # of a service, which no rented machine is given
    usual_s: float = 1.0  # that a picture of 1024 x 1024 takes, on what it needs


CLASSES: Final[Mapping[str, BackendClass]] = {
    "mock": BackendClass("synth.pictures.mock:MockBackend", {}),
    "card": BackendClass(
        "synth.pictures.card:CardBackend", {"theme": str, "system_fonts": bool}, "images", takes_preset=False
    ),
    "diffusers": BackendClass(
        "synth.pictures.diffusers:DiffusersBackend",
        {
            "model": str,
            "device": str,
            "dtype": str,
            "offload": str,
            "steps": int,
            "guidance": float,
            "tokens": int,
            "vram_gb": float,
        },
        "diffusers",
        usual_s=4.0,
    ),
    "replicate": BackendClass(
        "synth.pictures.replicate:ReplicateBackend",
        {
            "model": str,
            "size": str,
            "steps": int,
            "guidance": float,
            "usd_per_picture": float,
            "within_s": float,
        },
        needs_token=True,
        usual_s=5.0,
    ),
}


@dataclass(frozen=True, slots=True)
class BackendFacts:
    """What is known of a backend before it is opened. Money is dollars for one picture; None: not known."""

    name: str
    kind: str  # its class
    extra: str  # what has to be installed beside the plain install; "" for nothing
    least_vram_gb: float  # 0: it runs on the CPU
    needs_token: bool
    usual_s: float
    usd_per_picture: float | None


def facts_of(name: str, settings: PictureSettings) -> BackendFacts:
    """The facts of a configured backend.

    Raises:
        UnknownBackend: no backend has this name.
        BadConfiguration: the user's file breaks a rule.
    """
    told = settings_of(name, settings)
    about = CLASSES[told["class"]]
    vram = float(told.get("vram_gb", 0.0))
    if told["class"] == "diffusers" and told.get("device") != "cpu" and not vram:
        vram = FLUX_VRAM_GB
    cost = told.get("usd_per_picture") if about.needs_token else 0.0
    return BackendFacts(name, told["class"], about.extra, vram, about.needs_token, about.usual_s, cost)


def settings_of(name: str, settings: PictureSettings) -> dict[str, Any]:
    """Class and options of a configured name.

    Raises:
        UnknownBackend: no backend has this name; the sentence lists those there are.
        BadConfiguration: the user's file breaks a rule.
    """
    names = configured(settings)
    if name not in names:
        near = difflib.get_close_matches(name[:100], names, n=1)
        hint = f" Did you mean {near[0]}?" if near else ""
        raise UnknownBackend(
            f"There is no picture backend {name[:100]!r}; there are: {', '.join(sorted(names))}.{hint}"
        )
    return dict(names[name])


def configured(settings: PictureSettings) -> dict[str, dict[str, Any]]:
    """Each name with its class and its options. A name of the user's file stands before a shipped one.

    Raises:
        BadConfiguration: the file breaks a rule; the sentence names the file and the name.
    """
    return _shipped(settings) | _own(settings.backends_file)


def _shipped(settings: PictureSettings) -> dict[str, dict[str, Any]]:
    return {
        "mock": {"class": "mock"},
        "card": {"class": "card"},
        "flux-schnell-local": {
            "class": "diffusers",
            "model": settings.flux_model,
            "device": settings.flux_device,
            "steps": 4,  # what the model is distilled for; it takes no guidance
            "guidance": 0.0,
            "tokens": 256,
            "vram_gb": FLUX_VRAM_GB,
        },
        "flux-dev-replicate": {
            "class": "replicate",
            "model": "black-forest-labs/flux-dev",
            "usd_per_picture": 0.025,
        },
    }


def _own(file: Path | None) -> dict[str, dict[str, Any]]:
    if file is None:
        return {}
    try:
        data = read_plain(file, _MOST_BYTES, follow=True)
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise BadConfiguration(f"The picture backends in {file} cannot be read: {error.strerror}.") from None
    if len(data) > _MOST_BYTES:
        raise BadConfiguration(f"The file of picture backends {file} is larger than {_MOST_BYTES} bytes.")
    try:
        document = parse_toml(data.decode("utf-8"))
    except ValueError as error:  # no UTF-8, no TOML, too deep
        raise BadConfiguration(f"The file of picture backends {file} is no TOML: {error}.") from None
    return {name: _checked(f"{file}: [{name}]", name, told) for name, told in document.items()}


def _checked(where: str, name: str, told: object) -> dict[str, Any]:
    if not _NAME.fullmatch(name):
        raise BadConfiguration(
            f"{where}: a name is made of small letters, digits, '.', '_' and '-', at most 64 of them."
        )
    if not isinstance(told, dict):
        raise BadConfiguration(f"{where} must be a table with a class; classes are: {', '.join(CLASSES)}.")
    kind = told.get("class")
    if not isinstance(kind, str) or kind not in CLASSES:
        raise BadConfiguration(f"{where}: class must be one of {', '.join(CLASSES)}; not {kind!r:.100}.")
    options = CLASSES[kind].options
    for key, value in told.items():
        if key == "class":
            continue
        if key not in options:
            known = ", ".join(options) or "none"
            raise BadConfiguration(f"{where}: the class {kind} has no option {key[:80]!r}; it has: {known}.")
        _check_value(f"{where}: {key}", value, options[key])
    return dict(told)


def _check_value(where: str, value: object, kind: type) -> None:
    if kind is str:
        fits = isinstance(value, str) and value.isprintable()
        words = "a text on one line"
    elif kind is bool:
        fits = isinstance(value, bool)
        words = "true or false"
    else:
        whole = kind is int
        fits = isinstance(value, int if whole else int | float) and not isinstance(value, bool)
        fits = fits and isinstance(value, int | float) and 0 <= value <= _LARGEST_NUMBER
        words = f"a {'whole ' if whole else ''}number from 0 to {_LARGEST_NUMBER}"
    if not fits:
        raise BadConfiguration(f"{where} must be {words}; not {value!r:.100}.")
