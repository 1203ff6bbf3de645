"""A page: what stands in it, and how it becomes HTML."""

from __future__ import annotations

import base64
import io
import os
import platform
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from importlib.resources import files
from pathlib import PurePath
from typing import TYPE_CHECKING, NamedTuple

from seqbio import __version__
from seqbio.core._checks import checked
from seqbio.core.tables import Table
from seqbio.errors import MissingDependencyError, ParameterError, SeqbioError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 5.4, 3.8  # inches; letters of 10 points are still legible where a phone shrinks it
_HASH_SALT = "seqbio"  # makes the names inside SVG files the same every time


class Figure(NamedTuple):
    """A figure, as the address of an image that carries its own data.

    Parameters
    ----------
    source : str
        A ``data:`` address.
    numbers : str
        What it shows, with the numbers, for those who cannot see it.
    caption : str
        Stands below.
    """

    source: str
    numbers: str
    caption: str


@dataclass
class Page:
    """What a report says, in the order in which it says it.

    Parameters
    ----------
    question : str
        What was asked, in words; the title.
    answer : str
        In one sentence.
    beliefs : list of (str, list of str)
        What the hypotheses say: an introduction and the statements.
    key_numbers : list of (str, str)
        The few that matter most.
    figures : list of Figure
        Those that could be drawn.
    tables : list of Table
        All numbers.
    warnings : list of (str, str)
        Severity and message; None where there is nothing to warn of because nothing was checked.
    method : str
        Heads the reasons.
    reasons : list of str
        How the p-value was obtained, or why there is none, in paragraphs.
    """

    question: str
    answer: str
    beliefs: list[tuple[str, list[str]]] = field(default_factory=list)
    key_numbers: list[tuple[str, str]] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    tables: Sequence[Table] = ()
    warnings: list[tuple[str, str]] | None = None
    method: str = ""
    reasons: list[str] = field(default_factory=list)

    def draw(
        self,
        function: Callable[[Axes], object],
        numbers: str,
        caption: str,
        size: tuple[float, float] = SIZE,
    ) -> None:
        """Add a figure, or leave it out where there is nothing to draw, or it cannot be drawn.

        Parameters
        ----------
        function : callable
            Draws on the axes that it is given.
        numbers, caption : str
            As in `Figure`.
        size : tuple of float
            Inches.
        """
        from matplotlib import rc_context
        from matplotlib.figure import Figure as Drawing

        drawing = Drawing(figsize=size, layout="constrained")
        try:
            function(drawing.add_subplot())
        except ParameterError:  # which the functions raise where there is nothing to draw
            return
        except SeqbioError as error:  # a report with one figure less is better than none
            reason = ("warning", f"a figure is left out ({caption.rstrip('.')}): {error}")
            self.warnings = [*(self.warnings or ()), reason]
            return
        stream = io.BytesIO()
        with rc_context({"svg.hashsalt": _HASH_SALT}):
            # Legends may be wider than their axes, for which no layout makes room.
            drawing.savefig(stream, format="svg", bbox_inches="tight", metadata={"Date": None})
        encoded = base64.b64encode(stream.getvalue()).decode()
        self.figures.append(Figure(f"data:image/svg+xml;base64,{encoded}", numbers, caption))

    def to_html(self, origin: Mapping[str, str], command: str | None) -> str:
        """Fill in the template, escaping all text.

        Parameters
        ----------
        origin : mapping of str to str
            Where the report comes from: data, seed, versions.
        command : str or None
            What to type to repeat it.

        Returns
        -------
        str
            A whole document.
        """
        check_installed()
        from jinja2 import Environment, StrictUndefined

        environment = Environment(
            autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        source = files("seqbio.report").joinpath("page.html.jinja").read_text(encoding="utf-8")
        template = environment.from_string(source)
        return template.render(page=self, origin=origin, command=command, version=__version__)


@checked
def check_name(path: str | os.PathLike[str]) -> None:
    """Refuse a file whose name says that it holds something else than a report.

    Parameters
    ----------
    path : str or path
        It ends in .html or .htm, or has no ending, as standard output and pipes have none.

    Raises
    ------
    ParameterError
        It has another ending.

    Examples
    --------
    >>> check_name("gaps.pdf")
    Traceback (most recent call last):
        ...
    seqbio.errors.ParameterError: a report is HTML, and 'gaps.pdf' ends in .pdf; name it .html
    """
    ending = PurePath(os.fspath(path).removesuffix(".gz")).suffix
    if ending.lower() not in ("", ".html", ".htm"):
        raise ParameterError(
            f"a report is HTML, and {os.fspath(path)!r} ends in {ending}; name it .html"
        )


@checked
def check_installed() -> None:
    """Refuse to begin what cannot be finished.

    Raises
    ------
    MissingDependencyError
        Something that a report needs is not installed.
    """
    try:
        import jinja2  # noqa: F401
        import matplotlib  # noqa: F401
    except ImportError as error:
        raise MissingDependencyError(
            f"a report needs {error.name}: pip install 'seqbio[report]'"
        ) from error


@checked
def versions() -> dict[str, str]:
    """Name the versions of what results depend on.

    Returns
    -------
    dict of str to str
        Of Python and of the packages that do the computing.

    Examples
    --------
    >>> list(versions())
    ['python', 'numpy', 'scipy', 'biopython']
    """
    packages = {name: version(name) for name in ("numpy", "scipy", "biopython")}
    return {"python": platform.python_version()} | packages
