"""Sequence pairs as a pair HMM takes them: encoded, batched, counted and named."""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from seqbio.core.fingerprint import fingerprint
from seqbio.pairhmm.dp import CodedPairs
from seqbio.sequences import Alphabet
from seqbio.sequences.copies import copy_numbers, near_copies

Codes = NDArray[np.uint8]
Floats = NDArray[np.float64]


class Shared(NamedTuple):
    """What pairs have in common.

    Parameters
    ----------
    copies : int
        Pairs that occur more than once.
    sharing : int
        Other pairs that share a sequence with another, but for one that is the reference.
    side : str
        ``"x"`` or ``"y"`` where all shared sequences stand on one side, as an ancestor or a
        reference does; else empty.
    """

    copies: int
    sharing: int
    side: str


@dataclass(eq=False)
class PairData:
    """Encoded pairs, and what follows from them alone.

    Only symbols that occur are told apart in the sweeps: the fewer there are, the smaller the
    tables that are looked up and counted.

    Parameters
    ----------
    alphabet : Alphabet
        Of both sequences.
    x, y : lists of uint8 arrays
        The alphabet's codes of each pair.
    reference : {"x", "y"}, optional
        The side of the ancestors or references: given these, pairs are independent.
    names : sequence of str
        What messages call the pairs; by their index if there are none.
    latest
        What a model computed last on these data, and for what: a fit asks for the same twice.
    relation
        Which pairs are not related as they stand, once a model has looked.
    """

    alphabet: Alphabet
    x: Sequence[Codes]
    y: Sequence[Codes]
    reference: str | None = None
    names: Sequence[str] = field(default=(), repr=False)
    latest: tuple[Any, Any] | None = field(default=None, repr=False)
    relation: Any = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.x)

    def __reduce__(self) -> tuple[type[PairData], tuple[Any, ...]]:
        # What can be computed again does not travel to other processes.
        return PairData, (self.alphabet, list(self.x), list(self.y), self.reference)

    def subset(self, indices: NDArray[np.int64]) -> PairData:
        """Take pairs by their positions; one that is named twice is there twice."""
        x, y = [self.x[i] for i in indices], [self.y[i] for i in indices]
        return self._of(x, y, [self.names[i] for i in indices] if self.names else ())

    def turned(self) -> PairData:
        """Give the pairs with the other strand of every y."""
        return self._of(self.x, [self.alphabet.reverse_complement(codes) for codes in self.y])

    def joined(self, others: Sequence[PairData]) -> PairData:
        """Add the pairs of other data after these."""
        parts = self, *others
        return self._of(
            [codes for part in parts for codes in part.x],
            [codes for part in parts for codes in part.y],
        )

    def _of(self, x: Sequence[Codes], y: Sequence[Codes], names: Sequence[str] = ()) -> PairData:
        return PairData(self.alphabet, x, y, self.reference, names)

    def exchanged(self, mask: NDArray[np.bool_]) -> PairData:
        """Let x and y change places in the pairs of a mask, (n_pairs,)."""
        sides = [
            (y, x) if there else (x, y) for x, y, there in zip(self.x, self.y, mask, strict=True)
        ]
        return self._of([x for x, _ in sides], [y for _, y in sides])

    def clusters(self) -> NDArray[np.int64]:
        """Label pairs that are linked by shared sequences, directly or through others, (n_pairs,).

        A pair whose sequences nothing else has is a cluster of its own. A sequence that is the
        reference links nothing.
        """
        from scipy.sparse import coo_array
        from scipy.sparse.csgraph import connected_components

        names: dict[bytes, int] = {}
        if self.reference is not None:
            end = "yx".index(self.reference)
            own: dict[Hashable, int] = {}
            keys = [key if isinstance(key, int) else key[end] for key in self._contents]
            return np.array([own.setdefault(key, len(own)) for key in keys])
        ends = [
            [names.setdefault(codes.tobytes(), len(names)) for codes in pair]
            for pair in zip(self.x, self.y, strict=True)
        ]
        left, right = np.array(ends, dtype=np.int64).T
        links = coo_array((np.ones(len(left)), (left, right)), shape=(len(names), len(names)))
        labels = connected_components(links, directed=False)[1]
        return np.asarray(labels[left], dtype=np.int64)

    def near_copies(self) -> NDArray[np.int64]:
        """Give pairs numbers, the same to pairs of which both sequences are nearly the same.

        What comes of one reference is nearly the same because of that.
        """
        if self.reference is not None:
            return np.arange(len(self))
        return near_copies(
            list(zip(self.x, self.y, strict=True)), self.alphabet.size, self.alphabet.complement
        )

    def sample_size(self) -> tuple[int, str]:
        """Count the letters of both sequences of all pairs."""
        return int(self.lengths.sum()), "letters"

    def copies(self) -> NDArray[np.int64]:
        """Give the pairs numbers, copies of one pair alike, (n_pairs,)."""
        return copy_numbers(self._contents, self.lengths.max(axis=1), self.letter_counts)

    @cached_property
    def _contents(self) -> list[int | tuple[bytes, bytes]]:
        """Both sequences of each pair; the number of one that does not differ from its reference.

        Where nothing happened, another pair that is the same is no copy.
        """
        contents = [(x.tobytes(), y.tobytes()) for x, y in zip(self.x, self.y, strict=True)]
        if self.reference is None:
            return list(contents)
        return [place if x == y else (x, y) for place, (x, y) in enumerate(contents)]

    @cached_property
    def symbols(self) -> NDArray[np.int64]:
        """Codes that occur in the data, in order."""
        size = len(self.alphabet.membership)
        return np.flatnonzero(sum(np.bincount(c, minlength=size) for c in self._end_to_end))

    @cached_property
    def membership(self) -> Floats:
        """Share of each concrete letter in each symbol that occurs, (n_symbols, n_letters)."""
        return self.alphabet.membership[self.symbols]

    @cached_property
    def coded(self) -> CodedPairs:
        """The pairs, their codes replaced by positions in `symbols`."""
        position = np.zeros(self.alphabet.membership.shape[0], dtype=np.uint8)
        position[self.symbols] = np.arange(len(self.symbols))
        x, y = (position[codes] for codes in self._end_to_end)
        return CodedPairs(x, y, self.lengths, len(self.symbols))

    @cached_property
    def counts_x(self) -> Floats:
        """How often each symbol occurs in each x, (n_pairs, n_symbols)."""
        return self._counts(0)

    @cached_property
    def counts_y(self) -> Floats:
        """How often each symbol occurs in each y, (n_pairs, n_symbols)."""
        return self._counts(1)

    @cached_property
    def letter_counts(self) -> Floats:
        """Concrete letters of all sequences; an ambiguity code counts as equal shares."""
        return (self.counts_x + self.counts_y).sum(axis=0) @ self.membership

    @cached_property
    def lengths(self) -> NDArray[np.int64]:
        """Lengths of x and y, (n_pairs, 2)."""
        return np.array([list(map(len, side)) for side in (self.x, self.y)], dtype=np.int64).T

    def part(self, cells: float) -> PairData:
        """Take pairs in order, as many as have that many cells together, and at least one."""
        n_pairs = int(np.searchsorted(np.cumsum(self.lengths.prod(axis=1)), cells))
        first = slice(max(n_pairs, 1))
        return self._of(self.x[first], self.y[first], self.names[first])

    def fingerprint(self) -> str:
        """Name the data: equal for equal sequences in the same order and alphabet."""
        return self._name

    @cached_property
    def _name(self) -> str:
        declared = [] if self.reference is None else [self.reference]
        return fingerprint([self.alphabet.name, list(self.x), list(self.y), *declared])

    @cached_property
    def shared(self) -> Shared:
        """Count copies of pairs, and other pairs that have a sequence in common."""
        pairs = Counter(key for key in self._contents if not isinstance(key, int))
        # In how many distinct pairs a sequence stands; where it is both of a pair that is once.
        ends = {None: (0, 1), "x": (1,), "y": (0,)}[self.reference]
        total = Counter(sequence for pair in pairs for sequence in {pair[end] for end in ends})
        sides = {"xy"[end] for pair in pairs for end in ends if total[pair[end]] > 1}
        return Shared(
            copies=sum(count for count in pairs.values() if count > 1),
            sharing=sum(
                count
                for pair, count in pairs.items()
                if count == 1 and any(total[pair[end]] > 1 for end in ends)
            ),
            side="".join(sides) if len(sides) == 1 else "",
        )

    @cached_property
    def n_sharing_reference(self) -> int:
        """In how many pairs the reference is that of another pair, too."""
        if self.reference is None:
            return 0
        references = Counter(c.tobytes() for c in (self.x if self.reference == "x" else self.y))
        return sum(count for count in references.values() if count > 1)

    def one_by_one(self) -> bool:
        """Tell whether a pair can be exchanged alone: not where others share its reference."""
        return not self.n_sharing_reference

    def _counts(self, side: int) -> Floats:
        size = len(self.alphabet.membership)
        first = np.repeat(np.arange(len(self)) * size, self.lengths[:, side])
        counts = np.bincount(first + self._end_to_end[side], minlength=len(self) * size)
        return counts.reshape(-1, size)[:, self.symbols].astype(np.float64)

    @cached_property
    def _end_to_end(self) -> tuple[Codes, Codes]:
        return np.concatenate(self.x), np.concatenate(self.y)
