"""What a demonstration needs of a simulated world, which is met through its servers only."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Protocol


class TrueEffect(Protocol):
    """What a mail really did."""

    @property
    def incremental_revenue_minor(self) -> Mapping[str, int]:
        """What it earned, by currency; can be negative."""
        ...


class Truth(Protocol):
    """What the world knows; every answer comes from living it again."""

    def campaign(
        self, campaign_day: date, treated_emails: Sequence[str], days: int = 14
    ) -> TrueEffect:
        """Compare the world with a day's mail and without it, among those it was sent to."""
        ...

    def buyers(self, since: date, horizon_days: int) -> Mapping[str, bool]:
        """Say of everyone known whether they buy in the horizon."""
        ...

    def oracle_scores(self, since: date, horizon_days: int) -> Mapping[str, float]:
        """Return everyone's true chance of buying in the horizon."""
        ...

    def revenue_by_day(self, since: date, until: date, currency: str) -> Mapping[date, int]:
        """Return what is really earned on each day of [since, until)."""
        ...


class Letter(Protocol):
    """One message that the world's mail server accepted."""

    @property
    def recipient(self) -> str:
        """Whom it was for."""
        ...

    @property
    def is_marketing(self) -> bool:
        """False for what was bought and is delivered."""
        ...


class CurrencySums(Protocol):
    """The provider's own sums in one currency."""

    gross_minor: int
    refunds_minor: int
    disputes_minor: int
    fees_minor: int
    net_minor: int


class Books(Protocol):
    """The provider's own books."""

    @property
    def currencies(self) -> Mapping[str, CurrencySums]:
        """The sums of each currency."""
        ...


class World(Protocol):
    """A simulated business: its servers, its clock, its papers and its truth."""

    stripe_key: str

    @property
    def truth(self) -> Truth:
        """Ask the world itself."""
        ...

    @property
    def stripe_url(self) -> str:
        """Where the provider's API listens."""
        ...

    @property
    def smtp_url(self) -> str:
        """Where the mail server listens."""
        ...

    @property
    def now(self) -> datetime:
        """What time it is there."""
        ...

    @property
    def today(self) -> date:
        """The day that has begun there."""
        ...

    @property
    def start_at(self) -> datetime:
        """When it began."""
        ...

    @property
    def mailbox(self) -> Sequence[Letter]:
        """Every message accepted so far."""
        ...

    def ledger(self) -> Books:
        """Return the provider's own books."""
        ...

    def advance(self, days: int) -> None:
        """Live the next days."""
        ...

    def subscribers_csv(self) -> str:
        """Return the mailing list."""
        ...

    def events_csv(self, since: date, until: date) -> str:
        """Return visits, clicks and opt-outs of [since, until)."""
        ...


class Shell(Protocol):
    """Runs kpay's command line."""

    def run(self, words: Sequence[str], settings: Mapping[str, str]) -> int:
        """Run a command whose output is seen; return its exit code."""
        ...

    def ask(self, words: Sequence[str], settings: Mapping[str, str]) -> tuple[int, str]:
        """Run a command quietly; return its exit code and its stdout."""
        ...
