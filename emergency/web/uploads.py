"""A forecast bulletin as a file: chosen, shown day by day before anything counts, then kept."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Final

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from emergency.domain.people import Act
from emergency.feeds import Parsed, table
from emergency.services import uploading
from emergency.store import raw
from emergency.web import showing
from emergency.web.access import open_to, takes_files, the_person, the_system
from emergency.web.arriving import MOST_BYTES
from emergency.web.describing import XLSX
from emergency.web.fields import BadForm, for_field, moment_in
from emergency.web.refusals import because
from emergency.web.words import _

bp = Blueprint("uploads", __name__)
bp.add_app_template_filter(because, "because")

KINDS: Final = {
    "xlsx": XLSX,
    "csv": "text/csv; charset=utf-8",
}


@bp.get("/console/uploads/new")
@open_to(Act.ENTER_AIR)
def new_upload() -> ResponseReturnValue:
    """The form: which file, from whom."""
    return _form()


def _form(*, refused: str = "", typed: Mapping[str, str] | None = None) -> str:
    system = the_system()
    with system.store.reading() as tx:
        place, _area = uploading.ask_for(tx, system.rules, the_person())
    return render_template(
        "console/upload.html",
        whose=place,
        refused=refused,
        typed=typed or {"issued_at": for_field(showing.now())},
        most=MOST_BYTES // 1024 // 1024,
    )


@bp.get("/console/uploads/template.<kind>")
@open_to(Act.ENTER_AIR)
def template(kind: str) -> ResponseReturnValue:
    """A table to fill in, with a guide where the kind has room for one."""
    if kind not in KINDS:
        abort(404)
    made = table.template_xlsx if kind == "xlsx" else table.template_csv
    response = Response(made(today=showing.local(showing.now()).date()), content_type=KINDS[kind])
    response.headers["Content-Disposition"] = f"attachment; filename=forecast.{kind}"
    return response


@bp.post("/console/uploads/new")
@open_to(Act.ENTER_AIR)
@takes_files
def look() -> ResponseReturnValue:
    """Read the file and show what it says; it lies by its hash, and nothing of it counts yet."""
    system, person, said, at = the_system(), the_person(), request.form, showing.now()
    try:
        source, issued_at = _source_in(said), _issued_in(said, at)
        upload = request.files.get("file")
        content = upload.stream.read(MOST_BYTES + 1) if upload else b""
        name = (upload.filename or "") if upload else ""
        if not content:
            raise BadForm("no file was chosen", zh=_("请选择文件"))
        if len(content) > MOST_BYTES:
            raise BadForm("the file is too large", zh=_("文件不得超过 %(n)d MB", n=MOST_BYTES // 1024 // 1024))
        sha256 = system.store.run(
            lambda tx: uploading.lay_by(tx, system.rules, content, source=source, file=name, by=person, now=at)
        )
        place, parsed = _read(content, source, issued_at, at)
    except BadForm as refused:
        return _form(refused=showing.refusal(refused), typed=said), 422
    mine = [one for one in parsed.forecasts if one.place == place]
    page = render_template(
        "console/upload_look.html",
        whose=place,
        mine=mine[0] if mine else None,
        others=sorted({one.place for one in parsed.forecasts} - {place}),
        refused=parsed.refused,
        sha256=sha256,
        source=source,
        number=said.get("number", "").strip()[:80],
        issued_at=issued_at,
        file_name=name[:200],
    )
    return page, 200 if mine else 422


@bp.post("/console/uploads/keep")
@open_to(Act.ENTER_AIR)
def keep() -> ResponseReturnValue:
    """Keep what was shown: the file is read again by its hash, so nothing in between can have changed it."""
    system, person, said, at = the_system(), the_person(), request.form, showing.now()
    try:
        source, issued_at, sha256 = _source_in(said), _issued_in(said, at), said.get("sha256", "")
        with system.store.reading() as tx:
            uploading.ask_for(tx, system.rules, person)
            content = raw.body(tx, sha256)
        _place, parsed = _read(content, source, issued_at, at)
        number = said.get("number", "").strip()[:80]
        new = system.store.run(
            lambda tx: uploading.keep(
                tx, system.rules, parsed.forecasts, parsed.refused, sha256=sha256, number=number, by=person, now=at
            )
        )
    except (BadForm, uploading.NothingToKeep) as refused:
        return _form(refused=showing.refusal(refused), typed=said), showing.status_of(refused)
    if new:
        system.broker.wake("weigh")
        flash(_("预报已保存，规则随即研判。"), "ok")
    else:
        flash(_("该来源这次发布的预报已在系统中，没有新内容。"), "ok")
    return redirect(url_for("console.now"), 303)


def _read(content: bytes, source: str, issued_at: datetime, now: datetime) -> tuple[str, Parsed]:
    """What the file says, and the place whose air this person puts in."""
    system = the_system()
    with system.store.reading() as tx:
        place, _area = uploading.ask_for(tx, system.rules, the_person())
    bands = table.bands_of(system.rules.standards)
    feed = f"{uploading.FEED}{source}"[:40]
    return place, table.read(content, feed=feed, place=place, categories=bands, issued=issued_at, now=now)


def _source_in(said: Mapping[str, str]) -> str:
    found = said.get("source", "").strip()
    if not found or len(found) > 30:
        raise BadForm("the source is missing or longer than 30 characters", zh=_("请填写来源，不超过 30 字"))
    return found


def _issued_in(said: Mapping[str, str], now: datetime) -> datetime:
    found = moment_in(said, "issued_at").astimezone(UTC)
    if found > now:
        raise BadForm("it was issued in the future", zh=_("发布时间不能晚于现在"))
    return found


