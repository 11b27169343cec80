"""What a measure's words come to: exact where they are exact, a person's matter where they are not."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.reduction.quantities import Confidence, Kind, Quantity, read_measure
from emergency.domain.reduction.refusals import Why

STOP, DOWN, CUT = Kind.STOP, Kind.BRING_DOWN, Kind.CUT


def only(text: str) -> Quantity:
    """The one quantity of a text of one clause."""
    (clause,) = read_measure(text)
    (found,) = clause.quantities
    return found


@pytest.mark.parametrize(
    ("text", "quantity", "confidence"),
    [
        ("停2号线（共3条）", Quantity(STOP, "线", count=1, of=3, named=(2,)), "sure"),
        ("3条生产线中的2号线停产", Quantity(STOP, "线", count=1, of=3, named=(2,)), "sure"),
        ("三条生产线中停两条", Quantity(STOP, "生产线", count=2, of=3), "sure"),
        ("停用3台锅炉中的2台", Quantity(STOP, "锅炉", count=2, of=3), "sure"),
        ("停１＃、２＃窑（共2座）", Quantity(STOP, "窑", count=2, of=2, named=(1, 2)), "sure"),
        ("停产1条线", Quantity(STOP, "线", count=1), "likely"),
        ("全厂停产", Quantity(STOP), "sure"),
        ("喷涂工序停产", Quantity(STOP, "喷涂工序"), "likely"),
        ("投料量由960吨/日降至768吨/日", Quantity(DOWN, "投料量", start=960, to=768, unit="吨/日"), "sure"),
        ("日投料量从９６０ｔ降到７６８ｔ", Quantity(DOWN, "日投料量", start=960, to=768, unit="吨"), "sure"),
        ("投料量由960t降到768t（减少20%）", Quantity(DOWN, "投料量", start=960, to=768, unit="吨"), "sure"),
        ("进窑砖坯减少50%", Quantity(CUT, "进窑砖坯", percent=50, unit="%"), "sure"),
        ("进窑砖坯减半", Quantity(CUT, "进窑砖坯", percent=50, unit="%"), "sure"),
        ("生产负荷较预警前负荷降低10%", Quantity(CUT, "生产负荷", "预警前负荷", percent=10, unit="%"), "sure"),
        ("负荷−10%", Quantity(CUT, "负荷", percent=10, unit="%"), "sure"),
        ("负荷降至70%", Quantity(CUT, "负荷", percent=30, unit="%"), "sure"),
        ("限产30%以上", Quantity(CUT, percent=30, unit="%", at_least=True), "likely"),
        ("国四及以下柴油货车停止使用", Quantity(Kind.BAN_VEHICLES, "柴油货车", stage=4), "sure"),
        ("禁止使用国Ⅳ及以下车辆", Quantity(Kind.BAN_VEHICLES, "车辆", stage=4), "sure"),
        ("仅使用国五及以上车辆运输", Quantity(Kind.BAN_VEHICLES, "车辆", stage=4), "sure"),
        ("国四以下车辆禁止进出", Quantity(Kind.BAN_VEHICLES, "车辆", stage=3), "sure"),
        ("每日进出车辆不超过20辆", Quantity(Kind.AT_MOST, "每日进出车辆", to=20, unit="辆"), "sure"),
        ("自主减排", Quantity(Kind.VOLUNTARY), "sure"),
    ],
)
def test_a_measure_is_read_into_its_quantity(text: str, quantity: Quantity, confidence: str) -> None:
    (clause,) = read_measure(text)

    assert clause.quantities == (quantity,)
    assert clause.confidence == confidence
    assert clause.text == text


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("加强洒水抑尘", Why.UNREAD_MEASURE),
        ("停产2条或限产50%", Why.AMBIGUOUS_MEASURE),
        ("除民生任务外停产", Why.AMBIGUOUS_MEASURE),
        ("停产期间加强管理", Why.AMBIGUOUS_MEASURE),
        ("不停产", Why.AMBIGUOUS_MEASURE),
        ("原则上停产", Why.AMBIGUOUS_MEASURE),
        ("减少20%-30%", Why.AMBIGUOUS_MEASURE),
        ("减少20-30%", Why.AMBIGUOUS_MEASURE),
        ("1、2号线停产", Why.AMBIGUOUS_MEASURE),
        ("夜间停产", Why.AMBIGUOUS_MEASURE),
        ("22时至次日6时停止破碎作业", Why.PARTLY_READ_MEASURE),
        ("停产4条（共3条）", Why.CONFLICTING_MEASURE),
        ("停4号线（共3条）", Why.CONFLICTING_MEASURE),
        ("投料量由960t降到768t（减少30%）", Why.CONFLICTING_MEASURE),
        ("投料量由768吨降至960吨", Why.CONFLICTING_MEASURE),
        ("投料量由960吨降至768车", Why.CONFLICTING_MEASURE),
        ("负荷降低130%", Why.CONFLICTING_MEASURE),
        ("国四及以下车辆", Why.CONFLICTING_MEASURE),
    ],
)
def test_what_is_not_plain_is_left_to_a_person_and_never_guessed(text: str, why: Why) -> None:
    (clause,) = read_measure(text)

    assert clause.quantities == ()
    assert clause.confidence is Confidence.UNREAD
    assert clause.why is why


def test_clauses_stand_for_themselves_and_keep_their_words() -> None:
    found = read_measure("1、停2号线（共3条）；\n2、国四及以下货车停用；3、做好台账。")

    assert [one.text for one in found] == ["停2号线（共3条）", "国四及以下货车停用", "做好台账"]
    assert [one.confidence.value for one in found] == ["sure", "sure", "unread"]


@given(st.integers(1, 60), st.integers(1, 60))
def test_so_many_lines_of_so_many_are_read_back_or_refused_when_more_stop_than_there_are(n: int, of: int) -> None:
    (clause,) = read_measure(f"停产{n}条生产线（共{of}条）")

    if n <= of:
        assert clause.quantities == (Quantity(STOP, "生产线", count=n, of=of),)
    else:
        assert clause.why is Why.CONFLICTING_MEASURE


@given(st.integers(1, 99), st.integers(2, 9999))
def test_an_amount_that_goes_down_is_read_back(percent: int, before: int) -> None:
    after = round(before * (1 - percent / 100), 2)
    found = read_measure(f"投料量由{before}吨/日降至{after}吨/日")[0]

    assert found.quantities == (Quantity(DOWN, "投料量", start=before, to=after, unit="吨/日"),)


@given(st.text("停产2条或号线由96吨降至,;%（共3）国四及以下车辆不超过 限", max_size=30))
def test_a_clause_that_is_read_has_accounted_for_every_figure_in_it(text: str) -> None:
    for clause in read_measure(text):
        if clause.confidence is not Confidence.UNREAD:
            said = [
                value
                for one in clause.quantities
                for value in (one.count, one.of, *one.named, one.start, one.to, one.percent, one.stage)
                if value is not None
            ]
            digits = {float(one) for one in re.findall(r"\d+(?:\.\d+)?", clause.text)}
            assert len(digits) <= len(said) + 1
