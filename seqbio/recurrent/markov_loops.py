"""Loops over the letters of Markov chains, which must be compiled: counting and drawing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from seqbio.core.compiled import compiled
from seqbio.core.numerics import FloatArray, IntArray

_ATTEMPTS = 1000


@compiled
def find_cells(
    codes: NDArray[np.uint8],
    lengths: IntArray,
    order: int,
    n_letters: int,
    ends: bool,
    n_tables: int,
) -> tuple[IntArray, IntArray]:
    """Find the context and the outcome of every letter, and end, of some sequences.

    A letter that is an ambiguity code, or has one in its context, is left out.

    Parameters
    ----------
    codes : ndarray of uint8
        Of all sequences, one after the other.
    lengths : ndarray of int, (n,)
        Of each.
    order, n_letters : int
        Letters of a context, and of the alphabet.
    ends : bool
        Whether the end of each sequence is an outcome too.
    n_tables : int
        For complete contexts, one for each step; the last serves all further steps.

    Returns
    -------
    cells : ndarray of int
        ``row * n_outcomes + outcome``. Rows are those of the shorter contexts, as
        `n_start_rows` counts them, and then those of all tables.
    n_cells : ndarray of int, (n,)
        How many are of each sequence.
    """
    n_rows, n_outcomes = n_letters**order, n_letters + ends
    cells = np.empty(codes.size + ends * lengths.size, dtype=np.intp)
    n_cells = np.zeros(lengths.size, dtype=np.intp)
    n_found = first = 0
    for item in range(lengths.size):
        row, n_known = 0, 0  # letters before this one, up to the last ambiguity code
        n_shorter, width = 0, 1  # rows of shorter contexts, and of those this long
        for place in range(lengths[item] + ends):
            outcome = n_letters if place == lengths[item] else codes[first + place]
            is_code = outcome > n_letters or (outcome == n_letters and place < lengths[item])
            if not is_code and n_known >= min(place, order):
                table = max(min(place - order, n_tables - 1), 0)
                cells[n_found] = (n_shorter + table * n_rows + row) * n_outcomes + outcome
                n_found += 1
                n_cells[item] += 1
            n_known = 0 if is_code else n_known + 1
            row = (row * n_letters + (0 if is_code else outcome)) % n_rows
            if place < order:
                n_shorter += width
                width *= n_letters
        first += lengths[item]
    return cells[:n_found], n_cells


@compiled
def draw_letters(
    first: FloatArray,
    start: FloatArray,
    following: FloatArray,
    order: int,
    n_letters: int,
    longest: IntArray,
    must_end: bool,
    generator: np.random.Generator,
) -> tuple[NDArray[np.uint8], IntArray]:
    """Draw sequences, each until its end is drawn or it is as long as it may be.

    Parameters
    ----------
    first : ndarray of float64, (n_outcomes,)
        Cumulated probabilities of the first letter. No sum needs to be 1.
    start, following : ndarray of float64, (n_start_rows, n_outcomes), (n_steps, n_rows, n_outcomes)
        Cumulated probabilities by context, of incomplete and of complete ones; the last table
        serves all further steps.
    order, n_letters : int
        Letters of a context, and of the alphabet; the outcome after them all is the end.
    longest : ndarray of int, (n,)
        Most letters of each sequence.
    must_end : bool
        Whether a sequence that does not end by then is drawn anew, 1000 times at most; else it
        stops there.
    generator : numpy.random.Generator
        Asked once for each outcome.

    Returns
    -------
    letters : ndarray of uint8
        Of all sequences, one after the other.
    lengths : ndarray of int, (n,)
        Of each; 0 where none ended in time.
    """
    n_rows = n_letters**order
    letters = np.empty(1024, dtype=np.uint8)
    lengths = np.zeros(longest.size, dtype=np.intp)
    n_drawn = 0
    for item in range(longest.size):
        first_of_item = n_drawn
        for _ in range(_ATTEMPTS):
            row, n_before, width = 0, 0, 1  # rows of shorter contexts, and of those this long
            n_drawn, outcome = first_of_item, -1
            for place in range(longest[item] + must_end):
                if place == 0:
                    sums = first
                elif place < order:
                    sums = start[n_before + row]
                else:
                    sums = following[min(place - order, len(following) - 1), row]
                point = generator.random() * sums[-1]
                outcome = 0
                while outcome < sums.size - 1 and sums[outcome] <= point:
                    outcome += 1
                if outcome == n_letters or place == longest[item]:
                    break
                if n_drawn == letters.size:
                    letters = np.concatenate((letters, np.empty_like(letters)))
                letters[n_drawn] = outcome
                n_drawn += 1
                row = (row * n_letters + outcome) % n_rows
                if place < order:
                    n_before += width
                    width *= n_letters
            if outcome == n_letters or not must_end:
                lengths[item] = n_drawn - first_of_item
                break
        else:
            n_drawn = first_of_item
    return letters[:n_drawn], lengths
