"""Asking name servers (dnspython, imported only when something is asked)."""

from __future__ import annotations

from functools import cached_property
from typing import Any, Final

import dns.resolver
from dns.exception import DNSException

from kpay.domain.mail_dns import NamesUnanswered

LONGEST_WAIT_S: Final = 4.0
EVERYWHERE: Final = "com."
"""A name that every name server of the world finds; one inside a closed network denies all names."""
SILENCE: Final = (dns.resolver.LifetimeTimeout, dns.resolver.NoResolverConfiguration, OSError)


class NameServers:
    """The name servers of this machine, or those of a given resolver."""

    def __init__(
        self, resolver: dns.resolver.Resolver | None = None, wait_s: float = LONGEST_WAIT_S
    ) -> None:
        self._resolver, self._wait_s = resolver, wait_s
        self._is_silent = False

    def texts(self, name: str) -> tuple[str, ...]:
        """Return the TXT records of a name, each in one piece; NamesUnanswered without an answer."""
        return tuple(
            b"".join(record.strings).decode("utf-8", "replace")
            for record in self._records(name, "TXT")
        )

    def mail_servers(self, name: str) -> tuple[str, ...]:
        """Return who takes mail for a name, the first choice first; NamesUnanswered likewise."""
        records = sorted(self._records(name, "MX"), key=lambda record: record.preference)
        return tuple(record.exchange.to_text() for record in records)

    def _records(self, name: str, kind: str) -> list[Any]:
        if self._is_silent:
            raise NamesUnanswered(f"{name}: nobody answered before")
        try:
            self._resolver = self._resolver or dns.resolver.Resolver()
            return list(self._resolver.resolve(name, kind, lifetime=self._wait_s, search=False))
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer) as error:
            if not self._knows_the_world:
                raise NamesUnanswered(f"{name}: this name server knows no outside") from error
            return []
        except (DNSException, OSError, ValueError) as error:
            # Without a network each question would take its whole time to fail.
            self._is_silent = isinstance(error, SILENCE)
            raise NamesUnanswered(f"{name}: {type(error).__name__}") from error

    @cached_property
    def _knows_the_world(self) -> bool:
        resolver = self._resolver
        try:
            return resolver is not None and bool(
                resolver.resolve(EVERYWHERE, "NS", lifetime=self._wait_s, search=False)
            )
        except (DNSException, OSError):
            return False
