"""The doors for machines: health, figures, receipts, air in, episodes and decisions; errors are problem documents."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from functools import cache
from typing import Any, Final, TypeVar
from uuid import UUID

from flask import Blueprint, Response, abort, jsonify, request
from flask.typing import ResponseReturnValue
from prometheus_client import CollectorRegistry, Gauge, generate_latest
from werkzeug.exceptions import HTTPException

from emergency.channels import signing
from emergency.channels.signing import BadSignature
from emergency.domain.episode import Decision, Move
from emergency.domain.forecast import Forecast
from emergency.domain.level import Level
from emergency.domain.overtaken import Anyway, Overtaken, RuleMovedOn
from emergency.domain.people import Act, NotAllowed
from emergency.domain.signing import NotEntitled, OwnProposal
from emergency.errors import Conflict, EmergencyError, Missing, Refused, Unavailable
from emergency.feeds.table import bands_of
from emergency.services import amending, decisions, dispatch, intake, overtaking, reviews, verifying, watch
from emergency.store import Tx, desk, migrating, portal, record
from emergency.web import describing, lapsing
from emergency.web.access import (
    SMALL_BODY,
    ask_here,
    by_key,
    by_signature,
    confirmed,
    open_to,
    public_page,
    takes_files,
    the_person,
    the_system,
)
from emergency.web.arriving import (
    MOST_BYTES,
    ApprovalIn,
    ForecastIn,
    ObservationIn,
    ProposalIn,
    ReceiptIn,
    Refusal,
    RejectionIn,
    Sifted,
    is_table,
    of_table,
    read,
    sifted,
)
from emergency.web.describing import V1
from emergency.web.keyed import KeyReused, KeyTooLong, machine_name, once
from emergency.web.refusals import because
from emergency.web.words import spoken

bp = Blueprint("api", __name__)
LONGEST_WINDOW: Final = 3650  # days
LONGEST_PLACE: Final = 80  # characters
View = TypeVar("View", bound=Callable[..., ResponseReturnValue])


# --- saying no


def problem(status: int, title: str, detail: str = "", **more: object) -> Response:
    """An error as application/problem+json (RFC 9457)."""
    answer = jsonify(type="about:blank", title=title, status=status, detail=detail, **more)
    answer.status_code = status
    answer.headers["Content-Type"] = "application/problem+json"
    return answer


@bp.errorhandler(EmergencyError)
def refused(error: EmergencyError) -> ResponseReturnValue:
    """Each root of error with its status."""
    match error:
        case BadSignature():
            return problem(401, "Not signed", "The signature or its timestamp does not fit.")
        case KeyReused():
            return problem(422, "Key used before", str(error))
        case KeyTooLong():
            return problem(422, "Key too long", str(error))
        case Missing():
            return problem(404, "Not found", "There is no such thing, or not for this caller.")
        case Conflict():
            return problem(409, "Somebody was first", "Look again at what is there now, then decide.")
        case Unavailable():
            return problem(503, "Unavailable", "Nothing was kept; try again.")
        case RuleMovedOn(found=found):
            return problem(422, "The rule has moved on", str(error), detail_zh=error.zh, rule_now=said_now(found))
        case Refused():
            status = 403 if isinstance(error, NotAllowed | OwnProposal | NotEntitled) else 422
            return problem(status, "Refused", str(error), detail_zh=error.zh)
        case _:
            raise error


@bp.errorhandler(HTTPException)
def http(error: HTTPException) -> ResponseReturnValue:
    """What Flask refuses by itself."""
    if error.response is not None:
        return error
    return problem(error.code or 500, error.name, error.description or "")


# --- health


@bp.get("/healthz")
@public_page
def healthz() -> ResponseReturnValue:
    """The process answers."""
    return jsonify(ok=True)


@bp.get("/readyz")
@public_page
def readyz() -> ResponseReturnValue:
    """Whether everything behind the process answers; 503 with the checks that failed."""
    checks = _checks()
    return jsonify(ok=all(one["ok"] for one in checks), checks=checks), 200 if all(one["ok"] for one in checks) else 503


def _checks() -> list[dict[str, Any]]:
    system, checks = the_system(), []

    def check(name: str, ok: bool, detail: str) -> None:
        checks.append({"name": name, "ok": ok, "detail": detail})

    try:
        with system.store.reading() as tx:
            at, beats = portal.schema_version(tx), tx.heartbeats()
    except Unavailable as found:
        check("database", False, type(found).__name__)
        return checks
    check("database", True, system.store.dialect)
    check("migrations", at == _newest(), at or "none was ever run")
    known = system.broker.spellings is not None
    check("broker", not known or system.broker.ping(), "none is set up" if not known else "")
    wall = system.wall.now()
    silent = {name for name, _ in watch.late(beats, wall=wall)}
    for name in watch.LATE_AFTER:
        check(name, name not in silent, beats[name][0].isoformat() if name in beats else "never")
    return checks


@cache
def _newest() -> str:
    return migrating.newest()


@bp.get("/metrics")
@public_page
def metrics() -> ResponseReturnValue:
    """Counts and ages in the Prometheus text format; no name and no number of anybody is in it."""
    system = the_system()
    with system.store.reading() as tx:
        found = portal.figures(tx)
    wall, registry = system.wall.now(), CollectorRegistry()
    messages = Gauge("emergency_messages", "Messages by channel and state", ["channel", "state"], registry=registry)
    for (channel, state), count in found.messages.items():
        messages.labels(channel, state).set(count)
    orders = Gauge("emergency_orders", "Orders by status", ["status"], registry=registry)
    for status, count in found.orders.items():
        orders.labels(status).set(count)
    oldest = Gauge("emergency_oldest_ready_seconds", "Age of the oldest message waiting to leave", registry=registry)
    oldest.set((wall - found.oldest_ready).total_seconds() if found.oldest_ready else 0)
    beats = Gauge(
        "emergency_heartbeat_age_seconds", "Since something last said it is alive", ["name"], registry=registry
    )
    for name, at in found.heartbeats.items():
        beats.labels(name).set((wall - at).total_seconds())
    return Response(generate_latest(registry), content_type="text/plain; version=0.0.4; charset=utf-8")


# --- receipts


@bp.post(f"{V1}/receipts/<channel>")
@by_signature
def receipt(channel: str) -> ResponseReturnValue:
    """A provider's word about one message; early, late, twice or unknown, it does no harm."""
    system = the_system()
    names = (system.channels[channel].providers if channel in system.channels else ()) or (channel,)
    body = request.get_data()
    stamped, signed = request.headers.get(signing.TIMESTAMP, ""), request.headers.get(signing.SIGNATURE, "")
    provider = _signed_by(names, stamped, body, signed)
    said = read(ReceiptIn, body)
    known = system.store.run(
        lambda tx: dispatch.note_receipt(
            tx,
            channel,
            said.receipt,
            provider=provider if len(names) > 1 else "",
            message_id=said.message_id,
            says=said.status,
            civil=system.clock.now(),
            wall=system.wall.now(),
        )
    )
    return jsonify(known=known), 202


def _signed_by(names: Sequence[str], stamped: str, body: bytes, signed: str) -> str:
    """
    Which of a channel's providers signed this.

    :raises BadSignature: none did, or too long ago
    """
    system = the_system()
    for number, name in enumerate(names, 1):
        key = system.settings.channels.get(name, {}).get("key", "")
        try:
            signing.check(key, stamped, body, signed, now=system.wall.now())
        except BadSignature:
            if number == len(names):
                raise
        else:
            return name
    raise BadSignature("the channel has no provider")


# --- air in


@bp.post(f"{V1}/forecasts")
@by_key("forecasts")
@takes_files
def forecasts() -> ResponseReturnValue:
    """
    Forecasts from a machine: good records are kept once, bad ones come back with where and why. Another content under
    the same issue time is a correction, kept beside the first and judged from then on.

    JSON, or a bulletin as XLSX or CSV; which of them is told by the bytes, for senders' headers are often wrong.
    """
    now, body = the_system().clock.now(), request.get_data()
    of_file = is_table(body)
    if len(body) > (MOST_BYTES if of_file else SMALL_BODY):
        abort(413)
    found = _of_file(body, now) if of_file else _of_json(body, now)
    return _taken(found, lambda tx: intake.keep_air(tx, found.good, [], now=now))


def _of_json(body: bytes, now: datetime) -> Sifted[Forecast]:
    feed, sha, standards = machine_name(), hashlib.sha256(body).hexdigest(), the_system().rules.standards

    def value(one: ForecastIn) -> Forecast:
        return replace(one.value(feed, now=now, standards=standards), raw_sha256=sha)

    return sifted(body, "forecasts", ForecastIn, value)


def _of_file(body: bytes, now: datetime) -> Sifted[Forecast]:
    return of_table(
        body, feed=machine_name(), place=_place_asked(), issued_at=request.args.get("issued_at", ""),
        categories=bands_of(the_system().rules.standards), now=now,
    )  # fmt: skip


def _place_asked() -> str:
    """Whose air a row is of that names none: the place behind the question mark, else the one this desk judges."""
    asked = request.args.get("place", "").strip()[:LONGEST_PLACE]
    return asked or next(iter(the_system().rules.places.values()), "")


@bp.post(f"{V1}/observations")
@by_key("observations")
def observations() -> ResponseReturnValue:
    """Measured air from a machine, as above."""
    feed, now = machine_name(), the_system().clock.now()
    standards = the_system().rules.standards
    found = sifted(
        request.get_data(), "observations", ObservationIn, lambda one: one.value(feed, now=now, standards=standards)
    )
    return _taken(found, lambda tx: intake.keep_air(tx, [], found.good, now=now))


def _refused(one: Refusal) -> dict[str, str]:
    """Where and why a record was not taken; the reason in both languages."""
    with spoken("zh"):
        return {**asdict(one), "reason_zh": because(one.reason)}


def _taken(found: Sifted[Any], keep: Callable[[Tx], int]) -> ResponseReturnValue:
    """Keep what is good beside the raw message; under a key seen before, say again what was said then."""
    system, raw, feed = the_system(), request.get_data(), machine_name()
    now, sha = system.clock.now(), hashlib.sha256(raw).hexdigest()

    def take(tx: Tx) -> dict[str, Any]:
        tx.keep_raw(sha256=sha, feed=feed, body=raw, now=now)
        tx.keep_refused(feed, sha, [(one.where, one.value, one.reason) for one in found.refused], now=now)
        return {"taken": len(found.good), "new": keep(tx), "refused": [_refused(one) for one in found.refused]}

    answer = once(take, now=now)
    if answer["new"] and not answer.get("repeated"):
        system.broker.wake("weigh")
    if answer["refused"] and not answer["taken"]:
        return problem(422, "No record was taken", "Every record was refused.", **answer)
    return jsonify(answer), 200


# --- what forecasts were worth


class BadWindow(Refused):
    """The window is no number of days from one to ten years."""

    words_zh = "时段应为1至3650天"


@bp.get(f"{V1}/verification")
@open_to(Act.SEE_DESK)
def verification() -> ResponseReturnValue:
    """Each source's figures by days ahead for a place, the caller's own where none is named."""
    system, days = the_system(), request.args.get("days", "90")
    if not (days.isdecimal() and 1 <= int(days[:6]) <= LONGEST_WINDOW):
        raise BadWindow(f"days must be from 1 to {LONGEST_WINDOW}")
    with system.store.reading() as tx:
        place = request.args.get("place") or system.rules.place_of(tx, the_person().area)
        return jsonify(verifying.told(tx, place, days=int(days), now=system.clock.now()))


# --- episodes and decisions, for people who have signed in


@bp.get(f"{V1}/episodes")
@open_to(Act.SEE_DESK)
def episodes() -> ResponseReturnValue:
    """The episodes of the caller's area and below, latest first."""
    with the_system().store.reading() as tx:
        found = record.episodes(tx, the_person().area)
    return jsonify(episodes=[record.episode_said(one) for one in found])


@bp.get(f"{V1}/episodes/<uuid:episode_id>")
@open_to(Act.SEE_DESK)
def episode(episode_id: UUID) -> ResponseReturnValue:
    """One episode with its decisions, orders by status, journal, and what a review of it points at."""
    with the_system().store.reading() as tx:
        ask_here(Act.SEE_DESK, portal.episode(tx, episode_id).area)
        flags = reviews.flags(tx, the_system().rules, episode_id)
        told = record.told(tx, episode_id)
        waiting = tx.waiting_decision(episode_id)
        rules, now = the_system().rules, the_system().clock.now()
        found = overtaking.look(tx, rules, waiting, now=now) if waiting else None
        mute = overtaking.mute(tx, rules, waiting, now=now) if waiting else False
        names = desk.names(tx)
        over = {str(one.id): lapsing.in_both(one, names) for one in tx.decisions(episode_id)}
        for one in told["decisions"]:
            waits = waiting is not None and one["id"] == str(waiting.id)
            one |= {"rule_now": said_now(found if waits else None), "rule_mute": mute and waits, **over[one["id"]]}
        return jsonify({**told, "flags": reviews.flags_said(flags)})


def said_now(found: Overtaken | None) -> dict[str, Any] | None:
    """What the rule says now of a proposal it no longer agrees with, as JSON; null while it does."""
    if found is None:
        return None
    return {"key": found.key, "how": found.how.value, "level": found.level.word, "assessment": found.assessment}


@bp.post(f"{V1}/decisions")
@open_to(Act.PROPOSE)
def propose() -> ResponseReturnValue:
    """A person's own proposal, to be signed by another; an adjustment of measures names each change."""
    system, said, by = the_system(), read(ProposalIn, request.get_data()), the_person()
    ask_here(Act.PROPOSE, said.area)
    told: dict[str, Any] = {
        "area": said.area, "by": by, "now": system.clock.now(), "reason": said.reason, "number": said.number,
        "effective_at": said.effective_at,
    }  # fmt: skip

    def put(tx: Tx) -> Decision:
        if said.amendments:
            return amending.propose(tx, system.rules, changes=[one.value() for one in said.amendments], **told)
        return decisions.propose(
            tx, system.rules, move=Move(said.move), level=Level.named(said.level), open_ended=said.open_ended,
            expected_end_at=said.expected_end_at, override_because=said.override_because, **told,
        )  # fmt: skip

    done = system.store.run(put)
    system.wake_drains()
    return jsonify(_decided(done)), 201


@bp.post(f"{V1}/decisions/<uuid:decision_id>/approval")
@open_to(Act.DECIDE)
def approve(decision_id: UUID) -> ResponseReturnValue:
    """Sign a proposal: the hash of what was read, and the signer's password again."""
    system, said = the_system(), read(ApprovalIn, request.get_data())
    if not confirmed(said.password):
        return problem(403, "Wrong password", "Nothing was signed.")
    done = decisions.sign(
        system.store,
        system.rules,
        decision_id,
        by=the_person(),
        content=said.content,
        now=system.clock.now(),
        anyway=Anyway(said.rule_now, said.because),
    )
    system.wake_drains()
    return jsonify(_decided(done))


@bp.post(f"{V1}/decisions/<uuid:decision_id>/rejection")
@open_to(Act.DECIDE)
def reject(decision_id: UUID) -> ResponseReturnValue:
    """Turn a proposal down, with a reason."""
    system, said = the_system(), read(RejectionIn, request.get_data())
    now = system.clock.now()
    done = system.store.run(
        lambda tx: decisions.reject(tx, decision_id, by=the_person(), because=said.because, now=now)
    )
    return jsonify(_decided(done))


def _decided(done: Decision) -> dict[str, Any]:
    return {**record.decision_said(done), **lapsing.in_both(done, {})}


# --- the description


@bp.get(f"{V1}/openapi.json")
@public_page
def openapi() -> ResponseReturnValue:
    """This interface, described."""
    return jsonify(describing.document())
