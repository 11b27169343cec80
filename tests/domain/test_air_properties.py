"""What holds for every air, and an independent implementation beside ours."""

from __future__ import annotations

import math
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emergency.domain.air import POLLUTANTS, Amount, Index, Period, Scale, Standard, index
from emergency.plans.standards import load_standards

OLD, NEW = load_standards()
QUIET = settings(database=None, deadline=None, max_examples=300)
SCALES = sorted(
    {
        (edition.id, gauge.scale.name): gauge.scale
        for edition in (OLD, NEW)
        for report in edition.reports.values()
        for gauge in report
    }.items()
)

standards = st.sampled_from([OLD, NEW])
periods = st.sampled_from(list(Period))
scales = st.sampled_from([scale for _, scale in SCALES])
amounts: st.SearchStrategy[Amount] = st.one_of(
    st.integers(0, 4000),
    st.decimals(0, 4000, places=3),
    st.fractions(0, 4000, max_denominator=24),
)


@st.composite
def airs(draw: st.DrawFn) -> tuple[Standard, Period, dict[str, Amount | None]]:
    """An edition, a period, and concentrations of which some are missing."""
    standard, period = draw(standards), draw(periods)
    names = [gauge.value for gauge in standard.reports[period]]
    return standard, period, {name: draw(st.none() | amounts) for name in names}


def by_definition(scale: Scale, value: Amount) -> int | None:
    """The formula as printed in the standard, in fractions, written a second time and without any table of steps."""
    exact = Fraction(value)
    if scale.rounds:
        exact = Fraction(round(exact * scale.per_unit), scale.per_unit)
    for low, high, from_mark, to_mark in zip(scale.nodes, scale.nodes[1:], scale.marks, scale.marks[1:], strict=False):
        if low <= exact <= high:
            return math.ceil(Fraction(to_mark - from_mark, high - low) * (exact - low) + from_mark)
    return scale.above


@QUIET
@given(scales, amounts)
def test_the_index_is_the_printed_formula(scale: Scale, value: Amount) -> None:
    assert scale.index_of(value) == by_definition(scale, value)


@pytest.mark.parametrize(("name", "scale"), SCALES, ids=lambda one: "-".join(one) if isinstance(one, tuple) else "")
def test_the_table_of_steps_is_the_printed_formula_at_every_step(name: tuple[str, str], scale: Scale) -> None:
    steps = [Fraction(step, scale.per_unit) for step in range(scale.nodes[-1] * scale.per_unit + 1)]

    assert list(scale.table) == [by_definition(scale, step) for step in steps], name


@QUIET
@given(scales, amounts, amounts)
def test_more_of_a_pollutant_never_lowers_its_index(scale: Scale, one: Amount, other: Amount) -> None:
    low, high = sorted((Fraction(one), Fraction(other)))
    less, more = scale.index_of(low), scale.index_of(high)

    if less is not None and more is not None:
        assert less <= more
    assert not (less is None and more is not None)


@QUIET
@given(airs())
def test_the_index_is_the_largest_of_the_single_ones_and_lies_between_0_and_500(
    air: tuple[Standard, Period, dict[str, Amount | None]],
) -> None:
    standard, period, values = air

    found = index(standard, values, period=period)

    known = [its for its in found.iaqi.values() if its is not None]
    assert all(0 <= its <= 500 for its in known)
    if found.aqi is None:
        assert found.na_because
        assert (found.primary, found.category) == ((), "")
        assert not known or (standard is NEW and found.missing and max(known) <= 100)
    else:
        assert found.aqi == max(known)
        assert found.category == standard.category(found.aqi).id
        assert set(found.primary) == {name for name in POLLUTANTS if found.iaqi[name] == found.aqi and found.aqi > 50}
    assert set(found.missing).isdisjoint(found.beyond)
    assert {*found.missing, *found.beyond} == {name for name in POLLUTANTS if found.iaqi[name] is None}


@QUIET
@given(airs())
def test_the_kind_of_number_does_not_matter(air: tuple[Standard, Period, dict[str, Amount | None]]) -> None:
    standard, period, values = air
    as_fractions = {name: None if value is None else Fraction(value) for name, value in values.items()}

    def answer(found: Index) -> tuple[object, ...]:
        return found

    assert answer(index(standard, values, period=period)) == answer(index(standard, as_fractions, period=period))


HUB = {
    Period.HOUR: {
        "pm2_5": "PM25_1H", "pm10": "PM10_1H", "so2": "SO2_1H", "no2": "NO2_1H", "co": "CO_1H", "o3": "O3_1H",
    },
    # its SO2_24H repeats the steps of SO2_1H and is left out
    Period.DAY: {"pm2_5": "PM25_24H", "pm10": "PM10_24H", "no2": "NO2_24H", "co": "CO_24H", "o3_8h": "O3_8H"},
}


@pytest.mark.parametrize("period", list(Period))
def test_another_implementation_agrees_on_every_step_of_2026(period: Period) -> None:
    hub = pytest.importorskip("aqi_hub.aqi_cn.aqi", reason="aqi-hub is not installed")
    scale_of = {gauge.value: gauge.scale for gauge in NEW.reports[period]}
    compared = 0

    for name, item in HUB[period].items():
        scale = scale_of[name]
        for step in range((scale.nodes[-1] + 100) * scale.per_unit + 1):
            exact = Decimal(step) / scale.per_unit
            theirs, ours = hub.cal_iaqi_cn(item, float(exact)), scale.index_of(exact)
            if theirs != ours:
                # it computes in floats and takes the ceiling of 52.00000000000001; a hair less gives the same as ours
                assert theirs == hub.cal_iaqi_cn(item, float(exact) * (1 - 1e-12)) + 1 == (ours or 0) + 1, (name, exact)
            compared += 1

    assert compared > 4000
