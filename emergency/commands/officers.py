"""The made-up people at the two desks: on autopilot they put forward, sign, pass on, rule, review and close."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

from emergency.clock import SHANGHAI
from emergency.domain.episode import Decision, Episode, Move, Phase, Standing
from emergency.domain.forecast import Bulletin
from emergency.domain.level import Level
from emergency.domain.orders import Status
from emergency.domain.people import Act, Person, Role, may
from emergency.domain.review import Stage
from emergency.services import decisions, dispatch, intake, reviews
from emergency.store import Tx, attachments, desk
from emergency.system import System

READS: Final = timedelta(minutes=6)  # the duty officer before putting a suggestion forward
SIGNS: Final = timedelta(minutes=9)  # the approver before signing
PASSES_ON: Final = timedelta(minutes=10)  # the district between the city's message and its bulletin in the system
RULES: Final = timedelta(minutes=15)
IN_GOOD_TIME: Final = timedelta(minutes=20)  # before a task is due
REVIEWS_AT: Final = time(10, 0)  # Asia/Shanghai, the morning after the release takes effect
HOUR: Final = timedelta(hours=1)
_ANNOUNCED: Final = frozenset({Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.EXTEND, Move.RELEASE, Move.WITHDRAW})


@dataclass(frozen=True)
class Deed:
    """Something one of them will do at a civil time, and the words for it."""

    at: datetime
    words: str
    do: Callable[[], None]


@dataclass(frozen=True)
class Desk:
    """One area's desk in the run: its episode, its decisions, and what else waits there."""

    area: str
    episode: Episode | None
    decisions: tuple[Decision, ...]
    declined: tuple[tuple[UUID, datetime], ...]  # order, when
    stage: Stage | None = None
    stage_at: datetime | None = None

    @property
    def waiting(self) -> Decision | None:
        """The suggestion or proposal that waits for a person."""
        states = (Standing.SUGGESTED, Standing.PROPOSED)
        return next((one for one in reversed(self.decisions) if one.standing in states), None)

    @property
    def closed(self) -> bool:
        """Whether its episode is over and its review signed by two."""
        return self.episode is not None and self.episode.phase is Phase.CLOSED


def seen(tx: Tx, area: str) -> Desk:
    """How the desk of an area stands now."""
    episode = tx.latest_episode(area)
    if episode is None:
        return Desk(area, None, (), ())
    declined = tuple(
        (one.id, one.acknowledged_at or one.issued_at or episode.opened_at)
        for one in tx.orders(episode.id)
        if one.status is Status.DECLINED
    )
    review = tx.review_of(episode.id)
    at = (review.countersigned_at or review.signed_at or review.drafted_at) if review else None
    return Desk(area, episode, tuple(tx.decisions(episode.id)), declined, review.stage if review else None, at)


class Officers:
    """Everybody with a desk: they see what the system shows them, and act by the same use cases as its pages."""

    def __init__(self, system: System, areas: tuple[str, ...]) -> None:
        self._system, self.areas = system, areas
        self._people = [one for one in system.place.people if one.recipient_id is None]
        self._told: dict[str, Mapping[str, Any]] = {}  # area → the last text it had from above

    def heard(self, reached: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Note which desks have had a message from the level above; ``reached``: recipient → its last text."""
        for recipient, area in self._system.place.answers_for.items():
            if area in self.areas and recipient in reached:
                self._told[area] = reached[recipient]

    def deeds(self, desks: Mapping[str, Desk], tx: Tx) -> Iterator[Deed]:
        """What each of them means to do next, and when; nothing is done yet."""
        for area, one in desks.items():
            if one.waiting is not None:
                yield self._decide(one.waiting)
            elif (bulletin := self._to_pass_on(area, desks, tx)) is not None:
                yield bulletin
            for order_id, at in one.declined:
                yield Deed(at + RULES, f"{self._one(area, Act.RULE).name}裁定一件异议", self._rule(area, order_id))
            for task in desk.tasks(tx, area):
                if task.area == area and task.kind in ("upward_report", "appeal"):
                    yield Deed(task.due_at - IN_GOOD_TIME, "值班员完成一项待办", self._done(area, task.id))
            if one.episode is not None and one.episode.phase in (Phase.RELEASED, Phase.WITHDRAWN):
                yield self._review(one, one.episode)

    def _decide(self, decision: Decision) -> Deed:
        moved = f"{decision.move.value} {decision.level.word}"
        if decision.standing is Standing.SUGGESTED:
            officer = self._one(decision.area, Act.PROPOSE, Role.DUTY_OFFICER)
            at = (decision.suggested_at or decision.proposed_at) + READS
            return Deed(at, f"{officer.name}提出：{moved}", self._put_forward(decision, officer))
        approver = self._approver(decision)
        return Deed(decision.proposed_at + SIGNS, f"{approver.name}签发：{moved}", self._sign(decision, approver))

    def _put_forward(self, decision: Decision, officer: Person) -> Callable[[], None]:
        s = self._system

        def do() -> None:
            now = s.clock.now()
            s.store.run(lambda tx: decisions.put_forward(tx, s.rules, decision.id, by=officer, now=now))

        return do

    def _sign(self, decision: Decision, approver: Person) -> Callable[[], None]:
        s = self._system

        def do() -> None:
            content = decision.content_sha
            decisions.sign(s.store, s.rules, decision.id, by=approver, content=content, now=s.clock.now())

        return do

    def _to_pass_on(self, area: str, desks: Mapping[str, Desk], tx: Tx) -> Deed | None:
        """The bulletin of the level above that this desk has had word of and has not entered yet."""
        told, above = self._told.get(area), next((one for one in desks if area.startswith(one + ".")), None)
        if told is None or above is None:
            return None
        for decision in desks[above].decisions:
            announced = decision.standing is Standing.APPROVED and decision.move in _ANNOUNCED
            if not announced or tx.bulletin_known(area, decision.notice.number, _action(decision.move)):
                continue
            at = datetime.fromisoformat(told["at"])
            if decision.decided_at is None or at < decision.decided_at:
                return None  # signed above, but its message has not come yet
            officer = self._one(area, Act.ENTER_BULLETIN, Role.DUTY_OFFICER)
            words = f"{officer.name}录入{decision.notice.number}"
            return Deed(at + PASSES_ON, words, self._enter(area, above, decision, officer, received_at=at))
        return None

    def _enter(
        self, area: str, above: str, decision: Decision, officer: Person, *, received_at: datetime
    ) -> Callable[[], None]:
        s = self._system

        def do() -> None:
            now, notice = s.clock.now(), decision.notice
            scan = scanned(decision)
            kept = attachments.keep(s.settings.data_dir, scan)
            bulletin = Bulletin(
                id=str(uuid4()), area=area, number=notice.number, issuer=notice.issuer, level=decision.level,
                areas_covered=(above,), issued_at=notice.issued_at or now, effective_at=notice.effective_at or now,
                received_at=received_at, expected_end_at=notice.expected_end_at, scan_sha256=kept.sha256,
                action=_action(decision.move), reason=notice.reason,
            )
            file = {"sha256": kept.sha256, "name": "notice.pdf", "content_type": kept.content_type, "size": kept.size}

            def enter(tx: Tx) -> None:
                tx.keep_file(**file, area=area, by=officer.login, at=now)
                intake.enter_bulletin(tx, s.rules, bulletin, by=officer, now=now)

            s.store.run(enter)

        return do

    def _rule(self, area: str, order_id: UUID) -> Callable[[], None]:
        s, officer = self._system, self._one(area, Act.RULE, Role.DUTY_OFFICER)
        because = "核实在制品情况属实，同意本批出罐后再执行；期间加强治理设施运行。"

        def do() -> None:
            now = s.clock.now()
            s.store.run(
                lambda tx: dispatch.rule_on(tx, s.rules, order_id, exempt=True, because=because, by=officer, now=now)
            )

        return do

    def _done(self, area: str, task_id: UUID) -> Callable[[], None]:
        s, officer = self._system, self._one(area, Act.PROPOSE, Role.DUTY_OFFICER)

        def do() -> None:
            now = s.clock.now()
            s.store.run(lambda tx: decisions.task_done(tx, task_id, by=officer, now=now))

        return do

    def _review(self, one: Desk, episode: Episode) -> Deed:
        s, over = self._system, episode.released_at or episode.opened_at
        morning = datetime.combine(over.astimezone(SHANGHAI).date(), REVIEWS_AT, SHANGHAI)
        morning = morning if morning > over else morning + timedelta(days=1)
        officer = self._one(one.area, Act.DRAFT_REVIEW, Role.DUTY_OFFICER)
        reviewer = self._one(one.area, Act.SIGN_REVIEW, Role.REVIEWER)
        approver = max(self._able(one.area, Act.SIGN_REVIEW, Role.APPROVER), key=lambda who: who.rank)
        lessons = "推演小结：个别样例企业未在时限内签收，已逐级告知；建议核对第二联系人。"

        def run(use_case: Callable[[Tx, datetime], object]) -> Callable[[], None]:
            def do() -> None:
                now = s.clock.now()
                s.store.run(lambda tx: use_case(tx, now))

            return do

        if one.stage is None:
            draft = run(lambda tx, now: reviews.draft(tx, episode.id, by=officer, now=now, lessons=lessons))
            return Deed(morning, f"{officer.name}起草后评估", draft)
        after = (one.stage_at or morning) + HOUR
        if one.stage is Stage.DRAFTED:
            sign = run(lambda tx, now: reviews.sign(tx, episode.id, by=reviewer, now=now))
            return Deed(after, f"{reviewer.name}签署后评估", sign)
        countersign = run(lambda tx, now: reviews.countersign(tx, episode.id, by=approver, now=now))
        return Deed(after, f"{approver.name}复核后评估，过程关闭", countersign)

    def _able(self, area: str, act: Act, role: Role | None = None) -> list[Person]:
        return [one for one in self._people if one.area == area and may(one, act, area) and role in (None, one.role)]

    def _one(self, area: str, act: Act, role: Role | None = None) -> Person:
        return self._able(area, act, role)[0]

    def _approver(self, decision: Decision) -> Person:
        """Of those who may sign it, the one of least rank: nobody wakes the mayor for a yellow."""
        able = self._able(decision.area, Act.DECIDE, Role.APPROVER)
        enough = [one for one in able if one.rank >= decision.rank_needed and one.id != decision.proposed_by]
        return min(enough, key=lambda one: one.rank)


def _action(move: Move) -> str:
    return move.value


def scanned(decision: Decision) -> bytes:
    """
    A stand-in for the scan of a paper notice: one PDF page that says it is one.

    In English, because a PDF that writes Chinese must carry a font of several megabytes.
    """
    notice = decision.notice
    until = f"{notice.expected_end_at:%Y-%m-%d %H:%M} UTC" if notice.expected_end_at else "to be announced"
    level = decision.level.word if decision.level is not Level.NONE else "released"
    lines = [
        "REPLAY - stand-in for the scan of a notice", f"Move: {decision.move.value}", f"Level: {level}",
        f"Issued: {notice.issued_at:%Y-%m-%d %H:%M} UTC" if notice.issued_at else "",
        f"In effect from: {notice.effective_at:%Y-%m-%d %H:%M} UTC" if notice.effective_at else "",
        f"Until: {until}", f"Decision: {decision.id}",
    ]
    said = "\n".join(f"({line}) Tj T*" for line in lines)
    page = zlib.compress(f"BT /F1 14 Tf 18 TL 60 760 Td {said} ET".encode("ascii"))
    fonts = b"<< /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >>"
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources %s >>" % fonts,
        b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(page), page),
    ]
    out, places = b"%PDF-1.4\n", []
    for number, one in enumerate(objects, 1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, one)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"trailer << /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, len(out))
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (len(objects) + 1, table, end)
