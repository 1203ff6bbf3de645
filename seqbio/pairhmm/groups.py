"""Pairs of sequences in groups, such as those of rodents and those of primates."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from seqbio.core._checks import array_of, checked
from seqbio.core.numerics import IntArray
from seqbio.errors import ArgumentTypeError, ParameterError


@checked
@dataclass(frozen=True, eq=False)
class GroupedPairs:
    """Pairs of sequences, and the group that each pair belongs to.

    Whatever takes pairs takes these: ``fit``, ``log_likelihood``, `seqbio.compare`. Every group has
    parameters of its own, unless a tie such as ``group.open`` makes them one.

    Parameters
    ----------
    pairs
        Tuples of two sequences: SeqRecord, Seq or str.
    groups : array_like of str or int, (n_pairs,)
        The name of the group of each pair. The group of the first pair is the one that others are
        compared with.

    Raises
    ------
    ParameterError
        There is not one label for each pair, or a label is no name.

    Examples
    --------
    Are gaps as frequent in the one group as in the other, however far apart the sequences are?

    >>> import seqbio
    >>> truth = {"open_x": 0.02, "open_y": 0.02, "extend_x": 0.3, "extend_y": 0.3, "end": 0.002,
    ...          "distance": 0.1, "kappa": 2.0}
    >>> few = seqbio.PairHMM().set_parameters(truth)
    >>> many = seqbio.PairHMM().set_parameters({**truth, "open_x": 0.08, "open_y": 0.08})
    >>> pairs = seqbio.GroupedPairs(
    ...     few.simulate(4, columns=200, seed=1) + many.simulate(4, columns=200, seed=2),
    ...     ["primates"] * 4 + ["rodents"] * 4)
    >>> null = seqbio.PairHMM(tie=("open", "extend", "group.open"))
    >>> alternative = seqbio.PairHMM(tie=("open", "extend"))
    >>> result = seqbio.compare(null, alternative, pairs, check_fit=False)
    >>> result.df, result.pvalue < 0.001, result.effects[0].name
    (1, True, 'open_x[rodents] / open_x[primates]')
    """

    pairs: Any
    groups: Any

    def __post_init__(self) -> None:
        if not isinstance(self.pairs, Iterable):
            raise ArgumentTypeError(f"pairs is {self.pairs!r}; give a list of pairs of sequences")
        pairs = list(self.pairs)  # may come from a generator, and are gone through twice
        object.__setattr__(self, "pairs", pairs)
        object.__setattr__(self, "groups", _names(self.groups, len(pairs)))

    def __len__(self) -> int:
        return len(self.pairs)

    @property
    def names(self) -> tuple[str, ...]:
        """The groups, in order of appearance."""
        return tuple(dict.fromkeys(self.groups))

    def numbers(self, names: Sequence[str]) -> IntArray:
        """Give the position of each pair's group among some names, (n_pairs,).

        Raises
        ------
        ParameterError
            A group is not among them.
        """
        if not len(names):
            raise ParameterError(
                "the parameters are those of all pairs, without groups; give the pairs alone"
            )
        unknown = [name for name in self.names if name not in names]
        if unknown:
            raise ParameterError(
                f"the model knows the groups {', '.join(names)} and not {', '.join(unknown)}; "
                "give pairs of these groups, or fit again"
            )
        return np.array([names.index(name) for name in self.groups], dtype=np.int64)


def _names(groups: ArrayLike, n_pairs: int) -> list[str]:
    values = array_of(groups, "groups")
    if values.shape != (n_pairs,):
        found = f"{len(values)} labels" if values.ndim == 1 else f"labels of shape {values.shape}"
        raise ParameterError(
            f"there are {found} for {n_pairs} pairs; give the group of each pair, once"
        )
    if values.dtype.kind not in "Uiu":
        raise ParameterError(f"groups are {values.tolist()[:5]}; give names, or whole numbers")
    names = [str(name).strip() for name in values.tolist()]
    if not all(names):
        raise ParameterError(f"the pair at index {names.index('')} has an empty label; name it")
    return names


def split_name(name: str) -> tuple[str, str]:
    """Take the name of a parameter apart from that of its group, which may be none.

    Examples
    --------
    >>> split_name("open_x[rodents]"), split_name("kappa")
    (('open_x', 'rodents'), ('kappa', ''))
    """
    parameter, bracket, group = name.partition("[")
    return parameter, group.removesuffix("]") if bracket else ""


def by_groups(parameters: Mapping[str, float]) -> dict[str, dict[str, float]]:
    """Sort named parameters by group; those without a group are together under "".

    Raises
    ------
    ParameterError
        Some have a group and some have none.

    Examples
    --------
    >>> by_groups({"open_x[mice]": 0.1, "open_x[rats]": 0.2})
    {'mice': {'open_x': 0.1}, 'rats': {'open_x': 0.2}}
    """
    result: dict[str, dict[str, float]] = {}
    for name, value in parameters.items():
        parameter, group = split_name(name)
        result.setdefault(group, {})[parameter] = value
    if "" in result and len(result) > 1:
        raise ParameterError(
            f"{next(iter(result['']))} is for all pairs and others are for groups; give all "
            "parameters for each group"
        )
    return result or {"": {}}
