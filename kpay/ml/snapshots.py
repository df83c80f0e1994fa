"""What a model sees: the customers a target is about, with their columns, at one cutoff or many."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from kpay.ml import bgnbd, panel
from kpay.ml.bgnbd import BgNbd
from kpay.ml.families import FAMILIES, Family, toward
from kpay.ml.features import Snapshot, snapshot
from kpay.ml.frames import Flags, Ints
from kpay.ml.history import History
from kpay.ml.panel import Panel
from kpay.ml.targets import PURCHASE, Prior, Target

FEWEST_POSITIVES: Final = 20  # customers to whom it happened, and to whom it did not
MOST_CUSTOMERS: Final = 20_000  # looked at when a model is tested


def see(
    everything: History,
    cutoff: int,
    horizon_days: int,
    *,
    target: Target = PURCHASE,
    bg: BgNbd | None = None,
    prior: Prior | None = None,
    families: Sequence[Family] = (),
    among: Flags | None = None,
) -> Snapshot:
    """Return the snapshot of whom a target is about; targets but a purchase have their prior beside."""
    if target == PURCHASE:
        return snapshot(everything, cutoff, horizon_days, bg, families, among=among)
    past = everything.before(cutoff)
    asked = target.eligible(past, cutoff)
    asked = asked if among is None else asked & among
    now = snapshot(everything, cutoff, horizon_days, bg, families, among=asked)
    believed = prior or target.prior(past, cutoff, horizon_days) or Prior()
    column = believed.log_odds(past, now.customer, now.columns["bg_logit"], cutoff, horizon_days)
    columns = {**now.columns, target.prior_column: column}
    return replace(now, columns=columns, prior=believed)


class Snapshots:
    """Snapshots at each cutoff, taken once and shared by the backtests and the final fit.

    Of a large business a fixed random share of the customers is looked at: fewer in the panels, whose
    rows add up over their cutoffs, than where a model is tested.
    """

    def __init__(self, everything: History, horizon_days: int, target: Target = PURCHASE) -> None:
        self.everything = everything
        self.horizon_days = horizon_days
        self.target = target
        self._bg: dict[int, BgNbd] = {}
        self._taken: dict[tuple[int, bool], Snapshot] = {}
        self._first_day = _first_days(everything)
        self._rank = np.random.default_rng(0).permutation(len(self._first_day))
        rows = sum(self.count(day) for day in self.cutoffs(-horizon_days))
        self._wide = self._some(MOST_CUSTOMERS, self.count(0))
        self._narrow = self._some(panel.MOST_ROWS, rows)

    def __call__(self, cutoff: int, families: Sequence[Family] = ()) -> Snapshot:
        """Return the snapshot as of day `cutoff`."""
        return self._look(cutoff, families, is_narrow=False)

    def cutoffs(self, last: int) -> list[int]:
        """Return the cutoffs of the panel whose latest label window begins at day `last`."""
        return panel.cutoffs(self.everything.purchases, self.horizon_days, last)

    def families(self) -> tuple[Family, ...]:
        """Return the families that the target may draw on."""
        return families_for(self.target)

    def count(self, cutoff: int) -> int:
        """Return how many customers had bought before a day."""
        return int((self._first_day < cutoff).sum())

    def panel(self, last: int, families: Sequence[Family] = ()) -> Panel | None:
        """Return the panel whose latest label window begins at day `last`.

        None without customers at any cutoff, or with too few to whom it happened or did not.
        """
        parts = [self._look(day, families, is_narrow=True) for day in sorted(self.cutoffs(last))]
        rows = panel.build(self._narrow, self.horizon_days, parts, target=self.target)
        if rows is None or min(rows.positives, rows.negatives) < FEWEST_POSITIVES:
            return None
        return rows

    def _look(self, cutoff: int, families: Sequence[Family], *, is_narrow: bool) -> Snapshot:
        key = (cutoff, is_narrow and self._narrow is not self._wide)
        taken = self._taken.get(key)
        wanted = [
            family
            for family in families
            if taken is None or not set(family.columns) <= set(taken.columns)
        ]
        if taken is None or wanted:
            taken = self._take(cutoff, wanted, taken, self._narrow if key[1] else self._wide)
            self._taken[key] = taken
        return _with(taken, families, self.families())

    def _take(
        self, cutoff: int, families: Sequence[Family], taken: Snapshot | None, known: History
    ) -> Snapshot:
        if taken is not None:
            past = known.before(cutoff)
            more = {
                name: column
                for family in families
                for name, column in family.read(past, taken.customer, cutoff).items()
            }
            return replace(taken, columns={**taken.columns, **more})
        return see(
            known,
            cutoff,
            self.horizon_days,
            target=self.target,
            bg=self._fitted(cutoff),
            families=families,
        )

    def _fitted(self, cutoff: int) -> BgNbd:
        """Return the BG/NBD of a day: of everybody today, of a large business's share in the past."""
        if cutoff not in self._bg:
            whole = self._wide if cutoff < 0 else self.everything
            known = whole.purchases.before(cutoff)
            seen, start = bgnbd.histories(known, cutoff).of(known.buyers), None
            if self._bg and len(seen) > bgnbd.MOST_EXACT:
                start = self._bg[min(self._bg, key=lambda day: (abs(day - cutoff), day))]
            self._bg[cutoff] = bgnbd.fit(seen, start)
        return self._bg[cutoff]

    def _some(self, most: int, found: int) -> History:
        """Return the history, or that of a fixed random share of its customers."""
        if found <= most:
            return self.everything
        return self.everything.only(self._rank < most / found * len(self._rank))


def _first_days(everything: History) -> Ints:
    """Return the day of each customer's first purchase; a day far off for whoever bought nothing."""
    known = everything.purchases
    first = np.full(len(known.customer_ids), np.iinfo(np.int64).max)
    np.minimum.at(first, known.customer, known.day)
    return first


def families_for(target: Target) -> tuple[Family, ...]:
    """Return all families that a target may draw on."""
    return (*FAMILIES, toward(target.slug)) if target.kind == "content" else FAMILIES


def _with(taken: Snapshot, families: Sequence[Family], every: Sequence[Family]) -> Snapshot:
    """Return a snapshot with the columns of these families and no others of them all."""
    from_families = {name for family in every for name in family.columns}
    wanted = [name for family in families for name in family.columns]
    own = {name: column for name, column in taken.columns.items() if name not in from_families}
    return replace(taken, columns={**own, **{name: taken.columns[name] for name in wanted}})
