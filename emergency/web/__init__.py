"""The pages: one application, the same rules at every door, and an answer for everything that can go wrong."""

from __future__ import annotations

import importlib
import logging
from importlib.resources import files
from typing import TYPE_CHECKING, Final

from flask import Flask, Response, jsonify, redirect, render_template, request, send_file, url_for
from flask.typing import ResponseReturnValue
from flask_wtf.csrf import CSRFError
from werkzeug.exceptions import HTTPException, InternalServerError, TooManyRequests
from werkzeug.middleware.proxy_fix import ProxyFix

from emergency.domain.people import NotAllowed
from emergency.errors import Conflict, Missing, Refused, Unavailable
from emergency.web import access, hours, lapsing, showing, words
from emergency.web.access import public_page
from emergency.web.words import _

if TYPE_CHECKING:
    from emergency.system import System

log = logging.getLogger(__name__)

BLUEPRINTS: Final = (
    "access", "console", "ordering", "deciding", "amending", "bulletins", "uploads", "causing", "consulting",
    "portal", "phone", "review", "public", "api", "pulling", "judging",
    "exercising", "routes", "letters", "listing", "calling", "reaching", "settling", "boards", "arithmetic",
)  # fmt: skip
HTMX: Final = files("js_lib_htmx") / "static" / "htmx" / "htmx.min.js"
A_DAY: Final = 24 * 3600  # seconds


def create_app(system: System) -> Flask:
    """
    The application over this system.

    :raises Misconfigured: a route does not say who may call it, or a catalogue contradicts itself
    """
    app = Flask(__name__)
    app.extensions["system"] = system
    if before := system.settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=before, x_proto=before, x_host=before)  # type: ignore[method-assign]  # as Flask documents it
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    words.set_up(app)
    showing.set_up(app)
    hours.set_up(app)
    lapsing.set_up(app)
    for name in BLUEPRINTS:
        app.register_blueprint(importlib.import_module(f"emergency.web.{name}").bp)
    app.add_url_rule("/vendor/htmx.min.js", "htmx", public_page(_htmx))
    app.add_url_rule("/favicon.ico", "icon", public_page(_icon))
    access.set_up(app)
    _answers(app)
    return app


def _htmx() -> Response:
    """The one script we did not write, from its wheel."""
    response = send_file(str(HTMX), mimetype="text/javascript", max_age=A_DAY, conditional=True)
    response.headers["Cache-Control"] = f"public, max-age={A_DAY}"
    return response


def _icon() -> ResponseReturnValue:
    """The icon for browsers that ask at the old address, on pages that name none."""
    return redirect(url_for("static", filename="icon.svg"), 301)


def _route() -> str:
    """Which route was asked for: a path as it came may hold a phone link's token, and logs hold none."""
    return request.url_rule.rule if request.url_rule else ""


def _answers(app: Flask) -> None:
    """What each root of error looks like to the person who met it."""

    def missing(_error: Missing) -> ResponseReturnValue:
        return _said(404, _("没有这个页面"), _("地址可能写错了，或者内容已不在这里。"))

    def not_allowed(error: NotAllowed) -> ResponseReturnValue:
        log.info("web.not_allowed", extra={"path": _route(), "because": str(error)})
        return _said(403, _("您无权查看或操作此处"), _("您的角色或所属区域无权进行此操作。需要时请联系系统管理员。"))

    def refused(error: Refused) -> ResponseReturnValue:
        return _said(422, _("没有做成"), showing.refusal(error))

    def conflict(_error: Conflict) -> ResponseReturnValue:
        return _said(409, _("有人先您一步"), _("同时有人更新了这里，您的操作没有生效。请查看最新情况后再决定。"))

    def unavailable(error: Unavailable) -> ResponseReturnValue:
        log.warning("web.unavailable", extra={"path": _route(), "because": str(error)})
        return _said(503, _("暂时不可用"), _("数据库或外部服务没有应答。已保存的内容不受影响，请稍后再试。"))

    def stale_form(_error: CSRFError) -> ResponseReturnValue:
        return _said(400, _("页面已过期"), _("为防止冒用，表单只在本次登录内有效。请返回、刷新页面后重新提交。"))

    def too_often(_error: TooManyRequests) -> ResponseReturnValue:
        return _said(429, _("尝试过于频繁"), _("请稍等一分钟再试。"))

    def http(error: HTTPException) -> ResponseReturnValue:
        if error.response is not None or (error.code or 500) < 400:
            return error
        if error.code == 404:
            return _said(404, _("没有这个页面"), _("地址可能写错了，或者内容已不在这里。"))
        if error.code == 401:
            return _said(401, _("请先登录"), _("登录已失效或尚未登录。您填写的内容没有提交。"))
        if error.code == 413:
            return _said(413, _("文件太大"), _("上传的文件超过了允许的大小。"))
        return _said(error.code or 500, _("请求无法处理"), error.name)

    def broken(_error: InternalServerError) -> ResponseReturnValue:
        return _said(500, _("系统出错"), _("这次操作没有完成，问题已记入日志。紧急时请按电话名单人工通知。"))

    app.register_error_handler(Missing, missing)
    app.register_error_handler(NotAllowed, not_allowed)
    app.register_error_handler(Refused, refused)
    app.register_error_handler(Conflict, conflict)
    app.register_error_handler(Unavailable, unavailable)
    app.register_error_handler(CSRFError, stale_form)
    app.register_error_handler(TooManyRequests, too_often)
    app.register_error_handler(HTTPException, http)
    app.register_error_handler(InternalServerError, broken)


def _said(status: int, title: str, words: str) -> ResponseReturnValue:
    if request.path.startswith("/api/"):
        answer = jsonify(type="about:blank", title=title, status=status, detail=words)
        answer.headers["Content-Type"] = "application/problem+json"
        return answer, status
    return render_template("errors/said.html", title=title, words=words, status=status), status
