"""Why a message did not get through, in Chinese: the words are kept in English beside each try."""

from __future__ import annotations

import re
from typing import Final

from emergency.web.words import lang

FAULTS: Final = {
    r"answered (\d+) without a receipt": "网关回应 {0}，但没有给回执",
    r"answered (\d+): (.+)": "网关回应 {0}：{1}",
    r"answered (\d+)": "网关回应 {0}",
    "(.+) cannot be reached": "{0} 无法连接",
    "(.+) gave no connection within (.+) s": "{0} 在 {1} 秒内没有连上",
    "(.+) did not answer within (.+) s": "{0} 在 {1} 秒内没有回应",
    r"(.+) cut the connection \((.+)\)": "{0} 中断了连接（{1}）",
    "(.+) shows a certificate that does not fit": "{0} 的证书不符",
    "the name (.+) cannot be resolved": "域名 {0} 无法解析",
    "the address is not a URL": "网关地址不是网址",
    "(.+) is not on the public internet and not among the allowed places": "{0} 不在公网，也不在允许的地址之列",
    "the sender died with it": "发送进程中途退出，结果不明",
    "the channel's breaker is open": "通道已熔断，等待恢复",
    "too little of the lease was left": "本轮剩余时间不足，改由下一轮发送",
    "its sender broke off before it left": "发送进程中断，尚未送出，改由下一轮发送",
    "the channel broke off in the middle of it": "发送中途出错，结果不明",
    "of an exercise, and its address is not opened: it does not leave": "演练通知，号码没有打开，不外发",
    "went by itself: the notice it amends was not settled in time": "前一条通知迟迟没有结果，已先行送出",
    "superseded before it could leave": "送出之前已被新通知取代",
    "superseded after a try whose fate nobody knows": "已被新通知取代，此前一次发送结果不明",
    "whoever may have it could not be asked in time": "可能已收下的运营商迟迟无法核对，请人工核实",
    "the provider could not deliver it": "运营商回执：未能送达",
    "answered or superseded": "已答复或已被取代",
    "superseded": "已被取代",
    "decided": "事项已有决定",
}
_PATTERNS: Final = [(re.compile(said), zh) for said, zh in FAULTS.items()]


def fault(because: str) -> str:
    """The reason in the reader's language; a gateway's own words stay as it said them."""
    if lang() == "en":
        return because
    for pattern, zh in _PATTERNS:
        if found := pattern.fullmatch(because):
            return zh.format(*found.groups())
    return because
