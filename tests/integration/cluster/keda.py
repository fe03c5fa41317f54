"""What KEDA makes of our ScaledObject: the commands it sends and the sums it does, as its source has them.

Read in kedacore/keda at 8b4f083 (2.20.2): redis_streams_scaler.go and redis_scaler.go of pkg/scalers, and
pkg/scaling/modifiers/formula.go.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import redis
import yaml

from tests.integration.topologies import told

ROOT = Path(__file__).parents[3]
#: The trigger `redis` measures in a script, by the type of what lies there.
_LENGTH = """
local kind = redis.call('TYPE', KEYS[1]).ok
local measure = { zset = 'ZCARD', set = 'SCARD', hash = 'HLEN', list = 'LLEN', none = 'LLEN' }
return redis.call(measure[kind], KEYS[1])
"""


def scaled_object() -> dict[str, Any]:
    """The ScaledObject that is shipped."""
    file = ROOT / "deploy" / "kubernetes" / "keda" / "scaledobject.yaml"
    (found,) = (
        item
        for item in yaml.safe_load_all(file.read_text(encoding="utf-8"))
        if item["kind"] == "ScaledObject"
    )
    spec: dict[str, Any] = found["spec"]
    return spec


class Keda:
    """Counts and decides as KEDA would, over a connection of its own."""

    def __init__(self, server: redis.Redis, *, braces: bool = False) -> None:
        self._server, self._braces = server, braces
        self._spec = scaled_object()

    def values(self) -> dict[str, float]:
        """What each trigger sees."""
        return {item["name"]: float(self._value(item)) for item in self._spec["triggers"]}

    def pods(self) -> int:
        """How many watchers it would have."""
        composed = self._composed()
        if composed <= 0:  # not active: activationTarget is 0
            return int(self._spec["minReplicaCount"])
        target = float(self._spec["advanced"]["scalingModifiers"]["target"])
        return max(1, min(math.ceil(composed / target), int(self._spec["maxReplicaCount"])))

    def pods_without_formula(self) -> int:
        """How many if each trigger were a metric of its own: the greatest decides."""
        targets = {
            item["name"]: int(item["metadata"].get("streamLength") or item["metadata"]["listLength"])
            for item in self._spec["triggers"]
        }
        return max(math.ceil(value / targets[name]) for name, value in self.values().items())

    def _composed(self) -> float:
        formula = self._spec["advanced"]["scalingModifiers"]["formula"]
        # of the formula's language we use only what means the same in Python
        return float(eval(formula, {"__builtins__": {}, "min": min}, self.values()))

    def _value(self, trigger: dict[str, Any]) -> int:
        metadata = trigger["metadata"]
        if trigger["type"].endswith("streams"):
            assert "consumerGroup" not in metadata, "with a group KEDA looks at the pending list or the lag"
            return self._asked("XLEN", self._key(metadata["stream"]))
        return self._asked("EVAL", _LENGTH, "1", self._key(metadata["listName"]))

    def _key(self, name: str) -> str:
        return name.replace("pab:jobs", "{pab:jobs}") if self._braces else name

    def _asked(self, *words: str) -> int:
        return int(told(self._server, *words))
