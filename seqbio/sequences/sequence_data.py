"""Sequences as models take them: encoded, with labels where there are classes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self, TypeVar

import numpy as np
from Bio.SeqRecord import SeqRecord
from numpy.typing import ArrayLike, NDArray

from ..core.fingerprint import fingerprint
from ..core.numerics import FloatArray, IntArray
from ..errors import ParameterError
from .copies import copy_numbers, near_copies
from .records import SequenceLike, encode_records, has_id, several
from .text import AnyAlphabet, CharacterAlphabet, as_texts

Codes = NDArray[np.integer[Any]]
Derived = TypeVar("Derived")


@dataclass(eq=False)
class SequenceData:
    """Encoded sequences.

    Parameters
    ----------
    alphabet : Alphabet or CharacterAlphabet
        Of the sequences.
    codes : sequence of integer arrays
        The alphabet's codes.
    labels : array_like of int, (n_items,), optional
        Number of the class of each sequence, from 0.
    names : tuple of str
        What messages call the sequences; not part of the data's identity.

    Examples
    --------
    >>> from seqbio.sequences import DNA
    >>> data = SequenceData.of(["ACG", "TN"], DNA, labels=[0, 1])
    >>> data.codes
    [array([0, 1, 2], dtype=uint8), array([ 3, 14], dtype=uint8)]
    >>> data.name(1), data.lengths.tolist(), data.common_length
    ('the sequence at index 1', [3, 2], None)
    """

    alphabet: AnyAlphabet
    codes: Sequence[Codes]
    labels: IntArray | None = None
    names: tuple[str, ...] = field(default=(), repr=False)
    _derived: dict[Hashable, Any] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        if self.labels is not None:
            self.labels = np.asarray(self.labels, dtype=np.intp)

    @classmethod
    def of(
        cls,
        records: Iterable[SequenceLike],
        alphabet: AnyAlphabet,
        labels: ArrayLike | None = None,
    ) -> Self:
        """Check and encode sequences: SeqRecord, Seq or str; those of a text may have any type.

        Raises
        ------
        AlphabetError, SequenceFormatError, ParameterError
            As in `as_records`, or there are no sequences.
        """
        items = several(records)
        if not items:
            raise ParameterError("there are no sequences; give at least one")
        if isinstance(alphabet, CharacterAlphabet):
            codes: Sequence[Codes] = [alphabet.encode(text) for text in as_texts(items)]
        else:
            codes = encode_records(items, alphabet)
        names = tuple(
            f"the sequence at index {index}"
            + (f" ({item.id!r})" if isinstance(item, SeqRecord) and has_id(item) else "")
            for index, item in enumerate(items)
        )
        return cls(alphabet, codes, labels, names)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def lengths(self) -> IntArray:
        """Letters of each sequence, (n_items,)."""
        return np.array([len(codes) for codes in self.codes], dtype=np.intp)

    @cached_property
    def common_length(self) -> int | None:
        """The length of all sequences, or None where they differ."""
        return int(self.lengths[0]) if (self.lengths == self.lengths[0]).all() else None

    @property
    def classes(self) -> IntArray:
        """The labels, which there must be."""
        if self.labels is None:
            raise ParameterError("the data have no labels; give one for each sequence")
        return self.labels

    def derived(self, key: Hashable, make: Callable[[], Derived]) -> Derived:
        """Get what follows from the letters alone: made once, and kept with the data."""
        if key not in self._derived:
            self._derived[key] = make()
        found: Derived = self._derived[key]
        return found

    def with_labels(self, labels: ArrayLike) -> SequenceData:
        """Give the same sequences other labels; what was derived from them is shared."""
        return replace(self, labels=np.asarray(labels))

    def with_more(self, other: SequenceData) -> SequenceData:
        """Put other sequences after these."""
        both = None if self.labels is None else np.concatenate([self.labels, other.classes])
        names = (*self.names, *other.names)
        return SequenceData(self.alphabet, [*self.codes, *other.codes], both, names)

    def name(self, item: int) -> str:
        """Say what to call a sequence in a message."""
        return self.names[item] if self.names else f"the sequence at index {item}"

    def subset(self, indices: ArrayLike) -> SequenceData:
        """Take some of the sequences, in the order given."""
        chosen = np.asarray(indices, dtype=np.intp)
        return SequenceData(
            self.alphabet,
            [self.codes[index] for index in chosen],
            None if self.labels is None else self.labels[chosen],
            tuple(self.names[index] for index in chosen) if self.names else (),
        )

    def reverse_complements(self) -> list[Codes]:
        """Give the codes of the other strand of each sequence."""
        complement = self.alphabet.complement
        if complement is None:
            raise ParameterError(f"the {self.alphabet.name} alphabet has no complement")
        return [complement[codes[::-1]] for codes in self.codes]

    def clusters(self) -> IntArray:
        """Give copies of one sequence the same number, (n_items,)."""
        return self._numbered([0] * len(self))

    def near_copies(self) -> IntArray:
        """Give sequences numbers, the same to those that are nearly the same."""
        items = [[codes] for codes in self.codes]
        return near_copies(items, self.alphabet.size, self.alphabet.complement)

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
        return copy_numbers(contents, self.lengths, self.letter_counts)

    @property
    def letter_counts(self) -> FloatArray:
        """How often each letter occurs, (n_letters,); ambiguity codes count in parts."""
        letters = np.concatenate([*self.codes, np.zeros(0, dtype=np.intp)])
        counts = np.bincount(letters, minlength=len(self.alphabet.symbols))
        return np.asarray(counts @ self.alphabet.membership)

    def fingerprint(self) -> str:
        """Name the data: equal for equal sequences and labels in the same order."""
        return self._name

    @cached_property
    def _name(self) -> str:
        return fingerprint([self.alphabet.name, list(self.codes), self.labels])

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
