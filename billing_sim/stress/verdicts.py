"""What a definition is worth in one case, by rule: the metric's change D against the truth's change T.

Each verdict is a claim of several parts, and it is given when every part passes a one-sided test at 5 %. The p of the
claim is the largest of its parts' (intersection-union: Berger and Hsu, 1996, "Bioequivalence trials"), which needs no
correction. The claim names its directions; whoever asks only whether anything moved looks at both sides and errs up to
twice as often, where the margin is small beside the noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

from billing_sim.stress.changes import Changes, too_many_lack
from billing_sim.stress.ratio import Ratio, fieller
from billing_sim.stress.statistics import Mean, mean_of

LEAST, MOST = 2 / 3, 3 / 2
"""The ratios of D to T between which a metric counts as telling the truth's size."""

Accusation = Literal["blind", "wrong sign", "false alarm", "exaggerates", "understates", "stale", "late"]
Name = Literal["holds", Accusation, "unresolved"]
ADVERSE: tuple[Accusation, ...] = get_args(Accusation)


@dataclass(frozen=True)
class Verdict:
    """The verdict of one definition in one case.

    `metric` and `truth` are the mean changes over the seeds that have both, with 90 % intervals; `ratio` is D / T where
    units agree and T is not 0 throughout; `p` is that of the claim for a number of seeds fixed beforehand, None for an
    unresolved one. `was` is the verdict before a later step changed it, `reason` why it is unresolved or was changed.
    """

    name: Name
    metric: Mean
    truth: Mean
    ratio: Ratio | None
    p: float | None
    seeds: int
    missing: int = 0
    reason: str = ""
    was: Name | None = None
    misstates: float | None = None
    """The p of "D and T differ by more than the margin", where units agree: what is controlled over a matrix."""

    @property
    def is_adverse(self) -> bool:
        """Whether it accuses the definition."""
        return self.name in ADVERSE

    @property
    def has_gaps(self) -> bool:
        """Whether too many seeds lack a value to judge by the others."""
        return too_many_lack(self.missing, self.missing + self.seeds)

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON; an end that is infinite is None."""
        return {
            "verdict": self.name, "was": self.was, "reason": self.reason,
            "metric_change": _plain(self.metric.value), "truth_change": _plain(self.truth.value),
            "intervals": {
                "metric": [_plain(self.metric.low), _plain(self.metric.high)],
                "truth": [_plain(self.truth.low), _plain(self.truth.high)],
                "ratio": None if self.ratio is None else [_plain(self.ratio.low), _plain(self.ratio.high)],
                "ratio_shape": None if self.ratio is None else self.ratio.shape,
            },
            "p": self.p, "p_misstates": self.misstates, "seeds": self.seeds, "missing": self.missing,
        }  # fmt: skip


def judge(changes: Changes) -> Verdict:
    """The verdict on one definition in one case."""
    d, t = changes.pairs
    metric, truth = mean_of(d), mean_of(t)
    ratio = fieller(d, t) if changes.is_same_unit else None
    name, reason = _ruled(changes, metric, truth, ratio)
    p = None if name == "unresolved" else _p_of(name, changes, metric, truth)
    misstates = _p_misstates(changes) if changes.is_same_unit and changes.seeds > 1 else None
    return Verdict(name, metric, truth, ratio, p, changes.seeds, changes.missing, reason, misstates=misstates)


def with_complete(verdict: Verdict, complete: Changes) -> Verdict:
    """An adverse verdict is *stale* where the same metric holds with derived maturity and complete data.

    The claim then has two parts, the accusation now and that it holds later, and its p is the larger of both. That it
    misstates is as certain as before: what may happen later excuses nothing now.
    """
    later = judge(complete)
    if not verdict.is_adverse or verdict.was is not None or later.name != "holds":
        return verdict
    reason = f"reads {verdict.name} until its data are complete"
    return replace(verdict, name="stale", p=p_of_all(verdict.p, later.p), was=verdict.name, reason=reason)


def p_of_all(*parts: float | None) -> float | None:
    """The p of a claim whose parts have these; None where a part has none."""
    known = [p for p in parts if p is not None]
    return max(known) if len(known) == len(parts) else None


def _ruled(changes: Changes, metric: Mean, truth: Mean, ratio: Ratio | None) -> tuple[Name, str]:
    """The table of verdicts, and a reason for what it leaves open."""
    if too_many_lack(changes.missing, len(changes.metric)):
        return "unresolved", f"no value in {changes.missing} of {len(changes.metric)} seeds"
    if changes.seeds < 2:
        return "unresolved", "fewer than two seeds"
    d, t = metric.move(changes.metric_margin), truth.move(changes.truth_margin)
    if "unresolved" in (d, t):
        return "unresolved", f"{_open(d, t)} may be more or less than the margin"
    if t == "still":
        return ("holds", "") if d == "still" else ("false alarm", "")
    if d != t:
        return ("blind", "") if d == "still" else ("wrong sign", "")
    return _sized(ratio) if changes.is_same_unit else ("holds", "")


def _open(d: str, t: str) -> str:
    whose = " and ".join(word for word, move in (("metric", d), ("truth", t)) if move == "unresolved")
    return f"the change of {whose}"


def _sized(ratio: Ratio | None) -> tuple[Name, str]:
    """Both moved the same way: by the same size?"""
    if ratio is None or ratio.lies_within(LEAST, MOST):
        return "holds", ""
    if ratio.lies_above(MOST):
        return "exaggerates", ""
    if ratio.lies_below(LEAST):
        return "understates", ""
    return "unresolved", "the ratio of both changes may be in or out of its bounds"


def _p_of(name: Name, changes: Changes, metric: Mean, truth: Mean) -> float:
    """The largest p of the parts of a claim."""
    d_margin, t_margin = changes.metric_margin, changes.truth_margin
    is_still = truth.move(t_margin) == "still"
    t = truth.p_still(t_margin) if is_still else truth.p_moves(t_margin)
    if name in ("blind", "false alarm") or is_still:
        return max(t, metric.p_moves(d_margin) if name == "false alarm" else metric.p_still(d_margin))
    return max(t, metric.p_moves(d_margin), *(_p_of_size(name, changes) if changes.is_same_unit else ()))


def _p_of_size(name: Name, changes: Changes) -> tuple[float, ...]:
    """The tests of D / T against its bounds, as Fieller's: of D - r T against 0, on the side to which T moves."""
    d, t = changes.pairs
    way = math.copysign(1.0, float(t.mean()))
    if name == "exaggerates":
        return (mean_of(way * (d - MOST * t)).p_above(0),)
    if name == "understates":
        return (mean_of(way * (LEAST * t - d)).p_above(0),)
    if name == "holds":
        return mean_of(way * (d - LEAST * t)).p_above(0), mean_of(way * (MOST * t - d)).p_above(0)
    return ()


def _p_misstates(changes: Changes) -> float:
    """Against "D and T differ by no more than the margin", on either side."""
    d, t = changes.pairs
    off, margin = mean_of(d - t), max(changes.metric_margin, changes.truth_margin)
    return min(1.0, 2 * off.p_moves(margin))


def _plain(value: float) -> float | None:
    return value if math.isfinite(value) else None
