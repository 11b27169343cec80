"""The auditor: starts from what should exist, mends once what it can, names the rest; its silence is an alarm."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from emergency import log as logs
from emergency.domain import amending, ladder
from emergency.domain.drawing import eligible
from emergency.domain.episode import Decision, Episode, Fact, Move
from emergency.domain.messages import Kind, Lane, Message
from emergency.domain.orders import DrawnUp, Order, Recipient
from emergency.services import wording
from emergency.services.dispatch import LINK_LIVES, first_contact, message_for, recipients_of
from emergency.services.links import link_id
from emergency.services.rules import Rules
from emergency.store import Store, Tx, auditing, chasing, reporting

STEP_LATE = timedelta(minutes=2)  # civil; a sweep takes steps every few seconds
SWEEPER_LATE = timedelta(seconds=60)  # wall: whoever takes steps has said nothing for so long
TASK_LATE = timedelta(minutes=5)  # civil
ROUND_LATE = timedelta(minutes=5)  # civil; a round takes its steps each minute
WATCHER_LATE = timedelta(minutes=4)  # wall: it looks each minute
UNATTENDED_AFTER = timedelta(seconds=60)  # wall
LEASE_OVER_AFTER = timedelta(seconds=30)  # wall; the sweep takes them back every few seconds
LAST_WORDS_WITHIN = timedelta(days=1)  # civil; an end that nobody was told of for longer is for people, not for a phone
REPAIRED_SHOWN = timedelta(hours=1)  # how long a desk sees that something had to be mended
KINDS = frozenset(
    {
        *("unissued", "unordered", "unnoticed", "repaired", "steps", "unlifted", "unattended", "leases", "untold"),
        *("quiet", "rounds", "unrevised"),
    }
)
_GIVES_ORDERS = frozenset({Move.APPEAL, Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.REOPEN})
_REVISES_ALL = _GIVES_ORDERS | {Move.EXTEND}  # each order that lives gets a revision, if only a line of information
_NOTICE = {
    "order": Kind.ORDER, "reissue": Kind.ORDER, "revision": Kind.REVISION, "information": Kind.INFORMATION,
    "lifting": Kind.LIFTING, "withdrawal": Kind.WITHDRAWAL,
}  # fmt: skip
log = logs.of(__name__)


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be: the alarm's name, where, and what in words."""

    name: str
    area: str
    words: str


def audit(store: Store, rules: Rules, *, now: datetime, wall: datetime) -> list[str]:
    """
    Look once at everything that should exist; the names of the alarms that are new.

    What can be mended (a notice nobody was sent, a ladder nobody set up, a link nobody made) is mended with a fact of
    its own, and told as well. Two auditors at once do no harm: the second waits at the first one's heartbeat.
    """
    with store.reading() as tx:
        found = [*_decided(tx, rules), *_standing(tx, now=now, wall=wall)]
        menders = [mend for mend, lacking in _MENDED if lacking(tx, now)]
    return store.run(lambda tx: _told(tx, rules, found, menders, now=now, wall=wall))


def _decided(tx: Tx, rules: Rules) -> list[Finding]:
    """What approved decisions should have brought about: orders, for each recipient the plan's measures name."""
    latest: dict[UUID, tuple[Episode, Decision, bool]] = {}
    revising: dict[UUID, tuple[Episode, Decision]] = {}
    for episode, decision, made in auditing.approved(tx):
        if decision.move in _GIVES_ORDERS and not amending.of(decision):
            latest[episode.id] = (episode, decision, made)
        if decision.move in _REVISES_ALL and not amending.of(decision):
            revising[episode.id] = (episode, decision)
    return [
        *(one for each in latest.values() for one in _ordered(tx, rules, *each)),
        *(one for each in revising.values() for one in _revised(tx, *each)),
    ]


def _revised(tx: Tx, episode: Episode, decision: Decision) -> list[Finding]:
    """Whose order the last decision about everybody has passed by; what it should say is for people to sign again."""
    some = auditing.unrevised(tx, decision)
    if not some:
        return []
    names = _names(tx.recipients_called({one.recipient_id for one in some[:3]}))
    words = f"{decision.notice.number}：{len(some)} 家单位的指令没有随之修订，如 {names}"
    return [Finding(f"unrevised:{episode.id}", episode.area, words)]


def _ordered(tx: Tx, rules: Rules, episode: Episode, decision: Decision, made: bool) -> list[Finding]:
    """Who should have an order by this decision and has none; nobody else is loaded, where it has given orders."""
    some = recipients_of(tx, decision.area, unordered_in=episode.id if made else None)
    lacking = [one for one in some if eligible(one, rules.measures_for(one, decision))]
    if not lacking:
        return []
    if not made:
        words = f"{decision.notice.number} 已批准，但没有下达任何指令（应有 {len(lacking)} 家）"
        return [Finding(f"unissued:{episode.id}", episode.area, words)]
    words = f"{decision.notice.number}：{len(lacking)} 家单位应有指令而没有，如 {_names(lacking)}"
    return [Finding(f"unordered:{episode.id}", episode.area, words)]


def _names(some: Sequence[Recipient]) -> str:
    return "、".join(one.name for one in some[:3])


def _standing(tx: Tx, *, now: datetime, wall: datetime) -> list[Finding]:
    """What should be moving: steps, lanes, leases, tasks, ends, and whoever moves them."""
    beats = tx.heartbeats()

    def quiet(name: str, late: timedelta) -> bool:
        return name not in beats or wall - beats[name][0] > late

    found = [
        Finding(f"unlifted:{one.episode_id}", one.area, f"响应已结束，仍有 {one.count} 条指令未解除")
        for one in auditing.live_after_the_end(tx, now=now)
    ]
    if quiet("escalate", SWEEPER_LATE):  # while it speaks, what is due is being taken
        found += [
            Finding(f"steps:{one.episode_id}", one.area, f"{one.count} 家的催办到期未执行")
            for one in auditing.steps_overdue(tx, before=now - STEP_LATE)
        ]
    if quiet("watch", WATCHER_LATE):
        if "watch" in beats and not quiet("audit", WATCHER_LATE):  # after a standstill nobody is blamed at once
            found.append(Finding("quiet:watch", "", f"值守检查自 {beats['watch'][0]:%H:%M:%S} (UTC) 起无响应"))
        if count := auditing.tasks_without_alarm(tx, before=now - TASK_LATE):
            found.append(Finding("untold", "", f"{count} 项任务到期未提醒"))
    if count := reporting.overdue(tx, before=now - ROUND_LATE):  # whoever goes the rounds has not come by
        found.append(Finding("rounds", "", f"{count} 项催报或到期提醒未执行"))
    for lane in auditing.unattended(tx, before=wall - UNATTENDED_AFTER, wall=wall):
        word = Lane(lane.lane).word
        words = f"{lane.channel} 的 {word} 队列有 {lane.count} 条待发，无人发送"
        found.append(Finding(f"unattended:{lane.channel}:{word}", "", words))
    if count := auditing.past_lease(tx, before=wall - LEASE_OVER_AFTER):
        found.append(Finding("leases", "", f"{count} 条消息的发送者已失联，尚未收回"))
    return found


def _told(
    tx: Tx, rules: Rules, found: Sequence[Finding], menders: Sequence[Mender], *, now: datetime, wall: datetime
) -> list[str]:
    """Mend what looked as if it wanted mending, and raise and end alarms; where all is well, a handful of rows."""
    tx.beat("audit", at=wall)  # first: a second auditor waits here and then finds nothing to mend
    everything = [*found, *(one for mend in menders for one in mend(tx, rules, now))]
    stands = {one.name for one in everything}
    new = [one.name for one in everything if tx.raise_alarm(one.name, area=one.area, detail=one.words[:300], now=now)]
    for alarm in tx.standing_alarms():
        kind = alarm.name.partition(":")[0]
        shown = kind == "repaired" and now - alarm.seen_at < REPAIRED_SHOWN
        if kind in KINDS and alarm.name not in stands and not shown and alarm.name != "quiet:audit":
            tx.clear_alarm(alarm.name, now=now)
    for one in new:
        log.warning("audit.found", extra={"alarm": one})
    return new


def _noticed(tx: Tx, rules: Rules, now: datetime) -> list[Finding]:
    """Put the notice of every order nobody was told of; those nobody can be told of are named."""
    return _told_again(tx, rules, auditing.without_notice(tx), now=now)


def _parted(tx: Tx, rules: Rules, now: datetime) -> list[Finding]:
    """Put the lifting or withdrawal of every order that ended and whose recipient was not told."""
    return _told_again(tx, rules, auditing.without_last_words(tx, since=now - LAST_WORDS_WITHIN), now=now)


def _told_again(tx: Tx, rules: Rules, some: Sequence[Order], *, now: datetime) -> list[Finding]:
    if not some:
        return []
    recipients = {one.id: one for one in tx.recipients_called({one.recipient_id for one in some})}
    revisions = auditing.revisions_of(tx, some)
    decisions = auditing.decisions_called(tx, {one.decision_id for one in revisions.values()})
    put: list[Message] = []
    facts: list[Fact] = []
    nobody: list[Order] = []
    for order in some:
        recipient, revision = recipients[order.recipient_id], revisions.get((order.id, order.revision))
        contact = first_contact(recipient)
        if contact is None or revision is None or revision.kind not in _NOTICE:
            nobody.append(order)
            continue
        earlier = revisions.get((order.id, order.revision - 1))
        before = replace(order, duties=earlier.duties) if earlier else None
        decision, kind = decisions[revision.decision_id], _NOTICE[revision.kind]
        text = wording.of_order(rules, kind, DrawnUp(order, revision, recipient, before), decision, now=now)
        put.append(
            message_for(rules, order, kind, contact, text, rung=auditing.REPAIR, decision_id=decision.id, now=now)
        )
        facts.append(_mended("order.notice_repaired", order, now=now))
    tx.outbox.put(put)
    tx.note_all(facts)
    return [
        *_repaired(some, facts, "{count} 条指令的通知缺失，已补发"),
        *(
            Finding(f"unnoticed:{episode}", area, f"{count} 家单位有指令而联系不到任何人")
            for episode, area, count in _by_episode(nobody)
        ),
    ]


def _laddered(tx: Tx, rules: Rules, now: datetime) -> list[Finding]:
    """Set up the ladder of every order that waits for an answer with nothing due, though nothing was ever taken."""
    some = auditing.without_ladder(tx)
    plans = {one: tx.episode(one).plan_id for one in {order.episode_id for order in some}}
    facts = []
    for order in some:
        after = ladder.set_up(order, rules.plan(plans[order.episode_id]), since=order.issued_at or now)
        if after.next_rung_at is None:
            continue  # this plan has no ladder
        tx.save(after, fact="order.ladder_repaired", by="system", at=now)
        facts.append(_mended("order.ladder_repaired", order, now=now))
    return _repaired(some, facts, "{count} 家的催办未启动，已补设")


def _chased(tx: Tx, rules: Rules, now: datetime) -> list[Finding]:
    """Take up again what an answered order still owes and nobody would ever chase."""
    some = auditing.without_next_step(tx, since=now - ladder.STALE)
    plans = {one: tx.episode(one).plan_id for one in {order.episode_id for order in some}}
    notices, taken = chasing.notices(tx, some), chasing.taken(tx, some)
    facts = []
    for order in some:
        turn = ladder.due(
            order, rules.plan(plans[order.episode_id]), now=now, notice=notices.get(order.id, ladder.Notice()),
            taken=taken.get(order.id, ()),
        )  # fmt: skip
        next_at = now if turn.steps else turn.next_at
        if next_at is None:
            continue
        after = replace(order, next_rung=turn.next_rung or 0, next_rung_at=next_at)
        tx.save(after, fact="order.ladder_repaired", by="system", at=now)
        facts.append(_mended("order.ladder_repaired", order, now=now))
    return _repaired(some, facts, "{count} 家的催办中断，已恢复")


def _linked(tx: Tx, rules: Rules, now: datetime) -> list[Finding]:
    """Make the phone links that are missing."""
    some = auditing.without_link(tx)
    rows = [
        {
            "id": (found := link_id(order.id, contact)),
            "order_id": order.id,
            "contact_id": contact,
            "token_sha256": rules.links.kept(found),
            "expires_at": now + LINK_LIVES,
            "revoked_at": None,
        }
        for order, contact in some
    ]
    auditing.add_links(tx, rows)
    facts = [_mended("order.link_repaired", order, now=now) for order, _ in some]
    tx.note_all(facts)
    return _repaired([order for order, _ in some], facts, "{count} 个手机链接缺失，已补建")


Mender = Callable[[Tx, Rules, datetime], list[Finding]]
Lacking = Callable[[Tx, datetime], Sequence[object]]  # one that lacks it is enough
_MENDED: Sequence[tuple[Mender, Lacking]] = (
    (_noticed, lambda tx, _now: auditing.without_notice(tx, limit=1)),
    (_parted, lambda tx, now: auditing.without_last_words(tx, since=now - LAST_WORDS_WITHIN, limit=1)),
    (_laddered, lambda tx, _now: auditing.without_ladder(tx, limit=1)),
    (_chased, lambda tx, now: auditing.without_next_step(tx, since=now - ladder.STALE, limit=1)),
    (_linked, lambda tx, _now: auditing.without_link(tx, limit=1)),
)


def _mended(what: str, order: Order, *, now: datetime) -> Fact:
    return Fact(what, str(order.id), "system", now, order.episode_id, order.area, {"revision": order.revision})


def _repaired(some: Sequence[Order], facts: Sequence[Fact], words: str) -> list[Finding]:
    mended = {one.about for one in facts}
    what = facts[0].what.partition(".")[2] if facts else ""
    return [
        Finding(f"repaired:{episode}:{what}", area, words.format(count=count))
        for episode, area, count in _by_episode(one for one in some if str(one.id) in mended)
    ]


def _by_episode(some: Iterable[Order]) -> list[tuple[UUID, str, int]]:
    found: dict[UUID, tuple[str, int]] = {}
    for one in some:
        area, count = found.get(one.episode_id, (one.area, 0))
        found[one.episode_id] = (area if len(area) <= len(one.area) else one.area, count + 1)
    return [(episode, area, count) for episode, (area, count) in found.items()]
