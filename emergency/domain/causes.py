"""What drives a day whose concentrations are known, and the figure by which warnings count it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from emergency.domain.air import Amount, Index, Period, Standard, index, trigger_aqi
from emergency.domain.forecast import Cause

POLLUTED_OVER: Final = 100  # HJ 633-2026 table 2: from 101 on the air is polluted
DUST_RATIO: Final = 2
"""
PM10 over PM2.5 above which a day that PM10 leads is suspected dust.

Assumed, no text names it for whole days. Two reasons: the daily limits of GB 3095 stand at 2 to 1 (150 to 75 µg/m³),
so that above it PM10 can be over its limit while PM2.5 is not; and haze is mostly fine particles, dust mostly coarse.
"""


class Figure(NamedTuple):
    """
    A day as warnings count it: its index without what does not count, and what drives it.

    ``aqi`` None is unknown. ``primary`` are those that gave the figure; on a day of ozone or dust, which give none,
    those that lead the published index.
    """

    aqi: int | None
    primary: tuple[str, ...] = ()
    cause: Cause = Cause.PM2_5


def figure(standard: Standard, values: Mapping[str, Amount | None]) -> Figure:
    """
    The figure and the cause of a day with these concentrations (24-h means, ``o3_8h``), by this edition.

    Ozone never counts, and it hides nobody: a day whose other pollutants are over 100 by themselves is theirs with
    their own figure, however bad the ozone. Only where they are not is a day of bad ozone an ozone day. Where PM10
    leads and has the ratio of dust it is left out; what is then still over 100 is a day of fine particles all the
    same, and what is not is suspected sand-dust (环大气〔2024〕6号: health notices, no orders).

    :raises BadConcentration: a negative value, no number, or a name that is nobody's
    """
    told = index(standard, values, period=Period.DAY)
    aqi = trigger_aqi(standard, told)
    if aqi is None:
        return Figure(None)
    if aqi > POLLUTED_OVER and _is_of_dust(told, values, aqi):
        without = trigger_aqi(standard, told, sand_dust=True)
        if without is None or without <= POLLUTED_OVER:
            return Figure(without, ("pm10",), Cause.SAND_DUST)
        return Figure(without, _owners(standard, told, without, but=("o3", "pm10")))
    if aqi <= POLLUTED_OVER and told.primary == ("o3",) and (told.aqi or 0) > POLLUTED_OVER:
        return Figure(aqi, told.primary, Cause.O3)
    return Figure(aqi, _owners(standard, told, aqi, but=("o3",)) if aqi > POLLUTED_OVER else told.primary)


def _is_of_dust(told: Index, values: Mapping[str, Amount | None], aqi: int) -> bool:
    """Whether PM10 alone gives the figure, in the ratio of dust; without both concentrations nobody can say."""
    fine, coarse = values.get("pm2_5"), values.get("pm10")
    leads = [name for name, its in told.iaqi.items() if name != "o3" and its == aqi] == ["pm10"]
    return leads and fine is not None and coarse is not None and coarse > DUST_RATIO * fine


def _owners(standard: Standard, told: Index, aqi: int, *, but: tuple[str, ...]) -> tuple[str, ...]:
    owners = (name for name, its in told.iaqi.items() if its == aqi and name not in but)
    return tuple(owners) if aqi > standard.primary_over else ()
