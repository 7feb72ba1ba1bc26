"""Mistakes about what people say, for `test_scenario_errors`: old, new, place, what, remedy."""

from __future__ import annotations

HERE = "      attention_on_hold: 12%\n"
REASONS = "leaving_reasons: {price: 40%, content: 30%, not_using: 20%, other: "
OFFER = "win_back_offers: [{{after: 7 days, uplift: 5%, {}}}]"
STEADY = "gentle: {preset: generic, grace: 10 days, notices: ["


def behaviour(line: str) -> str:
    """A line more about the people of Japan; it becomes line 33 of the file."""
    return f"{HERE}      {line}\n"


MISTAKES = [
    (HERE, behaviour(REASONS + "5%}"), "33:7", "leaving_reasons adds up to 95 %, not 100 %.", "Give 5 % more."),
    (HERE, behaviour("leaving_reasons: {price: 100%, payment: 0%}"), "33:38", "payment is not a known key here.",
     "Keys here: content, not_using, other, price."),
    (HERE, behaviour("leaving_reasons: {price: 100%}"), "33:7",
     "content, not_using, other are missing in leaving_reasons.", "Add"),
    (HERE, behaviour("exit_survey: {answered: 40%}"), "33:20",
     "exit_survey: JP has no leaving_reasons that people could tell.", "Add leaving_reasons,"),
    (HERE, behaviour("exit_survey: {answered: often}"), "33:31", 'answered: "often" is not a share.', "Write 25%"),
    (HERE, behaviour("serial_churners: {share: 30%, leave_factor: 0, returns: {}}"), "33:51",
     "leave_factor: 0 is not a number above 0", "Write one"),
    (HERE, behaviour("serial_churners: {share: 30%, leave_factor: 3, "
                     "returns: {month_1: 50%, month_6: 40%, month_12: 60%}}"), "33:87",
     "month_6 is smaller than month_1.", "Write the share"),
    (HERE, behaviour("channels: {email: {delivered: 90%}}"), "33:18", "opened is missing in email.", "Add"),
    (HERE, behaviour("channels: {fax: {}}"), "33:18", "fax is not a known key here.",
     "Keys here: email, in_app, push."),
    (HERE, behaviour("channels: {push: {delivered: 90%, opened: 5%}}"), "33:17",
     "channels: JP has no email, by which notices travel", "Add email."),
    (HERE, behaviour("channels: {email: {delivered: 9%, opened: 5%, mended: 5%}}"), "33:61",
     'mended: "5%" is not a monthly hazard.', "Write it with its unit"),
    (HERE, behaviour("surveys: {hold: {kind: stars, share: 5%}}"), "33:30", 'kind: "stars" is not one of nps, csat.',
     "Write one of them."),
    (HERE, behaviour("surveys: {mood: {hold: sad}}"), "33:30", 'hold: "sad" is not a whole number.', "Write it in"),
    (HERE, behaviour("surveys: {mood: {hold: -900}}"), "33:30", "hold: -900 is below the limit of -100.",
     "Write a number of at least"),
    ("gentle: {preset: generic, grace: 10 days", STEADY + "{after: 2 days, channel: pigeon}]", "34:80",
     'channel: "pigeon" is not one of email, push, in_app.', "Write one of them."),
    ("gentle: {preset: generic, grace: 10 days", STEADY + "{channel: push}]", "34:55", "after is missing", "Add it"),
    ("gentle: {preset: generic, grace: 10 days", STEADY + "{after: 3 days}, 2 days]", "34:72",
     "notices: 2 days does not come after 3 days.", "Durations count"),
    ("gentle: {preset: generic, grace: 10 days", STEADY + "soon]", "34:55",
     'notices: "soon" is not a duration.', "Write it"),
    ("seed: 5", OFFER.format("market: [FR]"), "5:56", "There is no market FR.", "Markets are: JP, US."),
    ("seed: 5", OFFER.format("coupon: half_off"), "5:55", "coupon: there is no promotion half_off.", "There are none."),
    ("seed: 5", OFFER.format("within: 5 hours"), "5:55", "within: 5 hours is less than a day.", "Let the offer stand"),
    ("seed: 5", OFFER.format("to: [everybody]"), "5:52", 'to: "everybody" is not one of voluntary, involuntary.',
     "Write one of them."),
    ("seed: 5", "win_back_offers: [{after: 7 days}]", "5:19", "uplift is missing", "Add it"),
]  # fmt: skip
