"""Valid values by default; change one thing."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

from emergency.domain.drawing import draw_up
from emergency.domain.episode import Decision, Episode, Move, Notice, Phase
from emergency.domain.level import Level
from emergency.domain.orders import Category, Contact, DrawnUp, Measure, Recipient, RecipientKind
from emergency.domain.people import Person, Role
from emergency.domain.signing import put_forward

NOW = datetime(2026, 1, 9, 9, 0, tzinfo=UTC)  # 17:00 in Shanghai
SPACE = UUID("11111111-1111-4111-8111-111111111111")
CITY, DISTRICT, TOWN = "450200", "450200.450206", "450200.450206.labao"


def an_id(name: str) -> UUID:
    """The same id for the same name."""
    return uuid5(SPACE, name)


def a_person(login: str = "duty", **how: Any) -> Person:
    """A district duty officer."""
    return Person(
        **{"id": an_id(login), "login": login, "name": login, "area": DISTRICT, "role": Role.DUTY_OFFICER, **how}
    )


def an_approver(login: str = "approver", rank: int = 3, **how: Any) -> Person:
    """A district approver of this rank."""
    return a_person(login, role=Role.APPROVER, rank=rank, **how)


def a_notice(**how: Any) -> Notice:
    """A notice without a blank."""
    return Notice(
        **{
            "number": "江气响应〔2026〕1号",
            "issuer": "柳江区应急指挥部办公室",
            "legal_basis": "大气污染防治法第九十六条",
            "level": Level.YELLOW,
            "area": "柳江区",
            "reason": "预报AQI > 200",
            "effective_at": NOW + timedelta(hours=7),
            "contact": "值班室 00010000001",
            "open_ended": True,
            **how,
        }
    )


def a_suggestion(**how: Any) -> Decision:
    """The rule's suggestion of yellow."""
    return Decision(
        **{
            "id": an_id("decision"),
            "episode_id": an_id("episode"),
            "area": DISTRICT,
            "move": Move.ACTIVATE,
            "level": Level.YELLOW,
            "rule_says": Level.YELLOW,
            "assessment": {"level": "yellow"},
            "notice": a_notice(),
            "proposed_by": None,
            "proposed_at": NOW,
            "decide_by": NOW + timedelta(hours=2),
            "rank_needed": 1,
            **how,
        }
    )


def a_proposal(by: Person | None = None, **how: Any) -> Decision:
    """The same, put forward by the duty officer."""
    return put_forward(a_suggestion(**how), by=by or a_person(), now=NOW)


def an_episode(**how: Any) -> Episode:
    """An episode that is opening."""
    return Episode(
        **{
            "id": an_id("episode"),
            "area": DISTRICT,
            "plan_id": "liujiang",
            "plan_sha": "0" * 64,
            "phase": Phase.OPENING,
            "level": Level.NONE,
            "opened_at": NOW,
            **how,
        }
    )


def a_recipient(name: str = "样例砖厂01", **how: Any) -> Recipient:
    """A sample brick kiln with two people to reach."""
    contacts = tuple(Contact(an_id(f"{name}{n}"), f"{name}{n}", "厂长", f"0005000{n:04d}", n) for n in (1, 2))
    return Recipient(
        **{
            "id": an_id(name),
            "area": TOWN,
            "kind": RecipientKind.ENTERPRISE,
            "name": name,
            "sector": "brick_kiln",
            "category": Category.LISTED,
            "contacts": contacts,
            "sample": True,
            **how,
        }
    )


A_MEASURE = Measure(key="half-load", level=Level.YELLOW, text="生坯入窑量减半", starts_after_minutes=120)
A_HIGHER = Measure(key="stop", level=Level.ORANGE, text="停止入窑", starts_after_minutes=240, replaces=("half-load",))


def drawn_up(*, level: Level = Level.YELLOW, now: datetime = NOW, decision: str = "decision", **how: Any) -> DrawnUp:
    """One recipient's order under a decision."""
    recipient = how.pop("recipient", a_recipient())
    measures = how.pop("measures", [A_MEASURE] if level is Level.YELLOW else [A_HIGHER])
    return draw_up(
        recipient,
        episode_id=an_id("episode"),
        decision_id=an_id(decision),
        number="江气响应〔2026〕1号-0001",
        level=level,
        measures=measures,
        effective_at=now + timedelta(hours=7),
        now=now,
        **how,
    )


def with_status(one: DrawnUp, **how: Any) -> DrawnUp:
    """The same with its order changed."""
    return replace(one, order=replace(one.order, **how))
