"""Importing into a real store: all or nothing, twice is once, and no opt-out is ever undone."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from kpay.domain.enums import ImportKind
from kpay.domain.importing import Circumstances, ImportResult
from kpay.errors import InputInvalid, UsageProblem
from kpay.services.exporting import export
from kpay.services.importing import import_csv
from kpay.store import audience, last_look
from kpay.store.engine import Store
from tests.fakes.stores import digest, new_store, rows

NOW = datetime(2026, 10, 1, 9, tzinfo=UTC)
LATER = datetime(2026, 11, 1, 9, tzinfo=UTC)
HEAD = (
    "order_id,email,ordered_at,amount,currency,product,quantity,name,country,refunded,refunded_at\n"
)
ORDERS = HEAD + (
    "7,Ana@Example.com,2026-01-05,19.99,usd,salt,1,Ana Lee,DE,,\n"
    "8,李@example.com,2026-01-06T08:00:00Z,500,jpy,rice,3,李雷,,,\n"
    "7,ana@example.com,2026-01-04,5.01,usd,other,2,,,5.00,2026-02-01\n"
)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = new_store(tmp_path, "salt", "rice", "box", includes={"box": ["salt"]})
    yield opened
    opened.close()


def bring(
    store: Store, kind: ImportKind, text: str | bytes, *, at: datetime = NOW, **options: object
) -> ImportResult:
    source = text if isinstance(text, bytes) else text.encode()
    rehearsal = bool(options.pop("dry_run", False))
    circumstances = Circumstances(at, "UTC", rehearsal)
    return import_csv(store, kind, source, name="f.csv", circumstances=circumstances, **options)


def counts(result: ImportResult) -> tuple[int, int, int]:
    return (result.counts.created, result.counts.updated, result.counts.unchanged)


def problems(store: Store, kind: ImportKind, text: str | bytes, **options: object) -> list[str]:
    with pytest.raises(InputInvalid) as caught:
        bring(store, kind, text, **options)
    return [str(problem) for problem in caught.value.problems]


def test_rows_of_one_order_become_one_order_of_one_customer(store: Store) -> None:
    result = bring(store, ImportKind.ORDERS, ORDERS)
    assert counts(result) == (3, 0, 0)
    assert result.totals["gross_by_currency"] == {
        "jpy": {"gross_minor": 500}, "usd": {"gross_minor": 2500},
    }  # fmt: skip
    assert rows(store, "SELECT external_id, ordered_at, gross_minor, currency FROM orders ORDER BY 1") == [
        ("7", "2026-01-04T00:00:00Z", 2500, "usd"),
        ("8", "2026-01-06T08:00:00Z", 500, "jpy"),
    ]  # fmt: skip
    assert rows(store, "SELECT email, name, country FROM customer ORDER BY 1") == [
        ("ana@example.com", "Ana Lee", "DE"), ("李@example.com", "李雷", None),
    ]  # fmt: skip
    assert rows(store, "SELECT amount_minor, refunded_at FROM refund") == [
        (500, "2026-02-01T00:00:00Z")
    ]


def test_what_was_bought_elsewhere_may_be_read_here(store: Store) -> None:
    bring(store, ImportKind.ORDERS, HEAD + "9,ana@example.com,2026-01-05,89,usd,box,1,,,,\n")
    granted = "SELECT slug FROM entitlement JOIN content ON content.id = content_id ORDER BY 1"
    assert rows(store, granted) == [("box",), ("salt",)]


def test_an_order_that_is_corrected_ends_what_it_no_longer_grants(store: Store) -> None:
    bring(store, ImportKind.ORDERS, HEAD + "9,ana@example.com,2026-01-05,89,usd,box,1,,,,\n")
    bring(store, ImportKind.ORDERS, HEAD + "9,ana@example.com,2026-01-05,19,usd,rice,1,,,,\n")
    open_rights = "SELECT slug FROM entitlement JOIN content ON content.id = content_id WHERE ended_at IS NULL"
    assert rows(store, open_rights) == [("rice",)]


@pytest.mark.parametrize("shape", ["plain", "gzip", "bom", "semicolons", "windows"])
def test_the_same_file_twice_changes_nothing(store: Store, shape: str) -> None:
    text = ORDERS.replace(",", ";") if shape == "semicolons" else ORDERS
    source = text.replace("\n", "\r\n").encode() if shape == "windows" else text.encode()
    source = b"\xef\xbb\xbf" + source if shape == "bom" else source
    source = gzip.compress(source) if shape == "gzip" else source
    assert counts(bring(store, ImportKind.ORDERS, source)) == (3, 0, 0)
    before = digest(store)
    result = bring(store, ImportKind.ORDERS, source, at=LATER)
    assert counts(result) == (0, 0, 3)
    assert "nothing to do" in result.to_document().title
    assert digest(store) == before


def test_an_order_seen_again_is_replaced_whole(store: Store) -> None:
    bring(store, ImportKind.ORDERS, ORDERS)
    again = HEAD + "7,ben@example.com,2026-01-09,7.50,usd,salt,1,Ben,,,\n"
    assert counts(bring(store, ImportKind.ORDERS, again)) == (0, 1, 0)
    assert rows(store, "SELECT email, gross_minor FROM orders WHERE external_id = '7'") == [
        ("ben@example.com", 750)
    ]
    assert rows(store, "SELECT count(*) FROM line_item") == [(2,)]
    assert rows(store, "SELECT count(*) FROM refund") == [(0,)]


def test_every_wrong_line_is_told_and_nothing_is_imported(store: Store) -> None:
    bad = ORDERS + (
        "9,nobody,2026-01-05,1,usd,,,,,,\n"
        "10,a@example.com,soon,-1,usd,,,,,,\n"
        "7,ana@example.com,2026-01-05,1,eur,,,,,,\n"
        "11,a@example.com\n"
    )
    before = digest(store)
    said = problems(store, ImportKind.ORDERS, bad)
    wanted = [
        "f.csv:5: email",
        "f.csv:6: ordered_at",
        "f.csv:6: amount",
        "f.csv:7: currency",
        "f.csv:8:",
    ]
    for where in wanted:
        assert any(line.startswith(where) for line in said), said
    assert digest(store) == before


def test_skip_bad_leaves_out_whole_orders_only(store: Store) -> None:
    bad = (
        ORDERS
        + "7,ana@example.com,2026-01-05,x,usd,,,,,,\n9,a@example.com,2026-01-05,1,usd,,,,,,\n"
    )
    result = bring(store, ImportKind.ORDERS, bad, skips_bad=True)
    assert rows(store, "SELECT external_id FROM orders ORDER BY 1") == [("8",), ("9",)]
    assert [row.line for row in result.bad] == [2, 4, 5]
    assert result.rows == sum(counts(result)) + len(result.bad)


def test_a_rehearsal_counts_and_writes_nothing(store: Store) -> None:
    before = digest(store)
    assert counts(bring(store, ImportKind.ORDERS, ORDERS, dry_run=True)) == (3, 0, 0)
    assert digest(store) == before


def test_columns_can_be_named_otherwise(store: Store) -> None:
    text = "Nr,Mail,When,Total,currency,note\n1,a@example.com,2026-01-01,5,usd,hi\n"
    mapping = {"Nr": "order_id", "Mail": "email", "When": "ordered_at", "Total": "amount"}
    result = bring(store, ImportKind.ORDERS, text, mapping=mapping)
    assert counts(result) == (1, 0, 0)
    assert result.unused_columns == ("note",)


@pytest.mark.parametrize(
    ("mapping", "says"), [({"Totl": "amount"}, "Total"), ({"Total": "amont"}, "amount")]
)
def test_a_wrong_mapping_says_what_was_meant(
    store: Store, mapping: dict[str, str], says: str
) -> None:
    with pytest.raises(UsageProblem, match=f"did you mean '{says}'"):
        bring(store, ImportKind.ORDERS, "Total,x\n1,2\n", mapping=mapping)


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (b"", "empty"),
        (b'"order_id' + b"x" * 200_000, "is not CSV"),
        (b"order_id,email,orderd_at,amount,currency\n", "did you mean 'orderd_at'"),
        (b"order_id,email,ordered_at,amount,currency,email\n", "twice"),
        ("order_id,email\n1,café\n".encode("latin-1"), "line 2"),
        ("order_id\n".encode("utf-16"), "UTF-16"),
        (gzip.compress(b"order_id,email\n" * 99, mtime=0)[:-9], "damaged gzip"),
    ],
)
def test_a_file_that_is_no_table_of_orders_is_refused(
    store: Store, source: bytes, says: str
) -> None:
    (said,) = problems(store, ImportKind.ORDERS, source)[:1]
    assert says in said.replace("f.csv:2", "line 2")


def test_lines_are_counted_as_an_editor_counts_them(store: Store) -> None:
    text = '\n\nemail,at,kind,text\na@example.com,2026-01-01,note,"two\nlines"\nnobody,2026-01-01,note,x\n'
    assert problems(store, ImportKind.FEEDBACK, text) == [
        "f.csv:6: email: 'nobody' is not an email address"
    ]


def test_a_customers_name_is_filled_in_but_not_overwritten(store: Store) -> None:
    bring(store, ImportKind.CUSTOMERS, "email,name\na@example.com,Ana\nb@example.com,\n")
    text = (
        HEAD
        + "1,a@example.com,2026-01-01,1,usd,,,Anna,,,\n2,b@example.com,2026-01-01,1,usd,,,Ben,FR,,\n"
    )
    bring(store, ImportKind.ORDERS, text)
    assert rows(store, "SELECT name, country FROM customer ORDER BY email") == [
        ("Ana", None), ("Ben", "FR"),
    ]  # fmt: skip


PEOPLE = "email,name,consent_source,consented_at,timezone,tags\nAna@example.com,Ana,form,2026-01-01,Asia/Tokyo,a;b\n"


def test_an_import_never_revives_an_opt_out(store: Store) -> None:
    bring(store, ImportKind.SUBSCRIBERS, PEOPLE)
    with store.writing() as connection:
        audience.opt_out(connection, ["ana@example.com", "gone@example.com"], "unsubscribe", NOW)
    before = digest(store)
    again = PEOPLE.replace("form", "other form") + "gone@example.com,,,,,\n"
    assert counts(bring(store, ImportKind.SUBSCRIBERS, again, at=LATER)) == (0, 0, 2)
    assert digest(store) == before


@pytest.mark.parametrize("line_of_leaving", [0, 1])
def test_in_one_file_the_row_that_says_unsubscribed_holds(
    store: Store, line_of_leaving: int
) -> None:
    people = ["Ana@Example.com,subscribed\n"]
    people.insert(line_of_leaving, "ana@example.com,unsubscribed\n")
    bring(store, ImportKind.SUBSCRIBERS, "email,status\n" + "".join(people))
    assert rows(store, "SELECT email, status FROM subscriber") == [
        ("ana@example.com", "unsubscribed")
    ]
    with store.reading() as connection:
        assert last_look.suppressed(connection, ["ana@example.com"])


def test_an_order_larger_than_any_amount_is_refused(store: Store) -> None:
    line = "9,a@example.com,2026-01-05,90071992547409.91,usd,salt,1,,,,\n"
    found = problems(store, ImportKind.ORDERS, HEAD + line * 2)
    assert "f.csv:3: amount: its order is larger than any amount kpay keeps" in found
    assert rows(store, "SELECT count(*) FROM orders") == [(0,)]


def test_a_subscriber_who_left_elsewhere_has_left_here(store: Store) -> None:
    bring(store, ImportKind.SUBSCRIBERS, PEOPLE)
    left = "email,status\nana@example.com,unsubscribed\nnew@example.com,unsubscribed\n"
    bring(store, ImportKind.SUBSCRIBERS, left)
    assert rows(store, "SELECT status FROM subscriber") == [("unsubscribed",), ("unsubscribed",)]
    assert rows(store, "SELECT count(*) FROM suppression") == [(2,)]


def test_empty_cells_keep_what_is_known(store: Store) -> None:
    bring(store, ImportKind.SUBSCRIBERS, PEOPLE)
    changed = "email,name,tags\nana@example.com,,c\n"
    assert counts(bring(store, ImportKind.SUBSCRIBERS, changed, at=LATER)) == (0, 1, 0)
    assert rows(store, "SELECT name, tags, timezone, created_at FROM subscriber") == [
        ("Ana", '["c"]', "Asia/Tokyo", "2026-10-01T09:00:00Z")
    ]


EVENTS = (
    "email,happened_at,kind,content,value\n"
    "ana@example.com,2026-02-01T08:00:00Z,visit,salt,\n"
    "ana@example.com,2026-02-01T09:00:00Z,unsubscribe,,launch\n"
    "ben@example.com,2026-02-01T09:00:00Z,bounce,,\n"
)


def test_who_left_complained_or_bounced_is_not_mailed_again(store: Store) -> None:
    bring(store, ImportKind.SUBSCRIBERS, PEOPLE)
    assert counts(bring(store, ImportKind.EVENTS, EVENTS)) == (3, 0, 0)
    assert rows(store, "SELECT status, unsubscribed_at FROM subscriber") == [
        ("unsubscribed", "2026-02-01T09:00:00Z")
    ]
    assert rows(store, "SELECT reason FROM suppression ORDER BY 1") == [
        ("bounce",),
        ("unsubscribe",),
    ]


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (ImportKind.EVENTS, EVENTS),
        (ImportKind.SUBSCRIBERS, PEOPLE),
        (ImportKind.CUSTOMERS, "email,name,country,tags\na@example.com,=1+1,DE,x;y\n"),
        (ImportKind.TRAFFIC, "day,source,content,visits,clicks\n2026-01-01,web,salt,10,2\n2026-01-01,web,salt,5,1\n"),
        (ImportKind.COSTS, "day,kind,campaign,amount,currency\n2026-01-01,ads,,10.50,usd\n2026-01-01,ads,,-1,usd\n"),
        (ImportKind.FEEDBACK, "email,at,kind,content,rating,text\na@example.com,2026-01-01,review,salt,4.5,很好\n"),
    ],
)  # fmt: skip
def test_every_kind_twice_is_once(store: Store, kind: ImportKind, text: str) -> None:
    first = bring(store, kind, text)
    assert first.counts.created == first.rows
    before = digest(store)
    assert counts(bring(store, kind, text, at=LATER)) == (0, 0, first.rows)
    assert digest(store) == before


def test_counts_of_one_day_and_source_are_added_up(store: Store) -> None:
    bring(
        store,
        ImportKind.TRAFFIC,
        "day,source,visits,clicks\n2026-01-01,web,10,2\n2026-01-01,web,5,\n",
    )
    assert rows(store, "SELECT visits, clicks FROM traffic") == [(15, 2)]
    bring(
        store,
        ImportKind.COSTS,
        "day,kind,amount,currency\n2026-01-01,ads,1.50,usd\n2026-01-01,ads,2,usd\n",
    )
    assert rows(store, "SELECT amount_minor FROM cost") == [(350,)]


FILES = {
    ImportKind.CUSTOMERS: "email,name,country,tags,created_at\n+a@example.com,=1+1,DE,x;y,2026-01-01\n",
    ImportKind.ORDERS: ORDERS.replace("Ana Lee", "'=Ana"),
    ImportKind.SUBSCRIBERS: PEOPLE + "left@example.com,,,,,\n",
    ImportKind.EVENTS: EVENTS,
    ImportKind.TRAFFIC: "day,source,content,visits,clicks\n2026-01-01,@home,salt,10,2\n",
    ImportKind.COSTS: "day,kind,campaign,amount,currency\n2026-01-01,-ads,launch,-10.50,usd\n",
    ImportKind.FEEDBACK: "email,at,kind,content,rating,text\na@example.com,2026-01-01,review,,4.5,\"=很好,\n真的\"\n",
}  # fmt: skip


@pytest.mark.parametrize("kind", list(FILES))
def test_what_is_exported_can_be_imported_elsewhere(
    store: Store, kind: ImportKind, tmp_path: Path
) -> None:
    bring(store, kind, FILES[kind])
    with store.writing() as connection:
        audience.opt_out(connection, ["left@example.com"], "unsubscribe", NOW)
    text = export(store, kind).to_csv()
    assert counts(bring(store, kind, text, at=LATER)) == (0, 0, export_size(store, kind))
    (tmp_path / "other").mkdir()
    other = new_store(tmp_path / "other", "salt", "rice")
    bring(other, kind, text)
    assert export(other, kind).to_csv() == text
    other.close()


def export_size(store: Store, kind: ImportKind) -> int:
    return len(export(store, kind).rows)


def test_an_exported_text_is_no_formula(store: Store) -> None:
    bring(store, ImportKind.CUSTOMERS, FILES[ImportKind.CUSTOMERS])
    assert "'+a@example.com,'=1+1," in export(store, ImportKind.CUSTOMERS).to_csv()


def test_a_json_export_holds_minor_units(store: Store) -> None:
    bring(store, ImportKind.ORDERS, ORDERS)
    payload = export(store, ImportKind.ORDERS).to_document().to_json()
    assert payload["schema"] == "kpay.export/1"
    assert [(row["amount_minor"], row["currency"]) for row in payload["rows"]] == [
        (1999, "usd"), (501, "usd"), (500, "jpy"),
    ]  # fmt: skip
