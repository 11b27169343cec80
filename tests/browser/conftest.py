"""A real server on loopback over a world, and a real browser in front of it."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright
from werkzeug.serving import make_server

from config import Settings
from emergency.broker import Broker
from emergency.system import System
from emergency.web import create_app
from tests.world import PASSWORD, PLACE, World

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""


@pytest.fixture
def site(world: World, tmp_path: Path) -> Iterator[str]:
    """The pages over the world, served on a free port; its address."""
    settings = Settings(
        database_url="sqlite://", data_dir=tmp_path, secret_key="only for tests, and long enough for them"
    )
    system = System(
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
    server = make_server("127.0.0.1", 0, create_app(system), threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Headless Chromium as Debian ships it, gone with its file: Playwright's loop would stand in the way of others'."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield started
        started.close()


def signed_in(browser: Browser, site: str, login: str, *, width: int = 1280, script: bool = True) -> Page:
    """A page of a fresh browser in which this person has signed in."""
    context = browser.new_context(
        viewport={"width": width, "height": 900},
        locale="zh-CN",
        timezone_id="Asia/Shanghai",
        java_script_enabled=script,
    )
    page = context.new_page()
    page.goto(f"{site}/sign-in")
    page.get_by_label("用户名").fill(login)
    page.get_by_label("密码").fill(PASSWORD)
    page.get_by_role("button", name="登录").click()
    return page
