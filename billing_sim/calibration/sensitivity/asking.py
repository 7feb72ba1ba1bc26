"""`billing_sim.sensitivity`: what the assumed numbers are worth to the headline metrics.

>>> billing_sim.sensitivity("scenarios/streaming.yaml", members=20000).save("tornado.svg")  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.calibration.asking import SCENARIO
from billing_sim.calibration.sensitivity.levers import LEVERS, Lever, own_lever
from billing_sim.calibration.sensitivity.swings import Report, Swing, swings
from billing_sim.calibration.worlds import ground
from billing_sim.errors import QueryError
from billing_sim.given import with_checked_arguments
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.definition import Definition

if TYPE_CHECKING:
    import pandas as pd

HEADLINES = (
    "payment_success_rate", "first_attempt_success_rate@renewal", "recovery_rate", "involuntary_churn@month",
    "collected",
)  # fmt: skip
MEMBERS = 10_000
SEEDS = 4


@dataclass(frozen=True)
class Sensitivity:
    """Every swing in its setting; `base` are the metrics and `assumed` the levers as the scenario has them,
    `misfits` levers that do not fit it.
    """

    scenario: str
    members: int
    seeds: tuple[int, ...]
    definitions: tuple[Definition, ...]
    base: dict[str, float | None]
    assumed: dict[str, str]
    swings: tuple[Swing, ...]
    misfits: dict[str, str]

    @property
    def panels(self) -> list[tuple[Definition, list[Swing]]]:
        """Metric by metric its swings, the widest first."""
        found = []
        for it in self.definitions:
            own = [swing for swing in self.swings if swing.definition.id == it.id]
            found.append((it, sorted(own, key=lambda swing: -swing.size)))
        return found

    @property
    def by_size(self) -> list[Swing]:
        """One swing per lever, the lever first that swings widest in some metric, as a share of its widest swing."""
        widest = {it.id: max((swing.size for swing in own), default=0.0) for it, own in self.panels}
        best: dict[str, tuple[float, Swing]] = {}
        for swing in self.swings:
            most = widest[swing.definition.id]
            share = swing.size / most if most else 0.0
            name = swing.lever.name
            before = best[name][0] if name in best else 0.0
            best[name] = (before + share, swing)
        return [swing for _, swing in sorted(best.values(), key=lambda pair: -pair[0])]

    def table(self) -> pd.DataFrame:
        """One line per metric and lever: both ends with their intervals, in the unit of `to_json`."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def to_json(self) -> dict[str, Any]:
        """Plain values. Shares are fractions, also their changes; other metrics change by fractions of their value."""
        return {
            "scenario": self.scenario, "members": self.members, "seeds": list(self.seeds), "base": self.base,
            "swings": self._rows(), "not_tried": self.misfits,
        }  # fmt: skip

    def to_csv(self) -> str:
        """The table as CSV."""
        out = io.StringIO()
        rows = self._rows()
        writer = csv.DictWriter(out, list(rows[0]) if rows else ["metric"], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for it in self.swings:
            row: dict[str, Any] = {
                "metric": it.definition.id, "assumption": it.lever.name, "base": self.assumed[it.lever.name],
                "low": it.lever.low, "high": it.lever.high,
                "unit": "share" if it.definition.unit == "share" else "share of its value",
            }  # fmt: skip
            for end, estimate in (("low", it.low), ("high", it.high)):
                row[f"change_{end}"] = estimate.mean / 100 if estimate else None
                row[f"give_or_take_{end}"] = estimate.half_width / 100 if estimate and len(self.seeds) > 1 else None
            rows.append(row | {"why": it.lever.why})
        return rows

    def chart(self) -> Any:
        """The tornado as an altair chart."""
        from billing_sim.calibration.sensitivity.tornado import tornado

        return tornado(self)

    def save(self, path: str | Path) -> None:
        """Write the tornado as svg, png, html or json."""
        from billing_sim.calibration.sensitivity.tornado import save

        save(self, path)

    def __repr__(self) -> str:
        from billing_sim.calibration.sensitivity.render import text

        return text(self)


@with_checked_arguments
def sensitivity(
    path: str | Path = SCENARIO,
    *,
    metrics: str | Sequence[str] = (),
    parameters: str | Sequence[str] = (),
    members: int | None = MEMBERS,
    seed: int | None = None,
    seeds: int = SEEDS,
    report: Report | None = None,
) -> Sensitivity:
    """Live a scenario with each assumption at its low and at its high end, with the same people and luck.

    `metrics` takes the place of the headline metrics, `parameters` such as "regions.UCAN.attention=5%..15%" that of
    the shipped assumptions. InputError for a file that cannot be used, QueryError for a question without sense.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise QueryError(f"{seeds} seeds are none; use 1 at least.")
    on = ground(path, members=members, seed=seed)
    names = [metrics] if isinstance(metrics, str) else list(metrics)
    definitions = tuple(shipped()[name] for name in names or HEADLINES)
    given = [parameters] if isinstance(parameters, str) else list(parameters)
    levers: Sequence[Lever] = [own_lever(on, text) for text in given] or LEVERS
    scenario = on.scenario()
    used = tuple(range(scenario.seed, scenario.seed + seeds))
    base, found, misfits = swings(on, levers, definitions, used, report or (lambda _, __: None))
    values = {it.id: value for it, value in zip(definitions, base, strict=True)}
    assumed = {it.name: it.base(on) for it in levers}
    return Sensitivity(scenario.name, scenario.members, used, definitions, values, assumed, tuple(found), misfits)
