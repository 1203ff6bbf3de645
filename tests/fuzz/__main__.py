"""Attack every reader with many spoiled files, within limits of memory and time.

``python -m tests.fuzz N [READER ...]`` reads N spoiled files by each reader (or those named), says
how many were refused and accepted and what was the slowest, and shows one file of each failure.
"""

from __future__ import annotations

import resource
import sys

from tests.fuzz.attack import attack
from tests.fuzz.readers import readers

MEMORY = 6 * 2**30  # bytes of addresses, of which compiled code and libraries take the most


def main(n: int, names: list[str]) -> int:
    """Run, and give 1 if anything failed."""
    known = readers()
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    failed = False
    for name in names or known:
        counts, slowest, failures = attack(name, known[name], n)
        shown = ", ".join(f"{outcome} {count:,}" for outcome, count in sorted(counts.items()))
        print(f"{name}: {shown}; the slowest took {slowest:.2f} s", flush=True)
        for failure, (how, content) in failures.items():
            failed = True
            print(f"  {failure}\n    by {how}: {content[:400]!r}", flush=True)
    return int(failed)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), sys.argv[2:]))
