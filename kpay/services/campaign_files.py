"""Campaigns as the creator keeps them: one Markdown file each in campaigns/."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path

from kpay.domain.campaign_file import CampaignFile, read_campaign
from kpay.domain.slug import is_slug, slugify
from kpay.errors import InputInvalid, NotFound, Problem, Refused, UsageProblem
from kpay.files import disk_problems, write_new
from kpay.ports import SourceReader

FOLDER = "campaigns"


@dataclass(frozen=True, slots=True)
class WrittenCampaign:
    """A campaign file that was read and found valid; `lines` of its keys are for later complaints."""

    name: str
    text: str
    settings: CampaignFile
    body: str
    first_line: int
    lines: Mapping[str, int]

    @property
    def file(self) -> str:
        """The file as it is called in messages."""
        return f"{FOLDER}/{self.name}.md"


def names(home: Path) -> list[str]:
    """Return the names of all campaign files."""
    return sorted(path.stem for path in (home / FOLDER).glob("*.md") if path.is_file())


def read(reader: SourceReader, home: Path, name: str) -> WrittenCampaign:
    """Read a campaign; NotFound, or InputInvalid with every mistake and its line."""
    path = path_of(home, name)
    if not path.is_file():
        close = get_close_matches(name, names(home), n=1)
        hint = f"kpay campaign show {close[0]}" if close else f"kpay campaign new {name}"
        raise NotFound("campaign", name, hint)
    file = f"{FOLDER}/{name}.md"
    source = reader.read(path, file)
    settings, flaws = read_campaign(source.values)
    if flaws:
        problems = [Problem(file, source.lines.get(f.key, 1), f.key, f.problem) for f in flaws]
        raise InputInvalid(file, problems, f"kpay campaign plan {name}")
    if not source.body.strip():
        raise InputInvalid(file, [Problem(file, source.first_line, None, "the letter is empty")])
    text = path.read_text(encoding="utf-8-sig")
    return WrittenCampaign(name, text, settings, source.body, source.first_line, dict(source.lines))


def settings_of(reader: SourceReader, name: str, text: str) -> CampaignFile:
    """Return the settings of a campaign's text as it was frozen; the rules may have changed since."""
    return read_campaign(reader.read_text(text, f"{FOLDER}/{name}.md").values)[0]


def path_of(home: Path, name: str, verb: str = "show") -> Path:
    """Return where a campaign's file is; UsageProblem for a name that is no plain word."""
    if not is_slug(name):
        better = slugify(name.removesuffix(".md")) or "my-campaign"
        raise UsageProblem(
            f"{name!r} is not a campaign's name (small letters, digits and hyphens)",
            f"kpay campaign {verb} {better}",
        )
    return home / FOLDER / f"{name}.md"


def create(home: Path, name: str, text: str) -> Path:
    """Write a new campaign file; Refused when there is one already."""
    path = path_of(home, name, "new")
    with disk_problems(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    if not write_new(path, text.encode()):
        raise Refused(f"{FOLDER}/{name}.md is there already", f"kpay campaign plan {name}")
    return path
