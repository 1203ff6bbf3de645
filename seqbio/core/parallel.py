"""Maps over independent pieces of work, with the same result for any number of workers."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import BrokenExecutor, Executor
from functools import partial
from typing import TypeVar

import numpy as np

from seqbio.core._checks import checked
from seqbio.core.blas import one_thread
from seqbio.errors import ParameterError, SeqbioError

Piece = TypeVar("Piece")
Result = TypeVar("Result")


@checked
def map_pieces(
    function: Callable[[Piece], Result],
    pieces: Iterable[Piece],
    *,
    executor: Executor | None = None,
    on_done: Callable[[int, int], object] | None = None,
) -> list[Result]:
    """Apply a function to every piece, here or on the workers of an executor.

    Results are collected in the order of the pieces, whatever the order in which workers finish,
    and the first piece in that order that fails raises, so neither results nor errors depend on
    the number of workers. Pieces that need random numbers should carry a generator each, from
    `spawn_generators`.

    Parameters
    ----------
    function : callable
        Takes one piece. For a process pool it must be importable: a function of a module, or a
        `functools.partial` of one.
    pieces : iterable
        Read completely before the work starts.
    executor : concurrent.futures.Executor, optional
        A thread or process pool of the standard library, Dask's ``Client.get_executor()``, the
        pool of mpi4py ... It stays open. Without one the pieces are worked on here, one by one.
    on_done : callable, optional
        Called here before the first piece and after each, in order, as ``on_done(n_done,
        n_pieces)``; for progress bars.

    Returns
    -------
    list
        One result per piece, in order.

    Raises
    ------
    SeqbioError
        A worker died instead of returning a result. What the function itself raises comes
        through unchanged; pieces that have not begun by then are cancelled.

    Examples
    --------
    >>> from concurrent.futures import ThreadPoolExecutor
    >>> map_pieces(abs, [3, -2, -1])
    [3, 2, 1]
    >>> with ThreadPoolExecutor(2) as executor:
    ...     map_pieces(abs, [3, -2, -1], executor=executor)
    [3, 2, 1]
    """
    pieces, work = list(pieces), partial(_worked_on, function)
    results: list[Result] = []
    if on_done is not None:
        on_done(0, len(pieces))
    if executor is None:
        for piece in pieces:
            results.append(work(piece))
            if on_done is not None:
                on_done(len(results), len(pieces))
        return results

    futures = []
    try:
        for piece in pieces:
            futures.append(executor.submit(work, piece))
        for future in futures:
            results.append(future.result())
            if on_done is not None:
                on_done(len(results), len(pieces))
    except Exception as error:
        if not _is_death(error):
            raise
        raise SeqbioError(
            f"a worker of the {type(executor).__name__} died before piece {len(results) + 1} of "
            f"{len(pieces)} was done ({error}); workers that are killed have often run out of "
            "memory: use fewer of them or smaller pieces, or no executor to see what fails"
        ) from error
    finally:
        for future in futures[len(results) :]:
            future.cancel()
    return results


def _worked_on(function: Callable[[Piece], Result], piece: Piece) -> Result:
    """Work on a piece with the same bits wherever that is."""
    with one_thread():
        return function(piece)


def _is_death(error: Exception) -> bool:
    """Tell the death of a worker from what the function raised; Dask has a class of its own."""
    kind = type(error)
    of_dask = kind.__module__.startswith("distributed.") and kind.__name__ == "KilledWorker"
    return of_dask or isinstance(error, BrokenExecutor)


def spawn_generators(seed: int | np.random.Generator | None, n: int) -> list[np.random.Generator]:
    """Make independent random generators, one for each piece of work.

    Each comes from its own child of the seed's `numpy.random.SeedSequence`, so that the numbers a
    piece sees depend on the seed and its place alone, not on who works on it or when. Generator
    number i is the same however many are asked for.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        A generator spawns other children each time that it is asked; None takes fresh entropy
        from the operating system.
    n : int
        How many generators, 0 or more.

    Returns
    -------
    list of numpy.random.Generator
        Of length `n`.

    Raises
    ------
    ParameterError
        The seed or the number is negative or of another type.

    Examples
    --------
    >>> first, second = spawn_generators(7, 2)
    >>> again, _ = spawn_generators(7, 2)
    >>> first.random() == again.random(), first.random() == second.random()
    (True, False)
    """
    if not isinstance(n, (int, np.integer)) or n < 0:
        raise ParameterError(f"n is {n!r}; give the number of generators, 0 or more")
    return list(as_generator(seed).spawn(int(n)))


def as_generator(seed: int | np.random.Generator | None) -> np.random.Generator:
    """Make a random generator of a seed.

    Parameters
    ----------
    seed : int, numpy.random.Generator or None
        A generator is handed back as it is; None takes fresh entropy from the operating system.

    Returns
    -------
    numpy.random.Generator
        Never the global one.

    Raises
    ------
    ParameterError
        The seed is negative or of another type.

    Examples
    --------
    >>> as_generator(1).random() == as_generator(1).random()
    True
    """
    if seed is None or isinstance(seed, np.random.Generator):
        return np.random.default_rng(seed)
    if isinstance(seed, (int, np.integer)) and seed >= 0:
        return np.random.default_rng(int(seed))
    raise ParameterError(
        f"seed is {seed!r}; give an integer of 0 or more, a numpy.random.Generator or None"
    )
