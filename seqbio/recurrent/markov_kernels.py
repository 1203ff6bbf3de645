"""Markov chains of sequences as counts: which letter follows which others, and where.

A table of probabilities has a row for each context and a column for each outcome: the letters, and
the end of the sequence if ends are modelled. The context of a letter is the `order` letters before
it. Contexts of the first letters are shorter; their rows come first, in a table of their own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from seqbio.core.numerics import FloatArray, IntArray
from seqbio.recurrent.sequence_data import SequenceData


@dataclass(frozen=True, eq=False)
class Events:
    """Every letter (and end) of some sequences with its context.

    Parameters
    ----------
    item : ndarray of int, (n_events,)
        In which sequence.
    step : ndarray of int, (n_events,)
        At which place, from 0, among those whose context is complete; -1 for the others.
    row : ndarray of int, (n_events,)
        Of the context: among the shorter ones where `step` is -1, among the complete ones else.
    outcome : ndarray of int, (n_events,)
        Code of the letter; the number of letters for the end.
    """

    item: IntArray
    step: IntArray
    row: IntArray
    outcome: IntArray


def n_start_rows(n_letters: int, order: int) -> int:
    """Count the contexts that are shorter than the order."""
    return sum(n_letters**length for length in range(order))


def find_events(data: SequenceData, order: int, *, ends: bool) -> Events:
    """List the letters of all sequences with their contexts.

    A letter that is an ambiguity code, or has one in its context, is left out.

    Parameters
    ----------
    data : SequenceData
        The sequences.
    order : int
        How many letters a context has.
    ends : bool
        Whether the end of each sequence is an outcome too.

    Returns
    -------
    Events
        Sequence by sequence.

    Examples
    --------
    >>> data = SequenceData([np.array([0, 1, 1])], n_letters=2)
    >>> events = find_events(data, 1, ends=False)
    >>> events.step, events.row, events.outcome
    (array([-1,  0,  1]), array([0, 0, 1]), array([0, 1, 1]))
    """
    k = data.n_letters
    tail = np.full(int(ends), k, dtype=np.intp)
    letters = np.concatenate([np.r_[codes.astype(np.intp), tail] for codes in data.codes])
    lengths = data.lengths + ends
    item = np.repeat(np.arange(len(data)), lengths)
    place = np.arange(letters.size) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    row = np.zeros(letters.size, dtype=np.intp)
    known = letters <= (k if ends else k - 1)
    for lag in range(1, order + 1):
        before = np.zeros_like(letters)
        before[lag:] = letters[:-lag]
        inside = place >= lag
        known &= ~inside | (before < k)
        row += np.where(inside, before, 0) * k ** (lag - 1)
    short = place < order
    offsets = np.array([n_start_rows(k, length) for length in range(order + 1)])
    row[short] += offsets[place[short]]
    step = np.where(short, -1, place - order)
    return Events(item[known], step[known], row[known], letters[known])


def log_probabilities(coordinates: FloatArray, reference: int) -> FloatArray:
    """Turn log odds against a reference outcome into log-probabilities.

    Parameters
    ----------
    coordinates : ndarray of float64, (..., n_outcomes - 1)
        -inf for outcomes that do not happen.
    reference : int
        The outcome that is left out of the coordinates.

    Returns
    -------
    ndarray of float64, (..., n_outcomes)
        Of rows that add up to 1; -inf for a probability that is too small for floating point. So
        the reference has probability 0 where the coordinates of the others are large.

    Examples
    --------
    >>> log_probabilities(np.array([1000.0, 1000.0]), 0).round(4)
    array([   -inf, -0.6931, -0.6931])
    """
    scores = np.insert(coordinates, reference, 0.0, axis=-1)
    scores -= scores.max(axis=-1, keepdims=True)
    shares = np.exp(scores)
    logs: FloatArray = scores - np.log(shares.sum(axis=-1, keepdims=True))
    logs[shares == 0] = -np.inf
    return logs
