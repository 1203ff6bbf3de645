"""What the ties of recurrent networks are called, what they say, and which tyings they make."""

from __future__ import annotations

import numpy as np

from seqbio.core import Tying
from seqbio.core._checks import checked_tie_names
from seqbio.core.numerics import IntArray
from seqbio.errors import TyingError
from seqbio.neural.cells import get_cell
from seqbio.recurrent.network import Architecture

TIES = {
    "time": "the same rules hold all along the sequence: one cell and one readout for every step",
    "time.input": "a letter means the same wherever it stands: input weights, and the biases of "
    "the cell, are the same at every step",
    "time.recurrent": "memory works the same all along: recurrent weights are the same at every "
    "step",
    "time.readout": "a state predicts the same wherever it is reached: readout weights are the "
    "same at every step",
    "gates.input": "all gates see the letters through the same eyes: one input matrix for all "
    "gates of a cell",
    "gates.recurrent": "all gates see the past through the same eyes: one recurrent matrix for all "
    "gates of a cell",
    "embedding": "what a letter says as input and what speaks for it as output is one vector: the "
    "readout is the embedding, transposed (embedding_size must be hidden_size)",
    "layers": "every layer of the stack is the same cell (embedding_size must be hidden_size)",
}
_PARTS = {
    "time.input": (".input", ".bias"),
    "time.recurrent": (".recurrent",),
    "time.readout": ("readout.weight", "readout.bias"),
}


def check_names(names: object) -> tuple[str, ...]:
    """Refuse what is not a tuple of known names."""
    return checked_tie_names(names, TIES, "a recurrent model")


def ties_all_time(names: tuple[str, ...]) -> bool:
    """Tell whether nothing differs between steps."""
    return "time" in names or set(_PARTS) <= set(names)


def make_tying(architecture: Architecture, names: tuple[str, ...]) -> Tying:
    """Tie the weights of a network.

    Parameters
    ----------
    architecture : Architecture
        Its layout has the weights.
    names : tuple of str
        Of `TIES`.

    Returns
    -------
    Tying
        Of the layout's size.

    Raises
    ------
    TyingError
        A tie does not apply to this network.
    """
    layout = architecture.layout()
    # Each array has one row for each set of entries that are equal.
    sets: list[IntArray] = []
    for part, endings in _PARTS.items():
        if part in names or "time" in names:
            for name, shape in layout.shapes.items():
                starts = name.endswith(endings) and (part == "time.readout") == (
                    name.startswith("readout")
                )
                if starts and shape[0] > 1:
                    sets.append(layout.indices(name).reshape(shape[0], -1).T)
    for kind in ("input", "recurrent"):
        if f"gates.{kind}" in names:
            sets += _gate_sets(architecture, kind)
    if "embedding" in names:
        sets += _embedding_sets(architecture)
    if "layers" in names:
        sets += _layer_sets(architecture)
    copies = [np.zeros(0, dtype=np.intp), *(each.ravel() for each in sets)]
    firsts = [copies[0], *(np.repeat(each[:, 0], each.shape[1]) for each in sets)]
    return Tying.from_equations(layout.size, np.concatenate(copies), np.concatenate(firsts))


def _gate_sets(architecture: Architecture, kind: str) -> list[IntArray]:
    gates = len(get_cell(architecture.cell).gates)
    if gates == 1:
        raise TyingError(f"tie 'gates.{kind}' needs a cell with gates; the rnn has none")
    layout, sets = architecture.layout(), list[IntArray]()
    for layer, direction in architecture.cells():
        indices = layout.indices(f"layer{layer}.{direction}.{kind}")
        steps = len(indices)
        by_gate = indices.reshape(steps, gates, -1).transpose(0, 2, 1)
        sets.append(by_gate.reshape(-1, gates))
    return sets


def _embedding_sets(architecture: Architecture) -> list[IntArray]:
    layout = architecture.layout()
    if architecture.embedding_size is None:
        raise TyingError(
            "tie 'embedding' needs an embedding of as many numbers as the hidden state has: "
            f"--embedding {architecture.hidden_size} (embedding_size={architecture.hidden_size})"
        )
    if architecture.task == "class" or architecture.embedding_size != architecture.hidden_size:
        raise TyingError(
            "tie 'embedding' makes the readout of the next symbol the embedding, so it needs "
            "a model of the next symbol and an embedding of as many numbers as the hidden state "
            f"has, {architecture.hidden_size} (--embedding; embedding_size); the task is "
            f"{architecture.task!r} and the embedding has {architecture.embedding_size}"
        )
    inputs = layout.indices("embedding")[: architecture.n_outputs]
    outputs = layout.indices("readout.weight")
    together = np.concatenate([inputs[None], outputs])
    return [together.reshape(len(together), -1).T]


def _layer_sets(architecture: Architecture) -> list[IntArray]:
    widths = {architecture.n_features(layer) for layer in range(architecture.n_layers)}
    if architecture.n_layers < 2 or len(widths) > 1:
        raise TyingError(
            "tie 'layers' needs two or more layers (--layers; n_layers) with as many inputs as "
            f"units, so an embedding (--embedding; embedding_size) of {architecture.n_features(1)} "
            f"numbers; there are {architecture.n_layers} layers and the embedding has "
            f"{architecture.embedding_size or 'none'}"
        )
    layout, sets = architecture.layout(), list[IntArray]()
    for direction in architecture.directions:
        for part in ("input", "recurrent", "bias"):
            copies = [
                layout.indices(f"layer{layer}.{direction}.{part}").ravel()
                for layer in range(architecture.n_layers)
            ]
            sets.append(np.stack(copies, axis=1))
    return sets
