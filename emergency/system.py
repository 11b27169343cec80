"""The one place where the parts meet: settings in, a whole system out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date

from config import Settings
from emergency import passwords, steps
from emergency.broker import Broker
from emergency.channels import Channel
from emergency.channels import build as build_channels
from emergency.channels.portal import Portal
from emergency.channels.wall import Wall
from emergency.clock import Clock, SharedClock, WallClock
from emergency.domain.air import as_written, standard_for
from emergency.domain.causes import Figure, figure
from emergency.domain.exercise import WALL
from emergency.domain.messages import PORTAL, Lane, least_lease
from emergency.errors import Misconfigured, Unavailable
from emergency.feeds import Feed
from emergency.feeds import build as build_feeds
from emergency.feeds.table import bands_of
from emergency.papers import Ground
from emergency.plans.advice import load_advice
from emergency.plans.authority import overreaching
from emergency.plans.drills import Drill, load_drill
from emergency.plans.listing import ListWords, load_list_words
from emergency.plans.measures import load_measures, load_sectors
from emergency.plans.places import Place, load_place
from emergency.plans.plans import load_plans
from emergency.plans.reading import Unreadable
from emergency.plans.standards import load_standards
from emergency.plans.wording import load_wording
from emergency.plans.workdays import load_workdays
from emergency.services.links import Links
from emergency.services.rules import Rules
from emergency.store import Store, connect, migrating

PLACE = "liuzhou"  # the place file of the first home; another city brings its own


@dataclass(frozen=True)
class System:
    """Everything a door needs; built once for each process."""

    settings: Settings
    store: Store
    clock: Clock  # civil: duties, deadlines, ladder
    wall: Clock  # the machine's: leases, retries, breakers
    rules: Rules
    feeds: Mapping[str, Feed]
    channels: Mapping[str, Channel]
    broker: Broker
    place: Place
    drill: Drill | None = None

    def wake_drains(self) -> None:
        """
        Say «look now» once for each sender of each lane that has something to send, however much it is; losing it costs
        seconds, never a message.
        """
        steps.at("before_wake")
        try:
            with self.store.reading() as tx:
                waiting = tx.outbox.waiting(now=self.wall.now())
        except Unavailable:  # what was done is done; the next sweep wakes them
            return
        for name, lane in waiting:
            for _ in range(self.channels[name].senders if name in self.channels else 0):
                self.broker.wake("drain", channel=name, lane=Lane(lane).word)


def build(settings: Settings) -> System:
    """
    Put the system together.

    :raises Misconfigured: a file under playbooks/ or a setting is wrong; file and line are named
    """
    books = settings.playbooks
    wall = WallClock()
    clock: Clock = SharedClock(settings.clock_file) if settings.clock_file else wall
    drill = load_drill(books / "drills" / f"{settings.drill}.yaml") if settings.drill else None
    place = load_place(books / "places" / f"{PLACE}.yaml")
    channels = build_channels(settings.channels, settings.wire_allow, wall=wall)
    _leased_long_enough(settings, channels)
    city = min(place.areas, key=lambda one: len(one.id))
    feeds = build_feeds(
        settings.feeds,
        settings.wire_allow,
        place=_air_place(city.name),
        index=_daily_index(settings),
        air=books / "air",
        categories=bands_of(load_standards(books / "standards")),
    )
    rules = Rules(
        plans=load_plans(books / "plans"),
        book=load_measures(books / "measures"),
        advice=load_advice(books / "advice"),
        wording=load_wording(books / "wording"),
        links=Links(settings.secret_key.encode(), settings.public_url),
        wall=wall,
        channels=(*(tuple(channels) or ("sms",)), PORTAL),
        label="推演" if drill else "",
        origin=drill.legend if drill else "",
        places={city.id: _air_place(city.name)},
        answers_for=place.answers_for,
        calendar=load_workdays(books / "workdays.yaml"),
        standards=tuple(load_standards(books / "standards")),
        forecast_by=place.forecast_by,
        measured_within=place.measured_within,
    )
    tried = {one for some in place.shadow.values() for one in some}
    if unknown := sorted((tried | {one.plan_id for one in place.areas if one.plan_id}) - set(rules.plans)):
        raise Misconfigured(f"{books / 'places' / PLACE}.yaml: no plan is called {', '.join(unknown)}")
    list_words(settings)
    if found := list(overreaching(rules.plans, books / "plans", place.areas)):
        raise Unreadable(found)
    return System(
        settings=settings,
        store=connect(settings.database_url, lease=settings.lease),
        clock=clock,
        wall=wall,
        rules=rules,
        feeds=feeds,
        channels={**channels, PORTAL: Portal(), WALL: Wall()},
        broker=Broker(settings.broker_url),
        place=place,
        drill=drill,
    )


def _leased_long_enough(settings: Settings, channels: Mapping[str, Channel]) -> None:
    for name, channel in sorted(channels.items()):
        if (least := least_lease(channel.timeout_s)) > settings.lease_seconds:
            raise Misconfigured(
                f"EMERGENCY_LEASE_SECONDS: {settings.lease_seconds:g} is too short for CHANNEL_{name.upper()}_TIMEOUT "
                f"{channel.timeout_s:g}, nothing would ever leave: at least {least:g}"
            )


def list_words(settings: Settings) -> ListWords:
    """
    The words and figures a reduction list is read by.

    :raises Misconfigured: the file is wrong
    """
    return load_list_words(settings.playbooks / "listing.yaml")


def papers_ground(system: System, *, lang: str = "zh") -> Ground:
    """What the papers of this installation are made with, in Chinese or English."""
    books = system.settings.playbooks
    return Ground(
        sectors={key: (one.name, one.name_en) for key, one in load_sectors(books / "measures").items()},
        schemes={one.id: one.name for one in list_words(system.settings).schemes},
        complaints=system.place.complaints,
        label=system.rules.label,
        origin=system.rules.origin,
        lang=lang,
    )


def migrate(settings: Settings) -> str:
    """Bring the database to the newest migration; its name."""
    if settings.database_url.startswith("sqlite:///"):
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    return migrating.upgrade(settings.database_url)


def seed(system: System, *, password: str, quick: bool = False) -> None:
    """Put the place in its tables: areas, recipients, people who sign in with this password; a repeat is harmless."""
    kept = passwords.hashed(password, quick=quick)
    with system.store.transactions() as tx:
        tx.set_areas(system.place.areas)
        tx.set_recipients(system.place.recipients)
        tx.set_people((one, kept) for one in system.place.people)


def _air_place(name: str) -> str:
    """The name feeds know a city by: 柳州 for 柳州市."""
    return name.removesuffix("市")


def _daily_index(settings: Settings) -> Callable[[date, Mapping[str, float]], Figure]:
    standards = load_standards(settings.playbooks / "standards")

    def found(day: date, values: Mapping[str, float]) -> Figure:
        return figure(standard_for(day, standards), {name: as_written(value) for name, value in values.items()})

    return found
