"""A sale knows the page or the mail that its buy link stood in."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from sqlalchemy import insert, update

from kpay.domain.origins import Origin, OriginKind
from kpay.models import Order, PaymentLink
from kpay.services import campaign_sending, delivering, origins
from kpay.services.experiments import results
from kpay.services.mail_desk import MailDesk
from kpay.services.order_book import show_order
from kpay.services.preview_page import write_preview
from kpay.services.syncing import sync
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import (
    LETTERHEAD,
    NOW,
    PassingQuickly,
    add_content,
    add_customer,
    add_order,
    grant,
    mail_desk,
    readers,
    subscribe,
    write_campaign,
)
from tests.fakes.provider import FakeSource
from tests.fakes.stores import digest, rows
from tests.fakes.stripe_shop import DAY, START, Shop

RYE, OLD = "https://buy.example/rye", "https://buy.example/old"
MAIL = Origin(OriginKind.CAMPAIGN, "bread")
ABOUT = """\
---
subject: "New bread"
about: rye-bread
holdout: 0
---
[page]({{ content.url }}) [shop]({{ content.buy_url }})

[mine](https://buy.example/old?utm_source=mail&utm_campaign={{ campaign }})
[other](https://elsewhere.example/x)
"""


@pytest.fixture
def desk(tmp_path: Path) -> MailDesk:
    return mail_desk(tmp_path)


def sell_at(desk: MailDesk, url: str, content_id: int | None = None) -> None:
    """Let a payment link stand at the provider."""
    row = {"account": "acct_1", "livemode": False, "external_id": url, "url": url}
    with desk.store.writing() as connection:
        connection.execute(insert(table_of(PaymentLink)), row | {"content_id": content_id})


def bread_shop(desk: MailDesk) -> None:
    sell_at(desk, RYE, add_content(desk, "rye-bread"))
    sell_at(desk, OLD)


def send(desk: MailDesk) -> None:
    ready = campaign_sending.prepare(desk, "bread", None, NOW)
    campaign_sending.send(desk, ready, passing=PassingQuickly(), advance=lambda count: None)


def links_of(desk: MailDesk) -> dict[str, list[str]]:
    """Return the links of every message that left, by who got it."""
    found = {}
    for path in sorted((desk.home / "outbox").glob("*.eml")):
        message = email.message_from_bytes(path.read_bytes(), policy=email.policy.default)
        assert isinstance(message, EmailMessage)
        page, text = (message.get_body((kind,)) for kind in ("html", "plain"))
        assert page is not None
        assert text is not None
        hrefs = re.findall(r'href="([^"]+)"', page.get_content())
        found[str(message["To"])] = [link.replace("&amp;", "&") for link in hrefs]
        assert all(link in text.get_content() for link in found[str(message["To"])][:4])
    return found


def numbers(desk: MailDesk) -> dict[str, int]:
    return {
        str(address): int(str(number))
        for number, address in rows(desk.store, "SELECT id, email FROM delivery")
    }


def test_every_link_of_a_mail_names_its_campaign_and_its_message(desk: MailDesk) -> None:
    bread_shop(desk)
    subscribe(desk, readers(3))
    write_campaign(desk, ABOUT)
    send(desk)

    sent, number = links_of(desk), numbers(desk)

    assert len(sent) == 3
    for reader, links in sent.items():
        reference = f"{MAIL.token}-{number[reader]}"
        assert links[:4] == [
            f"https://bakery.example/c/rye-bread.html?from={reference}",
            f"{RYE}?client_reference_id={reference}",
            f"{OLD}?utm_source=mail&utm_campaign=bread&client_reference_id={reference}",
            "https://elsewhere.example/x",
        ]
        assert reader.partition("@")[0] not in "".join(links[:3])


def test_without_a_site_a_mail_leads_to_the_till(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path, letterhead=replace(LETTERHEAD, site_url=""))
    bread_shop(desk)
    subscribe(desk, readers(1))
    write_campaign(desk, ABOUT)
    send(desk)

    [links] = links_of(desk).values()

    assert links[0] == links[1] == f"{RYE}?client_reference_id={MAIL.token}-1"


def test_a_sample_names_the_campaign_and_no_message(desk: MailDesk, tmp_path: Path) -> None:
    bread_shop(desk)
    subscribe(desk, readers(1))
    write_campaign(desk, ABOUT)
    campaign_sending.prepare(desk, "bread", None, NOW)

    write_preview(desk, "bread", tmp_path / "samples", NOW)

    [page] = (tmp_path / "samples").glob("1-*.html")
    assert f'{RYE}?client_reference_id={MAIL.token}"' in page.read_text("utf-8-sig")


def test_recommended_pieces_name_the_mail_too(tmp_path: Path) -> None:
    desk = mail_desk(
        tmp_path,
        recommend=lambda emails: {
            one: [{"content": "rye-bread", "because": "new"}] for one in emails
        },
    )
    bread_shop(desk)
    subscribe(desk, readers(1))
    letter = "---\nsubject: For you\naudience: all\nholdout: 0\n---\n{% for piece in recommendations %}\n- {{ piece.buy_url }}\n{% endfor %}\n"
    write_campaign(desk, letter)
    send(desk)

    [message] = (desk.home / "outbox").glob("*.eml")

    assert f"{MAIL.token}-1" in message.read_text().replace("=\n", "").replace("=3D", "=")


def test_a_mail_that_brings_a_purchase_names_itself(desk: MailDesk) -> None:
    bread_shop(desk)
    delivering.plan_pending(desk, now=NOW)
    water = add_content(desk, "water", body=f"Next: [rye]({RYE}?utm_medium=book).")
    grant(desk, add_customer(desk, "li@r.example"), water, NOW + timedelta(days=1))
    passing = PassingQuickly(NOW + timedelta(days=2))
    delivering.plan_pending(desk, now=passing.now())
    delivering.send_pending(desk, passing=passing)

    [links] = links_of(desk).values()

    reference = f"{Origin(OriginKind.PURCHASE, 'water').token}-1"
    assert f"https://bakery.example/c/water.html?from={reference}" in links
    assert f"{RYE}?utm_medium=book&client_reference_id={reference}" in links


def test_a_reference_leads_back_to_where_it_stood(desk: MailDesk) -> None:
    bread_shop(desk)
    subscribe(desk, readers(2))
    write_campaign(desk, ABOUT)
    send(desk)
    reader, number = next(iter(numbers(desk).items()))
    page = Origin(OriginKind.PAGE, "rye-bread")
    before = digest(desk.store)

    with desk.store.reading() as connection:
        from_mail = origins.find(connection, f"{MAIL.token}-{number}")
        from_sample = origins.find(connection, MAIL.token)
        from_page = origins.find(connection, page.token)
        unknown = [
            origins.find(connection, text)
            for text in (None, "", "my-own-42", Origin(OriginKind.PAGE, "never").token)
        ]

    assert from_mail == origins.Found(MAIL, number, reader)
    assert from_sample == origins.Found(MAIL, None, None)
    assert from_page == origins.Found(page, None, None)
    assert unknown == [None] * 4
    assert digest(desk.store) == before


def test_results_show_who_came_by_the_mails_own_links_beside_the_effect(desk: MailDesk) -> None:
    subscribe(desk, readers(20))
    write_campaign(desk)
    send(desk)
    other = Origin(OriginKind.CAMPAIGN, "other").token
    references = [f"{MAIL.token}-7", MAIL.token, f"{MAIL.token}-8", f"{other}-1", "own", None]
    for day, reference in enumerate(references, 1):
        buyer = "forwarded@r.example" if day < 3 else f"buyer{day}@r.example"
        add_order(desk, buyer, NOW + timedelta(days=day), 900, "eur" if day == 3 else "usd")
        with desk.store.writing() as connection:
            connection.execute(
                update(table_of(Order))
                .where(table_of(Order).c.ordered_at == NOW + timedelta(days=day))
                .values(reference=reference)
            )

    found = results(desk, "bread", NOW + timedelta(days=20), level=0.95).to_document()

    assert found.payload["by_link"] == {
        "buyers": 2,
        "orders": 3,
        "paid": [{"currency": "eur", "minor": 900}, {"currency": "usd", "minor": 1800}],
    }
    assert found.payload["outcomes"]["buyers"]["treated"] == 0
    assert any("not what the mail caused" in getattr(block, "text", "") for block in found.blocks)


def test_an_order_after_the_window_does_not_count_as_brought(desk: MailDesk) -> None:
    subscribe(desk, readers(20))
    write_campaign(desk)
    send(desk)
    add_order(desk, "late@r.example", NOW + timedelta(days=15), 900)
    with desk.store.writing() as connection:
        connection.execute(update(table_of(Order)).values(reference=MAIL.token))

    found = results(desk, "bread", NOW + timedelta(days=20), level=0.95)

    assert found.by_link.orders == 0
    assert found.by_link.sentence == "Nobody bought by a link of the mail itself."


def test_a_sale_brings_the_reference_back_and_the_order_tells_the_mail(
    tmp_path: Path,
) -> None:
    desk = mail_desk(tmp_path)
    bread_shop(desk)
    subscribe(desk, readers(1))
    write_campaign(desk, ABOUT)
    send(desk)
    shop = Shop()
    rye = shop.offer("rye-bread", 900)
    references = {f"{MAIL.token}-1": "by mail", "own-7": "own", None: "none"}
    for day, reference in enumerate(references):
        sale = shop.sell(rye, START + day * DAY, email=f"{day}@r.example")
        shop.provider.change(sale.session or {}, START, None, client_reference_id=reference)
    sync(desk.store, FakeSource(shop.provider), now=NOW)

    told = [
        show_order(desk.store, str(number)).to_document().to_json()["origin"]
        for (number,) in rows(desk.store, "SELECT id FROM orders ORDER BY ordered_at")
    ]

    assert rows(desk.store, "SELECT reference FROM orders ORDER BY ordered_at") == [
        (f"{MAIL.token}-1",),
        ("own-7",),
        (None,),
    ]
    assert told == [
        {"kind": "campaign", "content": None, "campaign": "bread", "recipient": readers(1)[0]},
        None,
        None,
    ]
