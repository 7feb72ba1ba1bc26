"""What a campaign against sharing did: its funnel, whom it claims, whom it won, and whether it was worth its money."""

from billing_sim.campaigns.telling import Findings, study

__all__ = ["Findings", "study"]
