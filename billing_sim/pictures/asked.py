"""What a picture is drawn of: a run, and what was said about the picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from billing_sim.metrics.frame import Frame, frame, literal

if TYPE_CHECKING:
    import pandas as pd

    from billing_sim.metrics.source import Source
    from billing_sim.runs.stored import StoredRun


class RunLike(Protocol):
    """What pictures use of a `billing_sim.Run`."""

    @property
    def stored(self) -> StoredRun: ...

    @property
    def directory(self) -> Path: ...

    def sql(self, query: str) -> pd.DataFrame: ...

    def metric(self, name: str | Sequence[str], by: Any = None, *, as_of: Any = None) -> pd.DataFrame: ...

    def known_at(self, as_of: datetime | None) -> Source: ...

    def trace(self, subscriber: int | str, *, truth: bool = False) -> Any: ...


@dataclass(frozen=True)
class Asked:
    """A run and the options of `draw`; empty where nothing was said."""

    run: RunLike
    other: Any = None
    metric: str = ""
    subscriber: int | str | None = None
    truth: bool = False

    @cached_property
    def frame(self) -> Frame:
        """Span, horizons and reporting currency of the run."""
        return frame(self.run.known_at(None))

    @property
    def currency(self) -> str:
        """The reporting currency."""
        return self.frame.currency

    @property
    def matured(self) -> str:
        """The SQL condition under which dunning of an invoice can no longer be going on."""
        return f"issued_at <= {literal(self.frame.as_of - self.frame.dunning)}"

    @property
    def scenario(self) -> str:
        """The name of what ran."""
        return self.run.stored.manifest.identity.scenario
