"""One 文号 names one notice of an area, whatever series its plan had when it was signed."""

from __future__ import annotations

from dataclasses import replace

import pytest

from emergency.domain.episode import Decision, Move
from emergency.domain.forecast import Cause
from emergency.domain.level import Level
from emergency.services import decisions
from emergency.services.drafting import NumberTaken
from tests.world import World

FREE = "柳气预警〔2015〕3号"


def signed_before_the_series_were_parted(world: World) -> tuple[str, str]:
    """An advisory and a warning of one series, both signed; from then on advisories have one of their own."""
    now, plan = world.rules, world.rules.plans["liuzhou"]
    texts = {name: one for name, one in plan.texts.items() if name != "advisory_number_format"}
    world.rules = replace(now, plans={**now.plans, "liuzhou": replace(plan, texts=texts)})
    (advisory,) = world.forecast(168, 172, 160, causes=(Cause.O3,) * 3)
    world.decide(advisory)
    (warning,) = world.forecast(210, 220, 230)
    world.decide(warning)
    world.rules = now
    return advisory.notice.number, warning.notice.number


def withdrawal(world: World, number: str) -> Decision:
    return world.propose(Move.WITHDRAW, Level.NONE, number=number, reason="误发", override_because="误发")


def test_a_number_signed_in_another_series_is_not_given_again(world: World) -> None:
    assert signed_before_the_series_were_parted(world) == ("柳气预警〔2015〕1号", "柳气预警〔2015〕2号")

    assert withdrawal(world, "").notice.number == FREE


@pytest.mark.parametrize("number", ["柳气预警〔2015〕2号", " 柳气预警[2015]第1号"])
def test_what_is_proposed_under_a_signed_number_is_refused_with_the_next_that_is_free(
    world: World, number: str
) -> None:
    signed_before_the_series_were_parted(world)

    with pytest.raises(NumberTaken, match=FREE) as refused:
        world.propose(Move.EXTEND, Level.ORANGE, number=number, override_because="仍不利", open_ended=True)

    assert f"下一个可用文号是{FREE}" in refused.value.zh


def test_a_withdrawal_may_bear_the_number_of_what_it_takes_back(world: World) -> None:
    _, number = signed_before_the_series_were_parted(world)

    assert world.decide(withdrawal(world, number)).notice.number == number


def test_the_signature_looks_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    signed_before_the_series_were_parted(world)
    with monkeypatch.context() as before:  # proposed before anything looked
        before.setattr(decisions.drafting, "still_free", lambda *args, **how: None)
        waiting = world.propose(
            Move.EXTEND, Level.ORANGE, number="柳气预警〔2015〕2号", override_because="仍不利", open_ended=True
        )

    with pytest.raises(NumberTaken):
        world.sign(waiting)
