"""What the readers of motif files have in common: lines, numbers, names, and refusals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.errors import SequenceFormatError
from seqbio.motif.motifs import empty_column, make_motif, second_name
from seqbio.sequences import DNA, PROTEIN, RNA

if TYPE_CHECKING:
    from Bio.motifs import Motif

ALPHABETS = {"".join(sorted(kind.letters)): kind for kind in (DNA, RNA, PROTEIN)}
"""What a motif may be made of, by the letters in alphabetical order."""


@dataclass
class MotifText:
    """The lines of a file, counted from 0 here and from 1 in messages, and the motifs in it.

    Parameters
    ----------
    name : str
        Of the file, for messages.
    lines : list of str
        Without line ends.
    motifs : dict of str to Bio.motifs.Motif
        Those that a reader has found, by name.
    """

    name: str
    lines: list[str]
    motifs: dict[str, Motif] = field(default_factory=dict)

    def refusal(self, at: int, message: str) -> SequenceFormatError:
        """Make the exception for a line."""
        return SequenceFormatError(f"{self.name}, line {at + 1}: {message}")

    def numbers(self, at: int, text: str) -> list[float]:
        """Read the numbers of a line, which are 0 or more."""
        # Python takes 1_0 and the digits of other scripts for numbers, which no format does.
        plain = text.isascii() and "_" not in text
        try:
            values = [float(word) for word in text.split()] if plain else []
        except ValueError:
            values = []
        if not values or not np.isfinite(values).all():
            raise self.refusal(at, f"expected numbers, found {text.strip()[:40]!r}")
        if min(values) < 0:
            raise self.refusal(at, f"a number is {min(values):g}; give numbers of 0 or more")
        return values

    def add(
        self,
        at: int,
        names: tuple[str, str],
        letters: str,
        rows: Sequence[Sequence[float]] | NDArray[np.float64],
    ) -> Motif:
        """Add a motif.

        Parameters
        ----------
        at : int
            The line with its name.
        names : (str, str)
            The second may be empty.
        letters : str
            Of the alphabet, in any order.
        rows
            Counts of each of these letters, one for each column.

        Raises
        ------
        SequenceFormatError
            The letters are those of no alphabet, the rows differ in length, a column is empty, or
            the first name is missing or that of a motif above.
        """
        name, other = names
        kind = ALPHABETS.get("".join(sorted(letters)))
        if kind is None or len(set(map(len, rows))) != 1:
            raise self.refusal(
                at,
                f"the motif {name!r} has the rows {letters!r} with {[len(row) for row in rows]} "
                "numbers; expected equally long rows A, C, G and T",
            )
        counts = np.array([rows[letters.index(letter)] for letter in kind.letters])
        if (empty := empty_column(counts)) is not None:
            raise self.refusal(
                at,
                f"column {empty} of the motif {name!r} has no counts; give the counts, or leave "
                "the column out",
            )
        if not name:
            raise self.refusal(at, "the motif has no name; give it one")
        if name in self.motifs:
            raise self.refusal(
                at, f"a motif above has the name {name!r}, too; give each its own name"
            )
        motif = make_motif(counts, name, kind)
        annotate(motif, matrix_id=other or None)
        self.motifs[name] = motif
        return motif


def is_row(line: str, n_letters: int) -> bool:
    """Say whether a line is a row of a matrix, or would be if a number were not spoiled.

    Examples
    --------
    >>> is_row("0.25 nan 0.5 0.25", 4), is_row("17 12 1e-05 ACGT", 4)
    (True, False)
    """
    words = line.split()
    if len(words) != n_letters or any(word.isalpha() and word.isupper() for word in words):
        return False
    return sum(word[0].isdigit() for word in words) > n_letters / 2


def annotate(motif: Motif, **values: object) -> None:
    """Set attributes that Biopython's readers set on a motif without declaring them."""
    for name, value in values.items():
        setattr(motif, name, value)


def two_names(title: str) -> tuple[str, str]:
    """Split a title into its first word and the rest.

    Examples
    --------
    >>> two_names(" MA0139.1 CTCF"), two_names("x"), two_names("")
    (('MA0139.1', 'CTCF'), ('x', ''), ('', ''))
    """
    first, other = [*title.split(None, 1), "", ""][:2]
    return first, other.strip()


def title_of(motif: Motif) -> str:
    """Write both names of a motif."""
    return f"{motif.name} {second_name(motif)}".rstrip()


def number_text(value: float) -> str:
    """Write a number so that reading it gives the same number, without a needless point.

    Examples
    --------
    >>> number_text(3.0), number_text(1.5)
    ('3', '1.5')
    """
    return str(int(value)) if float(value).is_integer() else repr(float(value))
