"""A made-up district of any size with a warning ready to be signed, in a database of its own."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import create_engine

from emergency import passwords
from emergency.clock import SHANGHAI, WallClock
from emergency.domain.episode import Decision
from emergency.domain.forecast import Forecast, ForecastDay
from emergency.domain.orders import Category, Contact, Recipient, RecipientKind
from emergency.domain.people import Person
from emergency.plans.measures import load_measures
from emergency.plans.places import load_place
from emergency.plans.plans import load_plans
from emergency.plans.wording import load_wording
from emergency.services import decisions, intake
from emergency.services.links import Links
from emergency.services.rules import Rules
from emergency.store import Store, connect, migrating

PLAYBOOKS = Path(__file__).resolve().parents[1] / "playbooks"
CITY = "450200"
SECRET = "a secret for measuring only, long enough"  # noqa: S105 - of a made-up city that lives for minutes
PUBLIC_URL = "https://liujiang.example"
NOW = datetime(2026, 1, 9, 17, 5, tzinfo=SHANGHAI).astimezone(UTC)
_NAMESPACE = UUID("6a2e6c55-7d0d-4b0a-9a52-4f2f0a4d7c11")
SECTORS = ("cement_grinding", "brick_kiln", "concrete_mixing", "industrial_coating", "furniture_panels", "printing")


@dataclass(frozen=True)
class Ready:
    """A store with ``size`` recipients and an orange warning that waits for its signature."""

    url: str
    store: Store
    rules: Rules
    decision: Decision
    approver: Person
    now: datetime = NOW


@contextmanager
def databases(name: str) -> Iterator[str]:
    """The URL of an empty database: PostgreSQL where EMERGENCY_TEST_DATABASE_URL is set, else a SQLite file."""
    given = os.environ.get("EMERGENCY_TEST_DATABASE_URL", "").replace("postgresql://", "postgresql+psycopg://", 1)
    if not given or name.endswith("sqlite"):
        with tempfile.TemporaryDirectory(prefix="emergency-bench-") as folder:
            yield f"sqlite:///{folder}/bench.db"
        return
    called = f"emergency_bench_{name}"
    engine = create_engine(given, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{called}" WITH (FORCE)')
        connection.exec_driver_sql(f'CREATE DATABASE "{called}"')
    try:
        yield f"{given.rsplit('/', 1)[0]}/{called}"
    finally:
        with engine.connect() as connection:
            connection.exec_driver_sql(f'DROP DATABASE IF EXISTS "{called}" WITH (FORCE)')
        engine.dispose()


@contextmanager
def ready(url: str, size: int) -> Iterator[Ready]:
    """The city with ``size`` made-up enterprises directly below it and a proposal that only wants its signature."""
    migrating.upgrade(url)
    store = connect(url)
    place = load_place(PLAYBOOKS / "places" / "liuzhou.yaml")
    rules = Rules(
        plans=load_plans(PLAYBOOKS / "plans"),
        book=load_measures(PLAYBOOKS / "measures"),
        wording=load_wording(PLAYBOOKS / "wording"),
        links=Links(SECRET.encode(), PUBLIC_URL),
        wall=WallClock(),
        channels=("sms",),
        places={CITY: "柳州"},
    )
    kept = passwords.hashed("made-up-for-measuring", quick=True)
    with store.transactions() as tx:
        tx.set_areas(replace(one, plan_id=one.plan_id if one.id == CITY else None) for one in place.areas)
        tx.set_recipients([_enterprise(number) for number in range(size)])
        tx.set_people((one, kept) for one in place.people)
    people = {one.login: one for one in place.people}
    today = NOW.astimezone(SHANGHAI).date()
    days = tuple(ForecastDay(day=today + timedelta(days=n), aqi=aqi) for n, aqi in enumerate((230, 240, 190), 1))
    told = Forecast(feed="made-up", place="柳州", issued_at=NOW, days=days)
    store.run(lambda tx: intake.keep_air(tx, [told], [], now=NOW))
    found = intake.weigh_all(store, rules, now=NOW)[0]
    waiting = store.run(lambda tx: decisions.put_forward(tx, rules, found.id, by=people["city-duty"], now=NOW))
    with store.transactions() as tx:  # what the proposal itself put in the post is not what is measured
        tx.outbox.cancel_for_decision(waiting.id)
    try:
        yield Ready(url, store, rules, waiting, people["city-approver3"])
    finally:
        store.dispose()


def _enterprise(number: int) -> Recipient:
    name = f"示例企业{number:06d}"
    return Recipient(
        id=uuid5(_NAMESPACE, name),
        area=CITY,
        kind=RecipientKind.ENTERPRISE,
        name=name,
        sector=SECTORS[number % len(SECTORS)],
        category=Category.LISTED,
        sample=True,
        contacts=(
            Contact(id=uuid5(_NAMESPACE, f"{name}:1"), name="示例", role="厂长", phone=f"1390000{number:06d}"[:13]),
        ),
    )
