"""What people say, as text to lay over the worlds of `world_texts`."""

from __future__ import annotations

SAYING = """
leaving_reasons: {price: 30%, content: 25%, not_using: 35%, other: 10%}
exit_survey: {answered: 60%, misreported: 15%, trouble_says_price: 40%}
serial_churners: {share: 33%, leave_factor: 4, returns: {month_1: 40%, month_6: 80%, month_12: 90%}}
channels:
  email: {delivered: 90%, mended: 10% per month, opened: 12%, responded: 60%}
  push: {delivered: 70%, opened: 25%, responded: 40%, unsubscribed: 5%}
surveys:
  recovered: {kind: nps, share: 80%}
  hold: {kind: csat, share: 100%}
  contact: {kind: csat, share: 100%}
  signup: {kind: csat, share: 50%}
  quiet_year: {kind: nps, share: 30%}
  wait: 20 days
"""
"""Everything that the behaviour of a market can say about what its people say."""

TALKING = f"""
win_back_offers:
  - {{after: 7 days, within: 20 days, market: [US, GB], uplift: 20%}}
  - {{after: 21 days, within: 30 days, to: [voluntary], share: 80%, uplift: 40%, channel: push}}
market_defaults:
  behaviour:
{"".join(f"    {line}" for line in SAYING.strip().splitlines(keepends=True))}
"""
"""All of it, in every market of the busy world, where many leave and many fail."""

TALKATIVE = f"""{TALKING}
dunning_policies:
  short:
    notices: [0 hours, {{after: 1 day, channel: push}}, {{after: 2 days, channel: push}}]
"""
"""The same, with notices by several channels."""

SWITCHES = {"saying": TALKATIVE}
"""What random worlds may switch on (see `random_worlds`)."""
