"""`billing-sim museum`: metrics that misled people in public: the wrong query, the right one and the error."""

from __future__ import annotations

from typing import Annotated

import typer

from billing_sim.cli.output import Plain, complain, say, say_json, terminal

EXAMPLE = "Example:  billing-sim museum silent_dunning_churn"


def museum(
    name: Annotated[str, typer.Argument(metavar="EXHIBIT", help="Tell this one's story.", show_default=False)] = "",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Say nothing of what takes a while.")] = False,
    form: Annotated[Plain, typer.Option("--format", help="How to print them.")] = Plain.TABLE,
) -> None:
    """Show metrics that misled people in public: the wrong query, the right one, and the size of the error.

    Every query is run on a small world that is simulated for it, in which the truth is known.
    """
    from billing_sim.museum.exhibit import exhibit, exhibits
    from billing_sim.museum.render import as_values, listed, told
    from billing_sim.museum.showing import show

    wanted = [exhibit(name)] if name else exhibits()
    if not quiet:
        _announce()
    shown = show(wanted)
    if form is Plain.JSON:
        say_json(as_values(shown[0]) if name else {it.exhibit.name: as_values(it) for it in shown})
    else:
        width = terminal().width
        say(told(shown[0], width) if name else listed(shown, width))


def _announce() -> None:
    from billing_sim.cli.progress import announce_compiling

    announce_compiling()
    complain("Simulating the museum's world: about 10 seconds.")
