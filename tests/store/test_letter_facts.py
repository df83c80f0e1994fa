"""What the store knows of published pieces is what letters are held against."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import insert

from kpay.domain.letter_checks import problems_of
from kpay.models import PaymentLink
from kpay.ports import FilledLetter
from kpay.services.letter_facts import letter_facts
from kpay.services.letters import Wording
from kpay.services.mail_desk import MailDesk
from kpay.store.dialect import table_of
from tests.fakes.mail_rooms import LETTERHEAD, add_content, mail_desk

OPENING = "Anyone may read how this piece begins. " * 4
SECRET = "Only who paid may read how *it goes on* from here. " * 4
LINK = {"account": "a", "livemode": False, "external_id": "plink_1", "is_active": False}
FOOTER = f"{LETTERHEAD.postal_address} {LETTERHEAD.unsubscribe_link('t')}"


def problems(desk: MailDesk, text: str, page: str = "", *owned: str) -> tuple[str, ...]:
    """Return what is wrong with a letter about rye."""
    wording = Wording("bread", "", ("Bread",), text, 1, {"contents": [{"slug": "rye"}]})
    with desk.store.reading() as connection:
        facts = letter_facts(connection, LETTERHEAD, wording, None)
    link = LETTERHEAD.unsubscribe_link("t").replace("&", "&amp;")
    letter = FilledLetter("Bread", f'<a href="{link}">{FOOTER}</a>{page}', f"{text}\n\n{FOOTER}")
    return problems_of(letter, frozenset(owned), facts)


def test_text_behind_the_till_goes_to_owners_only(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    add_content(desk, "rye", body=f"{OPENING}\n\n{SECRET}", preview=OPENING, title="None of Rye")
    add_content(desk, "free", body="Everybody reads this, and gladly. " * 5, pricing="free")
    secret = SECRET.replace("*", "")
    assert "only owners of 'rye'" in problems(desk, f"Hi\n\n{secret}")[0]
    assert problems(desk, f"Hi\n\n{secret}", "", "rye") == ()
    assert problems(desk, OPENING) == ()
    assert problems(desk, "Everybody reads this, and gladly. " * 5) == ()
    assert problems(desk, "None of Rye is here, for $9.00.") == ()
    assert "says $8.00" in problems(desk, "None of Rye for $8.00.")[0]


def test_closed_links_and_missing_pages_are_known(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    content_id = add_content(desk, "rye", attachments=["files/rye.pdf"])
    url = "https://pay.example/1"
    with desk.store.writing() as connection:
        row = {**LINK, "content_id": content_id, "url": url}
        connection.execute(insert(table_of(PaymentLink)), row)
    assert "no longer sells Rye" in problems(desk, "x", f'<a href="{url}?a=1">x</a>')[0]
    gone = '<a href="https://bakery.example/c/gone.html">x</a>'
    assert "no page of a published piece" in problems(desk, "x", gone)[0]
    file = '<a href="https://bakery.example/files/rye.pdf">x</a>'
    assert "only owners" in problems(desk, "x", file)[0]
