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
    needed, held = n_parameters * bytes_each, _memory()
    if needed > held / 2:
        raise ParameterError(
            f"{what} has {n_parameters:,} parameters, which take about {needed / 1e9:,.0f} GB to "
            f"fit and to test, and this machine has {held / 1e9:,.0f} GB; {advice}"
        )


def _memory() -> int:
    """Memory of the machine in bytes."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, OSError, ValueError):  # Windows has none of it
        return _UNKNOWN
