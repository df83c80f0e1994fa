"""Email addresses as keys of people: normalised for comparing, hashed for suppression."""

from __future__ import annotations

import hashlib
import unicodedata


def normal_email(text: str) -> str:
    """Return the one form under which an address is compared: NFC, trimmed, lower case."""
    return unicodedata.normalize("NFC", text).strip().lower()


def email_hash(email: str) -> str:
    """Return the SHA-256 under which an opted-out address is remembered after erasure."""
    return hashlib.sha256(normal_email(email).encode()).hexdigest()


def is_plausible(email: str) -> bool:
    """Say whether a text could be one address: a cheap check for long imports."""
    local, at, domain = email.rpartition("@")
    forbidden = set(email) & set(' \t\r\n,;<>()[]"\\:\x00')
    return bool(at and local and "." in domain and "@" not in local) and not (
        forbidden or domain.startswith(".") or domain.endswith(".") or ".." in email
    )
