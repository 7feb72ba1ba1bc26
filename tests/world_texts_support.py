"""Support desks as text, for stories and for the parity of drivers."""

from __future__ import annotations

_DESK = """
support:
  contact_rate: {{payment_failed: 0%, hold_started: 0%, double_charge: 0%, price_rise: 0%, unknown_charge: 0%,
                 canceled_by_mistake: 0%, {topic}: 100%}}
  delay: {{p50: 1 hour, p99: 1 hour}}
  channels: {{{channel}: 100%}}
  desks: [{{channels: [{channel}], shifts: [{{hours: {hours}, agents: {agents}}}]}}]
  handling: {{phone: 8 min}}
  actions: {{retry: 0%, link: 0%, grace: 0%, explain: 0%, {action}: 100%}}
  success: {{link: 100%, grace: 100%, explain: {explain}, save: 100%, refund: {refund}, goodwill: {goodwill}}}
  repeat: {{after_unresolved: {again}, after_abandoned: {again}, within: 2 days}}
  annoyance: {{cancels: {cancels}, lasts: 10 days}}
"""


def desk(
    topic: str = "payment_failed", action: str = "explain", *, channel: str = "phone", hours: str = "[0, 24]",
    agents: int = 99, explain: str = "100%", again: str = "0%", cancels: str = "0%",
    refund: str = "100%", goodwill: str = "0%",
) -> str:  # fmt: skip
    """A desk for one cause, one channel and one thing that agents do, without chance."""
    text = _DESK.format(
        topic=topic, action=action, channel=channel, hours=hours, agents=agents, explain=explain, again=again,
        cancels=cancels, refund=refund, goodwill=goodwill,
    )  # fmt: skip
    # A key is given once: the last one, which is the certain one, counts.
    return text.replace(f"{topic}: 0%, ", "").replace(f"{topic}: 0%,\n", "\n").replace(f"{action}: 0%, ", "", 1)


CROWDED = """
members: 500
support:
  contact_rate: {payment_failed: 70%, hold_started: 70%, price_rise: 40%, unknown_charge: 3%, canceled_by_mistake: 50%}
  by_market: {IN: {payment_failed: 20%}}
  desks:
    - {channels: [chat, phone], shifts: [{days: [monday, tuesday, friday], hours: [7, 19], agents: 1},
                                         {days: [saturday], hours: [10, 12], agents: 2}]}
    - {channels: [email], shifts: [{hours: [8, 9], agents: 1}]}
  handling: {chat: 4 hours, phone: 3 hours, email: 12 min}
"""
"""Laid over the busy world: more contacts than agents."""

SWITCHES = {"support": CROWDED}
"""What random worlds may switch on (see `random_worlds`)."""
