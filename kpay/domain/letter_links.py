"""Addresses in a letter: which lead nowhere, and which lead to what only owners may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit

SCHEMES: Final = ("http", "https", "mailto", "tel")
PAGES: Final = "/c/"


@dataclass(frozen=True, slots=True)
class KnownAddresses:
    """The addresses that a business knows: its site's pages, its payment links, its paid files.

    `closed` are payment links that no longer sell, with the title of what they sold. `files` are the
    names of files that belong to a paid piece, with its slug.
    """

    site_url: str = ""
    slugs: frozenset[str] = frozenset()
    closed: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)

    def path_on_site(self, address: str) -> str | None:
        """Return the path of an address of the site, seen from the site's root; else None."""
        site, there = urlsplit(self.site_url), split(address)
        root = site.path.rstrip("/")
        if there is None or not site.hostname or there.hostname != site.hostname:
            return None
        return unquote(there.path).removeprefix(root) if there.path.startswith(root) else None

    def owners_of(self, address: str) -> str | None:
        """Return the slug of the paid piece whose file an address of the site hands out."""
        path = self.path_on_site(address)
        return self.files.get(path.rpartition("/")[2]) if path else None


def split(address: str) -> SplitResult | None:
    """Return the parts of an address; None for one that is none."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - reading it is what finds a port that is none
    except ValueError:
        return None
    return parts


def address_problem(address: str, known: KnownAddresses) -> str | None:
    """Return why an address leads nowhere, or None. `address` comes without its query."""
    if not address or address.startswith("#"):
        return f"a link leads nowhere ({address or 'it has no address'})"
    parts = split(address)
    if parts is None or set(address) & set(' <>{}|\\^`"\n\t'):
        return f"{_short(address)} is not an address"
    if parts.scheme not in SCHEMES:
        return f"{_short(address)} leads nowhere in a mail: write the whole address with https://"
    if parts.scheme == "mailto":
        fine = "@" in parts.path.strip("@")
        return None if fine else f"{_short(address)} is not an address"
    if parts.scheme == "tel":
        return None
    host = parts.hostname or ""
    if not _is_host(host):
        return f"{_short(address)} is not an address"
    return _own_problem(address, known)


def image_problem(source: str) -> str | None:
    """Return why an image cannot be seen in a mail, or None."""
    parts = split(source)
    if parts is not None and parts.scheme in ("http", "https") and _is_host(parts.hostname or ""):
        return None
    return f"the image {_short(source) or 'without an address'} cannot be seen in a mail"


def _own_problem(address: str, known: KnownAddresses) -> str | None:
    """Judge what the business itself answers for."""
    if address in known.closed:
        what = known.closed[address] or "it"
        return f"{_short(address)} is a payment link that no longer sells {what}"
    path = known.path_on_site(address)
    if path is None or not path.startswith(PAGES):
        return None
    slug = path.removeprefix(PAGES).strip("/").removesuffix(".html")  # many servers add the ending
    if not slug or slug in known.slugs or "." in slug:
        return None
    return f"{_short(address)} is no page of a published piece{_meant(slug, known.slugs)}"


def _meant(slug: str, slugs: Iterable[str]) -> str:
    close = get_close_matches(slug, list(slugs), n=1)
    return f" (did you mean {close[0]!r}?)" if close else ""


def _is_host(host: str) -> bool:
    """A name with a dot, a number between colons, or this machine."""
    names = host.split(".")
    return host == "localhost" or ":" in host or (len(names) > 1 and all(names))


def _short(address: str) -> str:
    return address if len(address) <= 80 else f"{address[:77]}..."
