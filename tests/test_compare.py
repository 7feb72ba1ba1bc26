"""Two worlds side by side: the same people, what differs between them, whom it hits, and why."""

from __future__ import annotations

import csv
import json
import math
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import billing_sim
from billing_sim.comparison.differences import Difference
from billing_sim.comparison.flips import flips
from billing_sim.comparison.sides import Pair, Side
from billing_sim.metrics import asking
from billing_sim.metrics.frame import frame
from billing_sim.metrics.jackknife import half_width
from billing_sim.metrics.result import Figure
from tests.cli_caller import call
from tests.facts_builder import build, invoice

__all__ = ["call"]
SCENARIOS = Path(__file__).parent.parent / "scenarios"


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """The first months of 1,500 members with the account updater and without it; and with other luck."""
    home = tmp_path_factory.mktemp("worlds")
    base = home / "base.yaml"
    base.write_bytes((SCENARIOS / "first_month.yaml").read_bytes())
    other = home / "no_updater.yaml"
    other.write_text('extends: base.yaml\nname: no_updater\naccount_updater: "off"\n', encoding="utf-8")
    runs = {
        name: billing_sim.run(path, members=1500, seed=seed, out=home / name, log="none", workers=1)
        for name, path, seed in (("on", base, 1), ("off", other, 1), ("luck", base, 2))
    }
    return {**runs, "home": home}


@pytest.fixture(scope="module")
def switched(worlds):
    """What switching the updater off does."""
    return billing_sim.compare(worlds["on"], worlds["off"])


def test_a_run_does_not_differ_from_itself(worlds):
    """Every difference is exactly 0, all variance is saved, and nobody's outcome flips."""
    same = billing_sim.compare(worlds["on"], worlds["on"].directory)
    known = [it for it in same.differences if it.value is not None]
    assert len(known) > 30
    assert {it.value for it in known} == {0.0}
    assert {it.standard_error for it in known} <= {0.0, None}
    assert {it.saved for it in known} <= {1.0, None}
    assert {it.verdict for it in known} <= {"same", ""}
    outcomes = same.flips()
    assert (outcomes.count("subscribers"), outcomes.count("invoices")) == (0, 0)
    assert outcomes.same("subscribers") == len(worlds["on"].table("subscriptions")["subscriber"].unique())
    assert outcomes.same("invoices") == len(worlds["on"].table("invoices"))


def test_what_the_longer_run_learned_later_is_unknown(worlds, tmp_path):
    """Two runs with the same lives until the earlier end are the same there in every metric, and nobody flips."""
    longer = worlds["home"] / "longer.yaml"
    longer.write_text("extends: base.yaml\nname: longer\nend: 2025-04-15\n", encoding="utf-8")
    other = billing_sim.run(longer, members=1500, seed=1, out=tmp_path / "longer", log="none", workers=1)
    every = [it.id for it in asking.known()]
    found = billing_sim.compare(worlds["on"], other, metrics=every)
    assert "A ends on 2025-03-01 and B on 2025-04-15: both are looked at until the earlier." in found.pair.notes
    assert [it.definition.id for it in found.differences if it.before.value != it.after.value] == []
    assert {it.standard_error for it in found.differences if it.value is not None} <= {0.0, None}
    assert sum(it.value is not None for it in found.differences) > 200
    outcomes = found.flips()
    assert (outcomes.count("subscribers"), outcomes.count("invoices")) == (0, 0)
    retention = billing_sim.compare(other, worlds["on"], metrics="net_revenue_retention")["net_revenue_retention"]
    told = other.metric("net_revenue_retention", as_of="2025-03-01")["value"].item()
    assert retention.before.value == told


def test_other_luck_is_other_people(worlds):
    """Another seed is told, the errors add up as those of two samples, and flips are refused."""
    luck = billing_sim.compare(worlds["on"], worlds["luck"])
    assert luck.pair.strangers == "A has seed 1 and B has seed 2"
    churn = luck["churn"]
    assert (churn.paired, churn.saved) == (None, None)
    errors = churn.before.standard_error, churn.after.standard_error
    assert churn.standard_error == math.hypot(*errors) > max(errors)
    assert "Not the same people: A has seed 1 and B has seed 2." in repr(luck)
    assert "saved" not in repr(luck)
    with pytest.raises(billing_sim.QueryError, match="same people only: A has seed 1 and B has seed 2"):
        luck.flips()


def test_pairing_narrows_the_interval(switched):
    """The same people in both worlds: most of the variance is common to both."""
    for metric in ("churn", "involuntary_churn", "collected", "monthly_recurring_revenue"):
        it = switched[metric]
        assert it.paired < it.unpaired
        assert it.saved == 1 - (it.paired / it.unpaired) ** 2 > 0.5


def test_few_groups_tell_little():
    """Student's t has one degree of freedom fewer than there are groups with units: 12.706 for two, 1.998 for 64."""
    replicates = np.zeros(64)
    before, after = (Figure(value, 1, 1, 0, replicates=replicates, groups=2) for value in (0.0, 4.0))
    moved = replace(after, replicates=np.append(np.zeros(63), 64 / 63))
    it = Difference(asking.known()["churn"], before, moved, is_paired=True)
    assert it.standard_error == pytest.approx(1)
    assert (it.half, it.verdict) == (pytest.approx(12.706), "same")
    many = replace(it, before=replace(before, groups=64))
    assert (many.half, many.verdict) == (pytest.approx(1.998), "worse")
    others = replace(many, is_paired=False, before=replace(many.before, standard_error=0.6),
                     after=replace(moved, standard_error=0.8))  # fmt: skip
    assert (others.half, others.verdict) == (pytest.approx(12.706), "same"), "the smaller sample decides"


def test_six_people_make_no_verdict_of_one_flip(worlds, tmp_path):
    """The interval of a comparison is no narrower than the views' own for as few groups."""
    six = [billing_sim.run(worlds["home"] / name, members=6, out=tmp_path / name[:-5], log="none", workers=1)
           for name in ("base.yaml", "no_updater.yaml")]  # fmt: skip
    members = billing_sim.compare(*six)["members"]
    assert 2 <= members.groups <= 7
    assert members.half == half_width(members.standard_error, members.groups)


def test_without_the_updater_people_are_lost(switched, worlds):
    """The metrics fall, and those whose outcome flips are kept in one story and lost in the other."""
    assert switched["involuntary_churn"].value > 0
    assert switched["uninterrupted_renewal_rate"].value < 0
    assert switched["collected"].value < 0
    lost = [it for it in switched.flips().of("subscribers") if (it.before, it.after) == ("kept", "lost")]
    assert len(lost) == 1
    assert lost[0].count >= len(lost[0].examples) > 0
    for name in lost[0].examples:
        number = billing_sim.result.subscriber_of(name)
        ended = [
            worlds[side].sql(f"SELECT end_reason, ended_at FROM subscriptions WHERE subscriber = {number}").iloc[-1]
            for side in ("on", "off")
        ]
        assert pd.isna(ended[0]["ended_at"])
        assert ended[1]["end_reason"] == "nonpayment"
        assert worlds["on"].trace(name).render() != worlds["off"].trace(name).render()


def test_every_pair_of_outcomes_is_told(tmp_path):
    """By hand: five people, whose numbers say which market they are of, and their invoices."""
    ids = {name: billing_sim.people.parse(f"US-{i}") for i, name in enumerate("abcde")}

    def spell(who, number=1, reason="none", ended=None):
        more = {"end_reason": reason, "ended_at": ended, "started_at": f"2025-0{number}-01"}
        return {"subscriber": ids[who], "spell": number, **more}

    def bill(who, **more):
        return invoice("2025-02-03", 10, subscriber=ids[who], spell=1, period_start="2025-02-03", **more)

    a = build(
        tmp_path / "a",
        subscriptions=[spell("a"), spell("b"), spell("c", reason="voluntary", ended="2025-02-01"), spell("d")],
        invoices=[bill("a"), bill("b"), bill("d", status="open")],
    )
    b = build(
        tmp_path / "b",
        subscriptions=[
            spell("a", reason="nonpayment", ended="2025-03-01"), spell("b", reason="nonpayment", ended="2025-03-01"),
            spell("b", 4), spell("c"), spell("d", reason="payment_trouble", ended="2025-03-01"), spell("e"),
        ],
        invoices=[bill("a", status="uncollectible"), bill("b"), bill("d"), bill("e")],
    )  # fmt: skip
    found = flips(Pair(Side("A", a, frame(a)), Side("B", b, frame(b))))
    told = {(it.unit, it.before, it.after): (it.count, it.examples) for it in found.outcomes}
    assert told == {
        ("subscribers", "kept", "lost"): (1, ("US-0",)),
        ("subscribers", "kept", "lost and back"): (1, ("US-1",)),
        ("subscribers", "left", "kept"): (1, ("US-2",)),
        ("subscribers", "kept", "left in payment trouble"): (1, ("US-3",)),
        ("subscribers", "never subscribed", "kept"): (1, ("US-4",)),
        ("invoices", "paid", "not paid"): (1, ("US-0",)),
        ("invoices", "paid", "paid"): (1, ("US-1",)),
        ("invoices", "not paid", "paid"): (1, ("US-3",)),
        ("invoices", "not issued", "paid"): (1, ("US-4",)),
    }
    assert (found.same("invoices"), found.count("invoices"), found.count("subscribers")) == (1, 3, 5)


def test_flips_are_whole_tables(switched, worlds):
    """Every invoice and person of either world is counted once."""
    told = switched.flips(examples=2)
    table = told.table()
    assert list(table.columns) == ["unit", "a", "b", "count", "examples"]
    assert table["examples"].map(len).max() == 2
    for unit, fact, absent in (("invoices", "invoices", "not issued"), ("subscribers", "subscriptions", "")):
        both = told.same(unit) + told.count(unit)
        only_b = sum(it.count for it in told.of(unit) if it.before == absent)
        in_a = worlds["on"].table(fact)
        assert both - only_b == (len(in_a) if unit == "invoices" else in_a["subscriber"].nunique())
    assert "kept → lost" in repr(told)


@pytest.mark.parametrize(
    ("metric", "by"),
    [("net_collected_rate", "method"), ("involuntary_churn", "plan"), ("collected", "method"), ("churn", None)],
)
def test_terms_add_up_exactly(switched, metric, by):
    """Nothing is left over, in exact fractions, and the whole is the difference of the metric."""
    why = switched.why(metric, by)
    assert why.residual == Fraction(0)
    assert why.in_unit(why.terms.change) == pytest.approx(switched[metric].value)
    assert by in (None, why.terms.dimension)
    assert list(why.table().columns) == [why.terms.dimension, "share", "within", "mix", "interaction", "total"]
    assert "add up" in repr(why)


def test_a_metric_of_nothing_has_no_terms_and_says_so(switched):
    """Nobody asks a desk that is not there: no segments, and the sum of none is no difference."""
    why = switched.why("backlog_age_p90@count_open", "spell")
    assert (why.largest_first, why.residual, len(why.table())) == ([], 0, 0)
    assert repr(why).splitlines()[0] == "Why backlog_age_p90@count_open differs by 0, by spell"
    assert "all" in repr(why)


def test_what_cannot_be_taken_apart_says_so(switched):
    """A quantile has no terms, and an unknown dimension gets a suggestion."""
    with pytest.raises(billing_sim.QueryError, match="`time_to_recover_p50` is of the kind quantile"):
        switched.why("time_to_recover_p50")
    with pytest.raises(billing_sim.QueryError, match="did you mean `method`"):
        switched.why("churn", "metod")


def test_two_months_of_one_run(worlds):
    """Values are those of the months in the views; the terms add up; outcomes are of runs, not of months."""
    found = billing_sim.compare(worlds["on"], between="2025-01,2025-02", metrics=["collected", "churn"], by="plan")
    months = {part.dims["month"]: part for part in worlds["on"].views(by="month")["collected"].slices}
    it = found["collected"]
    assert (it.before.value, it.after.value) == (months["2025-01"].value, months["2025-02"].value)
    parts = [each for each in found.differences if each.definition.id == "collected" and each.dims]
    assert [each.dims["plan"] for each in parts] == ["premium", "standard"]
    assert sum(each.value for each in parts) == pytest.approx(it.value)
    assert found.why("collected", "plan").residual == 0
    with pytest.raises(billing_sim.QueryError, match="compare two runs"):
        found.flips()


@pytest.mark.parametrize("months", ["2025-01", "2025-01,2025-01", "2025-02,2025-03", "January,May"])
def test_months_must_be_whole_and_two(worlds, months):
    """The span of the run is named."""
    with pytest.raises(billing_sim.QueryError, match="Whole months of this run: from 2025-01 to 2025-02"):
        billing_sim.compare(worlds["on"], between=months)


def test_scenarios_are_simulated_and_reused(worlds, monkeypatch, tmp_path):
    """Both with the same members and seed; the second time nothing is simulated."""
    monkeypatch.chdir(tmp_path)
    files = worlds["home"] / "base.yaml", worlds["home"] / "no_updater.yaml"
    first = billing_sim.compare(*files, members=50, seed=9, metrics="members")
    assert (first.pair.before.identity.seed, first.pair.after.identity.members) == (9, 50)
    made = sorted(path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/manifest.json"))
    billing_sim.compare(*files, members=50, seed=9, metrics="members")
    assert made == sorted(path.stat().st_mtime_ns for path in (tmp_path / "runs").glob("*/manifest.json"))
    with pytest.raises(billing_sim.QueryError, match="only scenarios can be given others"):
        billing_sim.compare(worlds["on"], worlds["off"], seed=9)


def test_fewer_members_are_partly_the_same_people(worlds, tmp_path):
    """Those of the smaller world live in both, so it stays paired, and a note says so."""
    few = billing_sim.run(worlds["home"] / "base.yaml", members=300, out=tmp_path / "few", log="none", workers=1)
    found = billing_sim.compare(few, worlds["on"], metrics="members")
    assert found.is_paired
    assert found.pair.notes == (
        "A has 300 members at the start and B 1,500: those of the smaller are in both, "
        "and who is in one alone has another outcome.",
    )  # fmt: skip


def test_other_shares_of_markets_are_told_by_market(worlds, tmp_path):
    """More members in all do not make every market larger, and as many in all not every market as large."""
    other = (
        "{name: France, region: EMEA, currency: EUR, time_zone: Europe/Paris, locale: fr_FR, "
        "tax: {rate: 20%, included: true}, prices: {standard: 12 EUR}, plan_mix: {standard: 100%}"
    )
    for name, shares in (("even", (50, 50)), ("french", (20, 80))):
        (worlds["home"] / f"{name}.yaml").write_text(
            f"extends: base.yaml\nname: {name}\nmarkets:\n  US: {{members: {shares[0]}%}}\n"
            f"  FR: {other}, members: {shares[1]}%}}\n",
            encoding="utf-8",
        )
    sizes = (("even", 200), ("french", 300), ("french", 200))
    even, more, french = (
        billing_sim.run(worlds["home"] / f"{name}.yaml", members=count, out=tmp_path / f"{name}{count}", log="none")
        for name, count in sizes
    )
    rest = "Of each market those of the smaller side are in both, and who is in one alone has another outcome."
    start = "Members at the start differ by market:"
    for it, said in ((more, "FR has 100 in A and 240 in B, US has 100 in A and 60 in B"),
                     (french, "FR has 100 in A and 160 in B, US has 100 in A and 40 in B")):  # fmt: skip
        assert billing_sim.compare(even, it, metrics="members").pair.notes == (f"{start} {said}. {rest}",)


def test_a_view_and_metrics_are_not_named_at_once(worlds):
    """And an unknown view is refused whatever else is named."""
    pair = worlds["on"], worlds["off"]
    with pytest.raises(billing_sim.QueryError, match="Name metrics or a view, not both"):
        billing_sim.compare(*pair, metrics="collected", view="finance")
    for more in ({"metrics": "collected"}, {}):
        with pytest.raises(billing_sim.QueryError, match="nope"):
            billing_sim.compare(*pair, view="nope", **more)


MINE = """
view: finance
metrics:
  - {id: mine, tier: supporting, title: Mine, question: How many?, formula: paid / all, direction: up, unit: share,
     kind: ratio, fact: invoices, numerator: status = 'paid', denominator: 1, clock: issued_at, matures: 30 days,
     estimand: payment_success, misleads: Nobody.}
"""


def test_metrics_of_ones_own_stand_in_their_view(worlds, tmp_path):
    """Alone they are all that is compared; beside a view they come with it, and with no other."""
    pair, file = (worlds["on"], worlds["off"]), tmp_path / "mine.yaml"
    file.write_text(MINE)
    compared = {
        view: [it.definition.id for it in billing_sim.compare(*pair, view=view, definitions=file).differences]
        for view in (None, "finance", "support")
    }
    assert compared[None] == ["mine"]
    assert [name for name in compared["finance"] if name != "mine"] == [
        it.definition.id for it in billing_sim.compare(*pair, view="finance").differences
    ]
    assert "mine" in compared["finance"]
    assert "mine" not in compared["support"]


def test_a_table_has_a_row_per_metric_and_part(switched, worlds):
    """The same numbers in Python, CSV and JSON."""
    table = switched.table().set_index("metric")
    assert table.loc["churn", "difference"] == switched["churn"].value
    lines = list(csv.DictReader(switched.to_csv().splitlines()))
    assert len(lines) == len(switched.differences) == len(switched.to_json()["metrics"])
    assert float(next(line for line in lines if line["metric"] == "churn")["a"]) == switched["churn"].before.value
    with pytest.raises(billing_sim.QueryError, match="did you mean `churn`"):
        switched["chrn"]


def test_the_command_shows_all_of_it(call, worlds):
    """Tables in eighty columns, with a line to look at somebody whose outcome flips."""
    answer = call("compare", worlds["on"].directory, worlds["off"].directory, "--view", "subscribers")
    assert (answer.code, answer.err) == (0, "")
    assert "The same people with the same luck" in answer.out
    assert f"billing-sim trace {worlds['off'].directory} US-" in answer.out.replace("\n", " ").replace("  ", " ")
    table = answer.out[answer.out.index("SUBSCRIBERS") : answer.out.index("Look at one")]
    assert max(map(len, table.splitlines())) <= 80


@pytest.mark.parametrize("width", ["30", "40", "50"])
def test_a_narrow_terminal_keeps_the_names(call, worlds, monkeypatch, width):
    """Metrics keep their names and differences, whatever else gives way."""
    monkeypatch.setenv("COLUMNS", width)
    folders = worlds["on"].directory, worlds["off"].directory
    shown = call("compare", *folders, "--view", "subscribers").out
    table = shown[shown.index("SUBSCRIBERS") : shown.index("Subscribers with")]
    assert max(map(len, table.splitlines())) <= int(width)
    (line,) = (line for line in table.splitlines() if line.startswith("churn"))
    assert "pp" in line + table[table.index(line) :].splitlines()[1]
    assert "Left out: " in table


def test_the_command_tells_why(call, worlds):
    """JSON holds the terms, whose residual is 0, and the flips."""
    folders = worlds["on"].directory, worlds["off"].directory
    answer = call("compare", *folders, "--why", "churn", "--by", "plan,method", "--flips", "1", "--format", "json")
    told = json.loads(answer.out)
    assert [(it["dimension"], it["residual"]) for it in told["why"]] == [("plan", 0.0), ("method", 0.0)]
    assert [it["metric"] for it in told["metrics"]] == ["churn"]
    assert all(len(it["examples"]) == 1 for it in told["flips"]["invoices"]["flips"])
    csv_told = call("compare", *folders, "--why", "churn", "--by", "plan,method", "--format", "csv").out
    whole, *terms = csv.DictReader(csv_told.splitlines())
    assert (float(whole["difference"]), whole["why_by"]) == (told["metrics"][0]["difference"], "")
    for it in told["why"]:
        own = {row["segment"]: row for row in terms if row["why_by"] == it["dimension"]}
        assert [float(own[term[it["dimension"]]]["total"]) for term in it["terms"]] == [t["total"] for t in it["terms"]]
    assert len(terms) == sum(len(it["terms"]) for it in told["why"])


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["on"], "a second run, or two months with --between"),
        (["on", "off", "--between", "2025-01,2025-02"], "not both"),
        (["on", "nowhere"], "nowhere is not a run: there is no such folder."),
        (["on", "off", "--metric", "chrn"], "did you mean `churn`?"),
        (["on", "off", "--view", "finanse"], "did you mean `finance`?"),
        (["on", "off", "--by", "markt"], "did you mean `market`?"),
        (["on", "off", "--members", "5"], "only scenarios can be given others."),
    ],
)
def test_mistakes_are_told_in_one_sentence(call, worlds, monkeypatch, args, said):
    """Code 2, nothing on stdout."""
    monkeypatch.chdir(worlds["home"])
    answer = call("compare", *args)
    assert (answer.code, answer.out) == (2, "")
    assert said in " ".join(answer.err.replace("│", " ").split())


def test_help_ends_with_an_example(call):
    """One that can be typed."""
    answer = call("compare", "--help")
    assert answer.out.splitlines()[-1].startswith("  Example:  billing-sim compare ")
    assert max(map(len, answer.out.splitlines())) <= 80
