"""What has happened that begins a sequence, and whether it still holds.

Asked again later, the same happening has the same key; one that is gone (the bill was paid, the
subscription goes on) is not answered any more, and who is in a sequence because of it leaves it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, RowMapping

from kpay.domain.address import normal_email
from kpay.domain.checkout import Account
from kpay.domain.money import format_minor
from kpay.domain.period import instant_text, local_day
from kpay.domain.records_base import part
from kpay.domain.sequence_triggers import Trigger, TriggerKind
from kpay.services.provided import unpack
from kpay.store import provider, triggers

LEFT_ALONE: Final = timedelta(hours=1)
"""How long somebody may stand at the till before the checkout counts as abandoned."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One thing that begins a sequence for one person.

    `slug` is the piece it is about; `values` are what a letter may tell of it as `event`.
    """

    key: str
    email: str
    at: datetime
    customer_id: int | None = None
    name: str = ""
    slug: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: which trigger, since when, as of when; days are those of `timezone`."""

    connection: Connection
    trigger: Trigger
    since: datetime
    now: datetime
    timezone: str

    def day(self, moment: datetime) -> str:
        """Return the day of a moment as people write it to each other: 2026-10-31."""
        return local_day(moment, self.timezone).isoformat()


def happened(question: Question) -> list[Happening]:
    """Return what has happened and still holds, oldest first."""
    found = FINDERS[question.trigger.kind](question)
    return sorted(found, key=lambda one: (one.at, one.key))


def _purchases(asked: Question) -> list[Happening]:
    return [
        Happening(
            key=f"order {row['external_id']}",
            email=normal_email(row["email"]),
            at=row["ordered_at"],
            customer_id=row["customer_id"],
            name=row["name"] or "",
            slug=row["slug"],
            values={
                "title": row["title"] or "",
                "amount": format_minor(row["total_minor"], row["currency"]),
                "day": asked.day(row["ordered_at"]),
                "order": row["external_id"],
            },
        )
        for row in triggers.purchases(asked.connection, asked.since, asked.trigger.slug)
    ]


def _subscribers(asked: Question) -> list[Happening]:
    return [
        Happening(
            key=f"subscriber {row['id']}",
            email=row["email"],
            at=row["joined_at"],
            name=row["name"],
            values={"day": asked.day(row["joined_at"])},
        )
        for row in triggers.subscribers(asked.connection, asked.since)
    ]


def _abandoned(asked: Question) -> list[Happening]:
    """Return the unpaid checkouts of everybody who has bought nothing since.

    Whoever has just come back to the till is left alone: theirs count an hour after the newest.
    """
    connection = asked.connection
    began = asked.since - LEFT_ALONE
    rows = triggers.unpaid_checkouts(connection, began, asked.now, asked.trigger.slug)
    if not rows:
        return []
    bought = _last_bought(connection, rows[0]["created_at"])
    newest = {normal_email(row["email"]): row["created_at"] for row in rows}
    left = [
        row for row in rows if bought.get(normal_email(row["email"]), began) < row["created_at"]
    ]
    raws = _raw_objects(connection, "checkout.session", left)
    return [
        Happening(
            key=f"checkout {row['external_id']}",
            email=normal_email(row["email"]),
            at=newest[normal_email(row["email"])] + LEFT_ALONE,
            name=part(raws.get(row["external_id"], {}), "customer_details", "name") or "",
            slug=row["slug"],
            values={
                "title": row["title"] or "",
                "amount": _money(row["amount_total_minor"], row["currency"]),
                "day": asked.day(row["created_at"]),
                "url": _way_back(raws.get(row["external_id"], {})),
            },
        )
        for row in left
    ]


def _last_bought(connection: Connection, since: datetime) -> dict[str, datetime]:
    """Return when everybody who bought something from a moment on did so last."""
    bought: dict[str, datetime] = {}
    for row in triggers.bought_since(connection, since):
        if row["email"]:
            email = normal_email(row["email"])
            bought[email] = max(row["ordered_at"], bought.get(email, row["ordered_at"]))
    return bought


def _way_back(session: Mapping[str, Any]) -> str:
    """Return where an unpaid checkout can be taken up again, if the provider offers that."""
    recovery = part(dict(session), "after_expiration", "recovery", "url")
    return str(recovery or session.get("url") or "")


def _failed_cards(asked: Question) -> list[Happening]:
    rows = triggers.unpaid_bills(asked.connection, asked.since)
    cards = _cards(asked.connection, rows)
    bills = _raw_objects(asked.connection, "invoice", rows, name="invoice")
    return [
        _about_contract(
            row,
            key=f"invoice {row['invoice']}",
            at=row["billed_at"],
            values={
                "amount": format_minor(row["billed_minor"], row["billed_currency"]),
                "day": asked.day(row["billed_at"]),
                "card": _card_text(cards.get(row["external_id"])),
                "url": bills.get(row["invoice"], {}).get("hosted_invoice_url") or "",
            },
        )
        for row in rows
    ]


def _expiring_cards(asked: Question) -> list[Happening]:
    """Return who pays with a card that expires this month or the next one, in the creator's zone.

    The card is that of the newest payment: a card that was changed since shows with the next one.
    """
    rows = [row for row in triggers.running_subscriptions(asked.connection) if not row["is_ending"]]
    cards = _cards(asked.connection, rows)
    today = local_day(asked.now, asked.timezone)
    soon = {(today.year, today.month), (today.year + today.month // 12, today.month % 12 + 1)}
    found = []
    for row in rows:
        card = cards.get(row["external_id"]) or {}
        year, month = card.get("exp_year"), card.get("exp_month")
        if (year, month) not in soon:
            continue
        key = f"card {row['external_id']} {year}-{month:02}"
        values = {"card": _card_text(card), "expires": f"{month:02}/{year}"}
        found.append(_about_contract(row, key=key, at=asked.now, values=values))
    return found


def _ending(asked: Question) -> list[Happening]:
    until = asked.now + timedelta(days=asked.trigger.days)
    return [
        _about_contract(
            row,
            key=f"ending {row['external_id']} {asked.day(row['current_period_end_at'])}",
            at=asked.now,
            values={"day": asked.day(row["current_period_end_at"])},
        )
        for row in triggers.running_subscriptions(asked.connection)
        if row["is_ending"]
        and row["current_period_end_at"]
        and asked.now < row["current_period_end_at"] <= until
    ]


def _ended(asked: Question) -> list[Happening]:
    """Return whose subscription is over, but not who has begun another one to the same."""
    running = {
        (row["customer_id"], row["content_id"])
        for row in triggers.running_subscriptions(asked.connection)
    }
    return [
        _about_contract(
            row,
            key=f"ended {row['external_id']}",
            at=row["ended_at"],
            values={"day": asked.day(row["ended_at"])},
        )
        for row in triggers.ended_subscriptions(asked.connection, asked.since)
        if row["ended_at"] <= asked.now and (row["customer_id"], row["content_id"]) not in running
    ]


def _quiet(asked: Question) -> list[Happening]:
    """Return who has bought nothing for long, once for each such spell; members are not quiet."""
    spell = timedelta(days=asked.trigger.days)
    members = {row["customer_id"] for row in triggers.running_subscriptions(asked.connection)}
    rows = triggers.last_orders(asked.connection, asked.since - spell, asked.now - spell)
    return [
        Happening(
            key=f"quiet since {instant_text(row['ordered_at'])}",
            email=row["email"],
            at=row["ordered_at"] + spell,
            customer_id=row["id"],
            name=row["name"],
            values={"days": str(asked.trigger.days), "day": asked.day(row["ordered_at"])},
        )
        for row in rows
        if row["id"] not in members
    ]


def _about_contract(
    row: RowMapping, *, key: str, at: datetime, values: Mapping[str, str]
) -> Happening:
    amount = format_minor(row["amount_minor"], row["currency"])
    return Happening(
        key=key,
        email=row["email"],
        at=at,
        customer_id=row["customer_id"],
        name=row["name"],
        slug=row["slug"],
        values={"title": row["title"] or "", "amount": amount, **values},
    )


def _cards(connection: Connection, rows: Sequence[RowMapping]) -> dict[str, dict[str, Any]]:
    """Return the card that last paid each subscription, as the provider described it then."""
    charges = triggers.newest_charges(connection, [row["external_id"] for row in rows])
    paid = [
        {**row, "charge": charges[row["external_id"]]}
        for row in rows
        if row["external_id"] in charges
    ]
    raws = _raw_objects(connection, "charge", paid, name="charge")
    found = {}
    for row in paid:
        card = part(raws.get(row["charge"], {}), "payment_method_details", "card")
        if card:
            found[row["external_id"]] = card
    return found


def _raw_objects(
    connection: Connection,
    kind: str,
    rows: Iterable[Mapping[str, Any] | RowMapping],
    *,
    name: str = "external_id",
) -> dict[str, dict[str, Any]]:
    """Return the provider's own objects that some rows name, by id."""
    wanted: dict[Account, list[str]] = {}
    for row in rows:
        wanted.setdefault(Account(row["account"], row["livemode"]), []).append(row[name])
    return {
        external_id: unpack(payload)
        for account, ids in wanted.items()
        for external_id, payload in provider.payloads(connection, account, kind, ids).items()
    }


def _card_text(card: Mapping[str, Any] | None) -> str:
    """Return a card as its owner knows it: "Visa ending in 4242"."""
    if not card or not card.get("last4"):
        return "your card"
    return f"{str(card.get('brand') or 'card').title()} ending in {card['last4']}"


def _money(minor: int, currency: str | None) -> str:
    return format_minor(minor, currency) if currency else ""


FINDERS: Final[Mapping[TriggerKind, Callable[[Question], list[Happening]]]] = {
    TriggerKind.PURCHASE: _purchases,
    TriggerKind.SUBSCRIBER: _subscribers,
    TriggerKind.ABANDONED: _abandoned,
    TriggerKind.FAILED_CARD: _failed_cards,
    TriggerKind.EXPIRING_CARD: _expiring_cards,
    TriggerKind.ENDING: _ending,
    TriggerKind.ENDED: _ended,
    TriggerKind.QUIET: _quiet,
}
