"""The phone page of one order and one contact: looking changes nothing, a press answers, and it needs no script."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, cast

from flask import Blueprint, Response, current_app, make_response, redirect, render_template, request
from flask.sansio.blueprints import BlueprintSetupState
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import TooManyRequests

from emergency.domain.level import Level
from emergency.domain.orders import (
    Action,
    Duty,
    Order,
    Recipient,
    RecipientKind,
    Status,
    current,
    live_at,
    says_anew,
    unsaid,
)
from emergency.errors import Missing, Refused, Unavailable
from emergency.services import dispatch, reporting
from emergency.services.answering import Answered, Pressed, Tray
from emergency.services.links import token_sha256
from emergency.store import portal
from emergency.web import reports, showing
from emergency.web.access import by_link, the_system
from emergency.web.pacing import Pace
from emergency.web.words import N_, _, lang

bp = Blueprint("phone", __name__)

TOKEN: Final = re.compile(r"[0-9A-Za-z]{16}")
NUMBER: Final = re.compile(r"\+?\d[\d-]{5,}\d")
_STATIC: Final = Path(__file__).parent / "static"
CSS: Final = (_STATIC / "phone.css").read_text(encoding="utf-8")
SCRIPT: Final = (_STATIC / "phone.js").read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


STYLED: Final = f"default-src 'none'; style-src {_hash(CSS)}"
BOUNDS: Final = "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
POLICY: Final = f"{STYLED}; {BOUNDS}"
ANSWERING: Final = f"{STYLED}; script-src {_hash(SCRIPT)}; connect-src 'self'; {BOUNDS}"
LONGEST: Final = 1000  # characters of a reason
PACE: Final = ((30, timedelta(minutes=1)), (300, timedelta(hours=1)))  # of one link, whoever opens it

WORDS: Final[Mapping[Action, str]] = {
    Action.ACKNOWLEDGE: N_("收到"),
    Action.START: N_("已启动"),
    Action.SETTLE: N_("已落实"),
    Action.DECLINE: N_("无法执行"),
    Action.RESUME: N_("已恢复"),
    Action.REPORT: N_("日报"),
}
PROGRESS: Final = frozenset({Status.ISSUED, Status.ACKNOWLEDGED, Status.STARTED, Status.LIFTED})
MAY_DECLINE: Final = frozenset({Status.ISSUED, Status.ACKNOWLEDGED, Status.STARTED})


@dataclass(frozen=True)
class Button:
    """One answer that is open now, in the words on it."""

    action: str
    word: str


@dataclass(frozen=True)
class State:
    """How an order stands, in the words its recipient reads; ``tone`` names the colour of the band."""

    heading: str
    next: str
    tone: str
    level: str
    live: bool
    done: bool = False
    since: str = ""
    ends: str = ""  # when a release that is signed takes effect


@dataclass(frozen=True)
class Said:
    """An answer as the form gave it."""

    revision: int
    action: Action
    remark: str


class Unread(Refused):
    """The form carries no answer we know."""

    words_zh = "没有看懂这个答复，请从页面上的按钮重新选择"

    def __init__(self) -> None:
        super().__init__("We could not read this answer; please choose one of the buttons again")


def buttons(order: Order) -> tuple[Button, ...]:
    """The answers open now, the one expected next first; an objection has a form of its own."""
    return tuple(Button(action.value, _(WORDS[action])) for action in _open(order, showing.now()))


def _open(order: Order, now: datetime) -> list[Action]:
    if not live_at(order, now):
        return [Action.RESUME] if order.status is Status.LIFTED else []
    unread = order.status is Status.ISSUED or order.acknowledged_at is None
    progress = (Action.START, Action.SETTLE) if order.status in PROGRESS else ()
    return [*([Action.ACKNOWLEDGE] if unread else []), *(one for one in progress if says_anew(order, one, now))]


def decline_word(recipient: Recipient) -> str:
    """What «cannot comply» is called: an enterprise says so, a unit asks for coordination."""
    return _("无法执行") if recipient.kind is RecipientKind.ENTERPRISE else _("需协调")


def reported(form: reports.Form) -> dict[str, object]:
    """What a page needs to show and take the reports of an order."""
    return {
        "form": form, "counts": reports.COUNTED, "counted": reports.counted, "paper_words": reports.said_of,
    }  # fmt: skip


def answer_word(action: str) -> str:
    """The word of an answer that was given."""
    return _(WORDS[Action(action)])


def at_words(at: datetime | None) -> str:
    """A moment as people say it, for use inside a sentence."""
    return showing.clock_words(at, showing.now()) if at else "—"


def duty_text(duty: Duty) -> str:
    """The measure in the reader's language, in Chinese where the playbook has no other."""
    return duty.text_en if lang() == "en" and duty.text_en else duty.text


def state_of(order: Order, recipient: Recipient) -> State:
    """How the order stands and what comes next."""
    level = showing.level_word(order.level) if order.level is not Level.NONE else _("倡议（未发布预警）")
    tone = order.level.word if order.level is not Level.NONE else "none"
    heard = _("%(who)s 于 %(at)s 答复", who=order.acknowledged_by, at=at_words(order.acknowledged_at))
    if not live_at(order, showing.now()):
        lifted = at_words(order.lifted_at)
        match order.status:
            case Status.WITHDRAWN:
                said = (_("指令已撤回"), _("这条指令已作废，不需要执行，也不需要答复。"), "none")
            case Status.RESUMED:
                said = (_("已登记恢复"), _("本次应急已结束，感谢配合。"), "over")
            case _:
                said = (_("应急已解除"), _("自 %(at)s 起不再执行减排措施。恢复正常后请告诉我们。", at=lifted), "over")
        return State(said[0], said[1], said[2], "", live=False, done=True)
    match order.status:
        case Status.ISSUED:
            told = _("请先按「收到」，再按下面的措施执行。")
            return State(_("等待您的答复"), told, tone, level, live=True)
        case Status.ACKNOWLEDGED:
            return State(_("已收到"), _next(order, showing.now()), tone, level, live=True, since=heard)
        case Status.STARTED:
            return State(_("已启动"), _next(order, showing.now()), tone, level, live=True, since=heard)
        case Status.LIFTED:
            ends, since = at_words(order.lifted_at), heard if order.acknowledged_at else ""
            told = _("解除已签发，%(at)s 起生效；在此之前请继续执行下面的措施。", at=ends)
            return State(_("将于 %(at)s 解除", at=ends), told, tone, level, live=True, since=since, ends=ends)
        case Status.IN_PLACE:
            told = _("请保持措施直到解除。级别变化或解除时会再发短信。")
            return State(_("已落实"), told, tone, level, live=True, done=True, since=heard)
        case Status.EXEMPTED:
            told = _("值班人员已批准豁免，本次不需要执行以下措施。")
            heard = heard if order.acknowledged_at else ""
            return State(_("已豁免"), told, tone, level, live=True, done=True, since=heard)
        case _:
            why = order.declined_because
            told = _("值班人员正在处理您反映的情况；在答复之前，指令仍然有效。原因：%(why)s", why=why)
            if order.acknowledged_at is None:
                told, heard = f"{_('指令有了新的内容，请先按「收到」。')}{told}", ""
            return State(decline_word(recipient), told, tone, level, live=True, since=heard)


def _next(order: Order, now: datetime) -> str:
    """What to press next, and where nothing can be said yet, from when on."""
    if says_anew(order, Action.START, now):
        return _("下一步：措施开始执行后，请按「已启动」。")
    if says_anew(order, Action.SETTLE, now):
        return _("下一步：全部措施到位后，请按「已落实」。")
    begins = at_words(min(unsaid(order, Action.SETTLE, now), default=None))
    return _("下一步：%(at)s 起还有措施开始执行，开始后请再打开本页答复。", at=begins)


def said_in(form: Mapping[str, str]) -> Said:
    """
    What the form says.

    :raises Refused: no such answer, no such revision, or an objection without its reason
    """
    revision, action = form.get("revision", ""), form.get("action", "")
    counted = revision.isascii() and revision.isdigit() and len(revision) < 6
    if not counted or action not in {one.value for one in WORDS}:
        raise Unread
    remark = form.get("remark", "").strip()
    if action == Action.DECLINE.value and not remark:
        words = "Please say why, so that the duty officer can help"
        raise Refused(words, zh="请写明原因，值班人员才能帮您处理")
    if action == Action.REPORT.value and not remark:
        raise Refused("Please say what was done today", zh="请写明今天做了什么")
    if len(remark) > LONGEST:
        raise Refused("Please keep the reason within 1000 characters", zh="原因请控制在 1000 字以内")
    return Said(int(revision), Action(action), remark)


def phone_in(contact: str) -> str:
    """The first telephone number in a line like «柳江区应急办 0772-…», or nothing."""
    found = NUMBER.search(contact)
    return found.group() if found else ""


@bp.record_once
def set_up(state: BlueprintSetupState) -> None:
    """What the phones of this process share: their pace, and the tray of their answers."""
    system = state.app.extensions["system"]
    state.app.extensions |= {"pace": Pace(PACE), "tray": Tray(system.store, system.rules)}


@bp.before_request
def forget_the_token() -> None:
    """Keep the token out of whatever is logged of this request from here on: whoever reads a log could answer."""
    request.path = "/o/…"


@bp.before_request
def keep_the_pace() -> None:
    """Let one link be opened and answered only so often; being led on from an old address is neither."""
    if request.endpoint == "phone.look_again":
        return
    pace: Pace = current_app.extensions["pace"]
    one = token_sha256(str((request.view_args or {}).get("token", "")))
    if not pace.allows(one, now=the_system().wall.now()):
        raise TooManyRequests


@bp.get("/o/<token>")
@by_link
def show(token: str) -> ResponseReturnValue:
    """The order as it stands; a link preview that opens it answers nothing."""
    return _order_page(token, notice_kind=request.args.get("said", ""))


@bp.get("/o/<token>/answer")
@by_link
def look_again(token: str) -> ResponseReturnValue:
    """Somebody opened the address an answer went to, or reloaded it: show the order; nothing is answered."""
    return _plain(make_response(redirect(f"/o/{token}", 303)))


@bp.post("/o/<token>/answer")
@by_link
def answer(token: str) -> ResponseReturnValue:
    """Take the answer of the contact this link belongs to; no page is made before it is kept."""
    if not TOKEN.fullmatch(token):
        return _order_page(token)
    now = the_system().clock.now()
    try:
        said = said_in(request.form)
        if said.action is Action.REPORT:
            done = _filed(token, said, now=now)
        else:
            done = the_tray().take(Pressed(token_sha256(token), said.revision, said.action, said.remark, now))
    except Missing:  # no such link, not any more, or a revision this order never had
        return _not_taken(token, Unread())
    except Refused as refused:
        return _not_taken(token, refused)
    return _plain(make_response(redirect(f"/o/{token}?said={kind_of(done)}", 303)))


def _filed(token: str, said: Said, *, now: datetime) -> Answered:
    system, filing = the_system(), reports.filing_in(request.form, revision=said.revision, words=said.remark)
    return system.store.run(lambda tx: reporting.file_by_link(tx, system.rules, token, filing, now=now))


def the_tray() -> Tray:
    """Where this process takes the answers of phones."""
    return cast("Tray", current_app.extensions["tray"])


def _not_taken(token: str, refused: Refused) -> Response:
    """The order again with what was wrong; where the link itself is no good, that instead."""
    page = _order_page(token, error=showing.refusal(refused), typed=request.form.get("remark", "")[:LONGEST])
    if page.status_code == 200:
        page.status_code = 422
    return page


def kind_of(done: Answered) -> str:
    """Which word of thanks an answer gets."""
    if done.stale:
        return "stale"
    if done.ended:
        return "over"
    if done.early:
        return "early"
    return "thanks" if done.first else "again"


def _opened(token: str) -> dispatch.Opened | None:
    """What the link opens; None for an unknown, malformed or revoked one."""
    system = the_system()
    if not TOKEN.fullmatch(token):
        return None
    try:
        with system.store.reading() as tx:
            return dispatch.open_link(tx, token, now=system.clock.now())
    except Missing:
        return None


def _order_page(token: str, *, notice_kind: str = "", error: str = "", typed: str = "") -> Response:
    system = the_system()
    opened = _opened(token)
    if opened is None:
        with system.store.reading() as tx:
            taken_back = portal.revoked(tx, token_sha256(token))
        if taken_back:
            onward = _("请打开最近一条短信里的链接，或拨打短信里的值班电话。")
            return _closed(_("链接已停用"), _("这个链接已被收回，不能再用来答复。"), onward, 410)
        onward = _("请核对短信里的链接是否完整；仍打不开时，请拨打短信里的值班电话。")
        return _closed(_("没有这个链接"), _("地址可能少了几个字符，或者写错了。"), onward, 404)
    with system.store.reading() as tx:
        sheet = portal.sheet(tx, opened.order.id)
        form = reports.form_of(tx, sheet, request.form)
    call = phone_in(sheet.decision.notice.contact)
    label = sheet.episode.label or system.rules.label
    if opened.expired:
        onward = _("如指令仍在执行，请拨打值班电话答复。")
        return _closed(_("链接已过期"), _("这个链接已过有效期，不能再用来答复。"), onward, 410, call=call, label=label)
    to = " · ".join(filter(None, (opened.contact.name, opened.contact.role))) if opened.contact else ""
    page = render_template(
        "phone/order.html",
        sheet=sheet,
        state=state_of(sheet.order, sheet.recipient),
        buttons=buttons(sheet.order),
        may_decline=sheet.order.status in MAY_DECLINE,
        decline_word=decline_word(sheet.recipient),
        **reported(form),
        refused_action=request.form.get("action", ""),
        to=to,
        call=call,
        here=f"/o/{token}",
        notice_kind=notice_kind,
        error=error,
        typed=typed,
        duty_text=duty_text,
        answer_word=answer_word,
        at_words=at_words,
        held=current(sheet.order, system.clock.now()).ending,  # until the change takes effect it is to be done
        script=SCRIPT,
        **_frame(label),
    )
    response = _plain(make_response(page))
    response.headers["Content-Security-Policy"] = ANSWERING
    return response


def _closed(
    heading: str, explained: str, onward: str, status: int, *, call: str = "", label: str | None = None
) -> Response:
    label = the_system().rules.label if label is None else label
    page = render_template(
        "phone/closed.html", heading=heading, explained=explained, onward=onward, call=call, **_frame(label)
    )
    return _plain(make_response(page, status))


def _frame(label: str) -> dict[str, str]:
    return {"css": CSS, "language": "en" if lang() == "en" else "zh-CN", "label": label}


def _plain(response: Response) -> Response:
    """Nobody keeps this page, follows it or learns its address."""
    response.headers["Content-Security-Policy"] = POLICY
    response.headers["Cache-Control"] = "no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response.headers["X-Robots-Tag"] = "noindex, nofollow"
    return response


@bp.errorhandler(TooManyRequests)
def too_often(_error: TooManyRequests) -> ResponseReturnValue:
    """Somebody presses or guesses too fast."""
    onward = _("您之前的答复都已留存。紧急时请拨打短信里的值班电话。")
    return _closed(_("请稍等一分钟"), _("这个链接打开得太频繁了。"), onward, 429, label="")


@bp.errorhandler(Unavailable)
def unavailable(_error: Unavailable) -> ResponseReturnValue:
    """The database does not answer: say so without asking it anything more."""
    onward = _("请过几分钟再打开这个链接，或拨打短信里的值班电话答复。")
    return _closed(_("暂时打不开"), _("系统没有应答，您还没有答复成功。"), onward, 503, label="")
