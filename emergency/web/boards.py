"""Sign-boards and response plans of enterprises: printed at the desk and the portal, and checked by anybody."""

from __future__ import annotations

from typing import Final
from urllib.parse import quote
from uuid import UUID

from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from emergency import papers
from emergency.domain.boards import LEVELS, Step
from emergency.domain.orders import RecipientKind
from emergency.domain.people import Act, within
from emergency.errors import Missing
from emergency.papers import MOST_BOARDS
from emergency.services import boards
from emergency.store import Tx
from emergency.store import listing as kept
from emergency.system import papers_ground
from emergency.web import phone, showing
from emergency.web.access import ask_here, by_link, limited, open_to, the_person, the_system
from emergency.web.console import PAGE, desk_area, page_asked, pages_of
from emergency.web.words import _, lang

bp = Blueprint("boards", __name__)

PRINTS: Final = "20 per minute; 200 per hour"  # papers of one person: each takes a good part of a second of processor
BATCHES: Final = "10 per minute; 60 per hour"
CHECKS: Final = "60 per minute"  # of one address: a gate is passed by many behind one


def _login() -> str:
    return the_person().login


# --- the desk


@bp.get("/console/boards")
@open_to(Act.SEE_PEOPLE)
def found() -> ResponseReturnValue:
    """The enterprises of the desk's list, found by town and name, each with its papers."""
    area, q, page = desk_area(), request.args.get("q", "").strip()[:80], page_asked()
    with the_system().store.reading() as tx:
        areas = {one.id: one for one in tx.areas()}
        town = _town(tx, area)
        ids, total = kept.found(tx, town, q=q, limit=PAGE, offset=(page - 1) * PAGE)
        by_id = {one.id: one for one in tx.recipients_called(ids)}
    return render_template(
        "console/boards.html",
        some=[by_id[one] for one in ids],
        total=total,
        page=page,
        pages=pages_of(total),
        parts=-(-total // MOST_BOARDS),
        most=MOST_BOARDS,
        areas=areas,
        area=area,
        town=town,
        towns=[one for one in areas if within(one, area) and one != area],
        q=q,
    )


def _town(tx: Tx, area: str) -> str:
    """The part of the area that is asked for: a town of it, else all of it."""
    said = request.args.get("town", "") or area
    if not within(said, area):
        raise Missing("no such town here")
    return tx.area(said).id


@bp.get("/console/boards/all.pdf")
@open_to(Act.SEE_PEOPLE)
@limited(BATCHES, by=_login)
def batch() -> ResponseReturnValue:
    """One part of all sign-boards of a town or of the whole list, in one file."""
    system, q, part = the_system(), request.args.get("q", "").strip()[:80], request.args.get("part", "1")
    if not (part.isascii() and part.isdigit() and 0 < len(part) < 5 and int(part)):
        raise Missing("no such part")
    with system.store.reading() as tx:
        ids, _total = kept.found(
            tx, _town(tx, desk_area()), q=q, limit=MOST_BOARDS, offset=(int(part) - 1) * MOST_BOARDS
        )
        some = boards.boards_of(tx, system.rules, ids)
    if not some:
        raise Missing("no board in this part")
    addressed = [(one, boards.address(system.rules.links, one)) for one in some]
    return _as_pdf(papers.board_pdf(addressed, papers_ground(system, lang=lang())), _("公示牌"), part)


@bp.get("/console/boards/<uuid:recipient_id>/board.pdf")
@open_to(Act.SEE_PEOPLE)
@limited(PRINTS, by=_login)
def board(recipient_id: UUID) -> ResponseReturnValue:
    """The sign-board of one enterprise."""
    _here(recipient_id)
    return _board(recipient_id)


@bp.get("/console/boards/<uuid:recipient_id>/plan.pdf")
@open_to(Act.SEE_PEOPLE)
@limited(PRINTS, by=_login)
def plan(recipient_id: UUID) -> ResponseReturnValue:
    """The response plan of one enterprise."""
    _here(recipient_id)
    return _plan(recipient_id)


def _here(recipient_id: UUID) -> None:
    with the_system().store.reading() as tx:
        recipient = tx.recipient(recipient_id)
    ask_here(Act.SEE_PEOPLE, recipient.area)


# --- the portal


@bp.get("/portal/board.pdf")
@open_to(Act.ANSWER_OWN)
@limited(PRINTS, by=_login)
def own_board() -> ResponseReturnValue:
    """Our own sign-board."""
    return _board(_own())


@bp.get("/portal/plan.pdf")
@open_to(Act.ANSWER_OWN)
@limited(PRINTS, by=_login)
def own_plan() -> ResponseReturnValue:
    """Our own response plan."""
    return _plan(_own())


def _own() -> UUID:
    """
    The enterprise this account answers for.

    :raises Missing: the account is tied to none, or to a unit
    """
    recipient_id = the_person().recipient_id
    if recipient_id is None:
        raise Missing("the account answers for nobody")
    with the_system().store.reading() as tx:
        if tx.recipient(recipient_id).kind is not RecipientKind.ENTERPRISE:
            raise Missing("units have no boards")
    return recipient_id


# --- the papers


def _board(recipient_id: UUID) -> Response:
    system = the_system()
    with system.store.reading() as tx:
        one = boards.board(tx, system.rules, recipient_id)
    address = boards.address(system.rules.links, one)
    pdf = papers.board_pdf([(one, address)], papers_ground(system, lang=lang()))
    return _as_pdf(pdf, _("公示牌"), one.recipient.name)


def _plan(recipient_id: UUID) -> Response:
    system = the_system()
    with system.store.reading() as tx:
        one = boards.plan(tx, system.rules, recipient_id)
    address = boards.address(system.rules.links, one.board)
    pdf = papers.plan_pdf(
        one, papers_ground(system, lang=lang()), address=address, drawn=showing.local(showing.now()).date()
    )
    return _as_pdf(pdf, _("一厂一策"), one.board.recipient.name)


def _as_pdf(pdf: bytes, what: str, of: str) -> Response:
    """The file; its name says when it is of a replay."""
    response = Response(pdf, mimetype="application/pdf")
    parts = [one for one in (the_system().rules.label, what, of) if one]
    name = quote("-".join(parts)[:120] + ".pdf", safe="")
    response.headers["Content-Disposition"] = f"inline; filename=paper.pdf; filename*=UTF-8''{name}"
    return response


# --- what anybody may check


@bp.get("/b/<token>")
@by_link
@limited(CHECKS)
def check(token: str) -> ResponseReturnValue:
    """Whether a board at a gate is current: what it says and no more, or that a newer one should hang there."""
    system = the_system()
    checked = None
    try:
        with system.store.reading() as tx:
            checked = boards.check(tx, system.rules, token)
    except Missing:  # a wrong address is told as such, in the words of this page
        pass
    ground = papers_ground(system, lang=lang())
    page = render_template(
        "public/board.html",
        checked=checked,
        board=checked.board if checked else None,
        levels=LEVELS,
        ground=ground,
        facts=papers.facts(checked.board, ground) if checked and checked.board else [],
        starts=_starts,
        text=_text,
        css=phone.CSS,
        language="en" if lang() == "en" else "zh-CN",
        label=system.rules.label,
    )
    response = make_response(page, 404 if checked is None else 200 if checked.board else 410)
    response.headers["Content-Security-Policy"] = phone.POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


def _starts(one: Step) -> str:
    return papers.starts(one.after_min, lang())


def _text(one: Step) -> str:
    return one.text_en if lang() == "en" and one.text_en else one.text
