"""How fast the work is done, each figure beside its floor; ``python -m benchmarks`` is the door."""
