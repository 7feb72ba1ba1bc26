"""What happened: the month in which a number moved beyond chance, and an incident that everybody can read."""

from __future__ import annotations

import os
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest

import billing_sim
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.decomposition import Decomposition, Term
from billing_sim.metrics.explaining import Change, Event, change, largest_move
from billing_sim.metrics.frame import frame
from billing_sim.metrics.reasons import Move, explain
from billing_sim.metrics.render import text
from billing_sim.metrics.result import Figure, Slice
from billing_sim.metrics.source import RunFolder
from billing_sim.metrics.views import Views, views

STREAMING = Path(__file__).parent.parent / "scenarios" / "streaming.yaml"
INCIDENT = """
extends: {streaming}
name: incident
start: 2025-01-01
end: 2025-09-01
failover: false
timeline:
  - {{kind: gateway_outage, at: 2025-05-09T00:00Z, gateway: harborpay, duration: 5 days, failing: 90%}}
"""


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Views:
    """Eight months of 20,000 members, with five days in May in which one gateway hardly answers."""
    folder = tmp_path_factory.mktemp("incident")
    file = folder / "incident.yaml"
    streaming = Path(os.path.relpath(STREAMING, folder)).as_posix()
    file.write_text(INCIDENT.format(streaming=streaming), encoding="utf-8")
    made = billing_sim.run(file, members=20_000, out=folder / "run", log="none")
    return views(RunFolder(made.directory))


def test_the_same_incident_is_readable_in_all_four_views(incident):
    """Each stakeholder's core number got worse in May, and each view names the gateway."""
    told = {
        view: (event.month, event.place.dimension, event.place.largest.segment)
        for view, event in incident.events.items()
    }
    assert told == dict.fromkeys(("subscribers", "finance", "support", "product"), ("2025-05", "gateway", "harborpay"))
    causes = [incident.events[view].cause.largest.segment for view in ("subscribers", "support", "product")]
    assert causes == ["96", "96", "96"]


def test_the_terms_of_an_event_add_up_exactly(incident):
    """In every dimension that is looked at, the terms are the whole change."""
    for event in incident.events.values():
        assert len(event.reasons) >= 4
        for found in event.reasons:
            assert sum(term.total for term in found.terms) == found.change
        assert event.change.value == pytest.approx(float(event.reasons[0].change) * event.definition.scale, rel=1e-9)


def test_the_line_says_when_where_and_why(incident):
    """In words, with the unit, and in JSON with every term."""
    shown = " ".join(text(incident, 100).split())
    assert "What happened: first_attempt_success_rate -" in shown
    assert "pp in May 2025 against Apr 2025" in shown
    assert "Where: gateway harborpay -" in shown
    assert "Why: declines 96 (system malfunction)" in shown
    content = incident.to_json()["product"]["first_attempt_success_rate"]["happened"]
    assert (content["from"], content["to"]) == ("2025-04", "2025-05")
    assert sum(term["total"] for term in content["terms"]["gateway"]) == pytest.approx(content["change"])


def test_two_months_can_be_compared_for_any_simple_metric(incident):
    """The decomposition of a sum by market is each market's own difference."""
    it = shipped()["failed_renewals"]
    (found,) = explain(incident.source, [Move(it, "2025-04", "2025-05")], frame(incident.source))
    by_market = next(part for part in found if part.dimension == "market")
    months = {part.dims["month"]: part.value for part in incident["failed_renewals"].months}
    assert by_market.change == Fraction(months["2025-05"] - months["2025-04"])


def moved(metric: str, **segments: float) -> Event:
    """A move of one point, of which the segments of a place and of the declines explain these parts."""
    reasons = []
    for dimension in ("market", "code"):
        parts = {**segments, "rest": 1 - sum(segments.values())}
        terms = tuple(
            Term("none" if name == "rest" else name, Fraction(part) / 100, Fraction(0), Fraction(0), Fraction(1, 9))
            for name, part in parts.items()
        )
        reasons.append(Decomposition(dimension, Fraction(1, 2), Fraction(51, 100), terms))
    return Event(shipped()[metric], "2025-05", "2025-04", Change(0.01, 0.001), tuple(reasons))


def test_a_segment_is_named_only_for_a_fifth_of_the_move():
    """One hundredth of it is no reason, and a discount is not declined."""
    assert moved("payment_success_rate", one=0.01).place is None
    assert moved("payment_success_rate", one=0.01).cause is None
    assert moved("payment_success_rate", one=0.25).place is not None
    assert moved("payment_success_rate", one=0.25).cause is not None
    assert moved("discount_share", one=0.25).place is not None
    assert moved("discount_share", one=0.25).cause is None


def month(name: str, value: float, noise: float, partial: bool = False) -> Slice:
    """A month whose replicates scatter by so much."""
    scatter = value + noise * np.linspace(-1, 1, 64)
    return Slice(value, 0, 1, 0, replicates=scatter, dims={"month": name}, partial=partial)


def test_getting_worse_is_told_before_getting_better():
    """After an outage the number comes back by as much as it fell; the fall is the news."""
    months = [month("2025-01", 0.95, 0.0), month("2025-02", 0.90, 0.0001), month("2025-03", 0.96, 0.0002)]
    assert [part.dims["month"] for part in largest_move(months, "up")] == ["2025-01", "2025-02"]
    assert [part.dims["month"] for part in largest_move(months, "down")] == ["2025-02", "2025-03"]


def test_noise_and_unfinished_months_are_no_news():
    """A move within three standard errors is not told, nor one into a month that is not over."""
    quiet = [month("2025-01", 0.95, 0.0), month("2025-02", 0.9501, 0.01)]
    assert largest_move(quiet, "up") is None
    unfinished = [month("2025-01", 0.95, 0.0), month("2025-02", 0.5, 0.0001, partial=True)]
    assert largest_move(unfinished, "up") is None


def test_a_change_without_replicates_has_no_error():
    """Nothing is claimed where nothing is known; undefined stays undefined."""
    assert change(Figure(1.0, 1, 1, 0), Figure(2.0, 2, 1, 0)).standard_error is None
    assert change(Figure(None, 0, 0, 0), Figure(2.0, 2, 1, 0)).value is None
    assert change(Figure(1.0, 1, 1, 0), Figure(2.0, 2, 1, 0)).signal == 0


@pytest.mark.parametrize(
    ("value", "error", "direction", "mood"),
    [
        (0.03, 0.01, "up", "better"),
        (0.03, 0.01, "down", "worse"),
        (-0.03, 0.01, "down", "better"),
        (-0.03, 0.01, "up", "worse"),
        (0.03, 0.01, "neither", "noise"),
        (0.019, 0.01, "up", "noise"),
        (0.0, 0.0, "up", "noise"),
        (None, None, "up", "noise"),
    ],
)
def test_the_mood_of_a_change(value, error, direction, mood):
    """Beyond two standard errors it is better or worse, by what is better; tables and reports read the same."""
    assert Change(value, error).mood(direction) == mood
