"""Cases of the lab: files that are read, checked, laid over a scenario, and refused in plain words."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.scenario import load
from billing_sim.scenario.emit import emit
from billing_sim.scenario.layers import read_chain
from billing_sim.scenario.model import Scenario
from billing_sim.scenario.nodes import plain
from billing_sim.scenario.reader import parse, read_bytes
from billing_sim.stress.case import BASE, CASES, Case, find_cases, load_case, shipped_cases
from billing_sim.stress.case_schema import json_schema
from billing_sim.stress.fitting import apply
from billing_sim.stress.lab import bench
from billing_sim.world.compile import compile_world

FIRST_MONTH = Path(__file__).parent.parent / "scenarios" / "first_month.yaml"
GOOD = """\
case: mine
title: A case of mine
pathology: 8
since: 2025-02-01
inject:
  scenario:
    failover: false
  every_market:
    behaviour: {attention: 2%}
  log:
    - {kind: late, events: [payment.captured], share: 20%, by: 5 days}
    - {kind: relabelled, column: reason, was: nonpayment, becomes: voluntary}
    - {kind: fan_out, fact: invoices, by: attempts}
reads: as of now too low
moral: Wait.
"""
NAMES = {case.name for case in shipped_cases()}


def content_of(path: Path) -> dict[str, Any]:
    """What a scenario file says, as plain values."""
    content: Any = plain(read_chain(path, read_bytes(path)))
    return content


def written(folder: Path, text: str, name: str = "mine") -> Path:
    """A case file."""
    path = folder / f"{name}.yaml"
    path.write_text(text)
    return path


def laid(folder: Path, case: Case, base: Path) -> Scenario:
    """The scenario that a case makes of another."""
    path = folder / "laid.yaml"
    path.write_text(emit(apply(case, content_of(base))))
    return load(path).scenario


def fits(case: Case, base: Path) -> bool:
    """Whether a case can be laid over a scenario."""
    try:
        apply(case, content_of(base))
    except InputError:
        return False
    return True


@pytest.mark.parametrize("name", sorted(NAMES))
def test_every_shipped_case_fits_the_base_and_compiles(tmp_path, name):
    """It gives another world than the base if it says so, and the same one otherwise."""
    (case,) = find_cases([name])
    world, base = compile_world(laid(tmp_path, case, BASE)), compile_world(bench().beneath(case))
    assert (world.digest != base.digest) == case.changes_world
    assert case.changes_world or case.damages_log or name == "right_censored_dunning"


def test_the_base_has_something_of_everything():
    """Three currencies, two gateways in use, direct debits, annual plans, four retries, an updater for some."""
    base = load(BASE).scenario
    assert [market.currency for market in base.markets.values()] == ["USD", "EUR", "BRL"]
    assert base.members == 2000
    assert len(base.dunning_policies["four_retries"].retries) == 4
    assert base.markets["DE"].behaviour.method_mix["direct_debit"] > 0
    assert {plan.interval for plan in base.plans.values()} == {"month", "year"}
    assert base.account_updater == "on"
    assert base.timeline[0].market == ["US"]


def test_the_catalogue_is_covered():
    """Every pathology that this world can express has a case, in the order of the catalogue."""
    numbers = [case.pathology for case in shipped_cases()]
    told = [number for number in numbers if number is not None]
    assert sorted({*told}) == [
        *range(1, 14),
        16,
        17,
        19,
        20,
        21,
        22,
        23,
        25,
        26,
        27,
        28,
        29,
        30,
        31,
        33,
        34,
        35,
        36,
        37,
    ]
    assert numbers == [*sorted(told), *[None] * (len(numbers) - len(told))]
    assert {path.stem for path in CASES.glob("*.yaml")} == NAMES


def test_cases_that_name_no_market_fit_anybodys_scenario():
    """Those that name a market, a plan or a currency of the base say that they do not fit another one.

    So do those with a day that another one does not have.
    """
    strangers = {case.name for case in shipped_cases() if case.since is None and not fits(case, FIRST_MONTH)}
    assert strangers == {
        "annual_plans_pushed", "campaign_claim", "dispute_lag_and_volume_drop", "simpson", "survivor_averages",
        "weak_market_dropped",
    }  # fmt: skip
    assert not fits(*find_cases(["late_methods"]), FIRST_MONTH)


def test_a_case_is_read_whole(tmp_path):
    """Everything that the file says is there, and what it injects is told apart."""
    case = load_case(written(tmp_path, GOOD))
    assert (case.name, case.pathology, case.moral, str(case.since)) == ("mine", 8, "Wait.", "2025-02-01")
    assert [damage.kind for damage in case.damages] == ["late", "relabelled", "fan_out"]
    assert case.changes_world
    assert case.damages_log


def test_laying_a_case_over_a_scenario(tmp_path):
    """Every market gets what is for every market; the scenario that was given stays as it was."""
    content = content_of(BASE)
    before = copy.deepcopy(content)
    merged = apply(load_case(written(tmp_path, GOOD)), content)
    assert content == before
    assert merged["failover"] is False
    assert [market["behaviour"]["attention"] for market in merged["markets"].values()] == ["2%"] * 3
    assert merged["markets"]["BR"]["behaviour"]["method_mix"] == {"credit": "48%", "debit": "42%", "wallet": "10%"}
    assert apply(*find_cases(["right_censored_dunning"]), content) == before


def test_a_timeline_is_added_to(tmp_path):
    """What the scenario has planned still happens, unless it would undo what the case sets for good."""
    surge = "timeline: [{kind: signup_surge, at: 2025-03-01, duration: 9 days, increase: 50%}]"
    added = f"case: mine\ntitle: t\nmoral: m\ninject:\n  scenario:\n    {surge}\n"
    kinds = [it["kind"] for it in apply(load_case(written(tmp_path, added)), content_of(BASE))["timeline"]]
    assert kinds == ["account_updater", "signup_surge"]
    settled = apply(load_case(written(tmp_path, f"{added}    account_updater: on\n")), content_of(BASE))
    assert [it["kind"] for it in settled["timeline"]] == ["signup_surge"]
    assert settled["account_updater"] == "on"


def test_null_removes_a_key(tmp_path):
    """As in a scenario that extends another; null stays, or the defaults would come back."""
    text = "case: mine\ntitle: t\nmoral: m\ninject: {scenario: {markets: {DE: {behaviour: null}}}}\n"
    case = load_case(written(tmp_path, text))
    assert apply(case, content_of(BASE))["markets"]["DE"]["behaviour"] is None
    assert case.changes_world


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "what", "remedy"),
    [
        ("case: mine", "case: other", 1, 7, "case: other is not the name of this file, mine.yaml.",
         "Write mine, or call the file other.yaml."),
        ("case: mine", "case: Mine", 1, 7, 'case: "Mine" cannot be used as a name.', "Use lower-case letters"),
        ("moral:", "morale:", 15, 1, "morale is not a known key here.", "Did you mean moral?"),
        ("pathology: 8", "pathology: 0", 3, 12, "pathology: 0 is below the limit of 1.", "at least 1"),
        ("since: 2025-02-01", "since: soon", 4, 8, 'since: "soon" is not a date', "Write year, month and day"),
        ("failover:", "failovers:", 7, 5, "failovers is not a known key here.", "Did you mean failover?"),
        ("failover: false", "seed: 7", 7, 5, "seed is not for a case to change.", "the same people, luck and span"),
        ("behaviour:", "behavior:", 9, 5, "behavior is not a known key here.", "Did you mean behaviour?"),
        ("kind: late", "kind: later", 11, 14, 'kind: "later" is not a kind of damage.', "Did you mean late?"),
        ("kind: late, ", "", 11, 7, "kind is missing.", "Kinds are: duplicated, fan_out, late"),
        ("payment.captured", "payment.capturd", 11, 29, "payment.capturd is not a kind of event.",
         "Did you mean payment.captured?"),
        ("share: 20%", "share: 120%", 11, 55, "is not between 0 % and 100 %.", "Write 25% or 0.25."),
        (", by: 5 days", "", 11, 7, "by is missing", "Add it: how much later."),
        ("by: 5 days", "by: 5", 11, 64, "by: 5 is not a duration.", "Write it with its unit"),
        ("column: reason", "column: raeson", 12, 34, '"raeson" is not one of', "Did you mean reason?"),
        ("column: reason", "column: kind", 12, 45, "was: nonpayment is not a kind of event.", ""),
        ("share: 20%", "since: 2025-03-02, until: 2025-03-01", 11, 74, "until: the damage ends before it begins.",
         "Write a later moment than `since`."),
        ("by: attempts", "by: renewals", 13, 43, "by: invoices do not say how many renewals.", "Write attempts or"),
    ],
)  # fmt: skip
def test_a_bad_file_is_refused_at_its_place(tmp_path, old, new, line, column, what, remedy):
    """Where, what, and what to do."""
    assert old in GOOD
    with pytest.raises(InputError) as caught:
        load_case(written(tmp_path, GOOD.replace(old, new, 1)))
    told = [(it.line, it.column) for it in caught.value.problems if what in it.what and remedy in it.remedy]
    assert told == [(line, column)], str(caught.value)
    assert "?." not in str(caught.value)


@pytest.mark.parametrize(
    ("injected", "line", "column", "told"),
    [
        ("{scenario: {markets: {XX: {members: 20%}}}}", 4, 31, "XX is no market of this scenario"),
        ("{scenario: {markets: {BR: {members: 20%}}}}", 4, 21, "members of all markets add up to 95 %"),
        ("{scenario: {plans: {standard: null}}}", 4, 9, "does not fit this scenario. plan_mix: there is no plan"),
        ("{scenario: {markets: null}}", 4, 21, "markets has no value"),
        ("{log: [{kind: lost, gateway: [northbay]}]}", 4, 39, "northbay is no gateway of this scenario"),
        ("{log: [{kind: lost, market: [GB]}]}", 4, 38, "GB is no market of this scenario"),
        ("{log: [{kind: relabelled, column: plan, was: standard, becomes: premum}]}", 4, 73, "premum is no plan"),
        ("{scenario: {timeline: [{kind: exchange_rate, at: 2031-01-01, currency: EUR, rate: 1}]}}", 4, 58,
         "at: 2031-01-01 00:00 is outside the scenario"),
        ("{log: [{kind: lost, since: 2031-01-01}]}", 4, 36, "since: 2031-01-01 00:00 is outside the scenario"),
        ("{log: [{kind: lost, until: 2020-01-01}]}", 4, 36, "until: 2020-01-01 00:00 is outside the scenario"),
        ("{log: [{kind: lost}]}\nsince: 2031-01-01", 5, 8, "since: 2031-01-01 is outside the scenario"),
        ("{scenario: {dunning: [{use: nobodys}]}}", 4, 37, "nobodys"),
        ("{every_market: {behaviour: {attention: 120%}}}", 4, 48, "is not between 0 % and 100 %"),
    ],
)  # fmt: skip
def test_a_case_that_does_not_fit_says_so(tmp_path, injected, line, column, told):
    """At its own place: the scenario is not to blame."""
    path = written(tmp_path, f"case: mine\ntitle: t\nmoral: m\ninject: {injected}\n")
    with pytest.raises(InputError) as caught:
        apply(load_case(path), content_of(BASE))
    assert {it.file for it in caught.value.problems} == {str(path)}
    assert (line, column) in [(it.line, it.column) for it in caught.value.problems if told in it.what]


def test_a_shipped_case_of_a_later_day_does_not_fit_a_short_scenario():
    """A log that loses rows from May on loses none of January: nothing is told of it, and no alarm is waited for."""
    (case,) = find_cases(["silent_logging_loss"])
    with pytest.raises(InputError, match="since: 2025-05-10 is outside the scenario, 2025-01-01 to 2025-03-01"):
        bench(FIRST_MONTH, members=10).under(case)


def test_cases_are_found_by_name_in_folders_and_as_files(tmp_path):
    """One's own case comes before a shipped one of its name; without names all are meant."""
    own = written(tmp_path, "case: late_events\ntitle: My own\nmoral: m\n", "late_events")
    assert [case.title for case in find_cases(["late_events"], [tmp_path])] == ["My own"]
    assert find_cases([str(own), "more_retries"])[0].title == "My own"
    assert {case.name for case in find_cases()} == NAMES
    assert len(find_cases([], [tmp_path])) == len(NAMES)
    with pytest.raises(QueryError, match=r"There is no case `late_event`; did you mean `late_events`\?"):
        find_cases(["late_event"])


def test_the_digest_is_of_what_is_injected(tmp_path):
    """Words may change, numbers may not; a key that is removed counts too."""
    first = load_case(written(tmp_path, GOOD)).digest
    assert load_case(written(tmp_path, GOOD.replace("Wait.", "Wait longer."))).digest == first
    assert load_case(written(tmp_path, GOOD.replace("20%", "21%"))).digest != first
    assert load_case(written(tmp_path, GOOD.replace("failover: false", "failover: null"))).digest != first
    assert len({case.digest for case in shipped_cases()}) == len(NAMES)


def test_the_schema_takes_what_the_reader_takes():
    """Every shipped case is valid, and a slip of the pen is not."""
    schema = json_schema()
    jsonschema.Draft202012Validator.check_schema(schema)
    judge = jsonschema.Draft202012Validator(schema)
    for case in shipped_cases():
        judge.validate(plain_of(case.path.read_text()))
    judge.validate(plain_of(GOOD))
    for old, new in (("moral", "morale"), ("failover", "failovers"), ("kind: late", "kind: later"), ("20%", "20 pc")):
        assert not judge.is_valid(plain_of(GOOD.replace(old, new, 1))), new


def plain_of(text: str) -> Any:
    """A file's values as an editor sees them: fractions are floats."""
    from decimal import Decimal

    def seen(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: seen(item) for key, item in value.items()}
        if isinstance(value, list):
            return [seen(item) for item in value]
        return float(value) if isinstance(value, Decimal) else value

    return seen(plain(parse(text.encode(), "case.yaml")))
