"""Log lines as JSON: a constant and its fields, with the task at hand bound by context."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_BOUND: ContextVar[dict[str, str]] = ContextVar("bound", default={})  # noqa: B039 - replaced, never changed in place
_PLAIN = frozenset(vars(logging.LogRecord("", 0, "", 0, "", (), None))) | {"message", "asctime", "taskName"}
_SECRET = ("token", "password", "secret", "key", "phone", "signature", "cookie")


class JsonLines(logging.Formatter):
    """One JSON object a line; fields whose names speak of secrets are cut."""

    def format(self, record: logging.LogRecord) -> str:
        """The line for this record."""
        line: dict[str, object] = {
            "at": self.formatTime(record, "%Y-%m-%dT%H:%M:%S%z"),
            "level": record.levelname.lower(),
            "from": record.name,
            "says": record.getMessage(),
            **_BOUND.get(),
        }
        for name, value in vars(record).items():
            if name not in _PLAIN:
                line[name] = "…" if any(word in name.lower() for word in _SECRET) else value
        if record.exc_info:
            line["trace"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def set_up(level: str = "INFO") -> None:
    """Send every logger of this process to standard error as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)


@contextmanager
def bound(**fields: str) -> Iterator[None]:
    """Put these fields on every line written inside the block."""
    token = _BOUND.set({**_BOUND.get(), **fields})
    try:
        yield
    finally:
        _BOUND.reset(token)


def of(name: str) -> logging.Logger:
    """The logger of a module."""
    return logging.getLogger(name)
