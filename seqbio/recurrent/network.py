"""A stack of recurrent cells between symbols and logits, forward and backward.

Pure functions over named blocks of weights; `Architecture` says which blocks there are. Arrays
are feature-major, (steps, features, batch), as in the kernels.

Symbols are the K letters of an alphabet, the boundary of a sequence (code K: what stands before
the first letter, and what follows the last), and ambiguity codes (K + 1 ...), which are read as
the average of the letters they stand for, both as input and as what is predicted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from seqbio.core import Layout
from seqbio.errors import ParameterError
from seqbio.neural.cells import get_cell
from seqbio.neural.dense import dense, dense_gradient
from seqbio.neural.dropout import dropout_mask
from seqbio.neural.embedding import embed, embedding_gradient
from seqbio.neural.initial_weights import glorot, orthogonal
from seqbio.neural.recurrence import (
    CellWeights,
    Tape,
    reversal,
    reverse,
    run_backward,
    run_forward,
    state_at,
)
from seqbio.neural.workspace import Array, Workspace

Codes = NDArray[np.integer[Any]]
Blocks = dict[str, Array]
Task = Literal["next", "class"]


@dataclass(frozen=True)
class Architecture:
    """The shape of a network, from which the names and shapes of its weights follow.

    Parameters
    ----------
    cell : str
        What the layers are made of, see `seqbio.neural.cells`.
    n_symbols : int
        Letters and the boundary.
    n_outputs : int
        Logits of each step ("next": one for each symbol, or for each letter where the end of a
        sequence is not predicted) or of each sequence ("class").
    hidden_size, n_layers : int
        Units of each layer (and direction), and layers.
    task : {"next", "class"}
        Whether each step predicts the next symbol, or the last state a class.
    bidirectional : bool
        A second cell reads every sequence backwards; for classes only.
    embedding_size : int or None
        Letters are first turned into vectors of this size; None feeds them in as they are, one
        input for each symbol.
    steps : int or None
        Length of the axes over time; None for weights that are the same at every step.
    """

    cell: str
    n_symbols: int
    n_outputs: int
    hidden_size: int
    n_layers: int = 1
    task: Task = "next"
    bidirectional: bool = False
    embedding_size: int | None = None
    steps: int | None = None

    def __post_init__(self) -> None:
        get_cell(self.cell)
        if self.task not in ("next", "class"):
            raise ParameterError(f"task is {self.task!r}; choose 'next' or 'class'")
        for name in ("hidden_size", "n_layers", "embedding_size", "steps"):
            value = getattr(self, name)
            if value is None and name in ("embedding_size", "steps"):
                continue
            if not isinstance(value, (int, np.integer)) or value < 1:
                raise ParameterError(f"{name} is {value!r}; give an integer of 1 or more")
        if self.bidirectional and self.task == "next":
            raise ParameterError(
                "a bidirectional network sees the next symbol before it predicts it; use it for "
                "classes (--label; task='class'), or leave --bidirectional (bidirectional) off"
            )

    @property
    def n_ends(self) -> int:
        """How many steps a sequence has beyond its letters: 1 where its end is predicted."""
        return int(self.task == "next" and self.n_outputs == self.n_symbols)

    @property
    def directions(self) -> tuple[str, ...]:
        """Names of the directions in which each layer reads."""
        return ("forward", "reverse") if self.bidirectional else ("forward",)

    def cells(self) -> list[tuple[int, str]]:
        """All cells: the number of their layer, from 0, and their direction."""
        return [(layer, d) for layer in range(self.n_layers) for d in self.directions]

    def n_features(self, layer: int) -> int:
        """How many inputs the cells of a layer have."""
        if layer:
            return self.hidden_size * len(self.directions)
        return self.embedding_size or self.n_symbols

    def layout(self) -> Layout:
        """Name all weights."""
        cell, time, hidden = get_cell(self.cell), self.steps or 1, self.hidden_size
        shapes: dict[str, tuple[int, ...]] = {}
        if self.embedding_size:
            shapes["embedding"] = (self.n_symbols, self.embedding_size)
        rows = len(cell.gates) * hidden
        for layer, direction in self.cells():
            name = f"layer{layer}.{direction}"
            shapes[f"{name}.input"] = (time, rows, self.n_features(layer))
            shapes[f"{name}.recurrent"] = (time, rows, hidden)
            shapes[f"{name}.bias"] = (time, cell.n_biases * hidden)
        readout_time = time if self.task == "next" else 1
        width = hidden * len(self.directions)
        shapes["readout.weight"] = (readout_time, self.n_outputs, width)
        shapes["readout.bias"] = (readout_time, self.n_outputs)
        return Layout(shapes)


@dataclass
class NetworkTape:
    """What the backward pass needs to know of the forward pass."""

    codes: Codes
    lengths: Codes
    membership: Array
    tapes: dict[tuple[int, str], Tape]
    outputs: Array  # (steps, features, batch) of the last layer; (1, features, batch) for classes
    dropped: list[Array | None]  # masks between the layers
    order: Codes | None
    workspace: Workspace


def start_blocks(architecture: Architecture, generator: np.random.Generator) -> Blocks:
    """Draw weights to start from, the same for every step.

    Input and readout weights are Glorot's; the recurrent matrix of each gate is orthogonal; biases
    are 0 but where the cell says otherwise. See `seqbio.neural.initial_weights`.
    """
    cell, hidden = get_cell(architecture.cell), architecture.hidden_size
    blocks = {}
    for name, shape in architecture.layout().shapes.items():
        if name.endswith("recurrent"):
            value = orthogonal(generator, len(cell.gates), hidden).reshape(shape[1:])
        elif name == "readout.bias":
            value = np.zeros(shape[1:])
        elif name.endswith("bias"):
            value = cell.start_bias(hidden)
        elif name == "embedding":
            value = glorot(generator, shape, shape[0])
        else:
            value = glorot(generator, shape[1:], hidden if name.endswith("input") else shape[1])
        blocks[name] = np.broadcast_to(value, shape).copy()
    return blocks


def forward(
    architecture: Architecture,
    blocks: Blocks,
    codes: Codes,
    lengths: Codes,
    *,
    membership: Array,
    initial: list[Array] | None = None,
    first_step: int = 0,
    dropout: float = 0.0,
    generator: np.random.Generator | None = None,
    workspace: Workspace | None = None,
) -> tuple[Array, NetworkTape]:
    """Compute the logits of a padded batch.

    Parameters
    ----------
    architecture : Architecture
        Of the network.
    blocks : dict of str to ndarray
        Its weights, all of one type, which is the type of the result.
    codes : ndarray of int, (steps, batch)
        Input symbols; anything past the end of a sequence.
    lengths : ndarray of int, (batch,)
        How many steps of each column count.
    membership : ndarray, (n_codes, n_symbols)
        What each code stands for.
    initial : list of ndarray, optional
        State of each layer to go on from, as `final_states` gives; for one direction.
    first_step : int
        Number of the first step, for weights that differ between steps.
    dropout : float
        Share of the features between two layers that is set to 0 and made up for by the others;
        needs the generator.
    generator : numpy.random.Generator, optional
        For dropout.
    workspace : Workspace, optional
        See `run_forward`.

    Returns
    -------
    logits : ndarray, (steps, n_outputs, batch), or (1, n_outputs, batch) for classes
        Unnormalised log-probabilities.
    tape : NetworkTape
        For `backward` and `final_states`.
    """
    workspace = workspace or Workspace()
    steps = len(codes)
    dtype = blocks["readout.weight"].dtype
    weights = _at_steps(architecture, blocks, first_step, steps)
    order = reversal(lengths, steps) if architecture.bidirectional else None
    tape = NetworkTape(codes, lengths, membership, {}, np.empty(0), [], order, workspace)
    inputs = _inputs(architecture, blocks, codes, membership, dtype)
    for layer in range(architecture.n_layers):
        if layer:
            mask = dropout_mask(inputs.shape, dropout, generator, dtype)
            tape.dropped.append(mask)
            if mask is not None:
                inputs = inputs * mask
        streams = []
        for direction in architecture.directions:
            read = inputs
            if direction == "reverse" and order is not None:
                read = reverse(inputs, order)
            outputs, cell_tape = run_forward(
                get_cell(architecture.cell),
                _cell_weights(weights, layer, direction),
                read,
                None if initial is None else initial[layer],
                workspace=workspace,
                name=f"{layer}.{direction}",
            )
            tape.tapes[layer, direction] = cell_tape
            if direction == "reverse" and order is not None:
                outputs = reverse(outputs, order)
            streams.append(outputs)
        inputs = streams[0] if len(streams) == 1 else np.concatenate(streams, axis=1)
    if architecture.task == "class":
        last = [
            state_at(tape.tapes[architecture.n_layers - 1, d], lengths)[0]
            for d in architecture.directions
        ]
        inputs = np.concatenate(last)[None]
    tape.outputs = inputs
    return dense(weights["readout.weight"], weights["readout.bias"], inputs), tape


def final_states(tape: NetworkTape, step: int) -> list[Array]:
    """State of every layer after a number of steps, for `forward` to go on from."""
    batch = tape.codes.shape[1]
    return [state_at(cell_tape, np.full(batch, step)) for cell_tape in tape.tapes.values()]


def backward(
    architecture: Architecture,
    blocks: Blocks,
    tape: NetworkTape,
    d_logits: Array,
    *,
    first_step: int = 0,
) -> Blocks:
    """Pull the derivatives of a scalar back from the logits to all weights.

    Parameters
    ----------
    architecture, blocks, first_step
        As in `forward`.
    tape : NetworkTape
        Of that call; used up.
    d_logits : ndarray, of the shape of the logits
        0 past the end of each sequence.

    Returns
    -------
    dict of str to ndarray
        In the shapes of `blocks`; 0 for steps that the batch does not have.
    """
    steps = len(tape.codes)
    weights = _at_steps(architecture, blocks, first_step, steps)
    gradient: Blocks = {}
    gradient["readout.weight"], gradient["readout.bias"], d_outputs = dense_gradient(
        weights["readout.weight"], weights["readout.bias"], tape.outputs, d_logits
    )
    if architecture.task == "class":
        d_outputs = _at_last_steps(architecture, tape, d_outputs[0], steps)
    d_input: Array | None = None
    for layer in range(architecture.n_layers - 1, -1, -1):
        want = layer > 0 or architecture.embedding_size is not None
        hidden = architecture.hidden_size
        d_input = None
        for index, direction in enumerate(architecture.directions):
            d_stream = d_outputs[:, index * hidden : (index + 1) * hidden]
            order = tape.order if direction == "reverse" else None
            if order is not None:
                d_stream = reverse(d_stream, order)
            parts, d_read, _ = run_backward(
                tape.tapes[layer, direction], d_stream, want_inputs=want
            )
            for name, part in zip(CellWeights._fields, parts, strict=True):
                gradient[f"layer{layer}.{direction}.{name}"] = part
            if d_read is not None:
                if order is not None:
                    d_read = reverse(d_read, order)
                d_input = d_read if d_input is None else d_input + d_read
        if layer and d_input is not None:
            mask = tape.dropped[layer - 1]
            d_outputs = d_input if mask is None else d_input * mask
    if architecture.embedding_size is not None and d_input is not None:
        gradient["embedding"] = embedding_gradient(tape.codes, tape.membership, d_input)
    return _from_steps(blocks, gradient, first_step)


def last_slopes(blocks: Blocks, d_logits: Array, step: int) -> Array:
    """Pull derivatives by the logits of one step, (1, n_outputs, batch), back to its output."""
    weight = blocks["readout.weight"]
    here = weight[step if len(weight) > 1 else 0]
    return np.asarray(here.T @ d_logits[0])


def backward_states(architecture: Architecture, tape: NetworkTape, d_last: Array) -> Array:
    """Pull derivatives by the last output of the top layer back to its states.

    Parameters
    ----------
    architecture : Architecture
        Of one direction.
    tape : NetworkTape
        Of the forward pass; the top layer's is used up.
    d_last : ndarray, (hidden, batch)
        Derivatives by the output of the last step.

    Returns
    -------
    ndarray, (steps, states, hidden, batch)
        By the states after every step, through the later steps of the same layer.
    """
    cell_tape = tape.tapes[architecture.n_layers - 1, "forward"]
    steps = len(cell_tape.memory) - 1
    d_outputs = np.zeros((steps, *d_last.shape), d_last.dtype)
    d_outputs[-1] = d_last
    _, _, before = run_backward(cell_tape, d_outputs, want_inputs=False, record=True)
    # The state before a step is that after the one before; nothing but the output hears the last.
    last = np.zeros_like(before[:1])
    last[0, 0] = d_last
    return np.concatenate([before[1:], last])


# -- blocks and steps -----------------------------------------------------------------------


def _has_time(name: str) -> bool:
    return name != "embedding"


def _at_steps(architecture: Architecture, blocks: Blocks, first: int, steps: int) -> Blocks:
    """Take the steps of a batch out of the axes over time."""
    limit = architecture.steps
    if limit is None:
        return blocks
    if first + steps > limit:
        raise ParameterError(
            f"the network has weights for {limit} steps and is asked for step {first + steps}"
        )
    return {
        name: block[first : first + steps] if _has_time(name) and len(block) > 1 else block
        for name, block in blocks.items()
    }


def _from_steps(blocks: Blocks, gradient: Blocks, first: int) -> Blocks:
    """Put the gradient of some steps into the shape of all, in the order of the blocks."""
    whole = {}
    for name, block in blocks.items():
        part = gradient[name]
        if part.shape != block.shape:
            padded = np.zeros_like(block)
            padded[first : first + len(part)] = part
            part = padded
        whole[name] = part
    return whole


def _cell_weights(blocks: Blocks, layer: int, direction: str) -> CellWeights:
    name = f"layer{layer}.{direction}"
    return CellWeights(*(blocks[f"{name}.{part}"] for part in CellWeights._fields))


def _inputs(
    architecture: Architecture, blocks: Blocks, codes: Codes, membership: Array, dtype: Any
) -> Array:
    if architecture.embedding_size is None:
        if codes.max() < architecture.n_symbols:
            return codes
        return membership.astype(dtype)[codes].transpose(0, 2, 1)
    return embed(codes, membership, blocks["embedding"])


def _at_last_steps(
    architecture: Architecture, tape: NetworkTape, d_last: Array, steps: int
) -> Array:
    """Put derivatives by the last state of each sequence to where that state is an output."""
    hidden, batch = architecture.hidden_size, d_last.shape[1]
    d_outputs = np.zeros((steps, d_last.shape[0], batch), d_last.dtype)
    columns = np.arange(batch)
    d_outputs[tape.lengths - 1, :hidden, columns] = d_last[:hidden].T
    if architecture.bidirectional:  # the last step of the reverse reading is at the first letter
        d_outputs[0, hidden:] = d_last[hidden:]
    return d_outputs
