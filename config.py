"""What the environment says about this installation, read once and then never again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from emergency.errors import Misconfigured

HERE: Final = Path(__file__).resolve().parent
DEVELOPMENT_SECRET: Final = "for-development-only-never-in-production"  # noqa: S105 - public on purpose; production refuses it
LEAST_SECRET: Final = 32  # characters; os.urandom(16).hex() is that long
LEAST_LEASE: Final = 2.0  # seconds; below it a send that is merely slow would count as a dead sender's
LEAST_SWEEP: Final = 0.2  # seconds; below it the sweeps would be all the machine does
ORDERS: Final = "orders"  # the scope of keys that are tied to recipients

Group = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Settings:
    """
    One installation's settings; what may speak of secrets is kept out of its repr.

    ``feeds`` and ``channels``: name → field → value, gathered from FEED_<NAME>_<FIELD> and CHANNEL_<NAME>_<FIELD>, all
    names in lower case; ``api_keys`` likewise from API_<NAME>_KEY, API_<NAME>_SCOPES (what a machine may do) and
    API_<NAME>_RECIPIENT (whose orders it may pull and answer).
    ``trusted_proxies``: how many proxies of our own stand before the pages, so that their word on the caller counts.
    ``broker_url`` empty = no broker known: the database and beat stay the truth and nothing is woken early.
    ``wire_allow``: host:port of private addresses that calls out may reach. ``clock_file``: a civil clock shared by the
    processes of a replay. ``lease_seconds``: after how long a sender that says nothing counts as dead.
    ``doubt_seconds``: after how long a message of unknown fate, whose provider cannot be asked, is left to a person.
    ``probe_seconds``: how often each channel with a probe address is proved. ``crash_file``: where a crash test names
    the step to die at. ``drill``: the replay whose air, label and people are used.
    """

    database_url: str = field(repr=False)
    data_dir: Path
    broker_url: str = field(default="", repr=False)
    secret_key: str = field(default=DEVELOPMENT_SECRET, repr=False)
    public_url: str = "http://127.0.0.1:8000"
    timezone: str = "Asia/Shanghai"
    feeds: Group = field(default_factory=dict, repr=False)
    channels: Group = field(default_factory=dict, repr=False)
    api_keys: Group = field(default_factory=dict, repr=False)
    trusted_proxies: int = 0
    wire_allow: frozenset[str] = frozenset()
    clock_file: Path | None = None
    sweep_seconds: float = 5.0
    lease_seconds: float = 30.0
    probe_seconds: float = 180.0
    doubt_seconds: float = 1800.0
    crash_file: Path | None = None
    playbooks: Path = HERE / "playbooks"
    production: bool = False
    drill: str = ""

    @property
    def lease(self) -> timedelta:
        """How long a sender may hold what it has claimed."""
        return timedelta(seconds=self.lease_seconds)

    def scopes(self, machine: str) -> tuple[str, ...]:
        """What the machine with this key may do."""
        return _listed(self.api_keys[machine].get("scopes", ""))

    def tied(self, machine: str) -> tuple[str, ...]:
        """The ids and credit codes of the recipients whose orders this machine may pull and answer."""
        return _listed(self.api_keys[machine].get("recipient", ""))

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> Settings:
        """
        The settings an environment describes; an empty variable counts as unset.

        :raises Misconfigured: a value cannot be what it says, or production would start on a default secret, a turned
            clock or made-up people
        """

        def say(name: str, otherwise: str = "") -> str:
            return environ.get(f"EMERGENCY_{name}", "").strip() or otherwise

        data_dir = Path(say("DATA_DIR", str(HERE / "var"))).expanduser().absolute()
        clock_file = say("CLOCK_FILE")
        settings = cls(
            database_url=_database(say("DATABASE_URL", f"sqlite:///{data_dir / 'emergency.db'}")),
            data_dir=data_dir,
            broker_url=say("BROKER_URL"),
            secret_key=say("SECRET_KEY", DEVELOPMENT_SECRET),
            public_url=_address("EMERGENCY_PUBLIC_URL", say("PUBLIC_URL", "http://127.0.0.1:8000")),
            timezone=_zone(say("TIMEZONE", "Asia/Shanghai")),
            feeds=_gathered(environ, "FEED_"),
            channels=_gathered(environ, "CHANNEL_"),
            api_keys=_keys(_gathered(environ, "API_")),
            trusted_proxies=_count("EMERGENCY_TRUSTED_PROXIES", say("TRUSTED_PROXIES", "0")),
            wire_allow=frozenset(_places(say("WIRE_ALLOW"))),
            clock_file=Path(clock_file).absolute() if clock_file else None,
            sweep_seconds=_seconds("EMERGENCY_SWEEP_SECONDS", say("SWEEP_SECONDS", "5")),
            lease_seconds=_seconds("EMERGENCY_LEASE_SECONDS", say("LEASE_SECONDS", "30"), least=LEAST_LEASE, most=300),
            probe_seconds=_seconds("EMERGENCY_PROBE_SECONDS", say("PROBE_SECONDS", "180"), least=10, most=3600),
            doubt_seconds=_seconds("EMERGENCY_DOUBT_SECONDS", say("DOUBT_SECONDS", "1800"), least=600, most=86_400),
            crash_file=Path(say("CRASH_FILE")) if say("CRASH_FILE") else None,
            playbooks=Path(say("PLAYBOOKS", str(HERE / "playbooks"))).absolute(),
            production=_kind(say("ENV", "development")),
            drill=say("DRILL"),
        )
        if settings.production:
            _fit_for_production(settings)
        return settings


def _fit_for_production(settings: Settings) -> None:
    if settings.secret_key == DEVELOPMENT_SECRET or len(settings.secret_key) < LEAST_SECRET:
        raise Misconfigured(f"EMERGENCY_SECRET_KEY: production needs its own, of at least {LEAST_SECRET} characters")
    if settings.clock_file is not None:
        raise Misconfigured("EMERGENCY_CLOCK_FILE: production runs on the machine's own time")
    if settings.crash_file is not None:
        raise Misconfigured("EMERGENCY_CRASH_FILE: production does not die on demand")
    for name, one in settings.api_keys.items():
        if "recipient" in one and len(one["key"]) < LEAST_SECRET:  # it answers for an enterprise
            raise Misconfigured(f"API_{name.upper()}_KEY: production wants at least {LEAST_SECRET} characters")
    if settings.drill:
        raise Misconfigured("EMERGENCY_DRILL: a replay and its made-up people never run in production")


def _kind(said: str) -> bool:
    if said not in ("development", "production"):
        raise Misconfigured(f"EMERGENCY_ENV: 'development' or 'production', not {said!r}")
    return said == "production"


def _database(said: str) -> str:
    for old in ("postgres://", "postgresql://"):  # SQLAlchemy would look for psycopg2 under these
        if said.startswith(old):
            return "postgresql+psycopg://" + said.removeprefix(old)
    if not said.startswith(("sqlite:///", "postgresql+psycopg://")):
        raise Misconfigured("EMERGENCY_DATABASE_URL: sqlite:///… or postgresql://… is wanted")
    return said


def _address(name: str, said: str) -> str:
    parts = urlsplit(said)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise Misconfigured(f"{name}: {said!r} is not an http(s) address")
    return said.rstrip("/")


def _zone(said: str) -> str:
    try:
        ZoneInfo(said)
    except (ZoneInfoNotFoundError, ValueError):
        raise Misconfigured(f"EMERGENCY_TIMEZONE: {said!r} is no time zone") from None
    return said


def _seconds(name: str, said: str, *, least: float = LEAST_SWEEP, most: float = 60) -> float:
    try:
        seconds = float(said)
    except ValueError:
        raise Misconfigured(f"{name}: {said!r} is not a number of seconds") from None
    if not least <= seconds <= most:
        raise Misconfigured(f"{name}: between {least:g} and {most:g} seconds, not {said}")
    return seconds


def _count(name: str, said: str) -> int:
    if not said.isdecimal() or int(said) > 5:
        raise Misconfigured(f"{name}: a whole number from 0 to 5, not {said!r}")
    return int(said)


def _places(said: str) -> Iterable[str]:
    for one in filter(None, (part.strip() for part in said.split(","))):
        host, _, port = one.rpartition(":")
        if not host or not port.isdigit():
            raise Misconfigured(f"EMERGENCY_WIRE_ALLOW: {one!r} is not host:port")
        yield one


def _keys(keys: Group) -> Group:
    """The machines' keys: each is one machine's, and one that is tied to recipients reaches their orders alone."""
    seen: dict[str, str] = {}
    for name, one in keys.items():
        called, scopes = f"API_{name.upper()}", _listed(one.get("scopes", ""))
        if (other := seen.setdefault(one.get("key", called), called)) != called:
            raise Misconfigured(f"{called}_KEY: the same as {other}_KEY; nobody could say which machine it was")
        if (ORDERS in scopes or "recipient" in one) and not (
            scopes == (ORDERS,) and _listed(one.get("recipient", "")) and one.get("key")
        ):
            raise Misconfigured(
                f"{called}: the scope '{ORDERS}' stands alone, with _KEY and with _RECIPIENT (ids or credit codes)"
            )
    return keys


def _listed(said: str) -> tuple[str, ...]:
    """The parts of a list with commas, without blanks."""
    return tuple(part for one in said.split(",") if (part := one.strip()))


def _gathered(environ: Mapping[str, str], prefix: str) -> Group:
    """FEED_MY_CITY_URL=x → {"my_city": {"url": "x"}}; the field is what follows the last underscore."""
    found: dict[str, dict[str, str]] = {}
    for variable in sorted(environ):
        name, _, what = variable.removeprefix(prefix).rpartition("_")
        if variable.startswith(prefix) and name and what and environ[variable].strip():
            found.setdefault(name.lower(), {})[what.lower()] = environ[variable].strip()
    return found
