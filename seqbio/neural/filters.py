"""Filters over letters: scores of all windows, the best of them, and their exact gradients.

Arrays in, arrays out. A filter scores a window of letters, one weight for each letter at each of
its columns. Filters carry a leading axis of positions, of length 1 (one filter used everywhere: a
convolution) or of full length (one for each place: a locally connected layer); the result is the
same when the copies are equal.

A score is a sum of rows of a table, looked up by the letters: one row for each column, with a
number for each filter. Where one filter is used everywhere the rows are of pairs of letters, so
that there are half as many. Under max pooling only the best windows carry gradient, so that the
way back touches one window for each sequence and filter.

Shapes: N sequences, L letters, A letters of the alphabet, F filters, W columns, and
P = L - W + 1 positions of a window.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled

Reals: TypeAlias = NDArray[Any]
"""An array of float32 or float64; results have the type of the filters."""
Integers: TypeAlias = NDArray[Any]

_TOGETHER = 5  # rows of a table that are added up at a time


class Letters(NamedTuple):
    """Sequences as codes, and what the codes stand for.

    Parameters
    ----------
    codes : ndarray of int, (N, L)
        What stands where.
    shares : ndarray of float, (n_codes, A)
        Of the letters in each code: a 1 for a letter, equal shares for an ambiguity code, zeros
        for what stands past the end.
    """

    codes: Integers
    shares: Reals


def window_scores(weights: Reals, bias: Reals, sequences: Letters) -> Reals:
    """Score every window with every filter.

    ``score[n, f, p] = bias[p, f] + sum over c and j of weights[p, f, c, j] * x[n, p + j, c]``,
    with x[n, i] the shares of the letters at place i.

    Parameters
    ----------
    weights : ndarray of float, (1 or P, F, A, W)
        One filter for all positions, or one for each.
    bias : ndarray of float, (1 or P, F)
        Added to the scores.
    sequences : Letters
        N sequences.

    Returns
    -------
    ndarray of float, (N, F, P)
        The scores.

    Examples
    --------
    >>> weights = np.array([[[[1.0, 0.0], [0.0, 2.0]]]])   # 1 for A, then 2 for the other letter
    >>> letters = Letters(np.array([[0, 1, 0]]), np.eye(2))
    >>> window_scores(weights, np.zeros((1, 1)), letters)
    array([[[3., 0.]]])
    """
    n, length = sequences.codes.shape
    n_positions = length - weights.shape[3] + 1
    scores = np.empty((n, weights.shape[1], n_positions), weights.dtype)
    _best_windows(weights, bias, sequences, np.full(n, n_positions), scores)
    return scores


def filter_gradient(
    shape: tuple[int, ...], sequences: Letters, slope: Reals
) -> tuple[Reals, Reals]:
    """Take the derivatives of `window_scores` back to filters and bias.

    Parameters
    ----------
    shape : tuple of int
        That of the filters, (1 or P, F, A, W).
    sequences : Letters
        N sequences.
    slope : ndarray of float, (N, F, P)
        Derivatives with respect to the scores.

    Returns
    -------
    weights_slope : ndarray of float, (1 or P, F, A, W)
        Derivatives with respect to the filters.
    bias_slope : ndarray of float, (1 or P, F)
        Derivatives with respect to the bias.
    """
    return _table_gradient(_add_slopes, shape, sequences, slope)


def best_windows(
    weights: Reals, bias: Reals, sequences: Letters, n_windows: Integers
) -> tuple[Reals, Integers]:
    """Find the best window of every filter in every sequence; the first one of equals.

    The scores are never all in memory.

    Parameters
    ----------
    weights : ndarray of float, (1 or P, F, A, W)
        The filters.
    bias : ndarray of float, (1 or P, F)
        Added to the scores.
    sequences : Letters
        N sequences.
    n_windows : ndarray of int, (N,)
        How many windows each sequence has; those after them are not looked at.

    Returns
    -------
    best : ndarray of float, (N, F)
        The highest scores.
    position : ndarray of int, (N, F)
        Where they are.
    """
    none = np.empty((0, 0, 0), weights.dtype)
    return _best_windows(weights, bias, sequences, n_windows, none)


def best_windows_gradient(
    shape: tuple[int, ...], sequences: Letters, position: Integers, slope: Reals
) -> tuple[Reals, Reals]:
    """Take the derivatives of `best_windows` back to filters and bias.

    Parameters
    ----------
    shape : tuple of int
        That of the filters, (1 or P, F, A, W).
    sequences : Letters
        N sequences.
    position : ndarray of int, (N, F)
        The best windows.
    slope : ndarray of float, (N, F)
        Derivatives with respect to the best scores.

    Returns
    -------
    weights_slope : ndarray of float, (1 or P, F, A, W)
        Derivatives with respect to the filters.
    bias_slope : ndarray of float, (1 or P, F)
        Derivatives with respect to the bias.
    """
    return _table_gradient(_add_best_slopes, shape, sequences, position, slope)


# -- tables of rows --------------------------------------------------------------------------


def _find_kmers(shape: tuple[int, ...], sequences: Letters) -> tuple[Integers, int, int]:
    """Give k-mers numbers; they are of two letters where there is one filter for all positions.

    Returns
    -------
    kmers : ndarray of int, (N, more than L)
        The k-mer that begins at each place.
    n_letters, n_codes : int
        How many letters a k-mer has, and how many codes each of them can be.
    """
    n_letters = 2 if shape[0] == 1 else 1
    n, length = sequences.codes.shape
    n_codes = int(sequences.codes.max(initial=0)) + 1
    kmers = np.zeros((n, length + shape[3] + 2 * _TOGETHER), np.int32)
    kmers[:, :length] = sequences.codes
    if n_letters == 2:
        kmers[:, :-1] = n_codes * kmers[:, :-1] + kmers[:, 1:]
    return kmers, n_letters, n_codes


def _make_table(weights: Reals, bias: Reals, sequences: Letters) -> tuple[Reals, Integers, int]:
    """Write filters as a table, (1 or P, n_rows, n_kmers, F), with its k-mers and their letters.

    A row has the scores of all k-mers at some columns; the bias is in the first. The number of rows
    is a multiple of `_TOGETHER`; those that are left over are 0.
    """
    n_places, n_filters, size, width = weights.shape
    kmers, n_letters, n_codes = _find_kmers(weights.shape, sequences)
    n_rows = -(-width // (n_letters * _TOGETHER)) * _TOGETHER
    columns = np.zeros((n_places, n_rows * n_letters, size, n_filters), weights.dtype)
    columns[:, :width] = weights.transpose(0, 3, 2, 1)
    table = sequences.shares[:n_codes] @ columns
    if n_letters == 2:
        pairs = table[:, ::2, :, None] + table[:, 1::2, None]
        table = pairs.reshape(1, n_rows, -1, n_filters)
    table[:, 0] += bias[:, None]
    return table, kmers, n_letters


def _best_windows(
    weights: Reals, bias: Reals, sequences: Letters, n_windows: Integers, scores: Reals
) -> tuple[Reals, Integers]:
    table, kmers, n_letters = _make_table(weights, bias, sequences)
    best = np.full((len(kmers), weights.shape[1]), -np.inf, weights.dtype)
    position = np.zeros(best.shape, np.int32)
    _score_windows(table, kmers, n_letters, n_windows, best, position, scores)
    return best, position


def _table_gradient(
    kernel: Callable[..., None], shape: tuple[int, ...], sequences: Letters, *slopes: Reals
) -> tuple[Reals, Reals]:
    """Let a kernel add up derivatives by the table, and take them back to filters and bias."""
    n_places, n_filters, _, width = shape
    kmers, n_letters, n_codes = _find_kmers(shape, sequences)
    size = (n_places, -(-width // n_letters), n_codes**n_letters, n_filters)
    table = np.zeros(size, slopes[-1].dtype)
    kernel(table, kmers, n_letters, *slopes)
    bias_slope = table[:, 0].sum(axis=1)
    if n_letters == 2:
        pairs = table.reshape(*size[:2], n_codes, n_codes, n_filters)
        both = np.stack([pairs.sum(axis=3), pairs.sum(axis=2)], axis=2)
        table = both.reshape(1, -1, n_codes, n_filters)
    columns = sequences.shares[:n_codes].T @ table[:, :width]
    return columns.transpose(0, 3, 2, 1), bias_slope


@compiled
def _score_windows(
    table: Reals,
    kmers: Integers,
    n_letters: int,
    n_windows: Integers,
    best: Reals,
    position: Integers,
    scores: Reals,
) -> None:
    """Write the best scores and where they are, and all scores if there is room for them."""
    n, n_filters = best.shape
    score = np.empty(n_filters, best.dtype)
    for place in range(len(table)):  # outermost, since the table of all places is large
        for s in range(n):
            first, stop = (place, place + 1) if len(table) > 1 else (0, n_windows[s])
            for p in range(first, min(stop, n_windows[s])):
                for r in range(0, table.shape[1], _TOGETHER):
                    at = p + r * n_letters
                    a, b, c = kmers[s, at], kmers[s, at + n_letters], kmers[s, at + 2 * n_letters]
                    d, e = kmers[s, at + 3 * n_letters], kmers[s, at + 4 * n_letters]
                    for f in range(n_filters):
                        five = (
                            table[place, r, a, f]
                            + table[place, r + 1, b, f]
                            + table[place, r + 2, c, f]
                            + table[place, r + 3, d, f]
                            + table[place, r + 4, e, f]
                        )
                        score[f] = score[f] + five if r > 0 else five
                here = np.int32(p)
                for f in range(n_filters):
                    higher = score[f] > best[s, f]
                    best[s, f] = score[f] if higher else best[s, f]
                    position[s, f] = here if higher else position[s, f]
                if len(scores) > 0:
                    for f in range(n_filters):
                        scores[s, f, p] = score[f]


@compiled
def _add_slopes(table: Reals, kmers: Integers, n_letters: int, slope: Reals) -> None:
    n, n_filters, n_positions = slope.shape
    here = np.empty(n_filters, slope.dtype)
    for place in range(len(table)):
        first, stop = (place, place + 1) if len(table) > 1 else (0, n_positions)
        for s in range(n):
            for p in range(first, stop):
                for f in range(n_filters):
                    here[f] = slope[s, f, p]
                for r in range(table.shape[1]):
                    kmer = kmers[s, p + r * n_letters]
                    for f in range(n_filters):
                        table[place, r, kmer, f] += here[f]


@compiled
def _add_best_slopes(
    table: Reals, kmers: Integers, n_letters: int, position: Integers, slope: Reals
) -> None:
    for s in range(len(slope)):
        for f in range(slope.shape[1]):
            p = position[s, f]
            place = p if len(table) > 1 else 0
            for r in range(table.shape[1]):
                table[place, r, kmers[s, p + r * n_letters], f] += slope[s, f]
