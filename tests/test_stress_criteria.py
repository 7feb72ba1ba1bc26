"""The criteria of a definition, on cells made by hand where every number is known, and on small worlds."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Group

import billing_sim
from billing_sim.metrics.catalogue import shipped
from billing_sim.metrics.plain import plain
from billing_sim.stress.bundle import bundle
from billing_sim.stress.case import BASE, find_cases
from billing_sim.stress.cells import Cell, proxy_margin
from billing_sim.stress.criteria import criteria, farthest
from billing_sim.stress.gaming import find_actions, play
from billing_sim.stress.lab import Matrix, bench
from billing_sim.stress.lives import Lives
from billing_sim.stress.maturing import maturation_days, worst_subgroups
from billing_sim.stress.readings import Readings
from billing_sim.stress.render_criteria import criteria_shown
from billing_sim.stress.seeing import read
from billing_sim.truth.estimands import estimands
from tests.lab_samples import lives

RATE, FIRST, ATTEMPT = (shipped()[f"payment_success_rate{variant}"] for variant in ("", "@first", "@attempt"))
LUCK = np.array([-0.002, 0.002] * 10)
"""The luck of twenty seeds: it is the same with and without a case."""


def readings(it, level: float, truth: float, censored: float = 0.0) -> Readings:
    """A world that reads so, with the luck of each seed."""
    known = {it.id: level + LUCK}
    return Readings({it.id: level + LUCK - censored}, known, {it.estimand: np.full(20, truth)})


def matrix(
    *worlds: tuple[str, float, float], base: tuple[float, float] = (0.95, 0.96), censored: float = 0.0
) -> Matrix:
    """One definition in cases, each with its reading and its truth."""
    cases = tuple(find_cases([name])[0] for name, _, _ in worlds)
    without = readings(RATE, *base, censored)
    cells = {
        (RATE.id, case.name): Cell(RATE, case, without, readings(RATE, level, truth, censored))
        for case, (_, level, truth) in zip(cases, worlds, strict=True)
    }
    return Matrix((RATE,), cases, cells)


def test_bias_and_censoring_are_those_without_any_case():
    """A rate that reads a point too low when complete, and two tenths lower still before."""
    found = criteria(matrix(("gateway_outage", 0.95, 0.96), censored=0.002))[RATE.id]
    assert found.bias == pytest.approx(-0.01)
    assert found.censoring_bias == pytest.approx(-0.002)
    assert found.noise == pytest.approx(LUCK.std(ddof=1))


def test_sensitivity_counts_the_noise_of_two_worlds():
    """A change of a point, seen before and after, each with its luck."""
    found = criteria(matrix(("gateway_outage", 0.94, 0.95)))[RATE.id]
    assert found.sensitivity == pytest.approx(0.01 / (LUCK.std(ddof=1) * math.sqrt(2)))


def test_the_smallest_shock_follows_from_noise_and_response():
    """A metric that doubles every change of the truth sees half as large a shock: power 80 %, level 5 %."""
    once = criteria(matrix(("gateway_outage", 0.94, 0.95)))[RATE.id]
    twice = criteria(matrix(("gateway_outage", 0.93, 0.95)))[RATE.id]
    assert once.smallest_shock == pytest.approx((1.644854 + 0.841621) * math.sqrt(2) * LUCK.std(ddof=1), rel=1e-5)
    assert twice.smallest_shock == pytest.approx(once.smallest_shock / 2)


def test_no_shock_of_a_share_is_larger_than_all_of_it():
    """A response so weak that a share would have to move by more than 100 pp: nothing is ever seen."""
    assert criteria(matrix(("gateway_outage", 0.94999999, 0.95)))[RATE.id].smallest_shock is None


def test_directions_and_false_alarms_are_shares_of_cases():
    """Right once, wrong once, still once where the truth moves; one alarm in two cases in which it does not."""
    found = criteria(matrix(
        ("gateway_outage", 0.94, 0.95), ("unread_notices", 0.96, 0.95), ("price_rise", 0.95, 0.95),
        ("calendar_effects", 0.94, 0.96), ("signup_rush", 0.95, 0.96),
    ))[RATE.id]  # fmt: skip
    assert found.directionality == pytest.approx(1 / 3)
    assert found.false_alarms == pytest.approx(1 / 2)


def test_mix_exposure_is_what_it_says_beyond_the_truth():
    """Nine tenths of a point too much, of a level of 95 %."""
    found = criteria(matrix(("market_mix_shift", 0.94, 0.959), ("simpson", 0.95, 0.96)))[RATE.id]
    assert found.mix_exposure == pytest.approx(0.009 / 0.95)
    assert criteria(matrix(("gateway_outage", 0.94, 0.95)))[RATE.id].mix_exposure is None


def test_elasticity_names_the_neighbour_that_lies_farthest():
    """First attempts read five per cent lower."""
    case = find_cases(["gateway_outage"])[0]
    cells = {
        (it.id, case.name): Cell(it, case, readings(it, level, 0.96), readings(it, level, 0.96))
        for it, level in ((RATE, 0.95), (FIRST, 0.95 * 0.95))
    }
    found = criteria(Matrix((RATE, FIRST), (case,), cells))
    assert (found[RATE.id].neighbour, found[RATE.id].elasticity) == (FIRST.id, pytest.approx(0.05))


def test_an_undefined_metric_has_no_criteria_but_no_error_either():
    """Nothing but None."""
    empty = Readings({RATE.id: np.full(20, np.nan)}, {RATE.id: np.full(20, np.nan)}, {RATE.estimand: np.full(20, 0.9)})
    case = find_cases(["gateway_outage"])[0]
    found = criteria(Matrix((RATE,), (case,), {(RATE.id, case.name): Cell(RATE, case, empty, empty)}))[RATE.id]
    assert (found.bias, found.noise, found.sensitivity, found.smallest_shock) == (None, None, None, None)


def test_what_waits_for_maturity_has_matured_at_once_and_what_does_not_later():
    """Read at the end and thirty days on; the rate as of now is the one that has to wait."""
    asked = [shipped()[name] for name in ("payment_success_rate", "payment_success_rate@as_of")]
    days = maturation_days(asked, lives(), range(1, 4))
    assert days["payment_success_rate"] == 0
    assert days["payment_success_rate@as_of"] > 0


def test_the_worst_market_is_where_reading_and_truth_lie_farthest_apart():
    """Each attempt counted alone reads too low everywhere, and lowest in Brazil, where most of them fail."""
    names = ("payment_success_rate@attempt", "recovery_rate", "involuntary_churn")
    worst = worst_subgroups([shipped()[name] for name in names], lives(), range(1, 4))
    assert worst["payment_success_rate@attempt"].market == "BR"
    assert worst["payment_success_rate@attempt"].error < -0.05
    assert "recovery_rate" not in worst


def test_a_proxy_is_judged_by_a_margin_as_large_a_part_of_it():
    """0.15 points of the 1.1 % that are not collected are 14 % of them: 14 % of the rarer side of the proxy, too."""
    claim = estimands()["payment_success"].model_copy(update={"margin": 0.0015})
    truths, rate = np.array([0.989]), shipped()["recovery_rate"]
    assert proxy_margin(rate, np.array([0.74]), claim, truths) == pytest.approx(0.26 * 0.0015 / 0.011)
    assert proxy_margin(rate, np.array([0.01]), claim, truths) == pytest.approx(0.01 * 0.0015 / 0.011)
    assert proxy_margin(rate, np.array([0.0]), claim, truths) == pytest.approx(0.001 * 0.0015 / 0.011)
    hours = shipped()["time_to_recover_p50"]
    assert proxy_margin(hours, np.array([70.0]), claim, truths) == pytest.approx(0.0015 / 0.011)
    assert proxy_margin(hours, np.array([np.nan]), claim, np.array([np.nan])) == 0.25


@pytest.fixture(scope="module")
def tried():
    """Three definitions in one case, with all that worlds of their own tell of them."""
    names = ["payment_success_rate@attempt", "involuntary_churn", "collected"]
    return billing_sim.stress(names, cases=["gateway_outage"], members=300, seeds=2, criteria=True)


def test_a_variant_alone_is_set_against_its_canonical_definition(tried):
    """Nobody has to name the neighbours: what they read comes from the same worlds without any case."""
    found = tried.criteria["payment_success_rate@attempt"]
    scenario = bench(BASE, members=300).scenario
    seeds = range(scenario.seed, scenario.seed + 6)
    told = read(bundle(Lives(scenario), seeds), [ATTEMPT, RATE])
    own, other = (float(np.nanmean(told[it.id])) for it in (ATTEMPT, RATE))
    assert (found.neighbour, found.elasticity) == (RATE.id, pytest.approx(abs(other - own) / own))


def test_a_neighbour_in_another_unit_is_none():
    """A delay in days is no share of a share of events."""
    share, days = shipped()["event_freshness"], shipped()["event_freshness@mean_delay"]
    assert share.unit != days.unit
    assert farthest(share, [(share, 0.9), (days, 0.001)]) is None
    assert farthest(RATE, [(RATE, 0.9), (ATTEMPT, 0.81)]) == (pytest.approx(0.1), ATTEMPT.id)
    assert farthest(RATE, [(RATE, 0.0), (ATTEMPT, 0.81)]) is None


def test_decision_regret_is_that_of_the_game(tried):
    """The same actions in the same worlds as `billing-sim game`; an attempt's rate is gamed, churn is not."""
    played = play([ATTEMPT], find_actions(), bench(BASE, members=300)).games[0]
    found = tried.criteria[ATTEMPT.id]
    assert found.decision_regret == played.regret.value > 0
    assert (found.would_choose, found.best_action) == (played.chosen, played.best)
    churn = tried.criteria["involuntary_churn"]
    assert churn.decision_regret < found.decision_regret


def test_several_definitions_show_every_criterion(tried):
    """A second table has those with units, each definition on one line and its numbers on the next."""
    lines = plain(Group(*criteria_shown(tried))).splitlines()
    head = next(i for i, line in enumerate(lines) if "smallest" in line and "regret" in line)
    of = {lines[i].strip(): lines[i + 1] for i in range(head + 1, len(lines) - 1)}
    rate, money = of[ATTEMPT.id], of["collected"]
    assert f"{100 * tried.criteria[ATTEMPT.id].bias:+.2f} pp" in rate
    assert f"{100 * tried.criteria[ATTEMPT.id].decision_regret:.2f} pp" in rate
    assert tried.criteria[ATTEMPT.id].worst_market in rate
    assert tried.scenario.reporting_currency in money
    assert "money" not in money
    assert max(map(len, lines)) <= 80


def test_one_definition_shows_what_it_rewards(tried):
    """The action that a team would take, and the one that is best."""
    own = {ATTEMPT.id: tried.apart[ATTEMPT.id]}
    alone = replace(tried, matrix=replace(tried.matrix, definitions=(ATTEMPT,)), apart=own)
    lines = plain(Group(*criteria_shown(alone))).splitlines()
    at = next(i for i, line in enumerate(lines) if "decision regret" in line)
    found = tried.criteria[ATTEMPT.id]
    assert f"it rewards {found.would_choose}," in lines[at]
    assert f"and best is {found.best_action}" in lines[at + 1]
    assert any("elasticity" in line and "to payment_success_rate" in line for line in lines)
    without = plain(Group(*criteria_shown(replace(alone, apart={})))).splitlines()
    assert any("decision regret" in line and "--criteria tells" in line for line in without)
