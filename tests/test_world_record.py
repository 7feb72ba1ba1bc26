"""The record that rules read, while it is being filled."""

from __future__ import annotations

import pytest

from billing_sim.world.record import Fields, new_world


def test_fields_that_are_looked_up_once_are_the_records_own():
    """Whatever is written through them, at a place or whole, is in the record; a name that is none is refused."""
    record = new_world()
    fields = Fields(record)
    fields.base_count[0, 2] = 3
    fields["base_count"][0, 1] += 4
    fields.markets = 7
    assert record.base_count[0, :4].tolist() == [0, 4, 3, 0]
    assert record.markets.tolist() == [7]
    assert fields.markets.tolist() == [7]
    with pytest.raises(AttributeError):
        fields.colour = 1
