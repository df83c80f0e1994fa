"""How the customers behind a figure are named: by number, and by a name or a masked address."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection

from kpay.domain.person_shown import person_shown
from kpay.domain.reports.scope import Scope
from kpay.store.figures.customers import people


def named(connection: Connection, scope: Scope, customers: Iterable[str]) -> dict[str, str]:
    """Return for each customer's key what stands in a list; keys that are no numbers stay."""
    keys = set(customers)
    known = people(connection, [int(key) for key in keys if key.isdecimal()])
    found = {}
    for key in keys:
        one = known.get(int(key)) if key.isdecimal() else None
        told = person_shown(one.name, one.email, shows_emails=scope.shows_emails) if one else ""
        found[key] = f"#{key} {told}".rstrip() if key.isdecimal() else key
    return found
