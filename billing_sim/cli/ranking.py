"""`billing-sim dunning`: which dunning policy does best on the invoices that fail in a scenario."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from billing_sim.cli.output import Format, say, say_json, terminal

EXAMPLE = "Example:  billing-sim dunning scenarios/first_month.yaml --presets all"


def dunning(
    scenario: Annotated[Path, typer.Argument(metavar="SCENARIO", help="The scenario file.", show_default=False)],
    presets: Annotated[
        str | None, typer.Option(metavar="all|none|NAME,…", help="Shipped policies; all, unless --policy is given.")
    ] = None,
    policies: Annotated[
        list[str],
        typer.Option(
            "--policy", metavar="FILE|NAME", help="A file or scenario with policies, or one by name; repeatable."
        ),
    ] = [],  # noqa: B006
    members: Annotated[int | None, typer.Option(metavar="N", min=1, help="Another number of members.")] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", min=0, help="The first seed.")] = None,
    seeds: Annotated[int, typer.Option(metavar="N", min=1, help="In how many worlds invoices fail.")] = 1,
    oracle_days: Annotated[
        int, typer.Option(metavar="N", min=1, max=90, help="How far ahead the best single retry is looked for.")
    ] = 30,
    attempt_cost: Annotated[
        str | None,
        typer.Option(metavar="AMOUNT", help="Cost of an attempt in the reporting currency; 0.05 USD assumed."),
    ] = None,
    notice_cost: Annotated[
        str | None, typer.Option(metavar="AMOUNT", help="Cost of a notice in that currency; 0.01 USD assumed.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,
    form: Annotated[Format, typer.Option("--format", help="How to print the result.")] = Format.TABLE,
) -> None:
    """Rank dunning policies on the same failed invoices.

    Whenever an invoice fails for the first time, the very same person lives on under every policy, until the invoice
    is paid for good or given up. Policies are ranked by the money that they collect less what they cost, and measured
    against an oracle: the best single retry that there was.
    """
    from billing_sim.cli.progress import announce_compiling, counting
    from billing_sim.dunning_ranking.asking import dunning as ranked

    announce_compiling(quiet)
    with counting("people", quiet) as report:
        found = ranked(
            scenario, presets=presets, policies=policies, members=members, seed=seed, seeds=seeds,
            oracle_days=oracle_days, attempt_cost=attempt_cost, notice_cost=notice_cost, report=report,
        )  # fmt: skip
    if form is Format.JSON:
        say_json(found.to_json())
    elif form is Format.CSV:
        say(found.to_csv().rstrip("\n"))
    else:
        from billing_sim.dunning_ranking.render import text

        say(text(found, terminal().width))
