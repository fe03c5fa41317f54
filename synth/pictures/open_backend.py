"""Opens the backends that are configured by name."""

from __future__ import annotations

import importlib

from lib.errors import MissingExtra, UsageError
from lib.picture_backends.names import CLASSES, PictureSettings, configured, settings_of
from synth.pictures.backend import PictureBackend


def open_backend(name: str, settings: PictureSettings) -> PictureBackend:
    """The backend that is configured as `name`. Nothing is loaded and no server asked before it draws.

    Raises:
        UnknownBackend: no backend has this name.
        BadConfiguration: the user's file, a setting or a token is wrong or missing (MissingExtra: packages).
    """
    options = settings_of(name, settings)
    options.pop("vram_gb", None)  # for whoever rents
    kind = options.pop("class")
    about = CLASSES[kind]
    module, _, attribute = about.place.partition(":")
    if kind == "card" and settings.card_fonts is not None:
        options |= {"fonts": (settings.card_fonts,)}
    if kind == "replicate":
        options |= {"url": settings.replicate_url, "token": settings.replicate_token}
    try:
        maker = getattr(importlib.import_module(module), attribute)
        made: PictureBackend = maker(name, options)
    except ModuleNotFoundError as error:
        if not about.extra:
            raise
        raise MissingExtra(f"The picture backend {name} (it misses {error.name})", about.extra) from None
    return made


def check_takes_preset(name: str, settings: PictureSettings) -> None:
    """Pass a backend that exists and draws what a prompt describes. Raises UsageError."""
    kind = configured(settings)[name]["class"]
    if not CLASSES[kind].takes_preset:
        raise UsageError(
            f"The backend {name} sets the prompt as text, so it takes no preset; name another backend."
        )
