"""Spoil files and read them: only errors of the package may come out, and nothing wrong go in."""

from __future__ import annotations

import os
import signal
import traceback
import warnings
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any, NamedTuple

from seqbio.errors import SeqbioError, SeqbioWarning
from tests.fuzz.readers import Reader

LONGEST = 20  # seconds for one file


class TooLate(BaseException):
    """Reading took too long."""


class Report(NamedTuple):
    """How many files were refused and accepted, the slowest, and what went wrong, by kind."""

    counts: Counter[str]
    slowest: float
    failures: dict[str, tuple[str, bytes]]


def attack(name: str, reader: Reader, n: int, seed: int = 0, first: int = 0) -> Report:
    """Let a reader read n spoiled files; each depends on the name, seed and number alone."""
    counts: Counter[str] = Counter()
    failures: dict[str, tuple[str, bytes]] = {}
    slowest = 0.0
    with TemporaryDirectory() as place, working_in(place):
        file = Path(place) / "spoiled"
        right = []
        for content in reader.contents:
            file.write_bytes(content)
            right.append(reader.read(file))
        for number in range(first, first + n):
            chance = Random(zlib.crc32(f"{name} {seed} {number}".encode()))
            which = chance.randrange(len(reader.contents))
            way = chance.choice(reader.ways)
            content = way(reader.contents[which], chance)
            file.write_bytes(content)
            begin = perf_counter()
            outcome, failure = judged(reader, file, content, right[which])
            slowest = max(slowest, perf_counter() - begin)
            counts[outcome] += 1
            if failure:
                failures.setdefault(failure, (f"{way.__name__}, number {number}", content))
    return Report(counts, slowest, failures)


def judged(reader: Reader, file: Path, content: bytes, before: Any) -> tuple[str, str]:
    """Read a file; give what came of it, and what is wrong with that."""
    try:
        with time_limit(), warnings.catch_warnings():
            warnings.simplefilter("error")
            warnings.simplefilter("ignore", SeqbioWarning)
            found = reader.read(file)
            complaint = reader.complaint(content, found, before)
    except SeqbioError:
        return "refused", ""
    except TooLate:
        return "failed", f"not read in {LONGEST} s"
    except Exception as error:  # noqa: BLE001 (that none comes out is what is tried)
        calls = list(traceback.extract_tb(error.__traceback__))
        own = [call for call in calls if f"{os.sep}seqbio{os.sep}" in call.filename] or calls
        where = f"{Path(own[-1].filename).name}, line {own[-1].lineno}"
        return "failed", f"{type(error).__name__} at {where}: {str(error)[:150]}"
    return ("accepted", "") if not complaint else ("failed", f"accepted: {complaint[:600]}")


@contextmanager
def working_in(place: str) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(place)
    try:
        yield
    finally:
        os.chdir(before)


@contextmanager
def time_limit() -> Iterator[None]:
    def stop(*_: object) -> None:
        raise TooLate

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(LONGEST)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
