"""`replay`: what one plan or several would have made of past air: levels, hits, misses, lead time, cost, a picture."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING

from emergency.clock import SHANGHAI
from emergency.commands.aqi import uncollected
from emergency.commands.past_air import Measured, read_forecasts, read_past
from emergency.commands.replay_picture import Row, drawn
from emergency.domain.air_daily import Stamp
from emergency.domain.assessment import grounds
from emergency.domain.declaring import Declaration
from emergency.domain.foresight import Archived, Foresight, Perfect, Persistence
from emergency.domain.hindsight import demanded
from emergency.domain.level import Level
from emergency.domain.plan import DAY_HOURS, Plan, RunsOn
from emergency.domain.replay import EVENING, LEAD_DAYS, Replay
from emergency.domain.replay import walk as replayed
from emergency.domain.scores import Scores, Tally, scores
from emergency.errors import Missing, Refused
from emergency.plans import plans as loading
from emergency.plans.standards import load_standards

if TYPE_CHECKING:
    from argparse import ArgumentParser, _SubParsersAction

LONGEST_LEAD = 240  # hours; no daily forecast of an index reaches further


class NotWritten(Refused):
    """The picture could not be put where it was wanted."""

    words_zh = "图件无法写入"


@dataclass(frozen=True)
class Played:
    """A plan, what it made of the air, and how well it did."""

    plan: Plan
    replay: Replay
    scores: Scores
    asked: Mapping[str, str]  # day → level asked for with hindsight


def register(subparsers: _SubParsersAction[ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "replay",
        help="what a plan would have made of past air",
        description="Walks a plan over past air, evening by evening: declares, raises, lowers and releases as the plan "
        "says, and counts how that compares with what the air asked for.",
        epilog="Hours become days by the standard in force on each; ozone starts no warning. A plan that runs on any "
        "24 hours needs hours and is asked of adjoining 24-h windows at every anchor. A level takes effect at "
        "00:00 of the day after issue where the plan asks for a lead time, after the plan's delay where it gives one, "
        "else at 00:00 of the first bad day foreseen; it ends by the plan's release test.",
    )
    parser.add_argument("--plan", required=True, type=_ids, metavar="ID[,ID…]", help="several are compared")
    parser.add_argument(
        "--observations", required=True, type=Path, metavar="PATH",
        help="hours (time,place,pm2_5,pm10,so2,no2,co,o3), days (day,aqi[,primary][,pm2_5]…), or a folder with a "
        ".csv or .csv.gz for each station (year,month,day,hour,PM2.5,…,CO in µg/m³,…,station)",
    )
    parser.add_argument("--place", metavar="P", help="one place or station; without it several are one city's mean")
    parser.add_argument(
        "--forecast", default="perfect", metavar="perfect|persistence|FILE.csv",
        help="what each evening foresees: what came (default), today repeated, "
        "archived issued_at,day,aqi, or by the hour issued_at,time,pm2_5,…",
    )
    parser.add_argument(
        "--lead-hours", type=_lead, default=LEAD_DAYS * DAY_HOURS, metavar="N",
        help="how far a trigger looks ahead; a begun day counts whole (default %(default)s)",
    )
    parser.add_argument("--issue-hour", type=_hour, default=EVENING.hour, metavar="H", help="local hour (default 17)")
    parser.add_argument("--enterprises", type=_count, metavar="N", help="how many a warning restricts, for the cost")
    parser.add_argument(
        "--stamp", choices=[one.value for one in Stamp], default=Stamp.START.value,
        help="which end of the hour a time names: start (default) or end",
    )
    parser.add_argument("--picture", type=Path, metavar="FILE.svg", help="also draw the levels by day")
    parser.add_argument("--folder", type=Path, default=loading.PLANS, help="where the plan files are")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    parser.set_defaults(func=run)


def run(args: argparse.Namespace) -> int:
    """
    Read, walk, count, print.

    :raises BadTable: a file is not what it should be; nothing is printed then
    :raises UnknownCell: a plan has a cell nobody has seen
    """
    plans = loading.load_plans(args.folder)
    chosen = [loading.named(plans, one) for one in args.plan]
    with uncollected():
        measured = read_past(
            args.observations, place=args.place, standards=load_standards(), stamp=Stamp(args.stamp),
            windows=any(one.runs_on is RunsOn.ANY_24_HOURS for one in chosen),
        )
    foresight = _foresight(args.forecast, args.place, measured, Stamp(args.stamp))
    lead_days = -(-args.lead_hours // DAY_HOURS)
    played = [
        _play(plan, measured, foresight, lead_days, time(args.issue_hour), args.enterprises) for plan in chosen
    ]
    if args.picture is not None:
        rows = [Row(one.plan.id, tuple(day.level for day in one.replay.days)) for one in played]
        days = [day.day for day in played[0].replay.days]
        _write(args.picture, drawn(measured.past.place, days, [measured.published.get(day) for day in days], rows))
    if args.json:
        json.dump(_document(played, measured, args.lead_hours), sys.stdout, ensure_ascii=False, indent=1)
        sys.stdout.write("\n")
    elif len(played) == 1:
        _say(played[0], measured)
    else:
        _say_table(played, measured)
    return 0


def _play(
    plan: Plan, measured: Measured, foresight: Foresight, lead_days: int, evening: time, enterprises: int | None
) -> Played:
    replay = replayed(plan, measured.past, foresight, lead_days=lead_days, evening=evening)
    asked_for = demanded(plan, measured.past.days, measured.past.hourly.rows)
    asked = {day.isoformat(): level.word for day, level in asked_for.items()}
    return Played(plan, replay, scores(plan, measured.past, replay, enterprises=enterprises), asked)


def _foresight(said: str, place: str | None, measured: Measured, stamp: Stamp) -> Foresight:
    if said == Perfect.name:
        return Perfect(measured.past)
    if said == Persistence.name:
        return Persistence()
    file = Path(said)
    if not file.is_file():
        raise Missing(f"--forecast {said}: neither {Perfect.name} nor {Persistence.name} nor a file")
    issued = read_forecasts(file, place=place, standards=load_standards(), stamp=stamp)
    return Archived(file.name, issued.days, issued.hours)


def _document(played: Sequence[Played], measured: Measured, lead_hours: int) -> dict[str, object]:
    documents = [_one(one, measured, lead_hours) for one in played]
    if len(documents) == 1:
        return documents[0]
    return {
        "place": measured.past.place,
        "forecast": played[0].replay.foresight,
        "lead_hours": lead_hours,
        "comparison": [{"plan": one.plan.id, **_figures(one.scores)} for one in played],
        "plans": documents,
    }


def _one(one: Played, measured: Measured, lead_hours: int) -> dict[str, object]:
    return {
        "plan": one.plan.id,
        "plan_sha": one.plan.sha,
        "place": measured.past.place,
        "places": list(measured.places),
        "forecast": one.replay.foresight,
        "lead_hours": lead_hours,
        "warnings": [_warning(each) for each in one.replay.declarations],
        "days": [
            {
                "date": each.day.isoformat(),
                "aqi": measured.published.get(each.day),
                "trigger_aqi": each.aqi,
                "level": each.level.word,
                "asked_for": one.asked.get(each.day.isoformat()),
            }
            for each in one.replay.days
        ],
        "scores": _figures(one.scores),
    }


def _warning(one: Declaration) -> dict[str, object]:
    return {
        "level": one.level.word,
        "response_level": one.level.response,
        "step": one.step.value,
        "episode": one.episode,
        "issued_at": _local(one.issued_at),
        "effective_at": _local(one.effective_at),
        "ended_at": _local(one.ended_at),
        "release_signed_at": _local(one.released_at),
        "clause": one.grounds.clause,
        "clause_text": one.grounds.clause_text,
        "grounds": grounds(one.grounds),
        "sentence_zh": one.grounds.sentence_zh,
        "sentence_en": one.grounds.sentence_en,
        "doubtful": list(one.grounds.doubtful),
        "outlived_zh": one.outlived.because_zh if one.outlived else None,
        "outlived_en": one.outlived.because_en if one.outlived else None,
    }


def _figures(one: Scores) -> dict[str, object]:
    return {
        "warnings": one.warnings,
        "upgrades": one.upgrades,
        "downgrades": one.downgrades,
        "releases": one.releases,
        "episodes": one.episodes,
        "reopened": one.reopened,
        "days_at": {level.word: count for level, count in one.days_at.items()},
        **_tally(one.any_level),
        "of_false_alarms": {"early": one.early, "held": one.held},
        "by_level": {level.word: _tally(each) for level, each in one.by_level.items()},
        "spells": one.spells,
        "spells_warned": one.spells_warned,
        "mean_lead_hours": one.mean_lead_hours,
        "mean_notice_hours": one.mean_notice_hours,
        "days_without_figure": one.days_without_figure,
        "restricted_days": one.restricted_days,
        "enterprise_days": one.enterprise_days,
    }


def _tally(one: Tally) -> dict[str, object]:
    return {"hits": one.hits, "misses": one.misses, "false_alarms": one.false_alarms}


def _local(at: datetime | None) -> str | None:
    return at.astimezone(SHANGHAI).isoformat(timespec="minutes") if at else None


def _say(one: Played, measured: Measured) -> None:
    replay, found = one.replay, one.scores
    print(f"{one.plan.name} ({one.plan.id}), {measured.past.place}, {_span(replay)}, forecast {replay.foresight}")
    for each in replay.declarations:
        ended = f"to {_short(each.ended_at)}" if each.ended_at else "not ended"
        print(
            f"  {each.step.value:<9} {each.level.word:<6} issued {_short(each.issued_at)}  "
            f"in force {_short(each.effective_at)} {ended}"
        )
        print(f"    {each.outlived.because_zh if each.outlived else each.grounds.sentence_zh}")
    print(f"days: {', '.join(f'{level.word} {count}' for level, count in found.days_at.items())}")
    tally = found.any_level
    print(
        f"hits {tally.hits}, misses {tally.misses}, false alarms {tally.false_alarms} "
        f"(early {found.early}, held {found.held}); spells warned {found.spells_warned} of {found.spells}"
    )
    print(f"mean lead {_or_dash(found.mean_lead_hours)} h, mean notice {_or_dash(found.mean_notice_hours)} h")
    if found.enterprise_days is not None:
        print(f"enterprise-days of restriction {found.enterprise_days}")


def _say_table(played: Sequence[Played], measured: Measured) -> None:
    first = played[0].replay
    print(f"{measured.past.place}, {_span(first)}, forecast {first.foresight}")
    levels = [level for level in Level if level is not Level.NONE]
    counted = ("episodes", "upgrades", "downgrades", "hits", "misses", "false", "lead h")
    head = ["plan", *(level.word for level in levels), *counted]
    lines = [head]
    for one in played:
        found = one.scores
        lines.append(
            [
                one.plan.id,
                *(str(found.days_at.get(level, "-")) for level in levels),
                str(found.episodes), str(found.upgrades), str(found.downgrades), str(found.any_level.hits),
                str(found.any_level.misses), str(found.any_level.false_alarms), _or_dash(found.mean_lead_hours),
            ]
        )
    if any(one.scores.enterprise_days is not None for one in played):
        for line, cell in zip(lines, ["cost", *(_or_dash(one.scores.enterprise_days) for one in played)], strict=True):
            line.append(cell)
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join([line[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(line[1:], widths[1:], strict=True))]))


def _span(replay: Replay) -> str:
    return f"{replay.days[0].day} to {replay.days[-1].day}"


def _short(at: datetime) -> str:
    return f"{at.astimezone(SHANGHAI):%Y-%m-%d %H:%M}"


def _or_dash(figure: float | int | None) -> str:
    return "-" if figure is None else f"{figure:g}"


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text, "utf-8")
    except OSError as failed:
        raise NotWritten(f"--picture {file}: {failed.strerror}") from None


def _ids(said: str) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(part.strip() for part in said.split(",") if part.strip()))
    if not found:
        raise argparse.ArgumentTypeError("at least one plan, like mee-2024 or bj-2013,jjj-2016")
    return found


def _whole(said: str, least: int, most: int) -> int:
    if not said.isascii() or not said.isdigit() or not least <= int(said[:12]) <= most:
        raise argparse.ArgumentTypeError(f"a whole number from {least} to {most}; not {said!r}")
    return int(said)


def _lead(said: str) -> int:
    return _whole(said, 1, LONGEST_LEAD)


def _hour(said: str) -> int:
    return _whole(said, 0, 23)


def _count(said: str) -> int:
    return _whole(said, 0, 10_000_000)
