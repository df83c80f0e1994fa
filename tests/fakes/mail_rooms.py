"""A business's mail room for tests: the real store, templates and mailers, in a temporary folder."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from kpay.adapters.front_matter import FrontMatterFiles
from kpay.adapters.markdown import SafeMarkdown
from kpay.adapters.outbox_mailer import OutboxMailer
from kpay.adapters.renderer import JinjaRenderer
from kpay.adapters.signing import Signer
from kpay.domain.letterhead import Letterhead
from kpay.models import Content, ContentVersion, Customer, Entitlement, Order, Subscriber
from kpay.ports import Mailer
from kpay.services.attention import worth
from kpay.services.mail_desk import MailDesk
from kpay.services.uplift import aim
from kpay.shipped import shipped
from kpay.store.dialect import table_of
from kpay.store.engine import Store, create_file
from kpay.store.upgrade import upgrade

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
LETTERHEAD = Letterhead(
    business="Ana's Bakery",
    sender="Ana Müller <ana@bakery.example>",
    postal_address="Hauptstraße 1, 10115 Berlin",
    site_url="https://bakery.example",
)
LETTER = """\
---
subject: "Bread for {{ name }}"
audience: all
holdout: 0.2
---
Hello {{ name }}, there is **bread**.
"""


class PassingQuickly:
    """Time that passes only when somebody waits for it."""

    def __init__(self, moment: datetime = NOW) -> None:
        self._moment = moment
        self.waited_s = 0.0

    def now(self) -> datetime:
        """Return the present moment."""
        return self._moment

    def wait(self, seconds: float) -> None:
        """Let time pass at once."""
        self.waited_s += seconds
        self._moment += timedelta(seconds=seconds)


def new_store(home: Path) -> Store:
    """Return an empty store."""
    path = home / "kpay.db"
    create_file(path)
    upgrade(path, home / "backups")
    return Store(path)


def mail_desk(
    home: Path,
    *,
    letterhead: Letterhead = LETTERHEAD,
    open_mailer: Callable[[], Mailer] | None = None,
    recommend: Callable[[Sequence[str]], Mapping[str, Any]] = lambda emails: {},
    allows_live: bool = False,
) -> MailDesk:
    """Return a mail room whose way out is a folder unless another is given."""
    return MailDesk(
        store=new_store(home),
        home=home,
        letterhead=letterhead,
        renderer=JinjaRenderer([home / "templates", shipped("templates")], SafeMarkdown()),
        markdown=SafeMarkdown(),
        reader=FrontMatterFiles(),
        signer=Signer(home, "unsubscribe"),
        open_mailer=open_mailer or (lambda: OutboxMailer(home / "outbox")),
        recommend=recommend,
        weigh=worth,
        persuade=lambda connection, people, price, now: aim(
            connection, home / "models", people, price, now
        ),
        one_click_problem=lambda url: None,
        base_currency="usd",
        allows_live=allows_live,
    )


def write_campaign(desk: MailDesk, text: str = LETTER, name: str = "bread") -> None:
    """Put a campaign file in its place."""
    folder = desk.home / "campaigns"
    folder.mkdir(exist_ok=True)
    (folder / f"{name}.md").write_text(text, encoding="utf-8")


def subscribe(desk: MailDesk, emails: Iterable[str], **values: Any) -> None:
    """Put people on the list."""
    rows = [
        {"name": email.partition("@")[0].title(), "created_at": NOW, "tags": []}
        | values
        | {"email": email}
        for email in emails
    ]
    with desk.store.writing() as connection:
        connection.execute(insert(table_of(Subscriber)), rows)


def readers(count: int) -> list[str]:
    """Return some addresses."""
    return [f"reader{number:04}@readers.example" for number in range(count)]


def add_content(desk: MailDesk, slug: str, **values: Any) -> int:
    """Publish a piece in the store only; return its id."""
    body = values.pop("body", f"The whole text of *{slug}*.")
    preview = values.pop("preview", "")
    row = {
        "slug": slug,
        "kind": "article",
        "title": slug.replace("-", " ").title(),
        "status": "published",
        "amount_minor": 900,
        "currency": "usd",
        "digest": "d",
        "file": f"content/{slug}.md",
        "created_at": NOW,
        "tags": [],
        "includes": [],
        "attachments": [],
    } | values
    with desk.store.writing() as connection:
        content_id = connection.execute(insert(table_of(Content)), row).inserted_primary_key
        assert content_id is not None
        version = {"content_id": content_id[0], "version": 1, "digest": "d", "body": body}
        version["preview"] = preview
        connection.execute(
            insert(table_of(ContentVersion)), version | {"front_matter": {}, "created_at": NOW}
        )
    return int(content_id[0])


def add_customer(desk: MailDesk, email: str, name: str = "") -> int:
    """Add a customer; return the id."""
    row = {"email": email, "name": name, "created_at": NOW, "tags": []}
    with desk.store.writing() as connection:
        key = connection.execute(insert(table_of(Customer)), row).inserted_primary_key
        assert key is not None
    return int(key[0])


def grant(desk: MailDesk, customer_id: int, content_id: int, at: datetime, **values: Any) -> int:
    """Give a customer the right to a piece; return the right's id."""
    row = {
        "customer_id": customer_id,
        "content_id": content_id,
        "source": "order",
        "source_id": f"ch_{customer_id}_{content_id}",
        "granted_at": at,
    } | values
    with desk.store.writing() as connection:
        key = connection.execute(insert(table_of(Entitlement)), row).inserted_primary_key
        assert key is not None
    return int(key[0])


def add_order(
    desk: MailDesk, email: str, at: datetime, amount_minor: int, currency: str = "usd"
) -> None:
    """Add a paid order of somebody who need not be a customer yet."""
    with desk.store.writing() as connection:
        connection.execute(
            insert(table_of(Order)),
            {
                "source": "stripe",
                "external_id": f"ch_{email}_{at:%Y%m%d%H%M%S}_{currency}",
                "email": email,
                "ordered_at": at,
                "currency": currency,
                "gross_minor": amount_minor,
                "total_minor": amount_minor,
                "tracking": {},
            },
        )
