"""«Accepted by the gateway» is never shown as «delivered»: in no list of words, on no page, in neither language."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from emergency.domain.level import Level
from emergency.services import dispatch
from emergency.web import create_app
from emergency.web.vocabulary import WORDS
from emergency.web.words import catalogue
from tests.web.conftest import SignedIn
from tests.world import World

TEMPLATES = Path(create_app.__code__.co_filename).parent / "templates"
PRINTED = re.compile(r"\{\{(?:(?!\}\}).)*?\.state\b(?:(?!\}\}).)*?\}\}")
SENTENCE = re.compile(r'_\("([^"]*)"')
NOUGHT = re.compile(r"<b[^>]*>0</b><span>.*?</span>", re.DOTALL)  # a count of none
# sentences that speak of what was delivered: after a receipt, by a person's word, or to tell it from «accepted»
OF_DELIVERY = frozenset(
    {
        "送达回执 %(at)s",
        "“已送出”“已送达”是短信网关的回执，不代表企业已执行。",
        "网关没有给出明确结果：可能已送达，也可能送了两次。请向对方核实。“网关已接收”不等于已送达。",
        "由人核实，或后来收到了送达回执。",
    }
)


@pytest.mark.parametrize("words", ["message", "bucket", "outcome"])
def test_every_state_of_a_message_has_a_word_of_its_own_in_both_languages(words: str) -> None:
    english = catalogue()
    chinese = list(WORDS[words].values())

    assert len(set(chinese)) == len(chinese)
    assert len({english[one].lower() for one in chinese}) == len(chinese)


def test_what_the_gateway_took_is_called_neither_sent_nor_delivered_twice_over() -> None:
    english = catalogue()
    taken, sent, delivered = WORDS["outcome"]["sent"], WORDS["message"]["sent"], WORDS["message"]["delivered"]

    assert len({taken, sent, delivered}) == len({english[one].lower() for one in (taken, sent, delivered)}) == 3
    assert (WORDS["bucket"]["sent"], WORDS["bucket"]["delivered"]) == (sent, delivered)


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda path: path.stem)
def test_a_page_prints_a_state_by_its_word_and_says_delivered_of_nothing_else(path: Path) -> None:
    page = path.read_text(encoding="utf-8")

    printed = [one for one in PRINTED.findall(page) if "said(" not in one and " if " not in one]
    spoken = {one for one in SENTENCE.findall(page) if "送达" in one and "未送达" not in one and "可送达" not in one}

    assert printed == []
    assert spoken <= OF_DELIVERY


def test_until_a_receipt_comes_every_page_says_sent_and_only_then_delivered(world: World, signed_in: SignedIn) -> None:
    world.activated(Level.YELLOW)
    order = world.an_order()
    browser = signed_in("lj-duty")
    about = (f"orders/{order.id}", f"episodes/{order.episode_id}")
    pages = [f"/console/{one}?lang={lang}" for lang in ("zh", "en") for one in about]

    before = [NOUGHT.sub("", browser.get(page).text) for page in pages]
    (message,) = [one for one in world.phone.sent if one.order_id == order.id]
    world.store.run(
        lambda tx: dispatch.note_receipt(
            tx, "sms", f"r-{message.id}", message_id=None, says="delivered", civil=world.now, wall=world.wall.now()
        )
    )
    after = [NOUGHT.sub("", browser.get(page).text) for page in pages]

    for sent, delivered, here in (("已送出", "已送达", slice(0, 2)), ("Sent", "Delivered", slice(2, 4))):
        assert all(sent in page and delivered not in page for page in before[here])
        assert all(delivered in page for page in after[here])
