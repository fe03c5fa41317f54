"""Weights that are named by hub ids: which ones, at which commit. What may be downloaded at run time."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from lib.errors import BadConfiguration

#: The commit is whole, so that what is loaded is what was named, whatever happens to the hub's branches.
_HUB_ID: Final = re.compile(
    r"(?P<owner>[A-Za-z0-9][\w.-]{0,95})/(?P<name>[A-Za-z0-9][\w.-]{0,95})(?:@(?P<commit>[0-9a-f]{40}))?"
)


@dataclass(frozen=True, slots=True)
class HubId:
    """A model of the hub, at one commit."""

    repository: str  # owner/name
    name: str
    commit: str


def hub_ids(written: str, names: Collection[str], setting: str) -> dict[str, HubId]:
    """The models that `written` names, by name, with commas between; empty where it is no list of such ids.

    `names` are those of all models that there are, `setting` is what is written so, for the sentence.

    Raises:
        BadConfiguration: one has no commit.
    """
    found = {}
    for word in filter(None, (part.strip() for part in written.split(","))):
        match = _HUB_ID.fullmatch(word)
        if match is None or match["name"] not in names:
            return {}
        if match["commit"] is None:
            raise BadConfiguration(
                f"{setting} names {word} without a commit; write {word}@ and the 40 digits of one, "
                "so that nothing else is ever loaded."
            )
        found[match["name"]] = HubId(f"{match['owner']}/{match['name']}", match["name"], match["commit"])
    return found
