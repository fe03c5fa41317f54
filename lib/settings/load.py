"""Reading all settings once, in one order, into one frozen value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lib.errors import BadConfiguration
from lib.settings.about import Info
from lib.settings.kinds import Unfit
from lib.settings.layers import Found, Layer, dotenv_layer, find, flag_layer, mistyped, toml_layer, xdg_folder
from lib.settings.table import Settings, table

#: To speak with: a worker on each holds a model of its own (some 230 MB), and others may want the machine.
#: More than this is for people to ask for.
_MOST_CORES: Final = 4


def load_settings(
    flags: Mapping[str, str | None] | None = None,
    environ: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> Settings:
    """Read flags, environment, `.env`, the TOML file and defaults, first one first, and check them.

    `flags` maps setting names to the texts given on the command line. An empty text anywhere
    counts as not set. Nothing is created and no server is asked.

    Raises:
        BadConfiguration: a value is out of its bound or a file is wrong; the message names the
            setting, where it came from and the bound, and never a secret.
    """
    env = os.environ if environ is None else environ
    here = Path.cwd() if cwd is None else cwd
    home = _home(env)
    dotenv = dotenv_layer(here)
    optional = (dotenv, toml_layer(env, here, home))
    layers = [flag_layer(flags or {}, here), Layer("environment", env, here), *filter(None, optional)]
    credentials = Path(env["CREDENTIALS_DIRECTORY"]) if env.get("CREDENTIALS_DIRECTORY") else None

    values: dict[str, Any] = {}
    sources: dict[str, str] = {}
    for info in table():
        found = find(info, layers, credentials)
        if found is not None:
            values[info.attribute] = _parsed(info, found, here, home)
        sources[info.name] = found.source if found else "default"
    _fill_derived(values, sources, env, home)
    settings = Settings(**values, sources=sources, warnings=tuple(mistyped(dotenv)) if dotenv else ())
    _check_together(settings)
    return settings


def _home(environ: Mapping[str, str]) -> Path:
    named = environ.get("HOME")
    return Path(named) if named else Path.home()


def _parsed(info: Info, found: Found, cwd: Path, home: Path) -> Any:
    try:
        value = info.kind.parse(found.text.strip())
    except ValueError as error:
        bound = error.bound if isinstance(error, Unfit) else info.kind.bound
        shown = "a hidden value" if info.kind.may_be_a_file else repr(found.text)
        raise BadConfiguration(f"{info.name} is {shown} ({found.source}) but must be {bound}") from None
    return _absolute(value, cwd, home) if isinstance(value, Path) else value


def _absolute(path: Path, cwd: Path, home: Path) -> Path:
    # Shells expand ~ for the environment, nobody does for `.env` and TOML.
    if path.parts[:1] == ("~",):
        return home.joinpath(*path.parts[1:])
    return cwd / path


def _fill_derived(
    values: dict[str, Any], sources: dict[str, str], environ: Mapping[str, str], home: Path
) -> None:
    """The defaults that hang on this machine, or on the data folder, which has defaults of its own."""
    if "jobs_data_dir" not in values:
        # systemd gives several folders separated by colons when a unit names several.
        state = environ.get("STATE_DIRECTORY", "").partition(":")[0]
        data = Path(state) if state else xdg_folder(environ, "XDG_DATA_HOME", home / ".local" / "share")
        values["jobs_data_dir"] = data
        sources["JOBS_DATA_DIR"] = "STATE_DIRECTORY" if state else "default"
    data = values["jobs_data_dir"]
    values.setdefault("voices_dir", data / "voices")
    values.setdefault("imagen_backends_file", data / "picture-backends.toml")
    values.setdefault("ssh_known_hosts", data / "ssh" / "known_hosts")
    values.setdefault("local_workers", _usual_cores())
    values.setdefault("hibari_batch", _usual_cores())
    values.setdefault("storage_url", (data / "storage").as_uri())
    values.setdefault("database_url", f"sqlite:///{data / 'pipeline.db'}")


def _usual_cores() -> int:
    """How many cores to use: all that this process may, but no more than people should have to ask for."""
    # Not every system can say which cores are ours.
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(cores, _MOST_CORES)


def _check_together(settings: Settings) -> None:
    if settings.db_pool_min > settings.db_pool_max:
        low, high = (
            f"{getattr(settings, n.lower())} ({settings.sources[n]})" for n in ("DB_POOL_MIN", "DB_POOL_MAX")
        )
        raise BadConfiguration(f"DB_POOL_MIN is {low} but must not be above DB_POOL_MAX, which is {high}")
