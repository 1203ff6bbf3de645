"""JASPAR's format of motif files: a name after ``>``, and a row of counts for each letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seqbio.motif.motif_text import MotifText, number_text, title_of, two_names
from seqbio.motif.motifs import alphabet_of, count_matrix

if TYPE_CHECKING:
    from Bio.motifs import Motif


def read_jaspar(text: MotifText) -> None:
    """Find the motifs of a file."""
    starts = [at for at, line in enumerate(text.lines) if line.startswith(">")]
    for start, stop in zip(starts, [*starts[1:], len(text.lines)], strict=True):
        letters, rows = "", []
        for at in range(start + 1, stop):
            line = text.lines[at].strip()
            if line and not line[0].isalpha():
                raise text.refusal(
                    at,
                    f"expected a letter and its counts, such as 'A [ 3 0 ]', found {line[:40]!r}; "
                    "write A, C, G and T before the rows of JASPAR's raw files, and in MEME's "
                    "format what has a row for each place (HOMER's)",
                )
            if line:
                letters += line[0].upper()
                rows.append(text.numbers(at, line[1:].replace("[", " ").replace("]", " ")))
        text.add(start, two_names(text.lines[start][1:]), letters, rows)


def jaspar_text(motif: Motif) -> str:
    """Write a motif."""
    rows = zip(alphabet_of(motif).letters, count_matrix(motif).tolist(), strict=True)
    lines = [f"{letter} [ {' '.join(map(number_text, row))} ]" for letter, row in rows]
    return "\n".join([f">{title_of(motif)}", *lines, ""])
