"""Where settings come from: flags, environment, credentials, `.env`, a TOML file."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any, NamedTuple

from lib.errors import BadConfiguration
from lib.files import NotPlain, read_plain
from lib.foreign import TooDeep, parse_toml
from lib.settings.about import Info
from lib.settings.dotenv import parse_dotenv
from lib.settings.table import table
from lib.urls import shown

_NEARLY = 0.85  # of a setting's name: other programs' names are not that near
_LARGEST_FILE = 1024 * 1024  # bytes; no honest settings file or secret is larger


class Layer(NamedTuple):
    """Texts by setting name, and how to call the place they come from."""

    label: str  # "environment", or a file's path
    values: Mapping[str, str]
    base: Path  # what a relative NAME_FILE in it is relative to


class Found(NamedTuple):
    """A setting's text and its source, as `config show --sources` and errors say it."""

    text: str
    source: str


def find(info: Info, layers: Iterable[Layer], credentials: Path | None) -> Found | None:
    """The first layer's text for a setting; an empty text counts as not set, where it may be empty.

    A systemd credential ranks just below the environment, which is where it comes from.
    """
    for layer in layers:
        found = _in_layer(info, layer)
        if found is None and layer.label == "environment" and credentials and info.kind.may_be_a_file:
            found = _credential(info, credentials)
        if found is not None:
            return found
    return None


def _in_layer(info: Info, layer: Layer) -> Found | None:
    for name in filter(None, (info.name, info.alias)):
        text = layer.values.get(name, "")
        file = layer.values.get(f"{name}_FILE", "") if info.kind.may_be_a_file else ""
        if not info.kind.may_be_empty:
            _refuse_empty(info, layer, name)
        if text and file:
            raise BadConfiguration(f"{name} and {name}_FILE are both set ({layer.label}); keep one of them")
        if text:
            source = layer.label if name == info.name else f"{layer.label}, {name}"
            return Found(text, source)
        if file:
            path = layer.base / Path(file).expanduser()
            return Found(_secret_text(path, f"{name}_FILE"), f"{layer.label}, {name}_FILE {path}")
    return None


def _refuse_empty(info: Info, layer: Layer, name: str) -> None:
    """See that nobody set `name`, or the name of its file, to nothing. Raises BadConfiguration."""
    for each in (name, f"{name}_FILE"):
        if not layer.values.get(each, "is not there").strip():
            what = f"{info.kind.bound}, or take it away for the default" if each == name else "a file's path"
            raise BadConfiguration(f"{each} is empty ({layer.label}) but must be {what}")


def _credential(info: Info, folder: Path) -> Found | None:
    """The file named like the setting, in small letters as systemd's own names are, or in capitals."""
    names = [name for name in (info.attribute, info.name) if os.path.lexists(folder / name)]
    if not names:
        return None
    if len(names) == 2 and not os.path.samestat(*(os.lstat(folder / name) for name in names)):
        raise BadConfiguration(f"{folder} holds both {names[0]} and {names[1]}; keep one of them")
    path = folder / names[0]
    return Found(_secret_text(path, f"the credential of {info.name}"), f"credential {path}")


def _secret_text(path: Path, name: str) -> str:
    text = read_text(path, name)
    value = text.rstrip("\r\n")
    if not value.strip():
        raise BadConfiguration(f"{path}, named by {name}, is empty; write the value into it")
    return value


def read_text(path: Path, what: str) -> str:
    """A small regular file's text. Raises BadConfiguration with a sentence that names the file."""
    try:
        data = read_plain(path, _LARGEST_FILE, follow=True)
    except NotPlain:
        raise BadConfiguration(f"{path}, named by {what}, is not a file; name a regular file") from None
    except OSError as error:
        raise BadConfiguration(f"{path}, named by {what}, cannot be read: {error.strerror}") from None
    if len(data) > _LARGEST_FILE:
        raise BadConfiguration(f"{path}, named by {what}, is over 1 MiB; name the right file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadConfiguration(f"{path}, named by {what}, is not UTF-8; save it as UTF-8") from None


def flag_layer(flags: Mapping[str, str | None], cwd: Path) -> Layer:
    """Values given on the command line, by setting name; None means that the flag was not given.

    Raises:
        KeyError: a name that is no setting: a mistake in our own code.
    """
    known = {info.name for info in table()}
    for name in flags:
        if name not in known:
            raise KeyError(f"no setting is called {name}")
    return Layer("flag", {name: text for name, text in flags.items() if text is not None}, cwd)


def dotenv_layer(cwd: Path) -> Layer | None:
    """The `.env` file of the current folder, if there is one. Names that are no setting are left alone, for
    the file is shared with other programs; `mistyped` tells of those that nearly are one."""
    path = cwd / ".env"
    if not path.exists():
        return None
    return Layer(str(path), parse_dotenv(read_text(path, "the current folder"), name=str(path)), cwd)


def mistyped(layer: Layer) -> Iterator[str]:
    """Sentences about names of a `.env` file that are no setting, and nearly are. Their values are not told.

    Where the setting itself stands there as well, the other name is taken for another program's.
    """
    known = _toml_names()
    for name in layer.values:
        near = get_close_matches(name.upper(), sorted(known), n=1, cutoff=_NEARLY)
        if name not in known and near and near[0] not in layer.values:
            what = f"{layer.label} sets {name}, which is no setting and changes nothing"
            yield f"{what}; did you mean {near[0]}?"


def toml_layer(environ: Mapping[str, str], cwd: Path, home: Path) -> Layer | None:
    """The first settings file there is: `JOBS_CONFIG`, `job-runner.toml` here, the user's own.

    Raises:
        BadConfiguration: the file that JOBS_CONFIG names is missing, or a file is wrong.
    """
    named = environ.get("JOBS_CONFIG")
    if named:
        return _toml_file(cwd / Path(named).expanduser(), "JOBS_CONFIG")
    for path in (
        cwd / "job-runner.toml",
        xdg_folder(environ, "XDG_CONFIG_HOME", home / ".config") / "config.toml",
    ):
        if path.exists():
            return _toml_file(path, "its place")
    return None


def xdg_folder(environ: Mapping[str, str], variable: str, default: Path) -> Path:
    """Our folder in one of the XDG base folders. Their rule: a relative path is ignored."""
    named = Path(environ.get(variable, ""))
    return (named if named.is_absolute() else default) / "job-runner"


def _toml_file(path: Path, what: str) -> Layer:
    try:
        document = parse_toml(read_text(path, what))
    except TooDeep as error:
        raise BadConfiguration(f"{path}: {error}; a setting is one value or a list") from None
    except ValueError as error:
        # The parser of numbers refuses one with thousands of digits in words of its own.
        reason = str(error) if "(at " in str(error) else "a number is too long"
        raise BadConfiguration(f"{path} is not valid TOML: {reason}") from None
    known = _toml_names()
    values: dict[str, str] = {}
    for key, value in document.items():
        name = key.upper()
        if name not in known:
            named = shown(key) if "://" in key else key
            raise BadConfiguration(f"{path} has an unknown key {named!r}{_suggestion(key, known)}")
        if name in values:
            raise BadConfiguration(f"{path} sets {name} twice, in upper and lower case; keep one of them")
        values[name] = _toml_text(value, key, path)
    return Layer(str(path), values, path.parent)


def _toml_names() -> set[str]:
    names: set[str] = set()
    for info in table():
        names.update(filter(None, (info.name, info.alias)))
        if info.kind.may_be_a_file:
            names.add(f"{info.name}_FILE")
    return names


def _suggestion(key: str, known: set[str]) -> str:
    nearest = get_close_matches(key.upper(), sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0].lower()!r}?" if nearest else "; `config show` lists the known ones"


def _toml_text(value: Any, key: str, path: Path) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, int | float) and not isinstance(value, bool):
        return str(value)
    if isinstance(value, list) and all(isinstance(item, str) for item in value):
        return ",".join(value)
    raise BadConfiguration(f"{path}: {key} must be a text, a number or a list of texts")
