"""Scenarios as text, for tests to lay their own over.

`QUIET` is a world in which nothing ever goes wrong and nobody leaves: a story changes the few keys that it is about,
so that its ending is certain. `BUSY` is one in which everything happens: every method, every intervention, every kind
of event.
"""

from __future__ import annotations

QUIET = """
name: quiet
start: 2025-01-01
end: 2026-01-01
members: 64
plans: {standard: {name: Standard}}
gateways:
  northpay: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}
  harborpay: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}
  partner: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}
routing: [{use: {northpay: 100%}}]
failover: false
billing_hours: [3, 4]
recording_delay: {p50: 0 seconds, p99: 0 seconds, max: 0 seconds}
decline_codes:
  expired: {"54": 100%, "05": null, "14": null}
  replaced: {"41": 100%, "43": null, "05": null}
  closed: {"46": 100%, "05": null, "14": null}
  funds: {"51": 100%, "05": null}
  suspicion: {"59": 100%, "05": null}
  restricted: {"57": 100%, "05": null, "62": null}
  technical: {"91": 100%, "05": null, "96": null}
  outage: {"96": 100%, "91": null}
  bank_stop: {"R0": 100%, "R1": null, "R3": null}
  funds@direct_debit: {"AM04": 100%, "MS02": null}
dunning_policies:
  steady:
    retries: [1 day, 3 days, 5 days, 7 days]
    notices: [1 hour, 4 days]
    grace: 6 days
    end: 10 days
dunning: [{use: steady}]
network_rules: {never_retry: ["41", "46"], max_attempts: 100, window: 30 days}
issuer_memory: {declines: 1000, window: 24 hours}
markets:
  US:
    name: United States
    region: UCAN
    currency: USD
    time_zone: America/New_York
    locale: en_US
    members: 100%
    tax: {rate: 0%, included: false}
    prices: {standard: 10.00 USD}
    plan_mix: {standard: 100%}
    signups: {per_month: 0%}
    behaviour:
      method_mix: {credit: 100%}
      first_attempt_failure: {credit: 0%, debit: 0%, prepaid: 0%, wallet: 0%, direct_debit: 0%, a2a_emandate: 0%,
                              carrier_partner: 0%, gift_balance: 0%}
      backup_method: 0%
      network_tokens: 0%
      account_updater_coverage: 100%
      expiry_years: [10]
      lost_or_stolen: 0% per month
      closed: 0% per month
      paydays: [{days_of_month: [1], share: 100%}]
      attention: 0%
      attention_on_hold: 0%
      unreachable: 0%
      has_other_means: 0%
      signup_first_payment_failure: 0%
      signup_try_again: 0%
      voluntary_churn: 0% per month
      tenure_mix: {months_1_3: 0%, months_4_12: 0%, year_2: 100%, year_3: 0%, year_4_on: 0%}
      inert_members: 0%
      inert_instead_of_leaving: 0%
      inert_wakes: 0% per month
      cancel_in_trouble: 0%
      inert_cancel_in_trouble: 0%
      bank_stop: {credit: 0%, direct_debit: 0%}
      win_back:
        voluntary: {month_1: 0%, month_6: 0%, month_12: 0%}
        involuntary: {month_1: 0%, month_6: 0%, month_12: 0%}
      former_members: 0%
"""

BUSY = """
name: busy
start: 2025-01-15
end: 2025-06-01
members: 700
plans: {standard: {name: Standard}, yearly: {name: Yearly, interval: year}}
gateways:
  northpay: {timeout: 3%}
  harborpay: {timeout: 1%}
routing: [{use: {northpay: 60%, harborpay: 40%}}, {market: [BR], use: {harborpay: 70%, partner: 30%}}]
dunning_policies:
  short: {retries: [5 min, 2 days, 4 days], notices: [0 hours, 2 days], grace: 3 days, end: 6 days, retry_hour: 9}
dunning: [{use: netflix_like}, {method: [direct_debit], use: direct_debit}, {market: [BR], decline: [hard], use: short}]
timeline:
  - {kind: gateway_outage, at: 2025-02-10 04:00, gateway: northpay, duration: 9 hours, failing: 80%}
  - {kind: gateway_outage, at: 2025-02-10 08:00, gateway: harborpay, duration: 2 days, failing: 40%}
  - {kind: price_change, at: 2025-02-01, market: [GB], prices: {standard: 14.99 GBP}, notice: 20 days,
     added_churn: {points: 3%, months: 2}}
  - {kind: price_change, at: 2025-03-01, market: [IN], prices: {standard: 249 INR, yearly: 2490 INR}}
  - {kind: dunning_switch, at: 2025-03-10, dunning: [{use: generic}, {market: [US], use: short}]}
  - {kind: account_updater, at: 2025-03-01, switched: "off"}
  - {kind: account_updater, at: 2025-04-01, market: [US, GB], switched: "on"}
  - {kind: signup_surge, at: 2025-04-05 06:00, duration: 3 days, increase: 150%}
  - {kind: signup_surge, at: 2025-05-01, market: [BR], duration: 5 days, increase: -60%}
markets:
  US: {name: United States, region: UCAN, currency: USD, time_zone: America/New_York, locale: en_US, members: 40%,
       tax: {rate: 7%, included: false}, prices: {standard: 15.49 USD, yearly: 154.90 USD},
       plan_mix: {standard: 80%, yearly: 20%}, behaviour: {first_attempt_failure: {credit: 9%, debit: 15%}}}
  GB: {name: United Kingdom, region: EMEA, currency: GBP, time_zone: Europe/London, locale: en_GB, members: 25%,
       tax: {rate: 20%, included: true}, prices: {standard: 10.99 GBP}, plan_mix: {standard: 100%},
       behaviour: {method_mix: {direct_debit: 60%, debit: 30%, wallet: 10%},
                   first_attempt_failure: {direct_debit: 20%}}}
  IN: {name: India, region: APAC, currency: INR, time_zone: Asia/Kolkata, locale: en_IN, members: 20%,
       tax: {rate: 18%, included: true}, prices: {standard: 199 INR, yearly: 1990 INR},
       plan_mix: {standard: 70%, yearly: 30%}}
  BR: {name: Brazil, region: LATAM, currency: BRL, time_zone: America/Sao_Paulo, locale: pt_BR, members: 15%,
       tax: {rate: 10%, included: true}, prices: {standard: 39.90 BRL}, plan_mix: {standard: 100%},
       behaviour: {signup_first_payment_failure: 40%}}
market_defaults: {signups: {per_month: 12%}}
"""

OUTAGE = "timeline: [{{kind: gateway_outage, at: {at}, gateway: northpay, duration: {duration}, failing: 100%}}]\n"
LONG_OUTAGE = OUTAGE.format(at="2025-03-01", duration="40 days")
"""It covers all of the dunning of whoever is billed on the fifth of March."""

LIFECYCLE = """
latent_causes: {credit: {lifecycle: 100%, funds: 0%, suspicion: 0%, lost_stolen: 0%, restricted: 0%, technical: 0%}}
"""
"""With a target of 100 %, nobody mends a card before it is charged: whatever expires is declined."""
