"""How often a second some work is done, told so that the machine's neighbours matter least."""

from __future__ import annotations

from collections.abc import Callable
from time import process_time

ROUNDS = 5  # the best of them counts: on a shared machine the others measure the neighbours


def rate(count: int, work: Callable[[], object]) -> float:
    """So many a second of this process's own time, which neighbours lengthen less; the best of some rounds."""
    took = []
    for _ in range(ROUNDS):
        start = process_time()
        work()
        took.append(process_time() - start)
    return count / min(took)
