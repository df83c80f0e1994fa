"""Money given back: how often, how much of it, how lately."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.families.acts import Acts
from kpay.ml.families.family import Family
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History

COLUMNS: Final = ("refund_count", "refund_share", "refund_count_90", "refund_days")


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return what was given back; the share is of all purchase days."""
    back = Acts.of(known.of("refund"), customers, cutoff)
    opens = known.purchases.opens_day
    bought = np.bincount(
        known.purchases.customer[opens], minlength=len(known.purchases.customer_ids)
    )
    return {
        "refund_count": back.counts(),
        "refund_share": back.sums() / np.maximum(bought[customers], 1),
        "refund_count_90": back.within(90).counts(),
        "refund_days": back.days_since(),
    }


REFUNDS: Final = Family("refunds", COLUMNS, lambda known: len(known.of("refund")) > 0, read)
