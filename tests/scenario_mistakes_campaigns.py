"""Mistakes about sharing and campaigns for `test_scenario_errors`: old, new, place, what, remedy."""

from __future__ import annotations

CAMPAIGN = "sharing: {}\ncampaigns: {card: {at: 2025-01-10, duration: 5 days%s}}"
CRACKDOWN = "  - {kind: sharing_crackdown, at: 2025-01-20}\n"

MISTAKES = [
    ("seed: 5", "sharing: {hosts: some}", "5:18", 'hosts: "some" is not a share.', "Write 25% or 0.25."),
    ("seed: 5", "sharing: {guests: 20%}", "5:11", "guests is not a known key here.", "Keys here:"),
    ("seed: 5", "sharing: {borrowers: [50%, 40%]}", "5:22", "borrowers add up to 90 %, not 100 %.", "Change them"),
    ("seed: 5", "sharing: {borrowers: [20%, 20%, 20%, 20%, 20%]}", "5:22", "borrowers:", ""),
    ("seed: 5", "sharing: {joins_after: 7}", "5:24", "joins_after: 7 is not a duration.", "Write it with its unit"),
    ("seed: 5", "sharing: {market: [FR]}", "5:20", "market: there is no market FR.", "Markets are: JP, US."),
    ("seed: 5", CAMPAIGN.partition("\n")[2] % "", "5:13", "campaigns: card is about sharing, and nobody shares",
     "Add sharing:"),
    ("seed: 5", CAMPAIGN % ", market: [FR]", "6:63", "market: there is no market FR.", "Markets are: JP, US."),
    ("seed: 5", CAMPAIGN % ", discount: half", "6:64", "discount: there is no promotion half.", "Write it under"),
    ("seed: 5", CAMPAIGN % ", reach: 120%", "6:61", 'reach: "120%" is not between 0 % and 100 %.', "Write 25%"),
    ("seed: 5", CAMPAIGN % ", cards: {i_follow_the_rules: 80%, netflix_criminal: 30%}", "6:61",
     "cards add up to 110 %, more than 100 %.", "A person shares one card"),
    ("seed: 5", CAMPAIGN % ", cards: {netflix_crime: 3%}", "6:62", "netflix_crime is not a known key here.",
     "Did you mean netflix_criminal?"),
    ("seed: 5", CAMPAIGN % ", cost: {reach: -1}", "6:68", "reach: -1 is not an amount from 0 to 1,000,000,000.",
     "Write one, as in 0.05."),
    ("seed: 5", (CAMPAIGN % "").replace("at: 2025-01-10", "at: 2026-01-10"), "6:24",
     "at: card begins outside the run, which goes from 2025-01-01 to 2025-03-01.", "Write a moment between them."),
    ("seed: 5", (CAMPAIGN % "").replace("5 days", "0 days"), "6:46", "duration: the campaign takes no time.",
     "Write a duration, as in 14 days."),
    ("seed: 5", (CAMPAIGN % "").replace("card:", "none:"), "6:13", "campaigns: none is the name of having no campaign.",
     "Give it another name."),
    ("timeline:\n", "timeline:\n" + CRACKDOWN, "42:5", "kind: sharing_crackdown forbids what nobody does",
     "Add sharing:"),
    ("timeline:\n", "sharing: {}\ntimeline:\n" + 2 * CRACKDOWN, "44:5",
     "kind: there is more than one sharing_crackdown in market JP.", "Leave one of them out"),
    ("timeline:\n", "sharing: {}\ntimeline:\n" + CRACKDOWN.replace("2025", "2035"), "43:35",
     "at: 2035-01-20 00:00 is outside the scenario", "Move it inside"),
]  # fmt: skip
