"""Alphabets: which letters a sequence may have, and the small integers that models see.

A letter is stored as a code: the concrete letters are 0 to K - 1 in the order of
`Alphabet.letters`, the ambiguity codes follow. Lower case (soft masking) is read as upper case.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, TypeAlias

import numpy as np
from Bio.Seq import Seq
from numpy.typing import ArrayLike, NDArray

from ..core._checks import SELF_CHECKED, checked
from ..errors import AlphabetError, ParameterError, did_you_mean

ByLetter: TypeAlias = Annotated[ArrayLike | Mapping[str, float], SELF_CHECKED]
GAPS = b"-."

_UNKNOWN_CODE = 255
_GAP = "a gap; remove the gaps"
_ADVICE = {
    "-": _GAP,
    ".": _GAP,
    "*": "a stop inside the sequence; only a '*' that ends a record is dropped: cut it there",
    ">": "the start of a header; put each header on a line of its own",
    ";": "the start of a comment, which FASTA does not have; remove the comment",
}


@checked
@dataclass(frozen=True)
class Alphabet:
    """The letters of one kind of sequence.

    Letters and codes are mapped to each other by tables of 256 bytes, so checking and encoding
    cost about a nanosecond a letter.

    Parameters
    ----------
    name
        What users call it, such as ``"dna"``.
    letters
        The K concrete letters, upper case; letter i has code i.
    ambiguity
        Ambiguity code -> the letters it may stand for. The codes are numbered K, K + 1, ... in
        this order.
    complement_letters
        The complement of each of `letters`, in the same order; None where there is none.

    Examples
    --------
    >>> DNA.encode("ACGTn")
    array([ 0,  1,  2,  3, 14], dtype=uint8)
    >>> DNA.decode(DNA.reverse_complement(DNA.encode("AACR")))
    'YGTT'
    """

    name: str
    letters: str
    ambiguity: Mapping[str, str] = field(hash=False, repr=False)
    complement_letters: str | None = field(default=None, repr=False)

    @property
    def size(self) -> int:
        """K, the number of concrete letters."""
        return len(self.letters)

    @cached_property
    def symbols(self) -> str:
        """All letters and then all ambiguity codes: ``symbols[code]`` is the letter of a code."""
        return self.letters + "".join(self.ambiguity)

    @cached_property
    def membership(self) -> NDArray[np.float64]:
        """What each code stands for: (n_symbols, K), every row adds up to 1.

        A concrete letter has a 1 in its own column; a code that stands for n letters has 1 / n in
        the column of each, so that a product with a row averages over the letters.

        Examples
        --------
        >>> DNA.membership[DNA.encode("CR")].tolist()
        [[0.0, 1.0, 0.0, 0.0], [0.5, 0.0, 0.5, 0.0]]
        """
        rows = np.zeros((len(self.symbols), self.size))
        for row, symbol in zip(rows, self.symbols, strict=True):
            members = self.ambiguity.get(symbol, symbol)
            row[[self.letters.index(letter) for letter in members]] = 1 / len(members)
        rows.setflags(write=False)
        return rows

    @cached_property
    def complement(self) -> NDArray[np.uint8] | None:
        """The code of the complement of each code: (n_symbols,), or None where there is none.

        An ambiguity code becomes the one that stands for the complements of its letters.
        """
        if self.complement_letters is None:
            return None
        partner = dict(zip(self.letters, self.complement_letters, strict=True))
        members = [frozenset(self.ambiguity.get(symbol, symbol)) for symbol in self.symbols]
        codes = [members.index(frozenset(partner[letter] for letter in each)) for each in members]
        complement = np.array(codes, dtype=np.uint8)
        complement.setflags(write=False)
        return complement

    @cached_property
    def _accepted(self) -> bytes:
        return (self.symbols + self.symbols.lower()).encode()

    @cached_property
    def _code_table(self) -> bytes:
        table = bytearray([_UNKNOWN_CODE]) * 256
        for code, symbol in enumerate(self.symbols):
            table[ord(symbol)] = table[ord(symbol.lower())] = code
        return bytes(table)

    def find_invalid(self, letters: bytes) -> int:
        """Give the index of the first byte that is no letter of the alphabet, -1 if all are.

        Examples
        --------
        >>> DNA.find_invalid(b"ACGJ"), DNA.find_invalid(b"acgt")
        (3, -1)
        """
        strangers = letters.translate(None, self._accepted)
        return letters.index(strangers[0]) if strangers else -1

    def complaint(self, letters: bytes, index: int) -> str:
        """Say what is wrong with the letter at an index and what to do about it.

        Examples
        --------
        >>> DNA.complaint(b"ACGU", 3)
        "position 4 is 'U', which belongs to RNA; write T, or choose alphabet 'rna' (or a model or
        motifs of RNA)"
        """
        if not 0 <= index < len(letters):
            raise ParameterError(f"index is {index}; there are {len(letters)} letters")
        # A character outside ASCII takes up to four bytes in UTF-8.
        letter = letters[index : index + 4].decode("utf-8", "replace")[0]
        found = f"position {index + 1} is {letter!r}, which"
        if letter in _ADVICE:
            return f"{found} is {_ADVICE[letter]}"
        if letter in "Uu" and "T" in self.letters:
            return f"{found} belongs to RNA; write T, or {_choose('rna')}"
        if letter in "Tt" and "U" in self.letters:
            return f"{found} belongs to DNA; write U, or {_choose('dna')}"
        return (
            f"{found} is not in the {self.name} alphabet ({self.letters}, "
            f"ambiguity codes {''.join(self.ambiguity)}); correct it, or choose another alphabet "
            "(or a model or motifs of another)"
        )

    def codes(self, letters: bytes) -> NDArray[np.uint8] | None:
        """Turn letters into codes; None if one is not in the alphabet.

        Examples
        --------
        >>> DNA.codes(b"ACgt"), DNA.codes(b"AC-T")
        (array([0, 1, 2, 3], dtype=uint8), None)
        """
        codes = bytearray(letters.translate(self._code_table))
        return None if _UNKNOWN_CODE in codes else np.frombuffer(codes, dtype=np.uint8)

    def encode(self, text: str | bytes | Seq) -> NDArray[np.uint8]:
        """Turn letters into codes, reading lower case as upper case.

        Parameters
        ----------
        text
            The letters; no gaps, no ``*``.

        Returns
        -------
        numpy.ndarray
            (length,) uint8, an array of its own.

        Raises
        ------
        AlphabetError
            A letter is not in the alphabet; the message gives its position, counted from 1.
        """
        letters = text.encode("utf-8", "replace") if isinstance(text, str) else bytes(text)
        codes = self.codes(letters)
        if codes is None:
            raise AlphabetError(self.complaint(letters, self.find_invalid(letters)))
        return codes

    def decode(self, codes: ArrayLike) -> str:
        """Turn codes into upper-case letters, the reverse of `encode`.

        Parameters
        ----------
        codes
            (length,) integers from 0 to n_symbols - 1.

        Raises
        ------
        ParameterError
            A number is no code of this alphabet.
        """
        symbols = np.frombuffer(self.symbols.encode(), dtype=np.uint8)
        return str(symbols[self._as_codes(codes)].tobytes(), "ascii")

    def reverse_complement(self, codes: ArrayLike) -> NDArray[np.uint8]:
        """Give the codes of the other strand, read in its own direction.

        Parameters
        ----------
        codes
            (..., length) integers from 0 to n_symbols - 1; the last axis is reversed.

        Raises
        ------
        AlphabetError
            The alphabet has no complement (protein).
        ParameterError
            A number is no code of this alphabet.
        """
        if self.complement is None:
            raise AlphabetError(
                f"the {self.name} alphabet has no complement; use 'dna' or 'rna' for strands"
            )
        checked = self._as_codes(codes)
        if not checked.ndim:
            raise ParameterError(f"codes is {codes!r}; give a list of codes")
        other_strand: NDArray[np.uint8] = self.complement[checked[..., ::-1]]
        return other_strand

    def _as_codes(self, codes: ArrayLike) -> NDArray[np.integer]:
        array = np.asarray(codes)
        if array.size == 0:
            return array.astype(np.uint8)
        if array.dtype.kind not in "iu" or array.min() < 0 or array.max() >= len(self.symbols):
            raise ParameterError(
                f"codes of the {self.name} alphabet are integers from 0 to "
                f"{len(self.symbols) - 1}; found {array.dtype} from {array.min()} to {array.max()}"
            )
        return array


def _nucleotides(name: str, letters: str, complement: str) -> Alphabet:
    """Build DNA or RNA: IUPAC's codes, with the fourth letter being T or U."""
    iupac = {
        "R": "AG",
        "Y": "CT",
        "S": "CG",
        "W": "AT",
        "K": "GT",
        "M": "AC",
        "B": "CGT",
        "D": "AGT",
        "H": "ACT",
        "V": "ACG",
        "N": "ACGT",
    }
    ambiguity = {code: members.replace("T", letters[3]) for code, members in iupac.items()}
    return Alphabet(name, letters, ambiguity, complement)


def _choose(name: str) -> str:
    """Say what to choose, also to those who have chosen an alphabet with a model or motifs."""
    return f"choose alphabet {name!r} (or a model or motifs of {name.upper()})"


_AMINO_ACIDS = "ACDEFGHIKLMNPQRSTVWY"

DNA = _nucleotides("dna", "ACGT", "TGCA")
"""A, C, G, T and the IUPAC ambiguity codes."""

RNA = _nucleotides("rna", "ACGU", "UGCA")
"""A, C, G, U and the IUPAC ambiguity codes."""

PROTEIN = Alphabet(
    "protein",
    _AMINO_ACIDS,
    # Selenocysteine (U) and pyrrolysine (O) are kept as codes of their own, but substitution
    # models and backgrounds have no numbers for them: like X, they stand for any amino acid.
    {"B": "DN", "Z": "EQ", "J": "IL"} | dict.fromkeys("XUO", _AMINO_ACIDS),
)
"""The 20 amino acids; B is D or N, Z is E or Q, J is I or L; X, U and O count as any of the 20."""

_ALPHABETS = {alphabet.name: alphabet for alphabet in (DNA, RNA, PROTEIN)}


@checked
def get_alphabet(name: str | Alphabet) -> Alphabet:
    """Find an alphabet by its name; an `Alphabet` is given back as it is.

    Parameters
    ----------
    name
        ``"dna"``, ``"rna"`` or ``"protein"``, or an `Alphabet`.

    Raises
    ------
    ParameterError
        There is no alphabet of that name.

    Examples
    --------
    >>> get_alphabet("protein").size
    20
    """
    if isinstance(name, Alphabet):
        return name
    if name not in _ALPHABETS:
        meant = did_you_mean(str(name), _ALPHABETS)
        raise ParameterError(
            f"unknown alphabet {name!r}{meant}; choose one of {', '.join(_ALPHABETS)}"
        )
    return _ALPHABETS[name]


@checked
def numbers_by_letter(values: ByLetter, letters: str, what: str) -> NDArray[np.float64]:
    """Put one number for each letter in the order of the letters.

    Parameters
    ----------
    values
        In that order, or by letter.
    letters
        Those of an alphabet.
    what
        What the numbers are, for messages.

    Returns
    -------
    numpy.ndarray
        (n_letters,) float64.

    Raises
    ------
    ParameterError
        A letter has no number, or something else has one.

    Examples
    --------
    >>> numbers_by_letter({"T": 4, "G": 3, "C": 2, "A": 1}, "ACGT", "frequencies")
    array([1., 2., 3., 4.])
    >>> numbers_by_letter({"A": 0.5, "B": 0.5}, "ACGT", "frequencies")
    Traceback (most recent call last):
    seqbio.errors.ParameterError: frequencies: no number for C, G, T, and 'B' is none of ACGT; ...
    """
    given: object = values
    if isinstance(values, Mapping):
        missing = [letter for letter in letters if letter not in values]
        unknown = [repr(name) for name in values if name not in list(letters)]
        if missing or unknown:
            found = [f"no number for {', '.join(missing)}"] if missing else []
            found += [f"{', '.join(unknown)} is none of {letters}"] if unknown else []
            raise ParameterError(f"{what}: {', and '.join(found)}; give one for each letter")
        given = [values[letter] for letter in letters]
    try:
        numbers = np.asarray(given, dtype=np.float64)
    except (TypeError, ValueError):
        numbers = np.zeros(0)
    if numbers.shape != (len(letters),):
        raise ParameterError(
            f"{what}: found {values!r}; give one number for each letter of {letters}, in this "
            "order or by letter"
        )
    return numbers
