"""Mail that comes back, in the shapes in which servers really write it."""

from __future__ import annotations

from email import message_from_bytes

BOUNDARY = "=_part"


def original_headers(sent: bytes) -> str:
    """Return the headers of a message that we sent."""
    return sent.partition(b"\r\n\r\n")[0].decode().replace("\r\n", "\n") + "\n"


def header_of(sent: bytes, name: str) -> str:
    """Return one header of a message that we sent."""
    return str(message_from_bytes(sent)[name])


def dsn(
    sent: str,
    *,
    status: str = "5.1.1",
    action: str = "failed",
    recipient: str = "li@readers.example",
    said: str = "",
    to: str = "bounces@bakery.example",
    identity: str = "1@mx.example",
    original: str = "",
) -> bytes:
    """Return a delivery status notification as Postfix writes it; `sent` is the original's headers."""
    fields = [f"Final-Recipient: rfc822; {recipient}"]
    fields += [f"Original-Recipient: rfc822;{original}"] if original else []
    fields += [f"Action: {action}", f"Status: {status}"]
    fields += [f"Diagnostic-Code: smtp; {said}"] if said else []
    return _report(
        "delivery-status",
        to,
        identity,
        ["Reporting-MTA: dns; mx.example", "", *fields],
        "message/delivery-status",
        sent,
    )


def complaint(sent: str, *, kind: str = "abuse", identity: str = "arf@isp.example") -> bytes:
    """Return an abuse report (RFC 5965)."""
    fields = [f"Feedback-Type: {kind}", "User-Agent: FBL/1", "Version: 1"]
    return _report(
        "feedback-report", "fbl@bakery.example", identity, fields, "message/feedback-report", sent
    )


def _report(
    kind: str, to: str, identity: str, fields: list[str], media_type: str, sent: str
) -> bytes:
    lines = [
        "Return-Path: <>",
        "From: Mail Delivery System <MAILER-DAEMON@mx.example>",
        f"To: {to}",
        "Subject: Undelivered Mail Returned to Sender",
        f"Message-ID: <{identity}>",
        "Auto-Submitted: auto-replied",
        "MIME-Version: 1.0",
        f'Content-Type: multipart/report; report-type={kind};\n\tboundary="{BOUNDARY}"',
        "",
        f"--{BOUNDARY}",
        "Content-Type: text/plain; charset=us-ascii",
        "",
        "I am sorry to have to inform you.",
        "",
        f"--{BOUNDARY}",
        f"Content-Type: {media_type}",
        "",
        *fields,
        "",
        f"--{BOUNDARY}",
        "Content-Type: text/rfc822-headers",
        "",
        sent,
        f"--{BOUNDARY}--",
        "",
    ]
    return "\n".join(lines).encode()


def letter(text: str = "Hello.\n", **headers: str) -> bytes:
    """Return an ordinary mail; header names are written with _ for -."""
    usual = {"From": "Li <li@readers.example>", "To": "ana@bakery.example", "Subject": "Hello"}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\n" for name, value in {**usual, **named}.items())
    return f"{head}\n{text}".encode()


def qmail(sent: str, *, recipient: str = "li@readers.example", words: str = "") -> bytes:
    """Return a bounce as qmail writes it: words only, the original below a line."""
    said = words or "Sorry, no mailbox here by that name. (#5.1.1)"
    text = (
        "Hi. This is the qmail-send program at mx.example.\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
        f"<{recipient}>:\n{said}\n\n--- Below this line is a copy of the message.\n\n{sent}\nHello\n"
    )
    return letter(text, From="MAILER-DAEMON@mx.example", Subject="failure notice")


def exim(sent: str, *, words: str, recipient: str = "li@readers.example") -> bytes:
    """Return a bounce as Exim wrote it for years: no machine-readable part."""
    text = (
        "This message was created automatically by mail delivery software.\n\n"
        "A message that you sent could not be delivered to one or more of its recipients.\n\n"
        f"  {recipient}\n    {words}\n\n"
        f"------ This is a copy of the message, including all the headers. ------\n\n{sent}\nHi\n"
    )
    return letter(
        text,
        From="Mail Delivery System <Mailer-Daemon@host.example>",
        X_Failed_Recipients=recipient,
        Auto_Submitted="auto-replied",
        Subject="Mail delivery failed: returning message to sender",
    )
