"""What was launched last before a moment: a market anywhere, or a payment method in a market."""

from __future__ import annotations

from billing_sim.clock import DAY
from billing_sim.facts.record import Context, Int
from billing_sim.rule import rule

_WEEK = 7 * DAY
_NONE = -1


@rule(Int(Context, Int, Int, Int))
def last_launch(context, at, market, of_method):
    """The place of the last launch before a moment, of a method in this market or of any market; -1 for none."""
    found = _NONE
    for i in range(context.launches):
        is_method = context.launch_method[i] > 0
        fits = is_method == (of_method > 0) and (of_method == 0 or context.launch_market[i] == market)
        if fits and context.launch_at[i] <= at and (found < 0 or context.launch_at[i] > context.launch_at[found]):
            found = i
    return found


@rule(Int(Context, Int, Int))
def weeks_since(context, launch, at):
    """Whole weeks since a launch, -1 when there was none."""
    return (at - context.launch_at[launch]) // _WEEK if launch >= 0 else _NONE
