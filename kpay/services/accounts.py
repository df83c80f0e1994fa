"""Which account of the provider this business belongs to: one, for good, in one mode."""

from __future__ import annotations

from sqlalchemy import Connection

from kpay.domain.checkout import Account
from kpay.errors import Refused
from kpay.store import facts

ACCOUNT = "account"
LIVEMODE = "livemode"


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


def refuse_other(pinned: Account, account: Account) -> None:
    """Raise Refused, naming both sides."""
    what = "a key of the other mode" if pinned.id == account.id else "another account's key"
    raise Refused(
        f"this business belongs to {pinned.id} ({pinned.mode}), and {what} is set "
        f"({account.id}, {account.mode}); test and live money never mix in one store",
        "kpay init OTHER_FOLDER",
        pinned=pinned.id,
        given=account.id,
    )
