"""Sequences from the command line: each trigger from what a sync leaves, and what is printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import Result
from tests.fakes.desk import Desk, open_desk
from tests.fakes.letters_out import letters_out, outbox, words, write_sequence
from tests.fakes.stripe_shop import DAY, START, Raw, Sale

Kpay = Callable[..., Result]
GOALS = ("welcome", "purchase", "abandoned", "failed-card", "expiring-card", "ending", "quiet")
SERVICE = "kind: service"


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("KPAY_POSTAL_ADDRESS", "Hauptstraße 1, Berlin")
    with open_desk(tmp_path) as opened:
        yield opened


def second(day: float) -> int:
    return START + int(day * DAY)


def run(desk: Desk, day: float) -> dict[str, Any]:
    """Sync, and run the sequences."""
    synced = desk.run("sync", day=day)
    assert synced.exit_code == 0, synced.stderr
    return desk.answer("sequence", "run", "--yes", day=day)


def consent(desk: Desk, *emails: str) -> None:
    for one in emails:
        assert desk.run("subscriber", "add", one, "--name", "Ana", day=-90).exit_code == 0


def member(desk: Desk, day: float, card: Raw | None = None) -> Sale:
    """Begin a membership; nobody asked for mail."""
    club = desk.shop.offer("club", 900, interval="month")
    customer = desk.shop.customer("ana@example.com", second(day))
    sale = desk.shop.subscribe(club, second(day), customer)
    details = {"brand": "visa", "last4": "4242", "exp_month": 8, "exp_year": 2031} | (card or {})
    desk.shop.provider.change(
        sale.charge,
        second(day),
        None,
        payment_method_details={"type": "card", "card": details},
    )
    return sale


def test_a_purchase_begins_a_sequence_and_a_whole_refund_ends_it(desk: Desk) -> None:
    guide, audio = desk.shop.offer("guide", 2900), desk.shop.offer("audio", 900)
    consent(desk, "ana@example.com", "ben@example.com")
    write_sequence(desk.home, "thanks", "trigger: purchase of guide", begin="1d", more="2d")
    desk.shop.sell(guide, second(1), email="early@example.com")
    run(desk, 2)
    sales = [desk.shop.sell(guide, second(3), email=f"{who}@example.com") for who in ("ana", "ben")]
    desk.shop.sell(audio, second(3), email="ana@example.com")
    run(desk, 3.5)
    assert letters_out(desk.home) == []
    assert run(desk, 4.1)["sent_now"] == 2
    desk.shop.refund(sales[1], 2900, second(5))
    done = run(desk, 6.2)
    assert done["sequences"][0]["leaving"] == {"no longer so": 1}
    assert letters_out(desk.home) == [
        ("ana@example.com", "begin for Ana"),
        ("ben@example.com", "begin for Ana"),
        ("ana@example.com", "more for Ana"),
    ]


def test_an_abandoned_checkout_is_followed_until_it_is_paid(desk: Desk) -> None:
    guide = desk.shop.offer("guide", 2900)
    consent(desk, "ana@example.com", "ben@example.com", "cleo@example.com")
    assert desk.run("sequence", "new", "cart", "--for", "abandoned").exit_code == 0
    run(desk, 1)
    for who in ("ana", "ben", "stranger"):
        _leave(desk, guide, second(2), f"{who.upper()}@example.com")
    _leave(desk, guide, second(2.02), "cleo@example.com", status="complete")
    _leave(desk, guide, second(2.03), "ana@example.com", status="open")
    assert run(desk, 2.06)["sent_now"] == 1  # ben; ana stood at the till a moment ago
    assert run(desk, 2.1)["sent_now"] == 1
    assert run(desk, 2.2)["sent_now"] == 0
    desk.shop.sell(guide, second(3), email="ana@example.com")
    assert run(desk, 4.5)["sent_now"] == 1
    followed = [to for to, _ in letters_out(desk.home)]
    assert followed == ["ben@example.com", "ana@example.com", "ben@example.com"]
    first = outbox(desk.home)[0]
    assert first["Subject"] == "Did something go wrong?"
    assert "https://pay.example/again" in words(first)


def _leave(
    desk: Desk, offer: tuple[Raw, Raw, Raw], at: int, email: str, status: str = "expired"
) -> None:
    """Go to the till and leave."""
    desk.shop._session(
        at,
        email,
        None,
        payment_link=offer[2]["id"],
        payment_intent=None,
        mode="payment",
        status=status,
        payment_status="unpaid",
        amount_total=2900,
        currency="usd",
        metadata=offer[2]["metadata"],
        after_expiration={"recovery": {"enabled": True, "url": "https://pay.example/again"}},
        line_items={"object": "list", "data": [], "has_more": False},
    )


def test_a_failed_card_is_told_to_the_payer_until_it_is_paid(desk: Desk) -> None:
    sale = member(desk, 1)
    assert desk.run("sequence", "new", "failed", "--for", "failed-card").exit_code == 0
    run(desk, 2)
    assert sale.subscription is not None
    assert sale.customer is not None
    _, price, _ = desk.shop.offer("club", 900, interval="month")
    bill = desk.shop.bill(
        sale.subscription, price, second(31), sale.customer, "subscription_cycle", 0
    )
    assert bill.invoice is not None
    unpaid = {"total": 900, "subtotal": 900, "amount_paid": 0, "attempt_count": 1}
    desk.shop.provider.change(
        bill.invoice,
        second(31),
        "invoice.payment_failed",
        status="open",
        status_transitions={"paid_at": None},
        hosted_invoice_url="https://pay.example/in",
        **unpaid,
    )
    desk.shop.provider.change(
        sale.subscription, second(31), "customer.subscription.updated", status="past_due"
    )
    assert run(desk, 31.1)["sent_now"] == 1
    message = outbox(desk.home)[-1]
    assert message["To"] == "ana@example.com"
    assert message["X-Kpay-Kind"] == "service"
    assert message["List-Unsubscribe"] is None
    assert "$9.00 for Club could not be taken from Visa ending in 4242" in " ".join(
        words(message).split()
    )
    assert "https://pay.example/in" in words(message)
    desk.shop.provider.change(
        bill.invoice,
        second(32),
        "invoice.paid",
        status="paid",
        amount_paid=900,
        status_transitions={"paid_at": second(32)},
    )
    assert run(desk, 35)["sequences"][0]["leaving"] == {"no longer so": 1}
    assert len(letters_out(desk.home)) == 1


@pytest.mark.parametrize(
    ("card", "mailed"),
    [
        ({"exp_month": 7, "exp_year": 2026}, 1),
        ({"exp_month": 6, "exp_year": 2026}, 1),
        ({"exp_month": 8, "exp_year": 2026}, 0),
        ({"exp_month": 5, "exp_year": 2026}, 0),
        ({"exp_month": 7, "exp_year": 2027}, 0),
    ],
)
def test_a_card_that_expires_soon_is_told_once(desk: Desk, card: Raw, mailed: int) -> None:
    member(desk, 1, card)
    assert desk.run("sequence", "new", "card", "--for", "expiring-card").exit_code == 0
    for day in (2, 3, 20):  # of June
        run(desk, day)
    assert len(letters_out(desk.home)) == mailed
    if mailed:
        expires = f"{card['exp_month']:02}/{card['exp_year']}"
        (letter,) = [one for one in outbox(desk.home) if one["X-Kpay-Kind"] == "service"]
        text = " ".join(words(letter).split())
        assert f"Club is paid with Visa ending in 4242, which expires {expires}" in text


def test_a_subscription_that_ends_is_told_before_and_followed_after(desk: Desk) -> None:
    sale = member(desk, 1)
    assert sale.subscription is not None
    consent(desk, "ana@example.com")
    write_sequence(desk.home, "ending", f"trigger: ending subscription\n{SERVICE}", a="0", b="1d")
    write_sequence(desk.home, "ended", "trigger: ended subscription", c="0", d="2d")
    run(desk, 2)
    updated = "customer.subscription.updated"
    desk.shop.provider.change(
        sale.subscription, second(10), updated, cancel_at_period_end=True, canceled_at=second(10)
    )
    run(desk, 20)
    assert letters_out(desk.home) == []
    run(desk, 24.5)
    assert [subject for _, subject in letters_out(desk.home)] == ["a for Ana"]
    deleted = "customer.subscription.deleted"
    desk.shop.provider.change(
        sale.subscription, second(25), deleted, status="canceled", ended_at=second(25)
    )
    done = run(desk, 26)
    leaving = {one["sequence"]: one["leaving"] for one in done["sequences"]}
    assert leaving == {"ended": {}, "ending": {"no longer so": 1}}
    run(desk, 28.5)
    assert [subject for _, subject in letters_out(desk.home)] == [
        "a for Ana",
        "c for Ana",
        "d for Ana",
    ]


def test_without_service_news_of_a_contract_asks_for_consent(desk: Desk) -> None:
    member(desk, 1, {"exp_month": 7, "exp_year": 2026})
    write_sequence(desk.home, "card", "trigger: expiring card", soon="0")
    assert run(desk, 2)["sequences"][0]["left_out"] == {"no consent": 1}
    assert letters_out(desk.home) == []


@pytest.mark.parametrize("goal", GOALS)
def test_every_draft_runs_as_it_is(desk: Desk, goal: str) -> None:
    written = desk.answer("sequence", "new", "first", "--for", goal)
    assert all((desk.home / file).is_file() for file in written["files"])
    done = desk.run("sequence", "run")
    assert done.exit_code == 0, done.stderr
    assert "nothing to do" in done.stdout
    assert desk.run("sequence", "new", "first", "--for", goal).exit_code == 4
    shown = desk.answer("sequence", "show", "first")
    assert len(shown["letters"]) == len(written["files"]) - 1
    listed = desk.answer("sequence", "list")["sequences"]
    assert [(one["sequence"], one["in_it"], one["problem"]) for one in listed] == [
        ("first", 0, None)
    ]


def test_a_rehearsal_shows_everything_and_writes_nothing(desk: Desk) -> None:
    desk.run("sequence", "new", "welcome", day=0)
    desk.run("sequence", "run", "--yes", day=0)
    assert desk.run("subscriber", "add", "ana@example.com", day=1).exit_code == 0
    kept = desk.digest()
    seen = desk.answer("sequence", "run", "--dry-run", day=1)
    assert [(one["letter"], one["email"]) for one in seen["letters"]] == [
        ("hello", "ana@example.com")
    ]
    asked = desk.run("sequence", "run", day=1)
    assert asked.exit_code == 2
    assert "TEST mail: send 1 letter" in asked.stderr
    assert desk.digest() == kept
    assert desk.answer("sequence", "run", "--yes", day=1)["sent_now"] == 1
    members = desk.answer("sequence", "show", "welcome", day=1)["people"]
    assert [(one["email"], one["next_letter"]) for one in members] == [("ana@example.com", "best")]


def test_the_scheduler_runs_it_and_keeps_quiet(desk: Desk) -> None:
    desk.run("sequence", "new", "welcome", day=0)
    added = desk.run(
        "schedule", "add", "drips", "*/15 * * * *", "--", "sequence", "run", "--yes", day=0
    )
    assert added.exit_code == 0, added.stderr
    assert desk.run("sequence", "run", "--yes", "--quiet", day=0).stdout == ""


def test_every_mistake_is_named_with_its_file_and_line(business: Path, kpay: Kpay) -> None:
    folder = business / "sequences" / "welcome"
    folder.mkdir(parents=True)
    (folder / "sequence.md").write_text(
        "---\ntriger: purchase\nkind: service\nholdout: 2\nexit: refund\n---\n"
    )
    (folder / "1-hello.md").write_text("---\nsubject: Hi\nafter: soon\n---\nHello.\n")
    (folder / "2-more.md").write_text("---\nsubject: More\n---\n")
    (folder / "2-Über uns.md").write_text("---\nsubject: More\n---\nHi\n")
    result = kpay("sequence", "show", "welcome", "--json", home=business)
    assert result.exit_code == 65
    said = json.dumps(json.loads(result.stderr), ensure_ascii=False)
    for words_said in (
        "did you mean 'trigger'?",
        "say what begins it",
        "2 is not a share",
        "'refund' ends nothing",
        "'soon' is not a delay",
        "say how long after the letter before",
        "is no name for a letter (call it 2-über-uns.md)",
    ):
        assert words_said in said, words_said
    missing = kpay("sequence", "show", "welcom", home=business)
    assert missing.exit_code == 4
    assert "kpay sequence show welcome" in missing.stderr
