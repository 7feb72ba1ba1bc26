"""What a scenario says must come out: looked at after a run, printed, and an exit code of 1 where it does not."""

from __future__ import annotations

import json
import shutil

import pytest

from billing_sim.errors import InputError
from billing_sim.expectations import Finding, findings, read_expectations
from billing_sim.metrics.catalogue import shipped
from billing_sim.scenario.expectations import Expectation
from tests.cli_caller import in_a_process
from tests.conftest import SCENARIOS

BASE = "extends: first_month.yaml\nname: expecting\nmembers: 150\nexpect:\n"
HOLDS = """
  - {metric: first_attempt_success_rate, at_least: 50%, at_most: 100%, says: Most renewals are paid at once}
  - {count: invoice.issued, at_least: 150}
"""
FAILS = "  - {metric: first_attempt_success_rate, segment: {plan: premium}, period: 2025-01, at_least: 100%}\n"


@pytest.fixture
def file(tmp_path):
    """Writes a scenario with these expectations."""

    def write(text: str):
        path = tmp_path / "expecting.yaml"
        shutil.copy(SCENARIOS / "first_month.yaml", tmp_path)
        path.write_text(BASE + text, encoding="utf-8")
        return path

    return write


def run(file, tmp_path, *options: str):
    return in_a_process("run", str(file), "--out", str(tmp_path / "run"), "--no-views", "--workers", "1", *options)


def test_what_comes_out_is_printed_and_the_run_succeeds(file, tmp_path):
    """The words of the scenario, the bounds, the value, ok."""
    done = run(file(HOLDS), tmp_path)
    assert done.code == 0
    lines = [line.split() for line in done.out.splitlines() if line.rstrip().endswith("ok")]
    assert [line[0] for line in lines] == ["Most", "invoice.issued"]
    assert "50.00 % to 100.00 %" in done.out


def test_what_does_not_come_out_fails_the_command(file, tmp_path):
    """Exit 1, and a sentence with what was expected and found, also where only JSON is printed."""
    done = run(file(HOLDS + FAILS), tmp_path, "--format", "json")
    told = json.loads(done.out)["expectations"]
    assert (done.code, [it["holds"] for it in told]) == (1, [True, True, False])
    assert "Expected first_attempt_success_rate plan premium, 2025-01 at least 100.00 %; it came to" in done.err


def test_with_other_members_nothing_is_expected(file, tmp_path):
    """Bounds are about the scenario as it is written."""
    done = run(file(FAILS), tmp_path, "--members", "20")
    assert done.code == 0
    assert "must come out" not in done.out


def test_a_difference_between_two_places_can_be_bounded(file, tiny_run):
    """A value minus that of another month; what is undefined fails, and says why."""
    text = "  - {metric: payments_due, minus: {period: 2025-01}, period: 2025-01, at_least: 0, at_most: 0}\n"
    text = text.replace("payments_due", "first_attempt_success_rate")
    missing = (
        "  - {metric: first_attempt_success_rate, segment: {method: carrier_partner}, period: 2025-01, at_least: 0}\n"
    )
    found = findings(read_expectations(file(text + missing)), tiny_run.known_at(None), {})
    assert (found[0].value, found[0].holds, found[0].found) == (0.0, True, "0 pp")
    assert found[1].holds or "undefined" in found[1].found


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("  - {at_least: 1}\n", "neither metric nor count"),
        ("  - {metric: churn, count: invoice.issued, at_least: 1}\n", "both metric and count"),
        ("  - {count: invoice.isued, at_least: 1}\n", "there is no event invoice.isued"),
        ("  - {count: invoice.issued}\n", "no bound"),
        ("  - {count: invoice.issued, period: 2025-01, at_least: 1}\n", "events are counted in the whole run"),
        ("  - {metric: first_atempt_success_rate, at_least: 1%}\n", "first_atempt_success"),
        ("  - {metric: first_attempt_success_rate, segment: {market: UK}, at_least: 1%}\n", "UK"),
        ("  - {metric: first_attempt_success_rate, segment: {colour: red}, at_least: 1%}\n", "colour"),
        ("  - {metric: first_attempt_success_rate, segment: {gateway: northpaay}, at_least: 1%}\n", "northpay"),
        ("  - {metric: first_attempt_success_rate, segment: {region: MARS}, at_least: 1%}\n", "MARS"),
        ("  - {metric: first_attempt_success_rate, at_least: 97}\n", "would be 9,700 % of a share"),
        ("  - {metric: first_attempt_success_rate, at_most: 1.9}\n", "Write 1.9%"),
        ("  - {metric: holds_per_1000_renewals, at_most: 5%}\n", "Write 50 for 50 ‰"),
        ("  - {metric: collected, at_least: -100%}\n", "an amount of money"),
        ("  - {metric: first_attempt_success_rate, at_least: 60%, at_most: 50%}\n", "above at_most"),
        ("  - {metric: first_attempt_success_rate, period: 2031-01, at_least: 1%}\n", "2031-01 is no month of the run"),
        ("  - {metric: churn, minus: {period: 2024-12}, period: 2025-01, at_least: 1%}\n", "2024-12 is no month"),
        ("  - {count: notice.sent, at_least: 0.5}\n", "0.5 is no number of events"),
        ("  - {count: notice.sent, at_most: -1}\n", "-1 is no number of events"),
        ("  - {count: notice.sent, at_least: 9, at_most: 5}\n", "above at_most"),
    ],
)
def test_what_cannot_be_expected_is_refused_with_its_line(file, text, complaint):
    """Each mistake is found before anything runs."""
    with pytest.raises(InputError) as caught:
        read_expectations(file(text))
    assert complaint in str(caught.value)
    assert f"expecting.yaml:{BASE.count(chr(10)) + 1}:" in str(caught.value)


def test_who_extends_a_story_says_what_comes_of_it(tmp_path):
    """What the file below expects is about its own run."""
    shutil.copy(SCENARIOS / "first_month.yaml", tmp_path)
    path = tmp_path / "other.yaml"
    path.write_text("extends: first_month.yaml\nname: other\n", encoding="utf-8")
    assert read_expectations(tmp_path / "first_month.yaml")
    assert read_expectations(path) == ()


def test_why_a_value_is_missing_is_in_the_plain_values(tmp_path):
    """A reader of JSON has no other place to learn it from."""
    bound = Expectation(metric="churn", at_least="1%")
    assert Finding(bound, None, shipped()["churn"], "nothing happened there").as_dict()["reason"] == (
        "nothing happened there"
    )
    assert Finding(bound, None, shipped()["churn"]).as_dict()["reason"] == "nothing to divide by"
    assert Finding(bound, 0.5, shipped()["churn"]).as_dict()["reason"] == ""


def test_what_cannot_be_expected_is_told_before_anything_is_simulated(file, tmp_path):
    """No folder is made for it."""
    done = run(file("  - {count: notice.sent, at_least: 0.5}\n"), tmp_path)
    assert done.code == 2
    assert not (tmp_path / "run").exists()
