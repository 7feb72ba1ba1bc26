"""The assumed numbers that nobody has published, how low and how high they may well be, and why."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from billing_sim.calibration.fitting.asking import parameter_from
from billing_sim.calibration.fitting.parameters import change_for, read_like, tree_of, usable_at
from billing_sim.calibration.worlds import Ground

Change = Callable[[Ground], Mapping[str, Any]]


@dataclass(frozen=True)
class Lever:
    """An assumption: what it is in a scenario and what it may be, in words, and what is laid over it for either end."""

    name: str
    base: Callable[[Ground], str]
    low: str
    high: str
    why: str
    lowered: Change
    raised: Change


def _set(values: Mapping[str, float]) -> Change:
    return lambda on: change_for(on, values)


def _scaled_in_mixes(method: str, factor: float) -> Change:
    """The share of a method in every market's mix, times a factor; the other methods give way in proportion."""

    def changed(on: Ground) -> Mapping[str, Any]:
        paths = {
            f"markets.{code}.behaviour.method_mix.{method}": factor * (read_like(mix[method]) or 0.0)
            for code, mix in _mixes(on).items()
            if method in mix
        }
        return change_for(on, paths) if paths else {}

    return changed


def _mixes(on: Ground) -> dict[str, dict[str, Any]]:
    return {code: market["behaviour"]["method_mix"] for code, market in tree_of(on)["markets"].items()}


def _churn(regions: Sequence[str], value: float) -> Change:
    """The voluntary churn of every market of some regions."""

    def changed(on: Ground) -> Mapping[str, Any]:
        markets = tree_of(on)["markets"]
        chosen = [code for code, market in markets.items() if market.get("region") in regions]
        return change_for(on, {f"markets.{code}.behaviour.voluntary_churn": value for code in chosen}) if chosen else {}

    return changed


def _range(of: Callable[[Mapping[str, Any]], Any]) -> Callable[[Ground], str]:
    """What a number of markets is in a scenario: one value, or the lowest and the highest."""

    def said(on: Ground) -> str:
        written = [of(market) for market in tree_of(on)["markets"].values()]
        known = sorted({str(it) for it in written if it is not None}, key=lambda it: read_like(it) or 0.0)
        return " to ".join(dict.fromkeys([known[0], known[-1]])) if known else "not there"

    return said


def _mandates(market: Mapping[str, Any]) -> Any:
    return market["behaviour"]["first_attempt_failure"].get("a2a_emandate") if market.get("region") == "APAC" else None


def _partners(market: Mapping[str, Any]) -> Any:
    return market["behaviour"]["method_mix"].get("carrier_partner")


def _churn_of(market: Mapping[str, Any]) -> Any:
    return market["behaviour"]["voluntary_churn"] if market.get("region") in ("LATAM", "APAC") else None


def _policies(on: Ground) -> str:
    """The policy of whatever has none of its own."""
    return str(tree_of(on)["dunning"][0]["use"])


def _hidden(on: Ground) -> str:
    codes = tree_of(on)["decline_codes"]
    return ", debit ".join(str(codes[cause].get("05", "0%")) for cause in ("funds", "funds@debit"))


def _dunning(policy: str) -> Change:
    """One policy for whatever has none of its own, and no switch of policies later."""

    def changed(on: Ground) -> Mapping[str, Any]:
        kept = [it for it in on.content.get("timeline") or [] if it.get("kind") != "dunning_switch"]
        rules = [{"use": policy}, {"method": ["direct_debit"], "use": "direct_debit"},
                 {"method": ["carrier_partner"], "use": "partner_billed"}]  # fmt: skip
        return {"timeline": kept, "dunning": rules}

    return changed


_HIDDEN = ("decline_codes.funds.05", "decline_codes.funds@debit.05")

LEVERS: tuple[Lever, ...] = (
    Lever(
        "e-mandate failure, APAC", _range(_mandates), "8%", "48%",
        "A product guide says 8 to 15 % (upi_autopay_fail_alt, C), the bank that does best in NPCI's data 48 % "
        "(upi_autopay_fail, A).",
        _set({"regions.APAC.first_attempt_failure.a2a_emandate": 0.08}),
        _set({"regions.APAC.first_attempt_failure.a2a_emandate": 0.48}),
    ),
    Lever(
        "share billed by partners", _range(_partners), "half of it", "twice as much",
        "No mix by method is public for any streaming service; this is its weakest number.",
        _scaled_in_mixes("carrier_partner", 0.5), _scaled_in_mixes("carrier_partner", 2.0),
    ),
    Lever(
        "voluntary churn, LATAM and APAC", _range(_churn_of), "1.5% per month", "3.9% per month",
        "No public total. As EMEA is assumed to be, or half as much again as assumed.",
        _churn(("LATAM", "APAC"), 0.015), _churn(("LATAM", "APAC"), 0.039),
    ),
    Lever(
        "recovery profile", _policies, "generic", "smart",
        "Which schedule a service has is its secret. The three that vendors' figures were matched with.",
        _dunning("generic"), _dunning("smart"),
    ),
    Lever(
        "lack of money hidden in code 05", _hidden, "50%, debit 25%", "90%, debit 75%",
        "Half of 05 is said to be lack of money (visa_dnh_nsf_share, C); what banks hide differs by bank.",
        _set(dict(zip(_HIDDEN, (0.50, 0.25), strict=True))), _set(dict(zip(_HIDDEN, (0.90, 0.75), strict=True))),
    ),
)  # fmt: skip
"""What the sensitivity of the headline metrics is told of when nothing else is asked for."""


def own_lever(on: Ground, text: str) -> Lever:
    """A lever of one's own from a text such as "regions.UCAN.attention=5%..15%".

    QueryError when it is none, or when the scenario cannot be used at one of its ends.
    """
    it = parameter_from(on, text)
    for end in (it.low, it.high):
        usable_at(on, [it], [end])
    return Lever(
        it.path, lambda _: it.written, it.said(it.low), it.said(it.high), "The bounds that were given.",
        _set({it.path: it.low}), _set({it.path: it.high}),
    )  # fmt: skip
