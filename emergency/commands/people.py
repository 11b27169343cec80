"""Who may sign in, and the first setting: areas and recipients from a place file, people one by one."""

from __future__ import annotations

import argparse
import getpass
import json
import os
import secrets
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

from config import Settings
from emergency import passwords, system
from emergency.domain.episode import Fact
from emergency.domain.people import Person, Role
from emergency.errors import Missing, Refused
from emergency.plans.places import load_place
from emergency.system import System

LEAST: Final = 12  # characters of a password
PASSWORD: Final = "EMERGENCY_NEW_PASSWORD"  # noqa: S105 - the name of the variable, not a password


class WeakPassword(Refused):
    """It is too short to be anybody's signature."""

    words_zh = f"口令太短，至少{LEAST}个字符"


class Known(Refused):
    """Somebody signs in under this name already."""

    words_zh = "该用户名已存在"


def register(subparsers: Any) -> None:
    """Offer people and place."""
    people = subparsers.add_parser("people", help="who may sign in").add_subparsers(dest="what", required=True)
    listing = people.add_parser("list", help="everybody with a sign-in")
    listing.add_argument("--json", action="store_true")
    listing.set_defaults(func=run_list)
    add = people.add_parser("add", help=f"let somebody sign in; the password comes from a prompt or {PASSWORD}")
    add.add_argument("login")
    add.add_argument("--name", required=True)
    add.add_argument("--area", required=True, help="the id of an area: 450200, 450200.450206 …")
    add.add_argument("--role", required=True, choices=[one.value for one in Role])
    add.add_argument("--rank", type=int, choices=range(4), default=0, help="1 office director, 2 deputy, 3 commander")
    add.add_argument("--title", default="")
    add.add_argument("--phone", default="")
    add.add_argument("--generate", action="store_true", help="make a password up and print it once")
    add.set_defaults(func=run_add)
    password = people.add_parser("password", help="give somebody a new password; their sessions end")
    password.add_argument("login")
    password.add_argument("--generate", action="store_true", help="make one up and print it once")
    password.set_defaults(func=run_password)
    for word, active in (("disable", False), ("enable", True)):
        able = people.add_parser(word, help=f"{word} somebody's sign-in")
        able.add_argument("login")
        able.set_defaults(func=run_able, active=active)
    place = subparsers.add_parser("place", help="areas and recipients").add_subparsers(dest="what", required=True)
    load = place.add_parser("load", help="put the areas and recipients of a place file in their tables")
    load.add_argument("file", type=Path, nargs="?")
    load.set_defaults(func=run_load)


def run_list(args: argparse.Namespace) -> int:
    """Print everybody with a sign-in."""
    with _system().store.reading() as tx:
        found = tx.people()
    if args.json:
        rows = [
            {
                "login": one.login, "name": one.name, "area": one.area, "role": one.role.value, "rank": one.rank,
                "title": one.title, "active": one.active,
            }
            for one in found
        ]
        print(json.dumps(rows, ensure_ascii=False))
        return 0
    for one in found:
        off = "" if one.active else "  (disabled)"
        print(f"{one.login:<20} {one.role.value:<14} {one.rank} {one.area:<30} {one.name}{off}")
    return 0


def run_add(args: argparse.Namespace) -> int:
    """Let somebody sign in."""
    s = _system()
    kept = passwords.hashed(_password(generate=args.generate))
    person = Person(
        id=uuid4(), login=args.login, name=args.name, area=args.area, role=Role(args.role), rank=args.rank,
        title=args.title, phone=args.phone,
    )
    with s.store.transactions() as tx:
        tx.area(args.area)
        if any(one.login == args.login for one in tx.people()):
            raise Known(f"{args.login} signs in already; people password gives a new one")
        tx.set_people([(person, kept)])
        more = {"login": args.login, "role": args.role, "rank": args.rank}
        tx.note(Fact("person.added", str(person.id), _who(), s.clock.now(), area=args.area, more=more))
    return 0


def run_password(args: argparse.Namespace) -> int:
    """Give somebody a new password."""
    s = _system()
    kept = passwords.hashed(_password(generate=args.generate))
    with s.store.transactions() as tx:
        person, _ = tx.person_called(args.login)
        tx.set_people([(person, kept)])
        tx.note(Fact("person.password_changed", str(person.id), _who(), s.clock.now(), area=person.area))
    return 0


def run_able(args: argparse.Namespace) -> int:
    """Disable or enable a sign-in; the record keeps the person."""
    s = _system()
    with s.store.transactions() as tx:
        person, kept = tx.person_called(args.login)
        tx.set_people([(replace(person, active=args.active), kept)])
        fact = "person.enabled" if args.active else "person.disabled"
        tx.note(Fact(fact, str(person.id), _who(), s.clock.now(), area=person.area))
    return 0


def run_load(args: argparse.Namespace) -> int:
    """Put a place's areas and recipients in their tables; its made-up people stay out."""
    s = _system()
    place = s.place if args.file is None else load_place(args.file)
    with s.store.transactions() as tx:
        tx.set_areas(place.areas)
        tx.set_recipients(place.recipients)
        more = {"areas": len(place.areas), "recipients": len(place.recipients)}
        tx.note(Fact("place.loaded", str(args.file or "default"), _who(), s.clock.now(), more=more))
    print(f"{len(place.areas)} areas, {len(place.recipients)} recipients", file=sys.stderr)
    return 0


def _system() -> System:
    settings = Settings.from_env(os.environ)
    built = system.build(settings)
    with built.store.reading() as tx:
        if not tx.has_tables():
            raise Missing("the tables are not there yet: python -m emergency migrate")
    return built


def _who() -> str:
    return f"operator:{getpass.getuser()}"


def _password(*, generate: bool) -> str:
    if generate:
        made = secrets.token_urlsafe(15)
        print(made)
        return made
    said = os.environ.get(PASSWORD, "") or getpass.getpass("password: ")
    if len(said) < LEAST:
        raise WeakPassword(f"a password has at least {LEAST} characters")
    return said
