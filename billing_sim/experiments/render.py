"""A readout on a terminal: who is enrolled, each metric by arm, the difference, and what is really so."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from billing_sim.experiments.gain import Gain
from billing_sim.experiments.power import Power
from billing_sim.experiments.readout import Reading, Readout
from billing_sim.metrics import words

_ENROLS = {
    "sign_up": "at sign-up", "renewal": "at a renewal", "first_failure": "at the first failure of an invoice",
    "start": "at the start",
}  # fmt: skip

_ALMOST_A_DAY = timedelta(days=1, microseconds=-1)
"""From a moment to the first day that has passed it when it begins."""


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
    if not sum(it.ratio.enrolled.values()):
        text.append("Nobody is enrolled.", style="yellow")
    elif it.ratio.is_broken:
        text.append(f"Sample ratio mismatch ({p}): do not read on before you know why.", style="red")
    else:
        text.append(f"The shares are as designed ({p}).", style="dim")
    text.append_text(_final(it))
    return text


def _final(it: Readout) -> Text:
    """What of all that was billed to these people can still change; nothing where nobody is enrolled."""
    if it.enrolled_until is None or it.mature_from is None:
        return Text()
    later = "What the same people are billed later goes on counting."
    if it.as_of < it.mature_from:
        last, day = it.enrolled_until, it.mature_from + _ALMOST_A_DAY
        told = f"Outcomes of what was billed until {last:%Y-%m-%d} are final from {day:%Y-%m-%d}"
        return Text(f"\n{told}; until then a read may turn. {later}", style="yellow")
    return Text(f"\nOutcomes of what was billed until {it.as_of - it.dunning:%Y-%m-%d} are final. {later}", style="dim")


def _metric(reading: Reading, it: Readout) -> Iterator[RenderableType]:
    definition = reading.definition
    title = Text.assemble((definition.title, "bold cyan"), f"  {definition.id}")
    if marks := "; ".join(_marks(reading)):
        title.append(f"  {marks}", style="yellow")
    yield title
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("arm", "value", "units", "difference", "95 %", "p"):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for arm, figure in reading.by_arm.items():
        shown = words.value(definition, figure, it.currency)
        table.add_row(arm, shown, f"{figure.units:,}", *_difference(reading, arm, it.currency))
    yield table
    for line in (*_told(reading, it.currency), *_truth(reading, it)):
        yield Text(line)


def _marks(reading: Reading) -> Iterator[str]:
    """Why the values of a metric are not the last word."""
    if reading.misleads:
        yield f"read early: {reading.enrolment.mature_share:.0%} are through"
    if reading.grows:
        yield "every later bill counts too"


def _difference(reading: Reading, arm: str, currency: str) -> tuple[str, str, str]:
    found = next((each for each in reading.contrasts if each.name == arm), None)
    if found is None or found.value is None:
        return "", "", ""
    definition = reading.definition
    shown = words.signed(definition, found.value, currency)
    if found.interval is None or found.p is None:
        return shown, "", ""
    low = words.signed(definition, found.interval[0])
    high = words.signed(definition, found.interval[1], currency)
    return shown, f"{low} to {high}", f"{found.p:.3f}" if found.p >= 0.001 else "< 0.001"


def _told(reading: Reading, currency: str) -> Iterator[str]:
    """What could be noticed by now, and when the effect of interest can be decided."""
    for each, found in zip(reading.contrasts, reading.powers, strict=True):
        if found.detectable is None:
            yield f"{each.name}: nothing can be told yet."
            continue
        noticed, wanted = (
            words.signed(reading.definition, abs(size or 0.0), currency).lstrip("+")
            for size in (found.detectable, found.effect)
        )
        line = f"{each.name}: by now a difference of {noticed} would be noticed"
        yield f"{line}; {wanted} {_when(found, reading)}." if found.needed else f"{line}."


def _when(found: Power, reading: Reading) -> str:
    """When the effect of interest can be decided."""
    assert found.needed is not None
    if found.decided_on:
        can = "could have been" if found.needed <= reading.enrolment.mature else "can be"
        return f"{can} decided on {found.decided_on:%Y-%m-%d}"
    if found.will_be is None:
        return f"needs {found.needed:,} people, and when they will be there cannot be said yet"
    return f"will not be in this run, with {found.needed:,} people needed who are through"


def _truth(reading: Reading, it: Readout) -> Iterator[str]:
    for effect in reading.effects:
        if effect.true.value is None:
            continue
        true, mixed, gap, sampling, interference = (
            words.signed(reading.definition, number, it.currency)
            for number in (effect.true.value, effect.mixed.value, effect.gap, effect.sampling, effect.interference)
        )
        says = f"{mixed}, a gap of {gap}" if effect.gap is not None else "nothing"
        yield (
            f"{effect.true.name} in truth{_at_the_end(it)}: {true} (everybody in it less everybody in "
            f"{effect.true.base}); the mix says {says}."
        )
        if effect.gap is None:
            continue
        if it.shares_nothing:
            yield "  Nobody shares anything, so the gap is the luck of the draw alone."
        else:
            yield f"  Of the gap {sampling} is the luck of the draw and {interference} what the arms do to one another."


def _at_the_end(it: Readout) -> str:
    """When the truth is told of, where that is not when the experiment is read."""
    return f" at the end of the run ({it.ends:%Y-%m-%d})" if it.as_of < it.ends else ""


def _gains(it: Readout) -> Iterator[str]:
    for found in it.gains:
        told = found.as_dict()
        if found.brought is None or told["return"] is None:
            continue
        yield ""
        yield (
            f"{found.arm} for {found.cost:,.2f} {it.currency}{_at_the_end(it)}: brings {found.brought:,.2f} "
            f"{it.currency}, a return of {told['return']:,.2f}. The experiment says a return of "
            f"{_number(told['return_read'])}; counting all that was recovered would say {told['return_claimed']:,.2f}"
            f"{_before_after(found)}."
        )


def _before_after(found: Gain) -> str:
    if found.growth is None:
        return ""
    days = f"{found.growth.days:,.4g}"
    return (
        f", and what came in during its first {days} days less what did in the {days} days before "
        f"{_number(found.as_dict()['return_before_after'])}"
    )


def _number(found: float | None) -> str:
    return "undefined" if found is None else f"{found:,.2f}"
