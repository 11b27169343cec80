"""The OpenAPI document of the doors for machines: told by one table, with the models they read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Final

from flask_openapi.models import OpenAPISpec
from pydantic import BaseModel

from emergency.channels import signing
from emergency.web.arriving import (
    AcknowledgementIn,
    ApprovalIn,
    ForecastIn,
    ObjectionIn,
    ObservationIn,
    ProgressIn,
    ProposalIn,
    ReceiptIn,
    RejectionIn,
)

V1: Final = "/api/v1"
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"


@dataclass(frozen=True)
class Described:
    """What the document says of one door."""

    path: str
    method: str
    summary: str
    security: str
    takes: type[BaseModel] | None = None
    many: str = ""
    answers: Mapping[int, str] = field(default_factory=dict)
    asks: Mapping[str, str] = field(default_factory=dict)  # what may stand behind the question mark
    files: Sequence[str] = ()  # the kinds of file that are taken instead
    headers: Sequence[str] = ()  # that change what the door does


_TAKEN = {200: "What was taken, what was new, what was refused", 422: "No record was taken", 401: "No such key"}
_SEEN = {200: "Found", 401: "Nobody has signed in", 403: "Not for this person", 404: "Not found"}
_DECIDED = {200: "Decided", 403: "Not for this person", 404: "Not found", 409: "Somebody was first", 422: "Refused"}
_PULLED = {200: "Found, with its ETag", 304: "Nothing has changed since that ETag", 401: "No such key",
           404: "No order of the key's own recipients", 429: "Too often; Retry-After says how long to wait"}
_ANSWERED = {200: "Kept; outcome is recorded, repeated, early (no measure has begun), older_revision (read the order"
                  " and answer it again) or ended",
             401: "No such key", 404: "No order of the key's own recipients, or it never had that revision",
             409: "Somebody was first; send it again", 422: "Refused", 429: "Too often"}
DESCRIBED: Final = (
    Described("/receipts/{channel}", "post", "A provider's word about one message", "signature", ReceiptIn, "",
              {202: "Noted", 401: "Not signed", 422: "Not readable"}),
    Described("/forecasts", "post", "Forecasts from a machine, as JSON or as a bulletin in rows", "key", ForecastIn,
              "forecasts", _TAKEN,
              {"place": "Of a file: whose air a row is of that names none; the city's if left out",
               "issued_at": "Of a file that names no time of issue: its time with zone; the full hour if left out"},
              (XLSX, "text/csv"), ("Idempotency-Key",)),
    Described("/observations", "post", "Measured air from a machine", "key", ObservationIn, "observations", _TAKEN,
              {}, (), ("Idempotency-Key",)),
    Described("/verification", "get", "What each source's forecasts were worth, by days ahead", "session", None, "",
              {200: "Figures with their samples; what cannot be computed is null", 401: "Nobody has signed in",
               403: "Not for this person", 422: "No such window"},
              {"place": "Whose air; the caller's own if left out", "days": "Days up to yesterday, 90 if left out"}),
    Described("/episodes", "get", "Episodes of the caller's area", "session", None, "", _SEEN),
    Described("/episodes/{episode_id}", "get", "One episode with its record", "session", None, "", _SEEN),
    Described("/decisions", "post", "Propose, for another to sign; «amend» may change single measures", "session",
              ProposalIn, "",
              {201: "Proposed", 401: "Nobody has signed in", 403: "Not for this person", 404: "Not found",
               409: "Somebody was first", 422: "Refused"}),
    Described("/decisions/{decision_id}/approval", "post", "Sign a proposal; if the rule has moved on, with a reason",
              "session", ApprovalIn, "", _DECIDED),
    Described("/decisions/{decision_id}/rejection", "post", "Turn it down", "session", RejectionIn, "", _DECIDED),
    Described("/orders", "get", "A recipient's own orders, issued last first, with hours and what is owed by when",
              "key", None, "", {**_PULLED, 422: "No such page"},
              {"limit": "Orders of one page, 1 to 100; 20 if left out",
               "after": "The page behind this order: what «next» of the page before says"}, (), ("If-None-Match",)),
    Described("/orders/{order_id}", "get", "One of its orders", "key", None, "", _PULLED, {}, (), ("If-None-Match",)),
    Described("/orders/{order_id}/acknowledgement", "post", "收到, of the revision that was read", "key",
              AcknowledgementIn, "", _ANSWERED, {}, (), ("Idempotency-Key",)),
    Described("/orders/{order_id}/progress", "post", "已启动, 已落实, or after the end 已恢复", "key", ProgressIn, "",
              _ANSWERED, {}, (), ("Idempotency-Key",)),
    Described("/orders/{order_id}/objection", "post", "无法执行, with the reason; binding until an officer has ruled",
              "key", ObjectionIn, "", _ANSWERED, {}, (), ("Idempotency-Key",)),
)  # fmt: skip


@cache
def document() -> dict[str, Any]:
    """The OpenAPI document: models from pydantic, doors from the table above; its own model checks the whole."""
    schemas: dict[str, Any] = {"Problem": {"type": "object", "properties": {"title": {"type": "string"}}}}
    paths: dict[str, Any] = {}
    for one in DESCRIBED:
        operation: dict[str, Any] = {
            "summary": one.summary,
            "operationId": f"{one.method}_{one.path.strip('/').replace('/', '_').replace('{', '').replace('}', '')}",
            "security": [{one.security: []}],
            "responses": {
                str(status): {"description": words, "content": {_kind(status): {"schema": _schema(status)}}}
                for status, words in one.answers.items()
            },
            "parameters": [
                {"name": part[1:-1], "in": "path", "required": True, "schema": {"type": "string"}}
                for part in one.path.split("/")
                if part.startswith("{")
            ]
            + [
                {"name": name, "in": "query", "description": words, "schema": {"type": "string"}}
                for name, words in one.asks.items()
            ]
            + [{"name": name, "in": "header", "schema": {"type": "string"}} for name in one.headers],
        }
        if one.takes is not None:
            schema = one.takes.model_json_schema(ref_template="#/components/schemas/{model}")
            schemas |= schema.pop("$defs", {}) | {one.takes.__name__: schema}
            found: dict[str, Any] = {"$ref": f"#/components/schemas/{one.takes.__name__}"}
            if one.many:
                found = {
                    "type": "object",
                    "required": [one.many],
                    "properties": {one.many: {"type": "array", "items": found}},
                }
            a_file = {"schema": {"type": "string", "format": "binary"}}
            content = {"application/json": {"schema": found}, **dict.fromkeys(one.files, a_file)}
            operation["requestBody"] = {"required": True, "content": content}
        paths.setdefault(V1 + one.path, {})[one.method] = operation
    spec = OpenAPISpec.model_validate(
        {
            "openapi": "3.2.0",
            "info": {"title": "Emergency response to heavily polluted weather", "version": "1"},
            "paths": paths,
            "components": {
                "schemas": schemas,
                "securitySchemes": {
                    "key": {"type": "http", "scheme": "bearer"},
                    "session": {"type": "apiKey", "in": "cookie", "name": "emergency"},
                    "signature": {"type": "apiKey", "in": "header", "name": signing.SIGNATURE},
                },
            },
        }
    )
    return spec.model_dump(mode="json", by_alias=True, exclude_none=True)


def _kind(status: int) -> str:
    return "application/json" if status < 400 else "application/problem+json"


def _schema(status: int) -> dict[str, Any]:
    return {"type": "object"} if status < 400 else {"$ref": "#/components/schemas/Problem"}
