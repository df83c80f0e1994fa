"""Where mail is read from: files of every usual kind, and a folder on a server."""

from __future__ import annotations

import io
import mailbox
from contextlib import closing
from datetime import date
from email import message_from_bytes
from pathlib import Path

import pytest

from kpay.adapters.imap import ImapFolder, parse_place
from kpay.adapters.mailbox import mails_in, mails_of
from kpay.domain.inbox_report import Meaning
from kpay.domain.mail_reading import READ_BYTES
from kpay.errors import CredentialsMissing, NotFound, Refused, RemoteProblem, SettingsInvalid
from kpay.services.inbox import InboxReader
from kpay.services.inbox_folder import read_folder
from tests.fakes.imap_server import ImapServer
from tests.fakes.mail_rooms import NOW, mail_desk
from tests.fakes.notices import dsn, letter

THREE = [letter(f"Letter {number}.\n\nFrom here on.\n") for number in range(3)]
SINCE = date(2026, 9, 1)


def nobody(connection: object, token: str, now: object) -> str:
    raise Refused("nobody waits to be confirmed")


def contents(path: Path) -> list[bytes]:
    return [mail.content for mail in mails_in(path)]


def test_an_mbox_as_the_library_writes_it_is_read_back(tmp_path: Path) -> None:
    box = mailbox.mbox(tmp_path / "box")
    for one in THREE:
        box.add(message_from_bytes(one))
    box.close()
    found = contents(tmp_path / "box")
    assert [one.rstrip() for one in found] == [one.rstrip() for one in THREE]
    assert [mail.place for mail in mails_in(tmp_path / "box")][1] == f"{tmp_path / 'box'} #2"


def test_a_maildir_as_the_library_writes_it_is_read_back(tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "dir")
    for one in THREE:
        box.add(one)
    box.close()
    (tmp_path / "dir" / "tmp" / "half").write_bytes(b"Subject: half")
    assert sorted(contents(tmp_path / "dir")) == sorted(THREE)


def test_an_eml_file_a_folder_of_them_and_a_stream_are_read(tmp_path: Path) -> None:
    for number, one in enumerate(THREE):
        (tmp_path / f"{number}.eml").write_bytes(one)
    (tmp_path / "notes.txt").write_text("no mail")
    assert contents(tmp_path) == THREE
    assert contents(tmp_path / "1.eml") == [THREE[1]]
    piped = mails_of(io.BytesIO(THREE[2]), "standard input")
    assert [mail.content for mail in piped] == [THREE[2]]
    assert list(mails_of(io.BytesIO(b""), "standard input")) == []


def test_a_line_that_begins_like_a_separator_stays_in_its_mail() -> None:
    quoted = b"From a@b Thu\nSubject: x\n\nHi\nFrom me\n\n>From you\n>>From all\n\nFrom c@d Fri\nSubject: y\n"
    first, second = (mail.content for mail in mails_of(io.BytesIO(quoted), "box"))
    assert first == b"Subject: x\n\nHi\nFrom me\n\nFrom you\n>From all\n\n"
    assert second == b"Subject: y\n"


def test_of_a_huge_mail_only_the_beginning_is_kept(tmp_path: Path) -> None:
    huge = b"Subject: x\n\n" + b"y" * 80 + b"\n" * 2 + b"z" * 3_000_000
    (tmp_path / "box").write_bytes(b"From a@b Thu\n" + huge + b"\n\nFrom a@b Thu\n" + letter())
    lengths = [len(content) for content in contents(tmp_path / "box")]
    assert lengths[0] <= 2 * READ_BYTES
    assert lengths[1] == len(letter())


def test_what_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="file or folder of mail"):
        contents(tmp_path / "nothing")


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("", "must look like"),
        ("https://ana@x.example/INBOX", "must look like"),
        ("imaps://x.example/INBOX", "must look like"),
        ("imaps://ana:pa55word@x.example", "holds a password"),
        ("imap://ana@x.example/INBOX", "unencrypted"),
        ("imaps://ana@x.example/R%C3%BCck", "plain ASCII"),
        ('imaps://ana@x.example/a"b', "plain ASCII"),
        ("imaps://ana@x.example/a%0D%0Ab", "plain ASCII"),
        ("imaps://ana@x.example:999999/", "cannot be read"),
    ],
)
def test_a_wrong_address_of_the_folder_is_explained(url: str, words: str) -> None:
    with pytest.raises(SettingsInvalid, match=words) as caught:
        ImapFolder(url, lambda: "")
    assert "pa55word" not in caught.value.message


def test_a_folder_is_encrypted_unless_it_is_here() -> None:
    place = parse_place("imaps://ana%40b.example@imap.example.com/Mail/Bounces")
    assert (place.port, place.user, place.folder) == (993, "ana@b.example", "Mail/Bounces")
    assert place.is_encrypted
    assert parse_place("imap://ana@localhost").folder == "INBOX"


def test_mails_come_in_order_and_stay_unread() -> None:
    server = ImapServer(dict(zip((3, 9, 12), THREE, strict=True)))
    with server.serving() as url:
        box = ImapFolder(url, lambda: server.password)
        assert box.open() == "7"
        assert [mail.content for mail in box.mails_after(0, SINCE)] == THREE
        assert [mail.uid for mail in box.mails_after(3, SINCE)] == [9, 12]
        assert list(box.mails_after(12, SINCE)) == []
        box.close()
    assert not server.seen
    assert "UID SEARCH SINCE 1-Sep-2026" in server.said
    assert all("PEEK" in line for line in server.said if "FETCH" in line)
    assert not any("EXPUNGE" in line or "Deleted" in line for line in server.said)


def test_a_refused_password_and_silence_are_told_apart() -> None:
    server = ImapServer()
    with server.serving() as url:
        stranger = ImapFolder(url, lambda: "wrong")
        with closing(stranger), pytest.raises(CredentialsMissing, match="refuses the user"):
            stranger.open()
        lost = ImapFolder(url.replace("Bounces", "Else"), lambda: server.password)
        with closing(lost), pytest.raises(RemoteProblem, match="no such folder"):
            lost.open()
    with pytest.raises(RemoteProblem, match="cannot be read"):
        ImapFolder("imap://ana@127.0.0.1:9/INBOX", lambda: "").open()


def test_a_folder_is_read_once_and_what_needs_eyes_stays_unread(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    reader = InboxReader(desk.store, desk.signer, nobody, NOW)
    automatic = letter(Auto_Submitted="auto-replied")
    server = ImapServer({3: automatic, 5: dsn("To: x@y.example\n"), 6: letter()})
    with server.serving() as url:
        box = ImapFolder(url, lambda: server.password)
        rehearsal = list(
            read_folder(box, InboxReader(desk.store, desk.signer, nobody, NOW, dry_run=True))
        )
        assert not server.seen
        first = list(read_folder(box, reader))
        assert [entry.meaning for entry in first] == [
            Meaning.AUTOMATIC, Meaning.UNPROVEN, Meaning.OTHER,
        ]  # fmt: skip
        assert first == rehearsal
        assert server.seen == {3}
        assert list(read_folder(box, reader)) == []
        server.mails[8] = automatic
        assert [entry.place for entry in read_folder(box, reader)] == ["Bounces 8"]
        server.validity = 8  # the numbers mean other mails now
        assert len(list(read_folder(box, reader))) == 4


def test_a_reading_that_breaks_off_goes_on_where_it_was(tmp_path: Path) -> None:
    desk = mail_desk(tmp_path)
    reader = InboxReader(desk.store, desk.signer, nobody, NOW)
    server = ImapServer({number: letter() for number in range(1, 151)}, breaks_at=120)
    with server.serving() as url:
        box = ImapFolder(url, lambda: server.password)
        with pytest.raises(RemoteProblem):
            list(read_folder(box, reader))
        server.breaks_at = None
        assert len(list(read_folder(box, reader))) == 50
