"""Long short-term memory, in PyTorch's form.

c = f c + i g, h = o tanh(c); i, f, o are sigmoids of W x + U h + b and g is its tanh.

References
----------
Hochreiter and Schmidhuber (1997). Long short-term memory. Neural Computation 9.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core.compiled import compiled
from seqbio.neural.recurrence import Cell, Tape
from seqbio.neural.recurrence_kernels import ONE, add_output_slopes, sigmoid, tanh
from seqbio.neural.workspace import Array


@compiled
def lstm_forward(
    stacked: Array, memory: Array, gates: Array, cells: Array, squashed: Array
) -> None:
    """Run the cell.

    `gates`, (steps, 4 * hidden, batch), become i, f, g, o; `cells`, (steps + 1, hidden, batch),
    c from that at the beginning on; `squashed`, (steps, hidden, batch), tanh(c) after each step.
    """
    hidden = cells.shape[1]
    for t in range(len(gates)):
        np.dot(stacked[t if len(stacked) > 1 else 0], memory[t], gates[t])
        _lstm_gates(
            gates[t].reshape(-1),
            cells[t].reshape(-1),
            cells[t + 1].reshape(-1),
            squashed[t].reshape(-1),
            memory[t + 1, :hidden].reshape(-1),
        )


@compiled
def _lstm_gates(gate: Array, before: Array, c: Array, squashed: Array, h: Array) -> None:
    n = len(h)
    gate_i, gate_f, gate_g, gate_o = gate[:n], gate[n : 2 * n], gate[2 * n : 3 * n], gate[3 * n :]
    for k in range(n):
        i, f, o = sigmoid(gate_i[k]), sigmoid(gate_f[k]), sigmoid(gate_o[k])
        g = tanh(gate_g[k])
        now = f * before[k] + i * g
        tanh_c = tanh(now)
        gate_i[k], gate_f[k], gate_g[k], gate_o[k] = i, f, g, o
        c[k], squashed[k], h[k] = now, tanh_c, o * tanh_c


@compiled
def lstm_backward(
    back: Array,
    gates: Array,
    cells: Array,
    squashed: Array,
    d_outputs: Array,
    d_state: Array,
    slopes: Array,
    recorded: Array,
    first: int,
    last: int,
) -> None:
    """Go back through the cell."""
    for t in range(last - 1, first - 1, -1):
        _lstm_slopes(
            gates[t].reshape(-1),
            cells[t].reshape(-1),
            squashed[t].reshape(-1),
            d_state[0].reshape(-1),
            d_state[1].reshape(-1),
            slopes[t - first].reshape(-1),
        )
        np.dot(back[t if len(back) > 1 else 0], slopes[t - first], d_state[0])
        add_output_slopes(d_state, recorded, d_outputs, t)


@compiled
def _lstm_slopes(
    gate: Array, before: Array, squashed: Array, d_h: Array, d_c: Array, slope: Array
) -> None:
    n = len(d_h)
    gate_i, gate_f, gate_g, gate_o = gate[:n], gate[n : 2 * n], gate[2 * n : 3 * n], gate[3 * n :]
    by_i, by_f, by_g, by_o = slope[:n], slope[n : 2 * n], slope[2 * n : 3 * n], slope[3 * n :]
    for k in range(n):
        i, f, g, o, tanh_c = gate_i[k], gate_f[k], gate_g[k], gate_o[k], squashed[k]
        d = d_c[k] + d_h[k] * o * (ONE - tanh_c * tanh_c)
        by_i[k] = d * g * i * (ONE - i)
        by_f[k] = d * before[k] * f * (ONE - f)
        by_g[k] = d * i * (ONE - g * g)
        by_o[k] = d_h[k] * tanh_c * o * (ONE - o)
        d_c[k] = d * f


def _forward(stacked: Array, tape: Tape) -> None:
    lstm_forward(stacked, tape.memory, tape.kept["gates"], tape.kept["c"], tape.kept["tanh"])


def _backward(back: Array, tape: Tape, *rest: Any) -> None:
    lstm_backward(back, tape.kept["gates"], tape.kept["c"], tape.kept["tanh"], *rest)


CELL = Cell(
    "lstm",
    gates=("i", "f", "g", "o"),
    states=("h", "c"),
    kept={"gates": 4, "tanh": 1},
    initial_bias={"f": 1.0},
    forward=_forward,
    backward=_backward,
)
