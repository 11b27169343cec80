"""A plan walked over past air: when it declares, raises, releases and reopens, and how that is counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergency.domain.assess import HoursNeeded, assess
from emergency.domain.assessment import SHANGHAI
from emergency.domain.declaring import Declaration, Step
from emergency.domain.falling import falls_to
from emergency.domain.forecast import Air, Cause, DayOfAir, Source
from emergency.domain.foresight import Archived, Past, Perfect, Persistence
from emergency.domain.hindsight import demanded
from emergency.domain.level import Level
from emergency.domain.plan import Plan, RunsOn, UnknownCell
from emergency.domain.replay import NothingToReplay, Replay, walk
from emergency.domain.scores import Scores, Tally, scores
from emergency.plans.plans import load_plans

PLANS = load_plans()
MEE = PLANS["mee-2024"]
FIRST = date(2015, 2, 10)
WEEK = (193, 229, 271, 269, 221, 120, 120)
QUIET = settings(database=None, deadline=None, max_examples=60)
RUNNABLE = ["bj-2013", "sh-2014", "bj-2015", "jjj-2016", "bj-2016", "mep-2017", "mee-2018", "bj-2018", "bj-2023",
            "mee-2024", "xa-2014", "liuzhou"]


def past(*figures: int | None, first: date = FIRST, cause: Cause = Cause.PM2_5) -> Past:
    """Days from ``first`` on; None = not measured."""
    return Past(
        "柳州",
        tuple(
            DayOfAir(first + timedelta(days=n), aqi, Source.OBSERVED, cause=cause)
            for n, aqi in enumerate(figures)
            if aqi is not None
        ),
        first=first,
        last=first + timedelta(days=len(figures) - 1),
    )


def foreseen(plan: Plan, air: Past, *, lead_days: int = 3) -> Replay:
    return walk(plan, air, Perfect(air), lead_days=lead_days)


def at(day: int, hour: int = 0, month: int = 2) -> datetime:
    return datetime(2015, month, day, hour, tzinfo=SHANGHAI)


def levels(replay: Replay) -> list[str]:
    return [one.level.word for one in replay.days]


def with_delay(plan: Plan, level: Level, *, minutes: int | None = None, lead_hours: int | None = None) -> Plan:
    said = dict(plan.by_level)
    if minutes is not None:
        said["effective_delay_min"] = {level: minutes}
    if lead_hours is not None:
        said["lead_time_hours"] = {level: lead_hours}
    return replace(plan, by_level=MappingProxyType(said))


def test_the_week_of_february_2015_goes_orange_the_evening_before_and_is_released_when_two_good_days_are_sure() -> None:
    replay = foreseen(MEE, past(180, 80, *WEEK, first=date(2015, 2, 8)))

    orange = replay.declarations[-1]
    assert (orange.level, orange.step) == (Level.ORANGE, Step.UPGRADE)
    assert orange.issued_at == at(9, 17)
    assert orange.effective_at == at(10)
    assert orange.released_at == at(14, 17)
    assert orange.ended_at == at(15)
    assert levels(replay) == ["none", "none", *["orange"] * 5, "none", "none"]


def test_instants_are_in_utc_and_days_in_shanghai() -> None:
    replay = foreseen(MEE, past(*WEEK))

    assert replay.declarations[0].issued_at.tzinfo is UTC
    assert replay.days[0].day == FIRST


def test_the_evening_before_the_first_day_is_walked_too() -> None:
    replay = foreseen(MEE, past(210, 90, 90, 90))

    assert replay.declarations[0].issued_at == at(9, 17)
    assert levels(replay)[0] == "yellow"


def test_every_warning_stands_on_comparisons_that_hold() -> None:
    replay = foreseen(MEE, past(*WEEK))

    for one in replay.declarations:
        assert one.grounds.clause
        assert one.grounds.grounds
        assert all(each.holds for each in one.grounds.grounds)


def test_a_lower_figure_keeps_the_level_until_the_calm_test_is_met() -> None:
    """One good day between bad ones is 24 h and not more than 36."""
    replay = foreseen(MEE, past(210, 220, 230, 90, 160, 90, 90, 90))

    assert levels(replay) == ["orange"] * 5 + ["none"] * 3
    assert sum(one.released_at is not None for one in replay.declarations) == 1


def test_a_higher_level_takes_over_and_ends_the_one_before() -> None:
    replay = foreseen(MEE, past(210, 90, 210, 310, 220, 90, 90, 90), lead_days=2)

    words = [(one.level.word, one.step.value) for one in replay.declarations]
    assert words[-1] == ("red", "upgrade")
    assert replay.declarations[-2].ended_at == replay.declarations[-1].effective_at


def test_a_level_overtaken_before_its_hour_never_holds() -> None:
    replay = foreseen(MEE, past(80, 80, *WEEK, first=date(2015, 2, 8)))
    yellow = replay.declarations[0]

    assert yellow.level is Level.YELLOW
    assert yellow.ended_at == yellow.effective_at
    assert not any(yellow.holds_on(one.day) for one in replay.days)


def test_a_level_overtaken_during_its_delay_ends_where_it_would_have_begun() -> None:
    plan = with_delay(MEE, Level.YELLOW, minutes=48 * 60)

    yellow, orange, *_ = foreseen(plan, past(80, 80, *WEEK, first=date(2015, 2, 8))).declarations

    assert yellow.effective_at == yellow.ended_at == at(10, 17)
    assert orange.effective_at == at(10)


def test_what_is_overtaken_in_its_delay_leaves_no_gap_and_no_overlap() -> None:
    """Blue holds on the 20th, yellow is declared for the 21st, and then orange for the 20th: blue never holds."""
    air = past(96, 87, 212, 309, 220, 310, 230, 90, 90, first=date(2014, 2, 18))

    declared = foreseen(PLANS["bj-2013"], air).declarations

    held = [one for one in declared if one.ended_at is None or one.ended_at > one.effective_at]
    assert [one.level for one in declared[:3]] == [Level.BLUE, Level.YELLOW, Level.ORANGE]
    assert held[0].level is Level.ORANGE
    assert all(one.ended_at == after.effective_at for one, after in pairwise(held))


def test_a_plan_without_hours_of_its_own_begins_with_the_first_bad_day_foreseen() -> None:
    """Seen on the evening of the 7th for the 10th: nobody is stopped on the 8th and 9th."""
    replay = foreseen(MEE, past(80, 80, 210, 90, 90, first=date(2015, 2, 8)))

    assert replay.declarations[0].issued_at == at(7, 17)
    assert replay.declarations[0].effective_at == at(10)


def test_a_lesser_day_before_the_run_begins_the_warning() -> None:
    """Yellow rests on the 21st (309), and the 20th (212) is a blue day: the first warning covers both."""
    air = past(96, 87, 212, 309, 90, 90, first=date(2014, 2, 18))
    said = Archived("archive", {at(18, 12) - timedelta(days=365): air.days})

    [first, *_] = walk(PLANS["bj-2013"], air, said).declarations

    assert (first.level, first.grounds.run) == (Level.YELLOW, (date(2014, 2, 21),))
    assert first.effective_at == at(20) - timedelta(days=365)


def test_a_plan_that_asks_for_lead_is_in_force_the_day_after_issue() -> None:
    plan = with_delay(MEE, Level.YELLOW, lead_hours=24)

    replay = foreseen(plan, past(80, 80, 210, 90, 90, first=date(2015, 2, 8)))

    assert replay.declarations[0].effective_at == at(8)  # seen three days ahead, on the evening of the 7th


def test_a_plan_that_gives_only_a_delay_has_it_kept() -> None:
    plan = with_delay(MEE, Level.YELLOW, minutes=90)

    replay = foreseen(plan, past(80, 210, 90, 90, first=date(2015, 2, 9)))

    assert replay.declarations[0].effective_at == at(8, 18) + timedelta(minutes=30)


def test_a_delay_longer_than_the_night_is_not_cut_short_by_a_lead_time() -> None:
    plan = with_delay(MEE, Level.YELLOW, minutes=600, lead_hours=24)

    replay = foreseen(plan, past(80, 210, 90, 90, first=date(2015, 2, 9)))

    assert replay.declarations[0].effective_at == at(9, 3)


def test_bad_air_back_within_the_merge_gap_reopens_the_same_episode() -> None:
    """Persistence lets go on a good evening and is caught the next day, 24 h after the release."""
    replay = walk(MEE, past(210, 90, 210, 90, 90), Persistence())

    assert [one.step for one in replay.declarations] == [Step.ISSUE, Step.REOPEN]
    assert [one.episode for one in replay.declarations] == [1, 1]


def test_without_a_merge_gap_every_spell_is_its_own_episode() -> None:
    replay = walk(PLANS["jjj-2016"], past(210, 90, 210, 90, 90), Persistence())

    assert [one.episode for one in replay.declarations] == [1, 2]


def test_a_gap_as_long_as_the_merge_gap_is_a_new_episode() -> None:
    replay = walk(MEE, past(210, 90, 90, 210, 90, 90), Persistence())

    assert [one.step for one in replay.declarations] == [Step.ISSUE, Step.ISSUE]


def test_persistence_is_a_day_late() -> None:
    replay = walk(MEE, past(90, 210, 220, 90, 90), Persistence())

    assert replay.declarations[0].issued_at == at(11, 17)
    assert levels(replay) == ["none", "none", "orange", "orange", "none"]


def test_nothing_is_declared_that_would_end_before_it_began() -> None:
    """One bad day nobody foresaw, and the archive says it is over."""
    good = tuple(DayOfAir(date(2015, 2, day), 90, Source.FORECAST) for day in (11, 12))

    replay = walk(MEE, past(210, 90, 90), Archived("archive", {at(10, 12): good}))

    assert replay.declarations == ()


def test_an_unmeasured_day_breaks_a_run_and_calms_nothing() -> None:
    replay = foreseen(MEE, past(210, None, 90, 90, 90))

    assert [one.level.word for one in replay.declarations] == ["yellow"]
    assert replay.days[1].aqi is None
    assert levels(replay) == ["yellow", "yellow", "none", "none", "none"]


def test_a_warning_the_air_does_not_outlive_stays_open() -> None:
    replay = foreseen(MEE, past(90, 90, 210))

    assert replay.declarations[-1].ended_at is None
    assert levels(replay) == ["none", "none", "yellow"]


def test_an_archive_speaks_for_a_day_and_then_is_silent() -> None:
    bad = tuple(DayOfAir(date(2015, 2, day), 260, Source.FORECAST) for day in (11, 12, 13))
    archive = Archived("archive", {at(9, 17): bad, at(9, 18): bad})

    seen = {hour: archive.ahead(None, at=hour, days=3) for hour in (at(9, 16), at(9, 17), at(10, 17), at(10, 18))}

    assert seen[at(9, 16)] == ()
    assert [one.day.day for one in seen[at(9, 17)]] == [11, 12]
    assert [one.day.day for one in seen[at(10, 17)]] == [11, 12, 13]
    assert seen[at(10, 18)] == ()


def test_an_archive_may_be_wrong_and_the_measured_run_still_counts() -> None:
    """The forecast says 100 while 210 and 220 are measured: two observed days are orange all the same."""
    low = {
        at(day, 12): tuple(
            DayOfAir(date(2015, 2, day + n), 160 if n == 1 else 100, Source.FORECAST) for n in (1, 2, 3)
        )
        for day in range(9, 16)
    }

    replay = walk(MEE, past(210, 220, 100, 100, 100), Archived("archive", low))

    assert Level.ORANGE in {one.level for one in replay.declarations}


def test_the_release_test_sees_its_two_days_however_short_the_lead() -> None:
    replay = foreseen(MEE, past(90, 210, 90, 90, 90), lead_days=1)

    assert replay.declarations[-1].released_at == at(11, 17)


def test_days_that_only_get_a_health_notice_declare_nothing() -> None:
    assert foreseen(MEE, past(*WEEK, cause=Cause.O3)).declarations == ()


@pytest.mark.parametrize("plan_id", ["cd-2017", "bj-2012"])
def test_a_plan_nobody_has_seen_whole_is_refused_by_its_cells(plan_id: str) -> None:
    with pytest.raises(UnknownCell, match=r"levels\.red"):
        foreseen(PLANS[plan_id], past(*WEEK))


def test_a_plan_without_a_release_rule_is_refused_even_where_nothing_would_be_declared() -> None:
    with pytest.raises(UnknownCell, match="release"):
        foreseen(replace(MEE, release_rule=None), past(50, 50))


def test_a_merge_gap_stated_to_be_unknown_is_refused() -> None:
    plan = replace(MEE, unknown=MappingProxyType({"merge_gap_hours": "not seen"}))

    with pytest.raises(UnknownCell, match="merge_gap_hours"):
        foreseen(plan, past(50, 50))


def test_a_plan_that_counts_running_hours_is_refused_on_calendar_days() -> None:
    with pytest.raises(HoursNeeded):
        foreseen(replace(MEE, runs_on=RunsOn.ANY_24_HOURS), past(50))


def test_no_days_at_all_are_refused() -> None:
    with pytest.raises(NothingToReplay):
        foreseen(MEE, past(None, None))


# lowered and let go by the rule's own tests


def test_a_level_its_days_have_outlived_is_lowered_to_what_the_spell_still_asks_for() -> None:
    """Red from the 10th (220, 310, 230); from the 13th on nothing is over 200, and six days over 150 are orange."""
    replay = foreseen(MEE, past(90, 220, 310, 230, 180, 170, 165, 90, 90, 90, first=date(2015, 2, 9)))

    red, orange = replay.declarations[-2:]
    assert (red.level, orange.level, orange.step) == (Level.RED, Level.ORANGE, Step.DOWNGRADE)
    assert orange.issued_at == at(12, 17)
    assert orange.effective_at == red.ended_at == at(13)
    assert levels(replay) == ["none", "red", "red", "red", "orange", "orange", "orange", "none", "none", "none"]
    assert orange.outlived is not None
    assert orange.outlived.because_en.startswith("2015-02-13 to 2015-02-14 are not over AQI 200")


def test_the_level_an_evening_lowers_to_is_the_one_the_rule_gives_in_earnest() -> None:
    air = past(90, 220, 310, 230, 180, 170, 165, 90, 90, first=date(2015, 2, 9))
    evening = at(12, 17)
    seen = Air("", (*air.days[1:4], *Perfect(air).ahead(None, at=evening, days=3)))

    lowered = falls_to(MEE, [seen], in_force=Level.RED, verdict=assess(MEE, seen).level, now=evening)

    assert foreseen(MEE, air).declarations[-1].level is lowered is Level.ORANGE


def test_a_better_day_that_broke_a_red_spell_does_not_keep_red_over_the_lesser_days_behind_it() -> None:
    replay = foreseen(MEE, past(220, 310, 230, 140, 210, 160, 160, 90, 90))

    assert levels(replay) == ["red"] * 5 + ["orange"] * 2 + ["none"] * 2
    lowered = replay.declarations[-1]
    assert (lowered.step, lowered.issued_at) == (Step.DOWNGRADE, at(14, 17))
    assert lowered.outlived is not None
    assert lowered.outlived.because_en.startswith("2015-02-15 to 2015-02-16 are not over AQI 200")


def test_a_plan_without_a_rule_for_it_keeps_its_level_to_the_release() -> None:
    plan = replace(MEE, downgrade_hours_over=None)

    assert levels(foreseen(plan, past(220, 310, 230, 180, 170, 165, 90, 90))) == ["red"] * 6 + ["none"] * 2


def test_a_level_outlived_before_it_could_be_declared_is_not_declared() -> None:
    """Nobody foresaw three red days; on the last of them the archive says 180, 170: orange is what is left."""
    later = tuple(DayOfAir(date(2015, 2, day), aqi, Source.FORECAST) for day, aqi in ((13, 180), (14, 170), (15, 160)))
    air = past(220, 310, 230, 180, 170, 160)
    quiet = tuple(DayOfAir(date(2015, 2, day), 90, Source.FORECAST) for day in (11, 12, 13, 14))
    archive = Archived("archive", {at(10, 12): quiet, at(11, 12): quiet[1:], at(12, 12): later})

    assert [one.level for one in walk(MEE, air, archive).declarations][:1] == [Level.ORANGE]


def test_a_warning_for_the_third_day_is_not_let_go_over_the_two_good_ones_before_it() -> None:
    """Seen on the evening of the 9th for the 12th, the end of the lead: the 10th and 11th are calm and end nothing."""
    replay = foreseen(MEE, past(80, 80, 210, 90, 90, 90))

    [only] = replay.declarations
    assert only.issued_at == at(9, 17)
    assert (only.effective_at, only.released_at) == (at(12), at(12, 17))


def test_a_warning_taken_back_before_its_hour_never_holds() -> None:
    bad = (90, 90, 210)
    said = tuple(DayOfAir(date(2015, 2, 10 + n), aqi, Source.FORECAST) for n, aqi in enumerate(bad))
    good = tuple(replace(one, aqi=90) for one in said)

    replay = walk(MEE, past(90, 90, 90, 90), Archived("archive", {at(9, 12): said, at(10, 12): good}))

    [only] = replay.declarations
    assert (only.released_at, only.ended_at) == (at(10, 17), only.effective_at)
    assert set(levels(replay)) == {"none"}


# what hindsight asks for


def test_hindsight_asks_each_day_for_the_level_of_the_longest_run_it_lies_in() -> None:
    asked = demanded(MEE, past(180, 210, 310, 220, 90, 151).days)

    assert [level.word for level in asked.values()] == ["orange", "red", "red", "red", "none", "none"]


def test_a_gap_in_the_figures_parts_two_runs() -> None:
    assert set(demanded(MEE, past(160, None, 160).days).values()) == {Level.NONE}


def test_hindsight_looks_at_no_origin() -> None:
    asked = demanded(PLANS["xa-2014"], past(210, 220, 90).days)

    assert [level.word for level in asked.values()] == ["orange", "orange", "none"]


# scores


def scored(plan: Plan, air: Past, *, persistence: bool = False, enterprises: int | None = None) -> Scores:
    replay = walk(plan, air, Persistence() if persistence else Perfect(air))
    return scores(plan, air, replay, enterprises=enterprises)


def test_perfect_foresight_hits_every_day_and_holds_only_what_the_release_test_holds() -> None:
    found = scored(MEE, past(90, 210, 90, 220, 90, 90, 90))

    assert found.any_level == Tally(hits=2, misses=0, false_alarms=1)
    assert (found.early, found.held) == (0, 1)
    assert (found.spells, found.spells_warned) == (2, 2)
    assert found.mean_lead_hours == 0.0


def test_persistence_misses_the_first_day_and_is_a_day_late() -> None:
    found = scored(MEE, past(90, 210, 220, 90, 90, 90), persistence=True, enterprises=50)

    assert found.any_level == Tally(hits=1, misses=1, false_alarms=1)
    assert found.mean_lead_hours == -24.0
    assert found.mean_notice_hours == -17.0
    assert found.restricted_days == 2
    assert found.enterprise_days == 100


def test_a_warning_for_air_that_never_came_has_no_lead_and_is_no_early_day() -> None:
    bad = (DayOfAir(date(2015, 2, 11), 260, Source.FORECAST),)
    air = past(90, 90, 90, 90)
    replay = walk(MEE, air, Archived("archive", {at(10, 12): bad}))

    found = scores(MEE, air, replay)

    assert found.any_level.false_alarms > 0
    assert (found.early, found.held, found.mean_lead_hours) == (0, 0, None)


def test_a_plan_that_asks_for_lead_counts_the_days_before_as_early() -> None:
    plan = with_delay(MEE, Level.YELLOW, lead_hours=24)

    found = scored(plan, past(80, 80, 210, 90, 90, 90))

    assert (found.any_level.false_alarms, found.early) == (2, 2)
    assert found.mean_lead_hours == 48.0


def test_the_lead_is_counted_to_the_first_bad_hour_where_hours_are_known() -> None:
    air = past(90, 210, 90, 90, 90)
    hours = (*[90] * 6, 151, *[260] * 17)
    air = replace(air, hours={date(2015, 2, 11): hours})

    assert scored(MEE, air).mean_lead_hours == 6.0


def test_a_second_warning_in_one_spell_is_late_only_by_what_the_first_had_not_covered() -> None:
    """Released on a wrong forecast and declared again: in force on the 11th and from the 13th, bad from the 10th."""

    def said(day: int, *aqi: int) -> tuple[DayOfAir, ...]:
        return tuple(DayOfAir(date(2015, 2, day + n), one, Source.FORECAST) for n, one in enumerate(aqi, 1))

    air = past(210, 220, 230, 240, 90, 90, 90)
    archive = Archived(
        "archive",
        {
            at(10, 12): said(10, 260, 260, 260),
            at(11, 12): said(11, 90, 90, 90),
            at(12, 12): said(12, 240, 90, 90),
            at(13, 12): said(13, 90, 90, 90),
        },
    )

    found = scores(MEE, air, walk(MEE, air, archive))

    assert found.releases == 2
    assert found.mean_lead_hours == -24.0


def test_each_level_is_counted_for_itself() -> None:
    found = scored(MEE, past(90, 210, 310, 220, 90, 90, 90))

    assert found.by_level[Level.RED] == Tally(3, 0, 0)
    assert found.days_at == {Level.NONE: 4, Level.YELLOW: 0, Level.ORANGE: 0, Level.RED: 3}
    assert found.by_level[Level.YELLOW] == found.any_level


def test_a_lowering_is_counted_and_belongs_to_its_stretch() -> None:
    found = scored(MEE, past(90, 220, 310, 230, 180, 170, 165, 90, 90, 90))

    assert (found.downgrades, found.releases, found.episodes) == (1, 1, 1)
    assert found.days_at == {Level.NONE: 4, Level.YELLOW: 0, Level.ORANGE: 3, Level.RED: 3}
    assert found.by_level[Level.RED] == Tally(3, 0, 0)


def test_days_without_a_figure_are_not_scored() -> None:
    found = scored(MEE, past(210, None, 90, 90, 90))

    assert found.days_without_figure == 1
    assert found.any_level == Tally(1, 0, 0)


def test_nothing_declared_has_no_lead_and_no_cost() -> None:
    found = scored(MEE, past(90, 90, 90), enterprises=10)

    assert found.mean_lead_hours is None
    assert found.enterprise_days == 0
    assert found.warnings == found.episodes == 0


# what holds for every air

figures = st.lists(st.one_of(st.none(), st.integers(0, 500)), min_size=1, max_size=30).filter(
    lambda found: any(one is not None for one in found)
)
plans = st.sampled_from(RUNNABLE).map(lambda plan_id: PLANS[plan_id])
walks = st.sampled_from(["perfect", "persistence"])


def walked(plan: Plan, air: Past, how: str) -> tuple[Declaration, ...]:
    return walk(plan, air, Perfect(air) if how == "perfect" else Persistence()).declarations


@QUIET
@given(plans, figures, walks)
def test_a_replay_repeated_is_the_same(plan: Plan, days: list[int | None], how: str) -> None:
    assert walked(plan, past(*days), how) == walked(plan, past(*days), how)


@QUIET
@given(plans, figures, walks, st.data())
def test_worse_air_never_gives_a_lower_highest_level(
    plan: Plan, days: list[int | None], how: str, data: st.DataObject
) -> None:
    worse = [one if one is None else data.draw(st.integers(one, 500)) for one in days]

    before = max((one.level for one in walked(plan, past(*days), how)), default=Level.NONE)
    after = max((one.level for one in walked(plan, past(*worse), how)), default=Level.NONE)

    assert after >= before


@QUIET
@given(plans, figures, walks)
def test_levels_fall_only_by_a_test_and_no_warning_is_without_grounds(
    plan: Plan, days: list[int | None], how: str
) -> None:
    declared = walked(plan, past(*days), how)

    for one in declared:
        assert one.grounds.clause
        assert all(each.holds for each in one.grounds.grounds)
        assert one.effective_at >= one.issued_at
        assert one.ended_at is None or one.ended_at >= one.effective_at
    for one, after in pairwise(declared):
        assert one.ended_at is not None
        assert one.ended_at == one.effective_at or one.ended_at <= after.effective_at
        if one.released_at is None:
            lowered = after.level < one.level
            assert after.step is (Step.DOWNGRADE if lowered else Step.UPGRADE)
            assert (after.outlived is not None and after.outlived.met) is lowered
            assert after.level is not one.level


@QUIET
@given(plans, figures)
def test_perfect_foresight_misses_no_day_of_a_plan_that_looks_at_forecasts(
    plan: Plan, days: list[int | None]
) -> None:
    air = past(*days)
    if plan.id != "xa-2014" and None not in days:
        assert scored(plan, air).any_level.misses == 0


@QUIET
@given(plans, figures, walks)
def test_every_figure_of_the_scores_adds_up(plan: Plan, days: list[int | None], how: str) -> None:
    found = scored(plan, past(*days), persistence=how == "persistence")

    assert sum(found.days_at.values()) == len(days)
    assert found.any_level.hits + found.any_level.misses == sum(
        level > Level.NONE for level in demanded(plan, past(*days).days).values()
    )
    assert found.early + found.held <= found.any_level.false_alarms
    assert found.warnings == found.upgrades + found.downgrades + found.reopened + found.episodes
