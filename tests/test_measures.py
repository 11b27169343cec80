"""What each sector does at each level is complete, concrete and consistent."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emergency.domain.drawing import eligible, measures_for
from emergency.domain.level import Level
from emergency.domain.orders import Measure, RecipientKind
from emergency.errors import Misconfigured
from emergency.plans.measures import CHECKS, load_measures, load_sectors
from emergency.plans.places import load_place

PLAYBOOKS = Path(__file__).resolve().parents[1] / "playbooks"
SECTORS = load_sectors(PLAYBOOKS / "measures")
BOOK = load_measures(PLAYBOOKS / "measures")
PLACE = load_place(PLAYBOOKS / "places" / "liuzhou.yaml")
LINES = [(sector, line) for sector, lines in BOOK.items() for line in lines]
WARNINGS = (Level.YELLOW, Level.ORANGE, Level.RED)

GOOD = """\
sector: toy
name: 玩具
name_en: Toys
starts: {basis: assumed, source: 为测试所设}
measures:
  - key: less
    level: yellow
    force: mandatory
    action: limit
    starts_after_minutes: 60
    check: energy_cut
    terms: {cut_percent: 10}
    text: 日用电量降低10%以上
    text_en: Electricity at least 10% lower
    basis: text
    source: 为测试所设
  - key: stop
    level: orange
    force: mandatory
    action: stop
    starts_after_minutes: 0
    check: stopped_by_deadline
    replaces: [less]
    text: 全部生产线停产
    text_en: Every line stops
    basis: text
    source: 为测试所设
"""


def done_at(sector: str, level: Level) -> tuple[Measure, ...]:
    """What somebody of this sector does at this level."""
    recipient = next(one for one in PLACE.recipients if one.sector == sector and not one.measures)
    return measures_for(recipient, level, BOOK)


SECTORS_OF_RECIPIENTS = sorted({one.sector for one in PLACE.recipients})


def test_every_measure_names_a_check_that_is_known_or_is_not_mandatory() -> None:
    for sector, line in LINES:
        assert line.check in CHECKS or (not line.check and line.force != "mandatory"), (sector, line.key)


@pytest.mark.parametrize("sector", BOOK)
def test_every_measure_is_said_in_both_languages_and_says_where_it_comes_from(sector: str) -> None:
    for line in BOOK[sector]:
        assert re.search(r"[\u4e00-\u9fff]", line.text), line.key
        assert not re.search(r"[\u4e00-\u9fff]", line.text_en), line.key
        assert (line.text[-1], line.text_en[-1]) == ("。", "."), line.key
        assert line.source, line.key


def test_the_figures_of_both_languages_are_the_same() -> None:
    def figures(text: str) -> set[str]:
        return set(re.findall(r"\d+", text.replace(":00", "").replace("百分之百", "100")))

    for sector, line in LINES:
        assert figures(line.text) == figures(line.text_en), (sector, line.key)


@pytest.mark.parametrize("sector", SECTORS_OF_RECIPIENTS)
def test_every_recipients_sector_has_something_to_do_from_yellow_on(sector: str) -> None:
    for level in WARNINGS:
        assert done_at(sector, level)


@pytest.mark.parametrize("sector", SECTORS_OF_RECIPIENTS)
def test_a_higher_level_includes_the_lower_less_what_it_replaces(sector: str) -> None:
    for lower, higher in ((Level.YELLOW, Level.ORANGE), (Level.ORANGE, Level.RED)):
        above = {one.key for one in done_at(sector, higher)}
        replaced = {key for line in BOOK[sector] if line.level is higher for key in line.replaces}

        assert {one.key for one in done_at(sector, lower)} - replaced <= above
        assert not replaced & above


@pytest.mark.parametrize("sector", ["oil_depot", "commerce", "market_supervision", "development_reform", "meteorology"])
def test_some_sectors_do_the_same_at_orange_as_at_yellow(sector: str) -> None:
    assert done_at(sector, Level.ORANGE) == done_at(sector, Level.YELLOW)


@pytest.mark.parametrize("sector", ["brick_kiln", "cement_grinding", "construction_site", "boiler", "district", "town"])
def test_others_are_asked_for_more_at_orange(sector: str) -> None:
    assert done_at(sector, Level.ORANGE) != done_at(sector, Level.YELLOW)


def test_kilns_and_furnaces_get_longer_than_gates() -> None:
    def longest(sector: str) -> int:
        return max(one.starts_after_minutes for one in BOOK[sector])

    assert longest("brick_kiln") > longest("foundry") > longest("construction_site")


def test_guangxis_own_yellow_figures_name_the_notice_they_come_from() -> None:
    for sector, key, percent in (
        ("brick_kiln", "charge-half", 50),
        ("boiler", "load-10", 10),
        ("concrete_mixing", "output-10", 10),
        ("cement_grinding", "mill-load-10", 10),
    ):
        line = next(one for one in BOOK[sector] if one.key == key)
        assert line.level is Level.YELLOW
        assert line.source.startswith("来宾市2026年黄色预警措施")
        assert SECTORS[sector].terms[key] == {"cut_percent": percent}


def test_a_measure_is_no_surer_than_its_least_sure_number() -> None:
    counted = [line for _, line in LINES if line.starts_after_minutes]

    assert counted
    assert all("起算时间" in line.source and line.basis != "text" for line in counted)
    assert [line.key for _, line in LINES if "假定" in line.source and line.basis != "assumed"] == []


def test_districts_relay_and_do_not_warn_the_public_themselves() -> None:
    line = next(one for one in BOOK["district"] if one.key == "no-own-warning")

    assert line.basis == "text"
    assert "九十五条" in line.source


def test_the_long_stopped_excavator_plant_is_listed_and_gets_no_order() -> None:
    plant = next(one for one in PLACE.recipients if one.name == "柳州柳工挖掘机有限公司")

    assert not plant.sample
    assert not eligible(plant, measures_for(plant, Level.RED, BOOK))


def test_about_two_hundred_enterprises_and_thirty_units_get_orders_in_liujiang() -> None:
    got = [
        one
        for one in PLACE.recipients
        if one.area.startswith("450200.450206") and eligible(one, measures_for(one, Level.YELLOW, BOOK))
    ]

    assert len([one for one in got if one.kind is RecipientKind.ENTERPRISE]) == 200
    assert len([one for one in got if one.kind in (RecipientKind.UNIT, RecipientKind.TOWN)]) == 33


def test_going_from_yellow_to_orange_changes_some_orders_and_leaves_others() -> None:
    liujiang = [one for one in PLACE.recipients if one.area.startswith("450200.450206")]
    same = [one for one in liujiang if measures_for(one, Level.YELLOW, BOOK) == measures_for(one, Level.ORANGE, BOOK)]

    assert 20 < len(same) < len(liujiang) / 2


def test_a_good_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(GOOD, "utf-8")

    toy = load_sectors(tmp_path)["toy"]

    assert [one.key for one in toy.measures] == ["less", "stop"]
    assert toy.measures[0].basis == "assumed"  # the ten per cent are text, the hour is not
    assert toy.measures[1].basis == "text"  # at once: no hour to be unsure of
    assert toy.terms == {"less": {"cut_percent": 10}}


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("check: energy_cut", "check: telepathy", "no check is called"),
        ("check: energy_cut", 'check: ""', "names no check"),
        ("cut_percent: 10", "cut_percent: 15", "do not say so"),
        ("replaces: [less]", "replaces: [gone]", "which this sector does not have"),
        ("key: stop", "key: less", "given twice"),
        ("level: orange", "level: yellow", "not of a lower level"),
        ("level: orange", "level: purple", "level"),
        ("starts_after_minutes: 60", "starts_after_minutes: -1", "starts_after_minutes"),
        ("starts_after_minutes: 60", 'starts_after_minutes: "60"', "starts_after_minutes"),
        ("basis: text", "basis: rumour", "basis"),
        ("    text_en: Every line stops\n", "", "text_en"),
        ("sector: toy", "sector: doll", "speaks of sector doll"),
    ],
)
def test_a_wrong_file_is_refused_with_path_and_line(tmp_path: Path, old: str, new: str, reason: str) -> None:
    (tmp_path / "toy.yaml").write_text(GOOD.replace(old, new, 1), "utf-8")

    with pytest.raises(Misconfigured, match=r"toy\.yaml:\d+: ") as refused:
        load_measures(tmp_path)

    assert reason in str(refused.value)


def test_an_empty_folder_is_not_a_book(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="no sector"):
        load_measures(tmp_path)
