"""A mailing list that was mailed many times with a holdout, in the store, and whom a next mail would move.

The sandbox's people live on; each is mailed or held out as kpay draws them. What the next mail would do
to each of them is known exactly: the world's own rates with it and without.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import numpy.typing as npt
from sqlalchemy import insert

from kpay.domain.holdout import draw
from kpay.models import Content, Customer, Event, LineItem, Order, Subscriber
from kpay.sandbox.catalogue import Appeal, Catalogue
from kpay.sandbox.clock import WorldClock
from kpay.sandbox.happenings import taking
from kpay.sandbox.mail import Mail
from kpay.sandbox.parameters import Parameters
from kpay.sandbox.people import draw_people
from kpay.sandbox.world import World
from kpay.store.dialect import table_of
from kpay.store.engine import Store
from tests.fakes.sends import add_send
from tests.fakes.sent_worlds import LIFT, WANTING, shelf

START = date(2025, 1, 1)
WARM_DAYS, WINDOW_DAYS = 150, 14


@dataclass
class MailedList:
    """What happened, and the truth about a mail sent on the last day."""

    now: datetime
    people: list[tuple[str, datetime]] = field(default_factory=list)
    orders: list[tuple[str, datetime, int]] = field(default_factory=list)
    clicks: list[tuple[str, datetime]] = field(default_factory=list)
    sends: list[tuple[str, datetime, list[str], list[str]]] = field(default_factory=list)
    left: set[str] = field(default_factory=set)
    moved_by: dict[str, float] = field(default_factory=dict)
    buys_anyway: dict[str, float] = field(default_factory=dict)

    def fill(self, store: Store) -> None:
        """Write it all into a store."""
        buyers = sorted({email for email, _, _ in self.orders})
        number = {email: place for place, email in enumerate(buyers, 1)}
        joined = dict(self.people)
        rows = {
            Customer: [
                {"id": number[one], "email": one, "name": "", "tags": [], "created_at": self.now}
                for one in buyers
            ],
            Subscriber: [
                {
                    "email": one,
                    "name": "",
                    "tags": [],
                    "created_at": joined[one],
                    "status": "unsubscribed" if one in self.left else "subscribed",
                }
                for one in joined
            ],
            Content: [_content(self.now)],
            Order: [
                _order(place, number[email], at, minor)
                for place, (email, at, minor) in enumerate(self.orders, 1)
            ],
            LineItem: [_line(place, minor) for place, (_, _, minor) in enumerate(self.orders, 1)],
            Event: [
                {"email": one, "happened_at": at, "kind": "click", "content": "", "value": ""}
                for one, at in sorted(set(self.clicks))
            ],
        }
        with store.writing() as connection:
            for model, some in rows.items():
                if some:
                    connection.execute(insert(table_of(model)), some)
        for name, at, mailed, held_out in self.sends:
            add_send(store, name, at, mailed=mailed, held_out=held_out)


def _content(now: datetime) -> dict[str, Any]:
    lists: dict[str, Any] = {name: [] for name in ("tags", "includes", "attachments")}
    return {
        "id": 1,
        "slug": "piece",
        "kind": "ebook",
        "title": "Piece",
        "status": "published",
        "digest": "d",
        "file": "piece.md",
        "created_at": now - timedelta(days=900),
        "published_at": now - timedelta(days=900),
        **lists,
    }


def _order(place: int, customer: int, at: datetime, minor: int) -> dict[str, Any]:
    return {
        "id": place,
        "source": "stripe",
        "external_id": f"ch_{place}",
        "customer_id": customer,
        "ordered_at": at,
        "currency": "usd",
        "gross_minor": minor,
        "total_minor": minor,
        "tracking": {},
    }


def _line(order: int, minor: int) -> dict[str, Any]:
    line = {"order_id": order, "position": 0, "content_id": 1, "product": "", "name": "Piece"}
    return {**line, "quantity": 1, "amount_minor": minor}


def mailed_list(
    seed: int,
    *,
    people: int = 1500,
    sends: int = 10,
    held_out_share: float = 0.5,
    wanting: float = WANTING,
    lift: float = LIFT,
) -> MailedList:
    """Mail a list once a fortnight, holding some out each time; return what came of it."""
    usual, sold = Parameters(), shelf()
    parameters = replace(
        usual,
        eur_share=0.0,
        fraud_bursts_a_year=0.0,
        orders_a_year=tuple(wanting * rate for rate in usual.orders_a_year),
        lifts=tuple(lift * one for one in usual.lifts),
    )
    days = WARM_DAYS + sends * WINDOW_DAYS
    persons = draw_people(seed, round(1.02 * people), days + WINDOW_DAYS, parameters)
    world = World(persons, WorldClock(START), persons.chance, Appeal(persons))
    found = MailedList(_moment(days, 0))
    emails = [persons.email(one) for one in range(len(persons))]
    for day in range(days):
        mails: list[Mail] = []
        if day >= WARM_DAYS and (day - WARM_DAYS) % WINDOW_DAYS == 0:
            reached = _reached(world, day)
            name = f"send {seed}-{day}"
            held = draw([emails[one] for one in reached], held_out_share, name)
            mailed = [one for one in reached if emails[one] not in held]
            mails = [Mail(one, (_about(sold, day),)) for one in mailed]
            found.sends.append(
                (name, _moment(day, 0), [emails[one] for one in mailed], sorted(held))
            )
        lived = world.step(day, sold, mails, is_watched=False)
        for taken in filter(None, map(taking, lived.happenings)):
            if taken.person >= 0:
                at = START_AT + timedelta(seconds=taken.at - world.clock.second(0))
                found.orders.append((emails[taken.person], at, taken.amount_minor))
        found.clicks += [
            (emails[trace.person], START_AT + timedelta(seconds=trace.at - world.clock.second(0)))
            for trace in lived.traces
            if trace.kind == "click"
        ]
    found.people = [
        (emails[one], _moment(int(persons.joined_day[one]), 0))
        for one in np.flatnonzero(persons.is_subscriber & (persons.joined_day < days))
    ]
    found.left = {emails[one] for one in np.flatnonzero(world.state.has_opted_out)}
    reached = _reached(world, days)
    idle = _chance(world.fork(), days, sold, [])
    moved = _chance(world.fork(), days, sold, [Mail(one, (_about(sold, days),)) for one in reached])
    found.moved_by = {emails[one]: float(moved[one] - idle[one]) for one in reached}
    found.buys_anyway = {emails[one]: float(idle[one]) for one in reached}
    return found


START_AT = datetime(START.year, START.month, START.day, tzinfo=UTC)


def _moment(day: int, hour: int) -> datetime:
    return START_AT + timedelta(days=day, hours=hour)


def _about(sold: Catalogue, day: int) -> str:
    return sold.items[(day // WINDOW_DAYS) * 5 % len(sold.items)].slug


def _reached(world: World, day: int) -> list[int]:
    persons = world.people
    is_listed = persons.is_subscriber & (persons.joined_day < day)
    reached: list[int] = np.flatnonzero(is_listed & ~world.state.has_opted_out).tolist()
    return reached


def _chance(world: World, day: int, sold: Catalogue, mails: list[Mail]) -> npt.NDArray[np.float64]:
    """Return everybody's chance to buy in the window after a mail, before any luck."""
    world._open_shop(sold)
    world._read_mail(day, mails)
    hazard = world.no_purchase_hazard(day, day + WINDOW_DAYS, lambda _: sold)
    return np.asarray(1 - np.exp(-hazard))


def shares_of_gain(scores: dict[str, float], truth: dict[str, float], share: float) -> float:
    """Return which part of all that a mail would gain falls to the best `share` of people by a score."""
    ranked = sorted(truth, key=lambda email: (-scores[email], email))
    best = ranked[: round(share * len(ranked))]
    return sum(truth[email] for email in best) / sum(truth.values())
