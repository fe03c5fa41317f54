"""Fields that are known and checked, but that nothing uses yet: each is refused with its own sentence.

What uses a field takes its line out here; nothing else has to change for the field to be accepted.
"""

from __future__ import annotations

from typing import Final

#: By field, a phrase that completes "field NAME ...".
NOT_YET: Final[dict[str, str]] = {}
