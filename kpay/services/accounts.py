"""Which account of the provider this business belongs to: one, for good, in one mode."""

from __future__ import annotations

from typing import Final, NoReturn

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.domain.resources import BY_KIND
from kpay.errors import Refused, ResourceForbidden, ResourceUnsupported
from kpay.ports import AccountHolder
from kpay.services.provided import unpack
from kpay.store import facts, provider
from kpay.store.engine import Store

ACCOUNT = "account"
LIVEMODE = "livemode"
UNKNOWN: Final = "unknown:"
WITNESSES: Final = ("charge", "customer", "payment_intent", "product", "price")
ASKED_A_KIND: Final = 2


def pinned_account(connection: Connection) -> Account | None:
    """Return the account this business belongs to, or None before the first sync or sale."""
    name = facts.find(connection, ACCOUNT)
    return Account(name, facts.find(connection, LIVEMODE) == "1") if name else None


def pin_account(connection: Connection, account: Account) -> None:
    """Make this the business's account; raise Refused when it belongs to another or the other mode."""
    pinned = pinned_account(connection)
    if pinned is None:
        facts.keep(connection, ACCOUNT, account.id)
        facts.keep(connection, LIVEMODE, str(int(account.livemode)))
    elif pinned != account:
        refuse_other(pinned, account)


def settle(store: Store, holder: AccountHolder) -> Account:
    """Return the business's account once the key is known to be one of its own; pin it the first time.

    Where the provider does not name the account, it is named after the key, and another key of the same
    account would seem to be another's: there, an object that only this account has proves it.
    """
    account = holder.account()
    with store.reading() as connection:
        pinned = pinned_account(connection)
    if pinned is None:
        with store.writing() as connection:
            pin_account(connection, account)
        return account
    if pinned == account:
        return account
    is_unnamed = pinned.id.startswith(UNKNOWN) or account.id.startswith(UNKNOWN)
    is_same_mode = pinned.livemode is account.livemode
    if not (is_same_mode and is_unnamed and shows_ours(store, holder, pinned)):
        refuse_other(pinned, account)
    return pinned


def shows_ours(store: Store, holder: AccountHolder, pinned: Account) -> bool:
    """Say whether a key shows an object that the store has kept of its account."""
    for kind in WITNESSES:
        with store.reading() as connection:
            ids = provider.some_ids(connection, pinned, kind, ASKED_A_KIND)
            kept = provider.payloads(connection, pinned, kind, ids)
        for external_id, payload in kept.items():
            try:
                found = holder.one(BY_KIND[kind].path, external_id)
            except (ResourceForbidden, ResourceUnsupported):
                break
            if found is not None and found.get("created") == unpack(payload).get("created"):
                return True
    return False


def refuse_other(pinned: Account, account: Account) -> NoReturn:
    """Raise Refused, naming both sides."""
    what = "a key of the other mode" if pinned.id == account.id else "another account's key"
    raise Refused(
        f"this business belongs to {pinned.id} ({pinned.mode}), and {what} is set "
        f"({account.id}, {account.mode}); test and live money never mix in one store",
        "kpay init OTHER_FOLDER",
        pinned=pinned.id,
        given=account.id,
    )
