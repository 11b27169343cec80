"""
Losing the broker without losing the worker.

When a connection to Redis breaks, kombu closes its channel and, on the way, puts back what was taken and not yet
acknowledged. By then the connection may be gone altogether; kombu 5.7 then raises an AttributeError out of the closing,
which Celery takes for the end of the worker instead of connecting again.
"""

from __future__ import annotations

import logging

from kombu.transport import redis

log = logging.getLogger(__name__)


class Restoring(redis.QoS):
    """
    Puts back what is unacknowledged where there is still a connection to do it over; lets it be where there is none.

    Nothing is lost by letting it be: every task here is a wake-up for rows in the database, beat repeats it within
    seconds, and Redis hands the untaken one out again after the visibility timeout.
    """

    def restore_unacked(self, client: object = None) -> object:
        """Put back what is unacknowledged; what could not be, as kombu wants to hear it (None: nothing left over)."""
        try:
            return super().restore_unacked(client=client)  # type: ignore[no-untyped-call]  # kombu carries no types
        except (AttributeError, OSError, *self.channel.connection_errors) as error:
            held = len(self._delivered)
            log.warning("the broker is gone; %d wake-ups are left to the visibility timeout (%r)", held, error)
            self._delivered.clear()
            return None


def install() -> None:
    """Let every Redis channel of this process restore in this way."""
    redis.Channel.QoS = Restoring
