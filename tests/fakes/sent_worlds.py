"""Worlds in which every send's two outcomes are known for every person, so that groups can be drawn anew.

The sandbox's people are lived twice from each send's day: once all reachable ones are mailed, once
nobody is, with the same luck. Nobody's purchases change what others do, so any drawing of groups can
be read off the two: mailed people did what they did with the mail, held-out ones what they did without.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from kpay.domain.experiment import Arm
from kpay.domain.holdout import draw
from kpay.sandbox.catalogue import Appeal, Catalogue, Item, Offer
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import taking
from kpay.sandbox.mail import Mail
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import draw_people
from kpay.sandbox.world import World
from tests.fakes.sandbox_shop import ONE_OFF, TOPICS

WARM_DAYS, WINDOW_DAYS = 150, 14
WANTING, LIFT = 0.26, 0.66
"""Of the sandbox's own: so that 2.2 % of 1,500 people buy in a fortnight, and 30 % more over forty mails."""
Amounts = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class KnownSend:
    """What each reachable person spends in the window, with the mail and without, in minor units."""

    name: str
    emails: tuple[str, ...]
    mailed: Amounts
    left_alone: Amounts

    def held_out(self, share: float, salt: str) -> Flags:
        """Draw whom to hold out, as kpay does."""
        held = draw(self.emails, share, f"{self.name} {salt}")
        return np.fromiter((email in held for email in self.emails), dtype=np.bool_)

    def arms(self, held: Flags) -> tuple[Arm, Arm, int]:
        """Return treated, held out, and what the mail really earned."""
        truth = int((self.mailed[~held] - self.left_alone[~held]).sum())
        return _arm(self.mailed[~held]), _arm(self.left_alone[held]), truth

    def drawn(self, share: float, salt: str) -> tuple[Arm, Arm, int]:
        """Draw groups; return treated, held out, and what the mail really earned."""
        return self.arms(self.held_out(share, salt))

    def without_effect(self) -> KnownSend:
        """The same people had the mail done nothing."""
        return replace(self, mailed=self.left_alone)

    def with_caused_worth(self, factor: float) -> KnownSend:
        """The same people had purchases that the mail caused been worth a multiple of the usual."""
        was_caused = (self.left_alone == 0) & (self.mailed > 0)
        worth = np.round(self.mailed * factor).astype(np.int64)
        return replace(self, mailed=np.where(was_caused, worth, self.mailed))


def _arm(spent: Amounts) -> Arm:
    return Arm(len(spent), tuple(spent[spent > 0].tolist()))


def shelf() -> Catalogue:
    return Catalogue(
        tuple(
            Item(
                f"{kind}-{place}",
                kind,
                (TOPICS[place % 8], TOPICS[(place * 3 + 1) % 8]),
                0,
                (Offer(f"l{place}", f"p{place}", f"d{place}", amount, "usd"),),
            )
            for place, (kind, amount) in enumerate(ONE_OFF)
        )
    )


@cache
def known_sends(
    seed: int, sends: int, *, people: int = 1500, wanting: float = WANTING, lift: float = LIFT
) -> tuple[KnownSend, ...]:
    """Send a mail a fortnight to everyone who can be reached; everyone is mailed in the live world."""
    usual, sold = Parameters(), shelf()
    parameters = replace(
        usual,
        eur_share=0.0,
        fraud_bursts_a_year=0.0,
        orders_a_year=tuple(wanting * rate for rate in usual.orders_a_year),
        lifts=tuple(lift * one for one in usual.lifts),
    )
    persons = draw_people(seed, round(1.02 * people), 540, parameters)
    world = World(persons, WorldClock(date(2025, 1, 1)), persons.chance, Appeal(persons))
    for day in range(WARM_DAYS):
        world.step(day, sold, (), is_watched=False)
    found = []
    for number in range(sends):
        day = WARM_DAYS + number * WINDOW_DAYS
        is_reachable = persons.is_subscriber & (persons.joined_day < day)
        reached = np.flatnonzero(is_reachable & ~world.state.has_opted_out)
        slug = sold.items[number * 5 % len(sold.items)].slug
        mails = [Mail(int(person), (slug,)) for person in reached]
        idle, _ = _lived(world.fork(), day, sold, ())
        moved, world = _lived(world.fork(), day, sold, mails)
        emails = tuple(persons.email(int(person)) for person in reached)
        found.append(KnownSend(f"send {seed}-{number}", emails, moved[reached], idle[reached]))
    return tuple(found)


def _lived(
    world: World, day: int, shelf: Catalogue, mails: Sequence[Mail]
) -> tuple[Amounts, World]:
    spent = np.zeros(len(world.people), dtype=np.int64)
    for today in range(day, day + WINDOW_DAYS):
        lived = world.step(today, shelf, mails if today == day else (), is_watched=False)
        for taken in _takings(lived.happenings):
            spent[taken[0]] += taken[1]
    return spent, world


def _takings(happenings: Sequence[object]) -> Iterator[tuple[int, int]]:
    for happening in happenings:
        taken = taking(happening)  # type: ignore[arg-type]
        if taken is not None and taken.person >= 0:
            yield taken.person, taken.amount_minor
