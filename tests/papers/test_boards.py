"""Sign-boards and response plans in type: every word is there, none is markup, and none is too small to read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from uuid import UUID

import pytest
import segno
import typst

from emergency.domain import boards
from emergency.domain.boards import LEVELS, Board, Hotline
from emergency.domain.drawing import measures_for
from emergency.domain.level import Level
from emergency.domain.orders import Category
from emergency.domain.reduction.entries import Entry, new_id, recipient_of
from emergency.domain.reduction.reading import read_list
from emergency.domain.reduction.versions import Listing
from emergency.lists.reading import read_file
from emergency.papers import Ground, TooMany, board_pdf, filling, fitting, plan_pdf, typesetting, words
from emergency.papers.press import press
from emergency.plans.measures import load_sectors
from emergency.web.vocabulary import WORDS as PAGES
from emergency.web.words import catalogue
from tests.lists import GROUND, WORDS, ugly
from tests.papers.reading import a_picture, pages
from tests.world import BOOK, DISTRICT, PLACE, PLANS, PLAYBOOKS

SECTORS = load_sectors(PLAYBOOKS / "measures")
PAPER = Ground(
    sectors={key: (one.name, one.name_en) for key, one in SECTORS.items()},
    schemes={one.id: one.name for one in WORDS.schemes},
    complaints=Hotline("便民热线", "12345"),
)
TOWNS = {one.id: one for one in PLACE.areas}
LISTING = Listing(
    id=UUID(int=5), area=DISTRICT, name="2024—2025年采暖季清单", file_sha256="0" * 64, valid_from=date(2024, 11, 1),
    columns=(), counts={}, laid_by="lj-duty", laid_at=datetime(2024, 11, 1, tzinfo=UTC),
)  # fmt: skip
ADDRESS = "https://liujiang.example/b/" + "A" * 46
ENTRIES = read_list(read_file(ugly()), GROUND).entries
HOSTILE = '#set text(red) $x^2$ \\ @a <b> `c` "d" \'e\' *f* _g_ //h [i] #image("/etc/passwd") #{1+1} ~j'


def listed(entry: Entry) -> Board:
    """The board of an enterprise of the ugly list."""
    return boards.board_of(
        recipient_of(entry, new_id(entry.area, entry.key)), town=TOWNS[entry.area], book=BOOK, plan=PLANS["liujiang"],
        listing=LISTING, entry=entry,
    )  # fmt: skip


def seeded() -> list[Board]:
    """The boards of the enterprises of the place, which stand in no list."""
    return [
        boards.board_of(one, town=TOWNS[one.area], book=BOOK, plan=PLANS["liujiang"], listing=None, entry=None)
        for one in PLACE.recipients
        if one.kind.value == "enterprise"
    ]


CEMENT = ENTRIES[0]


def test_a_board_says_who_what_by_when_and_where_to_complain_on_one_sheet_of_a3() -> None:
    (page,) = pages(board_pdf([(listed(CEMENT), ADDRESS)], PAPER))

    assert (round(page.width), round(page.height)) == (420, 297)
    for said in (
        "样例水泥粉磨厂", CEMENT.code, "B（2020年版技术指南）", "一般企业", "水泥粉磨站", "拉堡镇", "样例甲",
        "13800138000", "柳江生态环境局", "2024—2025年采暖季清单", "2024-11-01", "12345",
        "黄色预警", "橙色预警", "红色预警", "投料量由960吨/日降至768吨/日", "停1#磨（共2台）", "生效后2小时内", "停产",
    ):  # fmt: skip
        assert said in page.text, said
    assert page.ink > 0.03  # glyphs are drawn, not only named


def test_what_nobody_has_said_is_printed_as_not_given() -> None:
    entry = replace(CEMENT, code="", tracker="", callers=(), lines=(), sector="nothing-known")

    (page,) = pages(board_pdf([(listed(entry), ADDRESS)], replace(PAPER, complaints=None)))

    assert page.text.count("未填报") >= 8  # code, address, name, telephone, tracker, three levels, complaints


def test_no_name_is_taken_for_markup_and_no_file_is_read() -> None:
    entry = replace(
        CEMENT, name=HOSTILE, tracker=HOSTILE, address=f"一行\n\x00二行\u202e{HOSTILE}", note=HOSTILE,
        lines=tuple(replace(one, name=HOSTILE, measures=dict.fromkeys(one.measures, HOSTILE)) for one in CEMENT.lines),
    )  # fmt: skip
    board, bare = listed(entry), "".join(HOSTILE.split())

    (page,) = pages(board_pdf([(board, ADDRESS)], PAPER))
    plan = boards.plan_of(board, entry=entry, answers=(30, None, None))
    whole = "".join(one.text for one in pages(plan_pdf(plan, PAPER, address=ADDRESS, drawn=date(2024, 11, 1))))

    assert page.text.count(bare) >= 5
    assert f"一行二行{bare}" in page.text
    assert whole.count(bare) >= 6
    assert "root:" not in page.text + whole


def test_a_template_reads_nothing_outside_its_folder_and_loads_no_package() -> None:
    press_folder = typesetting._PRESS.parent / "templates"

    for source in ('#read("../words.py")', '#read("/../press.py")', '#import "@preview/cetz:0.3.4"'):
        with pytest.raises(RuntimeError):
            press_source(source, root=press_folder)


def press_source(source: str, *, root: Path) -> None:
    """The same call as the press makes, over another template."""
    nowhere = str(root / "no-packages")
    typst.compile(source.encode(), root=str(root), format="pdf", package_path=nowhere, package_cache_path=nowhere)


def test_a_board_that_fits_is_one_page_and_one_that_does_not_goes_on_in_readable_type() -> None:
    one = seeded()[0]

    for times in (1, 4, 9, 30):
        board = replace(one, steps={level: (one.steps[level] or ()) * times for level in LEVELS})
        filled = filling.board(board, PAPER, address=ADDRESS, code="")
        size = fitting.size_for(filled, marked="")
        count = len(pages(board_pdf([(board, ADDRESS)], PAPER)))

        assert size >= 10
        assert count == 1 or size == 10, (times, size, count)
    assert count > 1
    assert f"共{count}页" in pages(board_pdf([(board, ADDRESS)], PAPER))[0].text


def test_a_batch_has_a_page_for_each_and_a_bound() -> None:
    some = [(one, ADDRESS) for one in [*map(listed, ENTRIES), *seeded()[:10]]]

    found = pages(board_pdf(some, PAPER))

    assert all(board.recipient.name in page.text for (board, _), page in zip(some, found, strict=True))
    assert all("第1页，共1页" in page.text for page in found)
    with pytest.raises(TooMany):
        board_pdf(some * 10, PAPER)


def test_papers_of_a_replay_are_striped_all_round_and_say_so() -> None:
    one = (listed(CEMENT), ADDRESS)

    plain, marked = (
        pages(board_pdf([one], ground))[0] for ground in (PAPER, replace(PAPER, label="推演", origin="旧空气"))
    )

    assert "【推演】旧空气" in marked.text
    assert "推演" not in plain.text
    assert marked.ink > plain.ink + 0.03


def test_a_response_plan_holds_lines_baselines_figures_starts_checks_and_people() -> None:
    board = listed(CEMENT)
    plan = boards.plan_of(board, entry=CEMENT, answers=(30, 60, None))

    found = pages(plan_pdf(plan, PAPER, address=ADDRESS, drawn=date(2024, 11, 1)))
    whole = "".join(one.text for one in found)

    assert len(found) == 3
    for said in (
        "一厂一策", "重污染天气应急响应操作方案", "2024-11-01", "1#磨", "2#磨", "基准时段", "基准来源",
        "960→768吨/日（−20%）", "禁用国四及以下", "停1#磨（共2）", "91000000MA000001", "109.32000,24.21000",
        "指令下达后30分钟内", "措施起始时限后1小时内", "答复「已落实」未填报", "全天", "核查方式", "12345",
    ):  # fmt: skip
        assert said in whole, said


def test_a_plant_of_the_playbook_has_its_checks_and_no_made_up_lines() -> None:
    plan = boards.plan_of(seeded()[0], entry=None, answers=(30, 60, 120))

    whole = "".join(one.text for one in pages(plan_pdf(plan, PAPER, address=ADDRESS, drawn=date(2024, 11, 1))))

    assert "清单没有列出生产线" in whole
    assert "用电量下降" in whole
    assert "以文字为准" in whole


def test_a_long_stopped_plant_is_said_to_get_no_orders() -> None:
    board = listed(next(one for one in ENTRIES if one.category is Category.LONG_STOPPED))
    with_measures = replace(board, steps=seeded()[0].steps)

    (page,) = pages(board_pdf([(with_measures, ADDRESS)], PAPER))

    assert page.text.count("长期停产，不下达减排指令") == 3
    assert "磨机" not in page.text


def test_papers_in_english_have_english_labels_and_the_list_s_own_words() -> None:
    (page,) = pages(board_pdf([(listed(CEMENT), ADDRESS)], replace(PAPER, lang="en")))

    for said in ("Creditcode", "Cementgrindingstations", "Labao", "Yellow", "within2hofeffect", "停1#磨（共2台）"):
        assert said in page.text, said


def test_the_code_is_printed_dot_for_dot() -> None:
    """Read off the page where it stands: 46 mm wide, 15 mm from the right and 13 mm from the upper edge."""
    dots = a_picture(board_pdf([(listed(CEMENT), ADDRESS)], PAPER), scale=4)
    wanted = segno.make(ADDRESS, error="m", micro=False).matrix
    a_mm, side = 4 * 72 / 25.4, 46 / (len(wanted) + 8)  # a quiet zone of four all round

    def dark(row: int, column: int) -> int:
        across, down = (359 + (column + 4.5) * side) * a_mm, (13 + (row + 4.5) * side) * a_mm
        return int(dots[int(down), int(across)] < 128)

    assert [[dark(row, column) for column in range(len(wanted))] for row in range(len(wanted))] == [
        [int(one) for one in row] for row in wanted
    ]


def test_the_words_of_papers_are_the_words_of_pages() -> None:
    english = catalogue()

    for ours, theirs in ((words.CATEGORIES, PAGES["category"]), (words.CHECKS, PAGES["check"])):
        assert {key: zh for key, (zh, _) in ours.items()} == dict(theirs)
    assert {zh for zh, _ in words.FORCES.values()} == set(PAGES["force"].values())
    assert all(zh in english for zh, _ in words.CATEGORIES.values())


def test_what_the_press_gets_twice_it_sets_twice_alike() -> None:
    said = {**filling.frame(PAPER), "boards": []}

    assert press("board.typ", json.dumps(said)) == press("board.typ", json.dumps(said))


# --- what a board is


def test_a_step_names_its_line_once_and_a_measure_of_all_lines_names_none() -> None:
    board = listed(CEMENT)

    assert [(one.line, one.text) for one in board.steps[Level.ORANGE] or ()] == [
        ("2#磨", "国四及以下柴油货车停止使用"), ("1#磨", "停1#磨（共2台）"),
    ]  # fmt: skip
    assert [(one.line, one.text) for one in board.steps[Level.RED] or ()] == [("", "停产")]


def test_a_board_holds_what_an_order_would_ask() -> None:
    for board in seeded():
        for level in LEVELS:
            asked = [one.text for one in measures_for(board.recipient, level, BOOK)]
            assert [one.text for one in board.steps[level] or ()] == asked


def test_boards_at_gates_outlive_a_release_of_ours() -> None:
    """The seal of this board was printed: whatever changes it calls every board out of date."""
    step = boards.Step("停1#磨", "", "mandatory", 120, line="1#磨")
    board = replace(listed(CEMENT), steps={Level.YELLOW: None, Level.ORANGE: (step,), Level.RED: (step, step)})

    assert boards.seal(board).hex() == "800c0553f0fd2a28"


def test_the_seal_changes_with_whatever_the_board_says_of_the_enterprise() -> None:
    board = listed(CEMENT)
    one = board.recipient
    other = [
        replace(board, listing_id=UUID(int=6)),
        replace(board, address="他处"),
        replace(board, steps={**board.steps, Level.RED: None}),
        *(replace(board, recipient=replace(one, **{name: "别的"})) for name in ("name", "tracker", "grade")),
        replace(board, recipient=replace(one, contacts=(replace(one.contacts[0], phone="00059990001"),))),
    ]

    assert len({boards.seal(each) for each in (board, *other)}) == len(other) + 1
    assert boards.seal(replace(board, town=replace(board.town, name="改名镇"))) == boards.seal(board)
