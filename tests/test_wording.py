"""What people read: every notice in both languages, filled with anything, stays one plain text of bounded length."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.episode import Move
from emergency.domain.level import Level
from emergency.errors import Misconfigured
from emergency.plans.measures import load_measures
from emergency.plans.wording import LANGS, load_wording, plain

PLAYBOOKS = Path(__file__).resolve().parents[1] / "playbooks"
FOLDER = PLAYBOOKS / "wording"
WORDING = load_wording(FOLDER)
EVERY = [(name, lang) for name in WORDING.names for lang in LANGS]
NASTY = (
    "{}", "{banner}", "{contact.__class__}", "%s", "%(contact)s", "$contact", "<b>x</b>", "a\nb\r\nc", "\x00\x1b[31mx",
    "x\u202egnp\u200b", "\u2028x\u2029", "长" * 5000, "' OR 1=1 --", "\ud800x",
)
# published, not sent as a text message
SHORT = {"public_notice", "public_release", "public_withdrawal", "public_advisory"}
NOTICES_WITH_AN_ORDER = {
    "order", "revision", "adjustment", "information", "reminder", "escalation_contact", "escalation_tracker",
    "escalation_town", "escalation_district", "lifting", "withdrawal",
}


def filled(name: str, lang: str, value: str) -> str:
    """The notice with the same value in every field."""
    return WORDING.fill(name, lang, **dict.fromkeys(WORDING.template(name, lang).slots, value))


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the folder that a test may spoil."""
    for path in FOLDER.iterdir():
        (tmp_path / path.name).write_text(path.read_text("utf-8"), "utf-8")
    return tmp_path


def test_every_notice_the_desk_needs_is_there() -> None:
    assert set(WORDING.names) >= NOTICES_WITH_AN_ORDER | {
        "proposal_waiting", "bulletin_relay_due", "upward_report", "public_notice", "public_release",
        "public_withdrawal", "banner_replay",
        "banner_exercise", "alarm",
    }


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_no_value_can_break_a_notice(name: str, lang: str) -> None:
    template = WORDING.template(name, lang)
    own_lines = sum(piece.count("\n") for piece in template.pieces if isinstance(piece, str))

    for nasty in NASTY:
        text = filled(name, lang, nasty)

        assert text
        assert len(text) <= template.longest
        assert text.count("\n") == own_lines
        assert not [char for char in text if char != "\n" and not char.isprintable()]
        assert text.encode("utf-8")


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_a_value_that_looks_like_a_field_stays_as_it_is(name: str, lang: str) -> None:
    slots = WORDING.template(name, lang).slots

    text = filled(name, lang, "{a}")

    assert text.count("{a}") >= len([one for one in slots.values() if one.room > 2])


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_a_text_message_stays_short(name: str, lang: str) -> None:
    longest = WORDING.template(name, lang).longest

    assert name in SHORT or longest <= (300 if lang == "zh" else 640)


@pytest.mark.parametrize(("name", "lang"), EVERY)
def test_a_field_missing_blank_or_unknown_is_refused(name: str, lang: str) -> None:
    slots = WORDING.template(name, lang).slots
    good = dict.fromkeys(slots, "x")

    with pytest.raises(Misconfigured, match="has no field surprise"):
        WORDING.fill(name, lang, **good, surprise="x")
    for slot in slots.values():
        less = {field: value for field, value in good.items() if field != slot.name}
        if slot.may_be_blank:
            assert WORDING.fill(name, lang, **less)
            continue
        with pytest.raises(Misconfigured, match=f"needs {slot.name}"):
            WORDING.fill(name, lang, **less)
        with pytest.raises(Misconfigured, match=f"{slot.name} may not be blank"):
            WORDING.fill(name, lang, **{**good, slot.name: " \u200b\n"})


@pytest.mark.parametrize("name", sorted(NOTICES_WITH_AN_ORDER))
def test_whatever_speaks_of_an_order_bears_its_number_and_somebody_to_call(name: str) -> None:
    for lang in LANGS:
        assert {"order_number", "contact", "banner"} <= set(WORDING.template(name, lang).slots)


@pytest.mark.parametrize("lang", LANGS)
def test_an_order_bears_the_document_level_start_end_measures_and_deadline(lang: str) -> None:
    assert set(WORDING.template("order", lang).slots) >= {
        "number", "level", "effective_at", "until", "measures", "answer_by",
    }


@pytest.mark.parametrize("lang", LANGS)
def test_a_revision_leads_with_what_changes(lang: str) -> None:
    text = WORDING.fill(
        "revision", lang, added="ADDED", dropped="DROPPED", order_number="n", revision=2, number="d", level_before="b",
        level="l", effective_at="e", until="u", answer_by="a", contact="c",
    )

    assert 0 <= text.index("ADDED") < text.index("DROPPED") < 40


@pytest.mark.parametrize("lang", LANGS)
def test_every_notice_but_the_banners_can_be_marked_as_a_replay(lang: str) -> None:
    banner = WORDING.banner("推演", lang)

    for name in WORDING.names:
        slots = WORDING.template(name, lang).slots
        if not name.startswith(("banner_", "part_")):  # a part stands inside a notice that is marked
            marked = WORDING.fill(name, lang, **{**dict.fromkeys(slots, "x"), "banner": banner})
            assert marked.startswith(banner)
            assert slots["banner"].may_be_blank


def test_the_marks_of_replay_and_exercise_differ_and_a_real_episode_has_none() -> None:
    assert WORDING.banner("推演", "zh") == "【推演】"
    assert WORDING.banner("演练", "zh") == "【演练】"
    assert WORDING.banner("推演", "en") != WORDING.banner("演练", "en")
    assert WORDING.banner("", "zh") == ""


def test_an_unknown_label_never_goes_out_unmarked() -> None:
    with pytest.raises(Misconfigured, match="no banner"):
        WORDING.banner("彩排", "zh")


def test_times_are_said_as_people_in_liuzhou_say_them() -> None:
    at = datetime(2026, 11, 23, 10, 0, tzinfo=UTC)
    past_midnight = datetime(2026, 12, 31, 16, 5, tzinfo=UTC)

    assert WORDING.instant(at, "zh") == "11月23日18:00"
    assert WORDING.instant(at, "en") == "18:00 on 23 Nov"
    assert WORDING.instant(past_midnight, "zh", dated=True) == "2027年1月1日00:05"
    assert WORDING.until(at, "zh") == "至11月23日18:00"
    assert WORDING.until(None, "zh") == "结束时间另行通知"
    assert WORDING.until(None, "en") == "until further notice"


@pytest.mark.parametrize("lang", LANGS)
def test_a_reason_that_is_a_sentence_ends_with_one_stop(lang: str) -> None:
    stop = {"zh": "。", "en": "."}[lang]
    for name in WORDING.names:
        template = WORDING.template(name, lang)
        text = filled(name, lang, f"x{stop}")
        assert stop * 2 not in text, name
        for slot in template.closed:
            assert f"x{stop}" in text, (name, slot)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", ["public_advisory", "public_notice", "advisory", "order", "continuation"])
@pytest.mark.parametrize("at", [datetime(2026, 11, 23, 10, 0, tzinfo=UTC), None])
def test_an_end_is_said_once_dated_or_open(name: str, lang: str, at: datetime | None) -> None:
    until = WORDING.until(at, lang, dated=name.startswith("public"))

    text = WORDING.fill(name, lang, **{**dict.fromkeys(WORDING.template(name, lang).slots, "x"), "until": until})

    assert until in text
    assert not any(one in text for one in ("至至", "至结束", "until until"))


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        WORDING.instant(datetime(2026, 11, 23, 18, 0), "zh")  # noqa: DTZ001 - the naive instant is the point


@pytest.mark.parametrize("lang", LANGS)
def test_there_are_words_for_every_level_and_every_move(lang: str) -> None:
    assert len({WORDING.level(level, lang) for level in Level}) == len(Level)
    assert len({WORDING.move(move.value, lang) for move in Move}) == len(Move)
    with pytest.raises(Misconfigured, match="no word for the move"):
        WORDING.move("vanish", lang)


def test_whole_measures_are_shown_and_the_rest_is_counted() -> None:
    items = ["停止进坯", "原料破碎停运", "脱硫除尘全时运行"]

    assert WORDING.several(items, "zh", room=90) == "1.停止进坯 2.原料破碎停运 3.脱硫除尘全时运行"
    assert WORDING.several(items, "zh", room=25) == "1.停止进坯 2.原料破碎停运（共3项，见链接）"
    assert WORDING.several([], "zh", room=20) == "无"


@given(st.lists(st.text(min_size=1, max_size=80), max_size=6), st.integers(24, 120))
def test_a_list_of_measures_never_overflows_its_room(items: list[str], room: int) -> None:
    assert len(WORDING.several(items, "zh", room=room)) <= room


def test_the_first_measure_of_every_sector_fits_a_text_message_whole_in_chinese() -> None:
    room = WORDING.template("order", "zh").slots["measures"].room

    for sector, lines in load_measures(PLAYBOOKS / "measures").items():
        shown = WORDING.several([one.text for one in lines], "zh", room=room)
        assert "…" not in shown, sector


@given(st.text())
def test_a_plain_value_is_one_line_of_visible_characters(value: str) -> None:
    assert all(char.isprintable() for char in plain(value))
    assert plain(plain(value)) == plain(value)


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.txt")), ids=lambda path: path.name)
def test_every_file_says_in_its_first_line_what_it_is(path: Path) -> None:
    first = path.read_text("utf-8").splitlines()[0]

    assert first.startswith("# ")
    assert not first.startswith(("# at most", "# fields"))


@pytest.mark.parametrize(
    ("file", "old", "new", "line", "reason"),
    [
        ("order.zh.txt", "{measures}", "{measure}", 4, "not among the declared fields"),
        ("order.zh.txt", "{measures}", "{measures.text}", 4, "not among the declared fields"),
        ("order.zh.txt", "{measures}", "{}", 4, "not among the declared fields"),
        ("order.zh.txt", "{measures}", "", 3, "measures is declared and nowhere used"),
        ("order.zh.txt", "{measures}", "{{measures}}", 4, "a brace"),
        ("order.zh.txt", "measures 70", "measures 700", 2, "more than 300"),
        ("order.zh.txt", "measures 70", "measures", 3, "is not «name room»"),
        ("order.zh.txt", "measures 70", "measures 0", 3, "is not «name room»"),
        ("order.zh.txt", "number 24, area", "number 24, number 24, area", 3, "declared twice"),
        ("order.zh.txt", "# at most: 300", "# at most: many", 2, "is no number"),
        ("order.zh.txt", "# at most: 300", "# limit: 300", 1, "must begin with"),
        ("order.zh.txt", "number 24, area", "number? 24, area", 1, "differ between"),
        ("words.yaml", "red: {zh", "crimson: {zh", 1, "no words for level red"),
        ("words.yaml", "{year}年", "{century}年", 1, "asks for century"),
        ("words.yaml", "推演: banner_replay", "推演: banner_gone", 1, "is not there"),
    ],
)
def test_a_wrong_file_is_refused_with_path_and_line(
    copy: Path, file: str, old: str, new: str, line: int, reason: str
) -> None:
    text = (copy / file).read_text("utf-8")
    assert old in text
    (copy / file).write_text(text.replace(old, new, 1), "utf-8")

    with pytest.raises(Misconfigured) as refused:
        load_wording(copy)

    assert reason in str(refused.value)
    assert file in str(refused.value) or "order.en.txt" in str(refused.value)
    assert f":{line}: " in str(refused.value)


def test_a_notice_in_one_language_only_is_refused(copy: Path) -> None:
    (copy / "order.en.txt").unlink()

    with pytest.raises(Misconfigured, match="order is missing in language 'en'"):
        load_wording(copy)


def test_a_file_with_a_strange_name_is_refused(copy: Path) -> None:
    (copy / "order.fr.txt").write_text("# x\n", "utf-8")

    with pytest.raises(Misconfigured, match="is called <notice>"):
        load_wording(copy)


def test_a_notice_nobody_wrote_is_refused() -> None:
    with pytest.raises(Misconfigured, match="no notice 'poem'"):
        WORDING.fill("poem", "zh")
