"""A campaign's plan: who gets it, who is held back to measure with, who is left out, and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from kpay.domain.document import Column, Document, Figure, Figures, Table, Text

SHOWN_PROBLEMS = 20
REASONS = {
    "suppressed": "opted out, bounced or complained",
    "already_owns": "own what the mail is about",
    "no_consent": "gave no consent to be mailed",
    "mailed_recently": "were mailed a short while ago",
    "low_value": "worth less than the mail may cost",
    "not_persuadable": "hardly moved by a mail",
    "unreachable": "have an address that mail servers do not take",
}


@dataclass(frozen=True, slots=True)
class PlanProblem:
    """Why a message cannot be sent; `email` is None when it concerns all of them."""

    email: str | None
    problem: str


def gathered(problems: Sequence[PlanProblem], people: int) -> tuple[PlanProblem, ...]:
    """Return each problem once; what several people all have is said once, of everyone."""
    each = dict.fromkeys(problems)
    had = Counter(one.problem for one in each if one.email is not None)
    common = {problem for problem, count in had.items() if count == people > 1}
    return tuple(
        dict.fromkeys(
            PlanProblem(None, one.problem) if one.problem in common else one for one in each
        )
    )


@dataclass(frozen=True, slots=True)
class Plan:
    """A frozen plan as it is shown. `smallest_effect` is a difference of shares of buyers, or None.

    `base_share` is the share of these people who buy in a fortnight without a mail, `holdout_why`
    says why so many are held out where kpay chose. `worth` is what
    the value rule found, where it was asked: its figures and a `sentence`; `aim` likewise, where only
    those are mailed whom a mail moves. `samples` is the folder with sample messages.
    """

    campaign: str
    hash: str
    subjects: tuple[str, ...]
    audience: str
    recipients: int
    held_out: int
    left_out: dict[str, int]
    problems: tuple[PlanProblem, ...] = ()
    warnings: tuple[str, ...] = ()
    base_share: float | None = None
    smallest_effect: float | None = None
    holdout_why: str | None = None
    worth: Mapping[str, Any] | None = None
    aim: Mapping[str, Any] | None = None
    samples: str | None = None
    is_new: bool = True
    is_sent: bool = False
    next_steps: Sequence[str] = field(default=())

    def to_document(self) -> Document:
        """Show the plan; a second plan of the same thing says that nothing changed."""
        return Document(
            "kpay.campaign.plan/1",
            self._title(),
            (self._figures(), self._left_out(), *self._words()),
            self._payload(),
            subtitle=f"{' | '.join(self.subjects)}  ·  audience: {self.audience}  ·  plan {self.hash}",
            next_steps=self.next_steps or self._next_steps(),
        )

    def _title(self) -> str:
        if self.is_sent:
            return f"{self.campaign}: sent already, its plan is kept; nothing to do"
        if not self.is_new:
            return f"{self.campaign}: planned before and nothing changed; nothing to do"
        if self.problems:
            return f"{self.campaign}: planned, but it cannot be sent yet"
        return f"{self.campaign}: planned"

    def _figures(self) -> Figures:
        effect = None if self.smallest_effect is None else round(self.smallest_effect, 6)
        return Figures(
            (
                Figure("recipients", self.recipients),
                Figure("held out", self.held_out),
                Figure("buy anyway", self.base_share, "share"),
                Figure("smallest effect it can show", effect, "share"),
            )
        )

    def _left_out(self) -> Table:
        rows = tuple((REASONS[reason], count) for reason, count in self.left_out.items())
        return Table((Column("left out"), Column("people", "count")), rows)

    def _words(self) -> tuple[Text | Table, ...]:
        words: list[Text | Table] = []
        if self.holdout_why:
            words.append(Text(self.holdout_why))
        if self.worth:
            words.append(Text(str(self.worth["sentence"])))
        if self.aim:
            is_measured = self.aim["by"] == "uplift"
            words.append(Text(str(self.aim["sentence"]), "plain" if is_measured else "warning"))
        words += [Text(text, "warning") for text in self.warnings]
        if self.samples:
            words.append(Text(f"Sample messages and a preview page are in {self.samples}."))
        if self.problems:
            shown = self.problems[:SHOWN_PROBLEMS]
            more = len(self.problems) - len(shown)
            words.append(
                Table(
                    (Column("email"), Column("problem")),
                    tuple((item.email or "everyone", item.problem) for item in shown),
                    title="Problems: nothing is sent while there are any",
                    note=f"and {more} more" if more else "",
                )
            )
        return tuple(words)

    def _next_steps(self) -> tuple[str, ...]:
        if self.is_sent:
            return (f"kpay campaign results {self.campaign}",)
        if self.problems:
            return (f"kpay campaign plan {self.campaign}",)
        return (
            f"kpay campaign preview {self.campaign}",
            f"kpay campaign send {self.campaign} --plan {self.hash}",
        )

    def _payload(self) -> dict[str, Any]:
        return {
            "campaign": self.campaign,
            "plan": self.hash,
            "recipients": self.recipients,
            "held_out": self.held_out,
            "left_out": self.left_out,
            "problems": [{"email": one.email, "problem": one.problem} for one in self.problems],
            "detectable_effect": {
                "outcome": "buyers",
                "minimum": self.smallest_effect,
                "base_share": self.base_share,
            },
            "subjects": list(self.subjects),
            "holdout_why": self.holdout_why,
            "aim": self.aim,
            "worth": self.worth,
            "samples": self.samples,
            "warnings": list(self.warnings),
            "unchanged": not self.is_new,
        }
