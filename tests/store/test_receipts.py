"""Receipts: in the mail of a purchase, and by themselves for renewals where that is wished."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fakes.desk import Desk, open_desk
from tests.fakes.letters_out import outbox, words
from tests.fakes.stripe_shop import DAY, START, Sale


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setenv("KPAY_POSTAL_ADDRESS", "Hauptstraße 1, Berlin")
    with open_desk(tmp_path) as opened:
        yield opened


def second(day: float) -> int:
    return START + int(day * DAY)


def sync(desk: Desk, day: float) -> None:
    result = desk.run("sync", day=day)
    assert result.exit_code == 0, result.stderr


def text_of(desk: Desk, number: int = -1) -> str:
    return " ".join(words(outbox(desk.home)[number]).split())


def test_the_mail_of_a_purchase_says_what_it_cost_and_how_it_was_paid(desk: Desk) -> None:
    sync(desk, 0)
    sale = desk.shop.sell(desk.shop.offer("guide", 2900), second(1), discount=400, tax=399)
    sync(desk, 1)
    (message,) = outbox(desk.home)
    plain = text_of(desk)
    assert "A piece: $29.00 Discount: -$4.00 Total: $25.00 Tax included: $3.99" in plain
    assert f"2026-06-02, paid by card, order {sale.charge['id']}" in plain
    assert "<strong>Total</strong>" in words(message, "html").replace(' style=""', "")


def test_what_came_in_a_bundle_has_no_receipt_of_its_own(desk: Desk) -> None:
    with desk.store.writing() as connection:
        connection.exec_driver_sql(
            "UPDATE content SET kind = 'bundle', includes = '[\"audio\"]' WHERE slug = 'guide'"
        )
    sync(desk, 0)
    desk.shop.sell(desk.shop.offer("guide", 2900), second(1))
    sync(desk, 1)
    receipts = {str(one["Subject"]): "Receipt" in words(one) for one in outbox(desk.home)}
    assert receipts == {"Guide · shop": True, "Audio · shop": False}


def member(desk: Desk) -> tuple[Sale, dict[str, object]]:
    offer = desk.shop.offer("club", 900, interval="month")
    customer = desk.shop.customer("ana@example.com", second(1))
    return desk.shop.subscribe(offer, second(1), customer), offer[1]


def renew(desk: Desk, sale: Sale, price: dict[str, object], day: float) -> Sale:
    assert sale.subscription is not None
    assert sale.customer is not None
    return desk.shop.bill(
        sale.subscription, price, second(day), sale.customer, "subscription_cycle", 900
    )


def test_renewals_have_a_receipt_where_that_is_set_and_never_two(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(desk, 0)
    sale, price = member(desk)
    sync(desk, 1)
    assert "Receipt A period: $9.00 Total: $9.00" in text_of(desk)
    renew(desk, sale, price, 31)
    sync(desk, 31.5)
    assert len(outbox(desk.home)) == 1
    monkeypatch.setenv("KPAY_RECEIPTS", "true")
    sync(desk, 40)
    assert len(outbox(desk.home)) == 1  # nine days old: from before receipts were wished
    second_renewal = renew(desk, sale, price, 61)
    assert "; 1 receipt sent to outbox/" in desk.run("sync", day=61.5).stdout
    sync(desk, 62)
    assert desk.answer("deliver", day=63)["receipts"] == 0
    assert len(outbox(desk.home)) == 2
    message = outbox(desk.home)[-1]
    assert message["X-Kpay-Kind"] == "receipt"
    assert message["List-Unsubscribe"] is None
    assert f"paid by card, order {second_renewal.charge['id']}" in text_of(desk)


def test_a_receipt_is_owed_and_shown_until_it_is_sent(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KPAY_RECEIPTS", "true")
    sync(desk, 0)
    sale, price = member(desk)
    sync(desk, 1)
    renewal = renew(desk, sale, price, 31)
    monkeypatch.setenv("KPAY_MAIL", "smtp")
    monkeypatch.setenv("KPAY_SMTP_URL", "smtp://127.0.0.1:9?tls=none")
    told = desk.run("sync", day=31.5)
    assert "wait to be mailed" in told.stdout + told.stderr
    owed = desk.answer("deliver", "--pending", day=32)["pending"]
    assert [(one["email"], one["title"]) for one in owed] == [
        ("ana@example.com", f"receipt {renewal.charge['id']}")
    ]
    monkeypatch.setenv("KPAY_MAIL", "outbox")
    sent = desk.answer("deliver", "--yes", day=32)
    assert (sent["receipts"], sent["queued"]) == (1, 0)
    assert desk.answer("deliver", "--pending", day=33)["pending"] == []
