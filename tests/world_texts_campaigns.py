"""Worlds in which households share, to be laid over `world_texts.QUIET` or `world_texts.BUSY`."""

from __future__ import annotations

SHARING = """
members: 64
sharing: {hosts: 50%, borrowers: [50%, 50%], joins: 50%, joins_after: 10 days, cancels: 20%, cancels_after: 5 days}
promotions:
  free_month: {about: a free month, campaign: amnesty, free_months: 1}
  half_price: {about: two months at half price, campaign: amnesty, percent: 50%, cycles: 2}
campaigns:
  amnesty:
    about: Say it, and get a discount
    at: 2025-03-10
    duration: 10 days
    reach: 90%
    control: 20%
    cards: {i_follow_the_rules: 60%, netflix_criminal: 10%}
    cards_of_hosts: {i_follow_the_rules: 30%, netflix_criminal: 60%}
    replies: 90%
    denies: 30%
    lands: 90%
    leaves_emails: 90%
    mistyped: 20%
    accepts: 60%
    accepts_after: 4 days
    free_month: free_month
    discount: half_price
    cost: {fixed: 100, reach: 0.02, reply: 0.05, email: 0.01}
timeline:
  - {kind: sharing_crackdown, at: 2025-03-03}
"""
"""Half of the members share; a crackdown in March, and a campaign a week later."""

FEW = SHARING.replace("members: 64", "members: 20\nend: 2025-05-02")
"""What makes the busy world short enough for rules that are not compiled."""

SWITCHES = {"campaigns": SHARING}
"""What random worlds may switch on (see `random_worlds`)."""
