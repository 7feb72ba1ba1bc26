"""What a run is of: what names it, the labels of its scenario, and its world, compiled again from the file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from billing_sim.errors import RunError

if TYPE_CHECKING:
    from billing_sim.drivers.extension import Extension
    from billing_sim.runs.manifest import Identity
    from billing_sim.runs.stored import StoredRun
    from billing_sim.world.compile import CompiledWorld


def identity_of(world: CompiledWorld, extension: Extension | None = None) -> Identity:
    """What names a run: the world, the people, the span and the rules, and nothing of where it is made."""
    from billing_sim.rule import sources_digest
    from billing_sim.runs.manifest import Identity

    scenario = world.scenario
    return Identity(
        scenario.name, world.digest, scenario.seed, world.members,
        scenario.start.isoformat(), scenario.end.isoformat(), sources_digest(),
        extension=extension.digest if extension else "",
    )  # fmt: skip


def vocabularies_of(world: CompiledWorld) -> dict[str, tuple[str, ...]]:
    """The labels that the scenario defines, by number."""
    return {
        "markets": world.markets,
        "regions": world.names.regions,
        "plans": world.names.plans,
        "gateways": world.names.gateways,
        "policies": world.names.policies,
        "coupons": world.names.coupons,
        "campaigns": world.names.campaigns,
        "arms": world.names.arms,
        "bins": world.names.bins,
        "currencies": world.names.currencies,
    }


def world_of(run: StoredRun) -> CompiledWorld:
    """The world of a run, compiled again from its scenario so that its people can live again.

    RunError when this version makes another one of it, and when processes of a user's own took part.
    """
    if run.manifest.extended:
        raise RunError(
            f"{run.directory} is {run.manifest.extended.words}, so its people cannot be simulated again. Views, "
            "metrics, tables, SQL, exports and trace (with --log all, without the truth) work."
        )
    return named_world_of(run)


def named_world_of(run: StoredRun) -> CompiledWorld:
    """The same for who only needs the world and its names, and lets nobody live in it."""
    return _world_of(run.directory, run.scenario_path, run.manifest.identity)


@lru_cache(maxsize=2)
def _world_of(directory: Path, path: Path, identity: Identity) -> CompiledWorld:
    from billing_sim.rule import sources_digest
    from billing_sim.scenario import load
    from billing_sim.world.compile import compile_world

    if identity.rules_digest == sources_digest():
        world = compile_world(load(path, members=identity.members, seed=identity.seed).scenario)
        if world.digest == identity.world_digest:
            return world
        if _has_changed(directory, path):
            raise RunError(
                f"{path} has changed since the run was made, so its people cannot be followed. Put back the file as "
                "it was, or run the scenario again."
            )
    raise RunError(
        f"{directory}: this run was made by another version of billing_sim, whose rules differ, so its people "
        "cannot be followed. Run the scenario again with this version."
    )


def _has_changed(directory: Path, path: Path) -> bool:
    """Whether a file of a run is no longer the one that its manifest knows."""
    from hashlib import sha256

    from billing_sim.runs.manifest import read_manifest

    written = {str(it["path"]): it["sha256"] for it in read_manifest(directory).result.segments}
    return written.get(path.name) != sha256(path.read_bytes()).hexdigest()


def people_in(world: CompiledWorld) -> int:
    """People who ever live: the base, those who left before the start, and everybody still to come."""
    from billing_sim.world.households import borrowers_in

    record = world.record
    people = record.base_count[0].sum() + record.former_count[0].sum()
    borrowers = sum(len(borrowers_in(record[0], m)) for m in range(len(world.markets)))
    return int(people + world.arrivals.sum() + world.bots.sum()) + borrowers
