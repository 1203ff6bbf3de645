"""Options of every ``test`` command: how to get to a p-value, and where to work on it."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Annotated

import typer

CalibrationOption = Annotated[
    str,
    typer.Option(
        "--calibration",
        metavar="NAME",
        help="How to get a p-value: auto (what is valid here), chi2, boundary, bootstrap, "
        "bartlett, split, held-out, robust or cluster-bootstrap.",
    ),
]
ReplicatesOption = Annotated[
    int,
    typer.Option(
        "--replicates",
        metavar="N",
        min=1,
        help="Data sets of a bootstrap, at most; fewer if p is soon clear.",
    ),
]
WorkersOption = Annotated[
    int,
    typer.Option(
        "--workers",
        metavar="N",
        min=1,
        help="Processes for bootstraps, splits and folds; the result is the same for any number.",
    ),
]


@contextmanager
def workers(n: int) -> Iterator[Executor | None]:
    """Start processes to work on independent pieces, and end them.

    They are spawned, so that nothing of this process is copied half-way; none are started before
    there is work.

    Yields
    ------
    Executor or None
        None for one worker, which is this process.
    """
    if n == 1:
        yield None
        return
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    with ProcessPoolExecutor(n, mp_context=get_context("spawn")) as executor:
        yield executor
