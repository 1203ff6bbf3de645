"""Sequences as a recurrent model takes them: encoded, with labels where there are classes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqbio.core.fingerprint import fingerprint
from seqbio.core.numerics import IntArray
from seqbio.errors import ParameterError
from seqbio.sequences.copies import copy_numbers, near_copies

Codes = NDArray[np.integer[Any]]


@dataclass(eq=False)
class SequenceData:
    """Encoded sequences.

    Parameters
    ----------
    codes : list of integer arrays
        Letters 0 to K - 1, ambiguity codes from K + 1 on; K, the boundary, does not occur.
    n_letters : int
        K.
    labels : ndarray of int, (n_items,), optional
        Number of the class of each sequence.
    names : tuple of str
        What messages call the sequences; not part of the data's identity.
    """

    codes: Sequence[Codes]
    n_letters: int
    labels: IntArray | None = None
    names: tuple[str, ...] = field(default=(), repr=False)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def lengths(self) -> IntArray:
        """Letters of each sequence, (n_items,)."""
        return np.array([len(codes) for codes in self.codes], dtype=np.intp)

    def name(self, item: int) -> str:
        """Say what to call a sequence in a message."""
        return self.names[item] if self.names else f"the sequence at index {item}"

    def subset(self, indices: IntArray) -> SequenceData:
        """Take some of the sequences, in the order given."""
        chosen = [int(index) for index in indices]
        return SequenceData(
            [self.codes[index] for index in chosen],
            self.n_letters,
            None if self.labels is None else self.labels[chosen],
            tuple(self.names[index] for index in chosen) if self.names else (),
        )

    def clusters(self) -> IntArray:
        """Give copies of one sequence the same number, (n_items,)."""
        return self._numbered([0] * len(self))

    def near_copies(self) -> IntArray:
        """Give sequences numbers, the same to those that are nearly the same."""
        return near_copies([[codes] for codes in self.codes], self.n_letters)

    def sample_size(self) -> tuple[int, str]:
        """Count letters, or sequences where these have classes: what is predicted."""
        if self.labels is not None:
            return len(self), "sequences"
        return int(self.lengths.sum()), "letters"

    def copies(self) -> IntArray:
        """Give the items numbers, copies of one sequence in one class alike, (n_items,)."""
        return self._numbered([0] * len(self) if self.labels is None else self.labels.tolist())

    def _numbered(self, classes: Sequence[int]) -> IntArray:
        contents = [
            (codes.tobytes(), label) for codes, label in zip(self.codes, classes, strict=True)
        ]
        counts = np.bincount(np.concatenate([*self.codes, np.zeros(0, dtype=np.intp)]))
        return copy_numbers(contents, self.lengths, counts.astype(np.float64))

    def fingerprint(self) -> str:
        """Name the data: equal for equal sequences and labels in the same order."""
        return self._name

    @cached_property
    def _name(self) -> str:
        return fingerprint([self.n_letters, list(self.codes), self.labels])

    def identity(self) -> dict[str, Any]:
        """Name what the data are in parts, so that it can be said which of them has changed.

        Returns
        -------
        dict of str to object
            The sequences as a set, their order, and the labels of the set.
        """
        names = np.array([hashlib.sha256(codes.tobytes()).hexdigest() for codes in self.codes])
        order = np.argsort(names, kind="stable")
        return {
            "sequences": f"{len(self)} of {self.lengths.sum()} letters, "
            + fingerprint(names[order]),
            "order of the sequences": fingerprint(names),
            "labels": fingerprint(None if self.labels is None else self.labels[order]),
        }

    def check_lengths(self, longest: int | None) -> None:
        """Refuse sequences that are longer than a model untied over time has weights for."""
        if longest is not None and len(self) and self.lengths.max() > longest:
            item = int(np.argmax(self.lengths > longest))
            raise ParameterError(
                f"{self.name(item)} has {self.lengths[item]} letters and the model, which is not "
                f"tied over time, has weights for {longest}; shorten the sequence, or fit a model "
                "with a larger max_length or with time tied"
            )
