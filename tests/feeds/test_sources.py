"""Where raw messages come from: pages asked conditionally, files in a folder, and what goes wrong on the way."""

from __future__ import annotations

import gzip
import os
import socket
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer
from werkzeug import Request, Response

from emergency import feeds
from emergency.errors import Misconfigured, Unavailable
from emergency.feeds import sources
from tests.feeds.bench import AIR, PAYLOADS, a_feed, an_index, read_at

OK = PAYLOADS / "qweather" / "ok-2020-08-06.json"
NOW = read_at(OK)


def at(server: HTTPServer, path: str = "/air", kind: str = "qweather", key: str = "") -> feeds.Feed:
    # put together by hand: url_for would escape the braces of {key}
    place = f"{server.host}:{server.port}"
    return a_feed(kind, allow=frozenset({place}), url=f"http://{place}{path}", key=key)


def had(feed: feeds.Feed) -> bytes:
    """What it downloads to a first question."""
    message = feed.download(now=NOW)
    assert message is not None
    return message.body


def test_a_page_is_downloaded_and_parsed(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/air").respond_with_data(OK.read_bytes())
    feed = at(httpserver)

    found = feed.parse(had(feed), now=NOW)

    assert [one.aqi for one in found.forecasts[0].days] == [60, 90, 100, 110, 90]


def test_an_unchanged_page_is_asked_for_by_its_validators_and_is_no_message(httpserver: HTTPServer) -> None:
    seen: list[tuple[str | None, str | None]] = []

    def take(request: Request) -> Response:
        asked = request.headers.get("If-None-Match"), request.headers.get("If-Modified-Since")
        seen.append(asked)
        if asked[0] == '"7"':
            return Response(status=304)
        return Response(OK.read_bytes(), headers={"ETag": '"7"', "Last-Modified": "Thu, 06 Aug 2020 01:28:00 GMT"})

    httpserver.expect_request("/air").respond_with_handler(take)
    feed = at(httpserver)

    message = feed.download(now=NOW)
    assert message is not None
    assert message.body == OK.read_bytes()
    assert feed.download(now=NOW, known=message.validators) is None
    assert seen == [(None, None), ('"7"', "Thu, 06 Aug 2020 01:28:00 GMT")]


def test_a_page_without_validators_is_asked_for_as_a_whole_each_time(httpserver: HTTPServer) -> None:
    httpserver.expect_ordered_request("/air").respond_with_data(b"one")
    httpserver.expect_ordered_request("/air").respond_with_data(b"two")
    feed = at(httpserver)

    assert [feed.download(now=NOW), feed.download(now=NOW)] == [sources.RawMessage(b"one"), sources.RawMessage(b"two")]


def test_validators_too_long_for_a_row_are_let_go(httpserver: HTTPServer) -> None:
    given = {"ETag": f'"{"7" * 600}"', "Last-Modified": "Thu, 06 Aug 2020 01:28:00 GMT"}
    httpserver.expect_request("/air").respond_with_data(b"{}", headers=given)

    message = at(httpserver).download(now=NOW)

    assert message is not None
    assert (message.validators.etag, message.validators.last_modified) == ("", given["Last-Modified"])


def test_unchanged_to_a_first_question_is_the_sources_trouble(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/air").respond_with_data("", 304)

    with pytest.raises(Unavailable):
        at(httpserver).download(now=NOW)


def test_a_header_key_goes_into_the_header(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/air", headers={"X-QW-Api-Key": "s3cret"}).respond_with_data("{}")

    assert at(httpserver, key="s3cret").download(now=NOW) == sources.RawMessage(b"{}")


def test_a_key_in_the_address_is_escaped(httpserver: HTTPServer) -> None:
    seen: list[str] = []

    def take(request: Request) -> Response:
        seen.append(str(request.environ["RAW_URI"]))
        return Response("{}")

    httpserver.expect_request("/v2.5/a/b c/daily").respond_with_handler(take)

    at(httpserver, "/v2.5/{key}/daily", "caiyun", key="a/b c").download(now=NOW)

    assert seen == ["/v2.5/a%2Fb%20c/daily"]


def test_a_source_that_is_down_is_unavailable() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        place = f"127.0.0.1:{nobody.getsockname()[1]}"
        feed = a_feed("qweather", allow=frozenset({place}), url=f"http://{place}/air")

        with pytest.raises(Unavailable):
            feed.download(now=NOW)


@pytest.mark.parametrize("kind", ["caiyun", "cnemc", "openmeteo", "qweather", "table", "waqi"])
def test_no_feed_reaches_into_the_machine_unless_it_is_allowed(kind: str) -> None:
    with pytest.raises(Misconfigured, match="allowed places"):
        a_feed(kind, url="http://127.0.0.1:5432/").download(now=NOW)


@pytest.mark.parametrize("kind", ["caiyun", "cnemc", "openmeteo", "qweather", "table", "waqi"])
def test_no_feed_swallows_a_mountain(httpserver: HTTPServer, kind: str) -> None:
    bomb = gzip.compress(bytes(20_000_000), 9)
    httpserver.expect_request("/air").respond_with_data(bomb, headers={"Content-Encoding": "gzip"})

    with pytest.raises(Unavailable, match="more than"):
        at(httpserver, kind=kind).download(now=NOW)


def test_a_wrong_content_type_costs_nothing_when_the_content_is_right(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/air").respond_with_data(OK.read_bytes(), content_type="text/html; charset=gbk")
    feed = at(httpserver)

    assert feed.parse(had(feed), now=NOW).forecasts


def test_a_sign_in_page_with_status_200_is_refused_as_what_it_is(httpserver: HTTPServer) -> None:
    httpserver.expect_request("/air").respond_with_data("<html>请登录</html>", content_type="application/json")
    feed = at(httpserver)

    (refused,) = feed.parse(had(feed), now=NOW).refused

    assert refused.reason == "an HTML page, not JSON"


def test_a_folder_gives_the_file_put_there_last(tmp_path: Path) -> None:
    for name, age in (("b.csv", 30), ("a.csv", 10), (".a.csv.swp", 0), ("~$a.csv", 0), ("c.xlsx", 0)):
        (tmp_path / name).write_text(name)
        os.utime(tmp_path / name, (1_768_000_000 - age, 1_768_000_000 - age))

    assert sources.Folder(tmp_path).read().body == b"a.csv"


def test_a_table_is_read_from_a_folder_or_a_file_address(tmp_path: Path) -> None:
    folder = tmp_path / "预报 bulletins"
    folder.mkdir()
    (folder / "x.csv").write_bytes(b"day,aqi\n2020-08-07,160\n")

    for url in (str(folder), folder.as_uri(), str(folder / "x.csv")):
        feed = a_feed("table", url=url)
        found = feed.parse(had(feed), now=NOW)
        assert [one.aqi for one in found.forecasts[0].days] == [160]


def test_an_empty_folder_is_unavailable_and_a_missing_one_misconfigured(tmp_path: Path) -> None:
    with pytest.raises(Unavailable):
        sources.Folder(tmp_path).read()
    with pytest.raises(Misconfigured):
        sources.Folder(tmp_path / "nowhere").read()


def test_a_file_larger_than_allowed_is_not_swallowed(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_bytes(b"x" * 101)

    with pytest.raises(Unavailable, match="larger than 100"):
        sources.Folder(tmp_path, max_bytes=100).read()


@pytest.mark.parametrize(
    ("name", "said", "words"),
    [
        ("qweather", {}, "FEED_QWEATHER_URL is not set"),
        ("bureau", {"url": "https://x.example/"}, "FEED_BUREAU_KIND"),
        ("bureau", {"kind": "oracle", "url": "https://x.example/"}, "FEED_BUREAU_KIND"),
        ("qweather", {"url": "ftp://x.example/"}, "FEED_QWEATHER_URL"),
        ("qweather", {"url": "https://x.example/", "every": "0"}, "FEED_QWEATHER_EVERY"),
        ("qweather", {"url": "https://x.example/", "every": "６０"}, "FEED_QWEATHER_EVERY"),
        ("qweather", {"url": "https://x.example/", "evry": "60"}, "FEED_QWEATHER_EVRY"),
        ("caiyun", {"url": "https://x.example/", "key": "k"}, "FEED_CAIYUN_URL has no {key}"),
        ("caiyun", {"url": "https://x.example/{key}"}, "FEED_CAIYUN_KEY"),
        ("cnemc", {"url": "https://x.example/"}, "FEED_CNEMC_AREA"),
        ("replay", {}, "FEED_REPLAY_EPISODE"),
        ("replay", {"episode": "atlantis"}, "FEED_REPLAY_EPISODE"),
        ("replay", {"episode": "../air/liuzhou-2015-02"}, "FEED_REPLAY_EPISODE"),
        ("replay", {"episode": "liuzhou-2015-02", "error": "301"}, "FEED_REPLAY_ERROR"),
    ],
)
def test_a_wrong_setting_is_named_and_no_address_is(name: str, said: dict[str, str], words: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        feeds.build({name: said}, place="450200", index=an_index, air=AIR)

    assert words in str(refused.value)
    assert "x.example" not in str(refused.value)


def test_feeds_are_built_by_name_and_kind() -> None:
    built = feeds.build(
        {
            "bureau": {"kind": "table", "url": "/srv/bulletins", "every": "60"},
            "qweather": {"url": "https://x.example/", "place": "450206"},
            "replay_observed": {"episode": "liuzhou-2015-02"},
        },
        place="450200",
        index=an_index,
        air=AIR,
    )

    assert [(one.name, one.kind, one.every_s) for one in built.values()] == [
        ("bureau", "forecast", 60),
        ("qweather", "forecast", 3600),
        ("replay_observed", "observation", 600),
    ]
    assert built["qweather"].parse(OK.read_bytes(), now=NOW).forecasts[0].place == "450206"
