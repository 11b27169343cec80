"""What each feed makes of its own way of saying things."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

from emergency.clock import SHANGHAI
from emergency.domain.air import Period, as_written, index, standard_for
from emergency.domain.causes import Figure
from emergency.domain.forecast import Cause
from emergency.feeds import Parsed
from emergency.plans.standards import load_standards
from emergency.services.days import days_of
from tests.feeds.bench import PAYLOADS, ROOT, a_feed, read, read_at


def whys(kind: str, name: str) -> dict[str, str]:
    """Where → why, of every refusal."""
    return {one.where: one.reason for one in read(kind, name).refused}


class TestOpenMeteo:
    """Hours in another zone and unit become days in Shanghai."""

    def test_days_are_shanghais_and_only_whole_ones_count(self) -> None:
        (forecast,) = read("openmeteo", "ok-bucharest-2023-04-25.json").forecasts

        # the answer runs from 04-25T00:00 to 04-29T23:00 at +03:00: the 25th begins and the 30th ends in mid-day here
        assert [one.day.day for one in forecast.days] == [26, 27, 28, 29]
        assert forecast.issued_at == datetime(2023, 4, 25, 15, tzinfo=UTC)

    def test_a_day_is_the_mean_of_its_own_hours(self) -> None:
        (forecast,) = read("openmeteo", "ok-bangkok-2026-08-26.json").forecasts
        # 2026-08-27 in Shanghai is 08-26T16:00 to 08-27T15:00 in the answer's UTC: hours 16 to 39 of its lists
        said = json.loads((PAYLOADS / "openmeteo" / "ok-bangkok-2026-08-26.json").read_bytes())
        hours = said["hourly"]["pm2_5"][16:40]

        assert forecast.days[0].day == date(2026, 8, 27)
        assert forecast.days[0].pm2_5 == round(sum(hours) / 24, 3)

    def test_its_hours_are_kept_too_each_by_its_end_and_halves_of_days_as_well(self) -> None:
        (forecast,) = read("openmeteo", "ok-bucharest-2023-04-25.json").forecasts
        said = json.loads((PAYLOADS / "openmeteo" / "ok-bucharest-2023-04-25.json").read_bytes())["hourly"]

        # the first, 04-25T00:00 at +03:00, is 04-24T21:00 in UTC and over an hour later
        assert forecast.hours[0].at == datetime(2023, 4, 24, 22, tzinfo=UTC)
        assert forecast.hours[0].values["pm2_5"] == said["pm2_5"][0]
        assert len(forecast.hours) == len(said["time"])
        assert forecast.hours[0].values["co"] < 10  # mg/m³

    def test_carbon_monoxide_is_handed_on_in_milligrams(self) -> None:
        given: list[dict[str, float]] = []
        path = PAYLOADS / "openmeteo" / "ok-bucharest-2023-04-25.json"

        def note(_: date, values: Mapping[str, float]) -> Figure:
            given.append(dict(values))
            return Figure(50)

        a_feed("openmeteo", index=note).parse(path.read_bytes(), now=read_at(path))

        assert all(0.1 < one["co"] < 0.4 for one in given)
        assert {frozenset(one) for one in given} == {frozenset({"pm2_5", "pm10", "co"})}

    def test_ozone_comes_as_its_largest_hour_and_its_largest_eight(self) -> None:
        given: list[dict[str, float]] = []
        first = datetime(2026, 1, 10, tzinfo=SHANGHAI)
        times = [(first + timedelta(hours=n)).strftime("%Y-%m-%dT%H:%M") for n in range(24)]
        ozone: list[float | None] = [20.0] * 24
        ozone[12:16] = [200.0, 210.0, None, 190.0]
        message = {
            "utc_offset_seconds": 28800,
            "hourly_units": {"ozone": "μg/m³"},
            "hourly": {"time": times, "ozone": ozone},
        }
        def note(_: date, values: Mapping[str, float]) -> Figure:
            given.append(dict(values))
            return Figure(120, ("o3",), Cause.O3)

        found = a_feed("openmeteo", index=note).parse(json.dumps(message).encode(), now=first)

        assert given == [{"o3": 210.0, "o3_8h": round((200 + 210 + 190 + 4 * 20) / 7, 3)}]
        assert found.forecasts[0].days[0].cause is Cause.O3

    def test_a_bad_hour_is_named_and_leaves_the_day_its_mean(self) -> None:
        found = whys("openmeteo", "mixed-values-2023-04-25.json")

        assert found["hourly.pm2_5[30] 2023-04-26T06:00"] == "a concentration is never negative"
        assert "no value" in found["hourly.pm2_5[31] 2023-04-26T07:00"]
        assert found["hourly.pm2_5[32] 2023-04-26T08:00"] == "not a number"
        assert found["hourly.pm10[34] 2023-04-26T10:00"] == "not a finite number"
        assert found["hourly.co[36] 2023-04-26T12:00"] == "not a number"
        assert found["hourly.time[60]"] == "out of order"
        assert "hourly.pm2_5[33] 2023-04-26T09:00" not in found  # null is missing, not wrong

    def test_another_unit_is_refused_and_costs_only_its_pollutant(self) -> None:
        found = read("openmeteo", "mixed-units-2023-04-25.json", index=lambda _, values: Figure(50 + len(values)))

        assert [(one.where, one.value) for one in found.refused] == [("hourly.pm2_5", "ppb"), ("hourly.pm10", "100")]
        assert {one.aqi for one in found.forecasts[0].days} == {51}

    def test_the_index_is_the_one_in_force_on_the_day(self) -> None:
        standards = load_standards(ROOT / "playbooks" / "standards")

        def by_the_book(day: date, values: Mapping[str, float]) -> Figure:
            found = index(
                standard_for(day, standards), {name: as_written(v) for name, v in values.items()}, period=Period.DAY
            )
            return Figure(found.aqi, found.primary)

        old = read("openmeteo", "ok-bucharest-2023-04-25.json", index=by_the_book)
        new = read("openmeteo", "ok-bangkok-2026-08-26.json", index=by_the_book)

        assert [one.aqi for one in old.forecasts[0].days] == [15, 19, 23, 27]  # 10.054 µg/m³ × 50/35, up
        assert new.forecasts == ()  # HJ 633-2026 5.3.1: clean, and four pollutants missing
        assert {one.reason for one in new.refused} == {"no index can be had from these pollutants alone"}


def test_qweather_numbers_are_strings_and_na_is_no_pollutant() -> None:
    (forecast,) = read("qweather", "ok-2020-08-06.json").forecasts

    assert [one.aqi for one in forecast.days] == [60, 90, 100, 110, 90]
    assert {one.primary for one in forecast.days} == {()}
    assert forecast.issued_at == datetime(2020, 8, 6, 1, 28, tzinfo=UTC)


def test_qweather_refuses_by_the_day_with_the_reason() -> None:
    found = whys("qweather", "mixed-values-2020-08-06.json")

    assert found == {
        "daily[0].aqi": "an index runs from 1 to 500",
        "daily[1].aqi": "not a finite number",
        "daily[3].aqi": "an index runs from 1 to 500",
        "daily[6].fxDate": "out of order: 2020-08-11 stood before it",
        "daily[7].fxDate": "far from today, 2020-08-06",
        "daily[8]": "an object was expected here",
        "daily[9].aqi": "not a number",
        "daily[10].aqi": "the index is missing",
        "daily[11].aqi": "an index is a whole number",
        "daily[13].aqi": "an index runs from 1 to 500",
    }


def test_an_ozone_day_is_no_particle_day_once_it_is_polluted() -> None:
    (forecast,) = read("qweather", "mixed-values-2020-08-06.json").forecasts

    assert {one.aqi: one.cause for one in forecast.days if one.primary == ("o3",)} == {130: Cause.O3}


def test_caiyun_gives_the_chinese_mean_and_no_range() -> None:
    (forecast,) = read("caiyun", "ok-beijing-2025-02-27.json").forecasts

    assert [(one.aqi, one.pm2_5, one.aqi_high) for one in forecast.days] == [
        (184, 138.0, None),
        (97, 66.0, None),
        (134, 101.0, None),
    ]


def test_caiyun_rounds_a_fraction_up_and_never_borrows_the_american_figure() -> None:
    found = read("caiyun", "mixed-values-2025-02-27.json")

    assert [one.aqi for one in found.forecasts[0].days] == [98]  # 97.2
    assert "the index is missing" in {one.reason for one in found.refused}  # only «usa» was there


def test_waqi_figures_are_refused_one_by_one_with_the_true_reason() -> None:
    found = read("waqi", "refused-beijing-2020-07-05.json")

    assert found.forecasts == ()
    assert len(found.refused) == 27  # 25 entries, the index of the hour and the ultraviolet index
    assert sum("US sub-index" in one.reason for one in found.refused) == 25
    assert "data.forecast.daily.pm25[0].avg, 2020-07-03" in {one.where for one in found.refused}


def test_waqi_concentrations_are_taken_in_the_unit_they_name() -> None:
    given: list[dict[str, float]] = []

    def note(_: date, values: Mapping[str, float]) -> Figure:
        given.append(dict(values))
        return Figure(150, ("pm2_5",))

    read("waqi", "ok-with-units-2026-01-10.json", index=note)

    assert given == [{"pm2_5": 110.5, "pm10": 150.0, "co": 0.9}, {"pm2_5": 150.0}]


def spoilt(after: str, old: str, new: str) -> Parsed:
    """The saved message with one thing changed behind this mark."""
    path = PAYLOADS / "cnemc" / "ok-2019-07-18.xml"
    head, mark, tail = path.read_text(encoding="utf-8").partition(after)
    return a_feed("cnemc").parse((head + mark + tail.replace(old, new, 1)).encode(), now=read_at(path))


def message(at: datetime, fine: Sequence[int]) -> bytes:
    """The service's answer for one hour: a city whose stations measured these fine particles."""
    stations = "".join(
        f"<AQIDataPublishLive><Area>柳州市</Area><StationCode>{n}A</StationCode><PM2_5>{one}</PM2_5><PM10>{one}</PM10>"
        "<SO2>5</SO2><NO2>5</NO2><CO>0.5</CO><O3_24h>5</O3_24h><O3_8h_24h>5</O3_8h_24h>"
        f"<TimePoint>{at:%Y-%m-%dT%H:%M:%S}</TimePoint></AQIDataPublishLive>"
        for n, one in enumerate(fine)
    )
    return f"<all>{stations}</all>".encode()


class TestCnemc:
    """XML that is not well formed, with ozone in odd places."""

    def test_the_current_ozone_is_taken_from_where_the_service_puts_it(self) -> None:
        found = read("cnemc", "ok-2019-07-18.xml")
        first = found.observations[0]

        # <O3>, the day's largest so far, and <O3_8h> would be the wrong ones
        assert (first.place, first.at) == ("450200:1870A", datetime(2019, 7, 18, 6, tzinfo=UTC))
        assert first.values == {
            "pm2_5": 54, "pm10": 52, "so2": 10, "no2": 6, "co": 0.6, "o3": 137, "o3_8h": 89,
        }
        assert (first.aqi, first.primary) == (74, ("pm2_5",))

    def test_every_published_index_follows_from_the_values_taken(self) -> None:
        standards = load_standards(ROOT / "playbooks" / "standards")
        checked = 0
        for name in ("ok-2017-07-07.xml", "ok-2019-07-18.xml", "ok-silent-station-2019-07-18.xml"):
            for one in read("cnemc", name).observations:
                values = {key: as_written(value) for key, value in one.values.items() if key != "o3_8h"}
                if one.aqi is not None:
                    told = index(standard_for(date(2019, 7, 18), standards), values, period=Period.HOUR)
                    assert (one.aqi, set(one.primary)) == (told.aqi, set(told.primary))
                    checked += 1

        assert checked == 17

    def test_only_the_citys_own_stations_are_taken(self) -> None:
        places = [one.place for one in read("cnemc", "ok-2019-07-18.xml").observations]

        assert len(places) == 7
        assert places[-1] == "450200"

    def test_a_silent_station_leaves_the_city_its_mean(self) -> None:
        *stations, city = read("cnemc", "ok-silent-station-2019-07-18.xml").observations

        measured = [one.values["pm10"] for one in stations if "pm10" in one.values]
        assert len(measured) == 5
        assert city.values["pm10"] == sum(measured) / 5
        assert city.aqi is None

    def test_one_station_that_is_stuck_or_behind_takes_no_city_mean_away(self) -> None:
        fresh = spoilt("<b:StationCode>1872A<", "T14:00:00", "T14:00:00")
        for hour in ("T13:00:00", "T14:00:00</b:TimePoint><b:IsPublish>false</b:IsPublish><b:TimePoint>"):
            found = spoilt("<b:StationCode>1872A<", "T14:00:00", hour)
            assert len(found.observations) >= 6
            (city,) = (one for one in found.observations if one.place == "450200")
            assert city.at == fresh.observations[0].at
        stuck = spoilt("<b:StationCode>1872A<", "2019-07-18T14", "2019-05-18T14")
        assert [one.place for one in stuck.observations].count("450200") == 1

    def test_while_the_service_is_updating_the_city_waits(self) -> None:
        path = PAYLOADS / "cnemc" / "ok-2019-07-18.xml"
        text = path.read_text(encoding="utf-8")
        head, code, tail = text.partition("<b:StationCode>1872A<")

        found = a_feed("cnemc").parse((head + code + tail.replace("T14:", "T13:")).encode(), now=read_at(path))

        assert len({one.at for one in found.observations}) == 2
        assert "450200" not in {one.place for one in found.observations}

    def test_a_station_that_stands_twice_counts_once(self) -> None:
        path = PAYLOADS / "cnemc" / "ok-2019-07-18.xml"
        text = path.read_text(encoding="utf-8")
        once = read("cnemc", "ok-2019-07-18.xml").observations
        records = re.findall(r"<b:AQIDataPublishLive>.*?</b:AQIDataPublishLive>", text, re.S)
        record = next(one for one in records if "1870A" in one)
        again = re.sub(r"<b:PM2_5>\d+<", "<b:PM2_5>999<", record)

        found = a_feed("cnemc").parse(text.replace(record, record + again).encode(), now=read_at(path))

        assert [one.values for one in found.observations] == [one.values for one in once]
        assert [one.reason for one in found.refused] == ["the station stands twice: the first was taken"]

    def test_the_mean_of_24_hours_of_city_means_is_exact_at_a_mark(self) -> None:
        standards = load_standards(ROOT / "playbooks" / "standards")
        feed = a_feed("cnemc")
        for day, some, aqi in (
            ("2015-01-10", [(149, 150, 150)] * 16 + [(150, 150, 151)] * 8, 200),
            ("2026-03-10", [(60, 61, 61)] * 18 + [(60, 60, 60)] * 6, 100),
        ):
            begins = datetime.fromisoformat(f"{day}T00:00+08:00")
            hours = []
            for n, of_stations in enumerate(some, 1):
                at = begins + timedelta(hours=n)
                said = feed.parse(message(at, of_stations), now=at + timedelta(minutes=40))
                hours.append(said.observations[-1])
            (made,) = days_of("450200", hours, standards)
            assert made.aqi == aqi

    def test_what_xml_does_not_know_costs_its_field_and_no_city(self) -> None:
        path = PAYLOADS / "cnemc" / "ok-2019-07-18.xml"
        text = path.read_text(encoding="utf-8")
        for slip in ("&nbsp;", "A & B", "A&B", "\x07", "&#7;", "&#x1F;", "&nobody;", "&hellip;", "&#169;"):
            spoiled = text.replace("<b:PositionName>万寿西宫<", f"<b:PositionName>{slip}<")
            assert spoiled != text
            found = a_feed("cnemc").parse(spoiled.encode(), now=read_at(path))
            assert (len(found.observations), found.refused) == (7, ()), slip
        assert list(whys("cnemc", "mixed-unknown-entity-2019-07-18.xml").values()) == ["not a number"] * 2

    def test_each_refusal_names_line_station_and_field(self) -> None:
        found = whys("cnemc", "mixed-values-2019-07-18.xml")

        assert found["line 77, station 1870A, PM2_5"] == "a concentration is never negative"
        assert "another unit" in found["line 77, station 1870A, CO"]
        assert found["line 149, station 1872A"] == "marked as not published"
        assert found["line 185, station 1873A, TimePoint"] == "in the future"
        assert len(found) == 7

    def test_an_entity_bomb_is_refused_before_it_goes_off(self) -> None:
        for name in ("broken-doctype-bomb-2019-07-18.xml", "broken-external-entity-2019-07-18.xml"):
            assert whys("cnemc", name) == {"line 2": "a document type is not taken"}
        # also one without entities of its own: it could name a file that has them
        assert whys("cnemc", "broken-html-2019-07-18.xml") == {"line 1": "a document type is not taken"}

    def test_a_cut_message_names_the_place_and_gives_no_half(self) -> None:
        (refused,) = read("cnemc", "broken-truncated-2019-07-18.xml").refused

        assert refused.where.startswith("line 237 column")


class TestTable:
    """A bulletin as people make them."""

    def test_a_full_table(self) -> None:
        (forecast,) = read("table", "ok-2026-01-10.csv").forecasts

        assert forecast.issued_at == datetime(2026, 1, 10, 8, 30, tzinfo=UTC)
        assert [(one.aqi_low, one.aqi, one.aqi_high) for one in forecast.days] == [
            (150, 165, 180),
            (160, 178, 195),
            (115, 130, 145),
        ]
        assert forecast.days[2].primary == ("pm2_5", "pm10")

    def test_chinese_headings_words_and_gb18030(self) -> None:
        (forecast,) = read("table", "ok-gb18030-2026-01-10.csv").forecasts

        assert [(one.aqi, one.primary, one.cause) for one in forecast.days] == [
            (165, ("pm2_5",), Cause.PM2_5),
            (152, ("o3",), Cause.O3),
        ]
        assert forecast.issued_at == datetime(2026, 1, 10, 15, tzinfo=UTC)  # the full hour it was read in

    def test_a_row_is_refused_for_what_is_wrong_with_it(self) -> None:
        found = whys("table", "mixed-2026-01-10.csv")

        assert found == {
            "row 2": "the index lies outside its own range; the range is not taken",
            "row 3, day": "out of order: 2026-01-11 stood before it",
            "row 4, day": "out of order: 2026-01-11 stood before it",
            "row 7, cause": "no cause we know; taken as pm2_5",
            "row 8, day": "not a day like 2026-01-10",
            "row 9, aqi": "an index runs from 1 to 500",
            "row 10": "2 cells under 6 headings",
        }

    def test_a_range_without_a_figure_counts_as_its_middle_and_keeps_its_ends(self) -> None:
        (forecast,) = read("table", "mixed-2026-01-10.csv").forecasts

        assert [(one.aqi_low, one.aqi, one.aqi_high) for one in forecast.days if one.aqi_low] == [
            (1, 26, 50),  # 优 in the place of a figure
            (120, 135, 150),
        ]

    def test_an_unknown_cause_still_starts_orders(self) -> None:
        (forecast,) = read("table", "mixed-2026-01-10.csv").forecasts

        assert forecast.days[-1].cause is Cause.PM2_5

    def test_a_table_left_lying_is_refused_when_its_days_are_over(self) -> None:
        now = datetime(2026, 1, 14, 9, tzinfo=SHANGHAI)

        found = a_feed("table").parse(b"day,aqi\n2026-01-12,165\n2026-01-13,170\n", now=now)

        assert found.forecasts == ()
        assert [one.reason for one in found.refused] == ["the last day it speaks of is past"]


def test_the_public_answer_of_waqi_yields_no_forecast_and_every_entry_says_why() -> None:
    for name in ("refused-beijing-2020-07-05.json", "refused-klundert-2023-08-07.json"):
        found = read("waqi", name)
        assert found.forecasts == ()
        assert any("a US sub-index" in one.reason for one in found.refused)
