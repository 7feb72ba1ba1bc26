"""Mistakes about refunds, disputes, fees and networks for `test_scenario_errors`: old, new, place, what, remedy."""

from __future__ import annotations

FEE = "fees: [{{{}}}]"
CAPS = "network_rules: {{networks: {{visa: {{caps: [{{attempts: 20, window: {}}}], excess_fee: {}}}}}}}"
DOUBLE = "  - {kind: double_charging, at: 2025-01-20, duration: 1 day, share: 1%}\n"
AFTER_END = DOUBLE.replace("double_charging", "charging_after_end")

MISTAKES = [
    ("seed: 5", "refunds: {}", "5:1", "complaints is missing in refunds.", "Add it"),
    ("seed: 5", "refunds: {complaints: some}", "5:23", 'complaints: "some" is not a share.', "Write 25% or 0.25."),
    ("seed: 5", "refunds: {complaints: 1%, market: [FR]}", "5:36", "There is no market FR.", "Markets are: JP, US."),
    ("seed: 5", "refunds: {complaints: 1%, delay: {p50: 9 days, p99: 8 days}}", "5:53", "p99 is shorter than p50.",
     "Write a duration of at least"),
    ("seed: 5", "refunds: {complaints: 1%, delay: {p50: 44 days}}", "5:40",
     "p50 is longer than p99, which is assumed to be 40 days.", "Write p99 as well."),
    ("seed: 5", "disputes: {delay: {most: 3 days}}", "5:26",
     "most is shorter than p99, which is assumed to be 110 days.", "Write p99 as well."),
    ("seed: 5", "disputes: {servise: 1%}", "5:12", "servise is not a known key here.", "Did you mean service?"),
    ("seed: 5", "disputes: {fraud: 60%, service: 50%}", "5:33",
     "disputes: fraud and friendly_fraud and service are more than 100 %.", "Take 10 % away."),
    ("seed: 5", "disputes: {fee: 0.001 USD}", "5:17", "fee: 0.001 USD is not a whole number of minor units.",
     "Write 0"),
    ("seed: 5", "disputes: {fee: 15 EUR}", "5:17", "fee: 15 EUR is not in USD, the reporting currency.",
     "Write a price"),
    ("seed: 5", "disputes: {wins: {fraud: 2}}", "5:26", "fraud: 2 is not between 0 % and 100 %.", "Write 25% or 0.25."),
    ("seed: 5", "charging_faults: {refunded: 70%, disputed: 40%}", "5:44",
     "charging_faults: refunded and disputed are more than 100 %.", "Take 10 % away."),
    ("seed: 5", FEE.format("fixed: cheap"), "5:16", 'fixed: "cheap" is not a price.', "Write it with its currency"),
    ("seed: 5", FEE.format("gateway: [stripe]"), "5:19", "There is no gateway stripe.", "Gateways are: harborpay,"),
    ("seed: 5", FEE.format("market: [FR]"), "5:18", "There is no market FR.", "Markets are: JP, US."),
    ("seed: 5", "partner_billing: {commission: 15%}", "5:1", "booked is missing in partner_billing.", "Add it"),
    ("seed: 5", "partner_billing: {commission: 15%, booked: half}", "5:44", 'booked: "half" is not one of gross, net.',
     "Write one of them."),
    ("{northpay: 100%}", "{northpay: 100%}\n    by: least_cost", "40:9",
     "by: least_cost needs to know what gateways take.", "List them under `fees:`, or delete `by`."),
    ("{northpay: 100%}", "{northpay: 100%}\n    by: price", "40:9",
     'by: "price" is not one of weights, least_cost, success_rate.', "Write one of them."),
    ("attention: 9%", "card_networks: {visa: 60%}", "31:7", "card_networks adds up to 60 %, not 100 %.", "Give 40 %"),
    ("attention: 9%", "card_networks: {amex: 1}", "31:23", "amex is not a known key here.", "Keys here: mastercard,"),
    ("seed: 5", CAPS.format("30 days", "10"), "5:17", "networks: nobody says which networks cards belong to.",
     "Add card_networks"),
    ("seed: 5", CAPS.format("0 days", "10"), "5:65", "window: it has no length.", "Write a longer duration"),
    ("seed: 5", CAPS.format("30 days", "0.1"), "5:88", "excess_fee: 0.1 is not a whole number of minor units.",
     "Write 10 with currency USD"),
    ("seed: 5", "network_rules: {respect_caps: never}", "5:31", 'respect_caps: "never" is neither true nor false.',
     "Write true or false."),
    ("timeline:\n", "timeline:\n" + DOUBLE.replace("1%", "110%"), "42:69",
     'share: "110%" is not between 0 % and 100 %.',
     "Write 25%"),
    ("timeline:\n", "timeline:\n" + DOUBLE.replace("duration: 1 day, ", ""), "42:5", "duration is missing in timeline.",
     "Add it"),
    ("timeline:\n", "timeline:\n" + 17 * DOUBLE, "42:3",
     "timeline: there are 17 interventions of kind double_charging, more than the limit of 16.", "Leave some out."),
    ("timeline:\n", "timeline:\n" + AFTER_END.replace("at: 2025", "at: 2035"), "42:36",
     "at: 2035-01-20 00:00 is outside the scenario", "Move it inside"),
]  # fmt: skip
