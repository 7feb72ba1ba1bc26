"""What is asked about a pack: each question with its population, its unit, how near is near, and the usual mistake."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

SHARE, MONEY, CHOICE = "share", "money", "choice"

CAUSES_BY_OPTION: dict[str, tuple[str, ...]] = {
    "funds": ("funds", "balance"),
    "stale_details": ("expired", "replaced", "closed", "mandate_lapsed"),
    "issuer_mistake": ("suspicion", "issuer_memory", "restricted"),
    "machine": ("outage", "technical", "throttled", "bad_release"),
    "stopped_by_member": ("mandate_revoked", "bank_stop"),
    "left_undone_by_payer": ("authentication", "abandoned", "voucher_unpaid"),
    "refused_by_us": ("fraud_screen", "withdrawn"),
}
"""Latent causes as questions group them: all but a stolen card, with which nobody is lost wrongly."""


@dataclass(frozen=True)
class Question:
    """One question.

    `unit` is share (0 to 1), money (units of the reporting currency) or choice (one of `options`). An answer that is
    wrong by `tolerance` or more has no points for its value; `is_relative` where that is a share of the truth.
    """

    id: str
    asks: str
    population: str
    unit: str
    mistake: str
    tolerance: float = 0.0
    is_relative: bool = False
    options: tuple[str, ...] = ()

    def margin(self, truth: float) -> float:
        """The tolerance in the unit of the answer."""
        return self.tolerance * abs(truth) if self.is_relative else self.tolerance

    def with_options(self, options: tuple[str, ...]) -> Question:
        """The same question with what there is to choose from in a pack."""
        return replace(self, options=options)

    def as_dict(self) -> dict[str, Any]:
        """What a pack says of it; the mistake is told with the marks."""
        about: dict[str, Any] = {"id": self.id, "asks": self.asks, "population": self.population, "unit": self.unit}
        if self.options:
            return {**about, "options": list(self.options)}
        return {
            **about,
            "tolerance": self.tolerance,
            "tolerance_is": "of the truth" if self.is_relative else "absolute",
        }


_LOST = (
    "subscriptions lost through payment: ended within the run, given up after dunning (nonpayment) or cancelled in the "
    "trouble of a failing payment (payment_trouble)"
)

QUESTIONS: tuple[Question, ...] = (
    Question(
        "involuntary_share",
        "How much of the churn was involuntary?",
        f"All subscriptions that ended within the run; the share that was lost through payment. Those are the {_LOST}.",
        SHARE,
        "Counting only what was given up: whoever cancels because a payment keeps failing is lost through payment too.",
        0.05,
    ),
    Question(
        "wrongful_share",
        "How much of the involuntary churn was wrongful?",
        f"All {_LOST}; the share whose members wanted to stay and could have paid, with some means they held.",
        SHARE,
        "Taking everybody lost through payment for a loyal member, or nobody: some were on their way out, stayed only "
        "out of inertia or had no money, and the log names none of them.",
        0.20,
    ),
    Question(
        "false_decline_share",
        "How many of the declines were false?",
        "All attempts that failed within the run, sign-ups included: declined, unknown and then failed, or returned "
        "after capture; the share that the issuer refused without cause (suspicion, memory of earlier declines, at "
        "random).",
        SHARE,
        "Reading the code as the cause: `05 do not honor` stands for empty accounts as well as for suspicion.",
        0.08,
    ),
    Question(
        "funds_share",
        "How many renewals failed at first for lack of money?",
        "Renewal invoices (not of sign-ups) with a failed attempt within the run; the share whose first failure within "
        "it came from an empty account, card or gift balance.",
        SHARE,
        "Counting the codes for insufficient funds only: many issuers say `do not honor` instead.",
        0.10,
    ),
    Question(
        "greatest_cause",
        "Which cause took the most members who wanted to stay and could have paid?",
        f"Of the {_LOST}, those that were wrongful; the cause of the first failure within the run of the invoice with "
        "which each ended.",
        CHOICE,
        "Taking the most frequent cause of declines: most empty accounts fill again, and stale details stay stale.",
        options=tuple(CAUSES_BY_OPTION),
    ),
    Question(
        "retry_share",
        "Did retries bring the failed renewals back, or members?",
        "Renewal invoices with a failed attempt that are paid when the run ends; the share that a retry brought back "
        "with the payment method that had failed, mended by nobody (`recovered_by` is retry).",
        SHARE,
        "Crediting the retries with every payment that one of them took: a member or the updater had mended the card "
        "first.",
        0.05,
    ),
    Question(
        "retry_increment",
        "How much money did retries bring that would not have come without them?",
        "All invoices paid when the run ends, in the reporting currency at the rates of their issue, less the same sum "
        "for the same people with the same luck in a world in which no policy retries from the first day on; all else "
        "(notices, backups, holds, ends) stays. Where people share something (a full gateway, a desk), they share it "
        "with whoever lives in that world.",
        MONEY,
        "Adding up what retries collected: part of it would have come anyway, and a member who is kept pays in later "
        "months too.",
        0.40,
        is_relative=True,
    ),
    Question(
        "costliest_incident",
        "Which incident cost the most money?",
        "The incidents of the world events, each taken away alone for the same people with the same luck; by how much "
        "the sum over invoices paid when the run ends rises.",
        CHOICE,
        "Taking the loudest one: payments that an outage stops mostly come back by themselves, and what comes slowly "
        "costs more.",
    ),
)
