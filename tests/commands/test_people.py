"""The first administrator, and everybody after: added, renewed, disabled, each with its line in the journal."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from emergency import passwords
from emergency.__main__ import main
from emergency.store import connect
from tests.conftest import Databases

LONG = "a password of many words"


@pytest.fixture
def empty(databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A migrated database with nobody in it, as the environment says."""
    url = databases.empty(tmp_path / "fresh.db")
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", url)
    monkeypatch.setenv("EMERGENCY_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("EMERGENCY_NEW_PASSWORD", LONG)
    return url


def add(login: str = "root", **how: str) -> int:
    """One person more."""
    said = {"name": "管理员", "area": "450200", "role": "admin", **how}
    return main(["people", "add", login, *[part for name, value in said.items() for part in (f"--{name}", value)]])


def test_a_fresh_installation_gets_its_place_and_its_first_administrator(
    empty: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["place", "load"]) == 0
    assert add() == 0
    assert add("duty", role="duty_officer", area="450200.450206", phone="00010000009") == 0
    capsys.readouterr()

    assert main(["people", "list", "--json"]) == 0

    found = json.loads(capsys.readouterr().out)
    assert [(one["login"], one["role"], one["active"]) for one in found] == [
        ("duty", "duty_officer", True),
        ("root", "admin", True),
    ]
    store = connect(empty)
    with store.reading() as tx:
        person, kept = tx.person_called("root")
        facts = tx.facts_about(str(person.id))
    store.dispose()
    assert passwords.fits(LONG, kept)
    assert [fact for fact in facts if LONG in fact] == []
    assert any("person.added" in fact for fact in facts)


def test_nobody_is_added_twice_or_to_an_area_that_is_not_there(empty: str, capsys: pytest.CaptureFixture[str]) -> None:
    main(["place", "load"])
    add()

    assert add() == 1
    assert "signs in already" in capsys.readouterr().err
    assert add("other", area="999999") == 1
    assert "no such area" in capsys.readouterr().err


def test_a_short_password_is_refused(
    empty: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["place", "load"])
    monkeypatch.setenv("EMERGENCY_NEW_PASSWORD", "short")

    assert add() == 1
    assert "at least 12" in capsys.readouterr().err


def test_a_new_password_replaces_the_old_and_a_disabled_person_stays_in_the_record(empty: str) -> None:
    main(["place", "load"])
    add()

    assert main(["people", "password", "root", "--generate"]) == 0
    assert main(["people", "disable", "root"]) == 0

    store = connect(empty)
    with store.reading() as tx:
        person, kept = tx.person_called("root")
    store.dispose()
    assert not passwords.fits(LONG, kept)
    assert not person.active


def test_before_the_tables_are_there_it_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("EMERGENCY_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")

    assert main(["people", "list"]) == 1
    assert "python -m emergency migrate" in capsys.readouterr().err
