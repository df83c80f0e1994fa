"""The people of the world: who they are, what they like, how they answer mail. Never changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from kpay.sandbox import names
from kpay.sandbox.chance import BoolArray, Chance, FloatArray, IntArray
from kpay.sandbox.parameters import Parameters

DAYS_A_YEAR = 365.25


class Buyer(NamedTuple):
    """What a checkout learns about somebody; `person` is -1 for a stranger outside the world."""

    person: int
    email: str
    name: str
    country: str
    is_guest: bool


@dataclass(frozen=True)
class People:
    """Arrays over persons; `rate` is wanted orders a day at full match, before season and mail."""

    chance: Chance
    parameters: Parameters
    stratum: IntArray
    rate: FloatArray
    leave_chance: FloatArray
    lift: FloatArray
    budget: FloatArray
    joined_day: IntArray
    is_subscriber: BoolArray
    is_guest: BoolArray
    pays_eur: BoolArray
    has_dead_mailbox: BoolArray
    shouts: BoolArray
    opt_out_factor: FloatArray
    weekend_leaning: FloatArray
    usual_hour: FloatArray

    def __len__(self) -> int:
        return self.chance.people

    @cached_property
    def profiles(self) -> list[tuple[str, str, str, str]]:
        """Return (address on the list, name, country, time zone) of everyone."""
        return _profiles(self.chance, self.pays_eur)

    @cached_property
    def by_email(self) -> dict[str, int]:
        """Return the person behind each address, in lower case."""
        return {profile[0]: person for person, profile in enumerate(self.profiles)}

    def email(self, person: int) -> str:
        """Return the address a person has on the list, in lower case."""
        return self.profiles[person][0]

    def buyer(self, person: int) -> Buyer:
        """Return what the person types at the checkout; some type their address in capitals."""
        email, name, country, _ = self.profiles[person]
        typed = email.title() if self.shouts[person] else email
        return Buyer(person, typed, name, country, bool(self.is_guest[person]))


def population(customers: int, parameters: Parameters) -> int:
    """Return how many people it takes for about `customers` of them to buy something."""
    return max(20, round(customers * parameters.people_per_customer))


def draw_people(seed: int, customers: int, days: int, parameters: Parameters) -> People:
    """Draw the people of a world planned for `days` days."""
    chance = Chance(seed, population(customers, parameters))
    stratum = _strata(chance, parameters)
    return People(
        chance=chance,
        parameters=parameters,
        stratum=stratum,
        rate=_rates(chance, stratum, parameters),
        leave_chance=chance.generator("leave").beta(
            parameters.leave_a, parameters.leave_b, chance.people
        ),
        lift=np.array(parameters.lifts)[stratum]
        * np.exp(parameters.lift_spread * chance.normal("lift") - parameters.lift_spread**2 / 2),
        budget=parameters.budget_median
        * np.exp(parameters.budget_spread * chance.normal("budget")),
        joined_day=_joined_days(chance, days, parameters),
        is_subscriber=chance.everyone("subscriber", 0) < parameters.subscriber_share,
        is_guest=chance.everyone("guest", 0) < parameters.guest_share,
        pays_eur=chance.everyone("currency", 0) < parameters.eur_share,
        has_dead_mailbox=chance.everyone("dead mailbox", 0) < parameters.dead_mailbox_share,
        shouts=chance.everyone("shouts", 0) < parameters.shouting_share,
        opt_out_factor=np.exp(parameters.opt_out_spread * chance.normal("opt-out factor")),
        weekend_leaning=np.clip(chance.normal("weekend"), -2, 2),
        usual_hour=(19 + 3.5 * chance.normal("hour")) % 24,
    )


def _strata(chance: Chance, parameters: Parameters) -> IntArray:
    edges = np.cumsum(parameters.strata_shares)[:-1]
    return np.searchsorted(edges, chance.everyone("stratum", 0)).astype(np.int64)


def _rates(chance: Chance, stratum: IntArray, parameters: Parameters) -> FloatArray:
    shape = parameters.rate_shape
    spread = chance.generator("rate").standard_gamma(shape, chance.people) / shape
    return np.array(parameters.orders_a_year)[stratum] * spread / DAYS_A_YEAR


def _joined_days(chance: Chance, days: int, parameters: Parameters) -> IntArray:
    """Return the day each joined; those known at the start joined in the year before it."""
    known = chance.everyone("known", 0) < parameters.known_at_start_share
    when = chance.everyone("joined", 0)
    later = np.floor(when * days * parameters.joining_days_per_day)
    return np.where(known, np.floor(-365 * when) - 1, later).astype(np.int64)


def _profiles(chance: Chance, pays_eur: BoolArray) -> list[tuple[str, str, str, str]]:
    draws = chance.generator("profile").random((chance.people, 5))
    return [
        _profile(person, names.EUR_PLACES if eur else names.USD_PLACES, row)
        for person, (eur, row) in enumerate(zip(pays_eur.tolist(), draws.tolist(), strict=True))
    ]


def _profile(
    person: int, places: tuple[names.Place, ...], draws: list[float]
) -> tuple[str, str, str, str]:
    where, who, first, last, domain = draws
    country, _, timezone, pools = places[_weighted([place[1] for place in places], where)]
    pool = pools[_weighted([share for _, share in pools], who)][0]
    given = pool[0][int(first * len(pool[0]))]
    family = pool[1][int(last * len(pool[1]))]
    parts = (family[0], given[0]) if pool in names.FAMILY_FIRST else (given[0], family[0])
    name = ("" if pool is names.CHINESE else " ").join(parts)
    ending = ("com", "org", "net")[int(domain * 3)]
    return f"{given[1]}.{family[1]}{person}@example.{ending}", name, country, timezone


def _weighted(shares: list[float], draw: float) -> int:
    reached = 0.0
    for position, share in enumerate(shares):
        reached += share
        if draw < reached:
            return position
    return len(shares) - 1
