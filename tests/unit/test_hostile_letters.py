"""Names, titles, subjects and links that mean harm do nothing: they are words, or they are refused."""

from __future__ import annotations

import email
import email.policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest

from kpay.adapters.markdown import SafeMarkdown
from kpay.adapters.renderer import JinjaRenderer
from kpay.domain.campaign_file import read_campaign
from kpay.domain.letterhead import Letterhead
from kpay.domain.reader_name import shown_name
from kpay.errors import InputInvalid
from kpay.services.letters import Press, Wording
from kpay.shipped import shipped
from tests.fakes.mail_rooms import NOW

CORPUS = {
    "script": "<script>alert(1)</script>",
    "image": '"><img src=x onerror=alert(1)>',
    "end of the page": "</p></td></table><h1>gone</h1><!--",
    "style": "</style><style>*{display:none}",
    "attribute": "' onmouseover='alert(1)' x='",
    "entity": "&lt;b&gt;&#x3c;script&#x3e;&amp;",
    "jinja value": "{{ 7*7 }}{{ ''.__class__.__mro__ }}",
    "jinja statement": "{% for i in range(10**9) %}x{% endfor %}{# ",
    "markdown link": "[free](https://evil.example/x)",
    "markdown image": "![x](https://evil.example/p.png)",
    "markdown block": "# Big\n\n> quote\n\n***\n\n- list",
    "reference link": "[a]: https://evil.example\n\n[a]",
    "autolink": "<https://evil.example>",
    "header": "Ana\r\nBcc: victim@evil.example\r\n\r\nHello",
    "bare line feed": "Ana\nBcc: victim@evil.example",
    "bare return": "Ana\rBcc: victim@evil.example",
    "dot": "\r\n.\r\nMAIL FROM:<x@evil.example>\r\n",
    "nul": "Ana\x00<b>",
    "controls": "A\x01\x08\x0b\x0c\x1b[31m\x7f\x85",
    "right to left": "Ana\u202egnp.exe\u202c \u2066x\u2069",
    "separators": "Ana\u2028Bcc: x@evil.example\u2029y",
    "zero width": "A\u200bn\u200da\ufeff",
    "encoded word": "=?utf-8?B?QmNjOiB4QGV2aWw=?= =?utf-8?Q?=0D=0ABcc:_x?=",
    "boundary": "--kpay-a-0\r\nContent-Type: text/html\r\n\r\n<b>x",
    "comma": "Müller, Ana, victim@evil.example",
    "quotes": "\"Ana\" \\\" <ana@evil.example>",
    "emoji": "👩🏽‍🎨🔥 Ana",
    "many accents": "Z" + "\u0301" * 500,
    "long": "A" * 10_000,
    "long and wide": "窯" * 10_000,
    "own tokens": "kpaytag0e kpayunsubscribelink kpaypreheaderwords kpayletterbody",
    "percent": "%s%n%(x)s %00",
}  # fmt: skip
ADDRESSES = {
    "script": "javascript:alert(1)",
    "shouted script": " JaVaScRiPt:alert(1)",
    "script in two": "java\nscript:alert(1)",
    "data": "data:text/html,<script>alert(1)</script>",
    "vbscript": "vbscript:x",
    "file": "file:///etc/passwd",
    "no scheme": "//evil.example",
    "attribute": 'https://b.example/"onmouseover="alert(1)',
    "tag": "https://b.example/><script>",
    "line": "https://b.example/\r\nBcc: x@evil.example",
    "nothing": "",
}
LETTERHEAD = Letterhead(
    business="Ana's Bakery",
    sender="Ana Müller <ana@bakery.example>",
    postal_address="Hauptstraße 1, 10115 Berlin",
    unsubscribe_url="https://bakery.example/leave",
)
BODY = """\
Hello {{ name }},

{{ name }} and {{ content.title }}: {{ content.summary }}

[{{ content.title }}]({{ content.url }})

{% for piece in recommendations %}
- **{{ piece.title }}** and [{{ piece.title }}]({{ piece.url }}), {{ piece.because }}
{% endfor %}
"""
URL = "https://bakery.example/c/rye.html"


class Signs:
    """A signer whose tokens are the same for all."""

    def sign(self, text: str) -> str:
        """Return a token."""
        return "token"

    def read(self, token: str) -> str | None:
        """Read none."""
        return None


class Page(HTMLParser):
    """The tags of a page with their attributes' names, and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, tuple[str, ...]]] = []
        self.links: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note a tag."""
        self.tags.append((tag, tuple(name for name, _ in attrs)))
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_endtag(self, tag: str) -> None:
        """Note its end."""
        self.tags.append((f"/{tag}", ()))


def pressed(body: str = BODY, subject: str = "{{ name }}: {{ content.title }}", **said: str) -> Any:
    """Return a message of a campaign whose values say what is given, and its bytes."""
    told = {"name": "Ana", "title": "Rye", "summary": "Bread.", "because": "new here", "url": URL}
    told |= said
    piece = {
        "title": told["title"],
        "summary": told["summary"],
        "url": told["url"],
        "buy_url": "",
        "because": told["because"],
    }
    wording = Wording("bread", "launch", (subject,), body, 1, {"content": piece})
    renderer = JinjaRenderer([shipped("templates")], SafeMarkdown())
    press = Press(wording, LETTERHEAD, renderer, Signs())
    context = {"name": told["name"], "recommendations": [piece]}
    return press.envelope("reader@r.example", context, NOW)


def read(envelope: Any) -> tuple[EmailMessage, Page]:
    """Parse a message as the standard library does, and check what holds for every one of them."""
    content = envelope.content
    assert all(len(line) <= 998 for line in content.split(b"\r\n"))
    assert b"\n" not in content.replace(b"\r\n", b"")
    assert b"\r" not in content.replace(b"\r\n", b"")
    assert b"\0" not in content
    message = email.message_from_bytes(content, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    assert not message.defects
    assert list(message) == EXPECTED
    assert message["To"] == envelope.recipient == "reader@r.example"
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
    ]
    page = message.get_body(("html",))
    assert page is not None
    return message, Page(page.get_content())


EXPECTED = list(
    email.message_from_bytes(pressed().content, policy=email.policy.default)  # of a harmless one
)
HARMLESS = read(pressed())[1]


@pytest.mark.parametrize("value", ["name", "title", "summary", "because"])
@pytest.mark.parametrize("words", CORPUS.values(), ids=CORPUS)
def test_what_somebody_wrote_stays_words(value: str, words: str) -> None:
    message, page = read(pressed(**{value: words}))
    assert page.tags == HARMLESS.tags
    assert page.links == HARMLESS.links
    assert "\n" not in message["Subject"]
    assert "\u202e" not in message.as_string()
    plain = message.get_body(("plain",))
    assert plain is not None
    assert "49" not in plain.get_content().replace("149", "")


@pytest.mark.parametrize("url", ADDRESSES.values(), ids=ADDRESSES)
def test_an_address_that_means_harm_leads_nowhere(url: str) -> None:
    _, page = read(pressed(url=url))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in HARMLESS.tags]
    assert [names for _, names in page.tags] == [names for _, names in HARMLESS.tags]
    assert all(
        link == "#" or link.startswith(("https://bakery.example", "mailto:")) for link in page.links
    )
    _, written = read(pressed(f"Hello {{{{ name }}}}\n\n[words]({url or '#'}) and ![x]({url})"))
    assert not any(
        link.lower().startswith(("javascript", "data", "vbscript", "file"))
        for link in written.links
    )


@pytest.mark.parametrize("words", CORPUS.values(), ids=CORPUS)
def test_what_a_creator_pastes_into_a_letter_is_markdown_at_most(words: str) -> None:
    harmless = words.replace("{", "(")
    try:
        _, page = read(
            pressed(f"Hello {{{{ name }}}}\n\nA pasted text: {harmless}", "Hi {{ name }}")
        )
    except ValueError:
        assert "\0" in words
        return
    known = {tag for tag, _ in HARMLESS.tags} | {
        "h1", "/h1", "blockquote", "/blockquote", "hr", "ul", "/ul", "li", "/li", "em", "/em",
        "img", "strong", "/strong", "code", "/code", "br", "pre", "/pre",
    }  # fmt: skip
    assert {tag for tag, _ in page.tags} <= known
    assert not any(name.startswith("on") for _, names in page.tags for name in names)


@pytest.mark.parametrize(
    "body",
    [
        "{{ ''.__class__.__mro__[1].__subclasses__() }}",
        "{{ name.__init__.__globals__ }}",
        "{{ 'a' * 10**9 }}",
        "{{ 'a'.ljust(10**9) }}",
        "{% for i in range(10**9) %}x{% endfor %}",
        "{% for i in range(90000) %}{{ content.title }}{{ content.title }}{{ content.title }}{% for j in range(90000) %}abc{% endfor %}{% endfor %}",
        "{% include '/etc/passwd' %}",
        "{{ self._TemplateReference__context }}",
        "{{ config }}",
    ],
)
def test_a_letter_that_reaches_for_more_than_its_values_is_refused(body: str) -> None:
    with pytest.raises(InputInvalid):
        pressed(body)


@pytest.mark.parametrize("words", CORPUS.values(), ids=CORPUS)
def test_a_subject_in_the_file_is_one_header_or_refused(words: str) -> None:
    campaign, flaws = read_campaign({"subject": words.replace("{", "(")})
    if flaws:
        return
    message, _ = read(pressed(subject=campaign.subject))
    assert message.get_all("Bcc") is None
    assert len(str(message["Subject"])) <= 200


@pytest.mark.parametrize(
    "address",
    [
        "a@b.example, c@d.example",
        "a@b.example>\r\nRCPT TO:<x@evil.example",
        "<a@b.example>",
        "a@b.example\0",
        "a b@c.example",
        "@b.example",
        "a@",
    ],
)
def test_an_address_that_is_not_one_is_never_written_to(address: str) -> None:
    wording = Wording("bread", "", ("Hi",), "Hello", 1, {})
    renderer = JinjaRenderer([shipped("templates")], SafeMarkdown())
    with pytest.raises(ValueError, match=r"address|domain"):
        Press(wording, LETTERHEAD, renderer, Signs()).envelope(address, {}, NOW)


@pytest.mark.parametrize("words", CORPUS.values(), ids=CORPUS)
def test_a_name_that_is_an_advertisement_or_markup_is_not_said(words: str) -> None:
    said = shown_name(words)
    assert len(said) <= 80
    assert not set(said) & set("<>{}[]\r\n\0\u202e\u2028")
    assert "evil.example" not in said or "@" not in said
