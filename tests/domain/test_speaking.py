"""What a voice reads out has no figure left in it, and no listener can mistake one."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.speaking import counted, spelt


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("11月23日18:00", "十一月二十三日十八点"),
        ("2月8日06:05", "二月八日六点五分"),
        ("已下达120分钟", "已下达一百二十分钟"),
        ("联系 0772-3212345", "联系 零七七二杠三二幺二三四五"),
        ("柳气预警〔2015〕1号-0001", "柳气预警〔二零幺五〕幺号-零零零幺"),
        ("黄色（Ⅲ级）", "黄色（三级）"),
        ("第2版，共10家", "第二版，共十家"),
        ("没有数字", "没有数字"),
    ],
)
def test_figures_are_read_as_people_say_them(written: str, read: str) -> None:
    assert spelt(written) == read


@pytest.mark.parametrize(
    ("number", "said"),
    [(0, "零"), (10, "十"), (15, "十五"), (20, "二十"), (105, "一百零五"), (110, "一百一十"), (1001, "一千零一"),
     (1010, "一千零一十"), (9999, "九千九百九十九")],
)  # fmt: skip
def test_numbers_are_counted_as_people_count(number: int, said: str) -> None:
    assert counted(number) == said


@given(st.text(alphabet="0123456789:-Ⅰ月日号 幺家", max_size=40))
def test_no_figure_is_left(text: str) -> None:
    assert not re.search(r"[0-9Ⅰ]", spelt(text))
