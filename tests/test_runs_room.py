"""A run that cannot fit is refused before it begins, and the figures behind that are those of real runs."""

from __future__ import annotations

from datetime import date

import pytest

import billing_sim
from billing_sim.errors import RunError
from billing_sim.runs import room
from billing_sim.runs.room import check_disk, expected_bytes
from tests.conftest import SCENARIOS


@pytest.mark.parametrize("log", ["all", "none"])
def test_what_is_expected_is_about_what_a_run_takes(tmp_path, log):
    """Within a factor of two, with and without the log; small runs have their files' heads on top."""
    run = billing_sim.run(SCENARIOS / "streaming.yaml", members=6000, out=tmp_path / "run", log=log)
    identity = run.manifest.identity
    days = (date.fromisoformat(identity.end) - date.fromisoformat(identity.start)).days
    taken = sum(file.stat().st_size for file in run.directory.rglob("*") if file.is_file())
    assert 0.5 < taken / expected_bytes(6000, days, log) < 2


def test_a_run_that_cannot_fit_is_refused_with_what_would(tmp_path, monkeypatch):
    """Nine hundred million members used to begin, and to fill the disk."""
    monkeypatch.setattr(room, "free_bytes", lambda _: 10**9)
    with pytest.raises(RunError, match=r"takes about 3[\d,]+ GB, and 1.0 GB are free there") as refused:
        billing_sim.run(SCENARIOS / "first_month.yaml", members=900_000_000, out=tmp_path / "run")
    assert "--members " in str(refused.value)
    assert not (tmp_path / "run").exists()


def test_only_what_surely_does_not_fit_is_refused(tmp_path):
    """Half of what is expected may do; less does not. Without a log there is less to keep, and less to leave out."""
    needed = int(expected_bytes(1000, 365, "all"))
    check_disk(tmp_path / "a" / "b", 1000, 365, "all", free=needed * 6 // 10)
    with pytest.raises(RunError, match="keep no log"):
        check_disk(tmp_path / "a" / "b", 1000, 365, "all", free=needed * 4 // 10)
    check_disk(tmp_path, 1000, 365, "none", free=needed * 4 // 10)
    with pytest.raises(RunError) as refused:
        check_disk(tmp_path, 1000, 365, "none", free=1000)
    assert "keep no log" not in str(refused.value)
    check_disk(tmp_path / "not" / "there", 10, 10, "1/16")
