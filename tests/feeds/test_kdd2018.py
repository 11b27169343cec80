"""Archived forecasts by the hour, laid beside what was then measured."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from statistics import correlation, mean

from emergency.domain.forecast import Forecast, Observation, Source
from emergency.domain.windows import hours_joined
from tests.feeds.bench import PAYLOADS, a_feed, read, read_at

OK = PAYLOADS / "kdd2018" / "ok-2018-05-03.csv"
MEASURED = PAYLOADS.parent / "observed" / "kdd2018-05-04.csv"
PLACE = "450200"


def forecasts() -> dict[str, Forecast]:
    """By place."""
    return {one.place: one for one in read("kdd2018", OK.name).forecasts}


def measured(station: str) -> list[Observation]:
    """The station's hours; the archive's times are UTC and name the end of the hour."""
    columns = {"PM25_Concentration": "pm2_5", "PM10_Concentration": "pm10", "O3_Concentration": "o3"}
    with MEASURED.open(encoding="utf-8", newline="") as file:
        return [
            Observation(
                "archive",
                f"{PLACE}:{station}",
                datetime.fromisoformat(row["time"]).replace(tzinfo=UTC),
                "hour",
                {ours: float(row[theirs]) for theirs, ours in columns.items() if row[theirs]},
            )
            for row in csv.DictReader(file)
            if row["station_id"] == station
        ]


def test_each_station_has_its_48_hours_from_the_next_midnight_utc_and_london_has_none() -> None:
    found = forecasts()

    assert sorted(found) == [PLACE, f"{PLACE}:aotizhongxin_aq", f"{PLACE}:dongsi_aq", f"{PLACE}:tiantan_aq"]
    one = found[f"{PLACE}:aotizhongxin_aq"]
    assert one.issued_at == datetime(2018, 5, 3, 15, tzinfo=UTC)
    assert [one.hours[0].at, one.hours[-1].at] == [
        datetime(2018, 5, 4, tzinfo=UTC),
        datetime(2018, 5, 5, 23, tzinfo=UTC),
    ]
    assert len(one.hours) == 48
    assert one.days == ()
    assert {name: round(value, 2) for name, value in one.hours[0].values.items()} == {
        "pm2_5": 57.21,
        "pm10": 99.77,
        "o3": 40.34,
    }


def test_the_place_gets_the_mean_of_its_stations() -> None:
    found = forecasts()
    each = [one.hours[5].values["pm10"] for place, one in found.items() if place != PLACE]

    assert found[PLACE].hours[5].values["pm10"] == round(mean(each), 3)


def test_a_station_that_was_cut_is_refused_and_a_figure_that_cannot_be_costs_only_itself() -> None:
    found = read("kdd2018", "mixed-2018-05-03.csv")

    assert [(one.where, one.reason) for one in found.refused] == [
        ("row 4, pm2_5", "a concentration is never negative"),
        ("tiantan_aq", "not all of its 48 hours"),
    ]
    assert {one.place for one in found.forecasts} == {PLACE, f"{PLACE}:aotizhongxin_aq", f"{PLACE}:dongsi_aq"}


def test_its_hours_stand_where_the_day_put_them_and_not_eight_hours_off() -> None:
    """Ozone follows the sun: read in the wrong zone, forecast and measurement would run against each other."""
    said = {one.at: one.values["o3"] for one in forecasts()[f"{PLACE}:dongsi_aq"].hours}
    seen = {one.at: one.values["o3"] for one in measured("dongsi_aq") if "o3" in one.values}

    def together(shift: int) -> float:
        pairs = [(said[at + timedelta(hours=shift)], seen[at]) for at in seen if at + timedelta(hours=shift) in said]
        return correlation([one for one, _ in pairs], [other for _, other in pairs])

    assert together(0) > 0.5
    assert together(0) > max(together(-8), together(8)) + 0.5


def test_what_was_measured_takes_the_place_of_what_was_said_up_to_now() -> None:
    forecast = forecasts()[f"{PLACE}:dongsi_aq"]
    seen, now = measured("dongsi_aq"), datetime(2018, 5, 4, 12, tzinfo=UTC)

    run = hours_joined(seen, [forecast], now=now)

    assert len(run) == 48
    known = {one.at for one in seen if one.at <= now}
    assert {hour.at for hour in run if hour.source is Source.OBSERVED} == known
    assert all(hour.source is Source.FORECAST for hour in run if hour.at > now)


def test_a_submission_is_no_news_when_its_last_hour_is_past() -> None:
    found = a_feed("kdd2018").parse(OK.read_bytes(), now=read_at(OK) + timedelta(days=2, hours=12))

    assert found.forecasts == ()
    assert {one.reason for one in found.refused} == {"the last hour it speaks of is past"}
