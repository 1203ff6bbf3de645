"""The ties of recurrent networks: over time, over gates, over layers, and of letters in and out."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import product

import numpy as np

from seqbio.core import Tying
from seqbio.core.ties import Tie, TieTable, along
from seqbio.neural.cells import get_cell
from seqbio.recurrent.network import Architecture


def ties_all_time(names: tuple[str, ...]) -> bool:
    """Tell whether nothing differs between steps."""
    return "time" in names or {"time.input", "time.recurrent", "time.readout"} <= set(names)


def _over_time(blocks: str) -> Callable[[Architecture, Tying], Tying]:
    def build(architecture: Architecture, tying: Tying) -> Tying:
        layout = architecture.layout()
        names = [name for name in layout.names if re.fullmatch(blocks, name)]
        return tying.with_equal(*(along(layout, name) for name in names))

    return build


def _over_gates(part: str) -> Callable[[Architecture, Tying], Tying]:
    def build(architecture: Architecture, tying: Tying) -> Tying:
        layout, n_gates = architecture.layout(), len(get_cell(architecture.cell).gates)
        rows = []
        for layer, direction in architecture.cells():
            indices = layout.indices(f"layer{layer}.{direction}.{part}")
            by_gate = indices.reshape(len(indices), n_gates, -1).transpose(0, 2, 1)
            rows.append(by_gate.reshape(-1, n_gates))
        return tying.with_equal(*rows)

    return build


def _gates(architecture: Architecture) -> str:
    several = len(get_cell(architecture.cell).gates) > 1
    return "" if several else f"a cell with gates; the {architecture.cell} has none"


def _letters_in_and_out(architecture: Architecture, tying: Tying) -> Tying:
    layout = architecture.layout()
    inputs = layout.indices("embedding")[: architecture.n_outputs]
    together = np.concatenate([inputs[None], layout.indices("readout.weight")])
    return tying.with_equal(together.reshape(len(together), -1).T)


def _embedding(architecture: Architecture) -> str:
    hidden = architecture.hidden_size
    if architecture.embedding_size is None:
        return (
            "an embedding of as many numbers as the hidden state has: "
            f"--embedding {hidden} (embedding_size={hidden})"
        )
    if architecture.task == "class" or architecture.embedding_size != hidden:
        return (
            "a model of the next symbol, whose readout the embedding then is, and an embedding of "
            f"as many numbers as the hidden state has, {hidden} (--embedding; embedding_size); the "
            f"task is {architecture.task!r} and the embedding has {architecture.embedding_size}"
        )
    return ""


def _over_layers(architecture: Architecture, tying: Tying) -> Tying:
    layout, layers = architecture.layout(), range(architecture.n_layers)
    rows = []
    for block in product(architecture.directions, ("input", "recurrent", "bias")):
        names = [".".join((f"layer{layer}", *block)) for layer in layers]
        rows.append(np.stack([layout.indices(name).ravel() for name in names], axis=1))
    return tying.with_equal(*rows)


def _layers(architecture: Architecture) -> str:
    widths = {architecture.n_features(layer) for layer in range(architecture.n_layers)}
    if architecture.n_layers > 1 and len(widths) == 1:
        return ""
    return (
        "two or more layers (--layers; n_layers) with as many inputs as units, so an embedding "
        f"(--embedding; embedding_size) of {architecture.n_features(1)} numbers; there are "
        f"{architecture.n_layers} layers and the embedding has "
        f"{architecture.embedding_size or 'none'}"
    )


TIES = TieTable[Architecture](
    "a recurrent model",
    [
        Tie(
            "time",
            "the same rules hold all along the sequence: one cell and one readout for every step",
            _over_time(r"(layer|readout).*"),
        ),
        Tie(
            "time.input",
            "a letter means the same wherever it stands: input weights, and the biases of the "
            "cell, are the same at every step",
            _over_time(r"layer.*\.(input|bias)"),
        ),
        Tie(
            "time.recurrent",
            "memory works the same all along: recurrent weights are the same at every step",
            _over_time(r"layer.*\.recurrent"),
        ),
        Tie(
            "time.readout",
            "a state predicts the same wherever it is reached: readout weights are the same at "
            "every step",
            _over_time(r"readout.*"),
        ),
        Tie(
            "gates.input",
            "all gates see the letters through the same eyes: one input matrix for all gates of a "
            "cell",
            _over_gates("input"),
            _gates,
        ),
        Tie(
            "gates.recurrent",
            "all gates see the past through the same eyes: one recurrent matrix for all gates of "
            "a cell",
            _over_gates("recurrent"),
            _gates,
        ),
        Tie(
            "embedding",
            "what a letter says as input and what speaks for it as output is one vector: the "
            "readout is the embedding, transposed (embedding_size must be hidden_size)",
            _letters_in_and_out,
            _embedding,
        ),
        Tie(
            "layers",
            "every layer of the stack is the same cell (embedding_size must be hidden_size)",
            _over_layers,
            _layers,
        ),
    ],
)
