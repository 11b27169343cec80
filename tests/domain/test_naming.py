"""An id by name is the one that everybody else would work out."""

from __future__ import annotations

from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from emergency.domain.naming import named


@given(st.uuids(), st.text(st.characters(exclude_categories=("Cs",))))
def test_a_named_id_is_the_version_5_id_of_the_standard(within: UUID, name: str) -> None:
    found = named(within, name)

    assert (found, hash(found), str(found)) == ((same := uuid5(within, name)), hash(same), str(same))
    assert (found.version, found.variant, found.is_safe) == (5, same.variant, same.is_safe)
