"""The steps of the three cells: a matrix product, then one pass over the gates.

Arrays are feature-major, (steps, features, batch), and those of gates in the order of the rows of
the weights. See `seqbio.recurrent.kernels` for the cells, and for what stands in `stacked`,
(1 or steps, rows, inner), and `memory`, (steps + 1, inner, batch). The functions for the way back
go over the steps from `last` - 1 down to `first`; they take the derivatives by the state after
step `last`, (states, hidden, batch), turn them into those by the state before step `first`, and
keep those before every step in `recorded` if there is room for any. Their first argument are the
recurrent weights, transposed.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled

Array = NDArray[Any]

# Single precision holds them exactly, so that either precision computes in its own type.
_HALF, _ONE, _TWO, _EIGHTH, _LIMIT = map(np.float32, (0.5, 1, 2, 0.125, 20))
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
def _sigmoid(x: Any) -> Any:
    return tanh(x * _HALF) * _HALF + _HALF


@compiled
def _hear_outputs(d_state: Array, recorded: Array, d_outputs: Array, t: int) -> None:
    """Keep the derivatives by the state before a step, and add those by it as an output."""
    if len(recorded) > 0:
        row, given = recorded[t].reshape(-1), d_state.reshape(-1)
        for k in range(len(row)):
            row[k] = given[k]
    if t > 0:
        d_h, d_output = d_state[0].reshape(-1), d_outputs[t - 1].reshape(-1)
        for k in range(len(d_h)):
            d_h[k] += d_output[k]


# -- tanh cell --------------------------------------------------------------------------------


@compiled
def rnn_forward(stacked: Array, memory: Array, product: Array) -> None:
    """Run the tanh cell; `product`, (hidden, batch), is overwritten."""
    hidden = len(product)
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
    """Go back through the tanh cell."""
    hidden = d_state.shape[1]
    for t in range(last - 1, first - 1, -1):
        h, d_h = memory[t + 1, :hidden].reshape(-1), d_state[0].reshape(-1)
        slope = slopes[t - first].reshape(-1)
        for k in range(len(h)):
            slope[k] = d_h[k] * (_ONE - h[k] * h[k])
        np.dot(back[t if len(back) > 1 else 0], slopes[t - first], d_state[0])
        _hear_outputs(d_state, recorded, d_outputs, t)


# -- LSTM -------------------------------------------------------------------------------------


@compiled
def lstm_forward(
    stacked: Array, memory: Array, gates: Array, cells: Array, squashed: Array
) -> None:
    """Run the LSTM.

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
        i, f, o = _sigmoid(gate_i[k]), _sigmoid(gate_f[k]), _sigmoid(gate_o[k])
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
    """Go back through the LSTM."""
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
        _hear_outputs(d_state, recorded, d_outputs, t)


@compiled
def _lstm_slopes(
    gate: Array, before: Array, squashed: Array, d_h: Array, d_c: Array, slope: Array
) -> None:
    n = len(d_h)
    gate_i, gate_f, gate_g, gate_o = gate[:n], gate[n : 2 * n], gate[2 * n : 3 * n], gate[3 * n :]
    by_i, by_f, by_g, by_o = slope[:n], slope[n : 2 * n], slope[2 * n : 3 * n], slope[3 * n :]
    for k in range(n):
        i, f, g, o, tanh_c = gate_i[k], gate_f[k], gate_g[k], gate_o[k], squashed[k]
        d = d_c[k] + d_h[k] * o * (_ONE - tanh_c * tanh_c)
        by_i[k] = d * g * i * (_ONE - i)
        by_f[k] = d * before[k] * f * (_ONE - f)
        by_g[k] = d * i * (_ONE - g * g)
        by_o[k] = d_h[k] * tanh_c * o * (_ONE - o)
        d_c[k] = d * f


# -- GRU --------------------------------------------------------------------------------------


@compiled
def gru_forward(
    stacked: Array, memory: Array, gates: Array, recurrent: Array, from_input: Array
) -> None:
    """Run the GRU.

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
        r, z = _sigmoid(gate_r[k]), _sigmoid(gate_z[k])
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
    """Go back through the GRU; the slopes are of r, z, n by its input side and by the other."""
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
        _hear_outputs(d_state, recorded, d_outputs, t)


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
        by_n = (d_h[k] - kept[k]) * (_ONE - n * n)
        by_r = by_n * r * (_ONE - r) * recurrent[k]
        by_z = (before[k] - n) * (_ONE - z) * kept[k]
        slope[k], slope[size + k] = by_r, by_z
        slope[2 * size + k], slope[3 * size + k] = by_n, by_n * r
        by_product[k], by_product[size + k], by_product[2 * size + k] = by_r, by_z, by_n * r
