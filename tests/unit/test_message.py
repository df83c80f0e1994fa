"""Messages are read back with the standard library's parser, which nobody here wrote."""

from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from kpay.domain.message import (
    Attachment,
    Draft,
    header,
    message_id,
    sender_address,
    wire_address,
    write_message,
)

AT = datetime(2026, 10, 1, 9, 30, tzinfo=UTC)


def draft(**changes: object) -> Draft:
    values: dict[str, object] = {
        "sender": "Ana Müller <ana@bakery.example>",
        "recipient": "li@readers.example",
        "message_id": message_id("campaign bread", "li@readers.example", "bakery.example"),
        "subject": "Bread",
        "text": "Hello\n",
        "html": "<p>Hello</p>\n",
        "sent_at": AT,
    }
    return Draft(**(values | changes))  # type: ignore[arg-type]


def parsed(raw: bytes) -> EmailMessage:
    message = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    return message


def test_a_message_reads_back_as_it_was_written() -> None:
    long_line = "bread " * 700
    text = f"Grüße, 李雷!\n.a dot first\nFrom here\ntrailing space \n{long_line}\n"
    message = parsed(write_message(draft(text=text, html=f"<p>{text}</p>\n")))
    plain, page = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert page is not None
    assert plain.get_content().replace("\r\n", "\n") == text
    assert page.get_content().replace("\r\n", "\n") == f"<p>{text}</p>\n"
    assert message["Date"].datetime == AT


def test_no_line_is_longer_than_servers_take() -> None:
    raw = write_message(draft(text="x" * 5000, subject="面包" * 90))
    assert max(len(line) for line in raw.split(b"\r\n")) <= 78
    assert b"\n" not in raw.replace(b"\r\n", b"")


@pytest.mark.parametrize(
    "subject", ["Bread", "面包和盐", "Ü" * 150, "a" * 190, "=?utf-8?b?x?=", "emoji 🍞 here"]
)
def test_a_subject_in_any_script_survives(subject: str) -> None:
    assert parsed(write_message(draft(subject=subject)))["Subject"] == subject


def test_the_sender_keeps_name_and_address() -> None:
    for name in ("Ana Müller", "李雷", "Bread, Salt & Co.", 'The "Oven"', ""):
        quoted = name.replace('"', '\\"')
        sender = f'"{quoted}" <ana@bakery.example>' if name else "ana@bakery.example"
        address = parsed(write_message(draft(sender=sender)))["From"].addresses[0]
        assert (address.display_name, address.addr_spec) == (name, "ana@bakery.example")


def test_files_travel_with_their_names() -> None:
    files = (
        Attachment("book.epub", "application/epub+zip", bytes(range(256)) * 40),
        Attachment("面包.txt", "text/plain", b"bread"),
    )
    message = parsed(write_message(draft(attachments=files)))
    got = [
        (part.get_filename(), part.get_payload(decode=True)) for part in message.iter_attachments()
    ]
    assert got == [(file.name, file.content) for file in files]
    assert message.get_body(("html",)) is not None


@pytest.mark.parametrize("evil", ["a\r\nBcc: x@y.example", "a\nb", "a\0b"])
def test_nobody_can_add_a_header(evil: str) -> None:
    for changes in ({"subject": evil}, {"headers": (("X-Kpay-Campaign", evil),)}):
        with pytest.raises(ValueError, match="line break"):
            write_message(draft(**changes))
    with pytest.raises(ValueError, match=r"sender|line break"):
        write_message(draft(sender=f"Ana {evil} <ana@bakery.example>"))
    with pytest.raises(ValueError, match="address"):
        write_message(draft(recipient=f"li{evil}@readers.example"))


def test_a_header_that_is_not_ascii_is_refused() -> None:
    with pytest.raises(ValueError, match="ASCII"):
        header("X-Name", "Müller")


def test_a_message_keeps_its_identity_at_every_attempt() -> None:
    first = message_id("campaign bread", "li@readers.example", "bakery.example")
    assert first == message_id("campaign bread", "li@readers.example", "bakery.example")
    assert first != message_id("campaign bread", "mo@readers.example", "bakery.example")
    assert first != message_id("campaign salt", "li@readers.example", "bakery.example")


def test_a_domain_in_any_script_is_written_in_ascii() -> None:
    assert wire_address("li@bücher.example") == "li@xn--bcher-kva.example"
    assert sender_address("Ana <ana@bücher.example>") == "ana@xn--bcher-kva.example"


@pytest.mark.parametrize(
    "bad",
    ["李雷@readers.example", "u@d.example, x@y.example", "u@d.example>\r\nRCPT TO:<e@e.example"],
)
def test_what_is_not_one_ascii_address_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match=r"SMTPUTF8|not one address"):
        wire_address(bad)


@pytest.mark.parametrize("bad", ["", "Ana", "ana@"])
def test_a_sender_without_an_address_is_refused(bad: str) -> None:
    with pytest.raises(ValueError, match="sender"):
        sender_address(bad)


def test_every_line_comes_back_as_it_was_written() -> None:
    text = "\n".join(
        [
            "",
            ".",
            "..",
            " ",
            "a ",
            "tab\t",
            "= é 窯",
            "x" * 300,
            "é " * 60,
            "x" * 74 + " ",
            "-- ",
            "",
        ]
    )
    for _ in range(2):  # the second time from what is remembered
        content = write_message(draft(text=text, html=text))
        assert all(len(line) <= 78 for line in content.split(b"\r\n"))
        message = email.message_from_bytes(content, policy=email.policy.default)
        parts = [part.get_content() for part in message.walk() if not part.is_multipart()]
        assert [part.replace("\r\n", "\n") for part in parts] == [text, text]
