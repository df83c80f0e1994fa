"""Publishing on a real store and the sandbox's provider: versions, pages, offers; twice is once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from kpay.adapters.front_matter import FrontMatterFiles
from kpay.adapters.markdown import SafeMarkdown
from kpay.adapters.renderer import JinjaRenderer
from kpay.adapters.stripe_api import StripeCheckout, StripeConnection
from kpay.domain.enums import ImportKind
from kpay.domain.importing import Circumstances
from kpay.domain.origins import Origin, OriginKind
from kpay.domain.publishing import PublishResult, Wish
from kpay.errors import CredentialsMissing, InputInvalid, NotFound, Refused
from kpay.ports import CheckoutPublisher
from kpay.sandbox import Sandbox
from kpay.services.archiving import archive
from kpay.services.importing import import_csv
from kpay.services.publishing import Outcome, Workplace, publish
from kpay.services.site import SiteFacts, SiteWriter
from kpay.shipped import shipped
from tests.fakes.sandbox_shop import START
from tests.fakes.stores import digest, new_store, rows

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
EBOOK = (
    "---\ntitle: Salt\nkind: ebook\nprice: 29 usd\ntags: [sea]\n---\nFirst part.\n\nSecond part.\n"
)
ARTICLE = "---\ntitle: Rain\nprice: free\n---\nAll of *it*.\n"
MEMBERSHIP = "---\ntitle: 圈子\nkind: membership\nprice: 9 eur/month\ntrial_days: 7\n---\n你好。\n"


@pytest.fixture(scope="module")
def provider() -> Iterator[Sandbox]:
    with Sandbox(seed=1, customers=20, start=START) as sandbox:
        yield sandbox


class Desk:
    """A workspace to publish from."""

    def __init__(self, home: Path, checkout: Callable[[], CheckoutPublisher]) -> None:
        self.home = home
        self.store = new_store(home)
        renderer = JinjaRenderer([shipped("templates")], SafeMarkdown())
        facts = SiteFacts("Salt & Co", "https://salt.example", "UTC")
        site = SiteWriter(home / "site", renderer, SafeMarkdown(), facts)
        self.workplace = Workplace(home, self.store, FrontMatterFiles(), site, checkout)

    def write(self, name: str, text: str) -> None:
        path = self.home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def publish(
        self, *named: str, wish: Wish | None = None, now: datetime = NOW, dry_run: bool = False
    ) -> Outcome:
        asked = wish or Wish(is_named=bool(named))
        return publish(self.workplace, named, asked, start=self.home, now=now, is_rehearsal=dry_run)

    @contextmanager
    def without_key(self) -> Iterator[None]:
        """Take the provider's key away for a while."""
        whole = self.workplace
        self.workplace = replace(whole, checkout=no_key)
        yield
        self.workplace = whole

    def page(self, slug: str) -> str:
        return (self.home / "site" / "c" / f"{slug}.html").read_text(encoding="utf-8")

    def problems(self, *named: str) -> list[str]:
        with pytest.raises(InputInvalid) as caught:
            self.publish(*named)
        return [str(problem) for problem in caught.value.problems]


def no_key() -> CheckoutPublisher:
    raise CredentialsMissing("no stripe key is set", "export KPAY_STRIPE_KEY")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    """A workspace without a key."""
    made = Desk(tmp_path, no_key)
    yield made
    made.store.close()


@pytest.fixture
def shop(tmp_path: Path, provider: Sandbox) -> Iterator[Desk]:
    """A workspace that sells; each test's slugs are its own, because the provider is shared."""
    made = Desk(
        tmp_path, lambda: StripeCheckout(StripeConnection(provider.stripe_key, provider.stripe_url))
    )
    yield made
    made.store.close()


def changes(result: PublishResult) -> dict[str, str]:
    return {piece.slug: piece.change.value for piece in result.pieces}


def test_a_free_piece_is_a_page_that_can_be_read_whole(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    outcome = desk.publish()
    assert outcome.trouble is None
    assert changes(outcome.result) == {"rain": "new"}
    assert "All of <em>it</em>." in desk.page("rain")
    assert 'href="c/rain.html"' in (desk.home / "site" / "index.html").read_text(encoding="utf-8")


def test_publishing_twice_changes_nothing(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    desk.publish()
    before, page = digest(desk.store), desk.home / "site" / "c" / "rain.html"
    written_at = page.stat().st_mtime_ns
    outcome = desk.publish(now=NOW + timedelta(days=1))
    assert changes(outcome.result) == {"rain": "unchanged"}
    assert "nothing to do" in outcome.result.to_document().title
    assert digest(desk.store) == before
    assert page.stat().st_mtime_ns == written_at


def test_a_changed_text_is_a_new_version_and_the_old_one_stays(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    desk.publish()
    desk.write("content/rain.md", ARTICLE.replace("All", "Most"))
    assert changes(desk.publish(now=NOW + timedelta(days=1)).result) == {"rain": "changed"}
    assert rows(desk.store, "SELECT version, body FROM content_version ORDER BY 1") == [
        (1, "All of *it*.\n"), (2, "Most of *it*.\n"),
    ]  # fmt: skip
    assert rows(desk.store, "SELECT published_at FROM content") == [("2026-10-01T09:00:00Z",)]
    assert "Most of" in desk.page("rain")


def test_a_changed_attachment_is_a_new_version(desk: Desk) -> None:
    desk.write("content/files/a.txt", "one")
    desk.write("content/rain.md", ARTICLE.replace("price", "files: [files/a.txt]\nprice"))
    desk.publish()
    assert rows(desk.store, "SELECT attachments FROM content") == [('["content/files/a.txt"]',)]
    desk.write("content/files/a.txt", "two")
    assert changes(desk.publish().result) == {"rain": "changed"}


def test_without_a_key_everything_else_is_done(desk: Desk) -> None:
    desk.write("content/salt.md", EBOOK)
    outcome = desk.publish()
    assert outcome.result.not_on_sale == ["salt"]
    with pytest.raises(CredentialsMissing, match="published here, but 1 paid piece"):
        outcome.raise_trouble()
    assert rows(desk.store, "SELECT slug, status FROM content") == [("salt", "published")]
    assert "cannot be bought yet" in desk.page("salt")


def test_a_paid_page_shows_the_beginning_only(desk: Desk) -> None:
    desk.write("content/salt.md", EBOOK)
    desk.publish()
    assert "First part." in desk.page("salt")
    assert "Second part." not in desk.page("salt")


def test_a_paid_piece_is_put_on_sale_once(shop: Desk, provider: Sandbox) -> None:
    shop.write("content/salt.md", EBOOK)
    outcome = shop.publish()
    assert (outcome.trouble, outcome.result.put_on_sale) == (None, 1)
    (url,) = [piece.buy_url for piece in outcome.result.pieces]
    assert url is not None
    token = Origin(OriginKind.PAGE, "salt").token
    assert f'href="{url}?client_reference_id={token}"' in shop.page("salt")
    before = digest(shop.store)
    assert shop.publish().result.put_on_sale == 0
    assert digest(shop.store) == before


def test_what_could_not_be_sold_is_sold_the_next_time(shop: Desk) -> None:
    shop.write("content/later.md", EBOOK.replace("Salt", "Later"))
    with shop.without_key():
        assert shop.publish().trouble is not None
    outcome = shop.publish()
    assert (outcome.trouble, outcome.result.put_on_sale) == (None, 1)
    assert "cannot be bought yet" not in shop.page("later")


def test_a_change_of_terms_that_the_provider_missed_reaches_it_later(shop: Desk) -> None:
    text = EBOOK.replace("Salt", "Missed").replace("29 usd", "from 5 usd")
    shop.write("content/missed.md", text)
    shop.publish()
    shop.write("content/missed.md", text.replace("from 5 usd", "from 8 usd"))
    with shop.without_key():
        assert shop.publish().trouble is not None
    assert shop.publish().result.put_on_sale == 1
    assert shop.publish().result.put_on_sale == 0


def test_a_new_price_takes_the_place_of_the_old_one(shop: Desk) -> None:
    shop.write("content/dear.md", EBOOK.replace("Salt", "Dear"))
    first = shop.publish().result.pieces[0].buy_url
    shop.write("content/dear.md", EBOOK.replace("Salt", "Dear").replace("29 usd", "39 usd"))
    second = shop.publish().result.pieces[0].buy_url
    assert first != second
    assert rows(shop.store, "SELECT amount_minor, is_active FROM price ORDER BY 1") == [
        (2900, 0), (3900, 1),
    ]  # fmt: skip
    assert str(second) in shop.page("dear")


def test_what_becomes_free_is_taken_off_sale(shop: Desk) -> None:
    shop.write("content/gift.md", EBOOK.replace("Salt", "Gift"))
    shop.publish()
    shop.write("content/gift.md", EBOOK.replace("Salt", "Gift").replace("29 usd", "free"))
    shop.publish()
    assert rows(shop.store, "SELECT is_active FROM payment_link") == [(0,)]
    assert "Second part." in shop.page("gift")


def test_an_archived_piece_is_neither_shown_nor_sold(shop: Desk) -> None:
    shop.write("content/old.md", EBOOK.replace("Salt", "Old"))
    shop.publish()
    assert archive(shop.workplace, "old", NOW).is_new
    assert not (shop.home / "site" / "c" / "old.html").exists()
    assert rows(shop.store, "SELECT is_active FROM payment_link") == [(0,)]
    before = digest(shop.store)
    assert not archive(shop.workplace, "old", NOW).is_new
    assert changes(shop.publish().result) == {"old": "unchanged"}
    assert digest(shop.store) == before
    since = "SELECT archived_at FROM content"
    assert rows(shop.store, since) == [("2026-10-01T09:00:00Z",)]
    assert shop.publish("content/old.md").result.put_on_sale == 1
    assert rows(shop.store, since) == [(None,)]
    assert "cannot be bought yet" not in shop.page("old")


def test_archiving_without_a_key_says_what_is_still_on_sale(shop: Desk) -> None:
    shop.write("content/stale.md", EBOOK.replace("Salt", "Stale"))
    shop.publish()
    with (
        shop.without_key(),
        pytest.raises(CredentialsMissing, match="stale is archived here, but still on sale"),
    ):
        archive(shop.workplace, "stale", NOW).raise_trouble()
    archive(shop.workplace, "stale", NOW).raise_trouble()
    assert rows(shop.store, "SELECT is_active FROM payment_link") == [(0,)]


def test_a_chinese_membership_speaks_chinese(shop: Desk) -> None:
    shop.write("content/circle.md", MEMBERSHIP)
    outcome = shop.publish()
    assert changes(outcome.result) == {"圈子": "new"}
    page = shop.page("圈子")
    assert '<html lang="zh"' in page
    assert "免费试用 7 天" in page
    assert "€9.00/月" in page


def test_a_draft_has_no_page_and_no_offer(desk: Desk) -> None:
    desk.write("content/salt.md", EBOOK)
    assert desk.publish(wish=Wish(is_draft=True)).trouble is None
    assert not (desk.home / "site" / "c" / "salt.html").exists()
    assert changes(desk.publish().result) == {"salt": "unchanged"}
    assert changes(desk.publish("content/salt.md").result) == {"salt": "released"}


def test_a_scheduled_piece_comes_out_when_its_moment_has_come(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    later = NOW + timedelta(days=2)
    desk.publish(wish=Wish(at=later))
    assert not (desk.home / "site" / "c" / "rain.html").exists()
    assert changes(desk.publish(now=later).result) == {"rain": "released"}
    assert (desk.home / "site" / "c" / "rain.html").exists()


def test_what_readers_have_cannot_become_a_draft(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    desk.publish()
    with pytest.raises(Refused, match="rain is published already"):
        desk.publish("content/rain.md", wish=Wish(is_draft=True))


def test_every_problem_of_every_file_is_told_and_nothing_is_changed(desk: Desk) -> None:
    desk.write("content/a.md", "---\ntitle: A\nknd: ebook\nprice: 29 dolars\n---\n")
    desk.write("content/b.md", "no front matter")
    desk.write("content/c.md", ARTICLE)
    desk.write("content/d.md", ARTICLE)
    desk.write(
        "content/e.md",
        "---\ntitle: E\nkind: bundle\nprice: 1 usd\nincludes: [rian]\nfiles: [x.txt]\n---\n",
    )
    said = desk.problems()
    for part in (
        "content/a.md:3: knd: 'knd' is not a setting of a piece (did you mean 'kind'?)",
        "content/a.md:4: price: '29 dolars' is not a price",
        "content/b.md:1: has no front matter",
        "content/d.md:2: title: 'rain' is the slug of content/c.md already",
        "content/e.md:5: includes: there is no piece 'rian' to include; did you mean 'rain'?",
        "content/e.md:6: files: there is no file 'x.txt' beside it",
    ):
        assert any(line.startswith(part) for line in said), (part, said)
    assert rows(desk.store, "SELECT count(*) FROM content") == [(0,)]
    assert not (desk.home / "site").exists()


def test_a_slug_stays_when_the_title_changes(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    desk.publish()
    desk.write("content/rain.md", ARTICLE.replace("title: Rain", "title: Heavy Rain"))
    assert changes(desk.publish().result) == {"rain": "changed"}
    desk.write("content/rain.md", ARTICLE.replace("title: Rain", "title: Rain\nslug: shower"))
    assert "published as 'rain'" in desk.problems()[0]


def test_a_renamed_file_is_the_same_piece(desk: Desk) -> None:
    desk.write("content/rain.md", ARTICLE)
    desk.publish()
    (desk.home / "content" / "rain.md").rename(desk.home / "content" / "weather.md")
    assert changes(desk.publish().result) == {"rain": "unchanged"}
    desk.write("content/weather.md", ARTICLE.replace("title: Rain", "title: Weather"))
    desk.publish()
    assert rows(desk.store, "SELECT slug, title, file FROM content") == [
        ("rain", "Weather", "content/weather.md")
    ]


def test_a_rehearsal_changes_nothing(desk: Desk) -> None:
    desk.write("content/salt.md", EBOOK)
    before = digest(desk.store)
    outcome = desk.publish(dry_run=True)
    assert changes(outcome.result) == {"salt": "new"}
    assert digest(desk.store) == before
    assert not (desk.home / "site").exists()


def test_a_name_that_is_no_file_is_refused(desk: Desk) -> None:
    with pytest.raises(NotFound, match="nothing"):
        desk.publish("nothing.md")


def test_a_title_cannot_become_markup(desk: Desk) -> None:
    evil = ARTICLE.replace("title: Rain", "title: <script>alert(1)</script>").replace(
        "All of *it*.", "<img src=x onerror=alert(1)> [x](javascript:alert(1))"
    )
    desk.write("content/evil.md", evil)
    desk.publish()
    page = desk.page("script-alert-1-script")
    assert "<script" not in page
    assert "<img" not in page
    assert 'href="javascript' not in page


def test_a_cover_is_copied_beside_the_page(desk: Desk) -> None:
    desk.write("content/rain.svg", "<svg xmlns='http://www.w3.org/2000/svg'/>")
    desk.write("content/rain.md", ARTICLE.replace("price", "cover: rain.svg\nprice"))
    desk.publish()
    assert (desk.home / "site" / "c" / "rain-cover.svg").is_file()
    assert 'src="rain-cover.svg"' in desk.page("rain")


def test_sales_that_name_a_piece_find_it_when_it_is_published(desk: Desk) -> None:
    sale = b"order_id,email,ordered_at,amount,currency,product\n1,a@example.com,2026-01-01,5,usd,rain\n"
    import_csv(
        desk.store, ImportKind.ORDERS, sale, name="-", circumstances=Circumstances(NOW, "UTC")
    )
    desk.write("content/rain.md", ARTICLE)
    desk.publish()
    assert rows(desk.store, "SELECT source_id, ended_at FROM entitlement") == [("1", None)]


def test_the_example_workspace_is_publishable(tmp_path: Path, desk: Desk) -> None:
    example = shipped("examples")
    for path in sorted(example.rglob("*")):
        if path.is_file():
            target = desk.home / path.relative_to(example)
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(path.read_bytes())
    desk.publish()
    outcome = desk.publish("launch")
    assert [piece.slug for piece in outcome.result.pieces] == ["raku-in-a-weekend"]
    kinds = {kind for (kind,) in rows(desk.store, "SELECT DISTINCT kind FROM content")}
    assert kinds == {"article", "ebook", "course", "audio", "video", "bundle", "membership"}
    assert {language for (language,) in rows(desk.store, "SELECT DISTINCT language FROM content")} == {
        "en", "zh",
    }  # fmt: skip


def test_every_buy_link_of_a_page_names_the_page_and_keeps_its_query(shop: Desk) -> None:
    shop.write("content/pepper.md", EBOOK.replace("Salt", "Pepper"))
    (url,) = [piece.buy_url for piece in shop.publish().result.pieces]
    shop.write(
        "content/tale.md",
        ARTICLE.replace("Rain", "Tale") + f"\n[Buy Pepper]({url}?utm_source=tale) now.\n",
    )
    shop.publish()

    pepper, tale = (Origin(OriginKind.PAGE, slug).token for slug in ("pepper", "tale"))
    assert f'href="{url}?client_reference_id={pepper}"' in shop.page("pepper")
    assert f'href="{url}?utm_source=tale&amp;client_reference_id={tale}"' in shop.page("tale")


def test_a_page_hands_on_only_what_a_mail_can_have_brought(shop: Desk) -> None:
    shop.write("content/cumin.md", EBOOK.replace("Salt", "Cumin"))
    shop.write("content/fog.md", ARTICLE.replace("Rain", "Fog"))
    shop.publish()

    (pattern,) = re.findall(r"/\^(kp.*)\$/\.test", shop.page("cumin"))
    handed_on = re.compile(pattern)

    mail = Origin(OriginKind.CAMPAIGN, "x")
    assert all(handed_on.fullmatch(mail.reference(number)) for number in (None, 1, 10**17))
    assert not handed_on.fullmatch("javascript:alert(1)")
    assert "<script" not in shop.page("fog")


def test_a_page_names_what_its_buyers_also_bought(desk: Desk) -> None:
    for title in ("Salt", "Sea", "Bread"):
        desk.write(f"content/{title}.md", EBOOK.replace("Salt", title))
    desk.publish()
    assert "Readers also bought" not in desk.page("salt")
    orders = "\n".join(
        f"{slug}{buyer},b{buyer}@example.com,2026-05-0{buyer + 1}T10:00:00Z,29.00,usd,{slug}"
        for slug, buyers in (("salt", 6), ("sea", 5), ("bread", 4))
        for buyer in range(buyers)
    )
    head = "order_id,email,ordered_at,amount,currency,product"
    import_csv(
        desk.store,
        ImportKind.ORDERS,
        f"{head}\n{orders}\n".encode(),
        name="orders.csv",
        circumstances=Circumstances(NOW, "UTC"),
    )
    assert desk.publish().result.pages_written == 2
    assert "Readers also bought" in desk.page("salt")
    assert 'href="sea.html"' in desk.page("salt")
    assert 'href="bread.html"' not in desk.page("salt")
    assert desk.publish().result.pages_written == 0


def test_what_comes_before_a_piece_must_exist_and_make_no_ring(desk: Desk) -> None:
    desk.write(
        "content/one.md", EBOOK.replace("Salt", "One").replace("tags: [sea]", "after: [too]")
    )
    desk.write(
        "content/two.md", EBOOK.replace("Salt", "Two").replace("tags: [sea]", "after: [one]")
    )
    assert desk.problems() == [
        "content/one.md:5: after: there is no piece 'too' to come after; did you mean 'two'?"
    ]
    desk.write("content/one.md", EBOOK.replace("Salt", "One").replace("tags: [sea]", "after: two"))
    assert desk.problems() == [
        "content/one.md:5: after: 'one' would come after itself",
        "content/two.md:5: after: 'two' would come after itself",
    ]
    desk.write("content/one.md", EBOOK.replace("Salt", "One"))
    desk.publish()
    found = rows(desk.store, "SELECT slug, front_matter FROM content_version JOIN content "
                 "ON content.id = content_id ORDER BY slug")  # fmt: skip
    assert ["after" in said and "one" in said for _, said in found] == [False, True]
