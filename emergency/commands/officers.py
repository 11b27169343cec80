"""The made-up people at the two desks: on autopilot they put forward, sign, pass on, rule, review and close."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any, Final
from uuid import UUID

from emergency.clock import SHANGHAI
from emergency.commands.visitor import Visitor
from emergency.domain.episode import Decision, Episode, Move, Phase, Standing
from emergency.domain.level import Level
from emergency.domain.orders import Status
from emergency.domain.people import Act, Person, Role, may
from emergency.domain.review import Stage
from emergency.store import Tx, consulting, desk, portal
from emergency.system import System

READS: Final = timedelta(minutes=6)  # the duty officer before putting a suggestion forward
TALKS: Final = timedelta(minutes=1)  # between the steps of a consultation; all of them before it is put forward
FORECASTERS, FORECASTER = "市气象台（样例）", "预报员（样例）"
SIGNS: Final = timedelta(minutes=9)  # the approver before signing
PASSES_ON: Final = timedelta(minutes=10)  # the district between the city's message and its bulletin in the system
RULES: Final = timedelta(minutes=15)
IN_GOOD_TIME: Final = timedelta(minutes=20)  # before a task is due
REVIEWS_AT: Final = time(10, 0)  # Asia/Shanghai, the morning after the release takes effect
HOUR: Final = timedelta(hours=1)
_ANNOUNCED_AS: Final[Mapping[Move, str]] = {
    Move.ACTIVATE: "activate", Move.UPGRADE: "upgrade", Move.DOWNGRADE: "downgrade", Move.EXTEND: "extend",
    Move.AMEND: "amend", Move.RELEASE: "release", Move.WITHDRAW: "withdraw",
    Move.REOPEN: "activate",  # for the desk below it is the same: a level holds that did not hold
}  # fmt: skip


def announced_as(move: Move) -> str | None:
    """What a signed move is called in the bulletin the desks below get; None for what concerns nobody below."""
    return _ANNOUNCED_AS.get(move)


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
    declined: tuple[tuple[UUID, datetime], ...] = ()
    if portal.orders_by_status(tx, episode.id).get(Status.DECLINED.value):
        declined = tuple(
            (one.id, one.acknowledged_at or one.issued_at or episode.opened_at)
            for one in tx.orders(episode.id)
            if one.status is Status.DECLINED
        )
    review = tx.review_of(episode.id)
    at = (review.countersigned_at or review.signed_at or review.drafted_at) if review else None
    return Desk(area, episode, tuple(tx.decisions(episode.id)), declined, review.stage if review else None, at)


class Officers:
    """Everybody with a desk: they sign in to the pages, read, and press the same buttons as anybody."""

    def __init__(self, system: System, areas: tuple[str, ...], *, password: str) -> None:
        self._system, self.areas = system, areas
        self._pages, self._password = system.settings.public_url, password
        self._visitors: dict[str, Visitor] = {}
        self._people = [one for one in system.place.people if one.recipient_id is None]
        self._told: dict[str, Mapping[str, Any]] = {}  # area → the last text it had from above

    def heard(self, reached: Mapping[UUID, Mapping[str, Any]]) -> None:
        """Note which desks have had a message from the level above; ``reached``: recipient → its last text."""
        for recipient, area in self._system.place.answers_for.items():
            if area in self.areas and recipient in reached:
                self._told[area] = reached[recipient]

    def leave(self) -> None:
        """Go home."""
        for who in self._visitors.values():
            who.leave()

    def deeds(self, desks: Mapping[str, Desk], tx: Tx) -> Iterator[Deed]:
        """What each of them means to do next, and when; nothing is done yet."""
        for area, one in desks.items():
            if one.waiting is not None:
                yield self._consult(one.waiting, tx) or self._decide(one.waiting)
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
        moved, page = f"{decision.move.value} {decision.level.word}", f"/console/decisions/{decision.id}"
        if decision.standing is Standing.SUGGESTED:
            officer = self._one(decision.area, Act.PROPOSE, Role.DUTY_OFFICER)
            at = (decision.suggested_at or decision.proposed_at) + READS
            return Deed(at, f"{officer.name}提出：{moved}", self._press(officer, page, f"{page}/put-forward"))
        approver = self._approver(decision)
        at = decision.proposed_at + SIGNS
        return Deed(at, f"{approver.name}签发：{moved}", self._press(approver, page, f"{page}/sign"))

    def _consult(self, decision: Decision, tx: Tx) -> Deed | None:
        """Before orange or red is put forward they talk: commander and forecaster are asked, the officer concludes."""
        since = decision.suggested_at
        if decision.standing is not Standing.SUGGESTED or decision.level < Level.ORANGE or since is None:
            return None
        officer = self._one(decision.area, Act.CONSULT, Role.DUTY_OFFICER)
        asked = max(self._able(decision.area, Act.CONSULT, Role.APPROVER), key=lambda who: who.rank)
        told = next(iter(consulting.of_decision(tx, decision.id)), None)
        if told is None:
            do = self._press(
                officer, f"/console/consultations/new?decision={decision.id}", "/console/consultations/new",
                {"person": str(asked.id), "guest_unit": FORECASTERS, "guest_name": FORECASTER},
            )  # fmt: skip
            return Deed(since + TALKS, f"{officer.name}召集会商", do)
        page, level = f"/console/consultations/{told.id}", decision.level.word
        silent = {one.key: one for one in told.silent}
        if str(asked.id) in silent:
            word = {"level": level, "said": "同意按规则结论准备，重点盯夜间。"}
            return Deed(since + 2 * TALKS, f"{asked.name}会商发言", self._press(asked, page, f"{page}/voice", word))
        if silent:
            word = {"key": next(iter(silent)), "level": level, "said": "静稳维持，扩散条件短期不会好转。"}
            return Deed(since + 3 * TALKS, f"{officer.name}代录意见", self._press(officer, page, f"{page}/voice", word))
        if told.concluded_at is None:
            said = {"outcome": level, "conclusion": "意见一致，按规则结论提出。"}
            do = self._press(officer, page, f"{page}/conclusion", said)
            return Deed(since + 4 * TALKS, f"{officer.name}记录结论", do)
        return None

    def _to_pass_on(self, area: str, desks: Mapping[str, Desk], tx: Tx) -> Deed | None:
        """The bulletin of the level above that this desk has had word of and has not entered yet."""
        told, above = self._told.get(area), next((one for one in desks if area.startswith(one + ".")), None)
        if told is None or above is None:
            return None
        for decision in desks[above].decisions:
            action = announced_as(decision.move) if decision.standing is Standing.APPROVED else None
            if action is None or tx.bulletin_known(area, decision.notice.number, action):
                continue
            at = datetime.fromisoformat(told["at"])
            if decision.decided_at is None or at < decision.decided_at:
                return None  # signed above, but its message has not come yet
            officer = self._one(area, Act.ENTER_BULLETIN, Role.DUTY_OFFICER)
            do = self._press(
                officer, f"/console/bulletins/new?area={area}", "/console/bulletins/new",
                _bulletin(decision, above, received_at=at), scan=("notice.pdf", scanned(decision)),
            )
            return Deed(at + PASSES_ON, f"{officer.name}录入{decision.notice.number}", do)
        return None

    def _rule(self, area: str, order_id: UUID) -> Callable[[], None]:
        officer, page = self._one(area, Act.RULE, Role.DUTY_OFFICER), f"/console/orders/{order_id}"
        because = "核实在制品情况属实，同意本批出罐后再执行；期间加强治理设施运行。"
        return self._press(officer, page, f"{page}/ruling", {"ruling": "exempt", "because": because})

    def _done(self, area: str, task_id: UUID) -> Callable[[], None]:
        officer = self._one(area, Act.PROPOSE, Role.DUTY_OFFICER)
        return self._press(officer, f"/console/tasks?area={area}", f"/console/tasks/{task_id}/done")

    def _review(self, one: Desk, episode: Episode) -> Deed:
        over, page = episode.released_at or episode.opened_at, f"/review/{episode.id}"
        morning = datetime.combine(over.astimezone(SHANGHAI).date(), REVIEWS_AT, SHANGHAI)
        morning = morning if morning > over else morning + timedelta(days=1)
        if one.stage is None:
            officer = self._one(one.area, Act.DRAFT_REVIEW, Role.DUTY_OFFICER)
            lessons = "推演小结：个别样例企业未在时限内签收，已逐级告知；建议核对第二联系人。"
            do = self._press(officer, page, f"{page}/draft", {"lessons": lessons})
            return Deed(morning, f"{officer.name}起草后评估", do)
        after = (one.stage_at or morning) + HOUR
        if one.stage is Stage.DRAFTED:
            reviewer = self._one(one.area, Act.SIGN_REVIEW, Role.REVIEWER)
            return Deed(after, f"{reviewer.name}签署后评估", self._press(reviewer, page, f"{page}/signature"))
        approver = max(self._able(one.area, Act.SIGN_REVIEW, Role.APPROVER), key=lambda who: who.rank)
        do = self._press(approver, page, f"{page}/countersignature")
        return Deed(after, f"{approver.name}复核后评估，过程关闭", do)

    def _press(
        self, person: Person, page: str, action: str, said: Mapping[str, str] | None = None, *,
        scan: tuple[str, bytes] | None = None,
    ) -> Callable[[], None]:
        def do() -> None:
            who = self._visitors.setdefault(person.login, Visitor(self._pages, person.login, self._password))
            who.press(page, action, said, scan=scan)

        return do

    def _able(self, area: str, act: Act, role: Role | None = None) -> list[Person]:
        return [one for one in self._people if one.area == area and may(one, act, area) and role in (None, one.role)]

    def _one(self, area: str, act: Act, role: Role | None = None) -> Person:
        return self._able(area, act, role)[0]

    def _approver(self, decision: Decision) -> Person:
        """Of those who may sign it, the one of least rank: nobody wakes the mayor for a yellow."""
        able = self._able(decision.area, Act.DECIDE, Role.APPROVER)
        enough = [one for one in able if one.rank >= decision.rank_needed and one.id != decision.proposed_by]
        return min(enough, key=lambda one: one.rank)


def _bulletin(decision: Decision, above: str, *, received_at: datetime) -> dict[str, str]:
    """What the desk below writes into its form from the paper of the desk above."""
    notice = decision.notice
    return {
        "number": notice.number,
        "issuer": notice.issuer,
        "action": announced_as(decision.move) or "",
        "level": "" if decision.level is Level.NONE else decision.level.word,
        "areas_covered": above,
        "issued_at": _in_field(notice.issued_at),
        "effective_at": _in_field(notice.effective_at),
        "received_at": _in_field(received_at),
        "expected_end_at": _in_field(notice.expected_end_at),
        "reason": notice.reason,
        **({"open_ended": "1"} if notice.open_ended else {}),
    }


def _in_field(at: datetime | None) -> str:
    """A moment as a datetime-local field holds it."""
    return at.astimezone(SHANGHAI).strftime("%Y-%m-%dT%H:%M") if at else ""


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
