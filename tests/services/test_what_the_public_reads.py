"""The public reads what was signed, a release says which test it rests on, and withdrawing is no way round it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from emergency.domain.episode import Move, Ungrounded
from emergency.domain.level import Level
from emergency.services import decisions, reviews
from tests.world import CITY, World


def test_the_public_text_names_the_level_hour_number_and_reason_that_were_signed(world: World) -> None:
    (found,) = world.forecast(160, 170, 120)
    begins = world.now + timedelta(hours=7)
    changes = {"number": "柳气预警〔2015〕77号", "reason": "会商认为将明显加重", "effective_at": begins}

    told = world.put_forward(found, level=Level.RED, override_because="会商认为将明显加重", changes=changes)

    text = told.notice.public_text
    assert "红色（Ⅰ级）" in text
    assert "黄色" not in text
    assert "77号" in text
    assert "会商认为将明显加重" in text
    assert world.rules.wording.instant(begins, "zh", dated=True) in text


def test_a_persons_own_proposal_is_worded_from_what_they_typed(world: World) -> None:
    world.forecast(160, 170, 120)

    told = world.store.run(
        lambda tx: decisions.propose(
            tx, world.rules, area=CITY, move=Move.ACTIVATE, level=Level.ORANGE, by=world.person("city-duty"),
            now=world.now, reason="会商结论", override_because="会商结论", number="柳气预警〔2015〕78号",
        )
    )  # fmt: skip

    assert "橙色（Ⅱ级）" in told.notice.public_text
    assert "78号" in told.notice.public_text
    assert "会商结论" in told.notice.public_text


def in_force(world: World) -> None:
    """Orange, signed and in force for a day, the air still bad."""
    (found,) = world.forecast(230, 240, 260)
    world.sign(world.put_forward(found))
    world.forward(hours=24, step=720)
    world.observe(220, 240)
    world.forecast(250, 240, 230)


def test_a_release_says_which_test_it_rests_on_and_not_why_there_was_a_warning(world: World) -> None:
    in_force(world)
    world.forward(hours=72, step=720)
    world.observe(240, 250, 160)
    (found,) = world.forecast(90, 80, 70)

    assert found.move is Move.RELEASE
    assert found.notice.reason.startswith("解除条件已满足")
    assert "符合" not in found.notice.reason
    assert found.assessment["calm"]["met"] is True  # type: ignore[index]  # JSON of the assessment
    assert "解除条件已满足" in found.notice.public_text


def test_taking_back_a_warning_in_force_needs_a_reason_while_the_rule_still_holds_it(world: World) -> None:
    in_force(world)

    def withdrawn(because: str) -> object:
        return world.store.run(
            lambda tx: decisions.propose(
                tx, world.rules, area=CITY, move=Move.WITHDRAW, level=Level.NONE, by=world.person("city-duty"),
                now=world.now, reason="撤回", override_because=because,
            )
        )  # fmt: skip

    with pytest.raises(Ungrounded):
        withdrawn("")
    told = withdrawn("发布有误")

    assert told.rule_says > Level.NONE  # type: ignore[attr-defined]  # a decision
    assert "撤回" in told.notice.public_text  # type: ignore[attr-defined]  # a decision
    signed = world.sign(told)  # type: ignore[arg-type]  # a decision
    with world.store.reading() as tx:
        marks = [one.mark for one in reviews.flags(tx, world.rules, signed.episode_id)]
    assert "let_go_uncalm" in marks
