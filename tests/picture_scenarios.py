"""Two worlds of the same people to draw: one in which much goes wrong, and one in which nothing does."""

from __future__ import annotations

BUSY = """\
name: busy
about: Two markets for four months, with an outage and dearer prices.
start: 2025-01-01
end: 2025-05-01
members: 700
failover: true
plans: {standard: {name: Standard}, premium: {name: Premium}}
fees: [{share: 1.9%, fixed: 0.10 USD, per_attempt: 0.05 USD}]
refunds: {complaints: 6%, delay: {least: 1 day, p50: 6 days, p99: 20 days, most: 25 days}}
disputes: {friendly_fraud: 2%, service: 2%, delay: {least: 5 days, p50: 12 days, p99: 30 days, most: 40 days}}
markets:
  US:
    name: United States
    region: UCAN
    currency: USD
    time_zone: America/New_York
    locale: en_US
    members: 60%
    tax: {rate: 5%, included: false}
    prices: {standard: 15.49 USD, premium: 22.99 USD}
    plan_mix: {standard: 70%, premium: 30%}
  GB:
    name: United Kingdom
    region: EMEA
    currency: GBP
    time_zone: Europe/London
    locale: en_GB
    members: 40%
    tax: {rate: 20%, included: true}
    prices: {standard: 10.99 GBP, premium: 17.99 GBP}
    plan_mix: {standard: 60%, premium: 40%}
market_defaults:
  signups: {per_month: 8%, seasonality: [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]}
"""

TROUBLE = """\
timeline:
  - {kind: gateway_outage, at: 2025-01-20 03:00, gateway: northpay, duration: 40 hours, failing: 90%}
  - {kind: price_change, at: 2025-03-01, prices: {standard: 17.99 USD}, market: [US], notice: 10 days}
"""
