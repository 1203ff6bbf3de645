"""MEME's formats of motif files: the minimal one, and the text that MEME, STREME and DREME write.

All have the same lines among others that are passed over: the version, the alphabet, the strands,
the background, and for each motif its names and a matrix of letter probabilities.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqbio.motif.meme_alphabet import read_alphabet
from seqbio.motif.motif_text import (
    MotifText,
    annotate,
    is_row,
    number_text,
    title_of,
    two_names,
)
from seqbio.motif.motifs import (
    ROUNDING,
    Background,
    checked_background,
    count_matrix,
    probability_matrix,
)

if TYPE_CHECKING:
    from Bio.motifs import Motif

VERSION = "MEME version"
"""How a line begins that every such file has."""

_BACKGROUND = "Background letter frequencies"
_MATRIX = "letter-probability matrix"
_OTHER_MATRIX = "log-odds matrix"
_DEFAULT_SITES = 20.0  # MEME's, where a file does not say
# What MEME itself writes after the names of a motif.
_STATISTICS = re.compile(r"\s+width\s*=\s*\d.*")


def read_meme(text: MotifText) -> None:
    """Find the motifs of a file."""
    reader = _Reader(text)
    at = 0
    while at < len(text.lines):
        at = reader.read(at)
    reader.end_motif()


class _Reader:
    """What a file has said so far; what stands before the motifs holds for all of them."""

    def __init__(self, text: MotifText) -> None:
        self.text = text
        self.letters = ""
        self.background: dict[str, float] = {}
        self.strands: str | None = None
        self.title_at: int | None = None

    def read(self, at: int) -> int:
        """Read what begins at a line, and say where the rest begins."""
        line = self.text.lines[at].strip()
        if line.startswith(VERSION):  # once more where files were joined
            self.end_motif()
            self.letters, self.background, self.strands = "", {}, None
        elif re.match(r"ALPHABET\b", line):
            self.letters, stop = read_alphabet(self.text, at)
            return stop
        elif line.startswith("strands:"):
            self.strands = "both" if "-" in line else "one"
        elif line.startswith(_BACKGROUND):
            return self._read_background(at)
        elif re.match(r"MOTIF(\s|$)", line):
            self.end_motif()
            self.title_at = at
        elif line.startswith(_MATRIX):
            return self._read_motif(at)
        elif line.startswith(_OTHER_MATRIX):
            return self._end_of_rows(at + 1)
        elif is_row(line, len(self.letters) or 4):
            raise self.text.refusal(at, f"a row of numbers that is in no {_MATRIX}")
        return at + 1

    def end_motif(self) -> None:
        """Refuse a motif that is named and does not follow."""
        if self.title_at is not None:
            line = self.text.lines[self.title_at].strip()
            raise self.text.refusal(self.title_at, f"{line[:40]!r} is without a {_MATRIX}")

    def _read_background(self, start: int) -> int:
        stop, words = start + 1, []
        while stop < len(self.text.lines):
            line = self.text.lines[stop].split()
            if not line or any(len(letter) > 1 for letter in line[::2]) or len(line) % 2:
                break
            words += line
            stop += 1
        shares = self.text.numbers(start + 1, " ".join(words[1::2])) if words else []
        letters = [letter.upper() for letter in words[::2]]
        strange = self.letters and sorted(letters) != list(self.letters)
        if strange or abs(sum(shares) - 1) > ROUNDING:
            raise self.text.refusal(
                start,
                f"the background is {' '.join(words)[:80]!r}; give letters of the alphabet, each "
                "with its frequency, which add up to 1",
            )
        self.background = dict(zip(letters, shares, strict=True))
        return stop

    def _read_motif(self, start: int) -> int:
        if self.title_at is None:
            raise self.text.refusal(start, "a matrix without a line MOTIF before it")
        settings = dict(re.findall(r"(\w+)=\s*(\S+)", self.text.lines[start]))
        sites = self._setting(start, settings, "nsites")
        if sites is not None and not 0 < sites < np.inf:
            raise self.text.refusal(
                start,
                f"nsites is {settings['nsites']}; give the number of sites, or leave nsites out",
            )
        stop = self._end_of_rows(start + 1)
        sizes = [self._setting(start, settings, name) for name in ("w", "alength")]
        matrix = self._probabilities(start, stop, *sizes)
        title = _STATISTICS.sub("", self.text.lines[self.title_at]).strip().removeprefix("MOTIF")
        motif = self.text.add(
            self.title_at, two_names(title), self.letters, (sites or _DEFAULT_SITES) * matrix
        )
        annotate(
            motif,
            strands=self.strands,
            evalue=self._setting(start, settings, "E"),
            background=self.background or None,
        )
        self.title_at = None
        return stop

    def _end_of_rows(self, start: int) -> int:
        stop = start
        while stop < len(self.text.lines) and re.match(r"\s*[-+]?\.?\d", self.text.lines[stop]):
            stop += 1
        return stop

    def _setting(self, at: int, settings: Mapping[str, str], name: str) -> float | None:
        try:
            return float(settings[name]) if name in settings else None
        except ValueError:
            raise self.text.refusal(
                at, f"{name} is {settings[name]!r}; give a number, or leave {name} out"
            ) from None

    def _probabilities(
        self, start: int, stop: int, width: float | None, size: float | None
    ) -> NDArray[np.float64]:
        """Read the rows below a line, scale each to add up to 1, and turn them into columns."""
        rows = [self.text.numbers(at, self.text.lines[at]) for at in range(start + 1, stop)]
        if not self.letters:  # a file need not say
            known = {len(letters): letters for letters in ("ACGT", "ACDEFGHIKLMNPQRSTVWY")}
            listed = "".join(sorted(self.background))
            self.letters = listed or known.get(len(rows[0]) if rows else 0, "ACGT")
        n_letters = len(self.letters)
        wrong_size = any(len(row) != n_letters for row in rows) or size not in (None, n_letters)
        if not rows or wrong_size or width not in (None, len(rows)):
            raise self.text.refusal(
                start,
                f"expected {'some' if width is None else f'{width:g}'} rows of {n_letters} "
                f"probabilities, found {len(rows)} rows of {sorted({len(row) for row in rows})}"
                + ("" if size is None else f" and alength= {size:g}"),
            )
        total = np.sum(rows, axis=1)
        wrong = int(abs(total - 1).argmax())
        if abs(total[wrong] - 1) > ROUNDING:
            raise self.text.refusal(
                start + 1 + wrong,
                f"the probabilities add up to {total[wrong]:g}; they must add up to 1, give or "
                "take what rounding does",
            )
        return (np.array(rows) / total[:, None]).T


def meme_text(motifs: list[Motif], letters: str, background: Background) -> str:
    """Write motifs in the minimal format."""
    shares = checked_background(background, letters)
    listed = " ".join(f"{a} {number_text(share)}" for a, share in zip(letters, shares, strict=True))
    strands = "strands: + -\n\n" if letters == "ACGT" else ""
    head = f"{VERSION} 4\n\nALPHABET= {letters}\n\n{strands}{_BACKGROUND}\n{listed}\n\n"
    return head + "".join(map(_motif_text, motifs))


def _motif_text(motif: Motif) -> str:
    probability = probability_matrix(motif)
    sites = count_matrix(motif).sum(axis=0)
    rows = "\n".join(" ".join(f"{value:.10f}" for value in column) for column in probability.T)
    return (
        f"MOTIF {title_of(motif)}\n{_MATRIX}: alength= {len(probability)} "
        f"w= {probability.shape[1]} nsites= {max(1, round(float(sites.mean())))} "
        f"E= {getattr(motif, 'evalue', None) or 0}\n{rows}\n\n"
    )
