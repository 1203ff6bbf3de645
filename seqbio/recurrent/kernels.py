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
are r, z, b, b'.

A batch of unequal lengths is padded at the end. What happens past the end of a sequence reaches
neither its outputs nor a gradient, so no step needs a mask.

References
----------
Elman (1990). Finding structure in time. Cognitive Science 14.
Hochreiter and Schmidhuber (1997). Long short-term memory. Neural Computation 9.
Cho et al. (2014). Learning phrase representations using RNN encoder-decoder. EMNLP.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
        Recurrent weights, input weights and bias side by side.
    memory : ndarray, (steps + 1, hidden + features + 1, batch)
        State before each step over its input over ones.
    kept : tuple of ndarray
        Of the LSTM: the gates, c and tanh(c); of the others `memory`, and of the GRU the gates and
        U h + b' of n. See `seqbio.recurrent.cell_kernels`.
    name : str
        Under which the workspace keeps the arrays.
    """

    cell: str
    weights: CellWeights
    stacked: Array
    memory: Array
    kept: tuple[Array, ...]
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
    from seqbio.recurrent import cell_kernels

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

    def room(part: str, steps: int, rows: int) -> Array:
        return workspace.array(f"{name}.{part}", (steps, rows, batch), dtype)

    if cell == "rnn":
        kept: tuple[Array, ...] = (memory,)
        cell_kernels.rnn_forward(stacked, memory, np.empty((hidden, batch), dtype))
    elif cell == "lstm":
        cells = room("cells", steps + 1, hidden)
        cells[0] = 0 if initial is None else initial[1]
        kept = (room("gates", steps, 4 * hidden), cells, room("tanh", steps, hidden))
        cell_kernels.lstm_forward(stacked, memory, *kept)
    else:
        kept = (memory, room("gates", steps, 3 * hidden), room("un", steps, hidden))
        from_input = np.matmul(_candidate_stack(weights), memory[:-1, hidden:])
        cell_kernels.gru_forward(stacked, *kept, from_input)
    tape = Tape(cell, weights, stacked, memory, kept, workspace, name)
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
    if tape.cell == "lstm":
        states.append(tape.kept[1])
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
    from seqbio.recurrent import cell_kernels

    run: Callable[..., None] = getattr(cell_kernels, f"{tape.cell}_backward")
    collector = _Collector(tape, want_inputs)
    back = np.ascontiguousarray(tape.weights.recurrent.transpose(0, 2, 1))
    d_outputs = np.ascontiguousarray(d_outputs)
    steps, hidden, batch = d_outputs.shape
    d_state = np.zeros((N_STATES[tape.cell], hidden, batch), d_outputs.dtype)
    d_state[0] = d_outputs[-1]
    if d_final is not None:
        d_state += d_final
    recorded = np.empty((steps if record else 0, *d_state.shape), d_state.dtype)
    for first, last in collector.blocks(steps):
        run(back, *tape.kept, d_outputs, d_state, collector.slopes, recorded, first, last)
        collector.collect(first, last)
    return collector.gradient(), collector.d_inputs, recorded if record else d_state


# -- weights side by side -------------------------------------------------------------------


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
        steps, batch = len(tape.memory) - 1, tape.memory.shape[2]
        dtype = tape.memory.dtype
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
