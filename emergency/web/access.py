"""Who may call which door: every route declares it, one place asks, and nothing is open by accident."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast
from urllib.parse import urlsplit

from flask import (
    Blueprint,
    Flask,
    Response,
    abort,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_wtf.csrf import CSRFProtect

from emergency import passwords
from emergency.domain.people import ACTS, Act, NotAllowed, Person, Role, ask, may
from emergency.errors import Misconfigured, Missing
from emergency.web.words import _

if TYPE_CHECKING:
    from emergency.system import System

View = TypeVar("View", bound=Callable[..., Any])

SHIFT: Final = timedelta(hours=12)  # how long a sign-in lasts: one duty shift
SMALL_BODY: Final = 512 * 1024  # bytes; forms and JSON
UPLOAD_BODY: Final = 12 * 1024 * 1024  # bytes; routes that take a file say so
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
STAFF: Final = frozenset({Role.DUTY_OFFICER, Role.APPROVER, Role.INSPECTOR, Role.REVIEWER, Role.ADMIN})
MODEST_TRIES: Final = "10 per minute; 60 per hour"  # of one address at one sign-in name


@dataclass(frozen=True)
class Door:
    """
    What a route asks of its caller.

    ``kind``: act (a signed-in person whose role includes ``act``), person (any signed-in person), public, link (the
    token in the address is the right), key (a machine key with ``scope``) or signature (the view checks a signed body).
    """

    kind: str
    act: Act | None = None
    scope: str = ""


def open_to(act: Act) -> Callable[[View], View]:
    """Open to signed-in people whose role includes the act; the view still asks for the area of what it shows."""
    return _declared(Door("act", act=act))


def open_to_people(view: View) -> View:
    """Open to anybody who has signed in."""
    return _declared(Door("person"))(view)


def public_page(view: View) -> View:
    """Open to everybody."""
    return _declared(Door("public"))(view)


def by_link(view: View) -> View:
    """Open to whoever holds the address; it carries no session, so there is nothing to forge."""
    return _declared(Door("link"))(view)


def by_key(scope: str) -> Callable[[View], View]:
    """Open to machines with a key of this scope."""
    return _declared(Door("key", scope=scope))


def by_signature(view: View) -> View:
    """Open to whoever signs the body rightly; the view checks the signature itself."""
    return _declared(Door("signature"))(view)


def takes_files(view: View) -> View:
    """Let this route take up to 12 MB; all others take forms only."""
    cast("Any", view).__takes__ = UPLOAD_BODY
    return view


def limited(limits: str, *, by: Callable[[], str] = get_remote_address) -> Callable[[View], View]:
    """Let this route be called so often only, e.g. ``"30 per minute"``, counted by what ``by`` returns."""

    def mark(view: View) -> View:
        cast("Any", view).__limited__ = (limits, by)
        return view

    return mark


def _declared(door: Door) -> Callable[[View], View]:
    def mark(view: View) -> View:
        cast("Any", view).__door__ = door
        return view

    return mark


def doors(app: Flask) -> Mapping[str, Door]:
    """
    Endpoint → what it asks.

    :raises Misconfigured: a route says nothing of who may call it
    """
    found: dict[str, Door] = {}
    for rule in app.url_map.iter_rules():
        door = getattr(app.view_functions[rule.endpoint], "__door__", None)
        if rule.endpoint == "static" or rule.endpoint.startswith("openapi."):
            door = door or Door("public")
        if not isinstance(door, Door):
            raise Misconfigured(f"route {rule.rule} ({rule.endpoint}) does not declare who may call it")
        found[rule.endpoint] = door
    return found


def the_system() -> System:
    """The system behind the pages."""
    return cast("System", current_app.extensions["system"])


def current_person() -> Person | None:
    """Whoever has signed in, read once a request; None when nobody has or may any more."""
    if "person" not in g:
        g.person = _from_session()
    return cast("Person | None", g.person)


def the_person() -> Person:
    """
    Whoever has signed in.

    :raises NotAllowed: nobody has
    """
    person = current_person()
    if person is None:
        raise NotAllowed("nobody has signed in")
    return person


def ask_here(act: Act, area: str) -> Person:
    """
    The signed-in person, if their role and area reach so far.

    :raises NotAllowed: they do not
    """
    person = the_person()
    ask(person, act, area)
    return person


def may_here(act: Act, area: str) -> bool:
    """Whether to show a button: the signed-in person's role includes the act and the area is theirs or below."""
    person = current_person()
    return person is not None and may(person, act, area)


def confirmed(password: str) -> bool:
    """Whether this is the signed-in person's own password, asked again before a signature."""
    with the_system().store.reading() as tx:
        person, kept = tx.person_called(the_person().login)
    return person.active and passwords.fits(password, kept)


def home_of(person: Person | None) -> str:
    """Where this person's work begins."""
    if person is None:
        return "/public"
    return "/console" if person.role in STAFF else "/portal"


def csp_nonce() -> str:
    """A nonce for one inline style of this page; asked for only by pages that must not load a second file."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _from_session() -> Person | None:
    login, seal = session.get("login"), session.get("seal")
    if not isinstance(login, str) or not isinstance(seal, str):
        return None
    with the_system().store.reading() as tx:
        try:
            person, kept = tx.person_called(login)
        except Missing:
            return None
    return person if person.active and hmac.compare_digest(seal, _seal(kept)) else None


def _seal(password_hash: str) -> str:
    """What ties a session to the password it began with: changing the password ends every session."""
    return hashlib.sha256(f"session:{password_hash}".encode()).hexdigest()[:32]


# --- the doors of this module

bp = Blueprint("access", __name__)


def _tries_of() -> str:
    return f"{get_remote_address()}:{request.form.get('login', '').strip().lower()[:80]}"


@bp.get("/")
@public_page
def front() -> ResponseReturnValue:
    """Everybody's front door: to where their work begins."""
    return redirect(home_of(current_person()))


@bp.get("/sign-in")
@public_page
def sign_in_page() -> ResponseReturnValue:
    """The form."""
    if (person := current_person()) is not None:
        return redirect(_onward(request.args.get("next", ""), person))
    return render_template("console/sign_in.html", login="", refused="", onward=request.args.get("next", ""))


@bp.post("/sign-in")
@public_page
@limited(MODEST_TRIES, by=_tries_of)
def sign_in() -> ResponseReturnValue:
    """Begin a session; an unknown name and a wrong password get the same answer after the same work."""
    login = request.form.get("login", "").strip()
    with the_system().store.reading() as tx:
        try:
            person, kept = tx.person_called(login)
        except Missing:
            person, kept = None, current_app.extensions["nobody"]
    if not passwords.fits(request.form.get("password", "")[:200], kept) or person is None or not person.active:
        said = _("用户名或密码不正确")
        onward = request.form.get("next", "")
        return render_template("console/sign_in.html", login=login, refused=said, onward=onward), 403
    session.clear()  # whatever somebody planted before the sign-in ends here
    session.permanent = True
    session["login"], session["seal"] = person.login, _seal(kept)
    g.person = person
    return redirect(_onward(request.form.get("next", ""), person), 303)


@bp.post("/sign-out")
@public_page
def sign_out() -> ResponseReturnValue:
    """End the session."""
    session.clear()
    return redirect(url_for("access.sign_in_page"), 303)


def _onward(said: str, person: Person) -> str:
    """A path of our own, or where the person's work begins; never another site."""
    parts = urlsplit(said)
    ours = said.startswith("/") and not said.startswith(("//", "/\\")) and not parts.netloc and "\\" not in said
    return said if ours and said != "/" else home_of(person)


# --- putting it in place


def set_up(app: Flask) -> None:
    """Sessions, CSRF, limits, headers and the one place that asks at every door; call it after the last blueprint."""
    system = app.extensions["system"]
    app.config.update(
        SECRET_KEY=system.settings.secret_key,
        SESSION_COOKIE_NAME="emergency",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=system.settings.production,
        PERMANENT_SESSION_LIFETIME=SHIFT,
        MAX_CONTENT_LENGTH=SMALL_BODY,
        MAX_FORM_MEMORY_SIZE=SMALL_BODY,
        WTF_CSRF_CHECK_DEFAULT=False,
        WTF_CSRF_TIME_LIMIT=None,  # the token lives as long as its session
        WTF_CSRF_SSL_STRICT=False,  # SameSite and the token stand; Referrer-Policy sends no referrer to check
    )
    app.extensions["nobody"] = passwords.nobodys()
    csrf = CSRFProtect(app)
    spellings = system.broker.spellings
    storage = spellings.limits if spellings else "memory://"
    # with the broker away the limits count in this process: signing in must work in the night Redis is down
    limiter = Limiter(get_remote_address, app=app, storage_uri=storage, in_memory_fallback_enabled=bool(spellings))
    counted: set[str] = set()
    for endpoint, view in list(app.view_functions.items()):
        if marked := getattr(view, "__limited__", None):
            limits, by = marked
            app.view_functions[endpoint] = cast("Any", limiter.limit(limits, key_func=by)(view))
            counted.add(endpoint)
    limiter.request_filter(lambda: request.endpoint not in counted)
    known = doors(app)
    app.extensions["doors"] = known
    app.jinja_env.globals.update(
        current_person=current_person, may_here=may_here, csp_nonce=csp_nonce, Act=Act, system=system
    )

    def ask_at_the_door() -> ResponseReturnValue | None:
        door = known.get(request.endpoint or "")
        if door is None:
            return None  # no such page: the error handler answers
        view = app.view_functions[request.endpoint or ""]
        request.max_content_length = getattr(view, "__takes__", SMALL_BODY)
        if door.kind == "key":
            _machine_with(door.scope)
        if door.kind in ("act", "person"):
            person = current_person()
            if person is None:
                return _sign_in_first()
            if door.act is not None and door.act not in ACTS[person.role]:
                raise NotAllowed(f"{person.login} ({person.role.value}) may not {door.act.value}")
        if door.kind in ("act", "person", "public") and request.method not in SAFE:
            csrf.protect()
        return None

    app.before_request(ask_at_the_door)
    app.after_request(_guarded)


def _sign_in_first() -> ResponseReturnValue:
    if request.method in SAFE and not request.path.startswith("/api/"):
        if request.headers.get("HX-Request"):  # a polled part of a page: leave it to the page to ask
            return Response(status=204, headers={"HX-Refresh": "true"})
        return redirect(url_for("access.sign_in_page", next=request.full_path.rstrip("?")))
    return abort(401)


def _machine_with(scope: str) -> None:
    """Let a machine pass whose bearer key is known for this scope; with no key configured there is none to know."""
    settings = the_system().settings
    said = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    digest = hashlib.sha256(said.encode()).hexdigest()
    known = [
        name
        for name, one in settings.api_keys.items()
        if said and hmac.compare_digest(digest, hashlib.sha256(str(one.get("key", "")).encode()).hexdigest())
    ]
    may_pass = [name for name in known if scope in settings.scopes(name)]
    if not may_pass:
        abort(401)
    g.machine = may_pass[0]


def _guarded(response: Response) -> Response:
    """Headers of every answer; a page that set its own keeps it."""
    styles = f"'self' 'nonce-{g.csp_nonce}'" if "csp_nonce" in g else "'self'"
    response.headers.setdefault(
        "Content-Security-Policy",
        f"default-src 'none'; script-src 'self'; style-src {styles}; img-src 'self' data:; font-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    )
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("X-Frame-Options", "DENY")
    response.headers.setdefault("Referrer-Policy", "no-referrer")
    response.headers.setdefault("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
    response.headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    if current_app.config["SESSION_COOKIE_SECURE"]:
        response.headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if "Cache-Control" in response.headers:
        return response  # it says so itself, and no session is asked for its sake
    if session.get("login") or request.endpoint == "access.sign_in_page":
        response.headers["Cache-Control"] = "no-store"
    return response
