"""The queue's Lua scripts, as they lie in the folder `lua` beside this module."""

from __future__ import annotations

from typing import Final

from lib.redislink.scripts import ScriptFolder

SCRIPTS: Final = ScriptFolder("lib.jobqueue.redis")
load = SCRIPTS.load
