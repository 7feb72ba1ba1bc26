"""`python -m billing_sim` is `billing-sim`."""

from billing_sim.cli import program

if __name__ == "__main__":
    program()
