"""The truth is a replay: said beforehand it comes true, and asking it changes nothing."""

from __future__ import annotations

import csv
import io
import smtplib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from urllib.parse import urlsplit

import pytest

from kpay.sandbox import CampaignTruth, Sandbox
from tests.contract.test_sandbox_stripe import read
from tests.fakes.sandbox_shop import START, open_shop

SEED, CUSTOMERS, DAYS = 3, 600, 200
HORIZON = 60


@dataclass(frozen=True)
class Story:
    """A campaign after two hundred days, and what was said about it before it had worked."""

    sandbox: Sandbox
    day: date
    treated: list[str]
    campaign: CampaignTruth
    buyers: dict[str, bool]
    scores: dict[str, float]
    revenue: dict[date, int]
    was_disturbed: bool


def subscribers(sandbox: Sandbox) -> list[str]:
    return [row["email"] for row in csv.DictReader(io.StringIO(sandbox.subscribers_csv()))]


def mail(sandbox: Sandbox, emails: list[str]) -> None:
    text = "Subject: New\r\nList-Unsubscribe: <mailto:a@example.org>\r\n\r\nhttps://s.example/c/ebook-2.html?from=kpmail-1\r\n"
    with smtplib.SMTP("127.0.0.1", urlsplit(sandbox.smtp_url).port or 0, timeout=10) as server:
        for email in emails:
            try:
                server.sendmail("me@example.org", [email], text)
            except smtplib.SMTPRecipientsRefused:
                continue


def begin() -> Sandbox:
    sandbox = Sandbox(SEED, customers=CUSTOMERS, days=DAYS, start=START)
    sandbox.start()
    open_shop(sandbox)
    sandbox.advance(DAYS)
    return sandbox


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    sandbox = begin()
    treated = [email for place, email in enumerate(subscribers(sandbox)) if place % 5]
    mail(sandbox, treated)
    day, before = sandbox.today, sandbox.digest()
    truth = sandbox.truth
    told = (
        truth.campaign(day, treated),
        truth.buyers(day, HORIZON),
        truth.oracle_scores(day, HORIZON),
        truth.revenue_by_day(day, day + timedelta(HORIZON), "usd"),
    )
    was_disturbed = sandbox.digest() != before or sandbox.today != day
    sandbox.advance(HORIZON)
    yield Story(sandbox, day, treated, *told, was_disturbed)
    sandbox.stop()


@pytest.fixture(scope="module")
def twin() -> Iterator[Sandbox]:
    """The same world, never mailed."""
    sandbox = begin()
    sandbox.advance(HORIZON)
    yield sandbox
    sandbox.stop()


def paid(sandbox: Sandbox, since: date, days: int) -> list[tuple[str, int, str, date]]:
    """Return (address, amount, currency, day) of the succeeded charges, from the API alone."""
    first = int(sandbox.start_at.timestamp()) + (since - START).days * 86_400
    window = {"created[gte]": first, "created[lt]": first + days * 86_400}
    return [
        (
            charge["billing_details"]["email"].lower(),
            charge["amount"],
            charge["currency"],
            since + timedelta((charge["created"] - first) // 86_400),
        )
        for charge in read(sandbox, "charges", **window)
        if charge["status"] == "succeeded"
    ]


def test_asking_for_the_truth_disturbs_nothing(story: Story) -> None:
    assert not story.was_disturbed


def test_what_was_foretold_to_be_earned_is_what_was_earned(story: Story) -> None:
    earned: Counter[date] = Counter()
    for _, amount, currency, day in paid(story.sandbox, story.day, HORIZON):
        if currency == "usd":
            earned[day] += amount
    assert {day: amount for day, amount in story.revenue.items() if amount} == dict(earned)
    assert len(story.revenue) == HORIZON


def test_who_was_foretold_to_buy_bought(story: Story) -> None:
    really = {email for email, *_ in paid(story.sandbox, story.day, HORIZON)}
    known = set(story.buyers)
    assert {email for email, buys in story.buyers.items() if buys} == really & known
    assert story.sandbox.truth.buyers(story.day, HORIZON) == story.buyers


def test_the_mailed_did_what_the_truth_says_they_did(story: Story) -> None:
    treated = set(story.treated)
    rows = [row for row in paid(story.sandbox, story.day, 14) if row[0] in treated]
    assert story.campaign.buyers_with == len({email for email, *_ in rows})
    for currency, amount in story.campaign.revenue_with_minor.items():
        assert amount == sum(row[1] for row in rows if row[2] == currency)


def test_without_the_mail_they_did_what_they_do_in_a_world_without_it(
    story: Story, twin: Sandbox
) -> None:
    treated = set(story.treated)
    rows = [row for row in paid(twin, story.day, 14) if row[0] in treated]
    assert story.campaign.buyers_without == len({email for email, *_ in rows})
    for currency, amount in story.campaign.revenue_without_minor.items():
        assert amount == sum(row[1] for row in rows if row[2] == currency)
    told = story.campaign
    assert told.incremental_buyers == told.buyers_with - told.buyers_without
    for currency, amount in told.incremental_revenue_minor.items():
        assert amount + told.revenue_without_minor[currency] == told.revenue_with_minor[currency]
    unmailed = story.sandbox.truth.buyers(story.day, HORIZON, with_mail=False)
    assert unmailed == twin.truth.buyers(story.day, HORIZON)


def test_those_who_were_not_mailed_lived_the_same_life_in_both_worlds(
    story: Story, twin: Sandbox
) -> None:
    treated = set(story.treated)
    lives = [
        sorted(row for row in paid(world, story.day, HORIZON) if row[0] not in treated)
        for world in (story.sandbox, twin)
    ]
    assert lives[0] == lives[1]
    assert lives[0]


def test_the_truth_is_the_same_afterwards(story: Story) -> None:
    assert story.sandbox.truth.campaign(story.day, story.treated) == story.campaign
    end = story.day + timedelta(HORIZON)
    assert story.sandbox.truth.revenue_by_day(story.day, end, "usd") == story.revenue


def test_the_mail_sells_in_expectation_and_the_expectation_is_near_what_happened(
    story: Story,
) -> None:
    mean = story.sandbox.truth.campaign(story.day, story.treated, expected_from=10)
    assert mean.expected_incremental_buyers is not None
    assert mean.expected_incremental_buyers > 2
    assert abs(mean.expected_incremental_buyers - story.campaign.incremental_buyers) < 12
    assert mean.incremental_revenue_minor == story.campaign.incremental_revenue_minor


def test_the_oracle_is_calibrated_and_knows_more_than_the_last_purchase_tells(
    story: Story, twin: Sandbox
) -> None:
    scores = twin.truth.oracle_scores(story.day, HORIZON)
    outcome = twin.truth.buyers(story.day, HORIZON)
    assert scores == story.scores  # the mail of the day itself is not in it
    expected, happened = sum(scores.values()), sum(outcome.values())
    assert abs(expected - happened) < 3.5 * happened**0.5
    last = {email: day for email, _, _, day in reversed(paid(twin, START, DAYS))}
    customers = [email for email in last if email in outcome]
    by_oracle = auc([(scores[email], outcome[email]) for email in customers])
    by_recency = auc([(last[email].toordinal(), outcome[email]) for email in customers])
    assert by_oracle > by_recency + 0.05
    assert by_recency > 0.6


def auc(pairs: list[tuple[float, bool]]) -> float:
    """Return the share of (buyer, other) pairs in the right order; ties count half."""
    ups = [score for score, bought in pairs if bought]
    downs = [score for score, bought in pairs if not bought]
    right = sum((up > down) + (up == down) / 2 for up in ups for down in downs)
    return right / (len(ups) * len(downs))


def test_other_luck_gives_other_futures_round_the_same_level(story: Story) -> None:
    end = story.day + timedelta(30)
    totals = story.sandbox.truth.revenue_draws(story.day, end, "usd", worlds=6)
    real = sum(story.sandbox.truth.revenue_by_day(story.day, end, "usd").values())
    assert len(set(totals)) == 6
    assert min(totals) * 0.6 < real < max(totals) * 1.6


def test_days_long_past_are_replayed_from_the_beginning(story: Story) -> None:
    early = START + timedelta(20)
    said = story.sandbox.truth.buyers(early, 30)
    really = {email for email, *_ in paid(story.sandbox, early, 30)}
    assert {email for email, buys in said.items() if buys} == really & set(said)
    assert any(said.values())


def test_who_buys_what_a_mail_led_to_comes_by_its_link(story: Story) -> None:
    sessions = [
        one for one in read(story.sandbox, "checkout/sessions") if one["client_reference_id"]
    ]
    treated = set(story.treated)
    mailed_at = int(story.sandbox.start_at.timestamp()) + (story.day - START).days * 86_400

    assert sessions
    for session in sessions:
        assert session["client_reference_id"] == "kpmail-1"
        assert session["metadata"]["kpay_content"] == "ebook-2"
        assert session["customer_details"]["email"].lower() in treated
        assert mailed_at <= session["created"] < mailed_at + 14 * 86_400
