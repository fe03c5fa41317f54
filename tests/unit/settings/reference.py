"""The settings table as the reference page and `.env.example` must show it."""

from __future__ import annotations

from lib.settings import Info, table


def table_lines() -> list[str]:
    """One Markdown row per setting."""
    return [_row(info) for info in table()]


def env_lines() -> list[str]:
    """One commented line per setting: its default or, where that is none to write, another value; what it is
    for; and what holds where the line is left alone, when that is not the value it shows."""
    return [f"#{info.name}={info.example}  # {info.help}{_otherwise(info)}" for info in table()]


def _otherwise(info: Info) -> str:
    if not info.example or (_is_a_value(info) and _is_shown(info)):
        return ""
    default = info.default_text.removeprefix("unset: ").replace("`", "")
    return f"; default: {default or 'not set'}"


def _is_shown(info: Info) -> bool:
    return bool(info.kind.parse(info.example) == info.kind.parse(info.default_text))


def _row(info: Info) -> str:
    plain = info.default_text
    default = f"`{plain}`" if _is_a_value(info) else plain or "–"
    name = f"`{info.name}`" + (f" (or `{info.alias}`)" if info.alias else "")
    bound = info.kind.bound + ("; secret" if info.kind.secret else "")
    return f"| {name} | {default} | {bound} | {info.help} |"


def _is_a_value(info: Info) -> bool:
    if "`" in info.default_text:  # words about one
        return False
    try:
        info.kind.parse(info.default_text)
    except ValueError:
        return False
    return bool(info.default_text) and not info.kind.secret
