"""Dispute programmes: how card networks watch merchants month by month, and where a run would have stood."""

from billing_sim.programmes.programme import Programme, read_programmes, shipped_programmes
from billing_sim.programmes.standing import Standings, standings

__all__ = ["Programme", "Standings", "read_programmes", "shipped_programmes", "standings"]
