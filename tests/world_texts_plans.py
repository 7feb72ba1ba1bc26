"""The busy world with everything on that is about plans and money."""

from __future__ import annotations

GENEROUS = """
name: generous
members: 700
plans: {basic: {name: Basic}, premium: {name: Premium}, weekly: {name: Weekly, interval: week}}
plan_changes: {downgrades: at_once}
promotions:
  half: {percent: 50%, cycles: 2, campaign: spring}
  third: {percent: 33.3%}
  off: {amount: {USD: 3.01 USD, INR: 50 INR}, cycles: 3}
  month: {free_months: 1}
timeline:
  - {kind: promotion, at: 2024-10-10, duration: 40 days, promotion: third, to: everyone, redeem: 10%}
  - {kind: promotion, at: 2024-12-10, duration: 40 days, promotion: off, to: everyone, redeem: 15%}
  - {kind: promotion, at: 2025-01-20, duration: 40 days, promotion: half, to: new, redeem: 40%}
  - {kind: promotion, at: 2025-02-03, duration: 20 days, promotion: third, to: everyone, redeem: 15%}
  - {kind: promotion, at: 2025-03-03, duration: 40 days, promotion: off, to: everyone, redeem: 15%}
  - {kind: promotion, at: 2025-03-01, duration: 60 days, promotion: month, to: returning, redeem: 90%}
  - {kind: promotion, at: 2025-04-01, duration: 50 days, promotion: month, to: new, redeem: 30%, market: [BR, IN]}
  - {kind: price_change, at: 2025-02-20, market: [US], prices: {standard: 17.99 USD}, grandfathered: true}
  - {kind: price_change, at: 2025-02-03, market: [GB], prices: {standard: 12.99 GBP}, added_churn: {points: 3%}}
  - {kind: price_reversal, at: 2025-04-01, market: [GB]}
  - {kind: tax_change, at: 2025-03-15, market: [IN], rate: 28%}
  - {kind: tax_change, at: 2025-04-15, market: [US], rate: 8.25%}
  - {kind: trials_end, at: 2025-04-10, market: [US]}
markets:
  US:
    prices: {basic: 9.99 USD, premium: 22.99 USD, weekly: 4.49 USD}
    plan_mix: {basic: 20%, standard: 40%, premium: 20%, weekly: 10%, yearly: 10%}
    trial: {duration: 14 days, cancels: 30%}
    signups: {per_month: 40%}
    behaviour:
      method_mix: {credit: 50%, debit: 30%, gift_balance: 20%}
      plan_habits: {pauses: 8% per month, upgrades: 10% per month, downgrades: 10% per month, goodwill: 5%}
  GB:
    prices: {premium: 17.99 GBP}
    plan_mix: {standard: 60%, premium: 40%}
    behaviour: {plan_habits: {upgrades: 25% per month, downgrades: 15% per month, goodwill: 10%}}
  IN:
    trial: {duration: 7 days, needs_method: false, cancels: 20%, leaves_method: 70%}
  BR:
    prices: {premium: 55.90 BRL}
    plan_mix: {standard: 60%, premium: 40%}
    trial: {duration: 30 days, share: 50%}
    behaviour: {plan_habits: {pauses: 15% per month, upgrades: 10% per month, downgrades: 10% per month}}
"""
"""Laid over `world_texts.BUSY`."""

SWITCHES = {"plans": GENEROUS}
"""What random worlds may switch on (see `random_worlds`)."""
