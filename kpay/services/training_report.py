"""What training says of a model: its rung and why, how good it is, and whether it scores from now on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Self

from kpay.domain.document import Column, Document, Figure, Figures, Table, Text
from kpay.domain.target_words import did, who_does
from kpay.services.card_words import limits

PURCHASE: Final = "purchase"
CHANCE: Final = 0.5
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

    @property
    def has_signal(self) -> bool | None:
        """Whether the backtest tells it from chance; None where nothing could be tested."""
        low = self.card["metrics"]["auc_low95"]
        return None if low is None else low > CHANCE

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
            "families": self.card.get("families", []),
            "tuned": self.card.get("tuned"),
            "has_signal": self.has_signal,
            "champion": self.champion,
            "limits": self._limits(),
            "seconds": round(self.seconds, 3),
        }

    def to_document(self) -> Document:
        """Return rung, reason, the measures beside the baselines, and whether it scores from now on."""
        done = f"Trained {self.run}" if self.is_new else f"Nothing to do: {self.run} is trained"
        silent = ": no signal yet" if self.has_signal is False else ""
        return Document(
            schema="kpay.train/1",
            title=f"{done} ({self.rung}), {who_does(self.target, self.horizon_days)}{silent}",
            subtitle=f"as of {self.as_of}; {self.card['why']}",
            blocks=(
                *self._measured(),
                *self._families(),
                *self._tuning(),
                self._standing(),
                *self._warnings(),
            ),
            payload=self.to_json(),
            next_steps=self._next(),
        )

    def _next(self) -> tuple[str, ...]:
        about = "" if self.target == PURCHASE else f" --target {self.target}"
        if not self.champion["is_champion"]:
            return ("kpay model list", f"kpay model promote {self.run}")
        return (f"kpay score{about}", "kpay model show")

    def _measured(self) -> tuple[Figures | Table, ...]:
        if self.card["metrics"]["auc"] is None:
            return (Figures((Figure("customers", self.customers),)),)
        return (self._figures(), measures_table(self.rung, self.card))

    def _figures(self) -> Figures:
        return Figures(
            (
                Figure("customers", self.customers),
                Figure(f"{did(self.target)} in the backtest", self.buyers),
                Figure("AUC", self.card["metrics"]["auc"], "number"),
            )
        )

    def _families(self) -> tuple[Table, ...]:
        verdicts = self.card.get("families")
        if not verdicts:
            return ()
        columns = (
            Column("what else is known"),
            Column("used"),
            Column("log loss saved", "number"),
            Column("standard error", "number"),
            Column("why"),
        )
        rows = tuple(
            (
                each["name"],
                "yes" if each["kept"] else "no",
                each["gain"],
                each["se"],
                each["why"],
            )
            for each in verdicts
        )
        return (Table(columns, rows, title="Kept only where the backtest gains"),)

    def _tuning(self) -> tuple[Text, ...]:
        tuned = self.card.get("tuned")
        if not tuned:
            return ()
        tried = f"Tuning tried {tuned['trials']} settings of the trees: "
        saved = f"log loss {tuned['gain']:.4f} less (standard error {tuned['se']:.4f})"
        if tuned["is_kept"]:
            return (Text(f"{tried}the best are kept, {saved}.", "good"),)
        return (Text(f"{tried}none is better than kpay's own by more than its error."),)

    def _standing(self) -> Text:
        if not self.champion["is_champion"]:
            return Text(f"Not the champion: {self.champion['why']}.", "warning")
        why = self.champion["why"]
        return Text(f"Champion: {why}." if why else "Champion.", "good")

    def _warnings(self) -> tuple[Text, ...]:
        return tuple(Text(sentence, "warning") for sentence in self._limits())

    def _limits(self) -> list[str]:
        row = {
            "customers": self.customers,
            "buyers": self.buyers,
            "as_of": date.fromisoformat(self.as_of),
        }
        return limits(self.card, row)


def measures_table(rung: str, card: dict[str, Any]) -> Table:
    """Return the model's measures and each baseline's, with intervals."""
    rows = [(f"{rung} (this model)", card["metrics"]), *card["baselines"].items()]
    return Table(
        columns=(
            Column("model"),
            Column("AUC", "number"),
            Column("95 % interval"),
            Column("log loss", "number"),
            Column("95 % interval"),
            Column("Brier", "number"),
            Column("ECE", "number"),
            Column("lift top 10 %", "number"),
        ),
        rows=tuple(
            (
                name,
                measured["auc"],
                _interval(measured, "auc"),
                measured["log_loss"],
                _interval(measured, "log_loss"),
                measured["brier"],
                measured["ece"],
                measured["lift_top_decile"],
            )
            for name, measured in rows
        ),
        title="Backtest: promised one horizon ago, against what came",
    )


def _interval(measured: dict[str, Any], name: str) -> str | None:
    low, high = measured.get(f"{name}_low95"), measured.get(f"{name}_high95")
    return None if low is None else f"{low:.3f} to {high:.3f}"
