"""What a creator does about double opt-in: ask somebody new, remind the silent, note a yes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from kpay.domain.document import Document, done
from kpay.domain.double_opt_in import Asked
from kpay.domain.enums import SubscriberStatus
from kpay.errors import PartialResult
from kpay.services.confirming import AGAIN, ConfirmDesk
from kpay.services.mailing_list import Newcomer, check_not_gone, row_of
from kpay.services.passing import PassingTime
from kpay.services.sending import Advance
from kpay.store import confirmations, subscribers


def add_and_ask(room: ConfirmDesk, newcomer: Newcomer, passing: PassingTime) -> Document:
    """Put someone on the list unconfirmed and ask them; whoever is unconfirmed already is asked again.

    Raises Refused for an address that opted out, and whatever sending raises: the question waits then.
    """
    now = passing.now()
    row = row_of(newcomer, now)
    row |= {
        "status": SubscriberStatus.UNCONFIRMED.value,
        "consent_source": newcomer.consent_source,
        "consented_at": None,
    }
    email, store = row["email"], room.desk.store
    room.check()
    with store.reading() as connection:
        check_not_gone(connection, email)
        known = subscribers.find(connection, email)
        asked = confirmations.asked(connection, [email]).get(email, Asked())
    if known is not None and known["status"] == SubscriberStatus.SUBSCRIBED:
        return _answer(email, "is on the list already; nothing to do.", {"created": False})
    objection = asked.objection(now)
    if known is not None and objection:
        return _answer(email, f"{objection}; nothing to do.", {"created": False})
    with store.writing() as connection:
        created = subscribers.add(connection, row)
        queued = room.queue(connection, [email], now, again=True)
    report = room.send_waiting(passing)
    if not queued:
        return _answer(email, f"waits on the list, but {objection}.", {"created": created})
    if report.is_partial:
        raise PartialResult(f"{email} waits to be asked: {report.sentence}", AGAIN)
    return _answer(
        email,
        f"was asked to confirm, over {report.where}.",
        {"created": created, "asked": True},
        "kpay subscriber list --status unconfirmed",
    )


def _answer(email: str, sentence: str, payload: Mapping[str, Any], *next_steps: str) -> Document:
    fields = {"email": email, "asked": False, **payload}
    return done("kpay.subscriber.add/1", f"{email} {sentence}", fields, *next_steps)


def count_silent(room: ConfirmDesk, passing: PassingTime) -> int:
    """Return how many unconfirmed people may be asked now."""
    now = passing.now()
    with room.desk.store.reading() as connection:
        return len(room.due(connection, None, now, again=True))


def remind(room: ConfirmDesk, passing: PassingTime, advance: Advance) -> Document:
    """Ask everyone who has not confirmed and may be asked once more."""
    room.check()
    now = passing.now()
    if count_silent(room, passing):
        with room.desk.store.writing() as connection:
            room.queue(connection, None, now, again=True)
    report = room.send_waiting(passing, advance)
    sentence = report.sentence or "Nobody may be asked again now; nothing to do."
    steps = (AGAIN,) if report.is_partial else ()
    return done("kpay.subscriber.remind/1", sentence, report.to_json(), *steps)


def note_yes(room: ConfirmDesk, token: str, passing: PassingTime) -> Document:
    """Take a yes by the token of somebody's link; a second time changes nothing."""
    with room.desk.store.writing() as connection:
        email = room.confirm(connection, token, passing.now(), "link")
    return done(
        "kpay.subscriber.confirm/1",
        f"{email} is on the list, confirmed.",
        {"email": email, "confirmed": True},
        f"kpay subscriber show {email}",
    )
