"""Starting a business: a folder with settings, a first piece, a first campaign and an empty store."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import Path

from kpay.domain.document import Document, Text
from kpay.errors import Refused
from kpay.files import disk_problems, write_new
from kpay.store.engine import create_file
from kpay.store.upgrade import upgrade

FOLDERS = ("content", "campaigns", "templates", "models", "site", "outbox", "backups", "logs")

SETTINGS = """\
# The settings of this business. Every key can also be given as an environment variable:
# KPAY_ and the key in capitals. `kpay config` shows what holds and where it came from.
# Secrets never go here: KPAY_STRIPE_KEY and KPAY_SMTP_PASSWORD, or a secrets.toml of mode 600.

name = "{name}"
timezone = "UTC"            # whose days and months reports use, like "Europe/Berlin"
base_currency = "usd"       # the currency of MRR
live = false                # true allows real charges and real mail

mail = "outbox"             # "outbox" writes .eml files into outbox/; "smtp" sends
mail_from = ""              # "Ana Lee <ana@example.com>"
# smtp_url = "smtp://user@mail.example.com:587?tls=starttls"
postal_address = ""         # below every campaign mail, as the law asks
# unsubscribe_url = "https://example.com/unsubscribe"
# site_url = "https://example.com"
"""

NOT_FOR_GIT = "kpay.db*\nstore.lock\nsecrets.toml\n*.key\noutbox/\nbackups/\nlogs/\nmodels/\n"

FIRST_CONTENT = """\
---
title: My first piece
kind: article
summary: One sentence that makes a reader want the rest.
tags: [notes]
price: free
---
Write here, in Markdown. `kpay publish` turns this file into a page; give it a price like
"9 usd" and it becomes something that can be bought.
"""

FIRST_CAMPAIGN = """\
---
subject: "Something new, {{ name }}"
audience: all
holdout: 0.1
nameless: there          # what a reader without a name is called
---
Hello {{ name }},

I have published something that I think you will like.
"""


@dataclass(frozen=True, slots=True)
class Started:
    """What `kpay init` made; `created` is empty when everything was there already."""

    home: Path
    created: tuple[str, ...]

    def to_document(self) -> Document:
        """Say what was made, and what comes next."""
        if not self.created:
            sentence = f"{self.home} is a kpay business already; nothing to do."
            return Document(
                "kpay.init/1", sentence, payload=self._payload(), next_steps=("kpay doctor",)
            )
        return Document(
            "kpay.init/1",
            f"A new business in {self.home}",
            (Text("\n".join(f"  + {name}" for name in self.created)),),
            self._payload(),
            next_steps=(*self._way_there(), "kpay publish", "kpay doctor"),
        )

    def _way_there(self) -> tuple[str, ...]:
        return () if self.home == Path.cwd() else (f"cd {shlex.quote(str(self.home))}",)

    def _payload(self) -> dict[str, object]:
        return {"home": str(self.home), "created": list(self.created)}


def start_business(home: Path, example: Path | None = None) -> Started:
    """Make what a business needs and is not there yet; existing files are never touched.

    `example` is a workspace whose files are taken instead of the first piece and campaign.
    """
    if home.exists() and not home.is_dir():
        raise Refused(f"{home} is a file, not a folder", "kpay init my-business")
    with disk_problems(home):
        created = _write_files(home, example)
    store = home / "kpay.db"
    if not store.exists():
        created.append("kpay.db")
    create_file(store)
    upgrade(store, home / "backups")
    return Started(home, tuple(created))


def _write_files(home: Path, example: Path | None) -> list[str]:
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_new = not (home / "kpay.toml").exists()
    for folder in FOLDERS:
        (home / folder).mkdir(mode=0o700, exist_ok=True)
    if not is_new:
        return []
    if example is not None:
        return _copy_example(example, home)
    name = home.name.replace("\\", "").replace('"', "")
    files = {
        "kpay.toml": SETTINGS.replace("{name}", name),
        "content/my-first-piece.md": FIRST_CONTENT,
        "campaigns/hello.md": FIRST_CAMPAIGN,
        ".gitignore": NOT_FOR_GIT,
    }
    return [path for path, text in files.items() if write_new(home / path, text.encode())]


def _copy_example(example: Path, home: Path) -> list[str]:
    """Copy a workspace's files, settings last: a folder without kpay.toml is not yet a business."""
    files = [path.relative_to(example) for path in sorted(example.rglob("*")) if path.is_file()]
    files.sort(key=lambda path: path.name == "kpay.toml")
    for path in files:
        (home / path).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    created = [str(path) for path in files if write_new(home / path, (example / path).read_bytes())]
    return created + (
        [".gitignore"] if write_new(home / ".gitignore", NOT_FOR_GIT.encode()) else []
    )
