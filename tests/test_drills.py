"""The drills as data: honest about whose air it is, gentle with who is real, and the same every time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest

from emergency.clock import SHANGHAI
from emergency.commands.drill import walked_through
from emergency.domain.assess import assess, ongoing
from emergency.domain.calm import calm
from emergency.domain.forecast import Cause, DayOfAir, Source, joined
from emergency.domain.level import Level
from emergency.domain.orders import RecipientKind
from emergency.errors import Misconfigured
from emergency.feeds.replay import DAYS, ERROR_PERMILLE, ISSUED, LABEL, SEED, ReplayForecast, read_air
from emergency.plans.drills import Drill, behaviour_of, load_drill, resumes_after
from emergency.plans.places import load_place
from emergency.plans.plans import load_plans

PLAYBOOKS = Path(__file__).resolve().parents[1] / "playbooks"
PLANS = load_plans(PLAYBOOKS / "plans")
FILES = sorted((PLAYBOOKS / "drills").glob("*.yaml"))
DRILLS = {path.stem: load_drill(path) for path in FILES}
PLAYED = {name: one for name, one in DRILLS.items() if one.plays}  # with phones, for the demo
DEMO = DRILLS["liuzhou-2015-02"]
PLACE = load_place(DEMO.place)


def evenings(drill: Drill) -> list[datetime]:
    """The instants at which the drill expects a level: right after that evening's forecast."""
    return [datetime.combine(day, ISSUED, SHANGHAI) for day in drill.expected]


def test_the_demo_and_the_borrowed_winter_are_there() -> None:
    assert set(DRILLS) >= {"liuzhou-2015-02", "beijing-2016-12"}


@pytest.mark.parametrize("drill", DRILLS.values(), ids=DRILLS)
def test_a_drill_names_what_exists(drill: Drill) -> None:
    assert drill.place.is_file()
    assert (PLAYBOOKS / "air" / f"{drill.air_file}.csv").is_file()
    assert set(drill.plans.values()) <= set(PLANS)
    assert (PLAYBOOKS / "standards" / f"{drill.standard}.yaml").is_file()
    assert {area.id for area in load_place(drill.place).areas} >= set(drill.areas)


@pytest.mark.parametrize("drill", DRILLS.values(), ids=DRILLS)
def test_the_forecast_rule_it_tells_is_the_rule_that_is_played(drill: Drill) -> None:
    assert drill.forecast.seed == SEED
    assert drill.forecast.error_permille == ERROR_PERMILLE
    assert time.fromisoformat(drill.forecast.issued_at) == ISSUED
    assert drill.forecast.days_ahead == DAYS
    assert drill.forecasts or f"{ERROR_PERMILLE}‰" in drill.forecast.words


@pytest.mark.parametrize("drill", PLAYED.values(), ids=PLAYED)
def test_a_drill_says_that_it_is_a_replay_and_whose_data_it_shows(drill: Drill) -> None:
    assert drill.label == "推演"
    assert LABEL.startswith(drill.label)
    assert "本次为历史数据推演，不是真实预警" in drill.legend
    assert "not a real warning" in drill.legend_en
    assert drill.air_city in drill.legend
    assert drill.origin
    assert drill.origin_en


@pytest.mark.parametrize("drill", PLAYED.values(), ids=PLAYED)
@pytest.mark.parametrize("plan_id", ["liuzhou", "mee-2024"])
def test_the_rule_says_every_evening_what_the_drill_expects(drill: Drill, plan_id: str) -> None:
    path, rule, plan = PLAYBOOKS / "air" / f"{drill.air_file}.csv", drill.forecast, PLANS[plan_id]
    feed = ReplayForecast("replay", drill.air_city, path, seed=rule.seed, permille=rule.error_permille)
    said, standing = {}, Level.NONE
    for now in evenings(drill):
        (forecast,) = feed.parse(feed.download(now=now).body, now=now).forecasts
        past = [
            DayOfAir(one.day, one.aqi, Source.OBSERVED, primary=one.primary)
            for one in read_air(path)
            if one.day < now.date() and one.aqi is not None
        ]
        air = joined(drill.air_city, past, forecast, today=now.date())
        level = assess(plan, ongoing(plan, air, today=now.date())).level
        if level > standing:
            standing = level
        elif calm(plan, air, now=now).met:
            standing = Level.NONE
        said[now.date()] = standing

    assert said == drill.expected


@pytest.mark.parametrize("drill", DRILLS.values(), ids=DRILLS)
def test_it_begins_before_the_first_forecast_and_goes_on_after_the_last(drill: Drill) -> None:
    first, *_, last = evenings(drill)

    assert timedelta() < first - drill.begins_at < timedelta(hours=1)
    assert drill.ends_at > last


@pytest.mark.parametrize("drill", PLAYED.values(), ids=PLAYED)
def test_whoever_is_real_answers_promptly_and_complies_whatever_the_file_says(drill: Drill) -> None:
    real = [one for one in PLACE.recipients if not one.sample]
    everybody = frozenset(one.id for one in PLACE.recipients)
    reason = next(iter(drill.phones.declining.values()))
    spiteful = replace(
        drill,
        phones=replace(drill.phones, silent=everybody, declining={one.id: reason for one in PLACE.recipients}),
    )

    for played in (drill, spiteful):
        for one in real:
            for revision in (1, 2, 3):
                does = behaviour_of(played, one, revision=revision)
                assert does.escalations == 0
                assert not does.declines_because
                assert does.acknowledges_after < timedelta(minutes=30)
                assert does.starts_after is not None
                assert does.in_place_after is not None


@pytest.mark.parametrize("drill", PLAYED.values(), ids=PLAYED)
def test_three_samples_are_silent_until_escalated_and_one_declines_with_its_reason(drill: Drill) -> None:
    samples = [one for one in PLACE.recipients if one.sample]
    silent = [one for one in samples if behaviour_of(drill, one).escalations]
    declining = [one for one in samples if behaviour_of(drill, one).declines_because]

    assert len(silent) == len(drill.phones.silent) == 3
    assert len(declining) == len(drill.phones.declining) == 1
    assert all(one.kind is RecipientKind.ENTERPRISE for one in (*silent, *declining))
    assert behaviour_of(drill, declining[0]).in_place_after is None
    assert not behaviour_of(drill, declining[0], revision=2).declines_because


@pytest.mark.parametrize("drill", PLAYED.values(), ids=PLAYED)
def test_most_answer_within_minutes_and_a_few_do_not_get_all_the_way(drill: Drill) -> None:
    does = [behaviour_of(drill, one) for one in PLACE.recipients if one.sample]

    assert len([one for one in does if one.acknowledges_after <= timedelta(minutes=25)]) > 0.85 * len(does)
    assert [one for one in does if one.acknowledges_after > timedelta(minutes=30)]
    assert [one for one in does if one.starts_after is not None and one.in_place_after is None]
    assert [one for one in does if one.starts_after is None and not one.declines_because]


def test_the_same_phone_behaves_the_same_every_time_and_another_drill_asks_anew() -> None:
    other = DRILLS["beijing-2016-12"]

    def all_of(drill: Drill) -> list[object]:
        return [(behaviour_of(drill, one), resumes_after(drill, one)) for one in PLACE.recipients]

    assert all_of(DEMO) == all_of(load_drill(FILES[[path.stem for path in FILES].index(DEMO.name)]))
    assert all_of(DEMO) != all_of(other)


def test_nobody_acknowledges_before_reading() -> None:
    for one in PLACE.recipients:
        does = behaviour_of(DEMO, one)
        assert timedelta() <= does.reads_after <= does.acknowledges_after


def test_the_shares_come_out_near_what_the_file_asks() -> None:
    drawn = Counter(
        behaviour_of(DEMO, one, revision=n).starts_after is None
        for n in range(2, 12)
        for one in PLACE.recipients
        if one.sample and one.id not in DEMO.phones.silent
    )
    share = drawn[True] / drawn.total()

    assert 0.005 < share < 0.04  # received-only: 2 %


@pytest.mark.parametrize(
    ("name", "cause"), [("imagined-cane-smoke", Cause.WILDFIRE), ("imagined-from-abroad", Cause.CROSS_BORDER)]
)
def test_smoke_and_transport_from_abroad_bring_an_advisory_and_no_warning(name: str, cause: Cause) -> None:
    drill, plan = DRILLS[name], PLANS["liuzhou"]
    walked = walked_through(drill, plan, PLAYBOOKS)

    assert (walked.changes, set(walked.evenings.values())) == ((), {Level.NONE})
    assert walked.advised == drill.advised == dict.fromkeys(drill.causes, cause)
    of_plants = walked_through(replace(drill, causes={}), plan, PLAYBOOKS)
    assert next(one.level for one in of_plants.changes) >= Level.YELLOW  # the same air of fine particles of our own
    assert of_plants.advised == {}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("percent: 68", "percent: 69", "make 101 %"),
        ("named: prompt", "named: received-only", "must be seen to comply"),
        ("named: prompt", "named: nobody", "no way of answering is called nobody"),
        ("read: [1, 4]", "read: [4, 1]", "is no span"),
        ("start: [8, 40], in_place", "in_place", "never started"),
        ('begins: "2015-02-08T16:50:00+08:00"', 'begins: "2015-02-08T16:50:00"', "begins"),
        ('begins: "2015-02-08', 'begins: "2016-02-08', "ends before it begins"),
        ("label: 推演", "label: 真的", "label"),
        ("drill: liuzhou-2015-02", "drill: other", "plays other"),
        ('evening: "2015-02-08"', 'evening: "2015-02-30"', "evening"),
        ('said: "2015-02-09T17', 'said: "2015-03-09T17', "expect.1: is not within the drill"),
        ('said: "2015-02-14T01', 'said: "2015-02-09T01', "expect.2: comes before the change above it"),
        ('holds: "2015-02-15', 'holds: "2015-02-13', "expect.2: holds before the rule asks for it"),
        ("standard: hj633-2012", 'standard: hj633-2012\ncauses: {"2015-02-31": o3}', "causes.2015-02-31: is not a day"),
        ("standard: hj633-2012", 'standard: hj633-2012\nadvised: {"2015-02-31": o3}', "advised.2015-02-31: is not a"),
        ("standard: hj633-2012", 'standard: hj633-2012\nadvised: {"2015-02-11": pm2_5}', "advised.2015-02-11"),
    ],
)
def test_a_wrong_drill_is_refused_with_path_and_line(tmp_path: Path, old: str, new: str, reason: str) -> None:
    text = (PLAYBOOKS / "drills" / "liuzhou-2015-02.yaml").read_text("utf-8")
    assert old in text
    spoilt = tmp_path / "liuzhou-2015-02.yaml"
    spoilt.write_text(text.replace(old, new, 1), "utf-8")

    with pytest.raises(Misconfigured, match=r"liuzhou-2015-02\.yaml:\d+: ") as refused:
        load_drill(spoilt)

    assert reason in str(refused.value)
