"""Timing two things in turns, and the table that shows what came out."""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

MEGABYTE = 1024 if sys.platform != "darwin" else 1024**2  # what `ru_maxrss` counts in


@dataclass(frozen=True)
class Target:
    """What a ratio should reach: at least, or at most, a number."""

    value: float
    at_least: bool = True

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.value:g}"

    def judge(self, value: float) -> str:
        reached = value >= self.value if self.at_least else value <= self.value
        return "[green]reached[/]" if reached else "[red]missed[/]"


@dataclass(frozen=True)
class Turns:
    """Seconds that two functions took, turn by turn."""

    first: np.ndarray
    second: np.ndarray

    @property
    def ratio(self) -> np.ndarray:
        """Lower quartile, median and upper quartile of second / first."""
        return np.quantile(self.second / self.first, [0.25, 0.5, 0.75])


def seconds(
    function: Callable[[], object], clock: Callable[[], float] = time.perf_counter
) -> float:
    start = clock()
    function()
    return clock() - start


def take_turns(
    first: Callable[[], object],
    second: Callable[[], object],
    at_least: float = 3.0,
    clock: Callable[[], float] = time.perf_counter,
) -> Turns:
    """Run two functions in turns, 7 times or for so many seconds, whatever takes longer."""
    first(), second()  # compiles, fills caches, touches memory
    times: list[tuple[float, float]] = []
    stop = time.perf_counter() + at_least
    while len(times) < 7 or time.perf_counter() < stop:
        if len(times) % 2:
            later, earlier = seconds(second, clock), seconds(first, clock)
            times.append((earlier, later))
        else:
            times.append((seconds(first, clock), seconds(second, clock)))
    return Turns(*np.array(times).T)


class Report:
    """A table that is filled a row at a time, and printed when it is complete."""

    def __init__(self, title: str, first: str, second: str, ratio: str) -> None:
        self.table = Table(title=title, title_justify="left")
        self.table.add_column("case")
        for heading in (first, second, ratio, "quartiles", "target", ""):
            self.table.add_column(heading, justify="right")

    def add(self, case: str, turns: Turns, target: Target | None = None) -> None:
        low, middle, high = turns.ratio
        self.table.add_row(
            case,
            f"{np.median(turns.first) * 1e3:.1f} ms",
            f"{np.median(turns.second) * 1e3:.1f} ms",
            f"{middle:.2f}",
            f"{low:.2f}-{high:.2f}",
            str(target) if target else "",
            target.judge(middle) if target else "",
        )

    def skip(self, case: str, reason: str) -> None:
        self.table.add_row(f"{case}: [yellow]skipped, {reason}[/]")

    def show(self) -> None:
        Console(width=120).print(self.table)


def peak_memory() -> float:
    """Return the most memory that this process has had, in MB."""
    # Linux hands `ru_maxrss` on from the process that started this one.
    status = Path("/proc/self/status")
    if status.exists():
        [line] = [row for row in status.read_text().splitlines() if row.startswith("VmHWM")]
        return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE


def peak_memory_of(module: str, *arguments: str) -> float:
    """Run a module that prints `peak_memory` on its last line, in a process of its own."""
    run = subprocess.run(
        [sys.executable, "-m", module, *arguments], capture_output=True, text=True, check=True
    )
    return float(run.stdout.split()[-1])
