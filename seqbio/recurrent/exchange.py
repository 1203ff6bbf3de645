"""Weights under PyTorch's names, in its shapes and order of gates, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from seqbio.errors import ParameterError
from seqbio.neural.cells import get_cell
from seqbio.neural.workspace import Array
from seqbio.recurrent.network import Architecture, Blocks

_SUFFIX = {"forward": "", "reverse": "_reverse"}


def to_state_dict(architecture: Architecture, blocks: Blocks) -> dict[str, Array]:
    """Write the weights of a network as PyTorch would.

    Parameters
    ----------
    architecture : Architecture
        Without axes over time.
    blocks : dict of str to ndarray
        Its weights.

    Returns
    -------
    dict of str to ndarray
        Copies, float64.

    Raises
    ------
    ParameterError
        The weights differ between steps.
    """
    if architecture.steps is not None:
        raise ParameterError(
            "the weights differ between steps, which PyTorch's layers cannot express; tie time"
        )
    state = {}
    if architecture.embedding_size is not None:
        state["embedding.weight"] = blocks["embedding"].copy()
    for layer, direction in architecture.cells():
        here, there = f"layer{layer}.{direction}", f"l{layer}{_SUFFIX[direction]}"
        state[f"weight_ih_{there}"] = blocks[f"{here}.input"][0].copy()
        state[f"weight_hh_{there}"] = blocks[f"{here}.recurrent"][0].copy()
        by_input, by_recurrent = _two_biases(architecture, blocks[f"{here}.bias"][0])
        state[f"bias_ih_{there}"], state[f"bias_hh_{there}"] = by_input, by_recurrent
    state["readout.weight"] = blocks["readout.weight"][0].copy()
    state["readout.bias"] = blocks["readout.bias"][0].copy()
    return state


def from_state_dict(architecture: Architecture, state: Mapping[str, Any]) -> Blocks:
    """Read weights that PyTorch, or `to_state_dict`, wrote; the two biases of a gate are added.

    Parameters
    ----------
    architecture : Architecture
        Without axes over time.
    state : mapping of str to array_like
        Arrays or anything that NumPy makes arrays of.

    Returns
    -------
    dict of str to ndarray
        By the names of the architecture's layout.

    Raises
    ------
    ParameterError
        A name is missing or unknown, a shape is wrong, or weights differ between steps.
    """
    arrays = {name: np.asarray(value, dtype=np.float64) for name, value in state.items()}
    layout = architecture.layout()
    zeros = {name: np.zeros(shape) for name, shape in layout.shapes.items()}
    wanted = to_state_dict(architecture, zeros)
    missing = [name for name in wanted if name not in arrays]
    unknown = [name for name in arrays if name not in wanted]
    if missing or unknown:
        raise ParameterError(
            f"missing arrays: {missing}, unknown arrays: {unknown}; give each of "
            f"{', '.join(wanted)} and no others"
        )
    for name, array in arrays.items():
        if array.shape != wanted[name].shape:
            raise ParameterError(
                f"{name} has shape {array.shape} and the settings imply {wanted[name].shape}"
            )
    blocks = {}
    if architecture.embedding_size is not None:
        blocks["embedding"] = arrays["embedding.weight"]
    for layer, direction in architecture.cells():
        here, there = f"layer{layer}.{direction}", f"l{layer}{_SUFFIX[direction]}"
        blocks[f"{here}.input"] = arrays[f"weight_ih_{there}"][None]
        blocks[f"{here}.recurrent"] = arrays[f"weight_hh_{there}"][None]
        blocks[f"{here}.bias"] = _one_bias(
            architecture, arrays[f"bias_ih_{there}"], arrays[f"bias_hh_{there}"]
        )[None]
    blocks["readout.weight"] = arrays["readout.weight"][None]
    blocks["readout.bias"] = arrays["readout.bias"][None]
    return blocks


def _two_biases(architecture: Architecture, bias: Array) -> tuple[Array, Array]:
    rows, together = _rows(architecture)
    by_recurrent = np.zeros(rows)
    by_recurrent[together:] = bias[rows:]
    return bias[:rows].copy(), by_recurrent


def _one_bias(architecture: Architecture, by_input: Array, by_recurrent: Array) -> Array:
    _, together = _rows(architecture)
    both = by_input[:together] + by_recurrent[:together]
    return np.concatenate([both, by_input[together:], by_recurrent[together:]])


def _rows(architecture: Architecture) -> tuple[int, int]:
    """Count the rows of all gates, and of those whose two biases only add up."""
    cell, hidden = get_cell(architecture.cell), architecture.hidden_size
    return len(cell.gates) * hidden, (len(cell.gates) - len(cell.apart)) * hidden
