"""Recurrent cells over batches of sequences, forward and backward: arrays in, arrays out.

Arrays are feature-major, (steps, features, batch): at every step one matrix product and a few
passes over contiguous memory serve the whole batch. State, input and a row of ones stand below
each other in one buffer, so that one product per step does for the recurrent weights, the input
weights and the bias; one product over all steps gives the gradients of all three.

Weights have an axis over time of length 1 (the same cell at every step) or of the number of steps
(a cell for each); input weights, recurrent weights and bias choose on their own. Everything is
computed in the type of the weights.

The cells are PyTorch's, with its order of the gates along the rows:

``rnn``
    h = tanh(W x + U h + b)
``lstm`` (i, f, g, o)
    c = f c + i g, h = o tanh(c); i, f, o are sigmoids of W x + U h + b and g is its tanh
``gru`` (r, z, n)
    n = tanh(W x + b + r (U h + b')), h = (1 - z) n + z h; r, z are sigmoids of W x + U h + b

Each gate has one bias, except n of the GRU, whose b and b' differ in effect: the rows of its bias
are r, z, b, b'. Sigmoids are computed as (1 + tanh(x / 2)) / 2, so that one call of tanh does for
all gates of a step.

A batch of unequal lengths is padded at the end. What happens past the end of a sequence reaches
neither its outputs nor a gradient, so no step needs a mask.

References
----------
Elman (1990). Finding structure in time. Cognitive Science 14.
Hochreiter and Schmidhuber (1997). Long short-term memory. Neural Computation 9.
Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. EMNLP.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import ParameterError

Array = NDArray[Any]
"""Of float32 or float64."""

_BLOCK = 8  # steps of the backward pass that are finished together: few, to stay in the cache,
_COLUMNS = 256  # but so many that the products over them are worth a call

N_GATES = {"rnn": 1, "lstm": 4, "gru": 3}
N_BIASES = {"rnn": 1, "lstm": 4, "gru": 4}
N_STATES = {"rnn": 1, "lstm": 2, "gru": 1}


class CellWeights(NamedTuple):
    """The weights of one cell, or their gradients.

    Parameters
    ----------
    input : ndarray, (1 or steps, gates * hidden, features)
        Called W above.
    recurrent : ndarray, (1 or steps, gates * hidden, hidden)
        Called U.
    bias : ndarray, (1 or steps, biases * hidden)
        Called b (and b').
    """

    input: Array
    recurrent: Array
    bias: Array


@dataclass
class Workspace:
    """Memory that is used again and again, since asking for it costs as much as filling it.

    One workspace serves one call after another, never two at a time.
    """

    _buffers: dict[str, Array] = field(default_factory=dict)

    def array(self, name: str, shape: tuple[int, ...], dtype: Any) -> Array:
        """Get an array, with anything in it; the last one of that name is no longer valid."""
        size = int(np.prod(shape))
        buffer = self._buffers.get(name)
        if buffer is None or buffer.size < size or buffer.dtype != dtype:
            buffer = self._buffers[name] = np.empty(size, dtype)
        return buffer[:size].reshape(shape)


@dataclass
class Tape:
    """What the backward pass needs to know of the forward pass.

    Parameters
    ----------
    cell : str
        Which kind.
    weights : CellWeights
        As given.
    stacked : ndarray, (1 or steps, rows, hidden + features + 1)
        Recurrent weights, input weights and bias side by side, in the kernel's own order and
        scale of rows.
    memory : ndarray, (steps + 1, hidden + features + 1, batch)
        State before each step over its input over ones.
    gates : ndarray, (steps, rows, batch)
        After the nonlinearity; for the LSTM i, f, o, g and below them c before the step.
    cell_state, squashed : ndarray or None
        Of the LSTM: c, (steps + 1, hidden, batch), and tanh(c), (steps, hidden, batch).
        Of the GRU: U h + b' in `squashed`.
    name : str
        Under which the workspace keeps the arrays.
    """

    cell: str
    weights: CellWeights
    stacked: Array
    memory: Array
    gates: Array
    cell_state: Array | None
    squashed: Array | None
    workspace: Workspace
    name: str


def run_forward(
    cell: str,
    weights: CellWeights,
    inputs: Array,
    initial: Array | None = None,
    *,
    workspace: Workspace | None = None,
    name: str = "cell",
) -> tuple[Array, Tape]:
    """Run a cell over a batch of sequences.

    Parameters
    ----------
    cell : {"rnn", "lstm", "gru"}
        Which.
    weights : CellWeights
        With time axes of length 1 or as long as the input.
    inputs : ndarray, (steps, features, batch) of float or (steps, batch) of int
        One column for each sequence. Integers are the place of the only 1 among zeros.
    initial : ndarray, (states, hidden, batch), optional
        h, and below it c of the LSTM; by default zeros.
    workspace : Workspace, optional
        For the arrays, which then are valid until the next call with the same name.
    name : str
        For the workspace.

    Returns
    -------
    outputs : ndarray, (steps, hidden, batch)
        h after every step. A view of the tape: do not write to it.
    tape : Tape
        For `run_backward` and `state_at`.

    Raises
    ------
    ParameterError
        Shapes do not fit together.
    """
    workspace = workspace or Workspace()
    _check(cell, weights, inputs, initial)
    steps, batch = len(inputs), inputs.shape[-1]
    hidden, features = weights.recurrent.shape[2], weights.input.shape[2]
    dtype = weights.recurrent.dtype
    memory = workspace.array(f"{name}.memory", (steps + 1, hidden + features + 1, batch), dtype)
    if inputs.ndim == 2:
        inputs = inputs[:, None] == np.arange(features, dtype=inputs.dtype)[:, None]
    memory[:steps, hidden:-1] = inputs
    memory[:, -1] = 1
    memory[0, :hidden] = 0 if initial is None else initial[0]
    stacked = _stack(cell, weights)
    rows = stacked.shape[1] + (hidden if cell == "lstm" else 0)  # c stands below the gates
    gates = workspace.array(f"{name}.gates", (steps + 1, rows, batch), dtype)[:steps]
    tape = Tape(cell, weights, stacked, memory, gates, None, None, workspace, name)
    if cell == "rnn":
        _rnn_forward(tape, hidden)
    elif cell == "lstm":
        _lstm_forward(tape, hidden, None if initial is None else initial[1])
    else:
        _gru_forward(tape, hidden)
    return memory[1:, :hidden], tape


def state_at(tape: Tape, step: Array) -> Array:
    """Read the state of each sequence after a number of steps, (states, hidden, batch).

    Parameters
    ----------
    tape : Tape
        Of a forward pass.
    step : ndarray of int, (batch,)
        0 is the initial state; the length of a sequence gives its last.
    """
    hidden = tape.weights.recurrent.shape[2]
    columns = np.arange(tape.memory.shape[2])
    states = [tape.memory[:, :hidden]]
    if tape.cell_state is not None:
        states.append(tape.cell_state)
    return np.stack([state[step, :, columns].T for state in states])


def run_backward(
    tape: Tape,
    d_outputs: Array,
    d_final: Array | None = None,
    *,
    want_inputs: bool = True,
    record: bool = False,
) -> tuple[CellWeights, Array | None, Array]:
    """Pull derivatives back through a forward pass.

    Parameters
    ----------
    tape : Tape
        Of the forward pass. It is used up: call once.
    d_outputs : ndarray, (steps, hidden, batch)
        Derivatives of a scalar by h after every step; 0 past the end of a sequence.
    d_final : ndarray, (states, hidden, batch), optional
        Derivatives by the state after the last step, in addition.
    want_inputs : bool, default True
        Whether to compute derivatives by the inputs.
    record : bool, default False
        Give the derivatives by the state before every step, not before the first alone.

    Returns
    -------
    gradient : CellWeights
        Derivatives by the weights, in their shapes.
    d_inputs : ndarray, (steps, features, batch), or None
        Derivatives by the inputs.
    d_states : ndarray, (states, hidden, batch) or (steps, states, hidden, batch)
        Derivatives by the initial state, or with `record` by the states before every step, not
        counting what `d_outputs` says of such a state itself.
    """
    run = {"rnn": _rnn_backward, "lstm": _lstm_backward, "gru": _gru_backward}[tape.cell]
    collector = _Collector(tape, want_inputs)
    d_states = run(tape, d_outputs, d_final, record, collector)
    return collector.gradient(), collector.d_inputs, d_states


# -- weights side by side -------------------------------------------------------------------


def _row_order(cell: str, hidden: int) -> Array:
    """Which of PyTorch's rows stands where in the kernel: sigmoids first, then the tanh."""
    rows = np.arange(N_GATES[cell] * hidden)
    if cell == "lstm":  # i, f, g, o to i, f, o, g
        return np.concatenate(
            [rows[: 2 * hidden], rows[3 * hidden :], rows[2 * hidden : 3 * hidden]]
        )
    return rows


def _row_scale(cell: str, hidden: int, dtype: Any) -> Array:
    scale = np.ones((N_GATES[cell] * hidden, 1), dtype)
    scale[: {"rnn": 0, "lstm": 3, "gru": 2}[cell] * hidden] = 0.5  # sigmoids, see the module's head
    return scale


def _stack(cell: str, weights: CellWeights) -> Array:
    """Put U, W and b side by side: (1 or steps, rows, hidden + features + 1).

    In the rows of n of the GRU there stand U, 0 and b', since W x + b is not multiplied by r.
    """
    steps = max(len(part) for part in weights)
    rows, hidden = weights.recurrent.shape[1:]
    features = weights.input.shape[2]
    stacked = np.empty((steps, rows, hidden + features + 1), weights.recurrent.dtype)
    stacked[:, :, :hidden] = weights.recurrent
    stacked[:, :, hidden:-1] = weights.input
    if cell == "gru":
        stacked[:, 2 * hidden :, hidden:-1] = 0
        stacked[:, : 2 * hidden, -1] = weights.bias[:, : 2 * hidden]
        stacked[:, 2 * hidden :, -1] = weights.bias[:, 3 * hidden :]
    else:
        stacked[:, :, -1] = weights.bias
    if cell == "lstm":
        stacked = stacked[:, _row_order(cell, hidden)]
    stacked *= _row_scale(cell, hidden, stacked.dtype)
    return stacked


def _candidate_stack(weights: CellWeights) -> Array:
    """W and b of n of the GRU side by side: (1 or steps, hidden, features + 1)."""
    hidden = weights.recurrent.shape[2]
    steps = max(len(weights.input), len(weights.bias))
    stacked = np.empty((steps, hidden, weights.input.shape[2] + 1), weights.input.dtype)
    stacked[:, :, :-1] = weights.input[:, 2 * hidden :]
    stacked[:, :, -1] = weights.bias[:, 2 * hidden : 3 * hidden]
    return stacked


class _Collector:
    """Turns slopes into gradients a few steps at a time, while they are in the cache.

    Slopes, (steps, rows, batch), are derivatives by W x + U h + b, in PyTorch's order of rows; for
    the GRU four blocks: r, z, n by its input side, n by its recurrent side.
    """

    def __init__(self, tape: Tape, want_inputs: bool) -> None:
        self.tape = tape
        self.weights = tape.weights
        steps, _, batch = tape.gates.shape
        dtype = tape.gates.dtype
        hidden, features = self.weights.recurrent.shape[2], self.weights.input.shape[2]
        self.rows = (4 if tape.cell == "gru" else N_GATES[tape.cell]) * hidden
        self.n_steps = min(steps, max(_BLOCK, _COLUMNS // max(batch, 1)))
        self.slopes = tape.workspace.array("slopes", (self.n_steps, self.rows, batch), dtype)
        self.d_inputs = np.empty((steps, features, batch), dtype) if want_inputs else None
        self.is_tied = all(len(part) == 1 for part in self.weights)
        width = tape.memory.shape[1]
        n_products = 1 if self.is_tied else steps
        self.products = np.zeros((n_products, self.rows, width), dtype)

    def blocks(self, steps: int) -> Iterator[tuple[int, int]]:
        """Give the first and the last step (exclusive) of every block, from the end."""
        for first in range((steps - 1) // self.n_steps * self.n_steps, -1, -self.n_steps):
            yield first, min(first + self.n_steps, steps)

    def collect(self, first: int, last: int) -> None:
        """Take the slopes of a block, which stand at the beginning of `slopes`."""
        slopes, memory = self.slopes[: last - first], self.tape.memory[first:last]
        if self.is_tied:
            left, right = self._folded("left", slopes), self._folded("right", memory)
            self.products[0] += left @ right.T
        else:
            np.matmul(slopes, memory.transpose(0, 2, 1), out=self.products[first:last])
        if self.d_inputs is not None:
            rows = self.weights.input.shape[1]
            given = self.weights.input
            used = given[first:last] if len(given) > 1 else given
            np.matmul(used.transpose(0, 2, 1), slopes[:, :rows], out=self.d_inputs[first:last])

    def _folded(self, name: str, values: Array) -> Array:
        """Bring (steps, rows, batch) into the form (rows, steps * batch)."""
        steps, rows, batch = values.shape
        folded = self.tape.workspace.array(f"{name}.folded", (rows, steps, batch), values.dtype)
        folded[...] = values.transpose(1, 0, 2)
        return folded.reshape(rows, steps * batch)

    def gradient(self) -> CellWeights:
        """Give derivatives by the weights, summed over the steps that share them."""
        hidden, features = self.weights.recurrent.shape[2], self.weights.input.shape[2]
        recurrent = self.products[:, :, :hidden]
        by_input = self.products[:, :, hidden : hidden + features]
        bias = self.products[:, :, -1]
        if self.tape.cell == "gru":
            by_input = by_input[:, : 3 * hidden]
            recurrent = np.concatenate(
                [recurrent[:, : 2 * hidden], recurrent[:, 3 * hidden :]], axis=1
            )
        return CellWeights(
            *(
                part.sum(axis=0, keepdims=True) if len(given) == 1 < len(part) else part
                for part, given in zip((by_input, recurrent, bias), self.weights, strict=True)
            )
        )


# -- the three cells ------------------------------------------------------------------------


def _rnn_forward(tape: Tape, hidden: int) -> None:
    stacked, memory = tape.stacked, tape.memory
    for t in range(len(tape.gates)):
        state = memory[t + 1, :hidden]
        np.matmul(stacked[t if len(stacked) > 1 else 0], memory[t], state)
        np.tanh(state, state)


def _rnn_backward(
    tape: Tape, d_outputs: Array, d_final: Array | None, record: bool, collector: _Collector
) -> Array:
    steps, rows, _ = tape.gates.shape
    states = tape.memory[1:, :rows]
    np.multiply(states, states, tape.gates)
    np.subtract(1, tape.gates, tape.gates)
    back = np.ascontiguousarray(tape.weights.recurrent.transpose(0, 2, 1))
    d_state = d_outputs[-1].copy() if d_final is None else d_outputs[-1] + d_final[0]
    recorded = np.empty((steps, 1, *d_state.shape), d_state.dtype) if record else None
    for first, last in collector.blocks(steps):
        for t in range(last - 1, first - 1, -1):
            slope = collector.slopes[t - first]
            np.multiply(d_state, tape.gates[t], slope)
            np.matmul(back[t if len(back) > 1 else 0], slope, d_state)
            if recorded is not None:
                recorded[t, 0] = d_state
            if t:
                d_state += d_outputs[t - 1]
        collector.collect(first, last)
    return d_state[None] if recorded is None else recorded


def _lstm_forward(tape: Tape, hidden: int, initial: Array | None) -> None:
    stacked, memory = tape.stacked, tape.memory
    steps, rows, batch = tape.gates.shape
    dtype = tape.gates.dtype
    squashed = tape.workspace.array(f"{tape.name}.tanh", (steps, hidden, batch), dtype)
    # The same memory, with one more step for the last c. In rows i, f, o, g, c one product of
    # (i, f) with (g, c) gives both parts of the new c.
    gates = tape.workspace.array(f"{tape.name}.gates", (steps + 1, rows, batch), dtype)
    tape.cell_state, tape.squashed = gates[:, 4 * hidden :], squashed
    gates[0, 4 * hidden :] = 0 if initial is None else initial
    products = np.empty((2 * hidden, batch), dtype)
    remembered, written = products[hidden:], products[:hidden]
    half = np.array(0.5, dtype)  # an array, since a number would be made one in every call
    for t in range(steps):
        gate, c, tanh_c = gates[t], gates[t + 1, 4 * hidden :], squashed[t]
        activations, sigmoids = gate[: 4 * hidden], gate[: 3 * hidden]
        np.matmul(stacked[t if len(stacked) > 1 else 0], memory[t], activations)
        np.tanh(activations, activations)
        np.multiply(sigmoids, half, sigmoids)
        np.add(sigmoids, half, sigmoids)
        np.multiply(gate[: 2 * hidden], gate[3 * hidden :], products)
        np.add(remembered, written, c)
        np.tanh(c, tanh_c)
        np.multiply(gate[2 * hidden : 3 * hidden], tanh_c, memory[t + 1, :hidden])


def _lstm_backward(
    tape: Tape, d_outputs: Array, d_final: Array | None, record: bool, collector: _Collector
) -> Array:
    gates, tanh_c = tape.gates, tape.squashed
    if tanh_c is None:
        raise ParameterError("the tape is not of an LSTM")
    steps, _, batch = gates.shape
    hidden = tape.weights.recurrent.shape[2]
    rows = 4 * hidden
    dtype = gates.dtype
    local = tape.workspace.array("local", (collector.n_steps, rows, batch), dtype)
    through = tape.workspace.array("through", (collector.n_steps, hidden, batch), dtype)
    back = np.ascontiguousarray(tape.weights.recurrent.transpose(0, 2, 1))
    d_h = d_outputs[-1].copy() if d_final is None else d_outputs[-1] + d_final[0]
    d_c = np.zeros((hidden, batch), dtype) if d_final is None else d_final[1].copy()
    product = np.empty((hidden, batch), dtype)
    near_c, slope_c = (  # what stands between c and the gates i, f, g
        array[:, : 3 * hidden].reshape(-1, 3, hidden, batch) for array in (local, collector.slopes)
    )
    recorded = np.empty((steps, 2, hidden, batch), dtype) if record else None
    for first, last in collector.blocks(steps):
        _lstm_slopes(gates[first:last], tanh_c[first:last], local, through, hidden)
        for t in range(last - 1, first - 1, -1):
            near, slope = local[t - first], collector.slopes[t - first]
            np.multiply(d_h, through[t - first], product)
            d_c += product
            # The order of the slopes is PyTorch's: i, f, g, o.
            np.multiply(near_c[t - first], d_c, slope_c[t - first])
            np.multiply(near[3 * hidden :], d_h, slope[3 * hidden :])
            d_c *= gates[t, hidden : 2 * hidden]
            np.matmul(back[t if len(back) > 1 else 0], slope, d_h)
            if recorded is not None:
                recorded[t, 0], recorded[t, 1] = d_h, d_c
            if t:
                d_h += d_outputs[t - 1]
        collector.collect(first, last)
    return np.stack([d_h, d_c]) if recorded is None else recorded


def _lstm_slopes(gates: Array, tanh_c: Array, local: Array, through: Array, hidden: int) -> None:
    """Differentiate c by the pre-activations of i, f, g; h by that of o, and by c (`through`)."""
    n = len(gates)
    one = np.ones((), gates.dtype)
    both, o = gates[:, : 2 * hidden], gates[:, 2 * hidden : 3 * hidden]
    i, g = gates[:, :hidden], gates[:, 3 * hidden : 4 * hidden]
    by_both, by_g = local[:n, : 2 * hidden], local[:n, 2 * hidden : 3 * hidden]
    by_o, near = local[:n, 3 * hidden :], through[:n]
    np.subtract(one, both, by_both)  # i and f: sigmoid (1 - sigmoid) times g and c
    by_both *= both
    by_both *= gates[:, 3 * hidden :]
    np.subtract(one, o, by_o)
    by_o *= o
    by_o *= tanh_c
    np.multiply(g, g, by_g)
    np.subtract(one, by_g, by_g)
    by_g *= i
    np.multiply(tanh_c, tanh_c, near)
    np.subtract(one, near, near)
    near *= o


def _gru_forward(tape: Tape, hidden: int) -> None:
    stacked, memory, gates = tape.stacked, tape.memory, tape.gates
    steps, _, batch = gates.shape
    dtype = gates.dtype
    recurrent_part = tape.workspace.array(f"{tape.name}.un", (steps, hidden, batch), dtype)
    tape.squashed = recurrent_part
    from_input = np.matmul(_candidate_stack(tape.weights), memory[:-1, hidden:])
    half = np.array(0.5, dtype)  # an array, since a number would be made one in every call
    for t in range(steps):
        gate, before, after = gates[t], memory[t, :hidden], memory[t + 1, :hidden]
        np.matmul(stacked[t if len(stacked) > 1 else 0], memory[t], gate)
        sigmoids, candidate = gate[: 2 * hidden], gate[2 * hidden :]
        recurrent_part[t] = candidate
        np.tanh(sigmoids, sigmoids)
        sigmoids *= half
        sigmoids += half
        candidate *= gate[:hidden]
        candidate += from_input[t]
        np.tanh(candidate, candidate)
        np.subtract(before, candidate, after)
        after *= gate[hidden : 2 * hidden]
        after += candidate


def _gru_backward(
    tape: Tape, d_outputs: Array, d_final: Array | None, record: bool, collector: _Collector
) -> Array:
    gates, recurrent_part = tape.gates, tape.squashed
    if recurrent_part is None:
        raise ParameterError("the tape is not of a GRU")
    steps, rows, batch = gates.shape
    hidden = rows // 3
    dtype = gates.dtype
    back = np.ascontiguousarray(tape.weights.recurrent.transpose(0, 2, 1))
    d_h = d_outputs[-1].copy() if d_final is None else d_outputs[-1] + d_final[0]
    recorded = np.empty((steps, 1, hidden, batch), dtype) if record else None
    recurrent_slopes = np.empty((3 * hidden, batch), dtype)
    product = np.empty((hidden, batch), dtype)
    kept = np.empty((hidden, batch), dtype)
    one = np.ones((), dtype)
    for first, last in collector.blocks(steps):
        for t in range(last - 1, first - 1, -1):
            slope = collector.slopes[t - first]
            r, z, n = (gates[t, k * hidden : (k + 1) * hidden] for k in range(3))
            by_r, by_z, by_n, by_un = (slope[k * hidden : (k + 1) * hidden] for k in range(4))
            np.multiply(d_h, z, kept)
            np.multiply(n, n, by_n)  # by n: d (1 - z) (1 - n^2)
            np.subtract(one, by_n, by_n)
            np.subtract(d_h, kept, product)
            by_n *= product
            np.subtract(tape.memory[t, :hidden], n, by_z)  # by z: d (h - n) z (1 - z)
            np.subtract(one, z, product)
            by_z *= product
            by_z *= kept
            np.multiply(by_n, r, by_un)
            np.subtract(one, r, by_r)  # by r: by_n (U h + b') r (1 - r)
            by_r *= by_un
            by_r *= recurrent_part[t]
            recurrent_slopes[: 2 * hidden] = slope[: 2 * hidden]
            recurrent_slopes[2 * hidden :] = by_un
            np.matmul(back[t if len(back) > 1 else 0], recurrent_slopes, d_h)
            d_h += kept
            if recorded is not None:
                recorded[t, 0] = d_h
            if t:
                d_h += d_outputs[t - 1]
        collector.collect(first, last)
    return d_h[None] if recorded is None else recorded


# -- what runs in both directions needs -----------------------------------------------------


def reversal(lengths: Array, steps: int) -> Array:
    """Index that turns every sequence of a padded batch around in its place, (steps, batch).

    Its own inverse. What lies past the end stays.
    """
    step = np.arange(steps)[:, None]
    return np.where(step < lengths, lengths - 1 - step, step)


def turned(values: Array, index: Array) -> Array:
    """Apply `reversal` to an array (steps, features, batch)."""
    result: Array = np.take_along_axis(values, index[:, None, :], axis=0)
    return result


def _check(cell: str, weights: CellWeights, inputs: Array, initial: Array | None) -> None:
    if cell not in N_GATES:
        raise ParameterError(f"there is no cell {cell!r}; choose one of {', '.join(N_GATES)}")
    steps, batch = len(inputs), inputs.shape[-1]
    hidden = weights.recurrent.shape[2]
    features = weights.input.shape[2] if inputs.ndim == 2 else inputs.shape[1]
    rows = N_GATES[cell] * hidden
    wanted = ((rows, features), (rows, hidden), (N_BIASES[cell] * hidden,))
    for name, part, shape in zip(CellWeights._fields, weights, wanted, strict=True):
        if part.shape[1:] != shape or len(part) not in (1, steps):
            raise ParameterError(
                f"the {name} weights of the {cell} have shape {part.shape}; for {steps} steps of "
                f"{features} features and {hidden} units it is {(1, *shape)} or {(steps, *shape)}"
            )
    if initial is not None and initial.shape != (N_STATES[cell], hidden, batch):
        raise ParameterError(
            f"the initial state has shape {initial.shape}; make it "
            f"{(N_STATES[cell], hidden, batch)}"
        )
