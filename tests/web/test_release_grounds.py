"""The page of a release shows the test it rests on, and the spell it ends beside it."""

from __future__ import annotations

import pytest

from emergency.domain.episode import Move
from tests.web.conftest import SignedIn
from tests.world import World


@pytest.mark.parametrize(("language", "words"), [
    ("zh", ("2015-02-13 AQI", "预计持续好转的小时数", "本次污染过程的研判")),
    ("en", ("hours known to stay so", "What the rule says of the spell itself")),
])  # fmt: skip
def test_the_page_of_a_release_shows_each_comparison_of_its_test_and_the_spell(
    world: World, signed_in: SignedIn, language: str, words: tuple[str, ...]
) -> None:
    world.decide(world.forecast(210, 220, 230, 240)[0])
    world.clock.forward(days=4)
    world.observe(210, 220, 230, 140)
    (found,) = world.forecast(120, 130)
    assert found.move is Move.RELEASE

    page = signed_in("city-duty").get(f"/console/decisions/{found.id}?lang={language}").text

    for one in words:
        assert one in page
    assert '<td class="num" data-name="实际">48</td>' in page or language == "en"
