"""A text as it is read out (语音): times and counts as words, numbers of orders and telephones digit by digit."""

from __future__ import annotations

import re
from typing import Final

_ONES: Final = "零一二三四五六七八九"
_DIGITS: Final = "零幺二三四五六七八九"  # 幺 for one, so that no listener takes it for seven
_ROMAN: Final = {"Ⅰ": "一", "Ⅱ": "二", "Ⅲ": "三", "Ⅳ": "四"}
_COUNTED: Final = "个|小时|分钟|分|点|天|日|月|家|件|条|项|次|级|人|版"
_TIME: Final = re.compile(r"(?<!\d)(\d{1,2}):(\d{2})(?!\d)")
_COUNT: Final = re.compile(rf"(?<![\d-])(\d{{1,4}})(?={_COUNTED})")
_RUN: Final = re.compile(r"\d+")
_HYPHEN: Final = re.compile(r"(?<=\d)-(?=\d)")


def spelt(text: str) -> str:
    """The text with every figure in characters, so that every voice reads it alike."""
    for roman, word in _ROMAN.items():
        text = text.replace(roman, word)
    text = _TIME.sub(lambda found: _hour(int(found[1]), int(found[2])), text)
    text = _COUNT.sub(lambda found: counted(int(found[1])), text)
    text = _HYPHEN.sub("杠", text)
    return _RUN.sub(lambda found: "".join(_DIGITS[int(one)] for one in found[0]), text)


def counted(number: int) -> str:
    """A number from 0 to 9999 as one says it: 12 十二, 105 一百零五."""
    if number < 10:
        return _ONES[number]
    said, gap = "", False
    for unit, name in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = number // unit % 10
        if digit:
            said += ("零" if gap and said else "") + _ONES[digit] + name
            gap = False
        else:
            gap = True
    return said.removeprefix("一") if 10 <= number < 20 else said


def _hour(hour: int, minute: int) -> str:
    return f"{counted(hour)}点" + (f"{counted(minute)}分" if minute else "")
