"""`billing-sim check`: silence is good news."""

from __future__ import annotations

from billing_sim import check
from tests.cli_caller import call, in_a_process
from tests.conftest import SCENARIOS

__all__ = ["call"]


def test_good_files_are_passed_in_silence():
    """Code 0, nothing on any stream."""
    answer = in_a_process("check", *sorted(SCENARIOS.glob("*.yaml")))
    assert (answer.code, answer.out, answer.err) == (0, "", "")


def test_every_problem_of_every_file_is_printed(call, tmp_path):
    """The same problems as in Python, in the order of the files, once each; code 2."""
    text = (SCENARIOS / "first_month.yaml").read_text()
    good, bad, worse = (tmp_path / f"{name}.yaml" for name in ("good", "bad", "worse"))
    good.write_text(text)
    bad.write_text(text.replace("members: 2000", "members: many"))
    worse.write_text(text.replace("premium: 30%", "premium: 40%").replace("currency: USD", "currency: USX"))
    problems = [*check(bad), *check(worse)]
    assert len(problems) >= 3
    answer = call("check", bad, good, worse, bad)
    assert (answer.code, answer.err) == (2, "")
    assert answer.out == "".join(f"{problem}\n" for problem in problems)


def test_a_missing_file_is_a_problem(call):
    """Not a traceback."""
    answer = call("check", "nowhere.yaml")
    assert (answer.code, answer.err) == (2, "")
    assert answer.out.startswith("nowhere.yaml  There is no such file.")
