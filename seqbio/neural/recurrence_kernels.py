"""What the steps of several cells need: functions of single numbers, and of the way back."""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core.compiled import compiled
from seqbio.neural.workspace import Array

# Single precision holds them exactly, so that either precision computes in its own type.
_HALF, ONE, _TWO, _EIGHTH, _LIMIT = map(np.float32, (0.5, 1, 2, 0.125, 20))
_P0, _P1, _P2, _P3 = (np.float32(c / 2**17) for c in (135135, 17325, 378, 1))
_Q0, _Q1, _Q2, _Q3 = (np.float32(c / 2**17) for c in (135135, 62370, 3150, 28))


@compiled
def tanh(x: Any) -> Any:
    """Compute tanh to 4 units in the last place, in steps that vectors of any width can take.

    Lambert's continued fraction, cut off after seven levels, gives sinh(x / 8) and cosh(x / 8) up
    to a factor of both; sinh 2y = 2 sinh y cosh y and cosh 2y = sinh^2 y + cosh^2 y do the rest,
    and make up for what was cut off where x is large.

    References
    ----------
    Lambert (1768). Mémoire sur quelques propriétés remarquables des quantités transcendentes
    circulaires et logarithmiques. Mémoires de l'Académie de Berlin 17:265-322.
    """
    x = _LIMIT if x > _LIMIT else x
    x = -_LIMIT if x < -_LIMIT else x
    y = x * _EIGHTH
    square = y * y
    p = y * (_P0 + square * (_P1 + square * (_P2 + square * _P3)))
    q = _Q0 + square * (_Q1 + square * (_Q2 + square * _Q3))
    p, q = _TWO * p * q, p * p + q * q
    p, q = _TWO * p * q, p * p + q * q
    p, q = _TWO * p * q, p * p + q * q
    return p / q


@compiled
def sigmoid(x: Any) -> Any:
    """Compute 1 / (1 + exp(-x))."""
    return tanh(x * _HALF) * _HALF + _HALF


@compiled
def add_output_slopes(d_state: Array, recorded: Array, d_outputs: Array, t: int) -> None:
    """Keep the derivatives by the state before a step, and add those by it as an output."""
    if len(recorded) > 0:
        row, given = recorded[t].reshape(-1), d_state.reshape(-1)
        for k in range(len(row)):
            row[k] = given[k]
    if t > 0:
        d_h, d_output = d_state[0].reshape(-1), d_outputs[t - 1].reshape(-1)
        for k in range(len(d_h)):
            d_h[k] += d_output[k]
