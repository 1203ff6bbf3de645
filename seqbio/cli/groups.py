"""Groups of pairs on the command line: a file for each group, or labels in a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from seqbio.cli import common
from seqbio.errors import SeqbioError

if TYPE_CHECKING:
    from seqbio.pairhmm import GroupedPairs
    from seqbio.sequences import Pair

LabelsOption = Annotated[
    str | None,
    typer.Option(
        "--groups",
        metavar="FILE",
        help="The group of each pair: a table with tabs, of the number of the pair (from 1) or "
        "its ids as ID,ID, and the name of the group.",
    ),
]
GroupFileOption = Annotated[
    list[str] | None,
    typer.Option(
        "--group-file",
        metavar="FILE",
        help="Pairs of another group than those of PAIRS_FILE; repeat it for more. Groups are "
        "called after their files.",
    ),
]


@dataclass(frozen=True)
class GroupOptions:
    """Which group each pair belongs to."""

    groups: LabelsOption = None
    group_file: GroupFileOption = None

    def read(self, source: common.PairsInput) -> tuple[list[Pair] | GroupedPairs, str]:
        """Read pairs, with their groups if there are any, and the name of their alphabet."""
        from seqbio.pairhmm import GroupedPairs

        if self.groups is not None and self.group_file:
            raise common.wrong_usage("--groups", "groups are files or labels; omit --group-file")
        if self.group_file and (source.second_file is not None or source.pair):
            raise common.wrong_usage(
                "--group-file", "with it every group is one file; leave out SECOND_FILE and --pair"
            )
        pairs, alphabet = source.read()
        if self.groups is not None:
            return GroupedPairs(pairs, read_labels(self.groups, pairs)), alphabet
        if not self.group_file:
            return pairs, alphabet
        files = [source.pairs_file, *self.group_file]
        names = [_called(file) for file in files]
        for file, name in zip(files, names, strict=True):
            if names.count(name) > 1:
                raise common.wrong_usage(
                    "--group-file", f"two groups are called {name!r}, as {file} is; rename a file"
                )
        parts = [pairs]
        for file in self.group_file:
            parts.append(replace(source, pairs_file=file, alphabet=alphabet).read()[0])
        labels = [name for name, part in zip(names, parts, strict=True) for _ in part]
        return GroupedPairs([pair for part in parts for pair in part], labels), alphabet

    @property
    def files(self) -> list[str]:
        """The files as they were named."""
        return [*(self.group_file or ()), *([] if self.groups is None else [self.groups])]


def _called(file: str) -> str:
    name = Path(file.removeprefix("dataset:")).name
    called = "standard input" if name == "-" else name.partition(".")[0] or name
    return called.encode("utf-8", "backslashreplace").decode()  # bytes of a name may be no text


def sizes(pairs: Any) -> Mapping[str, int]:
    """Count the pairs of each group; empty without groups."""
    labels = getattr(pairs, "groups", [])
    return {name: labels.count(name) for name in dict.fromkeys(labels)}


def read_labels(file: str, pairs: list[Pair]) -> list[str]:
    """Read the group of each pair from a table.

    A line holds a pair and its group, with a tab between them; empty lines and those that begin
    with # and name no pair are left out. A pair is its number, counted from 1, or both ids with a
    comma between.

    Raises
    ------
    SeqbioError
        A line is malformed or names no pair, or a pair has two groups or none; the message names
        the line.
    """
    from seqbio.sequences import read_input

    name, content = read_input(common.file_of(file))
    places: dict[str, list[int]] = {}
    for place, (x, y) in enumerate(pairs):
        places.setdefault(f"{x.id},{y.id}", []).append(place)
    labels: dict[int, str] = {}
    for number, line in enumerate(content.decode("utf-8").split("\n"), start=1):
        if not line.strip() or (line.startswith("#") and line.split("\t")[0] not in places):
            continue
        where = f"{name}, line {number}"
        cells = [cell.strip() for cell in line.split("\t")]
        if len(cells) != 2 or not all(cells):
            raise SeqbioError(f"{where}: {line!r} is not a pair and its group, with a tab between")
        place = _place(cells[0], places, len(pairs), where)
        if place in labels:
            raise SeqbioError(f"{where}: the pair {cells[0]!r} has a group already; give one")
        labels[place] = cells[1]
    missing = [place for place in range(len(pairs)) if place not in labels]
    if missing:
        x, y = pairs[missing[0]]
        raise SeqbioError(
            f"{name}: {len(missing)} of {len(pairs)} pairs have no group, the first is number "
            f"{missing[0] + 1} ({x.id},{y.id}); add a line for each"
        )
    return [labels[place] for place in range(len(pairs))]


def _place(entry: str, places: Mapping[str, list[int]], n_pairs: int, where: str) -> int:
    key = ",".join(part.strip() for part in entry.split(","))
    found = places.get(key, [])
    if len(found) == 1:
        return found[0]
    if found:
        raise SeqbioError(f"{where}: {len(found)} pairs have the ids {entry!r}; give numbers")
    if entry.isdecimal() and 1 <= int(entry) <= n_pairs:
        return int(entry) - 1
    raise SeqbioError(
        f"{where}: there is no pair {entry!r}{_nearest(key, places)}; give numbers from 1 to "
        f"{n_pairs}, or ids as ID,ID"
    )


def _nearest(entry: str, known: Iterable[str]) -> str:
    near = get_close_matches(entry, list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
