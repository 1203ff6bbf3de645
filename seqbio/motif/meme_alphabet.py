"""Alphabets of MEME's files: a list of letters, or a definition of several lines.

A definition has letters, complements (``A ~ T``) and ambiguity codes (``R = AG``), in any order;
the columns of a matrix are in alphabetical order all the same. It is read if it is that of DNA, RNA
or proteins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from seqbio.motif.motif_text import ALPHABETS, MotifText
from seqbio.sequences import Alphabet

_LISTED = re.compile(r"ALPHABET\s*=(.*)")
_LIKE = re.compile(r"ALPHABET(?:\s+(DNA|RNA|PROTEIN)-LIKE)?\s*")
_NAME = re.compile(r'"(?:[^"\\]|\\.)*"')  # of an alphabet or a letter
_LETTER = re.compile(r"\s*([A-Za-z0-9?.*-])(?:\s+[0-9A-Fa-f]{6})?\s*")  # and its colour
_STARS = re.compile(r"\*+")
_READ = "read are motifs of DNA (ACGT, with complements A~T, C~G), RNA (ACGU) and proteins"


@dataclass
class _Definition:
    """What the lines of a definition say."""

    letters: set[str] = field(default_factory=set)
    complements: dict[str, str] = field(default_factory=dict)
    codes: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        listed = "".join(sorted(self.letters))
        pairs = " ".join(f"{one}~{other}" for one, other in self.complements.items() if one < other)
        found = f"the letters {listed}, complements {pairs or 'none'}"
        if listed not in ALPHABETS:
            return found
        return f"{found}, codes {' '.join(map('='.join, self.codes.items())) or 'none'}"

    def takes(self, line: str) -> bool:
        """Take in a line without the names of its letters; say whether it could be understood."""
        code, is_code, members = line.partition("=")
        found = [_LETTER.fullmatch(part) for part in (code if is_code else line).split("~")]
        new = [letter[1] for letter in found if letter]
        if len(new) < len(found) or {*new} & {*self.letters, *self.codes}:
            return False
        if is_code:
            self.codes[new[0]] = "".join(members.split())
            return len(new) == 1
        self.letters |= {*new}
        if len(new) == 2:
            self.complements |= {new[0]: new[1], new[1]: new[0]}
        return len(new) <= 2

    def in_upper_case(self) -> _Definition:
        """Where all letters are of lower case, upper case means the same."""
        if not "".join([*self.letters, *self.codes]).islower():
            return self
        return _Definition(
            {letter.upper() for letter in self.letters},
            {one.upper(): other.upper() for one, other in self.complements.items()},
            {code.upper(): members.upper() for code, members in self.codes.items()},
        )

    def is_that_of(self, kind: Alphabet) -> bool:
        """Say whether it has the same letters and complements, and no code of another meaning."""
        pairs = dict(zip(kind.letters, kind.complement_letters or "", strict=False))
        if kind.name == "rna" and not self.complements:  # it need not say that RNA pairs
            pairs = {}
        return (
            self.letters == set(kind.letters)
            and self.complements == pairs
            and all(
                set(members) == set(kind.ambiguity.get(code, members))
                for code, members in self.codes.items()
            )
        )


def read_alphabet(text: MotifText, at: int) -> tuple[str, int]:
    """Read the alphabet that begins at a line.

    Returns
    -------
    letters : str
        In alphabetical order.
    stop : int
        The line after it.

    Raises
    ------
    SequenceFormatError
        It is malformed, or not that of DNA, RNA or proteins.
    """
    line = text.lines[at].strip()
    if listed := _LISTED.fullmatch(line):
        letters = listed.group(1).strip().strip('"').upper()
        if letters not in ALPHABETS:
            raise text.refusal(at, f"the alphabet is {letters!r}, in this order; {_READ}")
        return letters, at + 1
    like = _LIKE.fullmatch(_NAME.sub("", line))
    if like is None:
        raise text.refusal(
            at, f"{line[:60]!r} is no alphabet; write 'ALPHABET= ACGT', or define letters below it"
        )
    definition, stop = _read_definition(text, at)
    for letters, kind in ALPHABETS.items():
        if definition.is_that_of(kind) and like.group(1) in (None, kind.name.upper()):
            return letters, stop
    raise text.refusal(at, f"{line[:60]!r} has {definition}; {_READ}")


def _read_definition(text: MotifText, start: int) -> tuple[_Definition, int]:
    """Read lines up to END ALPHABET, or to the asterisks that STREME writes in its place."""
    found = _Definition()
    for at in range(start + 1, len(text.lines)):
        body = _NAME.sub("", text.lines[at]).partition("#")[0].strip()
        stars = _STARS.fullmatch(body)
        if body == "END ALPHABET" or (stars and found.letters):
            return found.in_upper_case(), at + 1
        if body and not stars and not found.takes(body):
            raise text.refusal(
                at,
                f"{text.lines[at].strip()[:60]!r} defines no new letter of the alphabet above; end "
                "that with END ALPHABET",
            )
    raise text.refusal(start, "the alphabet has no end; write END ALPHABET below its letters")
