"""The command line: `billing-sim`, or `python -m billing_sim`.

Each command is a small file that imports what it needs when it runs, so that `--help` answers at once.
"""

from __future__ import annotations

from billing_sim.errors import EXIT_BAD_INPUT, EXIT_INTERRUPTED, NO_ROOM, BillingSimError
from billing_sim.quick_start import exit_at_once, hurry


def program() -> None:
    """`main` as a process of its own."""
    exit_at_once(main)


def main() -> None:
    """Run the command that the arguments name and exit with its code."""
    hurry()
    try:
        from billing_sim.cli.app import app
        from billing_sim.cli.output import complain, give_up_output, survive_any_console

        survive_any_console()
        try:
            app(prog_name="billing-sim")
        except BillingSimError as error:
            complain(str(error))
            raise SystemExit(error.exit_code) from None
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            give_up_output()
            complain(f"There is no space left to write to{f': {error.filename}' if error.filename else ''}.")
            raise SystemExit(EXIT_BAD_INPUT) from None
        except RuntimeError as error:
            # DuckDB says so when an interrupt falls into one of its queries.
            if str(error) == "Query interrupted":
                raise SystemExit(EXIT_INTERRUPTED) from None
            raise
    except KeyboardInterrupt:
        raise SystemExit(EXIT_INTERRUPTED) from None
