"""What is true in the world, found by living it again; kpay's tables are never looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from threading import RLock

import numpy as np

from kpay.sandbox.chance import Chance
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import Happening, Taking, taking
from kpay.sandbox.people import People
from kpay.sandbox.timeline import Timeline


@dataclass(frozen=True, slots=True)
class CampaignTruth:
    """What a campaign did to the people it was sent to, in [day, day + days).

    Buyers are people with at least one succeeded charge (renewals count in both worlds alike);
    revenue is the sum of their succeeded charges, before refunds, in minor units by currency.
    The expected figures are means over worlds that part from the real one on the campaign's day.
    """

    people: int
    buyers_with: int
    buyers_without: int
    revenue_with_minor: dict[str, int]
    revenue_without_minor: dict[str, int]
    expected_incremental_buyers: float | None
    expected_incremental_revenue_minor: dict[str, float] | None

    @property
    def incremental_buyers(self) -> int:
        """Return how many more people bought because of the mail; can be negative."""
        return self.buyers_with - self.buyers_without

    @property
    def incremental_revenue_minor(self) -> dict[str, int]:
        """Return what the mail earned, by currency; can be negative."""
        return {
            currency: self.revenue_with_minor.get(currency, 0)
            - self.revenue_without_minor.get(currency, 0)
            for currency in sorted(self.revenue_with_minor | self.revenue_without_minor)
        }


@dataclass(frozen=True, slots=True)
class _Outcome:
    buyers: int
    revenue_minor: Counter[str]


class Truth:
    """Answers about past and future; none of them touches the live world."""

    def __init__(
        self, timeline: Timeline, people: People, clock: WorldClock, seed: int, lock: RLock
    ) -> None:
        self._timeline = timeline
        self._people = people
        self._clock = clock
        self._seed = seed
        self._lock = lock

    def campaign(
        self,
        campaign_day: date,
        treated_emails: Iterable[str],
        days: int = 14,
        *,
        expected_from: int = 0,
    ) -> CampaignTruth:
        """Compare the world with the campaign's mail and without it, among those it was sent to.

        Both share their luck, so the difference is the mail's doing alone. Only mail of that day to
        these people is left out. `expected_from` > 0 also averages over that many other futures.
        """
        since = self._clock.number(campaign_day)
        persons = self._persons(treated_emails)
        unsent = {pair for pair in self._timeline.mailed(since, since + 1) if pair[1] in persons}
        with_mail = self._outcome(since, days, persons, unsent=(), luck=None)
        without = self._outcome(since, days, persons, unsent=unsent, luck=None)
        mean = self._expected(since, days, persons, unsent, expected_from)
        return CampaignTruth(
            len(persons),
            with_mail.buyers,
            without.buyers,
            dict(with_mail.revenue_minor),
            dict(without.revenue_minor),
            None if mean is None else mean[0],
            None if mean is None else mean[1],
        )

    def buyers(self, since: date, horizon_days: int, *, with_mail: bool = True) -> dict[str, bool]:
        """Return for everyone known by `since` whether any charge succeeds in the horizon.

        Renewals count, because a store of orders sees them too. Addresses are in lower case.
        """
        first = self._clock.number(since)
        last = first + horizon_days
        unsent = () if with_mail else self._timeline.mailed(first, last)
        happenings = self._replay(first, last, unsent=unsent)
        paying = {taken.person for taken in _takings(happenings)}
        return {self._people.email(person): person in paying for person in self._known(first)}

    def oracle_scores(self, since: date, horizon_days: int) -> dict[str, float]:
        """Return the world's own probability that each person known by `since` pays in the horizon.

        It knows rates, tastes, who has silently left and which renewals are due, but not the luck to
        come, and no mail after `since`.
        """
        first = self._clock.number(since)
        last = first + horizon_days
        with self._lock:
            world = self._timeline.world_at(first)
            hazard = world.no_purchase_hazard(first, last, self._timeline.catalogue_on)
        billing = world.billing_chances(self._clock.second(last))
        nothing = np.exp(-hazard * (1 - self._people.parameters.never_paid_share))
        return {
            self._people.email(person): 1 - float(nothing[person]) * (1 - billing.get(person, 0.0))
            for person in self._known(first)
        }

    def revenue_by_day(self, since: date, until: date, currency: str) -> dict[date, int]:
        """Return the sum of succeeded charges on each UTC day of [since, until), in minor units.

        Before refunds and fees. Days to come are lived as they will be if no further mail is sent
        and nothing is changed in what is on sale.
        """
        first, last = self._clock.number(since), self._clock.number(until)
        sums = {since + timedelta(day): 0 for day in range(last - first)}
        for taken in _takings(self._replay(first, last)):
            if taken.currency == currency:
                sums[self._clock.calendar_day(self._clock.day(taken.at))] += taken.amount_minor
        return sums

    def revenue_draws(self, since: date, until: date, currency: str, *, worlds: int) -> list[int]:
        """Return the total of [since, until) in other worlds that part from this one on `since`.

        Their spread is what no forecast can know: the floor of any forecast's error.
        """
        first, last = self._clock.number(since), self._clock.number(until)
        return [
            sum(
                taken.amount_minor
                for taken in _takings(self._replay(first, last, luck=luck))
                if taken.currency == currency
            )
            for luck in self._other_luck(worlds)
        ]

    # ------------------------------------------------------------------ parts

    def _replay(
        self,
        since: int,
        until: int,
        *,
        unsent: Collection[tuple[int, int]] = (),
        luck: Chance | None = None,
    ) -> list[Happening]:
        """Live [since, until) again while neither server lets anything change."""
        with self._lock:
            return self._timeline.replay(since, until, unsent=unsent, luck=luck)

    def _persons(self, emails: Iterable[str]) -> set[int]:
        """Return who the addresses belong to; strangers from outside the world are left out."""
        by_email = self._people.by_email
        lowered = (email.strip().lower() for email in emails)
        return {by_email[email] for email in lowered if email in by_email}

    def _known(self, day: int) -> list[int]:
        known: list[int] = np.flatnonzero(self._people.joined_day < day).tolist()
        return known

    def _other_luck(self, worlds: int) -> Iterable[Chance]:
        return (
            Chance(self._seed * 1_000_003 + 7919 * (number + 1), len(self._people))
            for number in range(worlds)
        )

    def _outcome(
        self,
        since: int,
        days: int,
        persons: set[int],
        *,
        unsent: Collection[tuple[int, int]],
        luck: Chance | None,
    ) -> _Outcome:
        happenings = self._replay(since, since + days, unsent=unsent, luck=luck)
        takings = [taken for taken in _takings(happenings) if taken.person in persons]
        revenue: Counter[str] = Counter()
        for taken in takings:
            revenue[taken.currency] += taken.amount_minor
        return _Outcome(len({taken.person for taken in takings}), revenue)

    def _expected(
        self, since: int, days: int, persons: set[int], unsent: set[tuple[int, int]], worlds: int
    ) -> tuple[float, dict[str, float]] | None:
        if worlds < 1:
            return None
        buyers = 0
        revenue: Counter[str] = Counter()
        for luck in self._other_luck(worlds):
            with_mail = self._outcome(since, days, persons, unsent=(), luck=luck)
            without = self._outcome(since, days, persons, unsent=unsent, luck=luck)
            buyers += with_mail.buyers - without.buyers
            revenue.update(with_mail.revenue_minor)
            revenue.subtract(without.revenue_minor)
        return buyers / worlds, {currency: total / worlds for currency, total in revenue.items()}


def _takings(happenings: Iterable[Happening]) -> list[Taking]:
    found = (taking(happening) for happening in happenings)
    return [taken for taken in found if taken is not None]
