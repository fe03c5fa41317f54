"""The two filters of ITU-R BS.1770, run over a signal of any length in blocks.

A recursive filter asks for one sample after another, which Python is slow at. Cut into blocks of 80 samples
it is two products of matrices: what a block makes of its own samples, and what the four numbers that the
filter remembers add to it. That is the same filter, not one near it, for less
than a fifth of what two transforms cost.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

_BLOCK: Final = 80  # samples; larger ones multiply more, smaller ones remember more often
#: Of a product. So small a one is left to one thread by the libraries that numpy multiplies with: several
#: take four times the processor time for it.
_ROWS: Final = 30
_FORGOTTEN_S: Final = 0.16  # the 38 Hz high-pass has forgotten all by then (38 time constants)

#: Numerator and denominator of a second-order filter, in powers of 1/z.
Filter = tuple[NDArray[np.float64], NDArray[np.float64]]


def filters(sample_rate: int) -> tuple[Filter, Filter]:
    """The high shelf and the high-pass.

    The standard prints coefficients for 48 kHz only; these are the analogue prototypes behind them, so that
    other rates measure the same.
    """
    warped, quality = math.tan(math.pi * 1681.974450955533 / sample_rate), 0.7071752369554196
    high = 10 ** (3.999843853973347 / 20)
    band = high**0.4996667741545416
    above = [
        high + band * warped / quality + warped**2,
        2 * (warped**2 - high),
        high - band * warped / quality + warped**2,
    ]
    shelf = _scaled(above, warped, quality)

    warped, quality = math.tan(math.pi * 38.13547087602444 / sample_rate), 0.5003270373238773
    # The standard leaves this filter's numerator unscaled.
    return shelf, (np.array([1.0, -2.0, 1.0]), _scaled([1.0], warped, quality)[1])


class EnergyMeter:
    """K-weighted energy of a signal that comes in pieces; it remembers what came before."""

    def __init__(self, sample_rate: int) -> None:
        self._filter = _matrices(sample_rate)
        self._hop = sample_rate // 10
        self._state = np.zeros(4, np.float32)

    def energy(self, signal: NDArray[np.float32]) -> NDArray[np.float64]:
        """Summed over each 100 ms of the next samples, which are whole hops."""
        known = self._filter
        blocks = len(signal) // known.block
        filled = np.empty((blocks, known.block + 4), np.float32)
        filled[:, : known.block] = signal.reshape(blocks, known.block)
        shaped = (-1, known.rows, known.block)
        states = np.matmul(signal.reshape(shaped), known.taken).reshape(blocks, 4)
        states[0] += self._state @ known.carried[0]
        for power, carried in enumerate(known.carried):
            states[1 << power :] += states[: -1 << power] @ carried
        filled[0, known.block :], filled[1:, known.block :] = self._state, states[:-1]
        self._state = states[-1]
        made = np.matmul(filled.reshape(-1, known.rows, known.block + 4), known.answer)
        hops = made.reshape(-1, self._hop)
        energy: NDArray[np.float64] = np.einsum("ij,ij->i", hops, hops).astype(np.float64)
        return energy


@dataclass(frozen=True, slots=True)
class _Matrices:
    """Both filters in a row, of blocks: rows times these."""

    block: int
    rows: int  # of one product
    taken: NDArray[np.float32]  # (block, 4): from samples to what is remembered of them
    carried: tuple[NDArray[np.float32], ...]  # (4, 4): what is left of it after 1, 2, 4, ... blocks
    answer: NDArray[np.float32]  # (block + 4, block): from samples and memory to weighted samples


@lru_cache(maxsize=8)
def _matrices(sample_rate: int) -> _Matrices:
    step, enters, leaves, direct = _states(sample_rate)
    hop = sample_rate // 10
    block = math.gcd(hop, _BLOCK)
    powers = [np.eye(4)]
    for _ in range(block):
        powers.append(powers[-1] @ step)
    impulse = np.array([direct, *(leaves @ power @ enters for power in powers[: block - 1])])
    own = np.zeros((block, block))
    for at in range(block):
        own[at, at:] = impulse[: block - at]
    carried = [powers[block].T]
    while block << len(carried) < _FORGOTTEN_S * sample_rate:
        carried.append(carried[-1] @ carried[-1])
    return _Matrices(
        block=block,
        rows=math.gcd(hop // block, _ROWS),
        taken=np.array([power @ enters for power in powers[block - 1 :: -1]], np.float32),
        carried=tuple(each.astype(np.float32) for each in carried),
        answer=np.vstack([own, np.array([leaves @ power for power in powers[:block]]).T]).astype(np.float32),
    )


def _states(
    sample_rate: int,
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], float]:
    """Both filters as one of four states: how they go on, what a sample puts in, what is heard of them."""
    (first, first_poles), (second, second_poles) = filters(sample_rate)
    into, onward = first[1:] - first_poles[1:] * first[0], second[1:] - second_poles[1:] * second[0]
    step = np.zeros((4, 4))
    step[:2, 0], step[0, 1] = -first_poles[1:], 1.0
    step[2:, 2], step[2, 3] = -second_poles[1:], 1.0
    step[2:, 0] = onward
    enters = np.concatenate([into, onward * first[0]])
    return step, enters, np.array([second[0], 0.0, 1.0, 0.0]), float(first[0] * second[0])


def _scaled(numerator: list[float], warped: float, quality: float) -> Filter:
    """With the poles of a resonance, its denominator beginning with 1."""
    scale = 1 + warped / quality + warped**2
    poles = np.array([scale, 2 * (warped**2 - 1), 1 - warped / quality + warped**2])
    return np.array(numerator) / scale, poles / scale
