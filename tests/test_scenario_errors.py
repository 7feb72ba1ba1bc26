"""A table of nonsense: every mistake is told at its line and column, in plain words, with what to do about it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from billing_sim.errors import InputError, Problem
from billing_sim.scenario import check, load
from billing_sim.scenario.arms import SHARED
from billing_sim.scenario.layers import Composition
from billing_sim.scenario.meaning import CHECKS, Check
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import Mapping
from billing_sim.scenario.reader import parse
from tests.scenario_mistakes_campaigns import MISTAKES as CAMPAIGN_MISTAKES
from tests.scenario_mistakes_refunds import MISTAKES as REFUND_MISTAKES
from tests.scenario_mistakes_saying import MISTAKES as SAYING_MISTAKES
from tests.world_texts_experiments import MISTAKEN

TESTING = "  - {{kind: card_testing, at: 2025-01-20, duration: 1 day, attempts_per_member: 1, bin: {}}}\n"

GOOD = """\
name: tiny
start: 2025-01-01
end: 2025-03-01
members: 2000
seed: 5
plans:
  standard: {name: Standard}
  premium: {name: Premium}
markets:
  US:
    name: United States
    region: UCAN
    currency: USD
    time_zone: America/New_York
    locale: en_US
    members: 60%
    tax: {rate: 5%, included: false}
    prices: {standard: 15.49 USD, premium: 2299}
    plan_mix: {standard: 70%, premium: 30%}
  JP:
    name: Japan
    region: APAC
    currency: JPY
    time_zone: Asia/Tokyo
    locale: ja_JP
    members: 40%
    tax: {rate: 10%, included: true}
    prices: {standard: 1490 JPY}
    plan_mix: {standard: 1}
    behaviour:
      attention: 9%
      attention_on_hold: 12%
dunning_policies:
  gentle: {preset: generic, grace: 10 days}
dunning:
  - use: gentle
  - {use: smart, market: [JP], decline: [soft]}
routing:
  - use: {northpay: 100%}
  - {use: {partner: 100%}, method: [carrier_partner]}
timeline:
  - {kind: gateway_outage, at: 2025-01-20 06:00, gateway: northpay, duration: 3 hours, failing: 85%}
  - {kind: price_change, at: 2025-02-01, market: [US], prices: {standard: 16.49 USD}}
  - {kind: dunning_switch, at: 2025-02-10, dunning: [{use: netflix_like}]}
"""

TO_TIMELINE = GOOD[GOOD.index("attention: 9%") : GOOD.index("  - {kind")]
ALL_OF_NOW = "{use: {northpay: 100%}, method: [credit, debit, prepaid, wallet, a2a_emandate, gift_balance]}"
LAUNCH = "  - {{kind: method_launch, at: 2025-01-20, method: {}, share: 5%}}\n"
NOTHING_LEFT = "}\n  - {".join(
    f"kind: method_withdrawal, at: 2025-01-20, method: {method}"
    for method in ("credit", "debit", "prepaid", "wallet", "carrier_partner", "gift_balance")
)
RATE = "  - {{kind: exchange_rate, at: 2025-01-20, currency: {}, rate: 0.007}}\n"

GOAL = "goals: [{{owner: support, goal: Calm., {}}}]\nseed: 5"


@dataclass(frozen=True)
class Case:
    """One mistake: what is written instead of what, and what must be said where."""

    old: str
    new: str
    place: str
    what: str
    remedy: str = ""

    def __str__(self) -> str:
        return self.what[:60]


OFF = "promotions: {{p: {}}}"
US_PLANS = "    plan_mix: {standard: 70%, premium: 30%}"
HABITS = US_PLANS.replace("{", "{{").replace("}", "}}") + "\n    behaviour: {{plan_habits: {{{}}}}}"
LAST = "  - {kind: dunning_switch, at: 2025-02-10, dunning: [{use: netflix_like}]}\n"
TAX = "  - {{kind: tax_change, at: 2025-02-{:02d}, rate: {}}}\n"

CASES = [
    # Plans and money.
    Case("seed: 5", OFF.format("{percent: 20%, free_months: 1}"), "5:14", "promotions: p takes off percent and fr",
         "Write exactly one of percent, amount, free_months."),
    Case("seed: 5", OFF.format("{cycles: 2}"), "5:14", "promotions: p takes off nothing.", "Write exactly one of"),
    Case("seed: 5", OFF.format("{free_months: 1, cycles: 2}"), "5:14", "promotions: p has free_months and cycles.",
         "Leave `cycles` out"),
    Case("seed: 5", "promotions: {none: {percent: 5%}}", "5:14", "promotions: none is the name of having no coupon.",
         "Give it another name."),
    Case("seed: 5", OFF.format("{amount: {EUR: 3.00 EUR}}"), "5:27", "promotions: no market has the currency EUR.",
         "Currencies are: JPY, USD."),
    Case("seed: 5", OFF.format("{amount: {USD: 3.005 USD}}"), "5:32", "amount: 3.005 USD is not a whole number",
         "Write 300 with currency USD"),
    Case("seed: 5", OFF.format("{percent: 120%}"), "5:27", 'percent: "120%" is not between 0 % and 100 %.',
         "Write 25%"),
    Case(LAST, "  - {kind: promotion, at: 2025-02-10, duration: 3 days, promotion: summer, redeem: 5%}\n", "44:68",
         "There is no promotion summer.", "There are none."),
    Case(LAST, "  - {kind: promotion, at: 2025-02-10, promotion: p, duration: 3 days, redeem: 5%, share: 50%}\n",
         "44:83", "share is not a known key here.", "Keys here: at, duration, kind, market, promotion, redeem, to."),
    Case(LAST, "  - {kind: promotion, at: 2025-02-10, promotion: p, duration: 3 dys, redeem: 5%}\n", "44:63",
         'duration: "3 dys" is not a duration.', "Write it with its unit"),
    Case(LAST, "  - {kind: promotion, at: 2025-02-10, promotion: 7, duration: 3 days, redeem: 5%}\n", "44:50",
         "promotion: 7 is not text.", "Put it in quotes."),
    Case(US_PLANS, US_PLANS + "\n    trial: {duration: 36 hours}", "20:23",
         "trial: 36 hours is not whole days from 1 to 365.", "Write days, as in 14 days."),
    Case(LAST, "  - {kind: trials_end, at: 2025-02-10}\n", "44:5", "trials_end: no market that it is for has trials.",
         "Add `trial`"),
    Case(US_PLANS, HABITS.format("pause_lengths: [50%, 50%, 10%]"), "20:46",
         "pause_lengths: the shares add up to 110 %, not 100 %.", "Make them add up"),
    Case(US_PLANS,
         HABITS.format("upgrades: 60% per month, downgrades: 50% per month"), "20:30",
         "plan_habits: upgrades and downgrades add up to 110 % per month.", "Let them add up to at most 100 %."),
    Case(US_PLANS, HABITS.format("pauses: 5%"), "20:39",
         'pauses: "5%" is not a monthly hazard', "Write it with its unit"),
    Case(LAST, "  - {kind: price_reversal, at: 2025-02-10}\n", "44:5",
         "price_reversal: no change of prices in JP before 2025-02-10", "Name the markets"),
    Case(LAST, TAX.format(10, "8.25251%"), "44:46", "rate: 8.25251 % has more than four decimals.",
         "Write a rate"),
    Case(LAST, "".join(TAX.format(2 + i, "8%") for i in range(9)), "42:3",
         "timeline: the tax of US changes 9 times, more than the limit of 8.", "Leave some out."),
    Case("premium: 2299}", "premium: 2000000001}\n    behaviour: {plan_habits: {goodwill: 1%}}", "18:44",
         "price: parts of 2,000,000,001 minor units cannot be counted exactly.", "Write a price of at most"),
    # Keys.
    Case("seed: 5", "sead: 5", "5:1", "sead is not a known key here.", "Did you mean seed?"),
    Case("seed: 5", "zzz: 5", "5:1", "zzz is not a known key here.",
         "Keys here: about, account_updater, authentication,"),
    Case("region: APAC", "regoin: APAC", "22:5", "regoin is not a known key here.", "Did you mean region?"),
    Case("attention: 9%", "atention: 9%", "31:7", "atention is not a known key here.", "Did you mean attention?"),
    Case("grace: 10 days", "grase: 10 days", "34:29", "grase is not a known key here.", "Did you mean grace?"),
    Case("failing: 85%", "faling: 85%", "42:88", "faling is not a known key here.", "Did you mean failing?"),
    Case("name: tiny\n", "", "1:1", "name is missing.", "Add it"),
    Case("name: tiny", "name:", "1:1", "name has no value.", "Give it one"),
    Case("    currency: JPY\n", "", "20:3", "currency is missing in JP.", "Add it: ISO 4217 code."),
    Case("seed: 5", "window: null", "5:1", "window has no value.", "Give it one: a decision in one window"),
    Case("failing: 85%", "x: 1", "42:5", "failing is missing in timeline.", "Add it"),
    Case("  US:", "  usa:", "10:3", "usa cannot be used as a name.", "Use 2 to 4 capital letters or digits"),
    Case("  standard: {name", "  Standard!: {name", "7:3", "Standard! cannot be used as a name.", "Use lower-case"),
    Case("seed: 5", "latent_causes: {cards: {funds: 1}}", "5:17", "cards is not a known key here.", "Keys here: a2a_"),
    # Types.
    Case("name: tiny", "name: 12", "1:7", "name: 12 is not text.", "Put it in quotes."),
    Case("name: tiny", "name: tiny\nlog: 1/3", "2:6", 'log: "1/3" is no log to keep.', "Write all, none, or 1/N with"),
    Case("name: tiny", "name: Tiny One", "1:7", 'name: "Tiny One" cannot be used as a name.', "Use lower-case"),
    Case("members: 2000", "members: many", "4:10", 'members: "many" is not a whole number.', "Write it in digits"),
    Case("members: 2000", "members: 1.5", "4:10", "members: 1.5 is not a whole number.", "Write it in digits"),
    Case("members: 2000", "members: true", "4:10", "members: true is not a whole number.", "Write it in digits"),
    Case("members: 2000", "members: 0", "4:10", "members: 0 is below the limit of 1.", "Write a number of at least 1."),
    Case("members: 2000", "members: 1000000000000", "4:10",
         "members: 1000000000000 is above the limit of 1,000,000,000.", "Write a number of at most 1,000,000,000."),
    Case("seed: 5", "seed: -1", "5:7", "seed: -1 is below the limit of 0.", "Write a number of at least 0."),
    Case("seed: 5", "failover: 'yes'", "5:11", 'failover: "yes" is neither true nor false.', "Write true or false."),
    Case("included: true", "included: 1", "27:32", "included: 1 is neither true nor false.", "Write true or false."),
    Case("[carrier_partner]", "carrier_partner", "40:36", 'method: "carrier_partner" is not a list.', "Write it in br"),
    Case("tax: {rate: 10%, included: true}", "tax: 10%", "27:10", 'tax: "10%" is not a mapping.', "Write keys"),
    Case("  premium: {name: Premium}", "  premium: [a]", "8:12", "premium: a list is not a mapping.", "Write keys"),
    Case("{name: Premium}", "{interval: weekly}", "8:23", 'interval: "weekly" is not one of week, month, year.', "Did"),
    Case("seed: 5", "account_updater: true", "5:18", "account_updater: true is not one of on, off.",
         "Write one of them."),
    Case("decline: [soft]", "decline: [sft]", "37:42", 'decline: "sft" is not one of soft, hard.',
         "Did you mean soft?"),
    Case("seed: 5", "billing_hours: [6]", "5:16", "billing_hours: there are 1 entries, fewer than the 2 needed.",
         "Add"),
    Case("seed: 5", "billing_hours: [1, 2, 3]", "5:16", "billing_hours: there are 3 entries, more than",
         "Leave some out."),
    Case("seed: 5", "regions: 5", "5:10", "regions: this is not a mapping.", "Write keys with values below it."),
    Case("seed: 5", "regions: {UCAN: 5}", "5:17", "UCAN: this is not a mapping.", "Write keys with values below it."),
    Case("seed: 5", "market_defaults: [5]", "5:18", "market_defaults: this is not a mapping.", "Write keys"),
    Case("kind: gateway_outage", "kind: outage", "42:12", 'kind: "outage" is not a kind of intervention.',
         "Did you mean"),
    Case("kind: gateway_outage, ", "", "42:5", "kind is missing.", "Kinds are: account_updater, authentication_rule,"),
    Case("  - {kind: price_change", "  - soon\n  - {kind: price_change", "43:5", 'timeline: "soon" is not a mapping.',
         "Write"),
    # Exchange rates.
    Case("timeline:\n", "timeline:\n" + RATE.format("USD"), "42:53",
         "currency: USD is the reporting currency, so its rate is always 1.", "Leave the entry out."),
    Case("timeline:\n", "timeline:\n" + RATE.format("EUR"), "42:53", "currency: no market has the currency EUR.",
         "Currencies are: JPY."),
    Case("timeline:\n", "timeline:\n" + 2 * RATE.format("JPY"), "43:53",
         "currency: JPY has two rates from 2025-01-20 on.", "Leave one of them out."),
    Case("seed: 5", "seed: 5\nreporting_currency: EUR", "6:21",
         "reporting_currency: the shipped exchange rates are in USD, not in EUR.",
         "Write under exchange_rates how many EUR one of each is worth: JPY, USD."),
    # Prices.
    Case("timeline:\n", "timeline:\n  - {kind: price_change, at: 2025-02-01, prices: {standard: 17}, market: [US]}\n",
         "44:65", "prices: standard has two new prices in US from 2025-02-01 on.", "Leave one of them out."),
    Case("seed: 5", "seed: 5\nvoucher_valid: 0 days", "6:16", "voucher_valid: it has no length.",
         "Write a longer duration, as in 1 hour."),
    # Goals.
    Case("seed: 5", GOAL.format("metric: churn, target: 1"), "5:47", "metric: this goal has no deadline.",
         "Add deadline: to it, or delete the metric."),
    Case("seed: 5", GOAL.format("metric: churn, deadline: 2025-02-01"), "5:47", "metric: this goal has no target."),
    Case("seed: 5", GOAL.format("target: 1%"), "5:47", "target: this goal has no metric.",
         "Add metric: to it, or delete target."),
    Case("seed: 5", GOAL.format("metric: churn, target: 1, deadline: 2025-01-01"), "5:75",
         "deadline: 2025-01-01 is not after the start, 2025-01-01.", "Write a later day."),
    Case("seed: 5", GOAL.format("metric: churn, target: many, deadline: 2025-02-01"), "5:62",
         'target: "many" is not a number.', "Write 98.5% for a share, or 1250."),
    Case("seed: 5", GOAL.format("metric: churn, target: 1, deadline: 2025-02-01, period: May"), "5:95",
         'period: "May" is not a month.', "Write year and month, as in 2026-01."),
    # Shares, durations, dates.
    Case("members: 40%", "members: 1.4", "26:14", "members: 1.4 is not between 0 % and 100 %.", "Write 25% or 0.25."),
    Case("attention: 9%", "attention: -1%", "31:18", 'attention: "-1%" is not between 0 % and 100 %.', "Write 25%"),
    Case("attention: 9%", "attention: rare", "31:18", 'attention: "rare" is not a share.', "Write 25% or 0.25."),
    Case("attention: 9%", "closed: 2%", "31:15", 'closed: "2%" is not a monthly hazard.',
         "Write it with its unit, as in"),
    Case("duration: 3 hours", "duration: 3", "42:79", "duration: 3 is not a duration.",
         "Write it with its unit, as in"),
    Case("duration: 3 hours", "duration: 3 lunches", "42:79", 'duration: "3 lunches" is not a duration.',
         "Write it with"),
    Case("duration: 3 hours", "duration: 999 weeks", "42:79", 'duration: "999 weeks" is longer than 10 years.',
         "Write a"),
    Case("start: 2025-01-01", "start: 2025-02-30", "2:8", 'start: "2025-02-30" is not a date.',
         "Write year, month and day"),
    Case("start: 2025-01-01", "start: 1 January", "2:8", 'start: "1 January" is not a date.',
         "Write year, month and day"),
    Case("2025-01-20 06:00", "teatime", "42:32", 'at: "teatime" is not a moment.', "Write it in UTC, as in"),
    Case("end: 2025-03-01", "end: 2025-01-01", "3:6", "end: 2025-01-01 is not after the start, 2025-01-01.",
         "Write a later"),
    Case("end: 2025-03-01", "end: 2035-01-02", "3:6", "end: 2035-01-02 is more than 10 years after the start",
         "Write an"),
    Case("start: 2025-01-01", "start: 1989-12-31", "2:8", "start: 1989-12-31 is not between 1990 and 2100.",
         "Write a year"),
    Case("end: 2025-03-01", "end: 2101-01-01", "3:6", "end: 2101-01-01 is not between 1990 and 2100.", "Write a year"),
    Case("2025-01-20 06:00", "2025-03-01 00:00", "42:32", "at: 2025-03-01 00:00 is outside the scenario",
         "Move it inside"),
    Case("at: 2025-02-01,", "at: 2024-12-31,", "43:30", "at: 2024-12-31 00:00 is outside the scenario",
         "Move it inside"),
    Case("seed: 5", "billing_hours: [6, 6]", "5:16", "billing_hours: 6 is not before 6.",
         "Write the first hour and then"),
    Case("seed: 5", "window: 0 hours", "5:9", "window: it has no length.", "Write a longer duration"),
    Case("seed: 5", "recording_delay: {p99: 1 second}", "5:24", "p99 is shorter than p50.",
         "Write a duration of at least"),
    Case("Asia/Tokyo", "Asia/Tokio", "24:16", "time_zone: Asia/Tokio is not a time zone.", "Did you mean Asia/Tokyo?"),
    Case("Asia/Tokyo", "../../etc/passwd", "24:16", "time_zone: ../../etc/passwd is not a time zone.",
         "Write an IANA name"),
    # Sums.
    Case("premium: 30%", "premium: 20%", "19:5", "plan_mix adds up to 90 %, not 100 %.", "Give 10 % more."),
    Case("premium: 30%", "premium: 30.001%", "19:5", "plan_mix adds up to 100.001 %, not 100 %.", "Take 0.001 % away."),
    Case("members: 40%", "members: 4%", "9:1", "members of all markets add up to 64 %, not 100 %.", "Give 36 % more."),
    Case("attention: 9%", "method_mix: {credit: 50%}", "31:7", "method_mix adds up to 50 %, not 100 %.", "Give 50 %"),
    Case("attention: 9%", "tenure_mix: {months_1_3: 0, months_4_12: 0, year_2: 0, year_3: 0, year_4_on: 50%}", "31:7",
         "tenure_mix adds up to 50 %, not 100 %.", "Give 50 % more."),
    Case("attention: 9%", "paydays: [{weekly: friday, share: 50%}]", "31:16", "paydays adds up to 50 %, not 100 %.",
         "Give"),
    Case("{northpay: 100%}", "{northpay: 90%}", "39:5", "use adds up to 90 %, not 100 %.", "Give 10 % more."),
    Case("seed: 5", "latent_causes: {credit: {funds: 90%}}", "5:17", "credit adds up to 156 %, not 100 %.",
         "Take 56 % away."),
    Case("seed: 5", 'decline_codes: {balance: {"51": 1}}', "5:17", "balance adds up to 200 %, not 100 %.",
         "Take 100 %"),
    # Money.
    Case("15.49 USD", "9.999", "18:24", "price: 9.999 is not a whole number of minor units.",
         'Write 999 with currency USD, or "9.99 USD".'),
    Case("15.49 USD", "9.999 USD", "18:24", "price: 9.999 USD is not a whole number of minor units.", "Write 999 with"),
    Case("15.49 USD", "'9.99'", "18:24", 'price: "9.99" has no currency.',
         'Write 999 with currency USD, or "9.99 USD".'),
    Case("1490 JPY", "14.90 JPY", "28:24", "price: 14.90 JPY is not a whole number of minor units.", "Write 14 with"),
    Case("15.49 USD", "15.49 EUR", "18:24", "price: 15.49 EUR is not in USD, the currency of this market.",
         "Write a price"),
    Case("15.49 USD", "15.49 XXX", "18:24", "price: XXX is not a currency of ISO 4217.", "Write 15.49 USD."),
    Case("15.49 USD", "cheap", "18:24", 'price: "cheap" is not a price.', "Write it with its currency"),
    Case("15.49 USD", "-1", "18:24", "price: -1 is below zero.", "Write a price of 0 or more."),
    Case("15.49 USD", "[1]", "18:24", "standard: a list is not a price.", "Write it with its currency"),
    Case("15.49 USD", "10000000000000000", "18:24", "price: 10000000000000000 is beyond", "Write a smaller price."),
    Case("15.49 USD", "999999999999999", "18:24", "price: 2,000 members paying 999,999,999,999,999",
         "Write a price of at most"),
    Case("16.49 USD", "16.49 CAD", "43:75", "price: 16.49 CAD is not in USD, the currency of this market.",
         "Write a price"),
    Case("currency: JPY", "currency: JPX", "23:15", "currency: JPX is not a currency of ISO 4217.",
         "Did you mean JPY?"),
    Case("seed: 5", "reporting_currency: usd", "5:21", "reporting_currency: usd is not a currency",
         "Did you mean USD?"),
    Case("seed: 5", "exchange_rates: {USX: 1}", "5:18", "exchange_rates: USX is not a currency", "Did you mean USD?"),
    Case("seed: 5", "exchange_rates: {USD: 2}", "5:23", "exchange_rates: USD is the reporting currency", "Write 1"),
    Case("seed: 5", "exchange_rates: {EUR: 0}", "5:23", "EUR: 0 is not a number above 0", "Write one, as in 1.25."),
    Case("seed: 5", "exchange_rates: {JPY: null}", "23:15", "currency: there is no exchange rate for JPY.",
         "Add JPY to"),
    # Names.
    Case("{standard: 1490 JPY}", "{premium: 1490 JPY}", "29:16", "JP sells the plan standard without a price.",
         "Add standard"),
    Case("{standard: 1490 JPY}", "{}", "28:13", "prices: there are 0 entries, fewer than the 1 needed.", "Add what is"),
    Case("premium: 2299", "premum: 2299", "18:35", "prices: there is no plan premum.", "Did you mean premium?"),
    Case("plan_mix: {standard: 1}", "plan_mix: {standart: 1}", "29:16", "plan_mix: there is no plan standart.",
         "Did you mean"),
    Case("prices: {standard: 16.49 USD}", "prices: {basic: 16.49 USD}", "43:65", "prices: there is no plan basic.",
         "Plans are"),
    Case("market: [US], prices: {standard: 16.49", "market: [JP], prices: {premium: 16.49", "43:65",
         "prices: premium is not sold in JP.", "Name the markets"),
    Case("gateway: northpay", "gateway: nothpay", "42:59", "There is no gateway nothpay.", "Did you mean northpay?"),
    Case("{northpay: 100%}", "{stripe: 100%}", "39:11", "There is no gateway stripe.", "Gateways are: harborpay,"),
    Case("market: [US]", "market: [UX]", "43:51", "There is no market UX.", "Markets are: JP, US."),
    Case("market: [JP]", "market: [FR]", "37:27", "There is no market FR.", "Markets are: JP, US."),
    Case("{use: smart,", "{use: smrat,", "37:11", "use: there is no dunning policy smrat.", "Did you mean smart?"),
    Case("[{use: netflix_like}]", "[{use: nflx}]", "44:60", "use: there is no dunning policy nflx.", "Policies are:"),
    Case("preset: generic", "preset: generc", "34:20", "preset: there is no dunning preset generc.",
         "Did you mean generic?"),
    Case("locale: ja_JP", "locale: jp_JP", "25:13", "locale: there are no synthetic names for jp_JP.",
         "Did you mean ja_JP?"),
    Case("name: Japan", "name: United States", "21:11", "name: JP and US are both called United States.", "Rename one"),
    # Rules that leave somebody out.
    Case("  - use: {northpay: 100%}\n", "", "39:3", "routing: no rule takes credit in US, debit in US,",
         "Begin the list"),
    Case("  - use: gentle\n", "", "36:3", "dunning: no rule is for credit in US, debit in US", "Begin the list with"),
    Case("[{use: netflix_like}]", "[{use: smart, decline: [soft]}]", "44:53", "dunning: no rule is for",
         "Begin the list"),
    # Policies.
    Case("grace: 10 days", "grace: 29 days", "34:36", "grace: 29 days is after the end of gentle, 28 days.",
         "Write a shorter"),
    Case("grace: 10 days", "end: 2 weeks", "34:34", "retries: 22 days is after the end of gentle, 14 days.", "Write a"),
    Case("grace: 10 days", "notices: [29 days]", "34:39", "notices: 29 days is after the end of gentle", "Write a"),
    Case("grace: 10 days", "retries: [2 days, 2 days]", "34:47", "retries: 2 days does not come after 2 days.",
         "Durations"),
    Case("grace: 10 days", "retry_hour: 24", "34:41", "retry_hour: 24 is above the limit of 23.",
         "Write a number of at"),
    # People.
    Case("attention_on_hold: 12%", "attention_on_hold: 8%", "32:26", "attention_on_hold is smaller than attention.",
         "Write"),
    Case("attention: 9%", "first_attempt_failure: {credit: null}", "20:3",
         "method_mix: credit is used in JP but has no first_attempt_failure there.",
         "Add credit to first_attempt_failure."),
    Case("seed: 5", "latent_causes: {debit: null}", "10:3", "method_mix: debit is used but has no latent_causes.",
         "Add debit"),
    Case("attention: 9%", "paydays: [{weekly: friday, every_two_weeks: friday, share: 1}]", "31:17",
         "paydays: this entry has weekly and every_two_weeks.", "Write exactly one of"),
    Case("attention: 9%", "paydays: [{share: 1}]", "31:17", "paydays: this entry has no calendar.",
         "Write exactly one of"),
    Case("attention: 9%", "win_back: {voluntary: {month_6: 1%}}", "31:39", "month_6 is smaller than month_1.",
         "Write the share"),
    Case("seed: 5", 'decline_codes: {fund: {"51": 1}}', "5:17", "decline_codes: fund is not a cause.",
         "Did you mean funds?"),
    Case("seed: 5", 'decline_codes: {funds@cash: {"51": 1}}', "5:17", "decline_codes: cash is not a payment method.",
         "Meth"),
    Case("seed: 5", 'decline_codes: {funds@wallet: {"52": 1}}', "5:32", "decline_codes: 52 is not a decline code.",
         "Codes are"),
    Case("seed: 5", "decline_codes: {outage: null}", "5:1", "decline_codes: there are none for the cause outage",
         "Add outage"),
    Case("seed: 5", 'network_rules: {never_retry: ["99"]}', "5:31", "never_retry: 99 is not a decline code.",
         "Codes are"),
    # Authentication, fraud, releases and launches.
    Case("seed: 5", "authentication: {challenge: {passed: 90%}}", "5:29", "challenge adds up to 112 %, not 100 %.",
         "Write all of passed, failed and abandoned."),
    Case("seed: 5", "authentication: {required: 120%}", "5:28", 'required: "120%" is not between', "Write 25%"),
    Case("seed: 5", "fraud: {good_scores: {p10: 20, p50: 10, p90: 400, p99: 930}}", "5:32",
         "good_scores: p50 is smaller than p10.", "Write a score of at least 20."),
    Case("seed: 5", "fraud: {block_above: 2000}", "5:22", "block_above: 2000 is above the limit of 1,000.",
         "Write a number of at most 1,000."),
    Case("seed: 5", "fraud: {review: {p50: 3 days}}", "5:23", "review: p95 is shorter than p50.", "Write both"),
    Case("attention: 9%", "card_bins: {north: 60%}", "31:7", "card_bins adds up to 60 %, not 100 %.", "Give 40 %"),
    Case("attention: 9%", "card_bins: {North: 100%}", "31:19", "North cannot be used as a name.",
         "Use lower-case letters"),
    Case("timeline:\n", "timeline:\n" + TESTING.format("north"), "42:88",
         "There is no BIN range north.", "Add card_bins"),
    Case("timeline:\n", "timeline:\n" + TESTING.format(3), "42:88", "bin: 3 is not text.", "Put it in quotes."),
    Case("seed: 5", "fraud: {review: {team: {shifts: []}}}", "5:33", "shifts: there are 0 entries",
         "Add what is missing."),
    Case("seed: 5", "fraud: {review: {team: {shifts: [{hours: [9, 9], agents: 1}]}}}", "5:42",
         "hours: 9 is not before 9.", "Write two shifts"),
    Case("seed: 5", "mandate_debits: {p50: 3 days}", "5:23", "mandate_debits: p95 is shorter than p50.", "Write both"),
    Case("seed: 5", "fraud: {market: [FR]}", "5:18", "There is no market FR.", "Markets are: JP, US."),
    Case("timeline:\n", "timeline:\n  - {kind: fraud_rule, at: 2025-01-20, block_above: 800}\n", "42:5",
         "fraud_rule: there is no fraud screen whose thresholds", "Add `fraud: {}`"),
    Case("timeline:\n", "timeline:\n  - {kind: deploy, at: 2025-01-20, gateway: eastpay}\n", "42:45",
         "There is no gateway eastpay.", "Gateways are"),
    Case("timeline:\n", "timeline:\n  - {kind: market_launch, at: 2025-01-20, market: [US], signups: 1%}\n", "42:52",
         "market_launch: US has members before it is launched.", "Write members: 0% for US."),
    Case("timeline:\n", "timeline:\n" + 65 * "  - {kind: deploy, at: 2025-01-20}\n", "42:3",
         "timeline: there are 65 interventions of kind deploy", "Leave some out."),
    Case("timeline:\n", "timeline:\n  - {kind: method_launch, at: 2025-01-20, method: cheque, share: 1%}\n", "42:51",
         'method: "cheque" is not one of', "Write one of them."),
    # Syntax.
    Case("seed: 5", "name: again", "5:1", "name is given twice; the first is in line 1.", "Keep one of the two."),
    Case("seed: 5", "seed: .nan", "5:7", ".nan is not a finite number.", "Write an ordinary number"),
    Case("  standard: {name", "\tstandard: {name", "7:1", "A tab stands here as white space.", "Use spaces"),
    Case("seed: 5", "seed: *five", "5:7", "Aliases such as *five are not read.", "Write the value out"),
    Case("seed: 5", "extends: nowhere.yaml", "5:10", "extends: ", "Check the spelling of the path."),
    # What must come out.
    Case("seed: 5", "expect: [{count: invoice.issue, at_least: 1}]", "5:18",
         "count: there is no event invoice.issue.", "Did you mean invoice.issued?"),
    Case("seed: 5", "expect: [{at_least: 1}]", "5:10", "expect: this entry has neither metric nor count.", "Write one"),
    Case("seed: 5", "expect: [{count: invoice.issued, period: 2025-01, at_least: 1}]", "5:42",
         "period: events are counted in the whole run.", "Delete period."),
    Case("seed: 5", "expect: [{count: invoice.issued}]", "5:10", "expect: this entry has no bound.", "Add at_least:"),
    # Support; more of them in `test_stories_support`.
    Case("seed: 5", "support: {channels: {chat: 50%, phone: 30%}, desks: []}", "5:21", "channels add up to 80 %.",
         "Change them to add up to 100 %."),
    Case("seed: 5", "support: {channels: {chat: 100%}, desks: [{channels: [email], shifts: [{agents: 1}]}]}", "5:42",
         "desks: nobody answers chat.", "Add it to the channels of a desk"),
    Case("seed: 5", "support: {desks: [{channels: [chat], shifts: [{agents: 1, hours: [9, 8]}]}]}", "5:66",
         "hours: 9 is not before 8.", "Write two shifts where one passes midnight."),
    Case("kind: gateway_outage, at: 2025-01-20 06:00, gateway: northpay, duration: 3 hours, failing: 85%",
         "kind: support_staffing, at: 2025-01-20, duration: 3 hours", "42:5",
         "kind: support_staffing changes a desk that this scenario does not have.", "Add support: to the scenario"),
    Case("seed: 5", "support: {market: [DE], desks: []}", "5:20", "market: there is no market DE.", "Markets are"),
    # Gateways under load.
    Case("seed: 5", "gateways: {northpay: {capacity: 5000}}", "5:33",
         "capacity: 5000 is not a rate above 0", "Write it with its unit, as in 5000 per hour."),
    Case("seed: 5", "gateways: {northpay: {capacity: 0 per hour}}", "5:33",
         'capacity: "0 per hour" is not a rate above 0', "Write it with its unit, as in 5000 per hour."),
    Case("seed: 5", "gateways: {northpay: {load: {slowdown: 2}}}", "5:23", "comfortable is missing", "Add it"),
    Case("seed: 5", "gateways: {northpay: {load: {comfortable: 9 per hour, slowdown: 0}}}", "5:65",
         "slowdown: 0 is below the limit of 1.", "Write a number of at least 1."),
    Case("use: {northpay: 100%}", "{use: {northpay: 100%}, by: sucess_rate}", "39:33",
         'by: "sucess_rate" is not one of weights, least_cost, success_rate.', "Did you mean success_rate?"),
    Case("use: {northpay: 100%}", "{use: {northpay: 100%}, explore: 5%}", "39:38",
         "explore: this rule routes by weights, which explore everything.", "Write by: success_rate, or leave it out."),
    Case("kind: gateway_outage, at: 2025-01-20 06:00, gateway: northpay, duration: 3 hours, failing: 85%",
         "kind: issuer_outage, at: 2025-01-20, market: [DE], duration: 3 hours, failing: 85%", "42:52",
         "There is no market DE.", "Markets are"),
    Case("kind: gateway_outage, at: 2025-01-20 06:00, gateway: northpay, duration: 3 hours, failing: 85%",
         "kind: issuer_outage, at: 2025-01-20, duration: 3 hours", "42:5", "failing is missing", "Add it"),
    Case("kind: gateway_outage, at: 2025-01-20 06:00, gateway: northpay, duration: 3 hours, failing: 85%",
         NOTHING_LEFT, "47:5", "method_withdrawal: without gift_balance nobody in US can pay.",
         "Launch another method before it."),
    Case(TO_TIMELINE, TO_TIMELINE.replace("use: {northpay: 100%}", ALL_OF_NOW) + LAUNCH.format("direct_debit"), "39:3",
         "routing: no rule takes direct_debit in US, direct_debit in JP.", "Begin the list"),
    Case(TO_TIMELINE, TO_TIMELINE.replace("9%", "9%\n      first_attempt_failure: {voucher: null}")
         + LAUNCH.format("voucher"), "43:5", "method_launch: voucher has no first_attempt_failure in JP.",
         "Add voucher"),
]  # fmt: skip
CASES += [Case(*mistake) for mistake in REFUND_MISTAKES]
CASES += [Case(*mistake) for mistake in SAYING_MISTAKES]
CASES += [Case(*mistake) for mistake in CAMPAIGN_MISTAKES]


OUTAGE = "  - {kind: gateway_outage, at: 2025-01-20, gateway: northpay, duration: 1 hour, failing: 1}\n"
NO_ISSUER = "  - {kind: issuer_outage, at: 2025-01-20, duration: 1 hour, failing: 1}\n"
SWITCH = "  - {kind: account_updater, at: 2025-01-20, switched: off}\n"


def problems(tmp_path: Path, text: str) -> list[Problem]:
    path = tmp_path / "f.yaml"
    path.write_text(text)
    return check(path)


def test_the_scenario_that_the_table_spoils_is_good(tmp_path: Path) -> None:
    """Otherwise the table would prove nothing."""
    assert problems(tmp_path, GOOD) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_mistake_is_told_where_it_is_with_what_to_do(tmp_path: Path, case: Case) -> None:
    assert GOOD.count(case.old) >= 1, "the table no longer fits the scenario"
    found = problems(tmp_path, GOOD.replace(case.old, case.new, 1))
    told = [problem for problem in found if problem.what.startswith(case.what)]
    assert [f"{problem.line}:{problem.column}" for problem in told[:1]] == [case.place], "\n".join(map(str, found))
    assert told[0].remedy.startswith(case.remedy)
    assert told[0].file == str(tmp_path / "f.yaml")


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_message_is_in_plain_words(tmp_path: Path, case: Case) -> None:
    """No jargon of the libraries, a full sentence, and always a remedy that is one as well."""
    for problem in problems(tmp_path, GOOD.replace(case.old, case.new, 1)):
        words = f"{problem.what} {problem.remedy}"
        assert not re.search(r"Input should|type=|https?:|pydantic|Decimal\(|<[a-z]+ |Traceback|_type|\bNone\b", words)
        assert problem.what.endswith(".")
        assert problem.remedy.endswith((".", "?")), words
        assert len(str(problem)) < 1200


@pytest.mark.parametrize("promise", CHECKS, ids=lambda promise: promise.__name__)
def test_every_check_is_seen_to_fail(promise: Check) -> None:
    """A check that no mistake of the table sets off might as well not be there."""
    texts = [GOOD.replace(case.old, case.new, 1) for case in CASES] + [GOOD + SWITCH * 16, GOOD + NO_ISSUER * 65]
    texts += [mistaken + GOOD for mistaken in MISTAKEN]
    assert any(any(promise(tree)) for tree in map(composed, texts) if tree)


@cache
def composed(text: str) -> Mapping | None:
    """The tree that the checks see, or None when the reader refuses the text."""
    try:
        return Composition(parse(text.encode(), "f.yaml")).tree
    except InputError:
        return None


JUNK = (
    "",
    "5",
    "-1",
    "x",
    "[]",
    "{}",
    "[a, {b: 1}]",
    "{a: [null]}",
    "null",
    "true",
    "1e30",
    "50%",
    "3 days",
    "2025-01-15",
)


@pytest.mark.parametrize("junk", JUNK)
def test_whatever_stands_in_place_of_a_value_is_told_and_never_breaks_the_reading(tmp_path: Path, junk: str) -> None:
    """Every value of the good file in turn becomes something else, of every kind."""
    for found in re.finditer(r"(?:: |- |, )(\[[^\]\n]*\]|\{[^}\n]*\}|[^\n,{}\[\]]+)", GOOD):
        for problem in problems(tmp_path, GOOD[: found.start(1)] + junk + GOOD[found.end(1) :]):
            assert problem.line > 0
            assert problem.what.endswith(".")
            assert problem.remedy.endswith((".", "?"))


ARMS = "experiments: {{t: {{enrol: renewal, arms: {{a: {{share: 50%}}, b: {{share: 50%, change: {{{}: 1}}}}}}}}}}\n"


@pytest.mark.parametrize("key", ["zzzzz", "abuot", "expectt"])
def test_an_arm_is_offered_the_keys_that_it_may_change(tmp_path: Path, key: str) -> None:
    """No key that is the same for all arms is suggested, not even one that reads almost like it."""
    (problem,) = problems(tmp_path, ARMS.format(key) + GOOD)
    assert problem.what == f"{key} is not a known key here."
    offered = set(re.findall(r"\w+", problem.remedy.removeprefix("Keys here: ").removeprefix("Did you mean ")))
    assert not offered & {*SHARED, "extends", "expect"}
    if key == "zzzzz":
        assert offered == {*Scenario.model_fields, "regions", "market_defaults"} - {*SHARED, "expect"}
    assert max(map(len, str(problem).splitlines())) <= len(str(tmp_path)) + 120


def test_everything_wrong_is_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    """A wrong key, a wrong type, a sum and a name in four places are four problems of one error."""
    text = GOOD
    for old, new in (("seed: 5", "sead: 5"), ("premium: 30%", "premium: 20%"), ("JPY\n", "JPX\n"), ("smart", "smrat")):
        text = text.replace(old, new, 1)
    path = tmp_path / "f.yaml"
    path.write_text(text)
    with pytest.raises(InputError) as caught:
        load(path)
    assert [(problem.line, problem.what) for problem in caught.value.problems] == [
        (5, "sead is not a known key here."),
        (19, "plan_mix adds up to 90 %, not 100 %."),
        (23, "currency: JPX is not a currency of ISO 4217."),
        (37, "use: there is no dunning policy smrat."),
    ]


def test_a_fault_in_a_region_is_told_once_however_many_markets_lie_in_it(tmp_path: Path) -> None:
    """Also when no market lies in it at all."""
    regions = "regions: {UCAN: {backup_method: 3}, LATAM: {backup_method: 4}}"
    text = GOOD.replace("APAC", "UCAN").replace("seed: 5", regions)
    assert [problem.what for problem in problems(tmp_path, text)] == [
        "backup_method: 3 is not between 0 % and 100 %.",
        "backup_method: 4 is not between 0 % and 100 %.",
    ]


def test_a_clash_with_a_default_is_blamed_on_the_file_that_clashes(tmp_path: Path) -> None:
    """The defaults are right by themselves, so the message points at what the user wrote."""
    text = GOOD.replace("      attention: 9%\n      attention_on_hold: 12%", "      attention: 90%")
    (problem,) = problems(tmp_path, text)
    assert (problem.what, problem.line) == ("attention_on_hold is smaller than attention.", 31)


def test_more_outages_than_fit_are_refused(tmp_path: Path) -> None:
    """1,025 outages of one gateway are one too many; so are 16 switches of the account updater."""
    found = problems(tmp_path, GOOD + OUTAGE * 1024 + SWITCH * 16)
    assert [problem.what for problem in found] == [
        "timeline: there are 1025 outages of northpay, more than the limit of 1024.",
        "timeline: there are 16 interventions of kind account_updater, more than the limit of 15.",
    ]


def test_a_bad_number_and_a_double_key_hide_nothing(tmp_path: Path) -> None:
    """What else is wrong is told with them; what a bad number would be refused for besides is not."""
    text = GOOD.replace("seed: 5", "seed: .nan\nsead: 5\nname: again").replace("attention: 9%", "attention: 120%")
    found = problems(tmp_path, text)
    assert [problem.what.split(" is ")[0] for problem in found] == [".nan", "sead", "name", 'attention: "120%"']
    assert len({(problem.line, problem.column) for problem in found}) == 4


def test_more_policies_than_fit_are_refused_without_counting_them(tmp_path: Path) -> None:
    """Keys beyond the limit are not looked at, so nobody knows how many there are."""
    policies = "".join(f"  p{i}: {{preset: generic}}\n" for i in range(40))
    text = GOOD.replace("dunning_policies:\n", f"dunning_policies:\n{policies}")
    assert text != GOOD
    assert [problem.what for problem in problems(tmp_path, text)] == ["dunning_policies: more entries than 32."]


def test_members_and_seed_given_from_outside_are_checked_like_those_of_the_file(tmp_path: Path) -> None:
    """They have no line, so the file alone is named."""
    path = tmp_path / "f.yaml"
    path.write_text(GOOD)
    loaded = load(path, members=10, seed=9)
    assert (loaded.scenario.members, loaded.scenario.seed) == (10, 9)
    with pytest.raises(InputError) as caught:
        load(path, members=10**12)
    assert str(caught.value).startswith(f"{path}  members: 1000000000000 is above the limit of 1,000,000,000.")


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"a: b: c", "A colon is not expected here."),
        (b"name: \xff", "The file is not UTF-8 text from here on."),
        (b"[" * 100_000, "Values are nested more than 24 deep."),
        (b"", "The file is empty."),
    ],
    ids=["not YAML", "not UTF-8", "brackets", "empty"],
)
def test_what_is_no_scenario_at_all_is_refused(tmp_path: Path, content: bytes, what: str) -> None:
    path = tmp_path / "f.yaml"
    path.write_bytes(content)
    assert [problem.what for problem in check(path)] == [what]


def test_a_missing_file_and_a_directory_are_refused(tmp_path: Path) -> None:
    assert str(check(tmp_path / "no.yaml")[0]).startswith(f"{tmp_path}/no.yaml  There is no such file.")
    assert str(check(tmp_path)[0]).startswith(f"{tmp_path}  This is a directory, not a file.")


def test_another_reporting_currency_needs_the_rates_of_the_others_alone(tmp_path: Path) -> None:
    """Nobody is told of the shipped rate of the currency itself, nor has to write that it is 1."""
    yen = GOOD.replace("seed: 5", "seed: 5\nreporting_currency: JPY")
    (told,) = problems(tmp_path, yen)
    assert (told.line, told.remedy) == (6, "Write under exchange_rates how many JPY one of each is worth: USD.")
    assert problems(tmp_path, yen.replace("seed: 5", "seed: 5\nexchange_rates: {USD: 150}")) == []
