"""Summaries: a sentence and tables, the same as plain text, in a notebook, and from commands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from itertools import zip_longest
from math import isnan
from textwrap import wrap
from typing import NamedTuple

_WIDTH = 88


class Table(NamedTuple):
    """A titled table of text; without rows it is left out.

    Parameters
    ----------
    title : str
        Stands above.
    header : tuple of str
        Names of the columns, the first of which holds labels; empty for none.
    rows : list of tuple of str
        Cells may have several lines.
    """

    title: str
    header: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class Summarised:
    """What can be summed up in a sentence, the most important first, and tables.

    A subclass says what in `_summary`; it is then the same as text and as notebooks show it.
    """

    def _summary(self) -> tuple[str, Sequence[Table]]:
        raise NotImplementedError

    def summary(self) -> str:
        """Sum up in plain text of at most 88 columns: a sentence, and tables.

        Returns
        -------
        str
            Without a newline at the end.
        """
        return as_text(*self._summary())

    def __str__(self) -> str:
        return self.summary()

    def _repr_html_(self) -> str:
        return as_html(*self._summary())


def shortened(lines: list[str], most: int) -> list[str]:
    """Cut a list, saying how many lines are left out.

    Parameters
    ----------
    lines : list of str
        Of any length.
    most : int
        How many are kept.

    Returns
    -------
    list of str
        At most one more than that.

    Examples
    --------
    >>> shortened(["a", "b", "c"], 1)
    ['a', 'and 2 more']
    """
    n_more = len(lines) - most
    return lines[:most] + ([f"and {n_more} more"] if n_more > 0 else [])


def numbers_table(title: str, numbers: Mapping[str, float], most: int = 20) -> Table:
    """Make a table of numbers by name, or of the first of very many.

    Parameters
    ----------
    title : str
        Stands above.
    numbers : mapping of str to float
        By name.
    most : int, default 20
        How many are shown.

    Returns
    -------
    Table
        A row for each, and one that counts those left out.

    Examples
    --------
    >>> numbers_table("Rates", {"first": 4.444444, "second": 1.0}, 1).rows
    [('first', '4.444'), ('and 1 more', '')]
    """
    names = shortened(list(numbers), most)
    cells = [(name, short(numbers[name]) if name in numbers else "") for name in names]
    return Table(title, (), cells)


def short(value: float | None) -> str:
    """Write a number with four digits; "-" for none."""
    return "-" if value is None or isnan(value) else f"{value:.4g}"


def as_text(sentence: str, tables: Sequence[Table]) -> str:
    """Lay a summary out in plain text of at most 88 columns.

    Cells are wrapped, the widest column first. (The rich library would do as well, but draws from
    Python's global random generator when it is imported.)

    Parameters
    ----------
    sentence : str
        Stands first, one line or several.
    tables : sequence of Table
        One below the other.

    Returns
    -------
    str
        Without a newline at the end.

    Examples
    --------
    >>> print(as_text("Rates differ.", [Table("Rates", ("", "null"), [("first", "4.44")])]))
    Rates differ.
    <BLANKLINE>
    Rates
             null
      first  4.44
    """
    blocks = ["\n".join(_wrapped(sentence, _WIDTH))]
    for title, header, rows in tables:
        if rows:
            blocks.append("\n".join([title, *_text_lines([header] * bool(header) + [*rows])]))
    return "\n\n".join(blocks)


def _text_lines(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    columns = list(zip(*rows, strict=True))
    widths = [
        max(len(line) for cell in column for line in [*cell.splitlines(), ""]) for column in columns
    ]
    while sum(widths) > _WIDTH - 2 * len(widths):
        widths[widths.index(max(widths))] -= 1
    for row in rows:
        cells = [list(_wrapped(cell, width)) for cell, width in zip(row, widths, strict=True)]
        for line in zip_longest(*cells, fillvalue=""):
            padded = (f"  {text:{width}}" for text, width in zip(line, widths, strict=True))
            yield "".join(padded).rstrip()


def _wrapped(cell: str, width: int) -> Iterator[str]:
    for line in cell.splitlines():
        yield from wrap(line, width, break_on_hyphens=False) or [""]


def as_html(sentence: str, tables: Sequence[Table]) -> str:
    """Lay a summary out in HTML.

    Parameters
    ----------
    sentence : str
        Stands first, one line or several.
    tables : sequence of Table
        One below the other.

    Returns
    -------
    str
        A ``div``; all text in it is escaped.

    Examples
    --------
    >>> print(as_html("Rates differ.", [Table("Rates", (), [("a < b", "4.44")])]))
    <div>
    <p>Rates differ.</p>
    <table>
    <caption>Rates</caption>
    <tr><td>a &lt; b</td><td>4.44</td></tr>
    </table>
    </div>
    """
    lines = ["<div>", f"<p>{_html(sentence)}</p>"]
    for title, header, rows in tables:
        if not rows:
            continue
        lines += ["<table>", f"<caption>{escape(title)}</caption>"]
        if header:
            lines.append(_html_row(header, "th"))
        lines += [_html_row(row, "td") for row in rows]
        lines.append("</table>")
    return "\n".join([*lines, "</div>"])


def _html_row(cells: Sequence[str], tag: str) -> str:
    inner = "".join(f"<{tag}>{_html(cell)}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"


def _html(text: str) -> str:
    return escape(text).replace("\n", "<br>")
