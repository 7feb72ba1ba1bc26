"""A run that cannot fit is refused before it begins, and the figures behind that are those of real runs."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

import billing_sim
from billing_sim.errors import RunError
from billing_sim.runs import room
from billing_sim.runs.room import check_disk, free_bytes, least_bytes
from tests.conftest import SCENARIOS

ANNUAL = "plans: {standard: {name: Standard, interval: year}, premium: {name: Premium, interval: year}}\n"


@pytest.mark.parametrize("log", ["all", "none"])
@pytest.mark.parametrize("plans", ["", ANNUAL], ids=["monthly", "annual"])
def test_no_run_takes_less_than_the_least(tmp_path, log, plans):
    """With the whole log and without, where people pay every month and where once a year; nor ten times as much."""
    (tmp_path / "first_month.yaml").write_text((SCENARIOS / "first_month.yaml").read_text())
    story = f"extends: first_month.yaml\nname: small\nend: 2026-01-01\nmembers: 6000\n{plans}"
    (tmp_path / "small.yaml").write_text(story)
    run = billing_sim.run(tmp_path / "small.yaml", out=tmp_path / "run", log=log)
    identity = run.manifest.identity
    days = (date.fromisoformat(identity.end) - date.fromisoformat(identity.start)).days
    taken = sum(file.stat().st_size for file in run.directory.rglob("*") if file.is_file())
    assert least_bytes(6000, days, log) < taken < 10 * least_bytes(6000, days, log)


def test_a_run_that_cannot_fit_is_refused_with_what_would(tmp_path, monkeypatch):
    """Nine hundred million members used to begin, and to fill the disk."""
    monkeypatch.setattr(room, "free_bytes", lambda _: 10**9)
    with pytest.raises(RunError, match=r"takes more than \d+ GB, and 1 GB are free there") as refused:
        billing_sim.run(SCENARIOS / "first_month.yaml", members=900_000_000, out=tmp_path / "run")
    assert "--members " in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_only_what_surely_does_not_fit_is_refused(tmp_path):
    """Just enough will do. Without a log there is less to keep, and less to leave out; of nothing, nothing is left."""
    needed = int(least_bytes(1000, 365, "all")) + 1
    check_disk(tmp_path / "a" / "b", 1000, 365, "all", free=needed)
    with pytest.raises(RunError, match="keep no log"):
        check_disk(tmp_path / "a" / "b", 1000, 365, "all", free=needed - 2)
    check_disk(tmp_path, 1000, 365, "none", free=needed - 2)
    with pytest.raises(RunError) as refused:
        check_disk(tmp_path, 1000, 365, "none", free=0)
    assert "keep no log" not in str(refused.value)
    assert "--members" not in str(refused.value)
    assert "0 bytes are free" in str(refused.value)
    check_disk(tmp_path / "not" / "there", 10, 10, "1/16")


def test_a_name_that_no_disk_can_have_is_left_to_others():
    """Three hundred letters: the system refuses to look, and whoever makes the folder says so."""
    assert free_bytes(Path("/") / ("x" * 300)) is None
