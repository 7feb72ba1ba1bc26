"""The truth as plain tables of at most 80 columns: every figure with its unit and half of its 95 % interval."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from billing_sim.text_tables import WIDTH, Remark, TextTable, laid_out
from billing_sim.truth.crowds import addition
from billing_sim.truth.parts import MICROS
from billing_sim.truth.totals import Sum

if TYPE_CHECKING:
    from billing_sim.truth.attribution import Explained
    from billing_sim.truth.telling import Truth

_TITLE_WIDTH = 22

_Rows = Sequence[Sequence[str]]
_Parts = list[TextTable | Remark | str]


def text(it: Truth, width: int = WIDTH) -> str:
    """Everything, a table for each question."""
    parts = (
        _heading, _lost, _wrongful, _spread, _causes, _without_friction, _collected, _attempts, _recovered, _worlds,
        _attribution, _checks,
    )  # fmt: skip
    return "\n\n".join(filter(None, ("\n".join(laid_out(list(part(it)), min(width, WIDTH))) for part in parts)))


def number(it: Sum) -> str:
    """A whole number, or one with as many decimals as are worth reading."""
    if isinstance(it.value, int):
        return f"{it.value:,}"
    return f"{it.value:,.0f}" if abs(it.value) >= 1000 else f"{it.value:,.2f}"


def counted(count: float, one: str, many: str = "") -> str:
    """A whole number with its noun."""
    return f"{count:,.0f} {one if count == 1 else many or f'{one}s'}"


def half(it: Sum) -> str:
    """Half of the 95 % interval of a sum, as precise as the sum is shown; a dash where nothing happened."""
    if it.is_nothing:
        return "–"
    decimals = 0 if isinstance(it.value, int) or abs(it.value) >= 1000 else 2
    return f"±{it.half:,.{decimals}f}"


def signed(it: Sum) -> str:
    """A difference with its sign."""
    return ("+" if it.value > 0 else "") + number(it)


def table(title: str, head: Sequence[str], rows: _Rows, stays: int = 1) -> _Parts:
    """A title, a head and rows; the first column and the one that `stays` are there however narrow it is."""
    return [TextTable(title, head, rows, (stays,))]


def said(words: str) -> _Parts:
    """A remark below a table."""
    return [Remark(words)]


def _heading(it: Truth) -> Iterator[str]:
    identity = it.run.manifest.identity
    yield f"THE TRUTH ABOUT {identity.scenario}: {counted(identity.members, 'member')}, seed {identity.seed}"
    yield f"{identity.start} to {identity.end}, everybody followed for {it.alternatives.days} days more"
    yield f"Money in {it.currency}, taxes included, at the rate when invoiced. ± 95 %."


def _lost(it: Truth) -> _Parts:
    rows = []
    for intent in ("stay", "inert", "go"):
        for reason in ("nonpayment", "payment_trouble"):
            able, unable = (
                next(x for x in it.lost if (x.intent, x.reason, x.able) == (intent, reason, able))
                for able in (True, False)
            )
            who = "willing" if able.willing else f"unwilling: {'inert' if intent == 'inert' else 'wants to go'}"
            cells = [cell for x in (able, unable) for cell in (number(x.losses), half(x.losses))]
            rows.append([f"{who}, {reason.replace('_', ' ')}", *cells])
    total = sum(int(row.losses.value) for row in it.lost)
    head = ["", "able", "", "unable", ""]
    title = f"LOST THROUGH PAYMENT: {counted(total, 'subscription')} of {counted(it.people_lost, 'person', 'people')}"
    return table(title, head, rows) + said(
        "Willing: wanted to stay. Able: some instrument held could have paid while dunning went on."
    )


def _wrongful(it: Truth) -> _Parts:
    found = it.wrongful
    rows = [
        ["people", f"{found.people:,}", ""], ["losses", number(found.losses), half(found.losses)],
        ["member days", number(found.member_days), half(found.member_days)],
        [f"money, {it.currency}", number(found.money), half(found.money)],
    ]  # fmt: skip
    return table(f"WRONGFUL LOSS: willing and able, {found.days} days from each loss on", ["", "", ""], rows) + said(
        "What the same people do and pay without friction, less what they do and pay here, their own return included. "
        "A day within two losses of one person counts once."
    )


def _spread(it: Truth) -> _Parts:
    names = {
        "wrongful_losses": "wrongful losses avoided", "wrongful_money": f"their money in 90 days, {it.currency}",
        "collected": f"collected more from all, {it.currency}",
    }  # fmt: skip
    rows = []
    for row in it.spread:
        sums = (row.direct, row.spillover, row.total)
        rows += [[names[row.what], *map(signed, sums)], ["  ± 95 %", *map(half, sums)]]
    head = ["", "direct", "spillover", "total"]
    if not rows:
        return []
    return table("WITHOUT FRICTION, what people do to one another", head, rows) + said(
        f"These people share {' and '.join(it.shared)}. Direct: all that is shared stays as it was here. Total: it is "
        "as the people without friction make it. Spillover: the rest. What does not say otherwise below is direct."
    )


def _causes(it: Truth) -> _Parts:
    rows = [
        [row.cause.replace("_", " "), number(row.losses), half(row.losses), number(row.wrongful), half(row.wrongful)]
        for row in it.causes
    ]
    return table("BY THE LATENT CAUSE of the first decline", ["", "losses", "", "wrongful", ""], rows) if rows else []


def _without_friction(it: Truth) -> _Parts:
    lines = (
        ("would have left anyway by then", None), ("  before: stayed longer, payment failed late", "left_before"),
        ("  at the same moment", "left_then"), ("left earlier because of friction", None),
        ("  gone there within 90 days", "left_later"), ("  still there 90 days later", "still_there"),
    )  # fmt: skip
    pairs = {0: ("left_before", "left_then"), 3: ("left_later", "still_there")}
    rows = [["lost", *(f"{int(who.lost.value):,}" for who in it.without_friction)]]
    for i, (label, name) in enumerate(lines):
        names = (name,) if name else pairs[i]
        rows.append([
            label, *(f"{sum(int(getattr(who, each).value) for each in names):,}" for who in it.without_friction)
        ])  # fmt: skip
    longer, both = it.longer, int(it.longer.still_here.value) + int(it.longer.left_later.value)
    return table("WITHOUT FRICTION the same people", ["", *(who.whom for who in it.without_friction)], rows) + said(
        f"The mirror: never lost through payment and subscribed longer here than without friction: "
        f"{counted(both, 'person', 'people')}, {number(longer.still_here)} of them still subscribed at the end, by "
        f"{number(longer.member_days)} days in all."
    )


def _collected(it: Truth) -> _Parts:
    rows = [[row.month, *(number(x) for x in (row.actual, row.frictionless, row.perfect, row.gap)), half(row.gap)]
            for row in it.collected]  # fmt: skip
    here, smooth, perfect = (it.world(name).totals["collected"] for name in ("actual", "frictionless", "perfect"))
    gap = it.world("frictionless").differences["collected"]
    rows.append(["all", *(number(x) for x in (here, smooth, perfect, gap)), half(gap)])
    head = ["month", "here", "frictionless", "perfect", "gap", ""]
    never = it.world("actual").totals
    return table(f"COLLECTED, {it.currency}, by month of payment, less what went back", head, rows, stays=4) + said(
        "What went back: debits, refunds, disputes that were not won. "
        f"Gap: frictionless less here. Perfect is an upper bound: it also takes money from people who have none. "
        f"Of the run never paid here: {counted(never['uncollected_invoices'].value, 'invoice')} of "
        f"{number(never['uncollected'])} {it.currency}."
    )


def _attempts(it: Truth) -> _Parts:
    found = it.attempts
    rows = [
        [cause.replace("_", " "), whose, number(count), half(count), _per_good(int(count.value), found.good)]
        for whose, counts in (("issuer", found.mistakes), ("machine", found.machines))
        for cause, count in counts.items()
    ]  # fmt: skip
    title = f"REFUSED THOUGH ALL WAS WELL: of {counted(found.good, 'good attempt')} ({found.attempts:,} in all)"
    shares = [_share(found.false_decline_rate), _share(found.machine_failure_rate)]
    return table(title, ["", "by", "attempts", "", "of good"], rows, stays=2) + said(
        f"False declines {shares[0]}, machine failures {shares[1]} of good attempts: method in order, money there."
    )


def _per_good(count: int, good: int) -> str:
    return _share(count / good if good else None)


def _share(value: float | None) -> str:
    return "–" if value is None else f"{100 * value:.2f} %"


def _recovered(it: Truth) -> _Parts:
    invoices, money = it.failed
    rows = [
        [row.way.replace("_", " "), number(row.invoices), number(row.money), number(row.incremental),
         half(row.incremental), number(row.incremental_money), row.lever]
        for row in it.recovered
    ]  # fmt: skip
    head = ["", "invoices", "money", "incremental", "", "money", "without"]
    title = f"RECOVERED of {counted(invoices.value, 'failed invoice')}, {number(money)} {it.currency}"
    return table(title, head, rows) + said(
        "Incremental: not paid, or never issued, in the world without that lever; the others would have come anyway."
    )


def _worlds(it: Truth) -> _Parts:
    names = ("members_at_end", "losses", "wrongful_losses", "collected")
    levels = [[_cut(world.title), *(number(world.totals[name]) for name in names)] for world in it.worlds]
    moved = ("members_at_end", "losses", "collected")
    rows = [
        [_cut(world.title), *(cell for name in moved for cell in _moved(world.differences[name]))]
        for world in it.worlds[1:]
    ]
    head = ["", "members", "losses", "wrongful", f"collected, {it.currency}"]
    return [
        *table("THE SAME PEOPLE IN OTHER WORLDS: at the end, or over the run", head, levels), "",
        *table("… less what is here", ["", "members", "", "losses", "", f"collected, {it.currency}", ""], rows),
        *said(spillover(it.shared)), *_crowds(it, moved),
    ]  # fmt: skip


def _crowds(it: Truth, names: Sequence[str]) -> _Parts:
    """The same differences where everybody lives in the other world; nothing where nothing is shared."""
    rows = [
        [_cut(world.title), *(cell for name in names for cell in _moved(world.total_differences[name]))]
        for world in it.worlds[1:]
        if world.total_differences
    ]
    spilled = [
        [_cut(world.title), *(cell for name in names for cell in _moved(world.spillovers[name]))]
        for world in it.worlds[1:]
        if world.spillovers
    ]
    if not rows:
        return []
    head = ["", "members", "", "losses", "", f"collected, {it.currency}", ""]
    return [
        "", *table("… in all, where everybody lives in that world together", head, rows),
        "", *table("… of which spills over from others: in all less direct", head, spilled),
    ]  # fmt: skip


def spillover(shared: Sequence[str]) -> str:
    """Whether the relief of some people changes others, of what they share."""
    if not shared:
        return "These people share nothing, so every effect is direct and none spills over to others."
    return (
        f"These people share {' and '.join(shared)}: in each world they meet them as they were in this one, so these "
        "are the direct effects, without what spills over to others."
    )


def _cut(title: str) -> str:
    """Policies may have long names."""
    return title if len(title) <= _TITLE_WIDTH else title[: _TITLE_WIDTH - 1] + "…"


def _moved(it: Sum) -> tuple[str, str]:
    return signed(it), half(it)


def _attribution(it: Truth) -> _Parts:
    shown: _Parts = []
    for explained in it.attribution or ():
        shown += [*([""] if shown else []), *_explained(explained, it.currency)]
    crowds = " These are direct effects; the tables beside say what others add." if it.shared else ""
    return shown and shown + said(
        "Removed: actual less the world without this cause. Added: a world with this cause alone less one with none. "
        "Shapley: the mean over every order; the values add up to all together exactly. Interaction: all together less "
        f"the sum of removals.{crowds}"
    )


def _explained(it: Explained, currency: str) -> _Parts:
    is_money = it.measure.endswith("_micros")
    name = it.measure.removesuffix("_micros").replace("_", " ") + (f", {currency}" if is_money else "")

    def cell(value: Sum) -> str:
        return number(_in_units(value)) if is_money else f"{value.value:,.1f}".removesuffix(".0")

    def error(value: Sum) -> str:
        return half(_in_units(value)) if is_money else "–" if value.is_nothing else f"±{value.half:,.1f}"

    rows = [
        [row.cause.replace("_", " "), cell(row.removed), error(row.removed), cell(row.added), error(row.added),
         cell(row.shapley), error(row.shapley)]
        for row in it.shares
    ]  # fmt: skip
    rows.append(["interaction", cell(it.interaction), error(it.interaction), "", "", "", ""])
    rows.append(["all together", cell(it.explained), error(it.explained), "", "", cell(it.explained), ""])
    title = f"WHAT EXPLAINS {name}: {cell(it.actual)} here, {cell(it.without_all)} with no cause at work"
    found = table(title, ["", "removed", "", "added", "", "Shapley", ""], rows)
    parts: list[list[str]] = []
    for part in it.spread:
        if not part.what.startswith(addition("")):
            sums = (part.direct, part.spillover, part.total)
            parts += [[part.what.replace("_", " "), *map(cell, sums)], ["  ± 95 %", *map(error, sums)]]
    head = ["", "direct", "spillover", "total"]
    return [*found, "", *table(f"… {name}, by what people do to one another", head, parts)] if parts else found


def _in_units(it: Sum) -> Sum:
    return Sum(it.value / MICROS, it.standard_error / MICROS, it.peopled)


def _checks(it: Truth) -> _Parts:
    names = ", ".join(check.name for check in it.checks)
    return said(f"Reconciled: {counted(len(it.checks), 'check')} made, all agree with the run ({names}).")
