"""The pages over a world: an application whose clock is the world's, browsers that sign in, and the token of a form."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from jinja2 import FileSystemBytecodeCache

from config import Settings
from emergency.broker import Broker
from emergency.system import System
from emergency.web import create_app
from tests.world import PASSWORD, PLACE, World

SignedIn = Callable[[str], FlaskClient]


@pytest.fixture
def system(world: World, tmp_path: Path) -> System:
    """A system around the world's own parts."""
    settings = Settings(
        database_url="sqlite://",
        data_dir=tmp_path,
        secret_key="only for tests, and long enough for them",
        channels={"sms": {"url": "http://127.0.0.1:9/", "key": "gateway key"}},
    )
    return System(
        settings=settings,
        store=world.store,
        clock=world.clock,
        wall=world.wall,
        rules=world.rules,
        feeds={},
        channels={},
        broker=Broker(""),
        place=PLACE,
    )


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> FileSystemBytecodeCache:
    """Templates as they were compiled for an earlier test: every test has an application of its own."""
    return FileSystemBytecodeCache(str(tmp_path_factory.mktemp("templates")))


@pytest.fixture
def app(system: System, templates: FileSystemBytecodeCache) -> Flask:
    """The pages."""
    made = create_app(system)
    made.testing = True
    made.jinja_env.bytecode_cache = templates
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser that nobody has signed in with."""
    return app.test_client()


@pytest.fixture
def signed_in(app: Flask) -> SignedIn:
    """A browser in which this person has signed in."""

    def begin(login: str) -> FlaskClient:
        browser = app.test_client()
        form = {"login": login, "password": PASSWORD, "csrf_token": token_in(browser.get("/sign-in").text)}
        assert browser.post("/sign-in", data=form).status_code == 303
        return browser

    return begin


def token_in(page: str) -> str:
    """The CSRF token a page's forms carry."""
    found = re.search(r'name="csrf_token" value="([^"]+)"', page)
    assert found, "the page has no form of ours"
    return found.group(1)


@pytest.fixture
def machine(world: World, system: System) -> FlaskClient:
    """A client of an installation that knows one machine."""
    keys = {"bureau": {"key": "s3cret", "scopes": "forecasts,observations"}}
    client = create_app(replace(system, settings=replace(system.settings, api_keys=keys))).test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer s3cret"
    return client
