"""How strongly a piece draws a customer, learned over all pieces: a single one has too few buyers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from kpay.ml import bgnbd, logistic
from kpay.ml.families import toward
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History
from kpay.ml.logistic import Logistic, logit

MOST_PIECES: Final = 12  # at a day
MOST_CUSTOMERS: Final = 1_000
FEWEST_BUYERS: Final = 60  # of all pieces together
STRENGTH: Final = 0.2


def learn(past: History, cutoff: int, horizon_days: int) -> Logistic | None:
    """Learn from who bought which piece in the last two horizons; None when too few did.

    Rows are customers and pieces they did not own; columns as in `columns`.
    """
    found = [
        case
        for day in (cutoff - horizon_days, cutoff - 2 * horizon_days)
        for case in _cases(past, day, day + horizon_days)
    ]
    if sum(float(bought.sum()) for _, bought in found) < FEWEST_BUYERS:
        return None
    rows, bought = zip(*found, strict=True)
    return logistic.fit(np.vstack(rows), np.concatenate(bought), strength=STRENGTH)


def columns(past: History, slug: str, customers: Ints, bg_logit: Floats, cutoff: int) -> Floats:
    """Return how likely each customer is to buy at all, and how near the piece is to them, (n, k)."""
    family = toward(slug)
    near = family.read(past, customers, cutoff)
    found = np.column_stack([near[name] for name in family.columns])
    return np.column_stack([bg_logit, np.sign(found) * np.log1p(np.abs(found))])


def _cases(past: History, day: int, until: int) -> Iterator[tuple[Floats, Floats]]:
    then = past.before(day)
    customers = then.purchases.buyers
    customers = customers[:: max(1, -(-len(customers) // MOST_CUSTOMERS))]
    if not len(customers):
        return
    seen = bgnbd.histories(then.purchases, day).of(customers)
    bg_logit = logit(bgnbd.fit(seen).any_purchase(seen, until - day))
    for piece in _sold(past, day, until):
        owners = then.bought.customer[then.bought.content == piece]
        asked = ~np.isin(customers, owners)
        inside = (past.bought.day >= day) & (past.bought.day < until)
        buyers = past.bought.customer[inside & (past.bought.content == piece)]
        slug = past.pieces.slug[piece]
        rows = columns(then, slug, customers[asked], bg_logit[asked], day)
        yield rows, np.isin(customers[asked], buyers).astype(float)


def _sold(past: History, day: int, until: int) -> list[int]:
    """Return the pieces on sale at a day, those first that sold best until another."""
    inside = (past.bought.day >= day) & (past.bought.day < until) & (past.bought.content >= 0)
    count = np.bincount(past.bought.content[inside], minlength=len(past.pieces))
    known = [int(piece) for piece in np.flatnonzero(past.pieces.on_sale(day)) if count[piece]]
    named = [piece for piece in known if toward(past.pieces.slug[piece]).is_known(past)]
    return sorted(named, key=lambda piece: (-count[piece], piece))[:MOST_PIECES]
