"""Equations between pairs of parameters, the common language of all ties."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import checked_integers, refuse
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import TyingError

SignArray: TypeAlias = NDArray[np.int8]

# Constants that were computed along different ways differ by rounding; closer than this, relative
# to 1 or to their own size, they count as equal.
ROUNDING = 1e-9


def solve_equations(
    n_entries: int, left: ArrayLike, right: ArrayLike, sign: ArrayLike, constant: ArrayLike
) -> tuple[IntArray, SignArray, FloatArray]:
    """Solve ``x[left] = sign * x[right] + constant`` for a vector x.

    The equations are the edges of a graph between the entries and one more node, which stands for
    the number 0. All entries of a component follow from one of them, its root, along the edges of
    a spanning tree. An edge outside the tree holds by itself, or fixes the root (``x = -x + c``
    gives ``x = c / 2``), or contradicts the others. No Python loop runs over the entries.

    Parameters
    ----------
    n_entries : int
        Length of x.
    left, right : array_like of int
        The entries that each equation relates; -1 at `right` stands for the number 0, so that the
        equation reads ``x[left] = constant``. All arguments broadcast.
    sign : array_like of +1 and -1
        Ignored where `right` is -1.
    constant : array_like of float
        Finite, or -inf or +inf where `right` is -1.

    Returns
    -------
    root, sign, constant : ndarray of int, int8 and float64, (n_entries,)
        All solutions are ``x = sign * x[root] + constant`` with free values at the roots, which
        are the first entries of the components. Fixed entries have root -1 and sign 0.

    Raises
    ------
    TyingError
        The equations contradict each other, or an argument is malformed.

    Examples
    --------
    >>> solve_equations(3, left=[1, 2], right=[0, -1], sign=[-1, 1], constant=[0.0, 4.0])
    (array([ 0,  0, -1]), array([ 1, -1,  0], dtype=int8), array([0., 0., 4.]))
    """
    lefts, rights, signs, constants = _checked_equations(n_entries, left, right, sign, constant)
    root, to_root, shift = _spanning_forest(n_entries, lefts, rights, signs, constants)
    # From x = to_root * x[parent] + shift to the same with the root, by doubling the jumps.
    while not np.array_equal(root, root[root]):
        shift = to_root * shift[root] + shift
        to_root = to_root * to_root[root]
        root = root[root]
    to_root[root == n_entries] = 0

    opposed = to_root[lefts] != signs * to_root[rights]
    if opposed.any():
        i, j = lefts[opposed], rights[opposed]
        pinned = np.full(n_entries + 1, np.nan)
        pinned[root[i]] = to_root[i] * (signs[opposed] * shift[j] + constants[opposed] - shift[i])
        held = ~np.isnan(pinned[root])
        shift[held] += to_root[held] * pinned[root[held]] / 2
        to_root[held] = 0

    expected = signs * shift[rights] + constants
    wrong = np.flatnonzero(~agree(shift[lefts], expected))
    if wrong.size:
        entry = lefts[wrong[0]]
        one, two = (
            expression(int(to_root[entry]), f"x[{root[entry]}]", value)
            for value in (shift[entry], expected[wrong[0]])
        )
        raise TyingError(
            f"the ties contradict each other: x[{entry}] would have to be both {one} and {two}; "
            "leave out one of the ties or change its constant"
        )
    return np.where(to_root == 0, -1, root)[:-1], to_root[:-1], shift[:-1]


def agree(first: FloatArray, second: FloatArray, tolerance: float = ROUNDING) -> NDArray[np.bool_]:
    """Tell where two arrays are equal up to rounding; infinities are equal to themselves."""
    return np.isclose(first, second, rtol=tolerance, atol=tolerance)


def expression(sign: int, name: str, constant: float) -> str:
    """Write out sign * name + constant."""
    if sign == 0:
        return f"{constant:g}"
    term = name if sign > 0 else f"-{name}"
    return term if constant == 0 else f"{term} {'+' if constant > 0 else '-'} {abs(constant):g}"


def _spanning_forest(
    zero: int, left: IntArray, right: IntArray, sign: SignArray, constant: FloatArray
) -> tuple[IntArray, SignArray, FloatArray]:
    """Relate every node to its parent, ``x[node] = sign[node] * x[parent[node]] + shift[node]``.

    Nodes are the entries and, last, the number `zero`. Roots are their own parents: the number 0,
    and in each component without it the first entry.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import breadth_first_order, connected_components

    n_nodes = zero + 1
    graph = coo_array((np.ones(left.size), (left, right)), shape=(n_nodes, n_nodes)).tocsr()
    _, component = connected_components(graph, directed=False)
    _, root = np.unique(component, return_index=True)
    root[component[zero]] = zero
    # One more node hangs the roots together, so that one walk from it reaches all nodes.
    hub = n_nodes
    ends = np.append(left, np.full(root.size, hub)), np.append(right, root)
    hung = coo_array((np.ones(ends[0].size), ends), shape=(n_nodes + 1, n_nodes + 1)).tocsr()
    _, reached_from = breadth_first_order(hung, hub, directed=False)
    parent = reached_from[:hub].astype(np.intp)
    parent[root] = root

    # The equation behind each edge of the tree: any of those that relate the two nodes.
    child = np.flatnonzero(parent != np.arange(n_nodes))
    known, equations = np.unique(_edge_number(left, right, n_nodes), return_index=True)
    edge = equations[np.searchsorted(known, _edge_number(child, parent[child], n_nodes))]
    to_parent = np.ones(n_nodes, dtype=np.int8)
    to_parent[child] = sign[edge]
    shift = np.zeros(n_nodes)
    # Solved for the right side, x[left] = s x[right] + c is x[right] = s x[left] - s c.
    shift[child] = constant[edge] * np.where(left[edge] == child, 1, -sign[edge])
    return parent, to_parent, shift


def _edge_number(one: IntArray, other: IntArray, n_nodes: int) -> IntArray:
    """Give each pair of nodes a number, whichever comes first."""
    return np.minimum(one, other) * n_nodes + np.maximum(one, other)


def _checked_equations(
    n_entries: int, left: ArrayLike, right: ArrayLike, sign: ArrayLike, constant: ArrayLike
) -> tuple[IntArray, IntArray, SignArray, FloatArray]:
    """Broadcast to vectors; a right side of -1 becomes the node `n_entries` with sign +1."""
    arrays = (
        checked_integers(left, "left"),
        checked_integers(right, "right"),
        np.asarray(sign, dtype=np.float64),
        np.asarray(constant, dtype=np.float64),
    )
    try:
        broadcast = np.broadcast_arrays(*arrays)
    except ValueError as error:
        raise TyingError(
            f"left, right, sign and constant have shapes {[array.shape for array in arrays]}; "
            "give one number of each for every equation"
        ) from error
    lefts, rights, signs, constants = (array.ravel() for array in broadcast)
    alone = rights == -1
    inside = f"give entries from 0 to {n_entries - 1}"
    for wrong, values, name, advice in (
        ((lefts < 0) | (lefts >= n_entries), lefts, "left", inside),
        ((rights < -1) | (rights >= n_entries), rights, "right", f"{inside}, or -1 for none"),
        (~alone & (np.abs(signs) != 1), signs, "sign", "give +1 or -1"),
        (np.isnan(constants), constants, "constant", "give a number"),
        (~alone & np.isinf(constants), constants, "constant", "only a fixed entry can be infinite"),
    ):
        refuse(wrong, values, name, advice, TyingError)
    return (
        lefts,
        np.where(alone, n_entries, rights),
        np.where(alone, 1, signs).astype(np.int8),
        constants,
    )
