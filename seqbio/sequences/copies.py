"""Which items are copies of one another, and which are merely too short to differ."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from seqbio.core.numerics import FloatArray, IntArray

_BY_CHANCE = 0.01  # items of one length of which as many are expected to be equal are no copies


def copy_numbers(
    contents: Sequence[Hashable], lengths: IntArray, letter_counts: FloatArray
) -> IntArray:
    """Give items numbers by their content, copies alike.

    Short sequences are often equal by chance, and then the one is no copy of the other. So equal
    items count as copies only where, among items of their length made of letters at random, less
    than a hundredth of a pair is expected to be equal.

    Parameters
    ----------
    contents : sequence of hashable, (n_items,)
        Equal for items of the same content.
    lengths : ndarray of int, (n_items,)
        Letters of each.
    letter_counts : ndarray of float64, (n_letters,)
        How often each letter occurs in all of them.

    Returns
    -------
    ndarray of int, (n_items,)
        The same number for copies, another for every other item.

    Examples
    --------
    >>> letters = np.array([100.0, 100.0, 100.0, 100.0])
    >>> copy_numbers(["GATTACAGATTACA", "ACGTACGTACGTAC", "GATTACAGATTACA", "AC", "AC"],
    ...              np.array([14, 14, 14, 2, 2]), letters)
    array([0, 1, 0, 3, 4])
    """
    share = letter_counts / max(float(letter_counts.sum()), 1.0)
    with np.errstate(divide="ignore"):
        log_equal = float(np.log(share @ share))
    values, place, counts = np.unique(lengths, return_inverse=True, return_counts=True)
    with np.errstate(divide="ignore"):
        log_expected = np.log(counts * (counts - 1) / 2) + values * log_equal
    telling = (log_expected < np.log(_BY_CHANCE))[place.reshape(-1)]
    first: dict[Hashable, int] = {}
    return np.array(
        [
            first.setdefault(content, item) if tells else item
            for item, (content, tells) in enumerate(zip(contents, telling, strict=True))
        ],
        dtype=np.int64,
    )
