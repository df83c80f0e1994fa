"""Columns have words, reasons are sentences, and their parts add up."""

from __future__ import annotations

import math
from datetime import date

import numpy as np
import pytest

from kpay.domain import column_words
from kpay.domain.family_words import WORDS, title_of, words_of
from kpay.ml import targets
from kpay.ml.explaining import Explanation, Facts, Reason
from kpay.ml.families import FAMILIES, toward
from kpay.ml.features import snapshot
from kpay.ml.frames import purchases
from kpay.ml.history import History
from kpay.services import explaining_words
from tests.fakes.ml_worlds import END, bg_nbd_orders

DAY = date(2026, 8, 31)
NOW = snapshot(History(purchases(bg_nbd_orders(60, seed=1), END)), 0, 60)
VALUES = {name: float(column[0]) for name, column in NOW.columns.items()} | {
    "recency_days": 55.0, "mean_gap_days": 40.0, "last_gap_days": 31.0, "overdue": 1.375,
    "days_bought": 3.0, "days_bought_90": 2.0, "lines": 4.0, "contents": 1.0, "tenure_days": 135.0, "bg_alive": 0.854,
    "mean_value": 1.0, "last_value": 0.5, "mail_clicks_30": 0.0, "mail_click_days": None,
}  # fmt: skip
FACTS = Facts(3, 40.2, 55, 9, 111, 4)


def explanation(*parts: tuple[str, float], base: float = -1.0) -> Explanation:
    reasons = tuple(Reason(name, VALUES.get(name), adds) for name, adds in parts)
    return Explanation(base, reasons, VALUES, FACTS)


def test_every_column_a_model_can_see_has_words() -> None:
    families = (*FAMILIES, toward("a-piece"))
    columns = {*NOW.columns, *(name for family in families for name in family.columns)}
    columns |= {target.prior_column for target in map(targets.parse, ("renewal", "refund"))}
    assert sorted(columns - set(WORDS)) == []
    titles = [words.title for words in WORDS.values()]
    assert len(titles) == len(set(titles))


def test_a_column_of_another_version_keeps_its_name() -> None:
    assert title_of("from_the_future") == "from_the_future"
    assert words_of("from_the_future").theme == "from_the_future"


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("days", 3.0, "3"),
        ("days", 2.5, "2.5"),
        ("count", 12345.0, "12,345"),
        ("ago", None, "never"),
        ("count", math.nan, "not known"),
        ("share", 0.256, "26%"),
        ("share", 0.012, "1.2%"),
        ("log_odds", 0.0, "50%"),
        ("multiple", 1.0, "1.00"),
        ("number", -0.001, "0"),
        ("log", math.log(4), "3.00"),
    ],
)
def test_values_are_read_as_people_read_them(
    kind: column_words.Kind, value: float | None, text: str
) -> None:
    assert column_words.shown(kind, value) == text


def test_the_headline_says_what_happened_without_a_model() -> None:
    assert explaining_words.headline(FACTS, DAY) == (
        "Bought 3 times, usually every 40 days, last 55 days ago; "
        "clicked nothing since 2026-05-12, in 4 mails"
    )
    assert explaining_words.headline(Facts(1, None, 0, 0, None, 0), DAY) == "Bought once, today"
    assert explaining_words.headline(Facts(2, 1.0, 1, 1, None, 1), DAY) == (
        "Bought twice, usually every 1 day, last 1 day ago; clicked nothing in 1 mail"
    )
    assert explaining_words.headline(Facts(1, None, 9, 2, 5, 0), DAY).endswith(
        "9 days ago; last clicked in a mail on 2026-08-26"
    )


def test_columns_of_one_theme_are_one_reason_and_their_parts_are_added() -> None:
    found = explanation(
        ("mean_gap_days", 0.2), ("recency_days", -0.9), ("tenure_days", 0.3), ("gap_trend", 0.1)
    )
    rhythm, tenure = explaining_words.reasons(found, DAY)
    assert rhythm.columns == ("mean_gap_days", "recency_days", "gap_trend")
    assert rhythm.adds == pytest.approx(-0.6)
    assert rhythm.says == (
        "Last purchase 55 days ago, on 2026-07-07: 1.38 times their usual gap; "
        "3 purchases, 2 of them in the last 90 days"
    )
    assert tenure.says == "First purchase 135 days ago, on 2026-04-18"
    assert tenure.effect == "6.3 points more"
    assert rhythm.adds + tenure.adds == pytest.approx(sum(part.adds for part in found.parts))


def test_one_purchase_is_told_without_a_gap() -> None:
    values = VALUES | {"days_bought": 1.0, "overdue": None}
    parts = (Reason("recency_days", 55.0, -0.5), Reason("value", 1.0, 0.1))
    rhythm, money = explaining_words.reasons(Explanation(-1.0, parts, values, FACTS), DAY)
    assert rhythm.says == "Last purchase 55 days ago, on 2026-07-07, and no second one yet"
    assert money.says == "Paid 1.00 times a usual purchase"


def test_points_are_counted_from_the_base() -> None:
    (reason,) = explaining_words.reasons(explanation(("tenure_days", 1.0), base=0.0), DAY)
    assert reason.points == pytest.approx(100 * (1 / (1 + math.exp(-1)) - 0.5))
    (nothing,) = explaining_words.reasons(explanation(("tenure_days", 0.001), base=0.0), DAY)
    assert nothing.effect == "hardly anything"


@pytest.mark.parametrize(
    ("known", "says"),
    [
        ({"member_active": 0.0, "member_count": 0.0}, "Never had a subscription"),
        (
            {"member_active": 0.0, "member_count": 1.0, "member_ended_days": 4.0},
            "No running subscription; one ended 4 days ago",
        ),
        (
            {"member_active": 1.0, "member_count": 1.0, "member_leaving": 0.0,
             "member_charge_days": 11.6},
            "1 running subscription; the next charge is in 12 days",
        ),
        (
            {"member_active": 2.0, "member_count": 2.0, "member_leaving": 1.0,
             "member_charge_days": None},
            "2 running subscriptions, 1 of them cancelled",
        ),
        (
            {"mail_sent_90": 8.0, "mail_clicks_90": 0.0, "mail_click_days": None},
            "0 clicks in 8 mails of the last 90 days; never clicked",
        ),
        (
            {"mail_sent_90": 1.0, "mail_clicks_90": 1.0, "mail_click_days": 0.0},
            "1 click in 1 mail of the last 90 days; last click today",
        ),
        ({"site_visits_90": 3.0, "site_lessons_90": None}, "Looked at in the last 90 days: 3 pages"),
        ({"refund_count": 0.0, "refund_days": None}, "Never gave a purchase back"),
        ({"refund_count": 2.0, "refund_days": 30.0}, "Gave 2 purchases back; the last 30 days ago"),
    ],
)  # fmt: skip
def test_families_have_sentences_of_their_own(known: dict[str, float | None], says: str) -> None:
    parts = (Reason(next(iter(known)), None, 0.5),)
    (reason,) = explaining_words.reasons(Explanation(-1.0, parts, known, FACTS), DAY)
    assert reason.says == says


def test_columns_without_a_sentence_are_named_with_their_values() -> None:
    values = {"shelf_left": 4.0, "shelf_new_days": None, "shelf_owned": 1.0}
    parts = tuple(Reason(name, value, 0.1) for name, value in values.items())
    (reason,) = explaining_words.reasons(Explanation(-1.0, parts, values, FACTS), DAY)
    assert reason.says == (
        "Pieces on sale that they do not own: 4; "
        "Days since the launch of the newest piece they do not own: never"
    )


@pytest.mark.parametrize("row", range(0, 60, 7))
def test_every_customer_can_be_told_about(row: int) -> None:
    row = min(row, len(NOW.customer) - 1)
    own = {name: float(column[row]) for name, column in NOW.columns.items()}
    values = {name: value if np.isfinite(value) else None for name, value in own.items()}
    parts = tuple(Reason(name, value, 0.1) for name, value in values.items())
    for reason in explaining_words.reasons(Explanation(-1.0, parts, values, FACTS), DAY):
        assert reason.says
        assert "None" not in reason.says
        assert "nan" not in reason.says
