"""The page of dead letters: what gave up and why, try by try, sent again or settled by a person who gives a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeVar
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.letters import Verdict, still_needed
from emergency.domain.messages import State
from emergency.domain.people import Act
from emergency.errors import Missing, Refused
from emergency.services import letters as doing
from emergency.store import Tx, desk
from emergency.store import letters as kept
from emergency.store.letters import Fate, Letter, Wanted
from emergency.web import showing
from emergency.web.access import may_here, open_to, the_person, the_system
from emergency.web.console import desk_area, page_asked, pages_of
from emergency.web.faults import fault
from emergency.web.words import N_, _

T = TypeVar("T")

bp = Blueprint("letters", __name__)
bp.add_app_template_filter(fault, "fault")

PAGE: Final = 20  # letters, each with its tries
FATES: Final = {Fate.FAILED: N_("已放弃"), Fate.UNCLEAR: N_("结果不明"), Fate.SETTLED: N_("已有结论")}
VERDICTS: Final = {
    Verdict.ARRIVED: N_("核实已送达"),
    Verdict.LOST: N_("核实未送达，再发一条"),
    Verdict.ASIDE: N_("无需再送"),
}
DONE: Final = {
    Verdict.ARRIVED: N_("已记为“核实已送达”，不再发送。"),
    Verdict.LOST: N_("已记为“核实未送达”，新的一条正在送出。"),
    Verdict.ASIDE: N_("已记为“无需再送”。"),
}


@bp.get("/console/letters")
@open_to(Act.SEE_DESK)
def letters() -> ResponseReturnValue:
    """Dead letters by filter, page by page; those whose fate nobody knows apart from those that gave up."""
    return _page()


def _page(*, refused: str = "", about: UUID | None = None, typed: str = "") -> str:
    wanted, page = _wanted(), page_asked()
    with the_system().store.reading() as tx:
        found, total = kept.found(tx, wanted, limit=PAGE, offset=(page - 1) * PAGE)
        channels, towns, reasons = kept.choices(tx, wanted)
        about_episode = tx.episode(wanted.episode_id) if wanted.episode_id else None
        if about_episode is not None and not may_here(Act.SEE_DESK, about_episode.area):
            about_episode = None
        shown = {
            "counts": kept.counts(tx, wanted),
            "areas": {one.id: one for one in tx.areas()},
            "names": desk.names(tx),
            "episode": about_episode,
        }
    return render_template(
        "console/letters.html",
        **shown,
        found=[(one, _open_to_me(one)) for one in found],
        total=total,
        page=page,
        pages=pages_of(total, PAGE),
        wanted=wanted,
        channels=channels,
        towns=towns,
        reasons=reasons,
        fates=FATES,
        verdicts=VERDICTS,
        may_act=any(_mine(one) for one in found),
        needed=still_needed,
        first=[one.recipient or showing.masked(one.message.to) for one in found][:3],
        asked=_asked(),
        refused=refused,
        about=about,
        typed=typed,
    )


def _wanted() -> Wanted:
    said = request.args
    fate = said.get("fate", Fate.FAILED.value)
    try:
        return Wanted(
            area=desk_area(),
            fate=Fate(fate),
            channel=said.get("channel", ""),
            town=said.get("town", ""),
            episode_id=UUID(said["episode"]) if said.get("episode") else None,
            because=said.get("because", ""),
        )
    except ValueError:
        raise Missing("no such letters") from None


def _asked() -> dict[str, str]:
    """The filter as the address has it, for the forms that act on what it found."""
    names = ("area", "fate", "channel", "town", "episode", "because")
    return {name: request.args[name] for name in names if request.args.get(name)}


def _mine(letter: Letter) -> bool:
    return may_here(Act.CHASE, letter.desk) and may_here(Act.CHASE, letter.message.area)


def _open_to_me(letter: Letter) -> tuple[bool, tuple[Verdict, ...]]:
    """What this person may do with a letter: send it again, and which verdicts are open."""
    failed = letter.message.state is State.FAILED
    if not _mine(letter) or (letter.settlements and not letter.unclear):
        return False, ()
    needed = still_needed(letter.message, letter.order) and letter.message.state is not State.CANCELLED
    if not failed and not (letter.unclear and letter.message.state in (State.SENT, State.CANCELLED)):
        return False, ()
    open_verdicts = tuple(one for one in Verdict if needed or one is not Verdict.LOST)
    return failed and needed, open_verdicts


@bp.post("/console/letters/<uuid:message_id>/again")
@open_to(Act.CHASE)
def again(message_id: UUID) -> ResponseReturnValue:
    """Put one letter back in the post."""
    system, person, at, because = the_system(), the_person(), showing.now(), _because()
    return _done(
        message_id,
        lambda tx: doing.send_again(tx, system.rules, message_id, because=because, by=person, now=at),
        lambda _none: _("已放回待送出队列。"),
    )


@bp.post("/console/letters/again")
@open_to(Act.CHASE)
def all_again() -> ResponseReturnValue:
    """Put every letter of the filter that somebody still needs back in the post."""
    system, person, at, wanted, because = the_system(), the_person(), showing.now(), _wanted(), _because()

    def said(done: doing.Again) -> str:
        if not done.left:
            return _("已将 %(n)d 条放回待送出队列。", n=done.went)
        return _("已将 %(n)d 条放回待送出队列；%(left)d 条内容已不再适用，没有再送。", n=done.went, left=done.left)

    return _done(
        None,
        lambda tx: doing.send_all_again(
            tx, system.rules, kept.every(tx, wanted, desk=person.area), because=because, by=person, now=at
        ),
        said,
    )


@bp.post("/console/letters/<uuid:message_id>/settle")
@open_to(Act.CHASE)
def settle(message_id: UUID) -> ResponseReturnValue:
    """Settle what nobody knows by what this person found out."""
    system, person, at, because = the_system(), the_person(), showing.now(), _because()
    said = request.form.get("verdict", "")
    if said not in {one.value for one in Verdict}:
        return _refused(message_id, Refused("a verdict is arrived, lost or aside", zh="请选择核实结果"))
    verdict = Verdict(said)
    return _done(
        message_id,
        lambda tx: doing.settle(tx, system.rules, message_id, verdict=verdict, because=because, by=person, now=at),
        lambda _none: _(DONE[verdict]),
    )


def _because() -> str:
    return request.form.get("because", "")[: doing.LONGEST]


def _done(about: UUID | None, act: Callable[[Tx], T], said: Callable[[T], str]) -> ResponseReturnValue:
    """Do it and go back to the list; where it is refused, the list again with why and what was typed."""
    system = the_system()
    try:
        outcome = system.store.run(act)
    except Refused as refused:
        if showing.status_of(refused) == 403:
            raise
        return _refused(about, refused)
    system.wake_drains()
    flash(said(outcome), "ok")
    asked: dict[str, Any] = {**_asked()}
    return redirect(url_for("letters.letters", **asked), 303)


def _refused(about: UUID | None, refused: Refused) -> ResponseReturnValue:
    page = _page(refused=showing.refusal(refused), about=about, typed=_because())
    return page, showing.status_of(refused)
