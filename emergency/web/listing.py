"""The pages of the reduction list: its versions, a file looked at before anything counts, a second person's word."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final
from uuid import UUID

from flask import Blueprint, Response, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.people import Act
from emergency.domain.reduction.versions import Listing, Stand
from emergency.errors import Missing, Refused
from emergency.lists.reading import MOST_BYTES, NoList
from emergency.services import listing as lists
from emergency.services.listing import Look
from emergency.store import listing as kept
from emergency.store import raw
from emergency.system import list_words
from emergency.web import showing
from emergency.web.access import ask_here, confirmed, limited, may_here, open_to, takes_files, the_person, the_system
from emergency.web.console import desk_area
from emergency.web.deciding import SIGNING_TRIES
from emergency.web.fields import BadForm
from emergency.web.listing_words import change_word, stand_word, why
from emergency.web.refusals import because
from emergency.web.words import _

bp = Blueprint("listing", __name__)
bp.add_app_template_filter(why, "why")
bp.add_app_template_filter(stand_word, "stand_word")
bp.add_app_template_filter(change_word, "change_word")

XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
SHOWN: Final = 200  # lines of each kind on a page


class WrongPassword(Refused):
    """The confirmation was not signed."""

    words_zh = "密码不正确，清单没有确认"


@bp.get("/console/lists")
@open_to(Act.SEE_DESK)
def versions() -> ResponseReturnValue:
    """Every version of the area's list, the latest first, and which one counts."""
    area = desk_area()
    with the_system().store.reading() as tx:
        found = kept.of_area(tx, area)
        areas = {one.id: one for one in tx.areas()}
        standing = len(kept.enterprises(tx, area))
    return render_template("console/lists.html", found=found, areas=areas, area=area, standing=standing)


@bp.get("/console/lists/template.xlsx")
@open_to(Act.SEE_DESK)
def template() -> ResponseReturnValue:
    """An empty list of the area, with words to choose from and a guide."""
    system = the_system()
    with system.store.reading() as tx:
        body = lists.template(tx, list_words(system.settings), area=lists.area_of(tx, system.rules, the_person()))
    return _as_file(body, "list-template.xlsx")


@bp.get("/console/lists/new")
@open_to(Act.ENTER_LIST)
def new_list() -> ResponseReturnValue:
    """The form: which file, from when."""
    return _form()


def _form(*, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    system = the_system()
    with system.store.reading() as tx:
        area = tx.area(lists.area_of(tx, system.rules, the_person()))
    today = showing.local(showing.now()).date()
    return render_template(
        "console/list_new.html",
        whose=area,
        refused=refused,
        typed=typed or {"valid_from": today.isoformat()},
        today=today,
        most=MOST_BYTES // 1024 // 1024,
    )


@bp.post("/console/lists/new")
@open_to(Act.ENTER_LIST)
@takes_files
def look() -> ResponseReturnValue:
    """Read the file and show what it would change; it lies by its hash, and nothing of it counts."""
    system, person, said = the_system(), the_person(), request.form
    try:
        valid_from = _day_in(said)
        upload = request.files.get("file")
        content = upload.stream.read(MOST_BYTES + 1) if upload else b""
        name = (upload.filename or "") if upload else ""
        if not content:
            raise BadForm("no file was chosen", zh=_("请选择文件"))
        if len(content) > MOST_BYTES:
            raise BadForm("the file is too large", zh=_("文件不得超过 %(n)d MB", n=MOST_BYTES // 1024 // 1024))
        with system.store.reading() as tx:
            area = lists.area_of(tx, system.rules, person)
        sha256 = system.store.run(
            lambda tx: lists.lay_by(tx, content, file=name, area=area, by=person, now=system.clock.now())
        )
        found = _looked(content, area, valid_from)
        with system.store.reading() as tx:
            areas = {one.id: one for one in tx.areas()}
    except NoList as refused:
        told = f"{_('文件无法作为减排清单读取')}：{refused.where}，{because(refused.reason)}"
        return _form(refused=told, typed=said), 422
    except BadForm as refused:
        return _form(refused=showing.refusal(refused), typed=said), 422
    page = render_template(
        "console/list_look.html",
        look=found,
        areas=areas,
        counts=found.counts,
        differs=found.differs,
        refused=found.listed.refused,
        to_look_at=found.listed.to_look_at,
        sha256=sha256,
        file_name=name[:200],
        name=_name_in(said, name),
        valid_from=valid_from,
        shown=SHOWN,
    )
    return page, 200 if found.listed.entries else 422


@bp.post("/console/lists/keep")
@open_to(Act.ENTER_LIST)
def keep() -> ResponseReturnValue:
    """Lay what was shown before a second person; the file is read again by its hash, so nothing can have changed it."""
    system, person, said = the_system(), the_person(), request.form
    try:
        valid_from, sha256 = _day_in(said), said.get("sha256", "")
        with system.store.reading() as tx:
            area = lists.area_of(tx, system.rules, person)
            content = raw.body(tx, sha256)
        found = _looked(content, area, valid_from)
        listing = system.store.run(
            lambda tx: lists.lay(
                tx,
                found,
                name=_name_in(said, ""),
                file_sha256=sha256,
                valid_from=valid_from,
                by=person,
                now=system.clock.now(),
            )
        )
    except Refused as refused:
        return _form(refused=showing.refusal(refused), typed=said), showing.status_of(refused)
    flash(_("清单已提交，请另一人复核确认。在此之前现行清单不变。"), "ok")
    return redirect(url_for("listing.version", listing_id=listing.id), 303)


def _looked(content: bytes, area: str, valid_from: date) -> Look:
    system = the_system()
    with system.store.reading() as tx:
        return lists.look(tx, system.rules, list_words(system.settings), content, area=area, on=valid_from)


@bp.get("/console/lists/<uuid:listing_id>")
@open_to(Act.SEE_DESK)
def version(listing_id: UUID) -> ResponseReturnValue:
    """One version: what it changes, what was refused, and who has to say what next."""
    return _version(listing_id)


def _version(listing_id: UUID, *, refused: str = "") -> str:
    with the_system().store.reading() as tx:
        listing = kept.called(tx, listing_id)
        ask_here(Act.SEE_DESK, listing.area)
        waiting = listing.stand in (Stand.DRAFT, Stand.CONFIRMED)
        differs = lists.differs_now(tx, listing) if waiting else None
        now_in_force = kept.in_force(tx, listing.area)
        areas = {one.id: one for one in tx.areas()}
    return render_template(
        "console/list.html",
        areas=areas,
        listing=listing,
        differs=differs,
        based_on=now_in_force.id if now_in_force else "",
        whose=areas[listing.area],
        refused=refused,
        may_confirm=listing.stand is Stand.DRAFT and may_here(Act.CONFIRM_LIST, listing.area),
        own=listing.laid_by == the_person().login,
        may_drop=waiting and (may_here(Act.CONFIRM_LIST, listing.area) or may_here(Act.ENTER_LIST, listing.area)),
        shown=SHOWN,
    )


@bp.post("/console/lists/<uuid:listing_id>/confirmation")
@open_to(Act.CONFIRM_LIST)
@limited(SIGNING_TRIES, by=lambda: the_person().login)
def confirm(listing_id: UUID) -> ResponseReturnValue:
    """A second person lets the list count: the password again, and what it was compared with."""
    system, person, said = the_system(), the_person(), request.form
    _here(listing_id, Act.CONFIRM_LIST)
    try:
        if not confirmed(said.get("password", "")[:200]):
            raise WrongPassword("the password is wrong, the list was not confirmed")
        listing = system.store.run(
            lambda tx: lists.confirm(
                tx,
                system.rules,
                listing_id,
                without_refused=bool(said.get("without_refused")),
                based_on=UUID(said["based_on"]) if said.get("based_on") else None,
                by=person,
                now=system.clock.now(),
            )
        )
    except Refused as refused:
        return _version(listing_id, refused=showing.refusal(refused)), showing.status_of(refused)
    except ValueError:
        raise Missing("no such list") from None
    if listing.stand is Stand.IN_FORCE:
        flash(_("清单已确认并启用。"), "ok")
    else:
        flash(_("清单已确认，将在启用日期到来且没有正在进行的应急过程时启用。"), "ok")
    return redirect(url_for("listing.version", listing_id=listing_id), 303)


@bp.post("/console/lists/<uuid:listing_id>/drop")
@open_to(Act.SEE_DESK)
def drop(listing_id: UUID) -> ResponseReturnValue:
    """Let a version go that does not count yet, with a reason."""
    system, person = the_system(), the_person()
    _here(listing_id, Act.SEE_DESK)
    reason = request.form.get("because", "")
    try:
        system.store.run(lambda tx: lists.drop(tx, listing_id, because=reason, by=person, now=system.clock.now()))
    except Refused as refused:
        return _version(listing_id, refused=showing.refusal(refused)), showing.status_of(refused)
    flash(_("清单已作废，现行清单不变。"), "ok")
    return redirect(url_for("listing.versions"), 303)


@bp.get("/console/lists/<uuid:listing_id>/list.xlsx")
@open_to(Act.SEE_DESK)
def export(listing_id: UUID) -> ResponseReturnValue:
    """The version as a workbook with the columns of its file."""
    listing = _here(listing_id, Act.SEE_DESK)
    with the_system().store.reading() as tx:
        body = lists.exported(tx, listing)
    return _as_file(body, f"list-{listing.valid_from}.xlsx")


def _here(listing_id: UUID, act: Act) -> Listing:
    """
    The version, where the person's role and area reach so far.

    :raises Missing: no such version
    """
    with the_system().store.reading() as tx:
        listing = kept.called(tx, listing_id)
    ask_here(act, listing.area)
    return listing


def _as_file(body: bytes, name: str) -> Response:
    response = Response(body, content_type=XLSX)
    response.headers["Content-Disposition"] = f"attachment; filename={name}"
    return response


def _day_in(said: Mapping[str, str]) -> date:
    try:
        return date.fromisoformat(said.get("valid_from", ""))
    except ValueError:
        raise BadForm("no day was given from which the list counts", zh=_("请填写启用日期")) from None


def _name_in(said: Mapping[str, str], file: str) -> str:
    return said.get("name", "").strip()[:120] or file.rpartition(".")[0][:120]
