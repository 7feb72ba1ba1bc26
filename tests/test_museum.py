"""The case museum: every exhibit can be seen, is as wrong as it says, and its right query agrees with the truth."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from billing_sim.errors import InputError, QueryError
from billing_sim.metrics.queries import complaints
from billing_sim.museum.exhibit import Exhibit, exhibit, exhibits
from billing_sim.museum.render import listed, steps, told
from billing_sim.museum.showing import Shown, shown
from billing_sim.museum.stage import Stage, stage
from billing_sim.stress.case import find_cases
from tests.cli_caller import call

__all__ = ["call"]

NAMES = [it.name for it in exhibits()]


@pytest.fixture(scope="module")
def world() -> Iterator[Stage]:
    """The museum's world, lived once."""
    with stage() as lived:
        yield lived


@pytest.fixture(scope="module")
def seen(world: Stage) -> dict[str, Shown]:
    """Every exhibit with its numbers."""
    return {it.name: shown(it, world) for it in exhibits()}


@pytest.mark.parametrize("name", NAMES)
def test_the_wrong_query_is_off_the_truth_by_its_margin(seen, name):
    """By more than the exhibit claims, and the claim is more than what the right one is allowed."""
    it = seen[name]
    assert it.error == it.wrong / it.truth - 1
    assert abs(it.error) > it.exhibit.story.margin > it.exhibit.story.tolerance


@pytest.mark.parametrize("name", NAMES)
def test_the_right_query_agrees_with_the_truth(seen, name):
    """As near as the exhibit promises, and by a quarter nearer than the wrong one."""
    it = seen[name]
    assert abs(it.right_error) <= it.exhibit.story.tolerance
    assert abs(it.right_error) < 0.75 * abs(it.error)


def test_the_guide_shows_what_is_shown(seen):
    """To the last digit, so that nobody reads there of another world."""
    guide = (Path(__file__).parent.parent / "docs" / "guides" / "the_case_museum.md").read_text(encoding="utf-8")
    table, _, _ = listed([seen[name] for name in NAMES]).partition("\n\n")
    assert "\n".join(line.rstrip() for line in table.splitlines()) in guide


@pytest.mark.parametrize("name", NAMES)
def test_both_queries_only_read(world, name):
    """They pass the checks that anybody's query passes."""
    it = exhibit(name)
    others = world.others(it.story.tables)
    for file in (it.wrong, it.right):
        assert list(complaints(file.read_text(encoding="utf-8"), others)) == []


def test_a_query_that_writes_is_refused(world, tmp_path):
    """Otherwise the test before would pass whatever an exhibit does."""
    real = exhibit("churn_is_cancellation")
    for name in ("wrong", "right"):
        (tmp_path / f"{name}.sql").write_text("DELETE FROM invoices", encoding="utf-8")
    with pytest.raises(InputError, match="Only one SELECT"):
        shown(Exhibit(real.name, real.story, tmp_path), world)


def test_the_truth_does_not_come_from_the_run(world):
    """It knows what the run cannot: invoices still open at its end are settled in the complete facts."""
    open_at_end = world.truth(
        "SELECT count(*) AS numerator, 1 AS denominator FROM invoices WHERE status = 'open' AND NOT is_signup"
    )
    judged = world.truth("SELECT count(*) AS numerator, 1 AS denominator FROM truths WHERE kind = 'loss.judged'")
    assert (open_at_end, judged > 100) == (0, True)


def test_each_public_failure_has_its_place():
    """Seven of them; each tells its source, and the cases it names are cases of the lab."""
    assert len(NAMES) == 7
    assert {it.story.source.partition("/pull")[0].partition("/issues")[0] for it in exhibits()} >= {
        f"https://github.com/{name}"
        for name in ("formbricks/formbricks", "polarsource/polar", "antiwork/gumroad", "fivetran/dbt_stripe")
    }
    assert all(find_cases([it.story.case]) for it in exhibits() if it.story.case)


def test_an_unknown_exhibit_is_told():
    """With the nearest name."""
    with pytest.raises(QueryError, match="silent_dunning_churn"):
        exhibit("silent_dunning")


def test_the_list_names_every_exhibit(seen):
    """With both readings, the truth, and the size of the error; no line is too long."""
    text = listed([*seen.values()])
    assert all(f"\n{name} " in text for name in NAMES)
    assert max(map(len, text.splitlines())) <= 80
    narrow = listed([*seen.values()], 45)
    assert all(name in narrow for name in NAMES)
    assert max(map(len, narrow.splitlines())) <= 45
    assert "shown from" in narrow


def test_errors_are_shares_of_the_truth(seen):
    """The wrong one's first, the right one's beside it, numbers with what they count."""
    it = replace(seen["billed_month_or_service_period"], wrong=360.0, right=270.0, truth=300.0)
    assert listed([it]).splitlines()[1].split() == [it.exhibit.name, "360", "+20.0", "%", "270", "-10.0", "%", "300",
                                                    "losses"]  # fmt: skip
    assert "wrong  360 losses, +20.0 % off the truth\nright  270 losses, -10.0 % off the truth\n" in told(it)


@pytest.mark.parametrize("name", NAMES)
def test_a_story_has_all_its_parts(seen, name):
    """Story, both queries, readings and truth, moral, and the commands that show it, on a terminal of 80 columns."""
    text = told(seen[name])
    assert max(map(len, text.splitlines())) <= 80
    narrow = (line for line in told(seen[name], 45).splitlines() if "/" not in line)
    assert max(map(len, narrow)) <= 45, "only addresses and paths are not broken"
    for part in ("Source: ", "wrong  ", "right  ", "truth  ", "The wrong query", "The right query", "Moral: "):
        assert part in text
    typed = " ".join(text.replace(" \\\n", " ").split())
    assert all(line in typed for line in steps(exhibit(name)))


def test_the_commands_of_an_exhibit_give_its_readings(seen, call, tmp_path, monkeypatch):
    """Whoever follows the steps sees the same numbers."""
    monkeypatch.chdir(tmp_path)
    readings = []
    for line in steps(exhibit("rolling_total_of_all_accounts")):
        words = line.split()[1:]
        done = call(*words, "--format", "json")
        assert done.code == 0
        if words[0] == "metrics":
            (found,) = json.loads(done.out).values()
            readings.append(found["value"])
    it = seen["rolling_total_of_all_accounts"]
    assert readings == [it.wrong, it.right]


def test_one_exhibit_on_the_command_line(call):
    """As a table it is the story, as JSON it holds both queries and all numbers."""
    done = call("museum", "churn_is_cancellation", "--quiet", "--format", "json")
    found = json.loads(done.out)
    assert done.err == ""
    assert (done.code, found["unit"], set(found["queries"])) == (0, "share", {"wrong", "right"})
    assert found["wrong"] < 0.7 * found["right"]
    assert call("museum", "nothing").code == 2
