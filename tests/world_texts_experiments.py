"""Scenarios with experiments, for tests to lay over `world_texts.QUIET` and `world_texts.BUSY`."""

from __future__ import annotations

RETRIES = """
members: 400
dunning_policies:
  steady: {retries: [1 day], notices: [], grace: 6 days, end: 10 days}
dunning: [{use: steady}]
markets: {US: {behaviour: {first_attempt_failure: {credit: 30%}, method_mix: {credit: 100%}}}}
experiments:
  retry_test:
    enrol: first_failure
    from: 2025-03-01 00:00
    until: 2025-09-01 00:00
    holdout: 20%
    arms:
      control: {share: 50%}
      daily:
        share: 50%
        change:
          dunning_policies:
            daily: {retries: [2 days, 4 days, 6 days, 8 days], notices: [], grace: 6 days, end: 10 days}
          dunning: [{use: daily}]
"""
"""A new dunning policy against the old one, enrolled at the first failure."""

MANY = """
experiments:
  price_test:
    enrol: sign_up
    market: [US]
    arms:
      old: {share: 50%}
      new: {share: 50%, change: {markets: {US: {prices: {standard: 19.00 USD}}}}}
  retry_test:
    enrol: first_failure
    holdout: 10%
    arms:
      control: {share: 50%}
      daily:
        share: 50%
        change:
          dunning_policies:
            daily: {retries: [2 days, 4 days, 6 days], notices: [1 hour], grace: 6 days, end: 10 days}
          dunning: [{use: daily}]
  updater_test:
    enrol: renewal
    arms:
      "on": {share: 30%}
      "off": {share: 70%, change: {account_updater: "off"}}
  backup_test:
    enrol: start
    market: [BR]
    arms:
      one: {share: 60%}
      two: {share: 40%, change: {failover: false}}
"""
"""Every moment of enrolment, in a world in which everything happens."""

_TWO = MANY[MANY.index("  retry_test:") : MANY.index("  backup_test:")]
SWITCHES = {"experiments": f"experiments:\n{_TWO}"}
"""What random worlds may switch on (see `random_worlds`): two at once, whose arms make four worlds."""

MISTAKEN = tuple(
    f"experiments: {{{experiments}}}\n"
    for experiments in (
        "t: {enrol: renewal, arms: {a: {share: 50%}, b: {share: 60%}}}",
        "t: {enrol: renewal, market: [XX], arms: {a: {share: 50%}, b: {share: 50%}}}",
        "t: {enrol: renewal, until: 1999-01-01, arms: {a: {share: 50%}, b: {share: 50%}}}",
        ", ".join(f"t{i}: {{enrol: renewal, arms: {{a: {{share: 50%}}, b: {{share: 50%}}}}}}" for i in range(9)),
    )
)
"""One mistake each, to stand above a whole scenario."""
