"""The settings table as the reference page and `.env.example` must show it."""

from __future__ import annotations

from lib.settings import Info, table


def table_lines() -> list[str]:
    """One Markdown row per setting."""
    return [_row(info) for info in table()]


def env_lines() -> list[str]:
    """One commented line per setting: an example value and what it is for."""
    return [f"#{info.name}={info.example}  # {info.help}" for info in table()]


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
