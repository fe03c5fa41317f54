"""Keeps Hugging Face's libraries from asking anybody for anything."""

from __future__ import annotations

from typing import Final

#: They look for newer files, and count their users, unless these say no. Set before they are imported, since
#: that is when they read them.
OFFLINE: Final = {
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
}
