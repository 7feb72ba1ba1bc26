"""docs/reference/declines.md, dunning.md and alarms.md: what the rules look up, and what rings them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import billing_sim
from billing_sim import declines
from billing_sim.scenario.layers import shipped
from billing_sim.scenario.nodes import plain
from generators.markdown import bullets, code, codes, page, section, sentence, table

_LIFECYCLE = Path(billing_sim.__file__).parent / "lifecycle"
_ALARM = "ALARM_"


def _yaml(name: str) -> Any:
    return plain(shipped(name))


def declines_page() -> str:
    """Latent causes in the order of their checks, and the codes that they are answered with."""
    return page(
        "Declines",
        "A declined attempt has two descriptions. The *latent cause* is why it really failed; only the simulator knows "
        "it, and it goes to the sealed truth. The *code* is what bank, scheme or partner answered; everybody sees it. "
        "Several causes hide behind one code: that is what makes decline codes hard to read.",
        section("Latent causes", "In the order in which they are checked; the first bad one decides.", _causes()),
        section("Codes", "Soft: the same method may be tried again. Hard: it will not work until something changes. "
                "A dunning policy can stop on either kind (`stop_on`), and `network_rules.never_retry` names codes "
                "after which the same card must not be tried again.", _codes()),
        section("Which cause is answered with which code", "The defaults, by kind of method where one answers in words "
                "of its own. A scenario changes them with `decline_codes`.", _answers()),
    )  # fmt: skip


def _causes() -> str:
    rows = [(i, code(name), sentence(meaning)) for i, (name, meaning) in enumerate(declines.CAUSES) if i]
    return table(("", "cause", "meaning"), rows)


def _codes() -> str:
    never = _yaml("defaults.yaml")["network_rules"]["never_retry"]
    rows = [
        (code(it.code), it.kind, "never retried" if it.code in never else "", sentence(it.meaning))
        for it in declines.CODES[1:]
    ]
    return table(("code", "kind", "by default", "meaning"), rows)


def _answers() -> str:
    rows = []
    for name, shares in _yaml("defaults.yaml")["decline_codes"].items():
        cause, _, method = name.partition("@")
        answers = ", ".join(f"{code(answer)} {share}" for answer, share in shares.items())
        rows.append((code(cause), method or "any other", answers))
    return table(("cause", "method", "codes"), rows)


def dunning_page() -> str:
    """The shipped policies."""
    presets = _yaml("dunning_presets.yaml")
    return page(
        "Dunning presets",
        "Policies that a scenario can name in its `dunning` rules, or change with `preset`. All times count from the "
        "first failure of an invoice. [Adding a policy](../guides/adding_a_dunning_policy.md) shows how.",
        table(("policy", "retries", "notices", "on hold after", "ends after", "stops on", "backup"),
              [_policy(name, it) for name, it in presets.items()]),
        *(section(code(name), sentence(it["about"]), f"Source: {it['source']}.") for name, it in presets.items()),
    )  # fmt: skip


def _policy(name: str, it: dict[str, Any]) -> list[str]:
    retries = ", ".join(it["retries"]) + (f"; at {it['retry_hour']}:00 local" if "retry_hour" in it else "")
    backup = "tried" if it.get("use_backup", True) else "left alone"
    return [code(name), retries, ", ".join(it["notices"]), it["grace"], it["end"], codes(it.get("stop_on", [])), backup]


def alarms_page() -> str:
    """The alarms of a life: what rings, and who sets it."""
    rings, setters = _rings(), _setters()
    rows = [
        (number, code(name), sentence(rings[name][1]), code(rings[name][0]), codes(sorted(setters[name])))
        for number, name in enumerate(_alarm_names())
    ]
    return page(
        "Alarms",
        "A subscriber is a record with one alarm of each kind: the next moment at which something of that kind "
        "happens. The earliest alarm rings, and its rule decides; equal times ring in the order of the numbers. "
        "The numbers are part of every digest.",
        table(("", "alarm", "what happens when it rings", "rule", "set by"), rows),
        section("Where a person stands", bullets([
            "outside: not yet a member, or gone. Only `signup` can ring, and `resolve` for a debit that may come back.",
            "signing up: the first invoice waits to be paid. A refused attempt is tried again by `retry`.",
            "subscribed: everything else.",
        ])),
    )  # fmt: skip


@cache
def _functions() -> dict[str, ast.FunctionDef]:
    found = {}
    for file in sorted(_LIFECYCLE.glob("*.py")):
        for node in ast.parse(file.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef):
                found[node.name] = node
    return found


def _alarm_names() -> list[str]:
    """Alarms by number, as `lifecycle/state.py` numbers them."""
    numbers = {}
    for node in ast.parse((_LIFECYCLE / "state.py").read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if name.startswith(_ALARM) and name != "ALARM_NAMES":
                numbers[_named(name)] = ast.literal_eval(node.value)
    return sorted(numbers, key=lambda name: numbers[name])


def _named(constant: str) -> str:
    return constant.removeprefix(_ALARM).lower()


def _rings() -> dict[str, tuple[str, str]]:
    """Alarm -> the rule that `ring` calls for it, and the first line of that rule's docstring."""
    found = {}
    for node in ast.walk(_functions()["ring"]):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare):
            constant = next((it.id for it in node.test.comparators if isinstance(it, ast.Name)), "")
            if constant.startswith(_ALARM):
                rule = _called(node.body)
                doc = ast.get_docstring(_functions()[rule]) or ""
                found[_named(constant)] = (rule, doc.split("\n\n")[0])
    return found


def _called(body: list[ast.stmt]) -> str:
    """The name of the function that the first statement calls."""
    first = body[0]
    assert isinstance(first, ast.Expr)
    assert isinstance(first.value, ast.Call)
    function = first.value.func
    return function.attr if isinstance(function, ast.Attribute) else function.id  # type: ignore[attr-defined]


def _setters() -> dict[str, set[str]]:
    """Alarm -> the rules that set it to a moment (silencing one does not count)."""
    found: dict[str, set[str]] = {name: set() for name in _alarm_names()}
    for name, function in _functions().items():
        for alarm in _alarms_set_in(function):
            found[alarm].add(name)
    return found


def _alarms_set_in(function: ast.FunctionDef) -> Iterator[str]:
    for node in ast.walk(function):
        if not isinstance(node, ast.Assign) or getattr(node.value, "id", "") == "NEVER":
            continue
        target = node.targets[0]
        if isinstance(target, ast.Subscript) and getattr(target.value, "attr", "") == "alarm":
            constant = getattr(target.slice, "id", "")
            if constant.startswith(_ALARM):
                yield _named(constant)
