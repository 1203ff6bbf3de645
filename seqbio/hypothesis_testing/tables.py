"""The same tables as plain text and as HTML."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape
from itertools import zip_longest
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


def as_text(tables: Sequence[Table]) -> str:
    """Lay tables out in plain text of at most 88 columns.

    Cells are wrapped, the widest column first. (The rich library would do as well, but draws from
    Python's global random generator when it is imported.)

    Parameters
    ----------
    tables : sequence of Table
        One below the other.

    Returns
    -------
    str
        Without a newline at the end.

    Examples
    --------
    >>> print(as_text([Table("Rates", ("", "null"), [("first", "4.44")])]))
    Rates
             null
      first  4.44
    """
    blocks = []
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


def as_html(tables: Sequence[Table]) -> str:
    """Lay tables out in HTML.

    Parameters
    ----------
    tables : sequence of Table
        One below the other.

    Returns
    -------
    str
        A ``div``; all text in it is escaped.

    Examples
    --------
    >>> print(as_html([Table("Rates", (), [("a < b", "4.44")])]))
    <div>
    <table>
    <caption>Rates</caption>
    <tr><td>a &lt; b</td><td>4.44</td></tr>
    </table>
    </div>
    """
    lines = ["<div>"]
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
    inner = "".join(f"<{tag}>{escape(cell).replace(chr(10), '<br>')}</{tag}>" for cell in cells)
    return f"<tr>{inner}</tr>"
