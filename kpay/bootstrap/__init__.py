"""The composition root: from settings to store, adapters and clock. The one file that knows all.

Adapters are imported inside their factories, so that `kpay report` never loads the payment library.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kpay import config, heartbeat, secrets
from kpay.manners import manners
from kpay.shipped import shipped

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from typing import NoReturn

    from kpay.domain.delivery_report import DeliveryReport
    from kpay.domain.document import Document
    from kpay.domain.mail_reading import ArrivedMail
    from kpay.domain.refunding import RefundPolicy
    from kpay.domain.schedule import Ticked
    from kpay.domain.sync_report import SyncReport
    from kpay.domain.verdicts import Demonstration
    from kpay.ml.tuned import Tuner
    from kpay.ports import (
        CheckoutPublisher,
        Clock,
        Letterbox,
        PaymentSource,
        RefundDesk,
        Renderer,
        TextEncoder,
        Ticker,
        Timetable,
    )
    from kpay.services.confirming import ConfirmDesk
    from kpay.services.delivering import Handover
    from kpay.services.inbox import InboxReader
    from kpay.services.mail_desk import MailDesk
    from kpay.services.passing import PassingTime
    from kpay.services.publishing import Workplace
    from kpay.services.simulated import World
    from kpay.services.site import SiteWriter
    from kpay.services.starting import Started
    from kpay.services.syncing import SyncWish
    from kpay.store.engine import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Business:
    """One business: its folder, its settings, and what it works with."""

    home: Path
    settings: config.Settings
    environment: Mapping[str, str]

    def folder(self, name: str) -> Path:
        """Return one of the business's folders ("content", "outbox"...), made if missing."""
        path = self.home / name
        path.mkdir(mode=0o700, exist_ok=True)
        return path

    @cached_property
    def clock(self) -> Clock:
        """What tells the time."""
        from kpay.adapters.clock import clock_from

        return clock_from(self.environment)

    @property
    def cache(self) -> Path:
        """The folder of what is remembered of this machine, not of this business."""
        base = self.environment.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
        return Path(base) / "kpay"

    def tuner(self, budget_s: int) -> Tuner:
        """Try other settings of the trees for a while; SettingsInvalid without the extra."""
        from functools import partial

        from kpay.errors import SettingsInvalid

        try:
            from kpay.ml.tuning import tune
        except ModuleNotFoundError as error:
            raise SettingsInvalid(
                'Tuning needs the extra "tune", which is not installed', 'pip install "kpay[tune]"'
            ) from error
        return partial(tune, budget_s=budget_s)

    @cached_property
    def text_encoder(self) -> TextEncoder | None:
        """The local embedding model that the settings name; SettingsInvalid when it cannot be read."""
        if not self.settings.embedding_model:
            return None
        from kpay.adapters.embedding import LocalEmbedding

        return LocalEmbedding(self.home / self.settings.embedding_model)

    @cached_property
    def store(self) -> Store:
        """The store, brought to the newest schema first."""
        from kpay.store.engine import Store, create_file
        from kpay.store.schema import is_newest

        path = self.home / "kpay.db"
        if not path.exists():
            log.warning("warning: %s was missing; an empty store was made", path)
        create_file(path)
        if not is_newest(path):
            from kpay.store.upgrade import upgrade

            upgrade(path, self.home / "backups")
        return Store(path)

    def renderer(self) -> Renderer:
        """Fill templates: the business's own first, then the shipped ones."""
        from kpay.adapters.markdown import SafeMarkdown
        from kpay.adapters.renderer import JinjaRenderer

        return JinjaRenderer([self.home / "templates", shipped("templates")], SafeMarkdown())

    def site(self) -> SiteWriter:
        """Write the pages of what is published."""
        from kpay.adapters.markdown import SafeMarkdown
        from kpay.services.site import SiteFacts, SiteWriter

        facts = SiteFacts(self.settings.name, self.settings.site_url, self.settings.timezone)
        return SiteWriter(self.folder("site"), self.renderer(), SafeMarkdown(), facts)

    def checkout(self) -> CheckoutPublisher:
        """Put offers on sale at Stripe; CredentialsMissing without a key."""
        from kpay.adapters.stripe_api import StripeCheckout, StripeConnection

        key = self.secret("stripe_key").reveal()
        return StripeCheckout(StripeConnection(key, self.settings.stripe_api_base))

    def refund_desk(self) -> RefundDesk:
        """Give money back at Stripe; CredentialsMissing without a key."""
        from kpay.adapters.stripe_api import StripeConnection, StripeRefunds

        key = self.secret("stripe_key").reveal()
        return StripeRefunds(StripeConnection(key, self.settings.stripe_api_base))

    def refund_policy(self) -> RefundPolicy:
        """What this business allows of refunds."""
        from kpay.domain.refunding import RefundPolicy

        return RefundPolicy(self.settings.refund_days, self.settings.live)

    def payments(self) -> PaymentSource:
        """Read from Stripe; CredentialsMissing without a key."""
        from kpay.adapters.stripe_api import StripeConnection, StripeSource

        key = self.secret("stripe_key").reveal()
        return StripeSource(StripeConnection(key, self.settings.stripe_api_base))

    def sync(
        self,
        wish: SyncWish,
        advance: Callable[[int, str], None],
        announce: Callable[[str], None] = lambda _text: None,
    ) -> SyncReport:
        """Bring the store up to Stripe, remember when that last worked, and mail new buyers."""
        from kpay.domain.period import parse_instant
        from kpay.domain.sync_report import Delivered
        from kpay.services import syncing

        now = self.clock.now()
        known = [self.last_success(name) for name in ("sync", "sync_changes")]
        last = max((one for one in known if one), default=None)
        report = syncing.sync(
            self.store,
            self.payments(),
            now=now,
            last_success=parse_instant(last) if last else None,
            wish=wish,
            advance=advance,
            announce=announce,
        )
        if report.knows_changes:
            heartbeat.record(self.home, "sync_changes" if report.is_partial else "sync", now)
        handover = self.deliver_after_sync()
        return replace(report, delivered=Delivered(*handover)) if handover else report

    def watch(
        self, every_s: int, show: Callable[[SyncReport], None], say: Callable[[str], None]
    ) -> NoReturn:
        """Sync whenever Stripe tells of something, until interrupted."""
        import time

        from kpay.services.syncing import SyncWish
        from kpay.services.watching import Watch

        Watch(
            open_source=self.payments,
            sync=lambda: self.sync(SyncWish(), lambda _steps, _what: None, say),
            show=show,
            say=say,
            every_s=every_s,
            sleep=time.sleep,
            clock=time.monotonic,
        ).run()

    def rebuild(self) -> Document:
        """Derive everything anew from what is kept, without asking anybody."""
        from kpay.services import rebuilding

        return rebuilding.rebuild(self.store, now=self.clock.now())

    def workplace(self) -> Workplace:
        """What publishing needs; the payment provider is asked for only when something is sold."""
        from kpay.adapters.front_matter import FrontMatterFiles
        from kpay.services.publishing import Workplace

        return Workplace(self.home, self.store, FrontMatterFiles(), self.site(), self.checkout)

    def mail_desk(self) -> MailDesk:
        """What campaigns and deliveries need; the way out is opened only when something is sent."""
        from kpay.bootstrap.mail import desk_of

        return desk_of(self)

    def mails_in(self, path: str) -> Iterator[ArrivedMail]:
        """Read the mails of a file or folder, or of standard input ("-")."""
        from kpay.bootstrap.mail import mails_at

        return mails_at(path)

    def letterbox(self) -> Letterbox:
        """The folder in which bounces and replies arrive; SettingsInvalid when none is set."""
        from kpay.adapters.imap import ImapFolder

        return ImapFolder(self.settings.imap_url, lambda: self.secret("imap_password").reveal())

    def inbox_reader(self, *, dry_run: bool) -> InboxReader:
        """Act on what came back; a rehearsal takes everything back."""
        from kpay.adapters.signing import Signer
        from kpay.services.inbox import InboxReader

        signer = Signer(self.home, "unsubscribe")
        confirm = self.confirm_desk().confirm_by_mail
        return InboxReader(self.store, signer, confirm, self.clock.now(), dry_run)

    def preview_folder(self, campaign: str) -> Path:
        """Return where the samples of a campaign are written."""
        return self.folder("outbox") / "preview" / campaign

    def open_page(self, page: Path) -> bool:
        """Show a file in the creator's browser; say whether one was found."""
        from kpay.adapters.browser import open_page

        return open_page(page)

    def deliver(self, advance: Callable[[int], None] = lambda count: None) -> DeliveryReport:
        """Queue what buyers are owed and send it, and the questions to confirm that wait."""
        from kpay.services import delivering

        desk, passing = self.mail_desk(), self.passing()
        delivering.plan_pending(desk, now=passing.now())
        report = delivering.send_pending(desk, passing=passing, advance=advance)
        return report.with_questions(self.confirm_desk().send_waiting(passing, advance))

    def passing(self) -> PassingTime:
        """Time as it passes in a run that begins now."""
        from kpay.services.passing import Stopwatch

        return Stopwatch(self.clock.now())

    def confirm_desk(self) -> ConfirmDesk:
        """What asking people to confirm needs."""
        from kpay.adapters.signing import Signer
        from kpay.services.confirming import ConfirmDesk

        signer = Signer(self.home, "confirm")
        return ConfirmDesk(self.mail_desk(), signer, self.settings.confirm_url)

    def write_parquet(self, columns: Mapping[str, Sequence[Any]], path: Path) -> None:
        """Write columns as Parquet; SettingsInvalid without the extra."""
        from kpay.adapters.parquet import write_parquet

        write_parquet(columns, path)

    def deliver_after_sync(self) -> Handover | None:
        """Mail new buyers what they bought; None when there was nothing to do."""
        from kpay.services import delivering
        from kpay.services.passing import Stopwatch

        return delivering.after_sync(self.mail_desk(), passing=Stopwatch(self.clock.now()))

    def fill_page(self, values: Mapping[str, Any], template: str = "report/document.html") -> str:
        """Fill the page of a report."""
        return self.renderer().render(template, values)

    def last_success(self, name: str) -> str | None:
        """Return when a kind of work last succeeded, as RFC 3339 text."""
        return heartbeat.read(self.home).get(name)

    def timetable(self) -> Timetable:
        """Read cron lines in the creator's zone."""
        from kpay.adapters.scheduler import CronTimetable

        return CronTimetable(self.settings.timezone)

    def ticker(self) -> Ticker:
        """Call something again and again."""
        from kpay.adapters.scheduler import Metronome

        return Metronome()

    def tick(self) -> Ticked:
        """Run the jobs that are due, as children of this process."""
        from kpay.adapters.child import JobChild
        from kpay.services import scheduling

        logs = self.folder("logs")
        runner = JobChild(self.home, logs)
        lock = logs / "schedule.lock"
        return scheduling.tick(self.store, runner, self.timetable(), self.clock, lock=lock)

    def secret(self, name: str) -> secrets.Secret:
        """Return a secret or raise CredentialsMissing."""
        return secrets.require(name, self.home, self.environment)


def open_business() -> Business:
    """Open the business that --home, KPAY_HOME or the current folder names.

    Raises BusinessNotFound or SettingsInvalid.
    """
    environment = os.environ
    home = config.find_home(manners().home, environment, Path.cwd())
    return Business(home, config.load(home, environment), environment)


def find_business() -> tuple[Path, config.Settings, Mapping[str, str]]:
    """Return folder, settings and environment without opening the store, which may be broken."""
    home = config.find_home(manners().home, os.environ, Path.cwd())
    return home, config.load(home, os.environ), os.environ


def settings_without_business() -> config.Settings:
    """Return the settings of a business if there is one here, else environment and defaults.

    Raises BusinessNotFound when a folder was named that is none.
    """
    from kpay.errors import BusinessNotFound

    try:
        return open_business().settings
    except BusinessNotFound:
        if manners().home or os.environ.get("KPAY_HOME"):
            raise
        return config.load(None, os.environ)


def start_business(folder: str, *, with_example: bool) -> Started:
    """Start a business in a folder, empty or with the example workspace in it."""
    from kpay.services import starting

    example = shipped("examples") if with_example else None
    return starting.start_business(Path(folder).expanduser().absolute(), example)


def new_demo_folder(named: str | None) -> Path:
    """Make the fresh folder of a demo; Refused when the named one has something in it."""
    from kpay.errors import Refused

    if named is None:
        names = ("kpay-demo" + (f"-{number}" if number > 1 else "") for number in range(1, 1000))
        named = next(name for name in names if not Path(name).exists())
    home = Path(named).expanduser().absolute()
    if home.exists() and any(home.iterdir()):
        raise Refused(f"{home} has files in it; the demo wants a fresh folder", "kpay demo")
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    return home


def live_a_day(
    world: World, home: Path, *, say: Callable[[str], None], seed: int, days: int
) -> Demonstration:
    """Run the demo's day in a folder, with kpay's own commands as child processes."""
    from kpay.adapters.child import Shell
    from kpay.services.demonstrating import Day

    return Day(world, Shell(home), home, say, seed).live(days)
