"""One model for several groups of items: a copy of all its parameters for each group.

Groups are an axis like position or time: without a tie every group has parameters of its own, so
that the fit is that of each group alone; a parameter tied over the groups is one number. So it can
be tested whether, say, gaps open as often in rodents as in primates, while all else may differ.

>>> from seqbio.core import Hypothesis, fit, untied
>>> class NormalMean:
...     layout = Layout({"mean": ()})
...     def start(self, data):
...         return np.zeros(1)
...     def log_likelihood(self, full, data):
...         return -((data - full) ** 2) / 2
...     def log_likelihood_and_gradient(self, full, data):
...         return self.log_likelihood(full, data).sum(), (data - full).sum(keepdims=True)
>>> model = GroupedModel(NormalMean(), ("mice", "rats"))
>>> data = GroupedData(np.array([1.0, 4.0, 2.0]), np.array([0, 1, 0]))
>>> fit(model, untied(2), data).full.round(4)
array([1.5, 4. ])
>>> fit(model, model.tied_over_groups(untied(2), ["mean"]), data).full.round(4)
array([2.3333, 2.3333])
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from seqbio.core.fingerprint import fingerprint
from seqbio.core.items import joined_of, scores_of, subset_of
from seqbio.core.layout import Layout
from seqbio.core.model import (
    BoolArray,
    Check,
    Effect,
    Model,
    apart_of,
    boundary_of,
    checks_of,
    dependence_of,
    effects_of,
    estimates_of,
    event_totals_of,
    given_of,
    identified_of,
    irregular_reason,
    is_regular,
)
from seqbio.core.numerics import FloatArray, IntArray
from seqbio.core.symmetry import Symmetry, symmetries_of
from seqbio.core.tie_patterns import untied
from seqbio.core.tying import Tying
from seqbio.errors import ParameterError

Method = Callable[..., Any]


@dataclass(eq=False)
class GroupedData:
    """Items, and the group that each belongs to.

    Parameters
    ----------
    whole : object
        All items, in the form that the model of a single group takes.
    labels : ndarray of int, (n_items,)
        The number of the group of each item.
    names : tuple of str
        What the groups are called; not part of the data's identity.
    """

    whole: Any
    labels: IntArray
    names: tuple[str, ...] = ()
    _parts: dict[int, Any] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def __reduce__(self) -> tuple[type[GroupedData], tuple[Any, ...]]:
        # What can be taken out again does not travel to other processes.
        return GroupedData, (self.whole, self.labels, self.names)

    def members(self, group: int) -> IntArray:
        """Where the items of a group stand."""
        return np.flatnonzero(self.labels == group)

    def part(self, model: Model, group: int) -> Any:
        """Take the items of one group, in the form that the model of a single group takes."""
        if group not in self._parts:
            self._parts[group] = subset_of(model, self.whole, self.members(group))
        return self._parts[group]

    def fingerprint(self) -> str:
        """Name the data: equal for equal items in the same groups."""
        return fingerprint([self.whole, self.labels])

    @property
    def clusters(self) -> Method:
        """What the items say about their dependence; missing where they say nothing."""
        method: Method = self.whole.clusters
        return method

    @property
    def near_copies(self) -> Method:
        """Which items are nearly the same, also across groups; missing where they do not say."""
        method: Method = self.whole.near_copies
        return method

    @property
    def sample_size(self) -> Method:
        """How many of what carries information; missing where the items do not say."""
        method: Method = self.whole.sample_size
        return method

    @property
    def copies(self) -> Method:
        """Which items are copies of one another, within a group; missing where they do not say."""
        of_whole: Method = self.whole.copies

        def copies() -> IntArray:
            pairs = np.stack([of_whole(), self.labels])
            return np.unique(pairs, axis=1, return_inverse=True)[1].reshape(-1)

        return copies


class _Piece(NamedTuple):
    """One group: its number, where its items stand, its parameters and its items."""

    group: int
    members: IntArray
    full: FloatArray
    data: Any


@dataclass(frozen=True, eq=False)
class GroupedModel:
    """A model with one copy of its parameters for each group of items.

    The copies stand one after the other, and blocks are named after their group, such as
    ``open_x[rodents]``. A group of which the data hold no item, as may be in a part of them, adds
    nothing. What the model of a single group does not offer is not offered here.

    Parameters
    ----------
    base : Model
        Of the items of one group; `fit` must be the way to fit it.
    groups : tuple of str
        Their names; the first is the one that others are compared with.

    Raises
    ------
    ParameterError
        There is no group, two have one name, or the model has its own way to be fitted.
    """

    base: Model
    groups: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.groups or len(set(self.groups)) < len(self.groups):
            raise ParameterError(f"groups are {self.groups!r}; give names that differ")
        if hasattr(self.base, "maximise"):
            raise ParameterError(
                f"{type(self.base).__name__} is fitted in its own way, which knows no groups; fit "
                "each group alone"
            )

    @property
    def key(self) -> dict[str, Any]:
        """What two hypotheses must share to be about the same model."""
        kind = type(self.base)
        return {
            "groups": list(self.groups),
            "model": f"{kind.__module__}.{kind.__qualname__}",
            "settings": getattr(self.base, "key", None),
        }

    @cached_property
    def layout(self) -> Layout:
        """The blocks of every group, one group after the other."""
        shapes, labels = self.base.layout.shapes.items(), self.base.layout.labels.items()
        return Layout(
            {f"{name}[{group}]": shape for group in self.groups for name, shape in shapes},
            {
                f"{name}[{group}]": [f"{label}[{group}]" for label in each]
                for group in self.groups
                for name, each in labels
            },
        )

    @cached_property
    def boundary(self) -> BoolArray:
        """Where -inf is a meaningful value."""
        return np.tile(boundary_of(self.base), len(self.groups))

    @cached_property
    def apart(self) -> BoolArray:
        """Where estimates are all but independent of the others."""
        return np.tile(apart_of(self.base), len(self.groups))

    @cached_property
    def given(self) -> BoolArray:
        """Which parameters say what drawn data take from the data they stand for."""
        return np.tile(given_of(self.base), len(self.groups))

    @property
    def regular(self) -> bool:
        """Whether likelihood theory holds."""
        return is_regular(self.base)

    @property
    def irregular_reason(self) -> str:
        """Why it does not."""
        return irregular_reason(self.base)

    # -- copies --------------------------------------------------------------------------------

    def of_group(self, full: FloatArray, group: int) -> FloatArray:
        """Take the parameters of one group out of all, (..., n_full) to (..., n_full / groups)."""
        return full[..., self._place(group)]

    def embedded(self, effect: Effect, group: int) -> Effect:
        """Turn an effect of one group into one of the whole model."""
        gradient = np.zeros(self.layout.size)
        gradient[self._place(group)] = effect.gradient
        return replace(effect, gradient=gradient)

    def tied_over_groups(self, tying: Tying, blocks: Iterable[str]) -> Tying:
        """Tie blocks over the groups, on top of another tying.

        Entries that the tying holds fixed in any group are left as they are.

        Parameters
        ----------
        tying : Tying
            Over the whole layout.
        blocks : iterable of str
            Names in the layout of a single group.

        Returns
        -------
        Tying
            Nested in `tying`; equal to it where there is nothing to tie.
        """
        size = self.base.layout.size
        entries = [i for name in blocks for i in self.base.layout.indices(name).ravel()]
        copies = np.array(entries, dtype=np.int64)[:, None] + size * np.arange(len(self.groups))
        free = (tying.group[copies] >= 0).all(axis=1)
        return tying.with_equal(copies[free])

    def _place(self, group: int) -> slice:
        size = self.base.layout.size
        return slice(group * size, (group + 1) * size)

    def _pieces(self, full: FloatArray, data: GroupedData) -> Iterator[_Piece]:
        for group in range(len(self.groups)):
            members = data.members(group)
            if len(members):
                part = data.part(self.base, group)
                yield _Piece(group, members, self.of_group(full, group), part)

    # -- likelihood ----------------------------------------------------------------------------

    def start(self, data: GroupedData) -> FloatArray:
        """Start every group where it would start alone; one without items where all would."""
        return np.concatenate(
            [
                self.base.start(
                    data.part(self.base, group) if len(data.members(group)) else data.whole
                )
                for group in range(len(self.groups))
            ]
        )

    def begin(self, full: FloatArray, data: GroupedData, free: BoolArray) -> FloatArray:
        """Begin in every group where the model would begin in it."""
        better = getattr(self.base, "begin", None)
        if better is None:
            return full
        full = full.copy()
        for piece in self._pieces(full, data):
            own = self._place(piece.group)
            full[own] = better(piece.full, piece.data, free[own])
        return full

    def standard(self, full: FloatArray) -> FloatArray:
        """Bring the parts of every group into their usual order."""
        usual = getattr(self.base, "standard", None)
        if usual is None:
            return full
        return np.concatenate([usual(self.of_group(full, i)) for i in range(len(self.groups))])

    def log_likelihood(self, full: FloatArray, data: GroupedData) -> FloatArray:
        """Give the log-likelihood of every item by the parameters of its group, (n_items,)."""
        result = np.empty(len(data))
        for piece in self._pieces(full, data):
            result[piece.members] = self.base.log_likelihood(piece.full, piece.data)
        return result

    def log_likelihood_and_gradient(
        self, full: FloatArray, data: GroupedData
    ) -> tuple[float, FloatArray]:
        """Give the log-likelihood of all items together, and its gradient, (n_full,)."""
        total, gradient = 0.0, np.zeros(self.layout.size)
        for piece in self._pieces(full, data):
            value, slope = self.base.log_likelihood_and_gradient(piece.full, piece.data)
            total += value
            gradient[self._place(piece.group)] = slope
        return total, gradient

    @property
    def curvature(self) -> Method:
        """Rough diagonal of minus the Hessian; missing where the base gives none."""
        of_base = _optional(self.base, "curvature")

        def curvature(full: FloatArray, data: GroupedData) -> FloatArray:
            result = np.zeros(self.layout.size)
            for piece in self._pieces(full, data):
                result[self._place(piece.group)] = of_base(piece.full, piece.data)
            return result

        return curvature

    def scores(self, full: FloatArray, data: GroupedData) -> FloatArray:
        """Differentiate the log-likelihood of every item, (n_items, n_full)."""
        result = np.zeros((len(data), self.layout.size))
        for piece in self._pieces(full, data):
            scores = scores_of(self.base, untied(piece.full.size), piece.full, piece.data)
            result[piece.members, self._place(piece.group)] = scores
        return result

    # -- what tests and reports need -----------------------------------------------------------

    def identified(self, full: FloatArray, data: GroupedData) -> FloatArray:
        """List what fixes the distribution of every group."""
        pieces = self._pieces(full, data)
        return np.concatenate(
            [identified_of(self.base, piece.full, piece.data) for piece in pieces]
        )

    def subset(self, data: GroupedData, indices: IntArray) -> GroupedData:
        """Take items with their groups."""
        whole = subset_of(self.base, data.whole, indices)
        return GroupedData(whole, data.labels[indices], data.names)

    @property
    def clusters(self) -> Method:
        """Which items belong together, also across groups; missing where the base does not say."""
        of_base = _optional(self.base, "clusters")
        return lambda data: of_base(data.whole)

    @property
    def symmetries(self) -> tuple[Symmetry, ...]:
        """What the base declares, within every group."""
        starts = self.base.layout.size * np.arange(len(self.groups))[:, None]
        return tuple(
            replace(
                each,
                permutation=(starts + each.permutation).ravel(),
                transform=_of_whole(each.transform),
                one_by_one=_told_of_whole(each.one_by_one),
            )
            for each in symmetries_of(self.base)
        )

    @property
    def simulate(self) -> Method:
        """Draw items for every group from its own parameters; missing where the base cannot."""
        of_base = _optional(self.base, "simulate")

        def simulate(
            full: FloatArray, data: GroupedData, generator: np.random.Generator
        ) -> GroupedData:
            pieces = list(self._pieces(full, data))
            drawn = [of_base(piece.full, piece.data, generator) for piece in pieces]
            order = np.argsort(np.concatenate([piece.members for piece in pieces]))
            whole = subset_of(self.base, joined_of(self.base, drawn), order)
            return GroupedData(whole, data.labels, data.names)

        return simulate

    @property
    def probes(self) -> Method:
        """Measure every item by the parameters of its group; missing where the base does not."""
        of_base = _optional(self.base, "probes")

        def probes(full: FloatArray, data: GroupedData) -> dict[str, FloatArray]:
            result: dict[str, FloatArray] = {}
            for piece in self._pieces(full, data):
                for name, values in of_base(piece.full, piece.data).items():
                    whole = result.setdefault(name, np.zeros((len(data), *values.shape[1:])))
                    whole[piece.members] = values
            return result

        return probes

    def checks(self, full: FloatArray, data: GroupedData, tying: Tying) -> list[Check]:
        """Find reasons to doubt a test, in every group and between groups."""
        checks = []
        for piece in self._pieces(full, data):
            place = self._place(piece.group)
            own = Tying(tying.group[place], tying.sign[place], tying.offset[place])
            name = self.groups[piece.group]
            checks += [
                replace(
                    check,
                    message=f"group {name}: {check.message}",
                    about=f"{check.about}[{name}]" if check.about else "",
                )
                for check in checks_of(self.base, piece.full, piece.data, own)
            ]
        return checks

    def dependence(self, data: GroupedData) -> list[Check]:
        """Find items that are not independent of each other, also across groups."""
        return dependence_of(self.base, data.whole)

    def event_totals(self, full: FloatArray, data: GroupedData) -> dict[str, FloatArray]:
        """Count the events behind the parameters of every group."""
        totals: dict[str, FloatArray] = {}
        for piece in self._pieces(full, data):
            for words, expected in event_totals_of(self.base, piece.full, piece.data).items():
                whole = totals.setdefault(words, np.full(self.layout.size, np.nan))
                whole[self._place(piece.group)] = expected
        return totals

    def estimates(self, full: FloatArray) -> dict[str, float]:
        """Name the parameters of every group, those of the same name side by side."""
        named = [
            estimates_of(self.base, self.of_group(full, group)) for group in range(len(self.groups))
        ]
        names = dict.fromkeys(name for estimates in named for name in estimates)
        return {
            f"{name}[{group}]": estimates[name]
            for name in names
            for group, estimates in zip(self.groups, named, strict=True)
            if name in estimates
        }

    def effects(self, full: FloatArray) -> dict[str, Effect]:
        """Compare every group with the first, then give the effects within each."""
        fulls = [self.of_group(full, group) for group in range(len(self.groups))]
        reference, *others = [
            {name: self.embedded(effect, k) for name, effect in _comparable(self.base, own).items()}
            for k, own in enumerate(fulls)
        ]
        effects = {}
        for group, own in zip(self.groups[1:], others, strict=True):
            for name in [name for name in own if name in reference]:
                effect = _contrast(own[name], reference[name], group, self.groups[0])
                effects[effect.name] = effect
        for k, group in enumerate(self.groups):
            for name, effect in effects_of(self.base, fulls[k]).items():
                named = replace(effect, name=f"{effect.name} [{group}]")
                effects[f"{name}[{group}]"] = self.embedded(named, k)
        return effects


def _told_of_whole(one_by_one: Method) -> Method:
    """Ask of the data without their groups."""
    return lambda data: one_by_one(data.whole)


def _of_whole(transform: Method) -> Method:
    """Transform items whatever their group."""

    def transformed(data: GroupedData, mask: BoolArray) -> GroupedData:
        return replace(data, whole=transform(data.whole, mask), _parts={})

    return transformed


def _optional(base: Model, name: str) -> Method:
    """Get a method that a model may have; without it this raises, so that a property is missing."""
    method: Method = getattr(base, name)
    return method


def _comparable(base: Model, full: FloatArray) -> dict[str, Effect]:
    method = getattr(base, "comparable", None)
    return {} if method is None else dict(method(full))


def _contrast(effect: Effect, reference: Effect, group: str, first: str) -> Effect:
    sign = "/" if effect.log_scale else "-"
    return Effect(
        f"{effect.name}[{group}] {sign} {reference.name}[{first}]",
        effect.value - reference.value,
        effect.gradient - reference.gradient,
        effect.log_scale,
    )
