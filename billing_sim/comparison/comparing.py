"""`billing_sim.compare`: two runs, two scenarios, or two months of one run, side by side.

>>> billing_sim.compare("scenarios/first_month.yaml", "scenarios/no_updater.yaml")  # doctest: +SKIP
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from billing_sim.comparison.differences import Difference, differences
from billing_sim.comparison.flips import EXAMPLES, Flips, flips
from billing_sim.comparison.sides import Pair, two_months, two_runs
from billing_sim.comparison.why import Why, why
from billing_sim.errors import QueryError
from billing_sim.given import RunLike, with_checked_arguments
from billing_sim.metrics import asking
from billing_sim.metrics.catalogue import Catalogue, load
from billing_sim.metrics.definition import VIEWS, Definition
from billing_sim.metrics.engine import checked
from billing_sim.metrics.names import unknown
from billing_sim.metrics.source import RunFolder

if TYPE_CHECKING:
    import pandas as pd

SCENARIOS = (".yaml", ".yml")
"""How the names of scenario files end."""


class Comparison:
    """What differs between two sides, metric by metric; `pair` holds the sides, `by` the dimensions asked for.

    B - A throughout: of two months A is the first one named.
    """

    def __init__(self, pair: Pair, catalogue: Catalogue, shown: Sequence[Definition], by: Sequence[str] = ()) -> None:
        self.pair = pair
        self.by = checked(by, shown)
        self._catalogue = catalogue
        self._shown = tuple(shown)

    @property
    def is_paired(self) -> bool:
        """Whether both sides look at the same people, so that their common luck cancels out."""
        return self.pair.is_paired

    @cached_property
    def differences(self) -> list[Difference]:
        """Every metric in all, each followed by its parts when dimensions were asked for."""
        return differences(self.pair, self._shown, self.by)

    def __getitem__(self, metric: str) -> Difference:
        """The difference of one metric in all; QueryError with a suggestion when it is not compared here."""
        found = {it.definition.id: it for it in self.differences if not it.dims}
        if metric not in found:
            raise QueryError(unknown("metric", metric, found))
        return found[metric]

    def why(self, metric: str, by: str | None = None) -> Why:
        """The change of a metric by the segments of a dimension, by default of the one that stands out most.

        QueryError for an unknown metric or dimension, and for a metric that is no ratio or sum.
        """
        return why(self.pair, self._catalogue[metric], [by] if by else ())[0]

    def flips(self, examples: int = EXAMPLES) -> Flips:
        """Whose outcome differs, with so many subscribers named for each kind; QueryError without common people."""
        return flips(self.pair, examples)

    def table(self) -> pd.DataFrame:
        """One row per metric and part: both values, their difference with interval and errors, and the verdict."""
        import pandas as pd

        return pd.DataFrame(self._rows())

    def to_json(self) -> dict[str, Any]:
        """Both sides, whether they are paired, and every difference as plain values."""
        return {
            "a": self._side(0),
            "b": self._side(1),
            "paired": self.is_paired,
            "not_the_same_people": self.pair.strangers or None,
            "notes": list(self.pair.notes),
            "metrics": [it.as_dict() for it in self.differences],
        }

    def to_csv(self, reasons: Sequence[Why] = ()) -> str:
        """The table as CSV, one line per metric and part; with reasons more columns, and a line for each segment."""
        out = io.StringIO()
        rows = self._rows()
        terms = [row for it in reasons for row in _terms(it)]
        writer = csv.DictWriter(out, list(dict.fromkeys([*rows[0], *(terms[0] if terms else ())])), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*rows, *terms])
        return out.getvalue()

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for it in self.differences:
            row = it.as_dict()
            dims = row.pop("dims", {})
            parts = {name: dims.get(name) for name in self.by}
            rows.append({"view": row.pop("view"), "metric": row.pop("metric"), **parts, **row})
        return rows

    def _side(self, number: int) -> dict[str, Any]:
        side = (self.pair.before, self.pair.after)[number]
        it = side.identity
        return {
            "run": str(side.place),
            "scenario": it.scenario,
            "seed": it.seed,
            "members": it.members,
            "month": side.month or None,
            "as_of": side.frame.as_of.isoformat(),
            "content_digest": side.source.content_digest,
        }

    def __repr__(self) -> str:
        from billing_sim.comparison.render import comparison_shown
        from billing_sim.metrics.plain import plain

        return plain(comparison_shown(self)).rstrip()


def _terms(it: Why) -> list[dict[str, Any]]:
    """The segments of a dimension as lines below those of metrics."""
    about = {"view": it.definition.view, "metric": it.definition.id, "why_by": it.terms.dimension}
    return [
        {**about, "segment": row.pop(it.terms.dimension), **row, "unit": it.definition.unit}
        for row in it.as_dict()["terms"]
    ]


@with_checked_arguments
def compare(
    a: RunLike | str | Path,
    b: RunLike | str | Path | None = None,
    *,
    between: str | None = None,
    by: str | Sequence[str] | None = None,
    metrics: str | Sequence[str] | None = None,
    view: str | None = None,
    definitions: str | Path | Sequence[str | Path] | None = None,
    seed: int | None = None,
    members: int | None = None,
) -> Comparison:
    """Compare two runs or scenario files, or with `between="2025-05,2025-06"` two months of one run.

    `a` and `b` are folders of runs, `billing_sim.Run`s, or scenario files, which are simulated first (finished runs are
    reused; `seed` and `members` replace those of both files). `metrics` names the metrics (default: all that the views
    show, or those of one `view`), `definitions` adds files of your own, of which without both only theirs are compared,
    `by` splits each by dimensions.

    QueryError for a question that makes no sense, InputError for a file, RunError for a folder.
    """
    if (b is None) == (between is None):
        raise QueryError("Compare two runs, or two months of one run with between, such as 2025-05,2025-06.")
    sources = [_source(it, seed, members) for it in (a, b) if it is not None]
    pair = two_months(sources[0], between) if between is not None else two_runs(*sources)
    files = [definitions] if isinstance(definitions, str | Path) else list(definitions or ())
    catalogue = asking.known(files)
    own = [it.id for file in files for it in load(Path(file)) if not it.is_variant]
    chosen = _chosen(catalogue, asking.dimensions_in(metrics), own, view)
    return Comparison(pair, catalogue, chosen, asking.dimensions_in(by))


def _chosen(catalogue: Catalogue, metrics: list[str], own: list[str], view: str | None) -> list[Definition]:
    """The metrics named, those of a view, the user's own, or all that views show."""
    if view is not None and view not in VIEWS:
        raise QueryError(unknown("view", view, VIEWS))
    if view and metrics:
        raise QueryError("Name metrics or a view, not both.")
    if view:
        return catalogue.shown.shown_in(view)
    named = metrics or own
    return list(dict.fromkeys(catalogue[name] for name in named)) if named else list(catalogue.shown)


def _source(given: Any, seed: int | None, members: int | None) -> RunFolder:
    """The run in a folder, or the one that a scenario gives."""
    path = Path(getattr(given, "directory", given))
    if path.suffix in SCENARIOS:
        from billing_sim.simulate import simulate

        return RunFolder(simulate(path, seed=seed, members=members, command="billing_sim.compare").run.directory)
    if seed is not None or members is not None:
        raise QueryError(f"{path} is a run with a seed and members of its own; only scenarios can be given others.")
    source = RunFolder(path.absolute())
    _ = source.manifest
    return source
