"""Forecasts sent by a machine as a file: told by content, read like an upload, refused by sheet, row and column."""

from __future__ import annotations

import io
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from flask.testing import FlaskClient

from emergency.domain.forecast import Forecast
from emergency.store.tables import RefusedRow
from emergency.web.access import SMALL_BODY, UPLOAD_BODY
from emergency.web.arriving import MOST_BYTES
from tests.feeds.test_workbook import rows as workbook
from tests.feeds.test_workbook import with_part
from tests.web.test_api import PROBLEM, rows
from tests.web.test_uploads import GOOD
from tests.world import World

URL = "/api/v1/forecasts"
CSV = "日期,AQI,首要污染物\n2月9日,120~150,PM2.5\n2月10日,165,\n".encode()
XLSX = workbook(["日期", "AQI", "首要污染物"], ["2月9日", "120~150", "PM2.5"], ["2月10日", 165, ""])
ACROSS = workbook(["日期", "2月9日", "2月10日"], ["AQI", "120~150", 165], ["首要污染物", "PM2.5", ""])


def kept(world: World, place: str = "柳州") -> Forecast:
    """The only forecast of this place."""
    with world.store.reading() as tx:
        (found,) = tx.latest_forecasts(place, now=world.now)
    return found


def answered(machine: FlaskClient, body: bytes, query: str = "", **how: Any) -> tuple[int, dict[str, Any]]:
    """Status and document of the answer to this body."""
    answer = machine.post(URL + query, data=body, **how)
    assert answer.json is not None
    return answer.status_code, answer.json


BODIES = {"utf8": CSV, "gb18030": CSV.decode().encode("gb18030"), "xlsx": XLSX, "across": ACROSS}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("header", ["application/json", "text/csv", "application/x-www-form-urlencoded", ""])
def test_a_file_is_told_by_its_bytes_whatever_its_header_says(
    world: World, machine: FlaskClient, body: bytes, header: str
) -> None:
    assert answered(machine, body, content_type=header) == (200, {"taken": 1, "new": 1, "refused": []})

    found = kept(world)
    assert (found.feed, found.issued_at) == ("api-bureau", world.now.replace(minute=0, second=0, microsecond=0))
    assert [(one.aqi_low, one.aqi, one.aqi_high, one.primary) for one in found.days] == [
        (120, 135, 150, ("pm2_5",)),
        (None, 165, None, ()),
    ]


def test_json_is_read_as_ever_also_under_the_header_of_a_file(world: World, machine: FlaskClient) -> None:
    one = {"place": "来宾", "issued_at": "2015-02-08T16:00:00+08:00", "days": [{"day": "2015-02-09", "aqi": 210}]}
    said = json.dumps({"forecasts": [one]})

    assert answered(machine, said.encode("utf-8-sig"), content_type="text/csv")[0] == 200
    assert [one.aqi for one in kept(world, "来宾").days] == [210]


def test_the_place_and_the_time_of_issue_may_stand_behind_the_question_mark(
    world: World, machine: FlaskClient
) -> None:
    query = "?place=来宾&issued_at=2015-02-08T16:30:00%2B08:00"

    assert answered(machine, CSV, query)[1]["new"] == 1
    assert kept(world, "来宾").issued_at == datetime(2015, 2, 8, 8, 30, tzinfo=UTC)
    assert answered(machine, CSV, query)[1] == {"taken": 1, "new": 0, "refused": []}


@pytest.mark.parametrize(
    "issued_at", ["soon", "2015-02-08T16:30:00", "2015-02-09T16:30:00%2B08:00", "2014-02-08T16:30:00%2B08:00"]
)
def test_a_time_of_issue_that_cannot_be_is_a_problem(machine: FlaskClient, issued_at: str) -> None:
    status, said = answered(machine, CSV, f"?issued_at={issued_at}")

    assert (status, said["detail_zh"]) == (422, "issued_at 应为近期的发布时间，带时区")


def test_a_bad_cell_is_named_by_sheet_row_and_column_and_costs_no_other_day(
    world: World, machine: FlaskClient
) -> None:
    status, said = answered(machine, GOOD)

    assert (status, said["taken"], said["new"]) == (200, 1, 1)
    assert said["refused"] == [
        {
            "where": "Sheet!B3", "value": "=1+1", "reason": "a formula is not worked out: put its value there",
            "reason_zh": "是公式，系统不计算公式，请改填数值",
        }
    ]  # fmt: skip
    assert [one.aqi for one in kept(world).days] == [135, 160]
    assert rows(world, RefusedRow) == 1


DOCTYPE = b'<?xml version="1.0"?><!DOCTYPE w [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;">]><w>&b;</w>'
UNUSABLE = {
    "half a workbook": (XLSX[: len(XLSX) // 2], "the file", "cut or damaged: no XLSX workbook"),
    "an entity bomb": (with_part(XLSX, "xl/workbook.xml", DOCTYPE), "xl/workbook.xml", "a document type is not taken"),
    "a zip bomb": (with_part(XLSX, "xl/x.bin", bytes(60_000_000)), "the file", "more than 40 MB when unpacked"),
    "a half line": ("日期,AQI\n2月9日".encode(), "row 2", "1 cells under 2 headings"),
    "no bulletin": (b"<html>502</html>", "row 1", "no column day"),
    "binary": (b"\x00\x01", "byte 0", "binary, not text"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_a_file_of_which_nothing_can_be_had_is_a_problem_with_its_place(
    world: World, machine: FlaskClient, name: str
) -> None:
    body, where, reason = UNUSABLE[name]

    answer = machine.post(URL, data=body)

    assert (answer.status_code, answer.content_type) == (422, PROBLEM)
    assert answer.json is not None
    assert [(one["where"], one["reason"]) for one in answer.json["refused"]] == [(where, reason)]
    with world.store.reading() as tx:
        assert tx.latest_forecasts("柳州", now=world.now) == []


class Endless(io.RawIOBase):
    """A body that never ends, and counts what was taken of it."""

    def __init__(self) -> None:
        self.taken = 0

    def reader(self) -> io.BufferedReader:
        """The body as a server hands it on."""
        return io.BufferedReader(self)

    def readable(self) -> bool:
        """It always is."""
        return True

    def readinto(self, buffer: Any) -> int:
        """One more piece."""
        self.taken += len(buffer)
        return len(buffer)


def test_two_gigabytes_are_turned_away_by_their_length_before_a_byte_is_read(machine: FlaskClient) -> None:
    body = Endless()

    answer = machine.post(URL, environ_overrides={"wsgi.input": body.reader(), "CONTENT_LENGTH": str(2 * 1024**3)})

    assert (answer.status_code, answer.content_type) == (413, PROBLEM)
    assert body.taken == 0


def test_a_body_that_names_no_length_is_cut_off_while_it_is_read(machine: FlaskClient) -> None:
    body = Endless()

    answer = machine.post(
        URL,
        headers={"Transfer-Encoding": "chunked"},
        environ_overrides={"wsgi.input": body.reader(), "wsgi.input_terminated": True},
    )

    assert (answer.status_code, answer.content_type) == (413, PROBLEM)
    assert UPLOAD_BODY <= body.taken < 2 * UPLOAD_BODY


def test_a_bulletin_has_the_limit_of_an_upload_and_json_its_own(machine: FlaskClient) -> None:
    assert machine.post(URL, data=b"day,aqi\n" + b" " * MOST_BYTES).status_code == 413
    assert machine.post(URL, data=b"{" + b" " * SMALL_BODY).status_code == 413


def test_the_description_names_the_kinds_of_file(machine: FlaskClient) -> None:
    said = machine.get("/api/v1/openapi.json").json
    assert said is not None

    post = said["paths"][URL]["post"]
    assert len(post["requestBody"]["content"]) == 3
    assert "text/csv" in post["requestBody"]["content"]
    assert {one["name"] for one in post["parameters"]} == {"place", "issued_at", "Idempotency-Key"}
