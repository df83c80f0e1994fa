"""How a person stands in a report that others may see: by number, and by name or a masked address."""

from __future__ import annotations

from kpay.domain.reader_name import shown_name

HIDDEN = "***"


def masked(email: str) -> str:
    """Return an address of which only the first letters and the ending can be read."""
    local, at, host = email.partition("@")
    if not at:
        return f"{email[:1]}{HIDDEN}"
    name, _, ending = host.rpartition(".")
    return f"{local[:1]}{HIDDEN}@{name[:1]}{HIDDEN}.{ending}"


def person_shown(name: str, email: str | None, *, shows_emails: bool) -> str:
    """Return the address where it may be shown, else the name, else the masked address; "" unknown."""
    if shows_emails and email:
        return email
    if "@" not in name and (told := shown_name(name)):
        return told
    return masked(email) if email else ""
