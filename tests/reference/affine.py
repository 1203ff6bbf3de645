"""Ties by plain loops and by the ranks of dense matrices, with finite offsets throughout."""

from __future__ import annotations

import numpy as np


def expand(tying, free):
    full = []
    for group, sign, offset in zip(tying.group, tying.sign, tying.offset, strict=True):
        full.append(offset if group == -1 else sign * free[group] + offset)
    return np.array(full)


def linear_part(tying):
    """Return the matrix of the loop above, column by column."""
    zero = expand(tying, np.zeros(tying.n_free))
    columns = [expand(tying, unit) - zero for unit in np.eye(tying.n_free)]
    return np.array(columns).reshape(tying.n_free, tying.n_full).T


def rank(*columns):
    matrix = np.column_stack(columns)
    return np.linalg.matrix_rank(matrix) if matrix.size else 0


def is_contained(first, second):
    """Tell whether all vectors that `first` produces are among those of `second`."""
    space = linear_part(second)
    return rank(space, linear_part(first), first.offset - second.offset) == rank(space)


def meet(first, second):
    """Tell whether some vector is produced by both."""
    both = linear_part(first), linear_part(second)
    return rank(*both, first.offset - second.offset) == rank(*both)


def intersection_dimension(first, second):
    """Count the directions in which both can move: the null space of [first, -second]."""
    both = linear_part(first), linear_part(second)
    return first.n_free + second.n_free - rank(*both)
