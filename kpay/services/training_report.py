"""What training says of a model: its rung and why, how good it is, and whether it scores from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from kpay.domain.document import Column, Document, Figure, Figures, Table, Text

NEVER_JUDGED: Final = {"is_champion": False, "against": None, "why": "", "gain": None, "se": None}


@dataclass(frozen=True, slots=True)
class Trained:
    """A model run as it is kept, and whether this call made it."""

    run: str
    as_of: str
    horizon_days: int
    rung: str
    customers: int
    buyers: int
    card: dict[str, Any]
    is_new: bool
    seconds: float
    target: str
    champion: dict[str, Any]

    @classmethod
    def of(cls, row: Mapping[str, Any], *, is_new: bool, seconds: float) -> Self:
        """Return the run of a row of the store, with the standing it has by now."""
        standing = {"is_champion": row["is_champion"]} if "is_champion" in row else {}
        return cls(
            run=row["run"],
            as_of=row["as_of"].isoformat(),
            horizon_days=row["horizon_days"],
            rung=row["rung"],
            customers=row["customers"],
            buyers=row["buyers"],
            card=row["card"],
            is_new=is_new,
            seconds=seconds,
            target=row["target"],
            champion={**NEVER_JUDGED, **row["card"].get("champion", {}), **standing},
        )

    def to_json(self) -> dict[str, Any]:
        """Return the payload of `kpay train --json`."""
        names = ("why", "metrics", "baselines", "device", "threads", "rungs", "windows")
        return {
            "run": self.run,
            "status": "trained" if self.is_new else "unchanged",
            "target": self.target,
            "as_of": self.as_of,
            "horizon_days": self.horizon_days,
            "customers": self.customers,
            "buyers": self.buyers,
            "rung": self.rung,
            **{name: self.card[name] for name in names},
            "calibration": self.card["calibration"],
            "champion": self.champion,
            "seconds": round(self.seconds, 3),
        }

    def to_document(self) -> Document:
        """Return rung, reason and the measures beside the baselines."""
        done = f"Trained {self.run}" if self.is_new else f"Nothing to do: {self.run} is trained"
        return Document(
            schema="kpay.train/1",
            title=f"{done} ({self.rung}), who buys within {self.horizon_days} days",
            subtitle=f"as of {self.as_of}; {self.card['why']}",
            blocks=(*self._measured(), *_limits(self.card)),
            payload=self.to_json(),
            next_steps=("kpay score", "kpay recommend"),
        )

    def _measured(self) -> tuple[Figures | Table, ...]:
        if self.card["metrics"]["auc"] is None:
            return (Figures((Figure("customers", self.customers),)),)
        return (self._figures(), measures_table(self.rung, self.card))

    def _figures(self) -> Figures:
        return Figures(
            (
                Figure("customers", self.customers),
                Figure("bought in the backtest", self.buyers),
                Figure("AUC", self.card["metrics"]["auc"], "number"),
            )
        )


def measures_table(rung: str, card: dict[str, Any]) -> Table:
    """Return the model's measures and each baseline's, with intervals."""
    rows = [(f"{rung} (this model)", card["metrics"]), *card["baselines"].items()]
    return Table(
        columns=(
            Column("model"),
            Column("AUC", "number"),
            Column("95 % interval"),
            Column("log loss", "number"),
            Column("Brier", "number"),
            Column("ECE", "number"),
            Column("lift top 10 %", "number"),
        ),
        rows=tuple(
            (
                name,
                measured["auc"],
                _interval(measured),
                measured["log_loss"],
                measured["brier"],
                measured["ece"],
                measured["lift_top_decile"],
            )
            for name, measured in rows
        ),
        title="Backtest: promised one horizon ago, against what came",
    )


def _interval(measured: dict[str, Any]) -> str | None:
    if measured["auc_low95"] is None:
        return None
    return f"{measured['auc_low95']:.3f} to {measured['auc_high95']:.3f}"


def _limits(card: dict[str, Any]) -> tuple[Text, ...]:
    said = []
    if card["metrics"]["auc"] is None:
        said.append("No past window could be tested yet: how good this is, nobody knows.")
    if card["vantage"]:
        said.append(f"Trained as of the last day known: {card['vantage']}.")
    if card["at_limit"]:
        said.append("A parameter of the purchase model sits at its limit; read it with care.")
    return tuple(Text(sentence, "warning") for sentence in said)
