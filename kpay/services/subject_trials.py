"""Trying several subjects on one list: who gets which, and what each did."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, RowMapping

from kpay.domain.campaign_file import LABELS
from kpay.domain.campaign_results import WINDOW_DAYS
from kpay.domain.origins import Origin, OriginKind, read_reference
from kpay.domain.subject_trial import Tally, match_chances, plan_batches, split_evenly, standing
from kpay.domain.variant_results import SubjectTrial
from kpay.store import outcomes
from kpay.store.engine import Store

__all__ = ["assign_due", "plan_batches", "tallies", "trial"]


def assign_due(
    store: Store, campaign: RowMapping, subjects: Sequence[str], now: datetime
) -> dict[str, int]:
    """Give every waiting message whose batch is due a subject; return how many got each.

    The first batch is split evenly, later ones go by what is known of clicks so far. A message that
    has a subject keeps it; with one subject, or nothing due, nothing is written. All of it is one
    transaction, and the same clicks draw the same subjects, so that a run that was cut off is
    simply run again.
    """
    labels = LABELS[: len(subjects)]
    if len(labels) < 2 or not _has_work(store, campaign, now):
        return {}
    given: Counter[str] = Counter()
    with store.writing() as connection:
        for variant, messages in _drawn(connection, campaign, labels, now).items():
            given[variant] += outcomes.give_subject(connection, variant, messages)
    return dict(given)


def trial(
    connection: Connection, campaign: RowMapping, subjects: Sequence[str], now: datetime
) -> SubjectTrial | None:
    """Return how the subjects of a campaign did by `now`; None when there was only one."""
    labels = LABELS[: len(subjects)]
    if len(labels) < 2:
        return None
    texts = dict(zip(labels, subjects, strict=True))
    return SubjectTrial(texts, tallies(connection, campaign, labels, now))


def tallies(
    connection: Connection, campaign: RowMapping, labels: Sequence[str], now: datetime
) -> dict[str, Tally]:
    """Return how many people got each subject, and how many of them clicked or bought by its link.

    What comes more than a fortnight after the first message counts no more.
    """
    sent = outcomes.sent_by_variant(connection, campaign["id"])
    begun = campaign["first_sent_at"]
    if begun is None:
        return dict.fromkeys(labels, Tally())
    end = min(now + timedelta(seconds=1), begun + timedelta(days=WINDOW_DAYS))
    responded = outcomes.clicked(connection, campaign["id"], end)
    responded |= _buyers_by_link(connection, campaign, begun, end)
    clicks = Counter(responded.values())
    return {label: Tally(sent.get(label, 0), clicks[label]) for label in labels}


def _buyers_by_link(
    connection: Connection, campaign: RowMapping, start: datetime, end: datetime
) -> dict[int, str]:
    """Return the messages by whose own link somebody bought, with their subjects."""
    token = Origin(OriginKind.CAMPAIGN, campaign["name"]).token
    found = map(read_reference, outcomes.references(connection, token, start, end))
    messages = {one.message for one in found if one is not None and one.message is not None}
    return outcomes.variants_of(connection, campaign["id"], messages) if messages else {}


def _has_work(store: Store, campaign: RowMapping, now: datetime) -> bool:
    with store.reading() as connection:
        return outcomes.is_without_subject(connection, campaign["id"], now)


def _drawn(
    connection: Connection, campaign: RowMapping, labels: Sequence[str], now: datetime
) -> Mapping[str, Sequence[int]]:
    """Draw a subject for each due message without one."""
    batches: defaultdict[int, dict[str, int]] = defaultdict(dict)
    for row in outcomes.without_subject(connection, campaign["id"], now):
        batches[row["batch"]][row["email"]] = row["id"]
    chances = standing(tallies(connection, campaign, labels, now)).chances
    found: defaultdict[str, list[int]] = defaultdict(list)
    for batch, messages in batches.items():
        salt = f"subjects of {campaign['name']} {campaign['id']}, batch {batch}"
        emails = list(messages)
        drawn = (
            match_chances(emails, chances, salt) if batch else split_evenly(emails, labels, salt)
        )
        for email, variant in drawn.items():
            found[variant].append(messages[email])
    return found
