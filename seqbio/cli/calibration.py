"""Options of every ``test`` command: the hypotheses, how to get to a p-value, where to work."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqbio.cli import common

if TYPE_CHECKING:
    from seqbio.hypothesis_testing import LikelihoodRatioResult

NullOption = Annotated[
    str,
    typer.Option("--null", metavar="NAME,NAME", help="Ties in doubt, of those above."),
]
AlternativeOption = Annotated[
    str,
    typer.Option(
        "--alternative",
        metavar="NAME,NAME",
        help="Those that hold in any case; none for no tie.",
    ),
]
CalibrationOption = Annotated[
    str,
    typer.Option(
        "--calibration",
        metavar="NAME",
        help="How to get a p-value: auto (what is valid here), flip, exchange, relabel, turn, "
        "rotate, chi2, boundary, bootstrap, bartlett, split, held-out, robust or "
        "cluster-bootstrap.",
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
SplitsOption = Annotated[int, typer.Option("--splits", metavar="N", min=1, help="Of a split test.")]
KeepCopiesOption = Annotated[
    bool,
    typer.Option(
        "--keep-copies",
        help="What occurs more than once was observed as often; else one of each is tested.",
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


@dataclass(frozen=True)
class Calibration:
    """How a ratio becomes a p-value, and with how many processes."""

    calibration: CalibrationOption = "auto"
    replicates: ReplicatesOption = 999
    splits: SplitsOption = 10
    keep_copies: KeepCopiesOption = False
    workers: WorkersOption = 1

    def check(self) -> None:
        """Refuse an unknown method before anything is read.

        Raises
        ------
        ParameterError
            The message gives the nearest name and all of them.
        """
        from seqbio.hypothesis_testing.select import NAMES

        common.chosen("--calibration", self.calibration, NAMES)

    def compare(
        self,
        null: Any,
        alternative: Any,
        data: Any,
        task: str,
        *,
        seed: int,
        quiet: bool,
        n_starts: int = 1,
    ) -> LikelihoodRatioResult:
        """Fit and test two hypotheses, showing progress.

        Parameters
        ----------
        null, alternative, data
            As `seqbio.compare` takes them.
        task : str
            What is done, for the progress.
        seed, n_starts : int
            As `seqbio.compare` takes them.
        quiet : bool
            Show no progress.

        Returns
        -------
        LikelihoodRatioResult
            As from `seqbio.compare`.
        """
        from seqbio.hypothesis_testing import compare

        with _processes(self.workers) as executor, common.progress(task, quiet=quiet) as on_done:
            return compare(
                null,
                alternative,
                data,
                calibration=self.calibration.lower(),
                keep_copies=self.keep_copies,
                n_replicates=self.replicates,
                n_splits=self.splits,
                n_starts=n_starts,
                seed=seed,
                executor=executor,
                on_done=on_done,
            )


def hypotheses(
    null: str, alternative: str, known: Sequence[str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Read the ties of both hypotheses.

    Parameters
    ----------
    null, alternative
        As they were given.
    known
        Names of ties.

    Returns
    -------
    null_ties, alternative_ties : tuple of str
        Names that are unknown are left to the model, which can say more about them.
    """
    return common.tie_names("--null", null, known), common.tie_names(
        "--alternative", alternative, known
    )


def statements(
    null: Sequence[str], alternative: Sequence[str], meanings: Mapping[str, str]
) -> dict[str, list[str]]:
    """Say what is in doubt and what is not, for a report.

    Parameters
    ----------
    null, alternative
        Names of ties.
    meanings
        A sentence for each name.

    Returns
    -------
    dict
        Arguments of `seqbio.report.write_report`.
    """
    return {
        "doubted": [meanings[name] for name in null if name not in alternative],
        "kept": [meanings[name] for name in alternative],
    }


def check_nested(null: Sequence[str], alternative: Sequence[str], known: Sequence[str]) -> None:
    """Refuse a null that ties no more than the alternative, where names tell all.

    Parameters
    ----------
    null, alternative
        Names of ties.
    known
        All names, none of which implies another.

    Raises
    ------
    ParameterError
        The message names the ties.
    """
    if {*null, *alternative} <= {*known} and not {*null} > {*alternative}:
        tied, kept = (",".join(names) or "none" for names in (null, alternative))
        raise common.wrong_usage(
            "--null",
            f"it must tie all that the alternative does, and more; {tied} is no more than {kept}",
        )


@contextmanager
def _processes(n: int) -> Iterator[Executor | None]:
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
