"""Gated recurrent unit, in PyTorch's form.

n = tanh(W x + b + r (U h + b')), h = (1 - z) n + z h; r, z are sigmoids of W x + U h + b.

References
----------
Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. EMNLP.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from seqbio.core.compiled import compiled
from seqbio.neural.recurrence import Cell, Tape
from seqbio.neural.recurrence_kernels import ONE, add_output_slopes, sigmoid, tanh
from seqbio.neural.workspace import Array


@compiled
def gru_forward(
    stacked: Array, memory: Array, gates: Array, recurrent: Array, from_input: Array
) -> None:
    """Run the cell.

    `gates`, (steps, 3 * hidden, batch), become r, z, n; `recurrent`, (steps, hidden, batch),
    U h + b' of n; `from_input` is W x + b of n.
    """
    hidden = recurrent.shape[1]
    for t in range(len(gates)):
        np.dot(stacked[t if len(stacked) > 1 else 0], memory[t], gates[t])
        _gru_gates(
            gates[t].reshape(-1),
            from_input[t].reshape(-1),
            recurrent[t].reshape(-1),
            memory[t, :hidden].reshape(-1),
            memory[t + 1, :hidden].reshape(-1),
        )


@compiled
def _gru_gates(
    gate: Array, from_input: Array, recurrent: Array, before: Array, after: Array
) -> None:
    size = len(after)
    gate_r, gate_z, gate_n = gate[:size], gate[size : 2 * size], gate[2 * size :]
    for k in range(size):
        r, z = sigmoid(gate_r[k]), sigmoid(gate_z[k])
        recurrent[k] = gate_n[k]
        n = tanh(gate_n[k] * r + from_input[k])
        gate_r[k], gate_z[k], gate_n[k] = r, z, n
        after[k] = (before[k] - n) * z + n


@compiled
def gru_backward(
    back: Array,
    memory: Array,
    gates: Array,
    recurrent: Array,
    d_outputs: Array,
    d_state: Array,
    slopes: Array,
    recorded: Array,
    first: int,
    last: int,
) -> None:
    """Go back through the cell; the slopes are of r, z, n by its input side and by the other."""
    hidden = d_state.shape[1]
    by_product, kept = np.empty_like(gates[0]), np.empty_like(d_state[0])
    for t in range(last - 1, first - 1, -1):
        _gru_slopes(
            gates[t].reshape(-1),
            recurrent[t].reshape(-1),
            memory[t, :hidden].reshape(-1),
            d_state[0].reshape(-1),
            slopes[t - first].reshape(-1),
            by_product.reshape(-1),
            kept.reshape(-1),
        )
        np.dot(back[t if len(back) > 1 else 0], by_product, d_state[0])
        d_h, past = d_state[0].reshape(-1), kept.reshape(-1)
        for k in range(len(d_h)):
            d_h[k] += past[k]
        add_output_slopes(d_state, recorded, d_outputs, t)


@compiled
def _gru_slopes(
    gate: Array,
    recurrent: Array,
    before: Array,
    d_h: Array,
    slope: Array,
    by_product: Array,
    kept: Array,
) -> None:
    size = len(d_h)
    gate_r, gate_z, gate_n = gate[:size], gate[size : 2 * size], gate[2 * size :]
    for k in range(size):
        r, z, n = gate_r[k], gate_z[k], gate_n[k]
        kept[k] = d_h[k] * z
        by_n = (d_h[k] - kept[k]) * (ONE - n * n)
        by_r = by_n * r * (ONE - r) * recurrent[k]
        by_z = (before[k] - n) * (ONE - z) * kept[k]
        slope[k], slope[size + k] = by_r, by_z
        slope[2 * size + k], slope[3 * size + k] = by_n, by_n * r
        by_product[k], by_product[size + k], by_product[2 * size + k] = by_r, by_z, by_n * r


def _forward(stacked: Array, tape: Tape) -> None:
    kept = tape.kept
    gru_forward(stacked, tape.memory, kept["gates"], kept["recurrent"], tape.from_input)


def _backward(back: Array, tape: Tape, *rest: Any) -> None:
    gru_backward(back, tape.memory, tape.kept["gates"], tape.kept["recurrent"], *rest)


CELL = Cell(
    "gru",
    gates=("r", "z", "n"),
    apart=("n",),
    kept={"gates": 3, "recurrent": 1},
    forward=_forward,
    backward=_backward,
)
