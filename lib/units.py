"""Sizes and durations as people read them."""

from __future__ import annotations

MIB = 1024 * 1024
MICROS = 1_000_000  # micro-dollars in a US dollar


def usd(micros: float) -> str:
    """Micro-dollars as text in dollars, to the micro-dollar: what programs read."""
    return f"{micros / MICROS:.6f}"


def seconds_text(seconds: float) -> str:
    """Write a duration shortly: 0.8s, 12.3s, 4m05s, 2h07m, 3d04h."""
    if seconds < 0:
        return "-" + seconds_text(-seconds)
    if seconds < 59.95:
        return f"{seconds:.1f}s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h{whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d{whole % 86400 // 3600:02d}h"


def bytes_text(count: int) -> str:
    """Write a size in binary units: 512 B, 1.4 KiB, 20.0 MiB."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1024
    raise AssertionError("unreachable: GiB always returns")


def jobs_text(count: int) -> str:
    """`count` jobs in words: "1 job", "3 jobs"."""
    return "1 job" if count == 1 else f"{count} jobs"
