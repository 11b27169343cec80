"""The words: Chinese is the source, English is complete, and no table of words forgets a state of the house."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_file
from flask import Flask
from flask.testing import FlaskClient

from emergency.domain.episode import Move, Phase, Standing
from emergency.domain.forecast import Cause, Source
from emergency.domain.messages import Kind, State
from emergency.domain.orders import Action, Category, RecipientKind, Status
from emergency.domain.people import Role
from emergency.errors import Misconfigured
from emergency.store import desk
from emergency.web import words
from emergency.web.vocabulary import WORDS
from tests.web.conftest import SignedIn
from tests.world import World

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "emergency" / "web"
CHINESE = re.compile(r"[\u4e00-\u9fff]")
NOT_SAID = {  # moves of the machine that nobody answers with
    Action.REVISE, Action.INFORM, Action.LIFT, Action.WITHDRAW, Action.REISSUE,
}  # fmt: skip


def said_in(paths: Iterable[Path]) -> dict[str, str]:
    """Every sentence the files mark for translation, and where it stands; code is parsed, f-strings and all."""
    found: dict[str, str] = {}
    for path in paths:
        for line, said in marked_in_code(path) if path.suffix == ".py" else marked_in_template(path):
            found.setdefault(said, f"{path.relative_to(ROOT)}:{line}")
    return found


def marked_in_template(path: Path) -> Iterator[tuple[int, str]]:
    """What a template marks."""
    options = {"trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}
    for line, said, _comments, _context in extract_from_file(
        "jinja2", str(path), keywords={"_": None}, options=options
    ):
        if isinstance(said, str):
            yield line, said


def marked_in_code(path: Path) -> Iterator[tuple[int, str]]:
    """What a module marks."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "N_"):
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                yield node.lineno, first.value


def sources() -> list[Path]:
    """The pages and their code, less the phone simulator, which has words of its own."""
    return [
        path
        for path in sorted([*WEB.rglob("*.py"), *WEB.rglob("*.html")])
        if "phones" not in path.parts and not path.name.startswith("phones")
    ]


def test_every_sentence_of_the_pages_has_its_english() -> None:
    english = words.catalogue()

    without = [f"{where} {said}" for said, where in said_in(sources()).items() if said not in english]

    assert not without


def test_no_chinese_is_left_in_the_english() -> None:
    assert not [said for said in words.catalogue().values() if CHINESE.search(said)]


def test_no_template_says_chinese_without_marking_it() -> None:
    unmarked = []
    for path in sources():
        if path.suffix != ".html":
            continue
        text = re.sub(r"\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}", "", path.read_text(encoding="utf-8"), flags=re.S)
        if found := CHINESE.search(text):
            unmarked.append(f"{path.name}: {text[max(0, found.start() - 20) : found.end() + 20]!r}")

    assert not unmarked


@pytest.mark.parametrize(
    ("listed", "states"),
    [
        ("phase", Phase),
        ("move", Move),
        ("standing", Standing),
        ("status", Status),
        ("message", State),
        ("kind", Kind),
        ("role", Role),
        ("recipient", RecipientKind),
        ("category", Category),
        ("source", Source),
        ("cause", Cause),
    ],
)
def test_every_state_of_the_house_has_a_word(listed: str, states: type[StrEnum]) -> None:
    assert {one.value for one in states} <= set(WORDS[listed])


def test_every_bucket_and_every_answer_has_a_word() -> None:
    assert set(desk.BUCKETS) == set(WORDS["bucket"])
    assert {one.value for one in Action if one not in NOT_SAID} == set(WORDS["action"])


def test_every_fact_the_use_cases_write_has_a_word() -> None:
    written: set[str] = set()
    for path in [*(ROOT / "emergency" / "services").glob("*.py"), WEB / "api.py"]:
        written |= set(
            re.findall(r'(?:fact=|Fact\(\s*|_DEEDS.*?)"([a-z]+\.[a-z_]+)"', path.read_text(encoding="utf-8"))
        )

    assert len(written) > 15
    assert written <= set(WORDS["fact"])


def test_two_catalogues_that_contradict_each_other_stop_the_start(tmp_path: Path) -> None:
    (tmp_path / "en-a.po").write_text('msgid "收到"\nmsgstr "Received"\n', encoding="utf-8")
    (tmp_path / "en-b.po").write_text('msgid "收到"\nmsgstr "Got it"\n', encoding="utf-8")

    with pytest.raises(Misconfigured, match=r"en-b\.po"):
        words.catalogue(tmp_path)


def test_a_lost_placeholder_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "en-a.po").write_text('msgid "共 %(n)d 家"\nmsgstr "in all"\n', encoding="utf-8")

    with pytest.raises(Misconfigured, match="placeholders"):
        words.catalogue(tmp_path)


def test_the_language_is_the_address_then_the_cookie_then_the_browser(client: FlaskClient) -> None:
    def tongue(address: str, *, browser: str = "") -> str:
        headers = {"Accept-Language": browser} if browser else {}
        return client.get(address, headers=headers).headers["Content-Language"]

    assert tongue("/sign-in") == "zh-CN"
    assert tongue("/sign-in", browser="en-GB,en;q=0.9") == "en"
    assert tongue("/sign-in", browser="fr,de;q=0.5") == "zh-CN"
    assert tongue("/sign-in?lang=zh", browser="en") == "zh-CN"
    assert tongue("/sign-in", browser="en") == "zh-CN"  # remembered
    assert tongue("/sign-in?lang=en") == "en"
    assert tongue("/sign-in?lang=xx") == "en"


def test_the_desk_in_english_says_nothing_of_its_own_in_chinese(world: World, signed_in: SignedIn) -> None:
    world.activated()

    page = signed_in("lj-duty").get("/console/tasks?lang=en").text

    assert "Waiting for a decision" in page
    assert 'lang="en"' in page
    assert "等待决定" not in page


def test_a_sentence_without_values_may_hold_a_percent_sign(app: Flask) -> None:
    with app.test_request_context("/"):
        assert words._("减排 10%") == "减排 10%"
        assert words._("共 %(n)d 条", n=3) == "共 3 条"
