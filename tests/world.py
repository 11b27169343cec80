"""World: a city and a district, a clock you can turn, and a phone that remembers."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID, uuid4

from emergency.clock import SHANGHAI, SetClock
from emergency.domain.consultation import Guest
from emergency.domain.episode import Decision, Episode, Move
from emergency.domain.forecast import Bulletin, Cause, Forecast, ForecastDay, Observation
from emergency.domain.level import Level
from emergency.domain.messages import Lane, Message, Outcome, Sent
from emergency.domain.orders import Action, Order, Recipient
from emergency.domain.people import Person
from emergency.plans.advice import load_advice
from emergency.plans.measures import load_measures
from emergency.plans.places import load_place
from emergency.plans.plans import load_plans
from emergency.plans.wording import load_wording
from emergency.plans.workdays import load_workdays
from emergency.services import (
    answering,
    auditing,
    chasing,
    consulting,
    decisions,
    intake,
    nagging,
    post,
    reviews,
    rounds,
    watch,
)
from emergency.services.answering import Answered
from emergency.services.links import Links, link_id
from emergency.services.rules import Rules
from emergency.store import Store

PLAYBOOKS = Path(__file__).resolve().parents[1] / "playbooks"
PASSWORD = "made-up-for-tests"
PLACE = load_place(PLAYBOOKS / "places" / "liuzhou.yaml")
PLANS = load_plans(PLAYBOOKS / "plans")
BOOK = load_measures(PLAYBOOKS / "measures")
ADVICE = load_advice(PLAYBOOKS / "advice")
WORDING = load_wording(PLAYBOOKS / "wording")
CALENDAR = load_workdays(PLAYBOOKS / "workdays.yaml")
CITY, DISTRICT = "450200", "450200.450206"
START = datetime(2015, 2, 8, 17, 5, tzinfo=SHANGHAI).astimezone(UTC)


T = TypeVar("T")


def alone(going: Coroutine[Any, Any, T]) -> T:
    """What comes of it, run on a loop in a thread of its own: a browser's test may have left one running in this."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        return thread.submit(asyncio.run, going).result()


class Phone:
    """A channel that remembers what it was given, and answers as it is told to."""

    def __init__(self, name: str = "sms") -> None:
        self.name, self.connections, self.timeout_s, self.senders, self.rate = name, 16, 1.0, 1, 0.0
        self.providers: tuple[str, ...] = ()
        self.sent: list[Message] = []
        self.fates: list[Outcome] = []  # taken from the front; empty = every message is taken

    async def send(self, message: Message) -> Outcome:
        """Remember it, and say what became of it."""
        if self.fates:
            fate = self.fates.pop(0)
            if not isinstance(fate, Sent):
                return fate
        self.sent.append(message)
        return Sent(f"r-{message.id}")

    async def close(self) -> None:
        """Nothing to let go of."""

    def to(self, number: str) -> list[Message]:
        """What this number has received."""
        return [one for one in self.sent if one.to == number]


class World:
    """Everything a story needs; every verb goes through the product's own use cases."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock, self.wall = SetClock(START), SetClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC))
        self.phone = Phone()
        self.rules = Rules(
            plans=PLANS,
            book=BOOK,
            advice=ADVICE,
            wording=WORDING,
            links=Links(b"a secret for tests only, long enough", "https://liujiang.example"),
            wall=self.wall,
            channels=("sms",),
            places={CITY: "柳州"},
            answers_for=PLACE.answers_for,
            calendar=CALENDAR,
        )
        self._people = {one.login: one for one in PLACE.people}

    @property
    def now(self) -> datetime:
        """The civil hour."""
        return self.clock.now()

    def person(self, login: str) -> Person:
        """One of the made-up people."""
        return self._people[login]

    # --- air

    def forecast(
        self, *aqi: int, feed: str = "bureau", causes: Sequence[Cause] = (), high: Sequence[int | None] = ()
    ) -> list[Decision]:
        """A forecast for tomorrow and the days after arrives and is weighed; the suggestions it leads to."""
        today = self.now.astimezone(SHANGHAI).date()
        days = tuple(
            ForecastDay(
                day=today + timedelta(days=n),
                aqi=value,
                cause=causes[n - 1] if causes else Cause.PM2_5,
                aqi_high=high[n - 1] if high else None,
            )
            for n, value in enumerate(aqi, 1)
        )
        told = Forecast(feed=feed, place="柳州", issued_at=self.now, days=days)
        self.store.run(lambda tx: intake.keep_air(tx, [told], [], now=self.now))
        return intake.weigh_all(self.store, self.rules, now=self.now)

    def observe(self, *aqi: int, until: int = 0) -> None:
        """Measured days up to ``until`` days from today (0 = today), oldest first."""
        today = self.now.astimezone(SHANGHAI).date()
        some = [
            Observation(
                feed="stations",
                place="柳州",
                at=datetime.combine(
                    today + timedelta(days=until - len(aqi) + n), datetime.min.time(), SHANGHAI
                ).astimezone(UTC),
                period="day",
                aqi=value,
            )
            for n, value in enumerate(aqi, 1)
        ]
        self.store.run(lambda tx: intake.keep_air(tx, [], some, now=self.now))

    # --- deciding

    def put_forward(self, decision: Decision, *, by: str = "city-duty", **how: object) -> Decision:
        """The duty officer takes up the suggestion."""
        return self.store.run(
            lambda tx: decisions.put_forward(tx, self.rules, decision.id, by=self.person(by), now=self.now, **how)  # type: ignore[arg-type]  # told by the test
        )

    def sign(self, decision: Decision, *, by: str = "city-approver3") -> Decision:
        """Another person signs."""
        return decisions.sign(
            self.store, self.rules, decision.id, by=self.person(by), content=decision.content_sha, now=self.now
        )

    def decide(self, decision: Decision) -> Decision:
        """Both people of the decision's own desk."""
        desk = "city" if decision.area == CITY else "lj"
        if decision.standing.value == "suggested":
            decision = self.put_forward(decision, by=f"{desk}-duty")
        return self.sign(decision, by=f"{desk}-approver3")

    def bulletin(
        self, level: Level, *, action: str = "activate", number: str = "", by: str = "lj-duty", **how: object
    ) -> Decision | None:
        """The district's desk enters the city's notice."""
        fields: dict[str, object] = {
            "id": str(uuid4()),
            "area": DISTRICT,
            "number": number or f"柳气预警〔2015〕x{uuid4().hex[:4]}号",
            "issuer": "柳州市应急指挥部办公室",
            "level": level,
            "areas_covered": (CITY,),
            "issued_at": self.now,
            "effective_at": self.now + timedelta(hours=7),
            "received_at": self.now,
            "expected_end_at": None,
            "scan_sha256": "0" * 64,
            "action": action,
            "reason": "依据市级预警通知",
            **how,
        }
        told = Bulletin(**fields)  # type: ignore[arg-type]  # told by the test
        return self.store.run(
            lambda tx: intake.enter_bulletin(tx, self.rules, told, by=self.person(by), now=self.now)
        ).decision

    def activated(self, level: Level = Level.YELLOW, *, deliver: bool = True) -> Episode:
        """The district in response on the city's notice, its orders on the phones."""
        decision = self.bulletin(level)
        assert decision is not None
        self.sign(decision, by="lj-approver3")
        if deliver:
            self.deliver()
        return self.episode()

    def released(self) -> Episode:
        """The district released on the city's notice."""
        decision = self.bulletin(Level.NONE, action="release", effective_at=self.now)
        assert decision is not None
        self.sign(decision, by="lj-approver3")
        self.deliver()
        return self.episode()

    def propose(self, move: Move, level: Level, *, area: str = CITY, by: str = "city-duty", **how: object) -> Decision:
        """A person's own proposal."""
        return self.store.run(
            lambda tx: decisions.propose(
                tx,
                self.rules,
                area=area,
                move=move,
                level=level,
                by=self.person(by),
                now=self.now,
                **how,  # type: ignore[arg-type]  # told by the test
            )
        )

    # --- consulting

    def consult(self, *people: str, by: str = "lj-duty", area: str = DISTRICT, about: Decision | None = None) -> UUID:
        """The desk asks these people of ours and an expert from outside; the consultation's id."""
        told = self.store.run(
            lambda tx: consulting.call(
                tx,
                self.rules,
                area=area,
                subject="未来三天静稳，是否建议橙色",
                people=[self.person(one).id for one in people],
                guests=[Guest("张工", "区气象局")],
                by=self.person(by),
                now=self.now,
                decision_id=about.id if about else None,
            )
        )
        return told.id

    def speak(self, consultation: UUID, login: str, level: Level | None, said: str = "") -> None:
        """One of ours says a word."""
        person = self.person(login)
        self.store.run(
            lambda tx: consulting.say(tx, consultation, str(person.id), level=level, said=said, by=person, now=self.now)
        )

    def conclude(self, consultation: UUID, level: Level, *, by: str = "lj-duty") -> None:
        """The desk concludes."""
        self.store.run(
            lambda tx: consulting.conclude(
                tx, consultation, conclusion="静稳加重，按此级别准备", level=level, by=self.person(by), now=self.now
            )
        )

    # --- the post

    def deliver(self) -> int:
        """Drain every lane; how many sends were settled."""

        def drained() -> int:
            return sum(asyncio.run(self._drain(lane)) for lane in Lane)

        with ThreadPoolExecutor(1) as thread:  # a browser test has a loop of its own in this one
            return thread.submit(drained).result()

    async def _drain(self, lane: Lane) -> int:
        return await post.drain(
            self.store, self.phone, lane=lane, links=self.rules.links, clock=self.clock, wall=self.wall, holder="test",
            rules=self.rules,
        )

    def forward(self, *, minutes: float = 0, hours: float = 0, step: float = 10) -> None:
        """Let time pass, with every sweep as beat would wake it."""
        left = minutes + hours * 60
        while left > 0:
            some = min(step, left)
            left -= some
            self.clock.forward(minutes=some)
            self.wall.forward(minutes=some)
            self.sweep()

    def sweep(self) -> None:
        """What beat does: reclaim, climb, lapse, look, audit, send."""
        watch.sweep(self.store, wall=self.wall.now())
        chasing.escalate_overdue(self.store, self.rules, now=self.now)
        watch.alive(self.store, "escalate", wall=self.wall.now())
        nagging.lapse_overdue(self.store, self.rules, now=self.now)
        rounds.go(self.store, self.rules, now=self.now)
        watch.look(self.store, self.rules, now=self.now, wall=self.wall.now())
        auditing.audit(self.store, self.rules, now=self.now, wall=self.wall.now())
        self.deliver()

    # --- recipients

    def begun(self, *orders: Order) -> None:
        """It is the hour at which the last measure of these orders begins."""
        self.clock.turn_to(max([self.now, *(duty.starts_at for one in orders for duty in one.duties)]))

    def answer(
        self,
        order: Order,
        action: Action = Action.ACKNOWLEDGE,
        *,
        by: str = "",
        revision: int | None = None,
        remark: str = "",
    ) -> Answered:
        """A recipient answers from its phone."""
        recipient = self.recipient(order)
        contact = recipient.contacts[0]
        return self.store.run(
            lambda tx: answering.answer(
                tx,
                self.rules,
                order.id,
                revision=revision or order.revision,
                action=action,
                by=by or contact.name,
                contact_id=contact.id,
                via="link",
                remark=remark,
                now=self.now,
            )
        )

    def acknowledge_all(self, some: Iterable[Order]) -> None:
        """Each of them says 收到."""
        for one in some:
            self.answer(one)

    # --- looking

    def episode(self, area: str = DISTRICT) -> Episode:
        """The area's last episode."""
        with self.store.reading() as tx:
            found = tx.latest_episode(area)
        assert found is not None
        return found

    def orders(self, area: str = DISTRICT) -> list[Order]:
        """Every order of the area's last episode."""
        with self.store.reading() as tx:
            return tx.orders(self.episode(area).id)

    def order(self, order_id: UUID) -> Order:
        """One order as it stands."""
        with self.store.reading() as tx:
            return tx.order(order_id)

    def order_of(self, name: str, area: str = DISTRICT) -> Order:
        """The order of the recipient of this name."""
        return next(one for one in self.orders(area) if self.recipient(one).name == name)

    def recipient(self, order: Order) -> Recipient:
        """Who got it."""
        return next(one for one in PLACE.recipients if one.id == order.recipient_id)

    def an_order(self, sector: str = "") -> Order:
        """An order of a sample enterprise, of this sector when one is named."""
        return next(
            one
            for one in self.orders()
            if (r := self.recipient(one)).sample and r.kind.value == "enterprise" and sector in ("", r.sector)
        )

    def token(self, order: Order, contact: int = 0) -> str:
        """The token of the phone link of one contact."""
        return self.rules.links.token(link_id(order.id, self.recipient(order).contacts[contact].id))

    def review(self, area: str = DISTRICT) -> Episode:
        """The review drafted, signed by two, and the episode closed."""
        desk = "city" if area == CITY else "lj"
        episode = self.episode(area)
        self.store.run(
            lambda tx: reviews.draft(
                tx, self.rules, episode.id, by=self.person(f"{desk}-duty"), now=self.now, lessons="下次更早会商。"
            )
        )
        self.store.run(lambda tx: reviews.sign(tx, episode.id, by=self.person(f"{desk}-reviewer"), now=self.now))
        self.store.run(
            lambda tx: reviews.countersign(tx, episode.id, by=self.person(f"{desk}-approver3"), now=self.now)
        )
        return self.episode(area)
