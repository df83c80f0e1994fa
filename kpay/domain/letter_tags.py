"""Keeping a letter's tags out of Markdown's and the layout's way, and putting them back after."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

from kpay.domain.plain_words import plain_markdown

TAG: Final = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
LONE_STATEMENT: Final = re.compile(r"^[ \t]*(\{%[^\n]*?%\}|\{#[^\n]*?#\})[ \t]*$", re.MULTILINE)
TOKEN: Final = re.compile(r"kpaytag(\d+)e")
PARAGRAPH: Final = re.compile(r"<p[^>]*>\s*(kpaytag\d+e)\s*</p>")
LONE_LINK: Final = re.compile(
    r'<p>\s*(<strong>)?<a href="([^"]*)"(?P<rest>[^>]*)>((?:(?!</a>).)*)</a>(?:</strong>)?\s*</p>',
    re.DOTALL,
)
TAGLESS: Final = re.compile(r"<[^>]*>")
BLOCK: Final = re.compile(r"<(p|h[1-6]|li|blockquote|th|td)(?=[ >])")
LINK_START: Final = re.compile(r'(href|src)="(kpaytag\d+e)')
OPENING: Final = re.compile(r"\{[{%#]")
STATEMENT_AT_END: Final = re.compile(r"(?<=\S)([ \t]*\{%[^\n]*?)(?<![-+])%\}[ \t]*$", re.MULTILINE)

UNSUBSCRIBE: Final = "kpayunsubscribelink"
PREHEADER: Final = "kpaypreheaderwords"
PREHEADER_NAME: Final = "letter_preheader"
BODY: Final = "kpayletterbody"
BODY_NAME: Final = "letter_body"


@dataclass(frozen=True, slots=True)
class Protected:
    """A Markdown body whose tags are tokens, and the tags in their order."""

    text: str
    tags: tuple[str, ...]

    def restore(self, page: str) -> str:
        """Put the tags back into a finished page, addresses checked where they start a link."""
        page = _without_foreign_tags(page)
        page = PARAGRAPH.sub(self._unwrapped, page)
        page = LINK_START.sub(lambda found: f'{found[1]}="{self._address(found[2])}', page)
        page = TOKEN.sub(lambda found: self.tags[int(found[1])], page)
        page = page.replace(PREHEADER, "{{ " + PREHEADER_NAME + " }}")
        return page.replace(UNSUBSCRIBE, "{{ links.unsubscribe|safe_url }}")

    def _unwrapped(self, found: re.Match[str]) -> str:
        """A statement is no paragraph; a value alone on its line is one."""
        return found[0] if self._tag(found[1]).startswith("{{") else found[1]

    def _tag(self, token: str) -> str:
        return self.tags[int(token.removeprefix("kpaytag")[:-1])]

    def _address(self, token: str) -> str:
        tag = self._tag(token)
        inside = tag.removeprefix("{{").removesuffix("}}").strip("-+ \n")
        return f"{{{{ ({inside})|safe_url }}}}" if tag.startswith("{{") else tag


def protect(body: str) -> Protected:
    """Swap every tag for a token; a statement alone on its line becomes a block of its own.

    Without that a `{% endfor %}` below a list would be read as a part of its last point.
    """
    tags: list[str] = []

    def swap(found: re.Match[str]) -> str:
        tags.append(found[0])
        return f"kpaytag{len(tags) - 1}e"

    spaced = LONE_STATEMENT.sub(r"\n\1\n", TOKEN.sub("", body))
    return Protected(TAG.sub(swap, spaced), tuple(tags))


def restore_layout(text: str) -> str:
    """Put the letter's words and the unsubscribe address into the text layout."""
    text = _without_foreign_tags(text).replace(BODY, "{{ " + BODY_NAME + " }}")
    return text.replace(UNSUBSCRIBE, "{{ links.unsubscribe }}")


def to_plain_text(body: str) -> str:
    """Return a letter's Markdown as people read it, line for line, with its tags."""
    tags: list[str] = []

    def swap(found: re.Match[str]) -> str:
        tags.append(found[0])
        return f"kpaytag{len(tags) - 1}e"

    words = plain_markdown(TAG.sub(swap, TOKEN.sub("", body)))
    words = TOKEN.sub(lambda found: tags[int(found[1])], words)
    # Without the plus the line's end would vanish with a tag that stands before it.
    return STATEMENT_AT_END.sub(r"\1+%}", words)


def dressed(page: str) -> str:
    """Return a letter's HTML with a button for each link that stands alone on its line.

    Each block takes the direction of its own first letters, so that Arabic stands right in a letter
    that is otherwise English.
    """
    page = LONE_LINK.sub(_button, page)
    return BLOCK.sub(r'<\1 dir="auto"', page)


def _button(found: re.Match[str]) -> str:
    address, words = found[2], found[4]
    if TAGLESS.sub("", words) in ("", address, unescape(address)) or "<img" in words:
        return found[0]
    return f'<p class="action"><a class="button" href="{address}"{found["rest"]}>{words}</a></p>'


def _without_foreign_tags(page: str) -> str:
    """What looks like a tag in a name or a postal address is shown, not obeyed."""
    return OPENING.sub(lambda found: f"{{{{ '{found[0]}' }}}}", page)
