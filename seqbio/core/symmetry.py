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
from typing import Any, Literal, NamedTuple

import numpy as np

from seqbio.core._checks import checked
from seqbio.core.fit import Fit
from seqbio.core.model import BoolArray, Check, Model
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.tying import Tying


def _always(data: Any) -> bool:  # noqa: ARG001
    return True


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
    one_by_one : callable
        From data to whether an item can be transformed alone and is as likely then; it cannot where
        items have something in common, such as one reference, that the transformation moves.
    """

    name: str
    words: str
    permutation: IntArray
    transform: Callable[[Any, BoolArray], Any]
    one_by_one: Callable[[Any], bool] = _always


@checked
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


class Reading(NamedTuple):
    """What a learned model finds in every item that a symmetry acts on.

    Parameters
    ----------
    values : ndarray of float64
        Of "signs": (n_items, n_kinds), minus itself in a transformed item. Of "places": (n_items,
        n_kinds, n_places), rotated in one that is shifted.
    learned : Fit
        The null's model that found them.
    checks : tuple of Check
        Reasons for doubt.
    margin : int
        Of "places": how many at either end things may be missed at.
    """

    values: FloatArray
    learned: Fit
    checks: tuple[Check, ...] = ()
    margin: int = 0


@dataclass(frozen=True, eq=False)
class LearnedSymmetry:
    """A symmetry of items that is seen by a model which learns, such as a network.

    The null is learned in a way that does not depend on how items stand, so that what it finds in
    an item changes in a known way with the item.

    Parameters
    ----------
    kind : {"signs", "places"}
        Whether transformed items change the sign of what is found, or are shifted.
    words : str
        What happens to an item, in a clause.
    side : str
        Where a thing is whose sign is positive; empty for "places".
    read : callable
        From a number of starts and a generator to a `Reading`.
    """

    kind: Literal["signs", "places"]
    words: str
    side: str
    read: Callable[[int, np.random.Generator], Reading]


def learned_symmetry(
    model: Model, null: Tying, alternative: Tying, data: Any
) -> LearnedSymmetry | None:
    """Ask a model for the symmetry that the null claims, and the alternative does not.

    Parameters
    ----------
    model : Model
        May have a method ``learned_symmetry(null, alternative, data)``.
    null, alternative : Tying
        Of the hypotheses.
    data : object
        In the form that the model takes.

    Returns
    -------
    LearnedSymmetry or None
        None for a model that has no such method, or knows of no such symmetry.
    """
    ask = getattr(model, "learned_symmetry", None)
    found: LearnedSymmetry | None = None if ask is None else ask(null, alternative, data)
    return found
