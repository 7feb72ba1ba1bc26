"""Scenarios as text about money that goes back, for tests to lay over others (see `world_texts`)."""

from __future__ import annotations

from tests.world_texts import BUSY

CLAIMS = """
refunds: {complaints: 4%, instead_of_dispute: 20%, delay: {p50: 4 days, p99: 20 days, most: 25 days}}
disputes:
  friendly_fraud: 6%
  service: 4%
  delay: {p50: 12 days, p99: 40 days, most: 50 days}
  respond_within: 6 days
  decided_after: 9 days
fees:
  - {share: 1.9%, fixed: 0.10 USD, per_attempt: 0.05 USD}
  - {market: [GB], method: [direct_debit], fixed: 0.20 USD}
  - {gateway: [harborpay], share: 1.2%, per_attempt: 0.02 USD}
partner_billing: {commission: 15%, booked: net}
network_rules:
  networks:
    visa: {caps: [{attempts: 2, window: 30 days}], excess_fee: 0.10 USD}
    mastercard: {caps: [{attempts: 1, window: 24 hours}, {attempts: 3, window: 30 days}], excess_fee: 0.50 USD}
  respect_caps: false
market_defaults: {behaviour: {card_networks: {visa: 55%, mastercard: 35%, other: 10%}}}
"""
"""Every way in which money goes back, and everything that costs; laid over the busy world."""

FAULTS = """
  - {kind: double_charging, at: 2025-02-01, duration: 30 days, share: 20%}
  - {kind: charging_after_end, at: 2025-01-20, duration: 90 days, market: [US, GB], share: 60%}
"""
"""Charges that were never owed, for a timeline."""

BUSY_FAULTS = BUSY.replace("timeline:\n", f"timeline:{FAULTS}")
"""The busy world with them."""

SWITCHES = {"refunds": CLAIMS, "faults": f"timeline:{FAULTS}"}
"""What random worlds may switch on (see `random_worlds`)."""
