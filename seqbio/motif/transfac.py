"""TRANSFAC's format of motif files: lines of two letters and a value, a row for each column.

A line ``P0`` (or ``PO``) names the letters, in any order. Rows begin with their number and may end
with a consensus letter. ``//`` ends an entry.
"""

from __future__ import annotations

import re

from seqbio.motif.motif_text import MotifText, two_names

KEY = re.compile(r"([A-Z][A-Z0-9]|//)(\s|$)")
"""How a line of an entry begins that is no row."""

_LETTERS = ("P0", "PO")
_NAMES = ("AC", "ID", "NA", "DE")  # the first of them is the name, the second the other name


def read_transfac(text: MotifText) -> None:
    """Find the motifs of a file; an entry without any name, such as a version, is none."""
    start = 0
    for at in range(len(text.lines) + 1):
        if at == len(text.lines) or text.lines[at].startswith("//"):
            _read_entry(text, start, at)
            start = at + 1


def _read_entry(text: MotifText, start: int, stop: int) -> None:
    names: dict[str, str] = {}
    letters, at_name = "", start
    rows: list[list[float]] = []
    for at in range(start, stop):
        key, value = text.lines[at][:2], " ".join(text.lines[at][2:].split())
        if key in _LETTERS:
            if letters:
                raise text.refusal(at, "a second matrix in one entry; end each entry with '//'")
            letters = value.replace(" ", "").upper()
        elif text.lines[at].strip()[:1].isdigit():
            rows.append(_read_row(text, at, letters, len(rows)))
        elif key in _NAMES and value:
            at_name = at_name if names else at
            names.setdefault(key, value)
        elif letters and text.lines[at].strip() and not KEY.match(text.lines[at]):
            raise text.refusal(
                at, f"expected a row or a key of two letters, found {text.lines[at][:40]!r}"
            )
    if not (names or letters or rows):
        return
    first, *others = [names[key] for key in _NAMES if key in names] or [""]
    name, rest = two_names(first)
    if not rows:
        raise text.refusal(at_name, f"the motif {name!r} has no matrix")
    text.add(at_name, (name, (others or [rest])[0]), letters, list(zip(*rows, strict=True)))


def _read_row(text: MotifText, at: int, letters: str, n_before: int) -> list[float]:
    number, *words = text.lines[at].split()
    if not letters:
        raise text.refusal(at, "a row before the line 'P0' that names the letters; add it")
    if number not in {f"{n_before + 1:02}", str(n_before + 1), f"{n_before:02}", str(n_before)}:
        raise text.refusal(at, f"expected row {n_before + 1} of the matrix, found {number!r}")
    if words and words[-1].isalpha():  # the consensus
        del words[-1]
    if len(words) != len(letters):
        raise text.refusal(
            at, f"expected a number for each of {letters}, found {len(words)} numbers"
        )
    return text.numbers(at, " ".join(words))
