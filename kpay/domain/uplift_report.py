"""What is said of whom mail moves: of a trained model, and of the people a campaign chose by it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from kpay.domain.document import Block, Column, Document, Figure, Figures, Table, Text

ROWS: Final = (
    ("effect", "everybody drawn"),
    ("top_effect", "the best 30 % by the model"),
    ("last_effect", "the last 20 % by the model"),
)


@dataclass(frozen=True, slots=True)
class UpliftTrained:
    """A model of whom mail moves; without `run` there is none, and `card["why"]` says what is missing."""

    run: str | None
    as_of: str
    window_days: int
    card: Mapping[str, Any]
    is_new: bool
    seconds: float
    is_champion: bool = False

    def to_document(self) -> Document:
        """Return what was found, with the counts behind it."""
        return Document(
            "kpay.train/1",
            self._title(),
            blocks(self.card),
            self._payload(),
            subtitle=f"as of {self.as_of}; {self.card['why']}",
            next_steps=self._next_steps(),
        )

    def _title(self) -> str:
        if self.run is None:
            return "There is no model of whom mail moves yet"
        done = f"Trained {self.run}" if self.is_new else f"Nothing to do: {self.run} is trained"
        return f"{done}, who buys within {self.window_days} days because of a mail"

    def _next_steps(self) -> tuple[str, ...]:
        if self.run is None:
            return ("kpay campaign results",)
        return "kpay campaign plan NAME --target persuadables", f"kpay model show {self.run}"

    def _payload(self) -> dict[str, Any]:
        standing = "none" if self.run is None else "trained" if self.is_new else "unchanged"
        pooled = self.card["pooled"]
        return {
            "run": self.run,
            "status": standing,
            "target": "uplift",
            "as_of": self.as_of,
            "horizon_days": self.window_days,
            "customers": pooled["people"],
            "buyers": pooled["mailed_buyers"] + pooled["held_out_buyers"],
            "rung": None if self.run is None else "t-learner",
            **{name: self.card[name] for name in ("why", "metrics", "baselines", "device")},
            "threads": self.card["threads"],
            "pooled": dict(pooled),
            "uplift": self.card["uplift"],
            "is_champion": self.is_champion,
            "seconds": round(self.seconds, 3),
        }


def blocks(card: Mapping[str, Any]) -> tuple[Block, ...]:
    """Return the pooled counts and, where there is a model, what its ranking is worth."""
    pooled = card["pooled"]
    counts = Figures(
        (
            Figure("campaigns with a holdout", pooled["campaigns"]),
            Figure("people", pooled["people"]),
            Figure("mailed who bought", pooled["mailed_buyers"]),
            Figure("held out who bought", pooled["held_out_buyers"]),
        )
    )
    judged: Mapping[str, Any] | None = card["uplift"]
    return (counts,) if judged is None else (counts, _effects(judged), *_said(judged))


def _effects(judged: Mapping[str, Any]) -> Table:
    return Table(
        (
            Column("more of them buy when mailed"),
            Column("effect", "share"),
            Column("95 % interval"),
        ),
        tuple(
            (words, judged[name]["value"], _interval(judged[name], percent=True))
            for name, words in ROWS
        ),
        title="What past mails did, ranked by models that had not seen the person",
    )


def _said(judged: Mapping[str, Any]) -> tuple[Text, ...]:
    qini = judged["qini"]
    found = [
        f"Qini coefficient {qini['value']:.3f} ({_interval(qini)}); 0 is a ranking by chance, and below 0 "
        f"is worse than that. Ranking by who buys when mailed reaches {judged['qini_of_response']:.3f}."
    ]
    if qini["low95"] <= 0:
        found.append("That cannot be told from chance yet: more sends with a holdout would say.")
    if judged["last_effect"]["high95"] < 0:
        found.append("Mail keeps the last 20 % from buying: leave them out.")
    return tuple(
        Text(words, "plain" if place == 0 else "warning") for place, words in enumerate(found)
    )


def _interval(estimate: Mapping[str, float], *, percent: bool = False) -> str:
    low, high = estimate["low95"], estimate["high95"]
    if percent:
        return f"{100 * low:+.2f} % to {100 * high:+.2f} %"
    return f"{low:.3f} to {high:.3f}"


@dataclass(frozen=True, slots=True)
class Aim:
    """Whom a campaign mails because a mail moves them, and by what that was judged.

    `by` is "uplift", "propensity" or "nothing"; `why` says why it is not uplift. `price` is the gain of
    how many usual mails one more mail costs: whoever promises less of it is in `left_out`.
    """

    by: str
    why: str
    left_out: frozenset[str]
    price: float
    people: int
    unknown: int = 0
    run: str | None = None

    @property
    def sentence(self) -> str:
        """Say how people were chosen and what that rests on."""
        if self.by == "nothing":
            return f"Nobody is left out as hard to move: {self.why}, and nobody is scored (kpay score)."
        rule = (
            f"whoever a mail is expected to move less than {100 * self.price:.0f} % as much as the average "
            "is left out: that much a mail costs in readers who leave and in the answer to the next mails"
        )
        unknown = (
            f" {self.unknown:,} who never bought have no score and stay." if self.unknown else ""
        )
        left = f" That is {len(self.left_out):,} of {self.people:,}."
        if self.by == "uplift":
            return f"By the uplift model {self.run}, {rule}.{left}"
        return (
            f"There is no measured answer to whom mail moves ({self.why}), so how likely people are to buy "
            f"stands in for it, which also finds those who buy anyway: {rule}.{left}{unknown}"
        )

    def to_plain(self) -> dict[str, Any]:
        """Return it as plain values for a plan."""
        return {
            "target": "persuadables",
            "by": self.by,
            "why": self.why,
            "run": self.run,
            "left_out": len(self.left_out),
            "least_of_average": round(self.price, 4),
            "unknown": self.unknown,
            "sentence": self.sentence,
        }
