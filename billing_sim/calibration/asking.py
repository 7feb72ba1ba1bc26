"""`billing_sim.calibrate`: what a scenario comes to against what is published.

>>> billing_sim.calibrate("scenarios/streaming.yaml", members=20000, seeds=5)  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.calibration.comparing import Compared, Report, compare, errors
from billing_sim.calibration.published import Row, Status, digest, published
from billing_sim.calibration.worlds import ground
from billing_sim.errors import QueryError
from billing_sim.given import with_checked_arguments
from billing_sim.metrics.names import unknown

if TYPE_CHECKING:
    import pandas as pd

SCENARIO = Path("scenarios/streaming.yaml")
MEMBERS = 10_000
SEEDS = 5


@dataclass(frozen=True)
class Calibration:
    """Every row compared, in which setting; `left_out` says why other figures are not, where all are asked for."""

    scenario: str
    members: int
    seeds: tuple[int, ...]
    rows: tuple[Compared, ...]
    left_out: dict[str, str]

    def __getitem__(self, name: str) -> Compared:
        """The row of this id; QueryError with a suggestion when there is none."""
        found = {it.row.id: it for it in self.rows}
        if name not in found:
            raise QueryError(unknown("row", name, found))
        return found[name]

    @cached_property
    def errors(self) -> dict[Status, float]:
        """The normalised error by status: root mean square of (simulated - published) / tolerance."""
        return errors(self.rows)

    def table(self) -> pd.DataFrame:
        """One line per row: figure, tolerance, mean with interval, distance, verdict, status, what it moved."""
        import pandas as pd

        return pd.DataFrame([it.as_dict() for it in self.rows])

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "scenario": self.scenario,
            "members": self.members,
            "seeds": list(self.seeds),
            "figures": digest(),
            "normalised_error": {name: it if math.isfinite(it) else None for name, it in self.errors.items()},
            "rows": [it.as_dict() for it in self.rows],
            "left_out": self.left_out,
        }

    def to_csv(self) -> str:
        """The table as CSV."""
        out = io.StringIO()
        rows = [it.as_dict() for it in self.rows]
        writer = csv.DictWriter(out, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()

    def __repr__(self) -> str:
        from billing_sim.calibration.render import text

        return text(self)


@with_checked_arguments
def calibrate(
    path: str | Path = SCENARIO,
    *,
    members: int | None = MEMBERS,
    seed: int | None = None,
    seeds: int = SEEDS,
    sections: str | Sequence[str] = (),
    report: Report | None = None,
) -> Calibration:
    """Simulate what published figures count, in the worlds that they need, with so many seeds, and compare.

    `members` replaces those of the scenario (None keeps them), `seed` is the first seed, `sections` chooses parts of
    the list, such as "churn". InputError for a file that cannot be used, QueryError for an unknown section.
    """
    if isinstance(seeds, bool) or not isinstance(seeds, int) or seeds < 1:
        raise QueryError(f"{seeds} seeds are none; use 1 at least.")
    chosen = rows_of([sections] if isinstance(sections, str) else sections)
    if Path(path) == SCENARIO and not SCENARIO.exists():
        raise QueryError(
            f"{SCENARIO}, which is calibrated where no scenario is named, is not below this folder: name a scenario, "
            "as in `billing-sim calibrate mine.yaml`."
        )
    on = ground(path, members=members, seed=seed)
    scenario = on.scenario()
    used = tuple(range(scenario.seed, scenario.seed + seeds))
    found = compare(chosen, on, used, report)
    left_out = {} if sections else dict(published().left_out)
    return Calibration(scenario.name, scenario.members, used, tuple(found), left_out)


def rows_of(sections: Iterable[str]) -> list[Row]:
    """The rows of these sections, all without any; QueryError for an unknown one."""
    rows = published().rows
    known = list(dict.fromkeys(row.section for row in rows))
    wanted = list(sections)
    for name in wanted:
        if name not in known:
            raise QueryError(unknown("section", name, known))
    return [row for row in rows if not wanted or row.section in wanted]
