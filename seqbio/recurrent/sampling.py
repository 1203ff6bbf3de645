"""Drawing sequences from a language model, a letter at a time."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqbio.core.numerics import FloatArray
from seqbio.errors import ParameterError
from seqbio.neural.workspace import Array
from seqbio.recurrent.network import final_states, forward
from seqbio.recurrent.network_model import NetworkModel

_LONGEST = 100_000


def draw_sequences(
    model: NetworkModel,
    full: FloatArray,
    n: int,
    *,
    prime: NDArray[np.integer],
    length: int | None,
    temperature: float,
    generator: np.random.Generator,
) -> list[NDArray[np.intp]]:
    """Draw letters from their probabilities given those before, all sequences side by side.

    Parameters
    ----------
    model : NetworkModel
        Of the next symbol.
    full : ndarray of float64, (n_full,)
        Its weights.
    n : int
        How many sequences.
    prime : ndarray of int, (n_primed,)
        Letters that each begins with.
    length : int or None
        Letters of each; None lets the model end them.
    temperature : float
        Divides the logits.
    generator : numpy.random.Generator
        The source of chance.

    Returns
    -------
    list of ndarray of int
        Codes of letters; at least one in each.

    Raises
    ------
    ParameterError
        A number is out of range, or the prime is as long as the sequences are to be.
    """
    boundary = model.architecture.n_symbols - 1
    steps = model.architecture.steps
    n_ends = model.architecture.n_ends
    if length is None and not n_ends:
        raise ParameterError("the model does not say when a sequence ends; give a length")
    longest = _LONGEST if length is None else length
    if steps is not None:
        if length is not None and length > steps - n_ends:
            raise ParameterError(
                f"length is {length} and the model has weights for {steps - n_ends}"
            )
        longest = min(longest, steps - n_ends)
    if n < 1:
        raise ParameterError(f"n is {n}; give 1 or more")
    if not temperature > 0:
        raise ParameterError(f"temperature is {temperature}; give a number above 0")
    if longest < max(1, len(prime)):
        raise ParameterError(
            f"length is {length} and the prime has {len(prime)} letters; give a length of 1 or "
            "more that the prime fits into"
        )
    blocks = model.blocks(full)
    written = np.full((n, longest), boundary, dtype=np.intp)
    written[:, : len(prime)] = prime
    inputs = np.tile(np.concatenate([[boundary], prime]), (n, 1)).T.astype(np.intp)
    open_ = np.arange(n)  # sequences that have not ended
    states: list[Array] | None = None
    for place in range(len(prime), longest):
        logits, tape = forward(
            model.architecture,
            blocks,
            inputs,
            np.full(len(open_), len(inputs)),
            membership=model.membership,
            initial=states,
            first_step=place + 1 - len(inputs),
        )
        states = final_states(tape, len(inputs))
        scores = logits[-1].astype(np.float64) / temperature
        if n_ends and (length is not None or place == 0):
            scores[boundary] = -np.inf
        scores += generator.gumbel(size=scores.shape)
        drawn = scores.argmax(axis=0)
        written[open_, place] = drawn
        going_on = drawn != boundary
        open_, inputs = open_[going_on], drawn[going_on][None]
        states = [np.ascontiguousarray(state[:, :, going_on]) for state in states]
        if not len(open_):
            break
    return [row[: _end(row, boundary)] for row in written]


def _end(row: NDArray[np.intp], boundary: int) -> int:
    ends = np.flatnonzero(row == boundary)
    return int(ends[0]) if len(ends) else len(row)
