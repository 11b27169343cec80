"""Use cases: load, decide, save, send; each reads like a paragraph and runs in one transaction opened at the door."""
