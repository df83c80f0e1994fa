"""The control of a simulated business: its clock, its servers, its papers, its truth."""

from __future__ import annotations

from datetime import UTC, date, datetime
from threading import RLock
from types import TracebackType
from typing import Final, Self

from kpay.sandbox.catalogue import Appeal
from kpay.sandbox.clock import WorldClock, instant
from kpay.sandbox.followed import FollowedLinks
from kpay.sandbox.happenings import Sale, Trace
from kpay.sandbox.letters import Letter
from kpay.sandbox.mail import Mail
from kpay.sandbox.papers import Papers
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import draw_people
from kpay.sandbox.provider.account import EVENT_LIFE_S, Account
from kpay.sandbox.provider.api import Api
from kpay.sandbox.provider.balance import Balance, Ledger, read_ledger
from kpay.sandbox.provider.bookkeeping import Bookkeeper
from kpay.sandbox.provider.http import ApiServer
from kpay.sandbox.provider.payments import Cashier
from kpay.sandbox.smtp import MailServer
from kpay.sandbox.stall import Stall
from kpay.sandbox.timeline import Timeline
from kpay.sandbox.truth import Truth
from kpay.sandbox.world import World

DEFAULT_START: Final = date(2025, 1, 1)


class Sandbox:
    """A business with `customers` buyers after `days` days, met through HTTP and SMTP on loopback.

    The same seed, the same requests and the same advances give the same objects, byte for byte.
    """

    def __init__(
        self,
        seed: int,
        *,
        customers: int = 2000,
        days: int = 540,
        start: date = DEFAULT_START,
        parameters: Parameters | None = None,
    ) -> None:
        parameters = parameters or Parameters()
        self._lock = RLock()
        self._clock = WorldClock(start)
        self._people = draw_people(seed, customers, days, parameters)
        appeal = Appeal(self._people)
        self._world = World(self._people, self._clock, self._people.chance, appeal)
        self._account = Account(seed, self._clock.start_s)
        self._stall = Stall(self._account)
        self._timeline = Timeline(self._world, lambda: self._stall.catalogue(self._timeline.today))
        balance = Balance(self._account)
        cashier = Cashier(self._account, balance)
        self._followed = FollowedLinks(self._clock)
        self._books = Bookkeeper(
            self._account,
            balance,
            cashier,
            parameters.coupon_percent,
            self._followed.reference_of,
        )
        self._papers = Papers(self._people, self._clock, self._timeline, appeal)
        self._traces: list[Trace] = []
        self._sales: list[Sale] = []
        self._api_server = ApiServer(Api(self._account, cashier, self._lock))
        self._mail_server = MailServer(is_dead=self._is_dead, on_letter=self._read)
        self.truth = Truth(self._timeline, self._people, self._clock, seed, self._lock)
        self.stripe_key = f"sk_test_sandbox{seed}"

    # ------------------------------------------------------------------ servers

    def start(self) -> None:
        """Open both servers; they listen on 127.0.0.1 only."""
        self._api_server.open()
        self._mail_server.open()

    def stop(self) -> None:
        """Close both servers."""
        self._api_server.close()
        self._mail_server.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    @property
    def stripe_url(self) -> str:
        """Return the base address of the provider's API."""
        return self._api_server.url

    @property
    def smtp_url(self) -> str:
        """Return the address of the mail server, with `tls=none`."""
        return self._mail_server.url

    @property
    def mailbox(self) -> list[Letter]:
        """Return every letter accepted so far, in the order of arrival."""
        return list(self._mail_server.letters)

    @property
    def refused_recipients(self) -> list[str]:
        """Return the recipients turned away with 550 5.1.1, once for each attempt."""
        return list(self._mail_server.refused)

    # ------------------------------------------------------------------ time

    @property
    def start_at(self) -> datetime:
        """Return the first instant of the world."""
        return instant(self._clock.start_s)

    @property
    def now(self) -> datetime:
        """Return the world's clock; it stands still between two advances."""
        return datetime.fromtimestamp(self._account.now, UTC)

    @property
    def today(self) -> date:
        """Return the day that has begun and is yet to be lived."""
        return self._clock.calendar_day(self._timeline.today)

    @property
    def people(self) -> int:
        """Return how many people there are, buyers or not, joined or yet to come."""
        return len(self._people)

    def advance(self, days: int) -> None:
        """Live the next days: people read, click, buy and leave, and the provider records it."""
        if days < 0:
            raise ValueError(f"the clock cannot go back {-days} days")
        with self._lock:
            self._timeline.mark()
            end_s = self._clock.second(self._timeline.today + days)
            self._account.remember_events_since(end_s - EVENT_LIFE_S)
            for _ in range(days):
                self._live_one_day()
            self._account.forget_old_events()

    def _live_one_day(self) -> None:
        day = self._timeline.today
        lived = self._timeline.live()
        self._books.write_day(self._clock.second(day), lived.happenings)
        self._traces += lived.traces
        self._sales += [
            happening
            for happening in lived.happenings
            if isinstance(happening, Sale) and happening.is_paid and happening.buyer.person >= 0
        ]
        self._account.now = self._clock.second(day + 1)

    # ------------------------------------------------------------------ mail

    def _is_dead(self, recipient: str) -> bool:
        person = self._people.by_email.get(recipient.lower())
        return person is not None and bool(self._people.has_dead_mailbox[person])

    def _read(self, letter: Letter) -> None:
        """Give a letter to the person it is for; deliveries of what was bought change nothing."""
        person = self._people.by_email.get(letter.recipient.lower())
        if person is None or not letter.is_marketing:
            return
        with self._lock:
            today, shops = self._timeline.today, self._stall.slug_by_url()
            known = {item.slug for item in self._stall.catalogue(today).items}
            self._timeline.post(Mail(person, letter.slugs(known, shops)))
            self._followed.keep(person, today, letter.references(shops))

    # ------------------------------------------------------------------ papers

    def subscribers_csv(self) -> str:
        """Return the mailing list as it is now: `kpay import subscribers`."""
        with self._lock:
            opted_out = self._world.state.has_opted_out.tolist()
            catalogue = self._stall.catalogue(self._timeline.today)
            return self._papers.subscribers(opted_out, catalogue)

    def events_csv(self, since: date | None = None, until: date | None = None) -> str:
        """Return visits, clicks, opt-outs, bounces and complaints of [since, until).

        Both default to the whole past; what is still to come is never told.
        """
        with self._lock:
            return self._papers.events(self._traces, *self._range(since, until))

    def traffic_csv(self, since: date | None = None, until: date | None = None) -> str:
        """Return anonymous daily traffic of [since, until): `kpay import traffic`."""
        with self._lock:
            return self._papers.traffic(*self._range(since, until))

    def feedback_csv(self, since: date | None = None, until: date | None = None) -> str:
        """Return what buyers of [since, until) have said by `until`: `kpay import feedback`."""
        with self._lock:
            first, last = self._range(since, until)
            first_s, last_s = self._clock.second(first), self._clock.second(last)
            bought = [sale for sale in self._sales if first_s <= sale.at < last_s]
            return self._papers.feedback(bought, last)

    def _range(self, since: date | None, until: date | None) -> tuple[int, int]:
        first = 0 if since is None else max(self._clock.number(since), 0)
        last = self._timeline.today if until is None else self._clock.number(until)
        return first, min(last, self._timeline.today)

    # ------------------------------------------------------------------ the provider's own books

    def ledger(self) -> Ledger:
        """Return the provider's sums by currency and its object counts."""
        with self._lock:
            return read_ledger(self._account)

    def digest(self) -> str:
        """Return the SHA-256 of all provider objects: equal digests mean nothing was written."""
        with self._lock:
            return self._account.digest()
