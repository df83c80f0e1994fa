"""A campaign's letter: compiled once, filled for one person, and written as a message."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from kpay.domain.campaign_file import LABELS
from kpay.domain.letterhead import Letterhead
from kpay.domain.message import Draft, message_id, wire_address, write_message
from kpay.domain.origins import Origin, OriginKind
from kpay.domain.return_path import reference_of
from kpay.ports import Envelope, FilledLetter, Letter, LetterSource, Renderer, TokenSigner
from kpay.services.shown_content import carrying_origin

LAYOUT = "email/campaign"
PERSONAL = ("name", "email", "recommendations", "owned", "band", "segment", "links")
"""The values that are one person's own, as a letter calls them."""
SOLE = "A"
PIECES = ("contents", "recommendations", "owned")
BLANK: Final[tuple[Any, ...]] = ("", None, [], ())
REFERENCE = "{{ links.reference }}"
"""What stands in a letter for the reference of the message, until it is filled."""


@dataclass(frozen=True, slots=True)
class Wording:
    """What a campaign says: frozen in its plan. `shared` are the values that are the same for all.

    `subjects` are labelled A, B, ... in their order; there is one unless several are tried.
    """

    campaign: str
    goal: str
    subjects: tuple[str, ...]
    body: str
    first_line: int
    shared: Mapping[str, Any]

    @property
    def labels(self) -> tuple[str, ...]:
        """The labels of the subjects."""
        return tuple(LABELS[: len(self.subjects)])

    def to_json(self) -> dict[str, Any]:
        """Return the plain values from which `of_json` makes it again."""
        return {
            "campaign": self.campaign,
            "goal": self.goal,
            "subjects": list(self.subjects),
            "body": self.body,
            "first_line": self.first_line,
            "shared": dict(self.shared),
        }

    @classmethod
    def of_json(cls, plain: Mapping[str, Any]) -> Wording:
        """Read a kept wording; those of the first schema had one subject."""
        values = {**plain}
        subjects = values.pop("subjects", None) or [values.pop("subject")]
        return cls(subjects=tuple(subjects), **values)


class Press:
    """Writes one campaign's messages."""

    def __init__(
        self, wording: Wording, letterhead: Letterhead, renderer: Renderer, signer: TokenSigner
    ) -> None:
        self._wording, self._letterhead, self._signer = wording, letterhead, signer
        self._origin = Origin(OriginKind.CAMPAIGN, wording.campaign)
        # Signed, so that nobody can work out the identity of a message that they never saw.
        self._purpose = signer.sign(f"campaign {wording.campaign}")
        layout_values = {
            "business": letterhead.shown_business,
            "postal_address": letterhead.postal_address,
            "site_url": letterhead.site_url,
            "language": wording.shared.get("language", "en"),
        }
        self._letters: dict[str, Letter] = {
            label: renderer.letter(
                LetterSource(
                    file=f"campaigns/{wording.campaign}.md",
                    subject=subject,
                    body=wording.body,
                    first_line=wording.first_line,
                    layout=LAYOUT,
                    values=layout_values,
                )
            )
            for label, subject in zip(wording.labels, wording.subjects, strict=True)
        }

    @property
    def names(self) -> frozenset[str]:
        """The values that the letter asks for."""
        return frozenset().union(*(letter.names for letter in self._letters.values()))

    @property
    def digest(self) -> str:
        """A hash of the letter with its layout, before anyone's values."""
        return "".join(letter.digest for letter in self._letters.values())

    def identity(self, email: str) -> str:
        """Return the Message-ID of this campaign's one message to an address."""
        return message_id(self._purpose, email, self._letterhead.domain)

    def fill(self, email: str, context: Mapping[str, Any], variant: str = SOLE) -> FilledLetter:
        """Fill the letter for one person; InputInvalid says what cannot be filled."""
        return self._filled(email, context, self._token(self.identity(email)), None, variant)

    def _filled(
        self,
        email: str,
        context: Mapping[str, Any],
        token: str,
        message: int | None,
        variant: str,
    ) -> FilledLetter:
        reference = self._origin.reference(message)
        links = {
            "unsubscribe": self._letterhead.unsubscribe_link(token),
            "site": self._letterhead.site_url,
            "reference": reference,
        }
        # A blank value is left out: a letter may ask whether it is there, but never prints nothing.
        known = {name: value for name, value in context.items() if value not in BLANK}
        values = with_origin({**self._wording.shared, **known}, reference)
        letter = self._letters.get(variant) or self._letters[SOLE]
        return letter.fill({**values, "email": email, "links": links})

    def envelope(
        self,
        email: str,
        context: Mapping[str, Any],
        now: datetime,
        *,
        message: int | None = None,
        variant: str = SOLE,
    ) -> Envelope:
        """Write the message to one person; ValueError for an address that cannot be mailed.

        `message` is the number of the delivery: with it in their links, sales name the message that
        they came from, without it (a sample) only the campaign.
        """
        identity = self.identity(email)
        token = self._token(identity)
        filled = self._filled(email, context, token, message, variant)
        draft = Draft(
            sender=self._letterhead.sender,
            recipient=email,
            message_id=identity,
            subject=filled.subject,
            text=filled.text,
            html=filled.html,
            sent_at=now,
            headers=self._letterhead.list_headers(
                self._wording.campaign, self._wording.goal, token
            ),
        )
        sender = self._letterhead.envelope_sender(identity)
        return Envelope(sender, wire_address(email), identity, write_message(draft))

    def _token(self, identity: str) -> str:
        """Sign the message's identity: a link that names nobody to those who see it pass."""
        return self._signer.sign(reference_of(identity))


def with_origin(values: Mapping[str, Any], reference: str) -> dict[str, Any]:
    """Put the reference on the addresses of every piece that a letter shows."""
    found = dict(values)
    if "content" in found:
        found["content"] = carrying_origin(found["content"], reference)
    for name in PIECES:
        if name in found:
            found[name] = [carrying_origin(piece, reference) for piece in found[name]]
    return found
