"""Named blocks of parameters and the one flat vector that holds them all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import checked
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import ParameterError


@checked
class Layout:
    """Which part of a flat vector belongs to which named array.

    Models are written with named arrays of any shape, optimisers and ties with one flat vector.
    A layout goes between the two: the blocks stand in the vector one after the other, in the order
    in which they are given, each in C order. Layouts are immutable, and equal when they have the
    same blocks in the same order.

    Parameters
    ----------
    shapes : mapping of str to tuple of int
        The shape of each block; ``()`` is a single number.
    labels : mapping of str to sequence of str, optional
        Names of the entries of some blocks, in C order, where their indices would say little.

    Raises
    ------
    ParameterError
        A name is not a string, a shape is not a tuple of integers that are at least 0, or there is
        not one label for each entry of a block.

    Examples
    --------
    >>> layout = Layout({"open": (2,), "distance": ()})
    >>> layout.size
    3
    >>> layout.entry_names
    ('open[0]', 'open[1]', 'distance')
    >>> vector = layout.flatten({"open": [0.1, 0.2], "distance": 0.5})
    >>> vector
    array([0.1, 0.2, 0.5])
    >>> layout.unflatten(vector)["open"]
    array([0.1, 0.2])
    >>> Layout({"open": (2,), "distance": ()}, {"open": ("open_x", "open_y")}).entry_names
    ('open_x', 'open_y', 'distance')
    """

    def __init__(
        self,
        shapes: Mapping[str, tuple[int, ...]],
        labels: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self._shapes = {name: _checked_shape(name, shape) for name, shape in shapes.items()}
        self._slices: dict[str, slice] = {}
        stop = 0
        for name, shape in self._shapes.items():
            start, stop = stop, stop + prod(shape)
            self._slices[name] = slice(start, stop)
        self._size = stop
        self._labels = {name: tuple(names) for name, names in (labels or {}).items()}
        for name, names in self._labels.items():
            if len(names) != self._length(name):
                raise ParameterError(
                    f"block {name!r} has {self._length(name)} entries and {len(names)} labels; "
                    "give each its own"
                )

    @property
    def size(self) -> int:
        """Length of the flat vector."""
        return self._size

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the blocks, in order."""
        return tuple(self._shapes)

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Shape of each block, by name."""
        return dict(self._shapes)

    @property
    def labels(self) -> dict[str, tuple[str, ...]]:
        """Names of the entries of the blocks that have such."""
        return dict(self._labels)

    @cached_property
    def entry_names(self) -> tuple[str, ...]:
        """The labels, and where there are none names such as ``open[0]`` or ``weights[3,1]``."""
        return tuple(
            entry
            for name, shape in self._shapes.items()
            for entry in self._labels.get(name)
            or (
                name + (f"[{','.join(map(str, index))}]" if index else "")
                for index in np.ndindex(shape)
            )
        )

    def slice(self, name: str) -> slice:
        """Where the block stands in the flat vector.

        Parameters
        ----------
        name : str
            A block of this layout.

        Returns
        -------
        slice
            ``vector[layout.slice(name)]`` is the block, flat.

        Raises
        ------
        ParameterError
            The layout has no such block.

        Examples
        --------
        >>> Layout({"open": (2,), "distance": ()}).slice("distance")
        slice(2, 3, None)
        """
        if name not in self._slices:
            raise ParameterError(f"no block is named {name!r}; the blocks are {self._listed()}")
        return self._slices[name]

    def indices(self, name: str) -> IntArray:
        """Where each entry of the block stands in the flat vector.

        Parameters
        ----------
        name : str
            A block of this layout.

        Returns
        -------
        ndarray of int, of the shape of the block
            ``vector[layout.indices(name)]`` is the block in its shape.

        Raises
        ------
        ParameterError
            The layout has no such block.

        Examples
        --------
        >>> Layout({"bias": (), "weights": (2, 2)}).indices("weights")
        array([[1, 2],
               [3, 4]])
        """
        where = self.slice(name)
        return np.arange(where.start, where.stop).reshape(self._shapes[name])

    def flatten(self, blocks: Mapping[str, ArrayLike]) -> FloatArray:
        """Write the blocks one after the other into a new vector.

        Parameters
        ----------
        blocks : mapping of str to array_like
            A value for every block, of exactly its shape.

        Returns
        -------
        ndarray of float64, (size,)
            The flat vector.

        Raises
        ------
        ParameterError
            A block is missing, unknown or of another shape.

        Examples
        --------
        >>> Layout({"bias": (), "weights": (1, 2)}).flatten({"bias": 3, "weights": [[1, 2]]})
        array([3., 1., 2.])
        """
        if set(blocks) != set(self._shapes):
            missing = [name for name in self._shapes if name not in blocks]
            unknown = [name for name in blocks if name not in self._shapes]
            raise ParameterError(
                f"missing blocks: {missing}, unknown blocks: {unknown}; "
                f"give each of {self._listed()} and no others"
            )
        vector = np.empty(self._size)
        for name, shape in self._shapes.items():
            block = np.asarray(blocks[name], dtype=np.float64)
            if block.shape != shape:
                raise ParameterError(
                    f"block {name!r} has shape {block.shape}; reshape it to {shape}"
                )
            vector[self._slices[name]] = block.ravel()
        return vector

    def unflatten(self, vector: ArrayLike) -> dict[str, NDArray[Any]]:
        """Cut a flat vector into its named blocks.

        Parameters
        ----------
        vector : array_like, (..., size)
            Values of any type; leading axes are kept in front of each block.

        Returns
        -------
        dict of str to ndarray, (..., *shape)
            Views of `vector` when it is a C-ordered array, so that writing to a block writes to it.

        Raises
        ------
        ParameterError
            The last axis of `vector` is not as long as the layout.

        Examples
        --------
        >>> Layout({"bias": (), "weights": (1, 2)}).unflatten([3.0, 1.0, 2.0])
        {'bias': array(3.), 'weights': array([[1., 2.]])}
        """
        vector = np.asarray(vector)
        if vector.ndim == 0 or vector.shape[-1] != self._size:
            raise ParameterError(
                f"the vector has shape {vector.shape}; its last axis must hold the {self._size} "
                f"entries of the blocks {self._listed()}"
            )
        return {
            name: vector[..., self._slices[name]].reshape(vector.shape[:-1] + shape)
            for name, shape in self._shapes.items()
        }

    def _length(self, name: str) -> int:
        where = self.slice(name)
        return int(where.stop) - int(where.start)

    def _listed(self) -> str:
        return ", ".join(self._shapes) or "(none)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Layout):
            return NotImplemented
        return tuple(self._shapes.items()) == tuple(other._shapes.items())

    def __hash__(self) -> int:
        return hash(tuple(self._shapes.items()))

    def __repr__(self) -> str:
        return f"Layout({self._shapes})"


def _checked_shape(name: object, shape: object) -> tuple[int, ...]:
    if not isinstance(name, str):
        raise ParameterError(f"a block is named {name!r}; give a string")
    if not isinstance(shape, tuple) or not all(
        isinstance(length, (int, np.integer)) and length >= 0 for length in shape
    ):
        raise ParameterError(
            f"block {name!r} has the shape {shape!r}; give a tuple of integers that are at least "
            "0, such as (2,), or () for a single number"
        )
    return tuple(int(length) for length in shape)
