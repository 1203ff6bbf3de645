"""Ties by name: the symmetries that a family of models can hold, each declared once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from seqbio.core.layout import Layout
from seqbio.core.numerics import IntArray
from seqbio.core.tying import Tying
from seqbio.errors import TyingError, did_you_mean

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Tie(Generic[Subject]):
    """A symmetry that is believed.

    Parameters
    ----------
    name : str
        What users call it.
    meaning : str
        What it says about biology, in a sentence.
    build : callable
        ``build(subject, tying)`` ties the parameters of a model on top of what is tied already.
        What the subject is, a model or what it is made of, is for the family to say.
    needs : callable
        ``needs(subject)`` says what is missing where there is nothing to tie, to follow "the tie
        needs"; else nothing.
    """

    name: str
    meaning: str
    build: Callable[[Subject, Tying], Tying]
    needs: Callable[[Subject], str] = lambda _: ""


class TieTable(Generic[Subject]):
    """The ties of a family.

    Parameters
    ----------
    owner : str
        Who has them, for messages.
    ties : sequence of Tie
        In the order in which they are built and shown.

    Examples
    --------
    >>> from seqbio.core import untied
    >>> same = Tie("same", "all are alike", lambda n, tying: tying.with_equal([range(n)]))
    >>> table = TieTable("a toy", [same])
    >>> table.meanings()
    {'same': 'all are alike'}
    >>> table.tying(table.checked(["same"]), 3, untied(3))
    Tying(n_full=3, n_free=1)
    """

    def __init__(self, owner: str, ties: Sequence[Tie[Subject]]) -> None:
        self.owner = owner
        self.ties = {tie.name: tie for tie in ties}

    def meanings(self) -> dict[str, str]:
        """Give each name with what it says."""
        return {name: tie.meaning for name, tie in self.ties.items()}

    def checked(self, names: object) -> tuple[str, ...]:
        """Refuse what is not a tuple of names.

        Raises
        ------
        TyingError
            It is something else, or a name is not in the table; the message lists those that are.
        """
        if isinstance(names, str) or not isinstance(names, tuple | list):
            example = next(iter(self.ties))
            raise TyingError(
                f'tie is {names!r}; give a tuple of names, such as ("{example}",) or ()'
            )
        for name in names:
            if not isinstance(name, str) or name not in self.ties:
                meanings = self.meanings().items()
                listed = "; ".join(f"{known!r}: {meaning}" for known, meaning in meanings)
                meant = did_you_mean(str(name), self.ties)
                raise TyingError(f"there is no tie {name!r}{meant}; {self.owner} has {listed}")
        return tuple(names)

    def tying(self, names: Sequence[str], subject: Subject, tying: Tying) -> Tying:
        """Tie by name, on top of what is tied already.

        Raises
        ------
        TyingError
            A tie needs what there is not.
        """
        self.check_needs(names, subject)
        for name, tie in self.ties.items():
            if name in names:
                tying = tie.build(subject, tying)
        return tying

    def check_needs(self, names: Sequence[str], subject: Subject) -> None:
        """Refuse ties that need what there is not."""
        for name in names:
            missing = self.ties[name].needs(subject)
            if missing:
                raise TyingError(f"tie {name!r} needs {missing}")


def along(layout: Layout, name: str, axis: int = 0) -> IntArray:
    """Give the entries of a block that lie along one of its axes, a row for each line of them."""
    indices = layout.indices(name)
    return np.moveaxis(indices, axis, -1).reshape(-1, indices.shape[axis])
