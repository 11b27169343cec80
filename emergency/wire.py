"""Single questions outward, and the guards of every connection: sizes, times, no private address, errors translated."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import lru_cache
from threading import Lock, Timer
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.util.connection import create_connection

from emergency import clock
from emergency.errors import Misconfigured, Unavailable

MOST_REDIRECTS = 3
LONGEST_RETRY_AFTER = 900.0  # seconds; an absurd Retry-After must not park an order for a week
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_NAT64 = ipaddress.ip_network("64:ff9b::/96")  # RFC 6052: an IPv4 address rides in the last 32 bits
USER_AGENT = "heavy-pollution-emergency/1"


class OutOfBounds(Misconfigured):
    """The address is private, loopback, link-local or otherwise not of the public internet, and is not allowed."""


class NeverLeft(Unavailable):
    """No connection was had: the request certainly did not reach anybody."""


class CutOff(Unavailable):
    """The connection was had and the answer was not: nobody knows whether the request was taken."""


@dataclass(frozen=True)
class Fetched:
    """What a place answered; ``status`` is 200 or 304 (``body`` empty: what you have is still good)."""

    status: int
    body: bytes
    etag: str = ""
    last_modified: str = ""
    content_type: str = ""


def fetch(
    url: str,
    *,
    headers: Mapping[str, str] | None = None,
    timeout: tuple[float, float] = (3.0, 10.0),
    deadline: float = 60.0,
    max_bytes: int = 2_000_000,
    etag: str = "",
    last_modified: str = "",
    allow: frozenset[str] = frozenset(),
) -> Fetched:
    """
    GET a document once; the caller decides when to ask again.

    ``timeout`` is (connect, between two reads) in seconds and ``deadline`` the whole, from the first connection on and
    however slowly the bytes drip; only a name that is long in being resolved can add to it. ``max_bytes`` counts after
    decompression. ``allow`` names the ``host:port`` that may have a private address. A redirect is followed at most
    three times, never from https to http, and our headers (a key may be among them) go to the first origin only.

    :raises Unavailable: no answer, a cut or slow or too large one, or a status that may pass (408, 425, 429, 5xx)
    :raises Misconfigured: the address is wrong or out of bounds, the certificate does not fit, or any other status
    """
    ours = {**(headers or {})}
    if etag:
        ours["If-None-Match"] = etag
    if last_modified:
        ours["If-Modified-Since"] = last_modified
    with _Deadline(deadline) as until, requests.Session() as session:
        session.trust_env = False  # a proxy or .netrc of the machine would go round the address check
        session.headers["User-Agent"] = USER_AGENT
        adapter = _CheckedAdapter(allow, until)
        session.mount("http://", adapter)
        session.mount("https://", adapter)
        for _ in range(MOST_REDIRECTS + 1):
            parts = split(url)
            try:
                with _asked(session, url, parts, ours, timeout) as response:
                    onward = response.headers.get("Location", "") if response.status_code in _REDIRECTS else ""
                    found = None if onward else _taken(response, parts, max_bytes=max_bytes)
            except (CutOff, Misconfigured):  # what was cut shows as any of these, over TLS as a certificate's trouble
                if not until.over:
                    raise
                found = None
            if until.over:  # where no length was named, a cut answer looks whole
                raise CutOff(f"{place(parts)} was still answering when its time was over")
            if found is not None:
                return found
            onward = urljoin(url, onward)
            _bounded_redirect(parts, onward)
            if _origin(parts) != _origin(split(onward)):
                ours = {}
            url = onward
        raise Misconfigured(f"{place(parts)} redirects more than {MOST_REDIRECTS} times")


class _Deadline:
    """
    The end of one question's time: it shuts the question's connections, wherever in the answer they stand.

    A timeout of the socket begins anew with every byte, so one byte a second would hold a worker for ever.
    """

    def __init__(self, seconds: float) -> None:
        self._ends_at = clock.seconds() + seconds
        self._held: list[socket.socket] = []
        self._turn = Lock()
        self._timer = Timer(max(0.0, seconds), self._shut)
        self._timer.daemon = True

    def __enter__(self) -> _Deadline:
        self._timer.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._timer.cancel()
        with self._turn:
            for one in self._held:
                one.close()
            self._held.clear()

    @property
    def over(self) -> bool:
        """Whether the time has run out."""
        return clock.seconds() > self._ends_at

    def watched(self, connection: socket.socket) -> socket.socket:
        """The connection, shut when the time is over; by a descriptor of our own, for TLS takes the other one away."""
        with self._turn:
            self._held.append(connection.dup())
        if self.over:
            self._shut()
        return connection

    def _shut(self) -> None:
        with self._turn:
            for one in self._held:
                with suppress(OSError):  # the other end was first
                    one.shutdown(socket.SHUT_RDWR)


def place(parts: SplitResult) -> str:
    """How an address is named in words and logs: no user, no path, no query, where keys like to ride."""
    host = parts.hostname or "?"
    return f"{parts.scheme}://{f'[{host}]' if ':' in host else host}:{port_of(parts)}"


def checked_addresses(host: str, port: int, allow: frozenset[str]) -> list[str]:
    """
    The addresses of a host, looked up now; connect to these and to no other, or a second look-up may differ.

    :raises OutOfBounds: any of them is not of the public internet and ``host:port`` is not in ``allow``
    :raises NeverLeft: the name cannot be resolved
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):  # a label too long for IDNA is a UnicodeError
        raise NeverLeft(f"the name {host} cannot be resolved") from None
    return _checked(host, port, (str(one[4][0]) for one in found), allow)


def is_public(address: str) -> bool:
    """Whether an address is of the public internet, also when an IPv4 address hides inside an IPv6 one."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inside = ip.ipv4_mapped or ip.sixtofour
        if ip in _NAT64:
            inside = ipaddress.IPv4Address(int(ip) & 0xFFFF_FFFF)
        if inside is not None:
            return is_public(str(inside))
        if ip.teredo is not None:
            return False
    return ip.is_global and not ip.is_multicast and not ip.is_reserved


def _checked(host: str, port: int, addresses: Iterable[str], allow: frozenset[str]) -> list[str]:
    found = list(dict.fromkeys(addresses))
    if f"{host.lower()}:{port}" not in allow and not all(is_public(one) for one in found):
        raise OutOfBounds(f"{host}:{port} is not on the public internet and not among the allowed places")
    return found


def is_literal(host: str) -> bool:
    """Whether a host is an address already, and no name to look up."""
    try:
        ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


@lru_cache(maxsize=64)  # a channel sends thousands of messages to one address
def split(url: str) -> SplitResult:
    """
    An address of the web in its parts.

    :raises Misconfigured: it is none
    """
    try:
        parts = urlsplit(url)
        port_of(parts)
    except ValueError:
        raise Misconfigured("the address is not a URL") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise Misconfigured(f"the address must be http or https with a host, not {parts.scheme or 'nothing'}:")
    return parts


def port_of(parts: SplitResult) -> int:
    """The port an address names, or that of its scheme."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def _origin(parts: SplitResult) -> tuple[str, str, int]:
    return parts.scheme, (parts.hostname or "").lower(), port_of(parts)


def _bounded_redirect(before: SplitResult, onward: str) -> None:
    after = split(onward)
    if before.scheme == "https" and after.scheme == "http":
        raise Misconfigured(f"{place(before)} redirects to an address without encryption")


def _asked(
    session: requests.Session, url: str, parts: SplitResult, headers: Mapping[str, str], timeout: tuple[float, float]
) -> requests.Response:
    """One GET; ``from None`` throughout, because the library's own words carry the whole address, keys and all."""
    try:
        return session.get(url, headers=headers, timeout=timeout, stream=True, allow_redirects=False)
    except requests.exceptions.SSLError:
        raise Misconfigured(f"{place(parts)} shows a certificate that does not fit") from None
    except requests.exceptions.ConnectTimeout:
        raise NeverLeft(f"{place(parts)} gave no connection within {timeout[0]:g} s") from None
    except requests.exceptions.Timeout:
        raise CutOff(f"{place(parts)} did not answer within {timeout[1]:g} s") from None
    except requests.exceptions.ConnectionError as error:
        reason = getattr(error.args[0] if error.args else None, "reason", None)
        if isinstance(reason, urllib3.exceptions.NewConnectionError):
            raise NeverLeft(f"{place(parts)} cannot be reached") from None
        raise CutOff(f"{place(parts)} cut the connection") from None
    except (requests.exceptions.InvalidURL, requests.exceptions.InvalidHeader):
        raise Misconfigured("the address or a header is not well formed") from None
    except requests.exceptions.RequestException as error:
        raise Unavailable(f"{place(parts)} answered something that is not HTTP ({type(error).__name__})") from None


def _taken(response: requests.Response, parts: SplitResult, *, max_bytes: int) -> Fetched:
    status = response.status_code
    if status in (408, 425, 429) or status >= 500:
        raise Unavailable(f"{place(parts)} answered {status}", retry_after=retry_after(response.headers))
    if status not in (200, 304):
        raise Misconfigured(f"{place(parts)} answered {status}: its address or key is wrong")
    body = bytearray()
    try:
        for chunk in response.iter_content(65_536):
            body += chunk
            if len(body) > max_bytes:
                raise Unavailable(f"{place(parts)} answered more than {max_bytes} bytes")
    except requests.exceptions.RequestException as error:
        raise CutOff(f"{place(parts)} was cut in mid-answer ({type(error).__name__})") from None
    if status == 200 and not body and "Content-Length" not in response.headers:
        # http.client takes the end of the connection inside the head for the end of the head
        raise CutOff(f"{place(parts)} was cut before its answer began")
    return Fetched(
        status,
        bytes(body),
        etag=response.headers.get("ETag", ""),
        last_modified=response.headers.get("Last-Modified", ""),
        content_type=response.headers.get("Content-Type", ""),
    )


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds of a Retry-After header (RFC 9110, 10.2.3); a date is counted from the answer's own Date."""
    said = headers.get("Retry-After", "").strip()
    if not said:
        return None
    if re.fullmatch(r"[0-9]{1,9}", said):
        return min(float(said), LONGEST_RETRY_AFTER)
    try:
        wait = (parsedate_to_datetime(said) - parsedate_to_datetime(headers.get("Date", ""))).total_seconds()
    except (ValueError, TypeError):  # no date, or only one of the two with a zone
        return None
    return min(max(wait, 0.0), LONGEST_RETRY_AFTER)


class _CheckedAdapter(HTTPAdapter):
    """Sessions whose every connection goes to an address checked at that very moment."""

    def __init__(self, allow: frozenset[str], until: _Deadline) -> None:
        self._allow, self._until = allow, until
        super().__init__(max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        allow, until = self._allow, self._until

        class Plain(HTTPConnection):
            def _new_conn(self) -> socket.socket:
                return until.watched(_connected(self, allow))

        class Encrypted(HTTPSConnection):
            def _new_conn(self) -> socket.socket:
                return until.watched(_connected(self, allow))

        class PlainPool(HTTPConnectionPool):
            ConnectionCls = Plain

        class EncryptedPool(HTTPSConnectionPool):
            ConnectionCls = Encrypted

        self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": EncryptedPool}


def _connected(connection: HTTPConnection, allow: frozenset[str]) -> socket.socket:
    """A socket to a checked address; the name stays with the connection for Host, SNI and the certificate."""
    host = connection.host.strip("[]")
    failure: OSError | None = None
    for address in checked_addresses(host, connection.port or connection.default_port, allow):
        try:
            return create_connection(
                (address, connection.port), connection.timeout, socket_options=connection.socket_options
            )
        except TimeoutError as error:
            raise urllib3.exceptions.ConnectTimeoutError(connection, "timed out") from error
        except OSError as error:
            failure = error
    raise urllib3.exceptions.NewConnectionError(connection, "no address took the connection") from failure
