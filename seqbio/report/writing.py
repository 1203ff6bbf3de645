"""From a result or a model to a file."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from seqbio import __version__
from seqbio.core._checks import checked
from seqbio.core.tables import Table
from seqbio.report.page import check_installed, check_name, versions
from seqbio.report.sources import page_of

if TYPE_CHECKING:
    from seqbio.hypothesis_testing import LikelihoodRatioResult
    from seqbio.motif import MotifDetector
    from seqbio.pairhmm import PairHMM
    from seqbio.recurrent import RecurrentModel


@checked
def write_report(
    source: LikelihoodRatioResult | PairHMM | MotifDetector | RecurrentModel,
    path: str | os.PathLike[str],
    *,
    doubted: Sequence[str] = (),
    kept: Sequence[str] = (),
    tables: Sequence[Table] | None = None,
    origin: Mapping[str, object] | None = None,
    command: str | None = None,
) -> None:
    """Write a test or a fitted model as one HTML file, whole or not at all.

    It says what was asked, answers in a sentence, and shows the figures, all numbers, the
    warnings, how the p-value was obtained, and what it takes to repeat the work. Everything is in
    the file; text from records and files is escaped.

    Parameters
    ----------
    source : LikelihoodRatioResult, PairHMM, MotifDetector or RecurrentModel
        Of `seqbio.compare`, or fitted.
    path : str or path
        Of the file, which ends in .html or .htm or not at all, or ``-`` for standard output.
    doubted, kept : sequence of str
        For a test: what the null says and the alternative does not, and what both say, a sentence
        each, such as those of ``ties()``. By default the ties as the fits describe them.
    tables : sequence of Table, optional
        To show instead of those that the source gives.
    origin : mapping of str to object, optional
        Where the data come from, the seed, and whatever else a reader should know, by name.
    command : str, optional
        What to type to get the same again.

    Raises
    ------
    MissingDependencyError
        jinja2, matplotlib or logomaker is not installed.
    ParameterError
        There are no reports of such a source, or the file has another ending.
    NotFittedError
        The model is not fitted.

    Examples
    --------
    >>> import seqbio, tempfile
    >>> from pathlib import Path
    >>> truth = {"open_x": 0.02, "open_y": 0.06, "extend_x": 0.3, "extend_y": 0.3, "end": 0.002,
    ...          "distance": 0.1, "kappa": 2.0}
    >>> pairs = seqbio.PairHMM().set_parameters(truth).simulate(10, columns=200, seed=1)
    >>> result = seqbio.compare(seqbio.PairHMM(), seqbio.PairHMM(tie=()), pairs)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     seqbio.report.write_report(result, Path(folder) / "gaps.html", origin={"seed": 1})
    ...     "open and extend tied" in (Path(folder) / "gaps.html").read_text()
    True
    """
    from seqbio.sequences import atomic_writer

    check_name(path)
    check_installed()
    page = page_of(source, doubted, kept)
    if tables is not None:
        page.tables = tables
    rows = {name: str(value) for name, value in (origin or {}).items()}
    tools = ", ".join(f"{name} {number}" for name, number in versions().items())
    rows["versions"] = f"seqbio {__version__}, {tools}"
    rows["written"] = f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    html = page.to_html(rows, command)
    with atomic_writer(path) as stream:
        stream.write(html)
