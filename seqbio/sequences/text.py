"""Text: read from a file, with an alphabet of the characters that occur."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import numpy as np
from Bio.Seq import Seq
from Bio.SeqRecord import SeqRecord
from numpy.typing import ArrayLike, NDArray

from ..core._checks import checked
from ..errors import AlphabetError, ArgumentTypeError, ParameterError, SequenceFormatError
from .alphabet import Alphabet
from .input import Source, read_input
from .records import several


@checked
@dataclass(frozen=True)
class CharacterAlphabet:
    """The characters of a text, each a letter of its own.

    Parameters
    ----------
    letters : str
        Each character once; character i has code i.

    Examples
    --------
    >>> alphabet = CharacterAlphabet.of(["to be", "or not"])
    >>> alphabet.letters
    ' benort'
    >>> alphabet.decode(alphabet.encode("bone"))
    'bone'
    """

    letters: str
    name: str = "text"

    def __post_init__(self) -> None:
        if not self.letters or len(set(self.letters)) != len(self.letters):
            raise ParameterError(
                f"the letters {self.letters!r} are not at least one character, each once"
            )

    @classmethod
    def of(cls, texts: Iterable[str]) -> CharacterAlphabet:
        """Learn the alphabet: the characters that occur, sorted."""
        texts = list(texts)
        if not all(isinstance(text, str) for text in texts):
            raise ArgumentTypeError("some of the texts are no text; give a list of str")
        return cls("".join(sorted(set().union(*texts))))

    @property
    def size(self) -> int:
        """How many characters there are."""
        return len(self.letters)

    @property
    def symbols(self) -> str:
        """The letters: there are no ambiguity codes."""
        return self.letters

    @property
    def complement(self) -> None:
        """Characters have none."""

    @property
    def membership(self) -> NDArray[np.float64]:
        """Each letter stands for itself."""
        return np.eye(self.size)

    @cached_property
    def _code(self) -> dict[str, int]:
        return {letter: code for code, letter in enumerate(self.letters)}

    def encode(self, text: str) -> NDArray[np.uint16]:
        """Turn characters into codes, (length,) uint16.

        Raises
        ------
        AlphabetError
            A character is not in the alphabet; the message gives its position, counted from 1.
        """
        try:
            return np.array([self._code[letter] for letter in text], dtype=np.uint16)
        except KeyError as error:
            position = text.index(error.args[0]) + 1
            raise AlphabetError(
                f"position {position} is {error.args[0]!r}, which does not occur in the text that "
                "the alphabet was learned from; leave it out, or learn from a text that has it"
            ) from None

    def decode(self, codes: ArrayLike) -> str:
        """Turn codes into characters."""
        array = np.asarray(codes)
        inside = array.dtype.kind in "iu" and ((array >= 0) & (array < self.size)).all()
        if array.ndim != 1 or (array.size and not inside):
            raise ParameterError(f"codes are {codes!r}; give integers from 0 to {self.size - 1}")
        return "".join(self.letters[code] for code in array)


AnyAlphabet: TypeAlias = Alphabet | CharacterAlphabet


def as_texts(records: Iterable[Any]) -> list[str]:
    """Check texts, each a str or a record; none may be empty."""
    texts = []
    for index, record in enumerate(several(records)):
        if not isinstance(record, str | Seq | SeqRecord):
            raise ParameterError(
                f"the text at index {index} is of type {type(record).__name__}; give a str"
            )
        texts.append(str(getattr(record, "seq", record)))
    for index, text in enumerate(texts):
        if not text:
            raise ParameterError(f"the text at index {index} is empty; leave it out")
    return texts


@checked
def read_text(source: Source, *, n_pieces: int = 1) -> list[str]:
    r"""Read a text, cut into pieces of about equal length.

    A recurrent model learns from pieces side by side; text in one piece it would have to read
    from beginning to end, one character at a time.

    Parameters
    ----------
    source
        A path, ``"-"`` for standard input, or a file object; gzip data are recognised. Line ends
        of all kinds become ``\n``.
    n_pieces : int, default 1
        How many; lengths differ by one at most.

    Returns
    -------
    list of str
        In order; joined they are the text.

    Raises
    ------
    SequenceFormatError
        The text is not UTF-8, or has fewer characters than there are to be pieces.
    ParameterError
        The number of pieces is not at least 1.

    Examples
    --------
    >>> import io
    >>> read_text(io.StringIO("to be or not"), n_pieces=3)
    ['to b', 'e or', ' not']
    """
    if n_pieces < 1:
        raise ParameterError(f"n_pieces is {n_pieces}; give 1 or more")
    name, content = read_input(source)
    text = content.decode()
    if len(text) < n_pieces:
        raise SequenceFormatError(
            f"{name} has {len(text)} characters, too few for {n_pieces} pieces; ask for fewer"
        )
    ends = np.linspace(0, len(text), n_pieces + 1).round().astype(int)
    return [text[a:b] for a, b in pairwise(ends)]
