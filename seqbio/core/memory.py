"""Counting memory before the work, so that what cannot be held is refused in a line."""

from __future__ import annotations

import os

from seqbio.errors import ParameterError

_UNKNOWN = 8 * 10**9  # bytes of a machine that does not say


def check_parameters(n_parameters: int, bytes_each: int, what: str, advice: str) -> None:
    """Refuse a model whose parameters would take more than half of the memory of this machine.

    Parameters
    ----------
    n_parameters : int
        Before any of them is tied.
    bytes_each : int
        What a fit and a test take for one, as measured.
    what : str
        The model, for the message.
    advice : str
        How to have fewer.

    Raises
    ------
    ParameterError
        The message gives the number, the memory, and the advice.

    Examples
    --------
    >>> check_parameters(10**12, 100, "the chain", "tie time")
    Traceback (most recent call last):
        ...
    seqbio.errors.ParameterError: the chain has 1,000,000,000,000 parameters, which take about ...
    """
    what = f"{what} has {n_parameters:,} parameters, which take"
    check_memory(n_parameters * bytes_each, what, "to fit and to test", advice)


def check_memory(needed: int, what: str, to_do: str, advice: str) -> None:
    """Refuse work that would take more than half of the memory of this machine.

    Parameters
    ----------
    needed : int
        Bytes.
    what : str
        What takes them, with the verb, for the message.
    to_do : str
        What they are taken for.
    advice : str
        How to take less.

    Raises
    ------
    ParameterError
        The message gives the memory and the advice.

    Examples
    --------
    >>> check_memory(10**15, "two genomes take", "to be aligned", "take a part of them")
    Traceback (most recent call last):
        ...
    seqbio.errors.ParameterError: two genomes take about 1,000,000 GB to be aligned, and this ...
    """
    held = _memory()
    if needed > held / 2:
        raise ParameterError(
            f"{what} about {needed / 1e9:,.0f} GB {to_do}, and this machine has "
            f"{held / 1e9:,.0f} GB; {advice}"
        )


def _memory() -> int:
    """Memory of the machine in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has none of it
        return _UNKNOWN
