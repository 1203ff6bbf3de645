"""Reports: a test or a fitted model as one HTML file that needs nothing else.

The file has its style and its figures in it and asks nothing of a network, so it can be sent, kept
and printed; it reads well on a phone. Figures are those of `seqbio.plots`, each with its numbers in
words for those who cannot see it.

Needs jinja2, matplotlib and logomaker: ``pip install 'seqbio[report]'``. None is imported before a
report is written.
"""

from seqbio.report.page import check_installed, check_name, versions
from seqbio.report.writing import write_report

__all__ = [
    "check_installed",
    "check_name",
    "versions",
    "write_report",
]
