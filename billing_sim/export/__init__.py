"""A run in other people's shapes: Stripe's and Recurly's tables and objects, CSV, a DuckDB database, CloudEvents.

An export is written aside, read again, compared with the facts to the minor unit, and only then given its name.
"""

from __future__ import annotations

from billing_sim.export.exporting import Exported, export
from billing_sim.export.forms import FORMS

__all__ = ["FORMS", "Exported", "export"]
