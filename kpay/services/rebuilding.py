"""`kpay sync --rebuild`: every typed row made anew from the provider objects that are kept."""

from __future__ import annotations

import time
from datetime import datetime

from kpay.domain.document import Document, Figure, Figures
from kpay.errors import Refused
from kpay.services import deriving
from kpay.services.accounts import pinned_account
from kpay.store.engine import Store


def rebuild(store: Store, *, now: datetime) -> Document:
    """Derive everything again, asking the provider nothing; Refused when nothing was synced yet."""
    began = time.monotonic()
    with store.reading() as connection:
        account = pinned_account(connection)
    if account is None:
        raise Refused("there is nothing to derive from yet: nothing was synced", "kpay sync")
    derived = deriving.rebuild(store, account, at=now)
    seconds = time.monotonic() - began
    counts = {
        "objects": derived.objects,
        "orders": derived.orders,
        "subscriptions": derived.subscriptions,
        "entitlements": derived.entitlements,
    }
    figures = (
        Figure("objects kept", derived.objects),
        Figure("orders", derived.orders),
        Figure("subscriptions", derived.subscriptions),
        Figure("rights changed", derived.entitlements),
    )
    return Document(
        "kpay.sync.rebuild/1",
        f"{derived.objects:,} kept objects read anew; Stripe was asked nothing",
        (Figures(figures),),
        {
            "account": account.id,
            "livemode": account.livemode,
            **counts,
            "seconds": round(seconds, 3),
        },
        subtitle=f"{account.id} · {account.mode} · {seconds:.1f} s",
        next_steps=("kpay sync --verify",),
    )
