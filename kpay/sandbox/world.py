"""The simulated business, one day at a time: vectors over people, one loop over days."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from kpay.sandbox import checkout, fraud, memberships
from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.chance import BoolArray, Chance, FloatArray, IntArray
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import (
    CustomerErased,
    Happening,
    MembershipStarted,
    Sale,
    Trace,
    taking,
)
from kpay.sandbox.mail import Mail, Wave, pull, receive
from kpay.sandbox.memberships import Due, Membership, Stewardship
from kpay.sandbox.people import People
from kpay.sandbox.season import is_weekend, season

AFTER_MEMBERSHIP = 0.4  # how much a former member still wants to come back


@dataclass(slots=True)
class State:
    """All that changes in the world; a copy of it is a second world."""

    is_alive: BoolArray
    room: FloatArray  # shape (people, items): 1 free to buy, near 0 when owned
    pressure: FloatArray
    has_opted_out: BoolArray
    waves: list[Wave] = field(default_factory=list)
    members: dict[str, Membership] = field(default_factory=dict)
    agenda: dict[int, list[Happening | Due]] = field(default_factory=dict)

    def copy(self) -> State:
        """Return a state that can go its own way; what never changes is shared."""
        return State(
            self.is_alive.copy(),
            self.room.copy(),
            self.pressure.copy(),
            self.has_opted_out.copy(),
            list(self.waves),
            {key: copy.copy(member) for key, member in self.members.items()},
            {day: list(tasks) for day, tasks in self.agenda.items()},
        )


@dataclass(slots=True)
class Day:
    """What a day brought, in the order of time; `expected_minor` is what it was likely to bring."""

    happenings: list[Happening]
    traces: list[Trace]
    expected_minor: float = 0.0


class World:
    """People, what they own and what they are about to do; `step` lives one day."""

    def __init__(self, people: People, clock: WorldClock, luck: Chance, appeal: Appeal) -> None:
        self.people = people
        self.clock = clock
        self._luck = luck
        self._appeal = appeal
        self._parameters = people.parameters
        self._stewardship = Stewardship(luck, people.parameters, clock)
        self._catalogue = Catalogue()
        self._liking = np.zeros((len(people), 0))  # appeal times room
        self._matrix = np.zeros((len(people), 0))
        self.state = State(
            np.ones(len(people), dtype=np.bool_),
            np.zeros((len(people), 0)),
            np.zeros(len(people)),
            np.zeros(len(people), dtype=np.bool_),
        )

    def fork(self, luck: Chance | None = None) -> World:
        """Return a second world in the same state, with the same luck unless other is given."""
        twin = World(self.people, self.clock, luck or self._luck, self._appeal)
        twin.state = self.state.copy()
        twin._catalogue, twin._matrix = self._catalogue, self._matrix
        twin._liking = self._liking.copy()
        return twin

    def step(
        self,
        day: int,
        catalogue: Catalogue,
        mails: Sequence[Mail],
        *,
        is_watched: bool,
        is_weighed: bool = False,
    ) -> Day:
        """Live one day; visits are collected only when somebody watches.

        A weighed day also says what its sales were expected to bring, before the day's luck.
        """
        self._open_shop(catalogue)
        traces = self._read_mail(day, mails)
        happenings: list[Happening] = list(self._keep_agenda(day))
        hazard = self.hazard(day)
        chance_to_buy = 1 - np.exp(-hazard)
        expected_minor = self._expected_minor(day, chance_to_buy) if is_weighed else 0.0
        buyers = np.flatnonzero(self._luck.everyone("buy", day) < chance_to_buy)
        happenings += self._shop(day, buyers)
        happenings += self._meet_fraud(day)
        if is_watched:
            traces += self._visits(day, hazard, buyers)
        self.state.pressure *= 0.5 ** (1 / self._parameters.pressure_half_life_days)
        return Day(sorted(happenings, key=lambda happening: happening.at), traces, expected_minor)

    def hazard(self, day: int) -> FloatArray:
        """Return everybody's rate of buying on the day, given all that happened before it."""
        parameters, state = self._parameters, self.state
        wanted = self._liking.sum(axis=1)
        today = self.clock.calendar_day(day)
        leaning = self.people.weekend_leaning * (0.25 if is_weekend(today) else -0.1)
        state.waves = [wave for wave in state.waves if day - wave.day < parameters.mail_days]
        presence = state.is_alive & (self.people.joined_day <= day)
        rate = self.people.rate * presence * season(today) * (1 + leaning)
        rate *= wanted / (wanted + parameters.outside_option)
        return rate * self._excitement(day, wanted) * pull(state.waves, day, len(self.people))

    def no_purchase_hazard(
        self, since: int, until: int, catalogue_on: Callable[[int], Catalogue]
    ) -> FloatArray:
        """Return everybody's summed rate over [since, until) as long as they buy nothing.

        The world changes for a person only by their purchases and mail, so exp(-sum) is exactly the
        probability that they decide to buy nothing. The world itself must not be used afterwards.
        """
        total = np.zeros(len(self.people))
        for day in range(since, until):
            self._open_shop(catalogue_on(day))
            total += self.hazard(day)
        return total

    def billing_chances(self, until_s: int) -> dict[int, float]:
        """Return the chance that a person's running membership is charged before a time."""
        parameters, chances = self._parameters, {}
        paid = 1 - parameters.renewal_fails_share * (1 - parameters.recovered_share)
        for tasks in self.state.agenda.values():
            for task in tasks:
                if isinstance(task, Due) and task.at < until_s and task.action in ("bill", "retry"):
                    person = self.state.members[task.membership].person
                    chances[person] = 1.0 if task.action == "retry" else paid
        return chances

    # ------------------------------------------------------------------ the shop

    def _open_shop(self, catalogue: Catalogue) -> None:
        if catalogue is self._catalogue:
            return
        added = len(catalogue.items) - self.state.room.shape[1]
        if added:
            self.state.room = np.hstack([self.state.room, np.ones((len(self.people), added))])
        self._catalogue = catalogue
        self._matrix = self._appeal.matrix(catalogue)
        self._liking = self._matrix * self.state.room

    def _launch_factors(self, day: int) -> FloatArray:
        """Return each item's pull today; what was there on the first day is old news."""
        parameters = self._parameters
        ages = np.array([day - item.first_day for item in self._catalogue.items])
        fresh = np.array([item.first_day > 0 for item in self._catalogue.items])
        burst = (parameters.launch_factor - 1) * np.exp(-ages / parameters.launch_days)
        return 1 + np.where(fresh, burst, 0.0)

    def _excitement(self, day: int, wanted: FloatArray) -> FloatArray:
        """Return how much launches raise each person's demand: by their share of the wish."""
        factors = self._launch_factors(day) if self._catalogue.items else np.ones(0)
        if not np.any(factors > 1.01):
            return np.ones(len(self.people))
        boosted = self._liking @ factors
        return np.asarray(boosted / np.maximum(wanted, 1e-9))

    def _weights(self, day: int, buyers: IntArray) -> FloatArray:
        """Return how strongly each item draws each buyer today; shape (buyers, items)."""
        weights = self._liking[buyers] * self._launch_factors(day)
        for wave in self.state.waves:
            rows = np.searchsorted(wave.persons, buyers)
            rows = np.minimum(rows, max(len(wave.persons) - 1, 0))
            if len(wave.persons):
                was_mailed = wave.persons[rows] == buyers
                known = wave.about.shape[1]
                weights[:, :known] *= np.where(was_mailed[:, None] & wave.about[rows], 3.0, 1.0)
        return np.asarray(np.maximum(weights, 1e-12), dtype=np.float64)

    def _pick(self, day: int, buyers: IntArray) -> IntArray:
        """Return the position each buyer chooses: an exponential race, so a new item only wins or loses."""
        weights = self._weights(day, buyers)
        keys = [item.key for item in self._catalogue.items]
        draws = -np.log(self._luck.race("pick", day, buyers, keys))
        return np.asarray(np.argmin(draws / weights, axis=1), dtype=np.int64)

    def _expected_minor(self, day: int, chance_to_buy: FloatArray) -> float:
        """Return what the day's first sales are expected to bring, at the first price of each item."""
        prices = self._catalogue.first_prices_minor
        if not len(prices):
            return 0.0
        weights = self._weights(day, np.arange(len(self.people)))
        usual = weights @ prices / weights.sum(axis=1)
        return float(chance_to_buy @ usual)

    def _shop(self, day: int, buyers: IntArray) -> list[Happening]:
        if not len(buyers) or not self._catalogue.items:
            return []
        picks = self._pick(day, buyers)
        factor = pull(self.state.waves, day, len(self.people))[buyers]
        lucks = checkout.draw_checkouts(self._luck, day, buyers)
        rows = zip(buyers.tolist(), picks.tolist(), factor.tolist(), lucks, strict=True)
        return [self._check_out(day, *row) for row in rows]

    def _check_out(
        self, day: int, person: int, position: int, mail_factor: float, luck: checkout.CheckoutLuck
    ) -> Happening:
        item = self._catalogue.items[position]
        offer = checkout.choose_offer(
            item, luck, self._parameters, bool(self.people.pays_eur[person])
        )
        at = self.clock.second(day) + checkout.second_of_day(self.people, person, luck)
        # A sale that the mail brought forward must not use up the customer's life as well.
        if luck.leaving < self.people.leave_chance[person] / max(mail_factor, 1.0):
            self.state.is_alive[person] = False
        if offer.interval is None:
            return self._sell(day, person, item, offer, at=at, luck=luck)
        return self._enrol(day, person, item, offer, at=at, luck=luck)

    def _sell(
        self,
        day: int,
        person: int,
        item: Item,
        offer: Offer,
        *,
        at: int,
        luck: checkout.CheckoutLuck,
    ) -> Sale:
        parameters = self._parameters
        is_paid = luck.decline >= parameters.never_paid_share
        stumbles = luck.decline < parameters.never_paid_share + parameters.first_try_fails_share
        sale = Sale(
            at=at,
            order=f"{person}-{day}",
            buyer=self.people.buyer(person),
            slug=item.slug,
            offer=offer,
            amounts=checkout.amounts(offer, luck, parameters),
            failures=1 if stumbles and is_paid else 0,
            is_paid=is_paid,
        )
        if is_paid:
            self._set_room(person, item.slug, parameters.owned_factor)
            self._foresee(sale)
        return sale

    def _enrol(
        self,
        day: int,
        person: int,
        item: Item,
        offer: Offer,
        *,
        at: int,
        luck: checkout.CheckoutLuck,
    ) -> MembershipStarted:
        key = f"m{person}-{day}"
        trial_days = offer.trial_days
        if trial_days is None:
            wants_trial = offer.interval == "month" and luck.trial < self._parameters.trial_share
            trial_days = self._parameters.trial_days if wants_trial else 0
        member = memberships.start(key, person, item.slug, offer, at=at, trial_days=trial_days)
        self.state.members[key] = member
        self._schedule(self._stewardship.plan(member, at))
        self._set_room(person, item.slug, 0.0)
        sums = checkout.amounts(offer, luck, self._parameters)
        started = MembershipStarted(
            at=at,
            membership=key,
            order=f"{key}-{day}",
            buyer=self.people.buyer(person)._replace(is_guest=False),
            slug=item.slug,
            offer=offer,
            amounts=sums,
            trial_end=member.period_end_s if trial_days else None,
            period_end=member.period_end_s,
        )
        self._foresee(started)
        return started

    def _set_room(self, person: int, slug: str, room: float) -> None:
        position = self._catalogue.position(slug)
        if position is not None:
            self.state.room[person, position] = room
            self._liking[person, position] = self._matrix[person, position] * room

    # ------------------------------------------------------------------ what comes later

    def _schedule(self, tasks: Sequence[Happening | Due]) -> None:
        for task in tasks:
            self.state.agenda.setdefault(self.clock.day(task.at), []).append(task)

    def _foresee(self, happening: Happening) -> None:
        """Put a charge's later trouble on the agenda."""
        taken = taking(happening)
        if taken is None or not isinstance(happening, Sale | MembershipStarted):
            return
        luck = checkout.after_luck(self._luck, self.clock.day(happening.at), taken.person)
        later = checkout.aftermath(
            luck,
            self._parameters,
            at=happening.at,
            order=happening.order,
            person=taken.person,
            amount_minor=taken.amount_minor,
        )
        self._schedule(later)

    def _keep_agenda(self, day: int) -> list[Happening]:
        tasks = sorted(self.state.agenda.pop(day, ()), key=lambda task: task.at)
        done = [self._do(task) for task in tasks]
        return [happening for happening in done if happening is not None]

    def _do(self, task: Happening | Due) -> Happening | None:
        if isinstance(task, CustomerErased):
            is_member = any(m.person == task.person for m in self.state.members.values())
            return None if is_member else task
        if not isinstance(task, Due):
            return task
        member = self.state.members[task.membership]
        slug = member.slug
        upgrade = memberships.yearly_way(self._catalogue, member)
        happening, later, is_over = self._stewardship.act(task, member, upgrade)
        self._schedule(later)
        if is_over:
            del self.state.members[member.key]
        if is_over or member.slug != slug:
            self._set_room(member.person, slug, AFTER_MEMBERSHIP)
        if not is_over:
            self._set_room(member.person, member.slug, 0.0)
        return happening

    def _meet_fraud(self, day: int) -> list[Sale]:
        sales, later = fraud.burst(
            self._luck, self._parameters, day, self.clock.second(day), self._catalogue
        )
        self._schedule(later)
        return sales

    # ------------------------------------------------------------------ mail and visits

    def _read_mail(self, day: int, mails: Sequence[Mail]) -> list[Trace]:
        if not mails:
            return []
        state = self.state
        reception = receive(
            mails,
            day=day,
            midnight_s=self.clock.second(day),
            people=self.people,
            luck=self._luck,
            liking=self._liking,
            room=state.room,
            positions={item.slug: place for place, item in enumerate(self._catalogue.items)},
            pressure=state.pressure,
            has_opted_out=state.has_opted_out,
        )
        wave = reception.wave
        state.waves.append(wave)
        state.pressure[wave.persons] += reception.copies
        state.has_opted_out[wave.persons[reception.opts_out]] = True
        return reception.traces

    def _visits(self, day: int, hazard: FloatArray, buyers: IntArray) -> list[Trace]:
        """Return the known people who looked at a page today, buyers always among them."""
        if not self._catalogue.items:
            return []
        looks = self._luck.everyone("visit", day) < hazard * self._parameters.visits_per_order
        looks[buyers] = True
        visitors = np.flatnonzero(looks & self.people.is_subscriber)
        weights = np.maximum(self._matrix[visitors], 1e-12)
        keys = [item.key for item in self._catalogue.items]
        draws = self._luck.race("page", day, visitors, keys)
        pages = np.argmin(-np.log(draws) / weights, axis=1)
        hours = self._luck.some("visit hour", day, visitors)
        midnight_s = self.clock.second(day)
        return [
            Trace(
                midnight_s + int(hour * 86_400), person, "visit", self._catalogue.items[page].slug
            )
            for person, page, hour in zip(visitors.tolist(), pages.tolist(), hours, strict=True)
        ]
