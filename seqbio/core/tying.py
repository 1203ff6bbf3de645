"""The tying of parameters: the same number used in several places.

A tying is data, not code: an index, a sign and an offset for each parameter. So it can be
counted, compared, combined and printed, and every model, fit and test in the package shares it.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from seqbio.core._checks import checked, checked_integers, refuse
from seqbio.core.equations import ROUNDING, SignArray, agree, expression, solve_equations
from seqbio.core.layout import Layout
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.errors import TyingError


@checked
@dataclass(frozen=True, init=False, eq=False, repr=False)
class Tying:
    """Full parameters as copies of fewer free ones.

    ``full[i] = sign[i] * free[group[i]] + offset[i]``, and ``full[i] = offset[i]`` where
    ``group[i]`` is -1. Expanding is an index and pulling a gradient back is a sum over the copies,
    so a shared parameter is one number: nothing can give its copies different values.

    The vectors that a tying can produce are the solutions of simple equations, each entry being
    plus or minus an entry of its group (or nothing), plus a constant. Nesting and intersection
    work on these equations, so they are exact, whatever the signs and offsets; constants
    that differ by no more than rounding (1e-9) count as equal.

    Groups are renumbered 0, 1, ... in the order in which they first appear; the free vector has
    that order, and numbers that no entry uses leave no trace. Tyings are immutable, and equal when
    they expand alike; two that produce the same vectors from different free ones are nested in
    each other without being equal.

    Parameters
    ----------
    group : array_like of int, (n_full,)
        Which free parameter each entry copies; -1 holds the entry fixed at its offset.
    sign : array_like of +1 and -1, (n_full,), optional
        Default +1. What stands at fixed entries is ignored, and read back as 0.
    offset : array_like of float, (n_full,), optional
        Default 0. Finite, but a fixed entry may be held at -inf or +inf, such as the logit of a
        probability of exactly 0 or 1.

    Attributes
    ----------
    group, sign, offset : ndarray of int, int8 and float64, (n_full,)
        As above, read-only.
    n_free : int
        How many groups are in use.

    Raises
    ------
    TyingError
        An array is malformed.

    Examples
    --------
    Two parameters that are one, one that is its opposite, and one held at 0.5:

    >>> tying = Tying([0, 0, 0, -1], sign=[1, 1, -1, 1], offset=[0, 0, 0, 0.5])
    >>> tying
    Tying(n_full=4, n_free=1)
    >>> tying.expand([3.0])
    array([ 3. ,  3. , -3. ,  0.5])
    >>> tying.pull_back([1.0, 2.0, 4.0, 8.0])
    array([-1.])
    >>> tying.is_nested_in(Tying([0, 1, 0, 2], sign=[1, 1, -1, 1]))
    True
    """

    group: IntArray
    sign: SignArray
    offset: FloatArray
    n_free: int
    _first: IntArray  # (n_free,) the first member of each group

    def __init__(
        self, group: ArrayLike, sign: ArrayLike | None = None, offset: ArrayLike | None = None
    ) -> None:
        labels, signs, offsets = _checked_arrays(group, sign, offset)
        members = np.flatnonzero(labels >= 0)
        _, first, inverse = np.unique(labels[members], return_index=True, return_inverse=True)
        by_appearance = np.argsort(first)
        labels[members] = np.argsort(by_appearance)[inverse]
        arrays: dict[str, NDArray[Any]] = {
            "group": labels,
            "sign": signs,
            "offset": offsets,
            "_first": members[first[by_appearance]],
        }
        for name, array in arrays.items():
            array.setflags(write=False)
            object.__setattr__(self, name, array)
        object.__setattr__(self, "n_free", first.size)

    @classmethod
    def from_equations(
        cls,
        n_full: int,
        left: ArrayLike,
        right: ArrayLike,
        sign: ArrayLike = 1,
        constant: ArrayLike = 0.0,
    ) -> Tying:
        """Tie the solutions of ``x[left] = sign * x[right] + constant``.

        This is how patterns are made and tyings combined; `solve_equations` says how it works.

        Parameters
        ----------
        n_full : int
            Number of entries of `x`.
        left, right : array_like of int
            The entries that each equation relates; -1 at `right` stands for the number 0, so
            that the equation reads ``x[left] = constant``. All arguments broadcast.
        sign : array_like of +1 and -1, default 1
            Ignored where `right` is -1.
        constant : array_like of float, default 0
            Finite, or -inf or +inf where `right` is -1.

        Returns
        -------
        Tying
            Its free parameters are the first entries of the components.

        Raises
        ------
        TyingError
            The equations contradict each other, or an argument is malformed.

        Examples
        --------
        >>> tying = Tying.from_equations(4, left=[1, 2, 3], right=[0, 0, -1], sign=[1, -1, 1])
        >>> tying.expand([5.0])
        array([ 5.,  5., -5.,  0.])
        """
        return cls(*solve_equations(n_full, left, right, sign, constant))

    @property
    def n_full(self) -> int:
        """Number of full parameters."""
        return self.group.size

    def expand(self, free: ArrayLike) -> FloatArray:
        """Copy the free parameters to their places.

        Parameters
        ----------
        free : array_like of float, (..., n_free)
            May be infinite; leading axes are kept.

        Returns
        -------
        ndarray of float64, (..., n_full)
            ``sign * free[group] + offset``; never nan unless `free` is.

        Raises
        ------
        TyingError
            The last axis of `free` is not `n_free` long.

        Examples
        --------
        >>> Tying([0, 1, 0], offset=[0, 0, 1]).expand([[1.0, 2.0], [-np.inf, 4.0]])
        array([[  1.,   2.,   2.],
               [-inf,   4., -inf]])
        """
        free = _checked_length(free, self.n_free, "free")
        # Group -1 picks the 0 at the end, so that no infinity meets the sign 0 of a fixed entry.
        padded = np.concatenate([free, np.zeros((*free.shape[:-1], 1))], axis=-1)
        return np.asarray(self.sign * padded.take(self.group, axis=-1) + self.offset)

    def pull_back(self, gradient_full: ArrayLike) -> FloatArray:
        """Sum a gradient over the copies: the exact adjoint of `expand`.

        Parameters
        ----------
        gradient_full : array_like of float, (..., n_full)
            Derivatives with respect to the full parameters; those of fixed entries are not looked
            at, so they may be nan.

        Returns
        -------
        ndarray of float64, (..., n_free)
            Derivatives with respect to the free parameters.

        Raises
        ------
        TyingError
            The last axis of `gradient_full` is not `n_full` long.

        Examples
        --------
        >>> Tying([0, 1, 0], sign=[1, 1, -1]).pull_back([1.0, 2.0, 4.0])
        array([-3.,  2.])
        """
        gradient = _checked_length(gradient_full, self.n_full, "gradient_full")
        members = self._members()
        return self._sum_copies(self.sign[members] * gradient[..., members])

    def jacobian(self) -> FloatArray:
        """Write the linear part of `expand` as a dense matrix, for small models and for tests.

        Returns
        -------
        ndarray of float64, (n_full, n_free)
            Entries -1, 0 and 1.

        Examples
        --------
        >>> Tying([0, 1, 0, -1], sign=[1, 1, -1, 1]).jacobian()
        array([[ 1.,  0.],
               [ 0.,  1.],
               [-1.,  0.],
               [ 0.,  0.]])
        """
        matrix = np.zeros((self.n_full, self.n_free))
        members = self._members()
        matrix[members, self.group[members]] = self.sign[members]
        return matrix

    def is_nested_in(self, other: Tying) -> bool:
        """Tell whether every vector that this tying produces is one that `other` produces.

        That is so when this tying satisfies the equations of the other. A parameter fixed at -inf
        counts as a special case of a free one, which can go there.

        Parameters
        ----------
        other : Tying
            Of as many full parameters.

        Returns
        -------
        bool
            True for two tyings that produce the same vectors, too.

        Raises
        ------
        TyingError
            The tyings have different numbers of full parameters.

        Examples
        --------
        >>> Tying([0, 0, 0]).is_nested_in(Tying([0, 0, 1]))
        True
        >>> Tying([0, 0, 1]).is_nested_in(Tying([0, 1, 1]))
        False
        """
        return not self.breaks(other).any()

    def breaks(self, other: Tying) -> NDArray[np.bool_]:
        """Tell which entries do not obey the equations of another tying.

        Parameters
        ----------
        other : Tying
            Of as many full parameters.

        Returns
        -------
        ndarray of bool, (n_full,)
            Of a group of the other that is torn apart here, all but some that agree with its first
            member.

        Raises
        ------
        TyingError
            The tyings have different numbers of full parameters.

        Examples
        --------
        >>> Tying([0, 0, 1]).breaks(Tying([0, 1, 1])).tolist()
        [False, False, True]
        """
        self._check_same_size(other)
        anchor, sign, constant = other._equations()
        group, own_sign, offset = self._with_zero()
        return np.asarray(
            (self.group != group[anchor])
            | (self.sign != sign * own_sign[anchor])
            | ~agree(self.offset, sign * offset[anchor] + constant)
        )

    def contains(self, full: ArrayLike, tolerance: float = ROUNDING) -> bool:
        """Tell whether this tying can produce the given full parameters.

        Parameters
        ----------
        full : array_like of float, (n_full,)
            Infinite values agree with themselves alone; nan agrees with nothing.
        tolerance : float, default 1e-9
            How far a copy may lie from what the first member of its group says, relative to 1 or
            to its own size.

        Returns
        -------
        bool
            Whether all copies agree.

        Raises
        ------
        TyingError
            `full` is not a vector of `n_full` numbers.

        Examples
        --------
        >>> Tying([0, 0]).contains([2.0, 2.0]), Tying([0, 0]).contains([2.0, 2.1])
        (True, False)
        """
        full = _checked_length(full, self.n_full, "full", vector=True)
        if not 0 <= tolerance < np.inf:
            raise TyingError(f"tolerance is {tolerance}; give a finite number of 0 or more")
        anchor, sign, constant = self._equations()
        return bool(agree(full, sign * np.append(full, 0.0)[anchor] + constant, tolerance).all())

    def project(self, full: ArrayLike) -> FloatArray:
        """Find the free parameters that come closest to the given full ones.

        Least squares: each free parameter is the mean of what its copies say. Where all copies
        say the same it is taken as it is, free of the rounding of a mean.

        Parameters
        ----------
        full : array_like of float, (..., n_full)
            May be infinite; leading axes are kept. Values of fixed entries are not looked at.

        Returns
        -------
        ndarray of float64, (..., n_free)
            ``expand(project(full))`` is `full` when the tying can produce it.

        Raises
        ------
        TyingError
            The last axis of `full` is not `n_full` long, or a free entry is nan, or the copies of
            a parameter say both -inf and +inf.

        Examples
        --------
        >>> Tying([0, 1, 0], sign=[1, 1, -1]).project([1.0, 7.0, -3.0])
        array([2., 7.])
        """
        full = _checked_length(full, self.n_full, "full")
        members, first = self._members(), self._first
        says = self.sign[members] * (full[..., members] - self.offset[members])
        first_says = self.sign[first] * (full[..., first] - self.offset[first])
        n_differing = self._sum_copies((says != first_says[..., self.group[members]]).astype(float))
        mean = self._sum_copies(says) / np.bincount(self.group[members], minlength=self.n_free)
        free = np.where(n_differing == 0, first_says, mean)
        if np.isnan(free).any():
            i = first[np.argwhere(np.isnan(free))[0, -1]]
            raise TyingError(
                f"the copies of entry {i} have no mean: one is nan, or they say both -inf and +inf;"
                " give values that are finite, or infinite in one direction"
            )
        return free

    def intersect(self, other: Tying) -> Tying:
        """Tie what either of two tyings ties.

        Parameters
        ----------
        other : Tying
            Of as many full parameters.

        Returns
        -------
        Tying
            It produces exactly the vectors that both produce, so it is nested in both. Signs
            that conflict fix a parameter: ``x = -x + c`` gives ``x = c / 2``.

        Raises
        ------
        TyingError
            No vector satisfies both, or they have different numbers of full parameters.

        Examples
        --------
        >>> tying = Tying([0, 0, 1, 2]).intersect(Tying([0, 1, 1, -1], offset=[0, 0, 0, 4]))
        >>> tying.expand([7.0])
        array([7., 7., 7., 4.])
        """
        self._check_same_size(other)
        anchor, sign, constant = self._equations()
        their_anchor, their_sign, their_constant = other._equations()
        return Tying.from_equations(
            self.n_full,
            left=np.arange(self.n_full),
            right=[anchor, their_anchor],
            sign=[sign, their_sign],
            constant=[constant, their_constant],
        )

    def with_equal(self, *arrays: ArrayLike) -> Tying:
        """Give the entries in each row of some arrays one value, in addition.

        Parameters
        ----------
        *arrays : array_like of int, (n_rows, n_equal)
            Full parameters.

        Returns
        -------
        Tying
            As `intersect` gives with the tying that makes these equal and no others.

        Raises
        ------
        TyingError
            Parameters of a row are fixed at different values, or an array has not the right form.

        Examples
        --------
        >>> Tying([0, 1, 2, 3, -1]).with_equal([[0, 1], [2, 3]], [[0, 4]]).expand([5.0])
        array([0., 0., 5., 5., 0.])
        """
        rows = [checked_integers(array, "an array of equal parameters") for array in arrays]
        for each in rows:
            if each.ndim != 2 or each.shape[1] == 0:
                raise TyingError(
                    f"an array of equal parameters has shape {each.shape}; give rows of parameters"
                )
        firsts = [np.broadcast_to(each[:, :1], each.shape) for each in rows]
        anchor, sign, constant = self._equations()
        tied = np.flatnonzero(anchor != np.arange(self.n_full))
        n_new = sum(each.size for each in rows)
        return Tying.from_equations(
            self.n_full,
            left=np.concatenate([tied, *map(np.ravel, rows)]),
            right=np.concatenate([anchor[tied], *map(np.ravel, firsts)]),
            sign=np.concatenate([sign[tied], np.ones(n_new, dtype=np.int8)]),
            constant=np.concatenate([constant[tied], np.zeros(n_new)]),
        )

    def describe(self, layout: Layout) -> list[str]:
        """Say in words what the tying ties and fixes.

        Parameters
        ----------
        layout : Layout
            Names the full parameters.

        Returns
        -------
        list of str
            One line for entries that are equal; nothing for those that are free and on their own.

        Raises
        ------
        TyingError
            The layout does not have `n_full` entries.

        Examples
        --------
        >>> layout = Layout({"open": (2,), "shift": (), "switch": (2,)})
        >>> tying = Tying([0, 0, 0, -1, -1], sign=[1, 1, -1, 1, 1], offset=[0, 0, 3, 0.5, 0.5])
        >>> for line in tying.describe(layout):
        ...     print(line)
        open[0] = open[1]
        shift = -open[0] + 3
        switch[0] = switch[1] = 0.5
        """
        if layout.size != self.n_full:
            raise TyingError(
                f"the layout has {layout.size} entries and the tying {self.n_full}; give the "
                "layout of the model that the tying belongs to"
            )
        alike: dict[tuple[int, int, float], list[str]] = {}
        equations = (array.tolist() for array in self._equations())
        for name, equation in zip(layout.entry_names, zip(*equations, strict=True), strict=True):
            alike.setdefault(equation, []).append(name)
        lines = []
        for (anchor, sign, constant), names in alike.items():
            terms = [*names[:3], "...", names[-1]] if len(names) > 6 else names
            if (sign, constant) != (1, 0.0):  # else the first name is the anchor itself
                terms = [*terms, expression(sign, layout.entry_names[anchor], constant)]
            if len(terms) > 1:
                count = f" ({len(names)} entries)" if len(names) > 6 else ""
                lines.append(" = ".join(terms) + count)
        return lines

    def _equations(self) -> tuple[IntArray, SignArray, FloatArray]:
        """Anchor, sign, constant of ``x[i] = sign[i] * x[anchor[i]] + constant[i]`` for every i.

        The anchor is the first member of the group; of fixed entries it is -1 and the sign 0.
        """
        _, own_sign, offset = self._with_zero()
        anchor = np.append(self._first, -1)[self.group]
        sign = self.sign * own_sign[anchor]
        return anchor, sign, self.offset - sign * offset[anchor]

    def _with_zero(self) -> tuple[IntArray, SignArray, FloatArray]:
        """Group, sign and offset with the number 0 as one more entry, where index -1 finds it."""
        return (
            np.append(self.group, -1),
            np.append(self.sign, np.int8(0)),
            np.append(self.offset, 0.0),
        )

    def _members(self) -> IntArray:
        return np.flatnonzero(self.group >= 0)

    def _sum_copies(self, values: FloatArray) -> FloatArray:
        """Sum values at the entries that are not fixed, (..., n_members), to (..., n_free)."""
        lead = values.shape[:-1]
        bins = self.group[self._members()] + self.n_free * np.arange(prod(lead))[:, None]
        sums = np.bincount(bins.ravel(), weights=values.ravel(), minlength=prod(lead) * self.n_free)
        return np.asarray(sums, dtype=np.float64).reshape(*lead, self.n_free)

    def _check_same_size(self, other: Tying) -> None:
        if self.n_full != other.n_full:
            raise TyingError(
                f"one tying has {self.n_full} full parameters and the other {other.n_full}; "
                "compare and combine tyings of the same model"
            )

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tying):
            return NotImplemented
        return all(
            np.array_equal(mine, theirs)
            for mine, theirs in zip(self._arrays(), other._arrays(), strict=True)
        )

    def __hash__(self) -> int:
        return hash(tuple(array.tobytes() for array in self._arrays()))

    def __repr__(self) -> str:
        return f"Tying(n_full={self.n_full}, n_free={self.n_free})"

    def __reduce__(self) -> tuple[type[Tying], tuple[NDArray[Any], ...]]:
        # Arrays come out of a pickle writeable; going through the constructor protects them again.
        return Tying, self._arrays()

    def _arrays(self) -> tuple[NDArray[Any], ...]:
        return self.group, self.sign, self.offset


def _checked_length(
    values: ArrayLike, length: int, name: str, *, vector: bool = False
) -> FloatArray:
    array = np.asarray(values, dtype=np.float64)
    if array.shape[-1:] != (length,) or (vector and array.ndim != 1):
        wanted = f"({length},)" if vector else f"(..., {length})"
        raise TyingError(f"{name} has shape {array.shape}; give an array of shape {wanted}")
    return array


def _checked_arrays(
    group: ArrayLike, sign: ArrayLike | None, offset: ArrayLike | None
) -> tuple[IntArray, SignArray, FloatArray]:
    """Copy the arrays of a tying, with sign 0 at fixed entries."""
    labels = checked_integers(group, "group")
    if labels.ndim != 1:
        raise TyingError(f"group has shape {labels.shape}; give one number per entry, (n_full,)")
    size, free = labels.size, labels >= 0
    signs = _checked_length(np.ones(size) if sign is None else sign, size, "sign", vector=True)
    offsets = _checked_length(
        np.zeros(size) if offset is None else offset, size, "offset", vector=True
    )
    hint = "give a finite number, or put the entry into group -1 to hold it there"
    for wrong, values, name, advice in (
        (labels < -1, labels, "group", "give a group number of 0 or more, or -1 for fixed"),
        (free & (np.abs(signs) != 1), signs, "sign", "give +1 or -1"),
        (np.isnan(offsets), offsets, "offset", "give a number"),
        (free & np.isinf(offsets), offsets, "offset", hint),
    ):
        refuse(wrong, values, name, advice, TyingError)
    # Adding 0 copies, and turns -0.0, which equals 0.0 but hashes unlike it, into 0.0.
    return labels, np.where(free, signs, 0).astype(np.int8), offsets + 0.0
