"""The gates in the order they are passed, with the reason code and the deadline of each."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from typing import Final


class Gate(Enum):
    """A thing that must hold before a machine gets work. The value is the reason code when it does not."""

    SSH = "unreachable"  # a connection comes about
    HOST_KEY = "host_key"  # with the key that the machine is known by
    NONCE = "nonce"  # commands run there and their answers come back whole
    GPU = "gpu"  # as offered
    DISK = "disk"
    BANDWIDTH = "bandwidth"
    ENGINE = "engine"  # the model loads
    GOLDEN = "golden"  # a known sentence is spoken, and sounds like speech of its length


#: Seconds that each may take. One that takes longer has failed.
DEADLINES: Final[Mapping[Gate, float]] = {
    Gate.SSH: 20.0,
    Gate.HOST_KEY: 20.0,
    Gate.NONCE: 15.0,
    Gate.GPU: 30.0,
    Gate.DISK: 15.0,
    Gate.BANDWIDTH: 30.0,
    Gate.ENGINE: 180.0,
    Gate.GOLDEN: 180.0,
}


class GateFailed(Exception):
    """A machine that does not pass. `sentence` says what is wrong and what to do."""

    def __init__(self, gate: Gate, sentence: str) -> None:
        super().__init__(sentence)
        self.gate, self.sentence = gate, sentence
