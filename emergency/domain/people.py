"""Who may do what, and where: roles give acts, ranks give levels, the area tree is the tenancy."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar
from uuid import UUID

from emergency.errors import Refused


class NotAllowed(Refused):
    """This person's role does not include the act, or the area is not theirs."""

    words_zh = "您的角色或所属区域无权进行此操作"


class Role(StrEnum):
    """What a person is here for; one person, one role, one area."""

    DUTY_OFFICER = "duty_officer"  # 值班员: enters, proposes, watches
    APPROVER = "approver"  # 审批人: signs, within rank
    INSPECTOR = "inspector"  # 督查人员
    REVIEWER = "reviewer"  # 评估人员
    ADMIN = "admin"  # 系统管理员: people and settings, no decisions
    UNIT = "unit"  # 成员单位、镇: sees and answers its own orders
    ENTERPRISE = "enterprise"  # 企业


class Act(StrEnum):
    """What a door asks permission for."""

    SEE_DESK = "see_desk"
    SEE_PEOPLE = "see_people"
    ENTER_AIR = "enter_air"
    ENTER_BULLETIN = "enter_bulletin"
    PROPOSE = "propose"
    DECIDE = "decide"
    CONSULT = "consult"  # call a consultation, enter what was said, conclude it
    SPEAK = "speak"  # say one's word in a consultation one was asked to
    RULE = "rule"  # on a recipient that says it cannot comply
    CHASE = "chase"
    SEE_REVIEW = "see_review"
    DRAFT_REVIEW = "draft_review"
    SIGN_REVIEW = "sign_review"
    INSPECT = "inspect"
    ANSWER_OWN = "answer_own"
    ENTER_LIST = "enter_list"  # lay a reduction list before a second person
    CONFIRM_LIST = "confirm_list"
    ADMINISTER = "administer"


_SEES = frozenset({Act.SEE_DESK, Act.SEE_REVIEW, Act.SPEAK})
ACTS: Mapping[Role, frozenset[Act]] = {
    Role.DUTY_OFFICER: _SEES
    | {Act.ENTER_AIR, Act.ENTER_BULLETIN, Act.PROPOSE, Act.CHASE, Act.RULE, Act.DRAFT_REVIEW, Act.SEE_PEOPLE}
    | {Act.CONSULT, Act.ENTER_LIST},
    Role.APPROVER: _SEES
    | {Act.DECIDE, Act.PROPOSE, Act.RULE, Act.SIGN_REVIEW, Act.SEE_PEOPLE, Act.CONSULT, Act.CONFIRM_LIST},
    Role.INSPECTOR: _SEES | {Act.INSPECT},
    Role.REVIEWER: _SEES | {Act.DRAFT_REVIEW, Act.SIGN_REVIEW},
    Role.ADMIN: frozenset({Act.ADMINISTER, Act.SEE_PEOPLE, Act.SEE_DESK, Act.SPEAK}),
    Role.UNIT: frozenset({Act.ANSWER_OWN, Act.SPEAK}),
    Role.ENTERPRISE: frozenset({Act.ANSWER_OWN}),
}


@dataclass(frozen=True)
class Area:
    """A node of the tree city → district → town → village; its id is the path of codes from the top."""

    id: str  # "450200.450206.labao"
    name: str
    kind: str  # city | district | town | village
    plan_id: str | None = None  # the plan this area runs under; towns run under their district's
    name_en: str = ""


def within(area: str, above: str) -> bool:
    """Whether ``area`` is ``above`` or lies below it; rights run down, never sideways."""
    return area == above or area.startswith(above + ".")


def path_of(area: str) -> tuple[str, ...]:
    """The area and everything above it, nearest first."""
    parts = area.split(".")
    return tuple(".".join(parts[:n]) for n in range(len(parts), 0, -1))


_R = TypeVar("_R")


@dataclass(frozen=True)
class Person:
    """
    Somebody with a sign-in.

    ``rank``: 0 none, 1 office director (办公室主任), 2 deputy commander (副指挥长), 3 commander (指挥长); a plan says
    which rank a level needs. ``recipient_id`` ties a unit's or enterprise's account to what it may answer for.
    """

    id: UUID
    login: str
    name: str
    area: str
    role: Role
    rank: int = 0
    title: str = ""
    phone: str = ""
    recipient_id: UUID | None = None
    active: bool = True


def may(person: Person, act: Act, area: str) -> bool:
    """Whether the person's role includes the act and the area is theirs or below theirs."""
    return person.active and act in ACTS[person.role] and within(area, person.area)


def ask(person: Person, act: Act, area: str) -> None:
    """
    Let the act pass.

    :raises NotAllowed: the role or the area does not reach so far
    """
    if not may(person, act, area):
        raise NotAllowed(f"{person.login} ({person.role.value}, {person.area}) may not {act.value} in {area}")
