"""Looking at a plan before it is sent: sample messages as files, and one page that shows them all."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from kpay.domain.address import normal_email
from kpay.domain.campaign_plan import REASONS, Plan
from kpay.domain.document import Column, Document, Table
from kpay.domain.plain_words import preheader_of
from kpay.domain.sample_choice import SampleChoice
from kpay.errors import InputInvalid, NotFound
from kpay.files import disk_problems, write_whole
from kpay.ports import FilledLetter
from kpay.services import campaign_files
from kpay.services.frozen_plan import FrozenPerson, FrozenPlan, kept_plan, people_of, person_of
from kpay.services.letters import Press
from kpay.services.mail_desk import MailDesk
from kpay.store import campaigns

PAGE = "index.html"
TEMPLATE = "campaign/preview.html"
FRAMES = "shown"
OURS = re.compile(r"\d+-.*\.(?:eml|html|txt)|index\.html")
DARK = "(prefers-color-scheme: dark)"
LONGEST_STEM = 60
POLICY = (
    '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
    "style-src 'unsafe-inline'; img-src https: data:\">"
)


@dataclass(frozen=True, slots=True)
class Sample:
    """One message that can be looked at; `stem` is its number and address, `traits` why it is here."""

    stem: str
    person: FrozenPerson
    traits: tuple[str, ...]
    variant: str
    filled: FilledLetter
    content: bytes

    def to_values(self) -> dict[str, Any]:
        """Return what the page shows of it."""
        return {
            "stem": self.stem,
            "email": self.person.email,
            "name": self.person.context.get("name") or "",
            "traits": ", ".join(self.traits),
            "variant": self.variant,
            "subject": self.filled.subject,
            "preheader": preheader_of(self.filled.text),
            "kilobytes": f"{len(self.content) / 1024:,.0f}",
            "text": self.filled.text,
        }


@dataclass(frozen=True, slots=True)
class Preview:
    """What was written: the page, and the files of each sample."""

    plan: Plan
    folder: Path
    files: tuple[str, ...]
    samples: int

    @property
    def page(self) -> Path:
        """The page that shows everything."""
        return self.folder / PAGE

    def to_document(self) -> Document:
        """Show where it all is."""
        name = self.plan.campaign
        return Document(
            "kpay.campaign.preview/1",
            f"{self.samples} sample message{'' if self.samples == 1 else 's'} in {self.folder}",
            (Table((Column("file"),), tuple((file,) for file in (str(self.page), *self.files))),),
            {
                "campaign": name,
                "plan": self.plan.hash,
                "page": str(self.page),
                "files": list(self.files),
            },
            next_steps=(
                f"kpay campaign test {name} --to you@example.com",
                f"kpay campaign send {name} --plan {self.plan.hash}",
            ),
        )


def write_preview(
    desk: MailDesk, name: str, folder: Path, now: datetime, *, email: str | None = None
) -> Preview:
    """Write samples of a campaign's kept plan and their page into a folder; older ones go.

    Raises NotFound without a plan, or for an address that is not in it. Held-out people get nothing,
    so they are no samples, unless one is named.
    """
    shown, frozen, people = _planned(desk, name, email)
    press = Press(frozen.wording, desk.letterhead, desk.renderer, desk.signer)
    samples = _samples(press, frozen, people, now)
    page = desk.renderer.render(TEMPLATE, _page_values(shown, samples))
    _empty(folder)
    files = [file for sample in samples for file in _write(folder, sample)]
    write_whole(folder / PAGE, page.encode())
    return Preview(shown, folder, tuple(files), len(samples))


def with_samples(desk: MailDesk, planned: Plan, folder: Path, now: datetime) -> Plan:
    """Return a plan that was just kept with the folder in which its samples were written.

    Without a sender no message can be written, and the plan says so. A plan that was there before
    keeps the samples that were written with it.
    """
    if desk.letterhead.problem():
        return planned
    if planned.is_new or not (folder / PAGE).exists():
        write_preview(desk, planned.campaign, folder, now)
    return replace(planned, samples=str(folder))


def kept_with_people(desk: MailDesk, name: str) -> tuple[Plan, FrozenPlan]:
    """Return a campaign's kept plan; NotFound when it was not planned."""
    with desk.store.reading() as connection:
        row = campaigns.find(connection, name)
        kept = kept_plan(connection, row) if row is not None else None
    if kept is None:
        campaign_files.read(desk.reader, desk.home, name)
        raise NotFound("plan of a campaign", name, f"kpay campaign plan {name}")
    return kept


def one_of_plan(desk: MailDesk, name: str, frozen: FrozenPlan, email: str) -> FrozenPerson:
    """Return the person with an address; NotFound for one who is not in the plan."""
    with desk.store.reading() as connection:
        found = person_of(connection, frozen, normal_email(email))
    if found is None:
        raise NotFound("recipient of this campaign", email, f"kpay campaign plan {name}")
    return found


def chosen_people(desk: MailDesk, frozen: FrozenPlan) -> list[tuple[FrozenPerson, tuple[str, ...]]]:
    """Return the few people whose messages differ most, each with what they stand for."""
    choice = SampleChoice()
    with desk.store.reading() as connection:
        after = ""
        while some := people_of(connection, frozen, after=after):
            for one in some:
                if not one.is_held_out:
                    choice.see(one.email, one.context)
            after = some[-1].email
        found = [
            (person_of(connection, frozen, email), traits)
            for email, traits in choice.chosen().items()
        ]
    return [(person, traits) for person, traits in found if person is not None]


def _planned(
    desk: MailDesk, name: str, email: str | None
) -> tuple[Plan, FrozenPlan, list[tuple[FrozenPerson, tuple[str, ...]]]]:
    shown, frozen = kept_with_people(desk, name)
    if email is None:
        return shown, frozen, chosen_people(desk, frozen)
    return shown, frozen, [(one_of_plan(desk, name, frozen, email), ("as asked",))]


def _samples(
    press: Press,
    frozen: FrozenPlan,
    people: list[tuple[FrozenPerson, tuple[str, ...]]],
    now: datetime,
) -> list[Sample]:
    """Write each person's message, the subjects in turn; every subject is shown at least once.

    Who cannot be written to is among the problems of the plan, not among the samples.
    """
    labels = frozen.wording.labels
    turns = max(len(people), len(labels)) if people else 0
    samples: list[Sample] = []
    for turn in range(turns):
        person, traits = people[turn % len(people)]
        variant = labels[turn % len(labels)]
        try:
            filled = press.fill(person.email, person.context, variant)
            envelope = press.envelope(person.email, person.context, now, variant=variant)
        except (InputInvalid, ValueError):
            continue
        stem = f"{len(samples) + 1}-{_file_name(person.email)}"
        samples.append(Sample(stem, person, traits, variant, filled, envelope.content))
    return samples


def _file_name(email: str) -> str:
    """Return an address as it can be a part of a file's name, everywhere."""
    return re.sub(r"[^\w.@+-]", "-", normal_email(email))[:LONGEST_STEM]


def _empty(folder: Path) -> None:
    """Make the folder, and take away what an earlier preview wrote; nothing else is touched."""
    frames = folder / FRAMES
    with disk_problems(folder / PAGE):
        frames.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in (*folder.iterdir(), *frames.iterdir()):
            if path.is_file() and OURS.fullmatch(path.name):
                path.unlink()


def _write(folder: Path, sample: Sample) -> list[str]:
    """Write a message as it is sent and as it looks by day and by night; return the first three."""
    page = sample.filled.html
    parts = {
        folder / f"{sample.stem}.eml": sample.content,
        folder / f"{sample.stem}.html": page.encode("utf-8-sig"),  # no header tells the charset
        folder
        / f"{sample.stem}.txt": f"Subject: {sample.filled.subject}\n\n{sample.filled.text}".encode(),
    }
    frames = {
        folder / FRAMES / f"{sample.stem}-{name}.html": _in_light_of(page, name).encode("utf-8-sig")
        for name in ("light", "dark")
    }
    for path, content in {**parts, **frames}.items():
        write_whole(path, content)
    return [str(path) for path in parts]


def _in_light_of(page: str, name: str) -> str:
    """Return a letter as a mail program shows it in its light or its dark colours."""
    wanted = page.replace(DARK, "all" if name == "dark" else "not all")
    wanted = wanted.replace("light dark", name)
    return wanted.replace("<head>", f"<head>{POLICY}", 1)


def _page_values(shown: Plan, samples: list[Sample]) -> dict[str, Any]:
    effect = shown.smallest_effect
    return {
        "plan": shown,
        "recipients": f"{shown.recipients:,}",
        "held_out": f"{shown.held_out:,}",
        "left_out": [
            (REASONS[reason], f"{count:,}") for reason, count in shown.left_out.items() if count
        ],
        "effect": None if effect is None else f"{effect * 100:.2g}",
        "base": None if shown.base_share is None else f"{shown.base_share * 100:.2g}",
        "frames": FRAMES,
        "samples": [sample.to_values() for sample in samples],
    }
