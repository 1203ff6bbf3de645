"""The tanh cell: h = tanh(W x + U h + b).

References
----------
Elman (1990). Finding structure in time. Cognitive Science 14.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core.compiled import compiled
from seqbio.neural.recurrence import Cell, Tape
from seqbio.neural.recurrence_kernels import ONE, add_output_slopes, tanh
from seqbio.neural.workspace import Array


@compiled
def rnn_forward(stacked: Array, memory: Array) -> None:
    """Run the cell."""
    hidden = stacked.shape[1]
    product = np.empty_like(memory[0, :hidden])
    for t in range(len(memory) - 1):
        np.dot(stacked[t if len(stacked) > 1 else 0], memory[t], product)
        h, before = memory[t + 1, :hidden].reshape(-1), product.reshape(-1)
        for k in range(len(h)):
            h[k] = tanh(before[k])


@compiled
def rnn_backward(
    back: Array,
    memory: Array,
    d_outputs: Array,
    d_state: Array,
    slopes: Array,
    recorded: Array,
    first: int,
    last: int,
) -> None:
    """Go back through the cell."""
    hidden = d_state.shape[1]
    for t in range(last - 1, first - 1, -1):
        h, d_h = memory[t + 1, :hidden].reshape(-1), d_state[0].reshape(-1)
        slope = slopes[t - first].reshape(-1)
        for k in range(len(h)):
            slope[k] = d_h[k] * (ONE - h[k] * h[k])
        np.dot(back[t if len(back) > 1 else 0], slopes[t - first], d_state[0])
        add_output_slopes(d_state, recorded, d_outputs, t)


def _forward(stacked: Array, tape: Tape) -> None:
    rnn_forward(stacked, tape.memory)


def _backward(back: Array, tape: Tape, *rest: Any) -> None:
    rnn_backward(back, tape.memory, *rest)


CELL = Cell(
    "rnn",
    gates=("h",),
    forward=_forward,
    backward=_backward,
)
