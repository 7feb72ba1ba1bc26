"""A busy world in which people authenticate, are screened and reviewed, and everything else of this noun happens."""

from __future__ import annotations

BINS = """
market_defaults: {behaviour: {card_bins: {northbank: 50%, harbor_credit: 30%, south_debit: 20%}}}
timeline:
  - {kind: card_testing, at: 2025-02-01 06:00, duration: 30 hours, attempts_per_member: 3, bin: harbor_credit,
     bin_share: 70%, refused: 20%, refused_for: 20 days}
  - {kind: card_testing, at: 2025-02-02, market: [US], duration: 3 days, attempts_per_member: 2, bin: northbank}
"""
"""Cards whose BIN range is known, and attacks on one of them; to be laid over `world_texts.BUSY`."""

FRAUD = """
members: 500
authentication: {required: 80%, renewals_asked: 4%}
fraud: {signups: 20%, review_above: 600, screens: [signup, member, renewal]}
timeline:
  - {kind: authentication_rule, at: 2025-03-01, market: [GB, US], required: 100%, frictionless: 30%}
  - {kind: fraud_rule, at: 2025-03-10, market: [US], block_above: 700, review_above: 400}
  - {kind: card_testing, at: 2025-02-01 06:00, market: [US, IN], duration: 30 hours, attempts_per_member: 3,
     gateway: harborpay, learned_after: 20 hours, then_blocked: 60%}
  - {kind: deploy, at: 2025-02-20, duration: 9 days, market: [GB], declines: 30%}
  - {kind: deploy, at: 2025-04-01, duration: 9 days, gateway: northpay, double_charges: 30%}
  - {kind: method_launch, at: 2025-02-10, market: [BR], method: voucher, share: 60%}
  - {kind: method_withdrawal, at: 2025-03-20, market: [GB], method: direct_debit}
  - {kind: market_launch, at: 2025-03-01, market: [CA], signups: 5%}
  - {kind: gateway_outage, at: 2025-02-10 04:00, gateway: northpay, duration: 9 hours, failing: 80%}
markets:
  CA: {name: Canada, region: UCAN, currency: CAD, time_zone: America/Toronto, locale: en_CA, members: 0%,
       tax: {rate: 5%, included: false}, prices: {standard: 16.49 CAD}, plan_mix: {standard: 100%}}
  IN: {behaviour: {authentication: {required: 100%, frictionless: 0%, renewals_asked: 20%}}}
  GB: {behaviour: {fraudulent_signups: 0%}}
"""
"""To be laid over `world_texts.BUSY`."""

REVIEWERS = """
members: 500
fraud:
  signups: 20%
  review_above: 300
  block_above: 990
  screens: [signup, member, renewal]
  review:
    team:
      shifts: [{days: [monday, tuesday, thursday], hours: [7, 19], agents: 1},
               {days: [saturday], hours: [10, 14], agents: 2}]
      handling: 20 min
"""
"""More payments to review than a small team can look at; to be laid over `world_texts.BUSY`."""

MANDATES = """
mandate_debits: {pending: 80%, notice: 1 day, p50: 5 hours, p95: 2 days}
markets:
  IN:
    behaviour:
      method_mix: {a2a_emandate: 90%, credit: 10%, debit: null, prepaid: null, wallet: null, carrier_partner: null,
                   gift_balance: null}
"""
"""In one market most pay by e-mandate, and banks answer late; to be laid over `world_texts.BUSY`."""

SWITCHES = {"fraud": FRAUD, "mandates": MANDATES, "bins": BINS, "reviewers": REVIEWERS}
"""What random worlds may switch on (see `random_worlds`)."""
