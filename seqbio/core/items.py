"""Data as a set of items: parts of it, the score of each item, and which items belong together.

The split test, held-out comparisons, cluster-robust errors and cluster bootstraps look at single
items. A model needs little for that: ``subset`` alone, and not even that when its data are a NumPy
array whose first axis counts the items. The rest has a default that is right but slower.

>>> import numpy as np
>>> from types import SimpleNamespace
>>> subset_of(SimpleNamespace(), np.array([5.0, 6.0, 7.0]), [2, 0])
array([7., 5.])
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import array_of, checked
from seqbio.core.fingerprint import fingerprint
from seqbio.core.model import Model
from seqbio.core.numerics import FloatArray, IntArray, Labels
from seqbio.core.tying import Tying
from seqbio.errors import ParameterError


@checked
def can_subset(model: object, data: Any) -> bool:
    """Tell whether items can be taken out of the data.

    Parameters
    ----------
    model : Model
        May have a method ``subset(data, indices)``.
    data : object
        May have a method ``subset(indices)``, or be an array.

    Returns
    -------
    bool
        Whether there is a way.
    """
    return (
        callable(getattr(model, "subset", None))
        or callable(getattr(data, "subset", None))
        or (isinstance(data, np.ndarray) and data.ndim > 0)
    )


@checked
def subset_of(model: object, data: Any, indices: ArrayLike) -> Any:
    """Take items out of the data.

    Parameters
    ----------
    model : Model
        Its method ``subset(data, indices)`` comes first.
    data : object
        Or its method ``subset(indices)``, or the first axis of an array.
    indices : array_like of int
        Which items, counted from 0; one that is named twice is there twice.

    Returns
    -------
    object
        In the form that the model takes.

    Raises
    ------
    ParameterError
        There is no way to do it.
    """
    chosen = np.asarray(indices)
    if chosen.ndim != 1 or (chosen.size and not np.issubdtype(chosen.dtype, np.integer)):
        raise ParameterError(f"indices are {indices!r}; give a list of integers")
    chosen = chosen.astype(np.intp)
    own = getattr(model, "subset", None)
    if callable(own):
        return own(data, chosen)
    of_data = getattr(data, "subset", None)
    if callable(of_data):
        return of_data(chosen)
    if isinstance(data, np.ndarray) and data.ndim > 0:
        return data[chosen]
    raise ParameterError(
        f"items cannot be taken out of {type(data).__name__}; add a method subset(data, indices) "
        f"to {type(model).__name__} or subset(indices) to the data"
    )


@checked
def joined_of(model: object, parts: Sequence[Any]) -> Any:
    """Make one data set out of several.

    Parameters
    ----------
    model : Model
        Its method ``join(parts)`` comes first.
    parts : sequence of object
        At least one. Or the method ``joined(others)`` of the first, or the first axis of arrays.

    Returns
    -------
    object
        The items of all parts, one part after the other.

    Raises
    ------
    ParameterError
        There is no way to do it.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> joined_of(SimpleNamespace(), [np.array([5.0]), np.array([6.0, 7.0])])
    array([5., 6., 7.])
    """
    if not len(parts):
        raise ParameterError("there are no parts to join; give at least one")
    own, of_data = getattr(model, "join", None), getattr(parts[0], "joined", None)
    if callable(own):
        return own(parts)
    if callable(of_data):
        return of_data(parts[1:])
    if all(isinstance(part, np.ndarray) and part.ndim > 0 for part in parts):
        return np.concatenate(parts)
    raise ParameterError(
        f"parts of class {type(parts[0]).__name__} cannot be joined; add a method join(parts) to "
        f"{type(model).__name__} or joined(others) to the data"
    )


@checked
def declares_clusters(model: object, data: Any) -> bool:
    """Tell whether a model or its data say which items belong together.

    Where they do not, items of the same content may be copies, or equal by chance, as small counts
    often are.

    Parameters
    ----------
    model : Model
        May have a method ``clusters(data)``.
    data : object
        May have a method ``clusters()``.

    Returns
    -------
    bool
        Whether either has.
    """
    return callable(getattr(model, "clusters", None)) or callable(getattr(data, "clusters", None))


@checked
def clusters_of(model: object, data: Any, n_items: int) -> IntArray:
    """Say which items belong together because they are not independent.

    Parameters
    ----------
    model : Model
        May have a method ``clusters(data)``.
    data : object
        May have a method ``clusters()`` that gives one label for each item. Where neither has,
        items of the same content are together, and every other item is alone.
    n_items : int
        How many items there are.

    Returns
    -------
    ndarray of int, (n_items,)
        Labels 0, 1, ... in order of first appearance.

    Raises
    ------
    ParameterError
        There is not one label for each item.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> clusters_of(SimpleNamespace(), np.array([5.0, 6.0, 5.0]), 3)
    array([0, 1, 0])
    """
    own, of_data = getattr(model, "clusters", None), getattr(data, "clusters", None)
    near = near_copies_of(data)
    if callable(own):
        return _joined(as_labels(own(data), n_items), near)
    if callable(of_data):
        return _joined(as_labels(of_data(), n_items), near)
    if not can_subset(model, data):
        return np.arange(n_items)
    names = [fingerprint(subset_of(model, data, [item])) for item in range(n_items)]
    return as_labels(names, n_items)


@checked
def copies_of(model: object, data: Any) -> IntArray | None:
    """Say which items are copies of one another, if the model or its data know.

    Items may be equal by chance, as small counts often are, which only the model can tell from
    copies.

    Parameters
    ----------
    model : Model
        May have a method ``copies(data)``.
    data : object
        May have a method ``copies()`` that gives one number for each item, the same for copies.

    Returns
    -------
    ndarray of int, (n_items,), or None
        None where neither has.
    """
    own, of_data = getattr(model, "copies", None), getattr(data, "copies", None)
    if callable(own):
        return np.asarray(own(data), dtype=np.int64)
    return np.asarray(of_data(), dtype=np.int64) if callable(of_data) else None


@checked
def sample_size_of(model: object, data: Any, n_items: int) -> tuple[int, str]:
    """Say how many of what carries information, which criteria count.

    Parameters
    ----------
    model : Model
        May have a method ``sample_size(data)``.
    data : object
        May have a method ``sample_size()`` that gives a number, and of what.
    n_items : int
        How many items there are: what counts where neither has the method.

    Returns
    -------
    n : int
        How many.
    what : str
        In the plural.
    """
    own, of_data = getattr(model, "sample_size", None), getattr(data, "sample_size", None)
    if callable(own):
        return own(data)  # type: ignore[no-any-return]
    return of_data() if callable(of_data) else (n_items, "items")


def near_copies_of(data: Any) -> IntArray | None:
    """Say which items are nearly the same, if the data know.

    Parameters
    ----------
    data : object
        May have a method ``near_copies()`` that gives one number for each item, the same for those
        that are nearly the same.

    Returns
    -------
    ndarray of int, (n_items,), or None
        None where it has not.
    """
    method = getattr(data, "near_copies", None)
    return np.asarray(method(), dtype=np.int64) if callable(method) else None


def _joined(labels: IntArray, others: IntArray | None) -> IntArray:
    """Join clusters that have items of one other cluster."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if others is None:
        return labels
    size = int(labels.max()) + 1
    shape = (size + int(others.max()) + 1,) * 2
    links = coo_array((np.ones(len(labels)), (labels, size + others)), shape=shape)
    return as_labels(connected_components(links, directed=False)[1][labels], len(labels))


@checked
def as_labels(clusters: ArrayLike | Labels, n_items: int) -> IntArray:
    """Give clusters the numbers 0, 1, ... in order of first appearance.

    Parameters
    ----------
    clusters : array_like of int or str, (n_items,)
        The same value for items that belong together.
    n_items : int
        How many there must be.

    Returns
    -------
    ndarray of int, (n_items,)
        The numbers.

    Raises
    ------
    ParameterError
        There is not one value for each item.

    Examples
    --------
    >>> as_labels(["mouse", "rat", "mouse"], 3)
    array([0, 1, 0])
    """
    values = array_of(clusters, "clusters")
    if values.shape != (n_items,):
        raise ParameterError(
            f"clusters have the shape {values.shape}; give one label for each of the {n_items} "
            "items"
        )
    _, first, inverse = np.unique(values, return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[inverse], dtype=np.int64)


@checked
def scores_of(model: Model, tying: Tying, full: FloatArray, data: Any) -> FloatArray:
    """Differentiate the log-likelihood of every item by the free parameters.

    Parameters
    ----------
    model : Model
        May have a method ``scores(full, data)`` that gives the derivatives by the full parameters,
        (n_items, n_full). Else they come from central differences of its log-likelihoods, right
        to some eight digits.
    tying : Tying
        Gives the free parameters.
    full : ndarray of float64, (n_full,)
        Where, an element of the tying.
    data : object
        In the form that the model takes.

    Returns
    -------
    ndarray of float64, (n_items, n_free)
        0 for parameters at -inf.

    Examples
    --------
    >>> from seqbio.core import Layout, equal
    >>> class NormalMeans:
    ...     layout = Layout({"mean": (2,)})
    ...     def log_likelihood(self, full, data):
    ...         return -((data - full) ** 2).sum(axis=1) / 2
    >>> data = np.array([[1.0, 2.0], [4.0, 6.0]])
    >>> scores_of(NormalMeans(), equal(2, [0, 1]), np.zeros(2), data).round(6)
    array([[ 3.],
           [10.]])
    """
    free = tying.project(full)
    method = getattr(model, "scores", None)
    if method is not None:
        scores = tying.pull_back(np.asarray(method(full, data), dtype=np.float64))
        return np.where(np.isneginf(free), 0.0, scores)
    columns = []
    for j, value in enumerate(free):
        step = 1e-4 * max(1.0, abs(value)) if np.isfinite(value) else 0.0
        above, below = free.copy(), free.copy()
        above[j] += step
        below[j] -= step
        rise, fall = (
            np.asarray(model.log_likelihood(tying.expand(point), data), dtype=np.float64)
            for point in (above, below)
        )
        columns.append((rise - fall) / (above[j] - below[j]) if step else np.zeros_like(rise))
    if columns:
        return np.stack(columns, axis=1)
    return np.zeros((np.size(model.log_likelihood(full, data)), 0))


@checked
def information_of_items(model: Model, tying: Tying, full: FloatArray, data: Any) -> FloatArray:
    """Give minus the second derivatives of the log-likelihood of every item.

    Central differences of `scores_of`, two evaluations for each free parameter.

    Parameters
    ----------
    model, tying, full, data
        As for `scores_of`.

    Returns
    -------
    ndarray of float64, (n_items, n_free, n_free)
        Symmetric; 0 for parameters at -inf. The sum over items is the observed information.

    Examples
    --------
    >>> from seqbio.core import Layout, untied
    >>> class Counts:
    ...     layout = Layout({"log_rate": ()})
    ...     def log_likelihood(self, full, data):
    ...         return data * full - data.clip(1) * np.exp(full)
    >>> information_of_items(Counts(), untied(1), np.zeros(1), np.array([1.0, 3.0])).round(4)
    array([[[1.]],
    <BLANKLINE>
           [[3.]]])
    """
    free = tying.project(full)
    slopes = []
    for j, value in enumerate(free):
        step = 1e-3 * max(1.0, abs(value)) if np.isfinite(value) else 0.0
        moved = step * (np.arange(free.size) == j)
        above, below = tying.expand(free + moved), tying.expand(free - moved)
        fall = scores_of(model, tying, below, data) - scores_of(model, tying, above, data)
        slopes.append(fall / (2 * step) if step else np.zeros_like(fall))
    matrices = np.stack(slopes, axis=1)
    return np.asarray((matrices + matrices.transpose(0, 2, 1)) / 2)
