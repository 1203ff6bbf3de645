"""Recurrent cells, each declared in one module of this package as its ``CELL``.

To add one, write its module: a `seqbio.neural.recurrence.Cell`, and its kernels.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from seqbio.errors import ParameterError, did_you_mean

if TYPE_CHECKING:
    from seqbio.neural.recurrence import Cell

CELLS = tuple(module.name for module in iter_modules(__path__))
"""Names of the cells."""


@cache
def get_cell(name: str) -> Cell:
    """Get a cell by its name; its kernels are imported with it, and numba with them.

    Raises
    ------
    ParameterError
        There is none of that name.

    Examples
    --------
    >>> get_cell("gru").gates
    ('r', 'z', 'n')
    """
    if name not in CELLS:
        meant = did_you_mean(str(name), CELLS)
        raise ParameterError(f"there is no cell {name!r}{meant}; choose one of {', '.join(CELLS)}")
    cell: Cell = import_module(f"{__name__}.{name}").CELL
    return cell
