"""A symmetry as a group that acts on data: what is as likely once it has been transformed.

A tie says that some parameters are one number. Where it comes from a symmetry of nature, such as
that of the two sequences of a pair, there is a transformation of an item (x and y change places)
under which the data are as likely as they were, whatever the law of the items is otherwise. A model
may declare such transformations; tests that act on the data (`seqbio.hypothesis_testing`,
calibrations "flip" and "exchange") then need nothing of the model but that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from seqbio.core.model import BoolArray, Model
from seqbio.core.numerics import IntArray


@dataclass(frozen=True, eq=False)
class Symmetry:
    """A transformation of items that undoes itself, and what it does to parameters.

    Parameters
    ----------
    name : str
        In short, such as "exchange".
    words : str
        What happens to an item, in a clause.
    permutation : ndarray of int, (n_full,)
        A transformed item has with the parameters ``full`` the likelihood that the item itself has
        with ``full[permutation]``.
    transform : callable
        From data and a mask, (n_items,), to data in which the items in the mask are transformed.
    """

    name: str
    words: str
    permutation: IntArray
    transform: Callable[[Any, BoolArray], Any]


def symmetries_of(model: Model) -> tuple[Symmetry, ...]:
    """Get the transformations that a model declares.

    Parameters
    ----------
    model : Model
        May have an attribute ``symmetries``.

    Returns
    -------
    tuple of Symmetry
        Empty for a model that does not say.
    """
    return tuple(getattr(model, "symmetries", ()))
