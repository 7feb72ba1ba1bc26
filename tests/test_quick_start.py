"""What a command leaves out when it starts, and that nobody misses it."""

from __future__ import annotations

import subprocess
import sys

import pytest


def said(program: str) -> str:
    """What a fresh interpreter prints."""
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip()


def test_rules_are_loaded_without_linear_algebra():
    """Numba would load it with the first compiled function."""
    assert said("import sys, billing_sim.draws; print('scipy.linalg' in sys.modules)") == "False"


def test_matrices_are_multiplied_as_ever():
    """A user's own compiled functions find linear algebra when they ask for it."""
    program = (
        "import billing_sim.rule, numba, numpy\n"
        "@numba.njit\n"
        "def spread(a, b):\n"
        "    return numpy.correlate(a, b)[0] + numpy.dot(a, b)\n"
        "print(spread(numpy.arange(3.0), numpy.ones(3)))"
    )
    assert said(program) == "6.0"


def test_who_has_scipy_keeps_it():
    """Where it is loaded already it stays, and where it is not it can be afterwards."""
    program = (
        "import sys\n{first}\nimport billing_sim.draws\nimport scipy.linalg\nprint(scipy.linalg.norm([3.0, 4.0]))\n"
    )
    assert said(program.format(first="import scipy.linalg")) == "5.0"
    assert said(program.format(first="")) == "5.0"


def test_a_command_searches_rarely_for_rubbish_and_a_library_as_ever():
    """Only programs of our own are set up so, and what a user has set for linear algebra stays."""
    asked = "import gc, os; print(gc.get_threshold()[0] > 10_000, os.environ.get('OPENBLAS_NUM_THREADS'))"
    hurried = "from billing_sim.quick_start import hurry; hurry(); "
    assert said(hurried + asked) == "True 1"
    assert said("import os; os.environ['OPENBLAS_NUM_THREADS'] = '3'; " + hurried + asked) == "True 3"
    assert said("import gc, billing_sim; print(gc.get_threshold()[0] > 10_000)") == "False"


def ended(last: str) -> subprocess.CompletedProcess[str]:
    """A program of our own that ends so, leaving an object that would say when it is let go."""
    program = (
        "import atexit, sys\nfrom billing_sim.quick_start import exit_at_once\n"
        "class Clinging:\n    def __del__(self):\n        print('let go')\n"
        "clinging = Clinging()\n"
        "def main():\n    atexit.register(print, 'registered')\n    print('done')\n"
        f"    {last}\n"
        "exit_at_once(main)\n"
    )
    return subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("last", "status"), [("sys.exit(3)", 3), ("sys.exit()", 0)])
def test_a_program_ends_without_taking_itself_apart(last, status):
    """What it has printed and what was registered for its end is there, and its status is its own."""
    found = ended(last)
    assert (found.stdout.split(), found.stderr, found.returncode) == (["done", "registered"], "", status)


@pytest.mark.parametrize("last", ["sys.exit('in words')", "raise ValueError('in words')", "return"])
def test_a_program_that_ends_otherwise_ends_as_any_other(last):
    """Python says what is wrong, and takes everything apart."""
    found = ended(last)
    assert found.stdout.split() == ["done", "registered", "let", "go"]
    assert found.returncode == (0 if last == "return" else 1)
    assert ("in words" in found.stderr) == (last != "return")


def test_loading_a_rule_needs_nothing_that_compilers_know():
    """Numba would read its own implementations of arrays, strings and dictionaries first."""
    there = "print('numba.np.arraymath' in sys.modules)"
    assert said(f"import sys, billing_sim.drivers.kernel; {there}") == "False"
    other = "import numba; print(numba.njit(lambda a: a.sum())(billing_sim.draws.np.ones(3)))"
    assert said(f"import sys, billing_sim.drivers.kernel, billing_sim.draws; {other}; {there}") == "3.0\nTrue"


def test_views_are_told_without_pandas(tmp_path):
    """Nobody has asked for a frame; some facts have no rows here."""
    program = (
        "import sys, billing_sim\n"
        f"run = billing_sim.run('scenarios/first_month.yaml', members=200, out={str(tmp_path / 'run')!r})\n"
        "print(len(str(run.views())) > 1000, 'pandas' in sys.modules)"
    )
    assert said(program).split() == ["True", "False"]
