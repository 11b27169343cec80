"""The level a plan gives some days of air, from the regulation's side."""

import random
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.assess import Disorder, HoursNeeded, assess, highest, ongoing, trigger_days
from emergency.domain.assessment import as_data, from_data, grounds
from emergency.domain.forecast import Air, Bulletin, Cause, DayOfAir, Source
from emergency.domain.level import Level
from emergency.domain.papers import heed
from emergency.domain.plan import Clause, Metric, Plan, RunsOn, Spell, UnknownCell, Unmeasured
from emergency.plans.plan_checks import witnesses
from emergency.plans.plans import load_plans

FIRST = date(2026, 1, 10)
PLANS = load_plans()
KNOWN = sorted(set(PLANS) - {"bj-2012", "cd-2017"})


def days_of(*figures, first=FIRST, source=Source.FORECAST, **more):
    return Air("柳州", tuple(DayOfAir(first + timedelta(days=n), aqi, source, **more) for n, aqi in enumerate(figures)))


def level(plan_id, *figures, **more):
    return assess(PLANS[plan_id], days_of(*figures, **more)).level.word


COLUMNS = ("bj-2013", "sh-2014", "jjj-2016", "mee-2018", "mee-2024")
VECTORS = {
    (180,): "none none none none none",
    (160, 170): "none none none none yellow",
    (160, 170, 180): "none none none none orange",
    (151, 201): "blue blue blue none yellow",
    (210,): "blue blue blue none yellow",
    (310,): "yellow orange blue none yellow",
    (500,): "yellow red red red yellow",
    (210, 220): "blue yellow yellow yellow orange",
    (210, 220, 230): "yellow yellow yellow orange orange",
    (210, 310, 220): "orange orange orange orange red",
    (310, 320, 330): "red orange orange orange red",
    (210, 220, 230, 240): "yellow yellow yellow orange orange",
    (210, 310, 320, 220): "orange orange red red red",
    (210, 310, 220, 310): "orange orange orange orange red",
    (180, 210, 180): "blue blue blue none orange",
    (210, 140, 210): "blue blue blue none yellow",
}


@pytest.mark.parametrize("figures", VECTORS, ids=lambda one: "-".join(map(str, one)))
@pytest.mark.parametrize("column", range(5), ids=COLUMNS)
def test_the_dated_schemes_give_the_levels_worked_out_by_hand(figures, column):
    assert level(COLUMNS[column], *figures) == VECTORS[figures].split()[column]


@pytest.mark.parametrize(
    ("plan_id", "figures", "expected"),
    [
        # a terrible day outside the run does not count
        ("mee-2024", (210, 220, 150, 310), "orange"),
        ("mee-2024", (310, 140, 210, 220, 230), "orange"),
        ("jjj-2016", (210, 220, 230, 100, 310), "yellow"),
        # the terrible day may be the first, the middle or the last of the run
        ("mee-2024", (310, 210, 210), "red"),
        ("mee-2024", (210, 210, 310), "red"),
        # an inner run may be longer than asked for
        ("mee-2018", (210, 310, 320, 330, 220), "red"),
        # two terrible days apart are not two in a row
        ("mee-2018", (310, 210, 310, 210, 210), "orange"),
        # the second run counts when the first does not hold the terrible day
        ("mee-2024", (210, 220, 230, 100, 210, 220, 310), "red"),
        # strictly over: the mark itself is not over it
        ("mee-2024", (200,), "none"),
        ("mee-2024", (150, 150, 150), "none"),
        ("mee-2024", (201, 201, 300), "orange"),
        ("mee-2018", (500,), "red"),
        ("mee-2018", (499,), "none"),
        # every other scheme
        ("mep-2017", (210, 220, 310), "orange"),
        ("mep-2017", (210, 310, 320, 220), "red"),
        ("bj-2016", (210, 220), "yellow"),
        ("bj-2015", (210, 220, 230), "orange"),
        ("bj-2015", (210, 220, 230, 240), "red"),
        ("bj-2018", (210,), "none"),
        ("bj-2018", (210, 220, 230), "orange"),
        ("bj-2023", (160, 170), "yellow"),
        ("bj-2023", (210, 220, 310), "red"),
        ("sh-2014", (450,), "orange"),
        ("sh-2014", (451,), "red"),
        ("liuzhou", (160, 170, 180), "orange"),
        ("liujiang", (210, 310, 220), "red"),
        ("mee-2024", (), "none"),
    ],
)
def test_the_regulation_is_read_as_it_stands(plan_id, figures, expected):
    assert level(plan_id, *figures) == expected


def test_a_plan_that_runs_on_observation_counts_observed_days_only():
    assert level("xa-2014", 160, 170) == "none"
    assert level("xa-2014", 160, 170, source=Source.OBSERVED) == "yellow"
    assert level("xa-2014", 250, 350, source=Source.OBSERVED) == "orange"
    assert level("xa-2014", 500, source=Source.OBSERVED) == "red"


def test_what_the_text_leaves_to_people_is_said_with_the_level():
    found = assess(PLANS["xa-2014"], days_of(160, 170, source=Source.OBSERVED))

    assert "加重" in found.sentence_zh
    assert found.doubtful == ("levels.yellow.1.people_judge",)


def test_a_missing_day_breaks_a_run():
    air = Air("", (*days_of(210).days, *days_of(220, first=FIRST + timedelta(days=2)).days))

    assert assess(PLANS["mee-2024"], air).level is Level.YELLOW


def test_days_out_of_order_or_twice_are_refused():
    day = days_of(210).days[0]

    with pytest.raises(Disorder):
        assess(PLANS["mee-2024"], Air("", (day, day)))


@pytest.mark.parametrize(
    ("plan_id", "cells"), [("cd-2017", "levels.blue levels.orange levels.red"), ("bj-2012", "levels.blue levels.red")]
)
@pytest.mark.parametrize("figures", [(50,), (210, 310, 320), (500, 500, 500, 500)])
def test_a_level_nobody_has_seen_is_refused_by_name_whatever_the_air(plan_id, cells, figures):
    with pytest.raises(UnknownCell) as refused:
        level(plan_id, *figures)

    assert plan_id in str(refused.value)
    assert set(cells.split()) <= set(refused.value.cells)


def test_an_unknown_level_below_what_was_found_does_not_stop_the_answer():
    plan = replace(PLANS["mee-2018"], unknown={"levels.blue": ""})

    assert assess(plan, days_of(210, 220)).level is Level.YELLOW
    with pytest.raises(UnknownCell, match=r"levels\.blue"):
        assess(plan, days_of(210))


def test_a_concentration_plan_judges_concentrations_and_refuses_days_without_them():
    plan = replace(PLANS["cd-2017"], unknown={})
    enough = Air("", tuple(replace(day, pm2_5=116.0) for day in days_of(150, 150).days))

    assert assess(plan, enough).level is Level.YELLOW
    with pytest.raises(Unmeasured, match="pm2_5"):
        assess(plan, days_of(150, 150))


def test_a_plan_on_running_hours_is_not_judged_by_calendar_days():
    with pytest.raises(HoursNeeded):
        assess(replace(PLANS["mee-2024"], runs_on=RunsOn.ANY_24_HOURS), days_of(210))


@pytest.mark.parametrize("cause", [Cause.O3, Cause.SAND_DUST, Cause.WILDFIRE, Cause.CROSS_BORDER, Cause.FIREWORKS])
def test_air_that_gets_a_health_notice_starts_no_orders_and_breaks_a_run(cause):
    bad = days_of(210, 220, 310)
    mixed = Air("", (bad.days[0], replace(bad.days[1], cause=cause), bad.days[2]))

    found = assess(PLANS["mee-2024"], mixed)

    assert found.level is Level.YELLOW
    assert found.advisory == (bad.days[1].day,)
    assert "只发健康提示" in found.sentence_zh
    assert trigger_days(PLANS["mee-2024"], mixed).days == (bad.days[0], bad.days[2])
    assert assess(PLANS["mep-2017"], mixed).level is Level.ORANGE  # older schemes made no difference


def test_the_upper_bound_decides_only_where_the_plan_says_so():
    air = Air("", (replace(days_of(190).days[0], aqi_high=230),))

    assert assess(PLANS["liuzhou"], air).level is Level.NONE
    assert "high_decides" in assess(PLANS["liuzhou"], air).doubtful
    assert assess(replace(PLANS["liuzhou"], high_decides=True), air).level is Level.YELLOW


@pytest.mark.parametrize(("counted", "reached"), [(110, Level.NONE), (165, Level.NONE), (166, Level.YELLOW)])
def test_the_bound_that_decides_is_of_what_counts_and_never_ozones(counted, reached):
    """Published 205 for its ozone, up to 240: 35 above what counts, and not 240."""
    cautious = replace(PLANS["mee-2024"], high_decides=True)
    of_both = replace(days_of(counted).days[0], overall=205, aqi_high=240, primary=("o3",))

    assert cautious.value(of_both, Metric.AQI) == counted + 35
    assert assess(cautious, Air("", (of_both,))).level is reached


def test_the_bound_of_what_counts_ends_where_the_scale_does_and_is_never_below_the_figure():
    day = replace(days_of(480).days[0], overall=490)

    assert [replace(day, aqi_high=high).counted_high for high in (None, 480, 495, 600)] == [None, 480, 485, 500]


def test_a_bound_that_is_ozones_alone_decides_nothing_and_the_grounds_say_so():
    cautious = replace(PLANS["liuzhou"], high_decides=True)
    ozone = Air("", (replace(days_of(95).days[0], aqi_high=240, primary=("o3",)),))

    found = assess(cautious, ozone)
    assert found.level is Level.NONE
    assert f"{FIRST}的预报上限由臭氧主导，不作为判据" in found.sentence_zh
    assert f"The upper bound of {FIRST} is led by ozone" in found.sentence_en
    assert "臭氧主导" not in assess(PLANS["liuzhou"], ozone).sentence_zh  # no bound decides there
    shared = Air("", (replace(ozone.days[0], primary=("o3", "pm2_5")),))
    assert assess(cautious, shared).level is Level.YELLOW


def test_the_stage_below_the_warnings_is_a_note_and_no_level():
    found = assess(PLANS["liuzhou"], days_of(101))

    assert found.level is Level.NONE
    assert found.pre_level == "污染天气提示"
    assert assess(PLANS["liuzhou"], days_of(100)).pre_level == ""
    assert assess(PLANS["liuzhou"], days_of(210)).pre_level == ""


def test_the_nearest_level_says_what_is_missing_in_words_and_numbers():
    found = assess(PLANS["mee-2024"], days_of(210, 220, 230))

    assert found.nearest is not None
    assert found.nearest.level is Level.RED
    assert found.nearest.missing == "再有1天 AQI > 300"
    assert found.nearest.days_missing == (("AQI > 300", 1),)
    one_day = assess(PLANS["mee-2024"], days_of(160)).nearest
    assert one_day is not None
    assert one_day.missing == "再有1天 AQI > 150"  # of two clauses a day away, the lower mark
    assert assess(PLANS["mee-2024"], days_of(310, 310, 310)).nearest is None


def test_what_is_missing_is_enough():
    for figures in ((160,), (210,), (210, 220), (210, 310), (90, 90), (160, 170)):
        found = assess(PLANS["mee-2024"], days_of(*figures))
        assert found.nearest is not None
        more = max(days for _, days in found.nearest.days_missing)

        reached = assess(PLANS["mee-2024"], days_of(*figures, *([500] * more)))

        assert reached.level >= found.nearest.level


def test_the_grounds_hold_every_comparison_and_the_days_behind_it():
    found = assess(PLANS["mee-2024"], days_of(90, 210, 310, 220, 90, feed="bureau"))

    outer, inner = found.grounds
    assert (outer.left, outer.op, outer.right, outer.holds) == (3, ">=", 3, True)
    assert outer.days == tuple(FIRST + timedelta(days=n) for n in (1, 2, 3))
    assert inner.days == (FIRST + timedelta(days=2),)
    assert found.run == outer.days
    assert found.clause == "red-1"
    assert found.until == datetime(2026, 1, 13, 16, tzinfo=UTC)  # 24:00 of the 13th in Shanghai
    assert {one.clause for one in found.comparisons} == {"red-1", "orange-1", "orange-2", "yellow-1", "yellow-2"}
    assert all(one.feed == "bureau" for one in found.days)
    assert "2026-01-11至2026-01-13连续3天 AQI > 200" in found.sentence_zh
    assert "2026-01-11 to 2026-01-13: 3 days" in found.sentence_en


def test_the_result_says_which_of_its_numbers_were_never_read_in_a_text():
    assert assess(PLANS["mee-2024"], days_of(210)).doubtful == ()
    assert assess(PLANS["liujiang"], days_of(210, 210)).doubtful == ("levels.orange.1", "levels.red.1")


@pytest.mark.parametrize("figures", [(), (90,), (210, 310, 220), (160, 170)])
def test_an_assessment_is_kept_as_data_and_read_back_whole(figures):
    air = days_of(*figures, feed="bureau", issued_at=datetime(2026, 1, 9, 12, tzinfo=UTC), primary=("pm2_5",))
    found = assess(PLANS["liujiang"], air)

    data = as_data(found)

    assert from_data(data) == found
    assert data["response_level"] == found.level.response
    assert set(data["nearest"]) >= {"level", "missing"}
    assert grounds(found)


def test_an_old_spell_that_has_ended_triggers_nothing_today():
    plan = PLANS["mee-2024"]
    air = days_of(210, 220, 310, 90, 160, 170)  # today is the last of them

    assert assess(plan, air).level is Level.RED
    still = ongoing(plan, air, today=FIRST + timedelta(days=5))

    assert [day.aqi for day in still] == [160, 170]
    assert assess(plan, still).level is Level.YELLOW


def test_a_spell_reaches_back_only_over_adjoining_days():
    gap = Air("", (*days_of(210, 220).days, *days_of(230, first=FIRST + timedelta(days=3)).days))

    still = ongoing(PLANS["mee-2024"], gap, today=FIRST + timedelta(days=3))

    assert [day.aqi for day in still] == [230]


def test_the_observed_run_counts_together_with_the_forecast():
    past = days_of(210, 220, source=Source.OBSERVED).days
    ahead = days_of(310, first=FIRST + timedelta(days=2)).days
    air = ongoing(PLANS["mee-2024"], Air("", (*past, *ahead)), today=FIRST + timedelta(days=2))

    assert assess(PLANS["mee-2024"], Air("", ahead)).level is Level.YELLOW
    assert assess(PLANS["mee-2024"], air).level is Level.RED


def a_bulletin(**more):
    at = datetime(2026, 1, 10, 2, tzinfo=UTC)
    return Bulletin(
        **{
            "id": "b1",
            "area": "450200.450206",
            "number": "柳气预警〔2026〕1号",
            "issuer": "柳州市重污染天气应急指挥部办公室",
            "level": Level.ORANGE,
            "areas_covered": ("450200.450206",),
            "issued_at": at,
            "effective_at": at,
            "received_at": at,
            "expected_end_at": None,
            "scan_sha256": "",
            **more,
        }
    )


def test_where_the_plan_gives_no_merge_gap_the_sentence_says_that_nothing_is_merged():
    unknown, known = (assess(PLANS[one], days_of(320, 330, 340)) for one in ("bj-2013", "mee-2024"))

    assert "预案未见合并间隔，不与此前过程合并。" in unknown.sentence_zh
    assert "merged with no spell before it" in unknown.sentence_en
    assert "合并" not in known.sentence_zh
    assert "merged" not in known.sentence_en


def test_a_bulletin_is_heeded_at_its_level_with_its_number_as_the_grounds():
    found = heed(PLANS["liujiang"], a_bulletin())

    assert found.level is Level.ORANGE
    assert found.bulletin == "柳气预警〔2026〕1号"
    assert "柳气预警〔2026〕1号" in found.sentence_zh
    assert "2026-01-10 10:00" in found.sentence_zh
    assert [one.holds for one in found.grounds] == [True]
    assert from_data(as_data(found)) == found


@pytest.mark.parametrize("action", ["release", "withdraw"])
def test_a_bulletin_that_ends_the_warning_is_heeded_as_none(action):
    assert heed(PLANS["liujiang"], a_bulletin(action=action)).level is Level.NONE


figures = st.lists(st.integers(0, 500), max_size=12)


@given(st.sampled_from(KNOWN), figures, st.data())
def test_worse_air_never_lowers_the_level(plan_id, aqi, data):
    source = Source.OBSERVED if plan_id == "xa-2014" else Source.FORECAST
    worse = [min(500, one + data.draw(st.integers(0, 200))) for one in aqi]

    before = assess(PLANS[plan_id], days_of(*aqi, source=source)).level
    after = assess(PLANS[plan_id], days_of(*worse, source=source)).level

    assert after >= before


@given(st.sampled_from(KNOWN), figures, st.integers(0, 2**32))
def test_the_order_of_clauses_and_spells_changes_nothing(plan_id, aqi, seed):
    shuffle = random.Random(seed).sample
    plan = PLANS[plan_id]
    mixed = replace(
        plan,
        levels={
            level: tuple(
                replace(clause, spells=tuple(shuffle(clause.spells, len(clause.spells))))
                for clause in shuffle(clauses, len(clauses))
            )
            for level, clauses in shuffle(list(plan.levels.items()), len(plan.levels))
        },
    )

    assert assess(mixed, days_of(*aqi)).level is assess(plan, days_of(*aqi)).level
    assert assess(mixed, days_of(*aqi)).clause == assess(plan, days_of(*aqi)).clause


spells = st.builds(
    Spell,
    over=st.integers(0, 500).map(float),
    hours=st.integers(1, 120),
    strict=st.booleans(),
    metric=st.sampled_from(Metric),
)
levels = st.dictionaries(
    st.sampled_from(list(Level)[1:]),
    st.lists(
        st.lists(spells, min_size=1, max_size=3).map(lambda some: Clause("c", tuple(some))), min_size=1, max_size=3
    ),
    min_size=1,
)


@given(levels, st.lists(st.tuples(st.integers(0, 500), st.integers(0, 500)), max_size=12))
def test_whatever_the_plan_and_the_air_assessing_ends_with_one_of_its_levels(triggers, air):
    plan = replace(PLANS["mee-2024"], levels={level: tuple(some) for level, some in triggers.items()})
    days = tuple(
        replace(day, pm2_5=float(pm)) for (_, pm), day in zip(air, days_of(*(a for a, _ in air)).days, strict=True)
    )

    assert assess(plan, Air("", days)).level in {Level.NONE, *triggers}


@pytest.mark.parametrize("plan_id", sorted(PLANS))
def test_what_barely_meets_a_level_never_meets_a_higher_one(plan_id):
    plan: Plan = PLANS[plan_id]
    for level_of, clauses in plan.levels.items():
        for clause in clauses:
            assert {highest(plan, air) for air in witnesses(clause)} == {level_of}
