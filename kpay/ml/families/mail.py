"""Mail: what was sent to each customer and what they did with it."""

from __future__ import annotations

from typing import Final

import numpy as np

from kpay.ml.families.acts import Acts
from kpay.ml.families.family import Family
from kpay.ml.frames import Floats, Ints
from kpay.ml.history import History

WINDOWS_DAYS: Final = (7, 30, 90)
COLUMNS: Final = (
    *(f"mail_sent_{days}" for days in WINDOWS_DAYS),
    *(f"mail_clicks_{days}" for days in WINDOWS_DAYS),
    "mail_clicks",
    "mail_click_share",
    "mail_replies_90",
    "mail_sent_days",
    "mail_click_days",
    "mail_reply_days",
    "mail_sent_since_click",
    "mail_listed_days",
    "mail_left_days",
)
KINDS: Final = ("mail", "click", "reply", "join", "unsubscribe")
PSEUDO_MAILS: Final = 20.0


def read(known: History, customers: Ints, cutoff: int) -> dict[str, Floats]:
    """Return sends, clicks and replies; a share of clicks leans on the average reader's."""
    sent, clicks, replies, joined, left = (
        Acts.of(known.of(kind), customers, cutoff) for kind in KINDS
    )
    columns = {f"mail_sent_{days}": sent.within(days).counts() for days in WINDOWS_DAYS}
    columns |= {f"mail_clicks_{days}": clicks.within(days).counts() for days in WINDOWS_DAYS}
    usual = len(known.of("click")) / max(len(known.of("mail")), 1)
    clicked = (clicks.counts() + PSEUDO_MAILS * usual) / (sent.counts() + PSEUDO_MAILS)
    return {
        **columns,
        "mail_clicks": clicks.counts(),
        "mail_click_share": clicked,
        "mail_replies_90": replies.within(90).counts(),
        "mail_sent_days": sent.days_since(),
        "mail_click_days": clicks.days_since(),
        "mail_reply_days": replies.days_since(),
        "mail_sent_since_click": _since(sent, clicks.days_since()),
        "mail_listed_days": joined.days_since(),
        "mail_left_days": _still_gone(left.days_since(), joined.days_since()),
    }


def _since(sent: Acts, click_days: Floats) -> Floats:
    """Return how many mails came after the last click; all of them where there was none."""
    is_later = ~(sent.ago >= click_days[sent.who])
    return sent.where(is_later).counts()


def _still_gone(left_days: Floats, joined_days: Floats) -> Floats:
    """Return the days since leaving the list, NaN for whoever never left or came back."""
    has_come_back = joined_days < left_days
    return np.where(has_come_back, np.nan, left_days)


def _is_known(known: History) -> bool:
    return any(len(known.of(kind)) for kind in KINDS)


MAIL: Final = Family("mail", COLUMNS, _is_known, read)
