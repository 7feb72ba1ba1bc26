"""A readout on a terminal: who is enrolled, each metric by arm, the difference, and what is really so."""

from __future__ import annotations

from collections.abc import Iterator

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from billing_sim.experiments.readout import Reading, Readout
from billing_sim.metrics import words
from billing_sim.metrics.definition import Definition

_ENROLS = {
    "sign_up": "at sign-up", "renewal": "at a renewal", "first_failure": "at the first failure of an invoice",
    "start": "at the start",
}  # fmt: skip


def shown(it: Readout) -> RenderableType:
    """The whole readout."""
    parts: list[RenderableType] = [heading(it)]
    for reading in it.readings:
        parts += [Text(), *_metric(reading, it)]
    for line in _gains(it):
        parts.append(Text(line))
    return Group(*parts)


def heading(it: Readout) -> Text:
    """Design, enrolment, and whether people arrived as they should have."""
    design = it.design
    text = Text.assemble((design.name, "bold"), f"  enrolled {_ENROLS[design.enrol]}, as of {it.as_of:%Y-%m-%d}\n")
    if design.about:
        text.append(f"{design.about}\n", style="dim")
    counts = ", ".join(f"{arm} {count:,}" for arm, count in it.ratio.enrolled.items())
    text.append(f"Enrolled: {counts}. ")
    p = f"p = {it.ratio.p:.2g}"
    if it.ratio.is_broken:
        text.append(f"Sample ratio mismatch ({p}): do not read on before you know why.", style="red")
    else:
        text.append(f"The shares are as designed ({p}).", style="dim")
    if it.as_of < it.mature_from:
        text.append(
            f"\nOutcomes of everybody enrolled are final from {it.mature_from:%Y-%m-%d}; until then a read may turn.",
            style="yellow",
        )
    return text


def _metric(reading: Reading, it: Readout) -> Iterator[RenderableType]:
    definition = reading.definition
    title = Text.assemble((definition.title, "bold cyan"), f"  {definition.id}")
    if reading.misleads:
        title.append(f"  read early: {reading.enrolment.mature_share:.0%} are through", style="yellow")
    yield title
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("arm", "value", "units", "difference", "95 %", "p"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm, figure in reading.by_arm.items():
        table.add_row(
            arm, words.value(definition, figure, it.currency), f"{figure.units:,}", *_difference(reading, arm)
        )
    yield table
    for line in (*_told(reading), *_truth(reading, it)):
        yield Text(line)


def _difference(reading: Reading, arm: str) -> tuple[str, str, str]:
    found = next((each for each in reading.contrasts if each.name == arm), None)
    if found is None or found.value is None:
        return "", "", ""
    definition = reading.definition
    if found.half is None or found.p is None:
        return words.signed(definition, found.value), "", ""
    ends = f"{_s(definition, found.value - found.half)} to {_s(definition, found.value + found.half)}"
    return _s(definition, found.value), ends, f"{found.p:.3f}" if found.p >= 0.001 else "< 0.001"


def _s(definition: Definition, number: float | None) -> str:
    return words.signed(definition, number)


def _size(definition: Definition, number: float) -> str:
    return words.signed(definition, abs(number)).lstrip("+")


def _told(reading: Reading) -> Iterator[str]:
    """What could be noticed by now, and when the effect of interest can be decided."""
    definition = reading.definition
    for each, found in zip(reading.contrasts, reading.powers, strict=True):
        if found.detectable is None:
            yield f"{each.name}: nothing can be told yet."
            continue
        line = f"{each.name}: by now a difference of {_size(definition, found.detectable)} would be noticed"
        if found.effect and found.decided_on:
            line += f"; {_size(definition, found.effect)} can be decided on {found.decided_on:%Y-%m-%d}"
        elif found.effect:
            line += f"; {_size(definition, found.effect)} will not be, with {found.needed:,} people needed"
        yield line + "."


def _truth(reading: Reading, it: Readout) -> Iterator[str]:
    definition = reading.definition
    for effect in reading.effects:
        if effect.true.value is None:
            continue
        yield (
            f"{effect.true.name} in truth: {_s(definition, effect.true.value)} (everybody in it less everybody in "
            f"{effect.true.base}); the mix says {_s(definition, effect.mixed.value)}, a gap of "
            f"{_s(definition, effect.gap)}."
        )
        if it.shares_nothing:
            yield "  Nobody shares anything, so the gap is the luck of the draw alone."
        else:
            yield (
                f"  Of the gap {_s(definition, effect.sampling)} is the luck of the draw and "
                f"{_s(definition, effect.interference)} what the arms do to one another."
            )


def _gains(it: Readout) -> Iterator[str]:
    for found in it.gains:
        told = found.as_dict()
        if told["return"] is None:
            continue
        yield ""
        yield (
            f"{found.arm} for {found.cost:,.2f} {it.currency}: brings {found.brought:,.2f}, a return of "
            f"{told['return']:.2f}. The experiment says {told['return_read']:.2f}; counting all that was recovered "
            f"would say {told['return_claimed']:.2f}{_before_after(told['return_before_after'])}."
        )


def _before_after(found: float | None) -> str:
    return "" if found is None else f", and what came in since it began less what did before {found:.2f}"
