"""What the environment may say, and what production refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from config import DEVELOPMENT_SECRET, Settings
from emergency.errors import Misconfigured

SECRET = "k" * 40


def test_an_empty_environment_is_the_embedded_default() -> None:
    settings = Settings.from_env({})

    assert settings.database_url == f"sqlite:///{settings.data_dir / 'emergency.db'}"
    assert settings.broker_url == ""
    assert settings.public_url == "http://127.0.0.1:8000"
    assert not settings.production


def test_the_database_lies_in_the_data_folder_unless_it_is_named(tmp_path: Path) -> None:
    settings = Settings.from_env({"EMERGENCY_DATA_DIR": str(tmp_path)})

    assert settings.database_url == f"sqlite:///{tmp_path}/emergency.db"


def test_a_lease_is_half_a_minute_unless_it_is_said() -> None:
    assert Settings.from_env({}).lease.total_seconds() == 30
    assert Settings.from_env({"EMERGENCY_LEASE_SECONDS": "2.5"}).lease.total_seconds() == 2.5
    with pytest.raises(Misconfigured, match="EMERGENCY_LEASE_SECONDS"):
        Settings.from_env({"EMERGENCY_LEASE_SECONDS": "1"})


@pytest.mark.parametrize("said", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_postgresql_in_any_spelling_uses_the_driver_we_have(said: str) -> None:
    assert Settings.from_env({"EMERGENCY_DATABASE_URL": said}).database_url == "postgresql+psycopg://u@h/d"


def test_feeds_and_channels_are_gathered_by_their_prefix() -> None:
    settings = Settings.from_env(
        {
            "FEED_MY_CITY_URL": "https://air.example/x", "FEED_MY_CITY_KEY": "k", "CHANNEL_SMS_URL": "https://sms.example",
            "CHANNEL_SMS_CONNECTIONS": "8", "CHANNEL_VOICE_URL": " ", "FEED_": "x", "FEEDER_X_URL": "x",
        }
    )

    assert settings.feeds == {"my_city": {"url": "https://air.example/x", "key": "k"}}
    assert settings.channels == {"sms": {"url": "https://sms.example", "connections": "8"}}


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, "EMERGENCY_SECRET_KEY"),
        ({"EMERGENCY_SECRET_KEY": DEVELOPMENT_SECRET}, "EMERGENCY_SECRET_KEY"),
        ({"EMERGENCY_SECRET_KEY": "short"}, "EMERGENCY_SECRET_KEY"),
        ({"EMERGENCY_SECRET_KEY": SECRET, "EMERGENCY_CLOCK_FILE": "/tmp/clock"}, "EMERGENCY_CLOCK_FILE"),
        ({"EMERGENCY_SECRET_KEY": SECRET, "EMERGENCY_CRASH_FILE": "/tmp/crash"}, "EMERGENCY_CRASH_FILE"),
        ({"EMERGENCY_SECRET_KEY": SECRET, "EMERGENCY_DRILL": "liuzhou-2015-02"}, "EMERGENCY_DRILL"),
    ],
)
def test_production_refuses_what_only_a_replay_may_have(environ: dict[str, str], names: str) -> None:
    with pytest.raises(Misconfigured, match=names):
        Settings.from_env({"EMERGENCY_ENV": "production", **environ})


def test_production_starts_on_a_secret_of_its_own() -> None:
    assert Settings.from_env({"EMERGENCY_ENV": "production", "EMERGENCY_SECRET_KEY": SECRET}).production


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("ENV", "prod"),
        ("DATABASE_URL", "mysql://x"),
        ("PUBLIC_URL", "127.0.0.1:8000"),
        ("TIMEZONE", "Asia/Nowhere"),
        ("SWEEP_SECONDS", "often"),
        ("SWEEP_SECONDS", "0"),
        ("SWEEP_SECONDS", "nan"),
        ("WIRE_ALLOW", "127.0.0.1"),
    ],
)
def test_a_wrong_value_is_refused_by_the_name_of_its_variable(name: str, value: str) -> None:
    with pytest.raises(Misconfigured, match=f"EMERGENCY_{name}"):
        Settings.from_env({f"EMERGENCY_{name}": value})


def test_settings_never_show_their_secrets() -> None:
    settings = Settings.from_env(
        {
            "EMERGENCY_SECRET_KEY": SECRET, "EMERGENCY_DATABASE_URL": "postgresql://u:pw-of-db@h/d",
            "EMERGENCY_BROKER_URL": "redis://:pw-of-broker@h", "CHANNEL_SMS_KEY": "key-of-sms",
            "FEED_X_KEY": "key-of-feed",
        }
    )

    shown = repr(settings)

    assert not [one for one in (SECRET, "pw-of-db", "pw-of-broker", "key-of-sms", "key-of-feed") if one in shown]


KILN = {"API_KILN_KEY": "k" * 32, "API_KILN_SCOPES": "orders", "API_KILN_RECIPIENT": "91450200MA5K8X1N0C, x"}


def test_a_key_is_tied_to_recipients() -> None:
    settings = Settings.from_env(KILN)

    assert settings.scopes("kiln") == ("orders",)
    assert settings.tied("kiln") == ("91450200MA5K8X1N0C", "x")


@pytest.mark.parametrize(
    "changes",
    [
        {"API_KILN_RECIPIENT": ""},
        {"API_KILN_RECIPIENT": " , "},
        {"API_KILN_KEY": ""},
        {"API_KILN_SCOPES": "orders,forecasts"},
        {"API_KILN_SCOPES": "forecasts"},
        {"API_OTHER_KEY": "k" * 32, "API_OTHER_SCOPES": "forecasts"},
        {"API_KILN_KEY": "short", "EMERGENCY_ENV": "production", "EMERGENCY_SECRET_KEY": SECRET},
    ],
)
def test_a_key_that_reaches_more_or_less_than_its_recipients_orders_stops_the_start(changes: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match=r"API_KILN|API_OTHER"):
        Settings.from_env({**KILN, **changes})
