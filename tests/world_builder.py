"""Small worlds for tests: a scenario as text, the lives in it, and their log as people read it.

`QUIET` is a world in which nothing ever goes wrong and nobody leaves: a story changes the few keys that it is about,
so that its ending is certain. `BUSY` is one in which everything happens: every method, every intervention, every kind
of event. Everything here goes straight from the scenario to the rows, without a run directory.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from functools import cache, cached_property
from itertools import pairwise
from pathlib import Path

import numpy as np

from billing_sim import clock, declines, events, people
from billing_sim.drivers import batch, simpy_driver
from billing_sim.events import KIND_NAMES, REASONS, ROW, TRUTH_ROW
from billing_sim.runs.digest import ShardDigest, combine
from billing_sim.scenario import load
from billing_sim.world.compile import CompiledWorld, compile_world

SCENARIOS = Path(__file__).parent.parent / "scenarios"
DRIVERS = {"batch": batch.lives, "simpy": simpy_driver.lives}

QUIET = """
name: quiet
start: 2025-01-01
end: 2026-01-01
members: 64
plans: {standard: {name: Standard}}
gateways:
  northpay: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}
  harborpay: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}
  partner: {latency: {p50: 0 seconds, p95: 0 seconds, p99: 0 seconds}, timeout: 0%}
routing: [{use: {northpay: 100%}}]
failover: false
account_updater: off
billing_hours: [3, 4]
recording_delay: {p50: 0 seconds, p99: 0 seconds, max: 0 seconds}
decline_codes:
  expired: {"54": 100%, "05": null, "14": null}
  replaced: {"41": 100%, "43": null, "05": null}
  closed: {"46": 100%, "05": null, "14": null}
  funds: {"51": 100%, "05": null}
  suspicion: {"59": 100%, "05": null}
  restricted: {"57": 100%, "05": null, "62": null}
  technical: {"91": 100%, "05": null, "96": null}
  outage: {"96": 100%, "91": null}
  bank_stop: {"R0": 100%, "R1": null, "R3": null}
  funds@direct_debit: {"AM04": 100%, "MS02": null}
dunning_policies:
  steady:
    retries: [1 day, 3 days, 5 days, 7 days]
    notices: [1 hour, 4 days]
    grace: 6 days
    end: 10 days
dunning: [{use: steady}]
network_rules: {never_retry: ["41", "46"], max_attempts: 100, window: 30 days}
issuer_memory: {declines: 1000, window: 24 hours}
markets:
  US:
    name: United States
    region: UCAN
    currency: USD
    time_zone: America/New_York
    locale: en_US
    members: 100%
    tax: {rate: 0%, included: false}
    prices: {standard: 10.00 USD}
    plan_mix: {standard: 100%}
    signups: {per_month: 0%}
    behaviour:
      method_mix: {credit: 100%}
      first_attempt_failure: {credit: 0%, debit: 0%, prepaid: 0%, wallet: 0%, direct_debit: 0%, gift_balance: 0%}
      backup_method: 0%
      network_tokens: 0%
      account_updater_coverage: 100%
      expiry_years: [10]
      lost_or_stolen: 0% per month
      closed: 0% per month
      paydays: [{days_of_month: [1], share: 100%}]
      attention: 0%
      attention_on_hold: 0%
      unreachable: 0%
      has_other_means: 0%
      signup_first_payment_failure: 0%
      signup_try_again: 0%
      voluntary_churn: 0% per month
      tenure_mix: {months_1_3: 0%, months_4_12: 0%, year_2: 100%, year_3: 0%, year_4_on: 0%}
      inert_members: 0%
      inert_instead_of_leaving: 0%
      inert_wakes: 0% per month
      cancel_in_trouble: 0%
      inert_cancel_in_trouble: 0%
      bank_stop: {credit: 0%, direct_debit: 0%}
      win_back:
        voluntary: {month_1: 0%, month_6: 0%, month_12: 0%}
        involuntary: {month_1: 0%, month_6: 0%, month_12: 0%}
      former_members: 0%
"""

BUSY = """
name: busy
start: 2025-01-15
end: 2025-06-01
members: 700
plans: {standard: {name: Standard}, yearly: {name: Yearly, interval: year}}
gateways:
  northpay: {timeout: 3%}
  harborpay: {timeout: 1%}
routing: [{use: {northpay: 60%, harborpay: 40%}}, {market: [BR], use: {harborpay: 70%, partner: 30%}}]
dunning_policies:
  short: {retries: [5 min, 2 days, 4 days], notices: [0 hours, 2 days], grace: 3 days, end: 6 days, retry_hour: 9}
dunning: [{use: netflix_like}, {method: [direct_debit], use: direct_debit}, {market: [BR], decline: [hard], use: short}]
timeline:
  - {kind: gateway_outage, at: 2025-02-10 04:00, gateway: northpay, duration: 9 hours, failing: 80%}
  - {kind: gateway_outage, at: 2025-02-10 08:00, gateway: harborpay, duration: 2 days, failing: 40%}
  - {kind: price_change, at: 2025-02-01, market: [GB], prices: {standard: 14.99 GBP}, notice: 20 days,
     added_churn: {points: 3%, months: 2}}
  - {kind: price_change, at: 2025-03-01, market: [IN], prices: {standard: 249 INR, yearly: 2490 INR}}
  - {kind: dunning_switch, at: 2025-03-10, dunning: [{use: generic}, {market: [US], use: short}]}
  - {kind: account_updater, at: 2025-03-01, switched: "off"}
  - {kind: account_updater, at: 2025-04-01, market: [US, GB], switched: "on"}
  - {kind: signup_surge, at: 2025-04-05 06:00, duration: 3 days, increase: 150%}
  - {kind: signup_surge, at: 2025-05-01, market: [BR], duration: 5 days, increase: -60%}
markets:
  US: {name: United States, region: UCAN, currency: USD, time_zone: America/New_York, locale: en_US, members: 40%,
       tax: {rate: 7%, included: false}, prices: {standard: 15.49 USD, yearly: 154.90 USD},
       plan_mix: {standard: 80%, yearly: 20%}, behaviour: {first_attempt_failure: {credit: 9%, debit: 15%}}}
  GB: {name: United Kingdom, region: EMEA, currency: GBP, time_zone: Europe/London, locale: en_GB, members: 25%,
       tax: {rate: 20%, included: true}, prices: {standard: 10.99 GBP}, plan_mix: {standard: 100%},
       behaviour: {method_mix: {direct_debit: 60%, debit: 30%, wallet: 10%},
                   first_attempt_failure: {direct_debit: 20%}}}
  IN: {name: India, region: APAC, currency: INR, time_zone: Asia/Kolkata, locale: en_IN, members: 20%,
       tax: {rate: 18%, included: true}, prices: {standard: 199 INR, yearly: 1990 INR},
       plan_mix: {standard: 70%, yearly: 30%}}
  BR: {name: Brazil, region: LATAM, currency: BRL, time_zone: America/Sao_Paulo, locale: pt_BR, members: 15%,
       tax: {rate: 10%, included: true}, prices: {standard: 39.90 BRL}, plan_mix: {standard: 100%},
       behaviour: {signup_first_payment_failure: 40%}}
market_defaults: {signups: {per_month: 12%}}
"""


@dataclass(frozen=True)
class Log:
    """All that happened in a world: rows and sealed truths of every shard, in the order of subscribers."""

    world: CompiledWorld
    rows: np.ndarray
    truths: np.ndarray

    @cached_property
    def subscribers(self) -> list[int]:
        """Everybody who left a row."""
        return list(self._places)

    @cached_property
    def _places(self) -> dict[int, slice]:
        return _slices(self.rows["subscriber"])

    @cached_property
    def _truth_places(self) -> dict[int, slice]:
        return _slices(self.truths["subscriber"])

    def of(self, subscriber: int) -> np.ndarray:
        """The rows of one person."""
        return self.rows[self._places.get(subscriber, slice(0, 0))]

    def truth_of(self, subscriber: int) -> np.ndarray:
        """The sealed truths about one person."""
        return self.truths[self._truth_places.get(subscriber, slice(0, 0))]

    def lives(self) -> Iterator[tuple[int, np.ndarray]]:
        """Everybody with their rows."""
        for subscriber, place in self._places.items():
            yield subscriber, self.rows[place]

    def find(self, fits: Callable[[np.ndarray], object]) -> int:
        """The first person whose rows fit."""
        found = next((subscriber for subscriber, rows in self.lives() if fits(rows)), None)
        assert found is not None, "nobody in this world lives the story"
        return found

    def local(self, instant: int, market: str = "") -> datetime:
        """The local time of an instant, in the only market or the one named."""
        zone = self.world.scenario.markets[market or self.world.markets[0]].time_zone
        return clock.moment_of(int(instant)).astimezone(clock.zone(zone))

    def member(self, anchor: int) -> int:
        """The first member of the base who is billed on this day of the month."""
        return self.find(lambda rows: rows["kind"][0] == events.SUBSCRIPTION_IMPORTED and born(rows).day == anchor)

    def story(self, subscriber: int, since: str = "", until: str = "9999") -> list[str]:
        """A life, or a part of it, as lines of local date, kind, and the code, initiator and reason that qualify it."""
        lines = [self.line(row) for row in self.of(subscriber)]
        return [line for line in lines if since <= line < until]

    def line(self, row: np.void) -> str:
        """One event: "2025-01-31 payment_attempt.declined mit 51"."""
        market = people.describe(int(row["subscriber"])).partition("-")[0]
        words = [f"{self.local(row['occurred_at'], market):%Y-%m-%d}", KIND_NAMES[int(row["kind"])]]
        if row["initiator"]:
            words.append(events.INITIATORS[row["initiator"]])
        if row["code"]:
            words.append(declines.CODES[row["code"]].code)
        if row["reason"]:
            words.append(REASONS[row["reason"]])
        return " ".join(words)

    def secrets(self, subscriber: int) -> list[str]:
        """The sealed truth about a life: what began, what was wished, why attempts failed."""
        kinds = {kind.number: kind.name for kind in events.TRUTH}
        lines = []
        for row in self.truth_of(subscriber):
            words = [f"{self.local(row['occurred_at']):%Y-%m-%d}", kinds[int(row["kind"])]]
            if row["cause"]:
                words.append(declines.CAUSES[row["cause"]][0])
            if row["kind"] in (events.INTENT_CHANGED, events.LOSS_JUDGED):
                words.append(events.INTENTS[row["intent"]])
            if row["kind"] == events.LOSS_JUDGED:
                words.append("able" if row["able"] else "unable")
            lines.append(" ".join(words))
        return lines


def _slices(subscribers: np.ndarray) -> dict[int, slice]:
    if not len(subscribers):
        return {}
    edges = [0, *(np.flatnonzero(np.diff(subscribers)) + 1).tolist(), len(subscribers)]
    return {int(subscribers[a]): slice(a, b) for a, b in pairwise(edges)}


@cache
def world_of(text: str, base: str = QUIET, members: int | None = None, seed: int | None = None) -> CompiledWorld:
    """The world of a scenario text laid over a base text, as `extends:` does it."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "base.yaml").write_text(base)
        story = Path(folder, "story.yaml")
        story.write_text(f"extends: base.yaml\n{text}")
        return compile_world(load(story, members=members, seed=seed).scenario)


@cache
def world_of_file(name: str, members: int | None = None, seed: int | None = None) -> CompiledWorld:
    """The world of a shipped scenario."""
    return compile_world(load(SCENARIOS / name, members=members, seed=seed).scenario)


def log_of(world: CompiledWorld, driver: str = "batch") -> Log:
    """Simulate everybody."""
    rows, truths = [np.zeros(0, ROW)], [np.zeros(0, TRUTH_ROW)]
    for shard in range(people.SHARDS):
        for block in DRIVERS[driver](world, shard):
            rows.append(block.rows.copy())
            truths.append(block.truths.copy())
    return Log(world, _ordered(rows), _ordered(truths))


def _ordered(pieces: list[np.ndarray]) -> np.ndarray:
    found = np.concatenate(pieces)
    return found[np.argsort(found["subscriber"], kind="stable")]


@cache
def happened(text: str = "", base: str = QUIET) -> Log:
    """The log of a scenario text laid over a base text, simulated once."""
    return log_of(world_of(text, base))


def digests(world: CompiledWorld, driver: str = "batch") -> tuple[str, str]:
    """Digests of all rows and of all truths, as a run has them but for the world events."""
    rows, truths = [], []
    for shard in range(people.SHARDS):
        row_digest, truth_digest = ShardDigest(), ShardDigest()
        for block in DRIVERS[driver](world, shard):
            row_digest.update(block.rows)
            truth_digest.update(block.truths)
        rows.append(row_digest.hexdigest())
        truths.append(truth_digest.hexdigest())
    return combine(rows), combine(truths)


def behaviour(**values: str) -> str:
    """A story that only changes how the people of the quiet world behave."""
    lines = "".join(f"      {key}: {value}\n" for key, value in values.items())
    return f"markets:\n  US:\n    behaviour:\n{lines}"


def expected(text: str) -> list[str]:
    """The lines of a story as it is written in a test."""
    return [" ".join(line.split()) for line in text.strip().splitlines()]


def born(rows: np.ndarray) -> date:
    """The day on which a person of the base joined."""
    return clock.date_of(int(rows["period_start"][0]))


def kinds_of(rows: np.ndarray) -> list[str]:
    """Their kinds, in order."""
    return [KIND_NAMES[int(kind)] for kind in rows["kind"]]
