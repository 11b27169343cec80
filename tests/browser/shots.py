"""make shots: a picture of every page in mid-episode, at a desk's width and at a phone's, into var/shots."""

from __future__ import annotations

import argparse
import shutil
import tempfile
import threading
from dataclasses import replace
from pathlib import Path

from playwright.sync_api import sync_playwright
from werkzeug.serving import make_server

from config import Settings
from emergency import passwords
from emergency.broker import Broker
from emergency.domain.level import Level
from emergency.domain.messages import Later, Never, Sent, Uncertain
from emergency.domain.orders import Action
from emergency.store import connect, consulting, migrating
from emergency.system import System
from emergency.web import create_app
from tests.world import DISTRICT, PASSWORD, PLACE, World

ROOT = Path(__file__).resolve().parents[2]


def told(folder: Path) -> World:
    """The district on the second evening: answers, silence, an objection, an upgrade that waits for its signature."""
    url = f"sqlite:///{folder / 'shots.db'}"
    migrating.upgrade(url)
    store = connect(url)
    kept = passwords.hashed(PASSWORD, quick=True)
    with store.transactions() as tx:
        tx.set_areas(PLACE.areas)
        tx.set_recipients(PLACE.recipients)
        tx.set_people((one, kept) for one in PLACE.people)
    world = World(store)
    world.rules = replace(
        world.rules, label="推演", origin="柳州2015年2月实况，推演预报；人员、电话和样例企业均为虚构，不是真实预警。"
    )
    world.observe(67, 39, 54, 126, 163, 183, 134)
    world.decide(world.forecast(120, 193, 229)[0])
    world.deliver()
    world.phone.fates = [
        Never("answered 422: number blocked"), Sent("r-1"), Later("answered 503"), Never("answered 400: text too long"),
        Uncertain("http://gateway:8080 did not answer within 10 s"), Uncertain("answered 200 without a receipt"),
    ]  # fmt: skip
    world.activated(Level.YELLOW)
    for number, one in enumerate(world.orders()):
        if world.recipient(one).sample and number % 19 == 0:
            continue
        world.clock.forward(seconds=5)
        world.answer(one, (Action.ACKNOWLEDGE, Action.START, Action.SETTLE, Action.START)[number % 4])
    objecting = next(one for one in world.orders() if world.recipient(one).sample and one.status.value == "issued")
    world.answer(objecting, Action.DECLINE, remark="窑内有坯，不能急停，申请分段降温")
    world.forward(hours=2)
    world.forward(hours=21, step=420)
    world.observe(120)
    world.decide(world.forecast(193, 229, 271)[0])
    upgrade = world.bulletin(Level.ORANGE, action="upgrade", number="柳气预警〔2015〕2号")
    consultation = world.consult("lj-approver3", "labao-town", about=upgrade)
    world.speak(consultation, "labao-town", None, "夜间有烟")
    world.speak(consultation, "labao-town", Level.ORANGE, "夜间有烟，巡查加密")
    return world


def pages(world: World) -> dict[str, str]:
    """Every page by the name of its picture."""
    with world.store.reading() as tx:
        waiting = tx.waiting_decision(world.episode().id)
        consultation = consulting.of_area(tx, DISTRICT)[0].id
    order = next(one for one in world.orders() if world.recipient(one).sector == "brick_kiln")
    return {
        "console": "/console",
        "decision": f"/console/decisions/{waiting.id}" if waiting else "/console",
        "episode": f"/console/episodes/{world.episode().id}",
        "orders": "/console/orders",
        "order": f"/console/orders/{order.id}",
        "propose": "/console/propose",
        "amend": "/console/amend?scope=sector&sector=brick_kiln",
        "bulletin": "/console/bulletins/new",
        "feeds": "/console/feeds",
        "forecasts": "/console/forecasts",
        "shadow": "/console/shadow",
        "tasks": "/console/tasks",
        "consultations": "/console/consultations",
        "consult": "/console/consultations/new",
        "consultation": f"/console/consultations/{consultation}",
        "letters": "/console/letters",
        "unclear": "/console/letters?fate=unclear",
        "calls": f"/console/episodes/{world.episode().id}/calls",
        "calls-paper": f"/console/episodes/{world.episode().id}/calls?format=print",
        "reach": "/console/reach",
        "channels": "/console/channels",
        "review": f"/review/{world.episode().id}",
        "public": "/public",
        "phone": f"/o/{world.token(order)}",
    }


def main() -> None:
    """Take them all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "var" / "shots")
    parser.add_argument("--fold", action="store_true", help="only what is seen without scrolling")
    parser.add_argument("--only", default="", help="comma-separated names of pages")
    parser.add_argument("--login", default="lj-approver3", help="who looks")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome") or ""
    with tempfile.TemporaryDirectory() as folder:
        world = told(Path(folder))
        settings = Settings(
            database_url="sqlite://", data_dir=Path(folder), secret_key="only for pictures, and long enough"
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
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{server.server_port}"
        wanted = {
            name: path
            for name, path in pages(world).items()
            if asked.only in ("", name) or name in asked.only.split(",")
        }
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox", "--disable-gpu"])
            for width in (1440, 360):
                page = browser.new_context(viewport={"width": width, "height": 1000}, locale="zh-CN").new_page()
                page.goto(f"{site}/sign-in")
                page.get_by_label("用户名").fill(asked.login)
                page.get_by_label("密码").fill(PASSWORD)
                page.get_by_role("button", name="登录").click()
                for name, path in wanted.items():
                    page.goto(site + path)
                    page.screenshot(path=asked.out / f"{name}-{width}.png", full_page=not asked.fold)
            browser.close()
        server.shutdown()
        server.server_close()
        world.store.dispose()


if __name__ == "__main__":
    main()
