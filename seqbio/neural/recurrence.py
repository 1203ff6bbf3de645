"""Recurrent cells over batches of sequences, forward and backward: arrays in, arrays out.

Arrays are feature-major, (steps, features, batch): at every step one matrix product and a few
passes over contiguous memory serve the whole batch. State, input and a row of ones stand below
each other in one buffer, so that one product per step does for the recurrent weights, the input
weights and the bias; one product over all steps gives the gradients of all three.

Weights have an axis over time of length 1 (the same cell at every step) or of the number of steps
(a cell for each); input weights W, recurrent weights U and bias b choose on their own. Everything
is computed in the type of the weights.

What a cell is, `Cell` says; the cells themselves are in `seqbio.neural.cells`.

A batch of unequal lengths is padded at the end. What happens past the end of a sequence reaches
neither its outputs nor a gradient, so no step needs a mask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from seqbio.errors import ParameterError
from seqbio.neural.workspace import Array, Workspace

_BLOCK = 8  # steps of the backward pass that are finished together: few, to stay in the cache,
_COLUMNS = 256  # but so many that the products over them are worth a call


class CellWeights(NamedTuple):
    """The weights of one cell, or their gradients.

    Parameters
    ----------
    input : ndarray, (1 or steps, gates * hidden, features)
        W.
    recurrent : ndarray, (1 or steps, gates * hidden, hidden)
        U.
    bias : ndarray, (1 or steps, biases * hidden)
        b, and b' of gates apart.
    """

    input: Array
    recurrent: Array
    bias: Array


@dataclass
class Tape:
    """What the backward pass needs to know of the forward pass.

    Parameters
    ----------
    cell : Cell
        Which.
    weights : CellWeights
        As given.
    memory : ndarray, (steps + 1, hidden + features + 1, batch)
        State h before each step over its input over ones.
    kept : dict of str to ndarray
        What the cell keeps, (steps, rows, batch), and its other states, (steps + 1, hidden, batch).
    from_input : ndarray, (steps, rows apart, batch)
        W x + b of the gates whose two sides stand apart.
    workspace : Workspace
        That the arrays are from.
    name : str
        Under which it keeps them.
    """

    cell: Cell
    weights: CellWeights
    memory: Array
    kept: dict[str, Array]
    from_input: Array
    workspace: Workspace
    name: str


@dataclass(frozen=True, eq=False)
class Cell:
    """A rule by which a state and an input give the next state, declared.

    Rows of weights, biases and gates are in PyTorch's order.

    Parameters
    ----------
    name : str
        What it is called: the name of its module.
    gates : tuple of str
        Blocks of rows that weights and gates have, of as many rows as the state.
    forward : callable
        ``forward(stacked, tape)`` takes all steps, and fills the tape's memory and what is kept.
        The memory has the first h, all inputs, and ones. ``stacked``, (1 or steps, rows, hidden +
        features + 1), is to be multiplied with it: U, W and b side by side; in the rows of gates
        apart U, 0 and b'.
    backward : callable
        ``backward(back, tape, d_outputs, d_state, slopes, recorded, first, last)`` goes back over
        the steps from `last` - 1 down to `first`. ``back``, (1 or steps, hidden, rows), are
        recurrent weights, transposed; ``d_outputs``, (steps, hidden, batch), derivatives by the
        outputs; ``d_state``, (states, hidden, batch), those by the state after step `last`, to be
        turned into those before step `first`. ``slopes``, (last - first, blocks of biases * hidden,
        batch), it fills with derivatives by W x + U h + b; for gates apart, with those by their
        input side, and below all others by their recurrent side; and ``recorded``, (steps or 0,
        states, hidden, batch), if there is room, with those by the state before every step.
    states : tuple of str
        Of what a state consists: h, which is the output, comes first.
    kept : mapping of str to int
        Names of the arrays for the way back, and how many times the rows of the state they have.
    apart : tuple of str
        The last of the gates, where W x + b and U h + b' do more than add up. Each has two biases:
        those of all gates come first, then these b'.
    initial_bias : mapping of str to float
        What the biases of gates begin with where it is not 0.
    """

    name: str
    gates: tuple[str, ...]
    forward: Callable[[Array, Tape], None]
    backward: Callable[[Array, Tape, Array, Array, Array, Array, int, int], None]
    states: tuple[str, ...] = ("h",)
    kept: Mapping[str, int] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    initial_bias: Mapping[str, float] = field(default_factory=dict)

    @property
    def n_biases(self) -> int:
        """How many blocks of biases there are."""
        return len(self.gates) + len(self.apart)

    def start_bias(self, hidden: int) -> Array:
        """Give the biases to begin with, (n_biases * hidden,)."""
        values = [self.initial_bias.get(gate, 0.0) for gate in (*self.gates, *self.apart)]
        return np.repeat(values, hidden)


def run_forward(
    cell: Cell,
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
    cell : Cell
        Which.
    weights : CellWeights
        With time axes of length 1 or as long as the input.
    inputs : ndarray, (steps, features, batch) of float or (steps, batch) of int
        One column for each sequence. Integers are the place of the only 1 among zeros.
    initial : ndarray, (states, hidden, batch), optional
        By default zeros.
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

    def room(part: str, steps: int, rows: int) -> Array:
        return workspace.array(f"{name}.{part}", (steps, rows, batch), dtype)

    memory = room("memory", steps + 1, hidden + features + 1)
    if inputs.ndim == 2:
        inputs = inputs[:, None] == np.arange(features, dtype=inputs.dtype)[:, None]
    memory[:steps, hidden:-1] = inputs
    memory[:, -1] = 1
    memory[0, :hidden] = 0 if initial is None else initial[0]
    kept = {part: room(part, steps, times * hidden) for part, times in cell.kept.items()}
    for index, state in enumerate(cell.states[1:], start=1):
        kept[state] = room(state, steps + 1, hidden)
        kept[state][0] = 0 if initial is None else initial[index]
    from_input = np.empty((0, 0, 0), dtype)
    if cell.apart:
        from_input = np.matmul(_stack_apart(cell, weights), memory[:-1, hidden:])
    tape = Tape(cell, weights, memory, kept, from_input, workspace, name)
    cell.forward(_stack(cell, weights), tape)
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
    states = [tape.memory[:, :hidden], *(tape.kept[name] for name in tape.cell.states[1:])]
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
    collector = _Collector(tape, want_inputs)
    back = np.ascontiguousarray(tape.weights.recurrent.transpose(0, 2, 1))
    d_outputs = np.ascontiguousarray(d_outputs)
    steps, hidden, batch = d_outputs.shape
    d_state = np.zeros((len(tape.cell.states), hidden, batch), d_outputs.dtype)
    d_state[0] = d_outputs[-1]
    if d_final is not None:
        d_state += d_final
    recorded = np.empty((steps if record else 0, *d_state.shape), d_state.dtype)
    for first, last in collector.blocks(steps):
        slopes = collector.slopes
        tape.cell.backward(back, tape, d_outputs, d_state, slopes, recorded, first, last)
        collector.collect(first, last)
    return collector.gradient(), collector.d_inputs, recorded if record else d_state


# -- weights side by side -------------------------------------------------------------------


def _stack(cell: Cell, weights: CellWeights) -> Array:
    """Put U, W and b side by side: (1 or steps, rows, hidden + features + 1).

    In the rows of gates apart there stand U, 0 and b'.
    """
    steps = max(len(part) for part in weights)
    rows, hidden = weights.recurrent.shape[1:]
    together = rows - len(cell.apart) * hidden
    stacked = np.empty((steps, rows, hidden + weights.input.shape[2] + 1), weights.recurrent.dtype)
    stacked[:, :, :hidden] = weights.recurrent
    stacked[:, :together, hidden:-1] = weights.input[:, :together]
    stacked[:, together:, hidden:-1] = 0
    stacked[:, :together, -1] = weights.bias[:, :together]
    stacked[:, together:, -1] = weights.bias[:, rows:]
    return stacked


def _stack_apart(cell: Cell, weights: CellWeights) -> Array:
    """Put W and b of gates apart side by side: (1 or steps, rows apart, features + 1)."""
    rows, hidden = weights.recurrent.shape[1:]
    together = rows - len(cell.apart) * hidden
    steps = max(len(weights.input), len(weights.bias))
    stacked = np.empty((steps, rows - together, weights.input.shape[2] + 1), weights.input.dtype)
    stacked[:, :, :-1] = weights.input[:, together:]
    stacked[:, :, -1] = weights.bias[:, together:rows]
    return stacked


class _Collector:
    """Turns slopes into gradients a few steps at a time, while they are in the cache."""

    def __init__(self, tape: Tape, want_inputs: bool) -> None:
        self.tape = tape
        self.weights = tape.weights
        steps, batch = len(tape.memory) - 1, tape.memory.shape[2]
        dtype = tape.memory.dtype
        hidden, features = self.weights.recurrent.shape[2], self.weights.input.shape[2]
        self.rows = tape.cell.n_biases * hidden
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
        if self.tape.cell.apart:
            rows = self.weights.input.shape[1]
            together = rows - len(self.tape.cell.apart) * hidden
            by_input = by_input[:, :rows]
            recurrent = np.concatenate([recurrent[:, :together], recurrent[:, rows:]], axis=1)
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


def reverse(values: Array, index: Array) -> Array:
    """Apply `reversal` to an array (steps, features, batch), or to codes (steps, batch)."""
    result: Array = np.take_along_axis(values, index if values.ndim == 2 else index[:, None], 0)
    return result


def _check(cell: Cell, weights: CellWeights, inputs: Array, initial: Array | None) -> None:
    steps, batch = len(inputs), inputs.shape[-1]
    hidden = weights.recurrent.shape[2]
    features = weights.input.shape[2] if inputs.ndim == 2 else inputs.shape[1]
    rows = len(cell.gates) * hidden
    wanted = ((rows, features), (rows, hidden), (cell.n_biases * hidden,))
    for name, part, shape in zip(CellWeights._fields, weights, wanted, strict=True):
        if part.shape[1:] != shape or len(part) not in (1, steps):
            raise ParameterError(
                f"the {name} weights of the {cell.name} have shape {part.shape}; for {steps} steps "
                f"of {features} features and {hidden} units it is {(1, *shape)} or "
                f"{(steps, *shape)}"
            )
    state = (len(cell.states), hidden, batch)
    if initial is not None and initial.shape != state:
        raise ParameterError(f"the initial state has shape {initial.shape}; make it {state}")
