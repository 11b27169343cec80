"""The public page: the level in plain words, since when, until when, what to do; the same bytes for everybody."""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from flask import Blueprint, Response, make_response, render_template, request

from emergency.domain.advising import lines, of
from emergency.domain.episode import Decision, Move, Phase
from emergency.domain.level import Level
from emergency.domain.people import Area, within
from emergency.domain.plan import Authority
from emergency.store import advising, portal
from emergency.store.portal import Announced
from emergency.web import showing
from emergency.web.access import public_page, the_system
from emergency.web.words import lang

bp = Blueprint("public", __name__)

CSS: Final = (Path(__file__).parent / "static" / "public.css").read_text(encoding="utf-8")
STYLE: Final = "sha256-" + base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src '{STYLE}'; img-src 'self' data:; form-action 'none'; base-uri 'none'; "
    "frame-ancestors 'none'"
)
FRESH: Final = "public, max-age=10, stale-if-error=600"  # seconds; a release must show as fast as a warning

PLACES: Final = {Level.BLUE: 1, Level.YELLOW: 2, Level.ORANGE: 3, Level.RED: 4}


@dataclass(frozen=True)
class Below:
    """What a district without authority to warn has activated on its city's notice."""

    area: str
    level: Level
    since: datetime | None


@dataclass(frozen=True)
class Warned:
    """One city as the public reads it; ``level`` NONE = no warning is in force, ``said`` the last signed decision."""

    area: str
    level: Level
    pending: bool
    since: datetime | None
    until: datetime | None
    said: Decision | None
    ended: datetime | None
    withdrawn: bool
    below: tuple[Below, ...]
    label: str


@bp.get("/public")
@public_page
def page() -> Response:
    """Every city that may warn the public, and what it says now."""
    system, now = the_system(), showing.now()
    with system.store.reading() as tx:
        areas = [one for one in tx.areas() if one.plan_id]
        said = {one.area.id: one for one in portal.announced(tx)}
        advised = {one.area: one for one in advising.standing(tx, now=now)}  # the last signed of each area speaks
    cities = [one for one in areas if system.rules.plan(one.plan_id or "").authority is Authority.ISSUES]
    lower = [one for one in areas if one not in cities]
    found = [warned(one, said, [area for area in lower if within(area.id, one.id)], now) for one in cities]
    told = [one.said.decided_at for one in found if one.said and one.said.decided_at]
    told += [at for one in cities if one.id in advised and (at := advised[one.id].decided_at)]
    body = render_template(
        "public/page.html",
        cities=found,
        advised={named(one): advised[one.id] for one in cities if one.id in advised},
        advised_lines=advised_lines,
        css=CSS,
        label=system.rules.label,
        origin=system.rules.origin,
        changed=max(told, default=None),
        advice=advice,
        reason=reason,
        steps=PLACES,
    )
    response = make_response(body)
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = FRESH
    response.headers["Vary"] = "Accept-Language, Cookie"
    response.add_etag()
    response.make_conditional(request)
    return response


def warned(area: Area, said: dict[str, Announced], lower: list[Area], now: datetime) -> Warned:
    """What the city says now, from its last episode and the notices signed in it."""
    mine = said.get(area.id)
    below = tuple(
        Below(named(one), said[one.id].episode.level, _since(said[one.id]))
        for one in lower
        if one.id in said
        and said[one.id].episode.phase is Phase.ACTIVE
        and said[one.id].episode.level is not Level.NONE
    )
    if mine is None:
        return Warned(named(area), Level.NONE, False, None, None, None, None, False, below, "")
    episode, spoken = mine.episode, [one for one in mine.decisions if one.move not in (Move.APPEAL, Move.ADVISE)]
    last = spoken[-1] if spoken else None
    active = episode.phase is Phase.ACTIVE and episode.level is not Level.NONE
    # a release is signed before it takes effect: until then the warning stands, and the page says when it ends
    ending = episode.phase is Phase.RELEASED and episode.released_at is not None and episode.released_at > now
    level = episode.level if active else (last.level_before if ending and last else Level.NONE)
    since = _since(mine)
    return Warned(
        area=named(area),
        level=level,
        pending=active and since is not None and since > now,
        since=since,
        until=episode.released_at if ending else episode.expected_end_at,
        said=last,
        ended=None if active or ending else episode.released_at,
        withdrawn=episode.phase is Phase.WITHDRAWN or (last is not None and last.move is Move.WITHDRAW),
        below=below,
        label=episode.label,
    )


def advice(level: Level) -> list[str]:
    """What a citizen does at this level, health first, as the playbook's lines for the public have it."""
    lines = [one for one in the_system().rules.book.get("public", ()) if one.level <= level]
    replaced = {key for one in lines for key in one.replaces}
    kept = sorted((one for one in lines if one.key not in replaced), key=lambda one: one.force != "health")
    return [one.text_en if lang() == "en" and one.text_en else one.text for one in kept]


def advised_lines(one: Decision) -> tuple[str, tuple[str, ...]]:
    """Why there is a health advisory, and what everybody is advised to do, in the reader's language."""
    english = lang() == "en"
    said = one.assessment.get("advice_en" if english else "advice_zh")
    return str(said or one.notice.reason), lines(of(one), the_system().rules.advice, english=english)


def reason(one: Decision) -> str:
    """Why, as signed; in English where the reason is the rule's own sentence, which exists in both languages."""
    if lang() == "en" and one.notice.reason == one.assessment.get("sentence_zh"):
        return str(one.assessment.get("sentence_en") or one.notice.reason)
    return one.notice.reason


def named(area: Area) -> str:
    """The area's name in the reader's language."""
    return area.name_en if lang() == "en" and area.name_en else area.name


def _since(one: Announced) -> datetime | None:
    """Since when the level that stands now has stood: the last decision that set a level."""
    setting = [
        said
        for said in one.decisions
        if said.move in (Move.ACTIVATE, Move.UPGRADE, Move.DOWNGRADE, Move.REOPEN) and said.level is not Level.NONE
    ]
    return setting[-1].notice.effective_at if setting else one.episode.effective_at
