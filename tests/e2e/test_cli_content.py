"""The command line of publishing, importing, exporting and people."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

ORDERS = (
    "order_id,email,ordered_at,amount,currency,product,name\n"
    "1,Ana@example.com,2026-09-01,19.99,usd,rain,Ana Lee\n"
    "1,ana@example.com,2026-09-01,5.01,usd,salt,\n"
    "2,李@example.com,2026-09-02,8,eur,,李雷\n"
)
ARTICLE = "---\ntitle: Rain\nprice: free\ntags: [sky]\n---\nAll of it.\n"
EBOOK = "---\ntitle: Salt\nkind: ebook\nprice: 29 usd\n---\nBeginning.\n\nRest.\n"

Kpay = Callable[..., Any]


def answer(result: Any, code: int = 0) -> dict[str, Any]:
    assert result.exit_code == code, result.stderr
    read = json.loads(result.stdout)
    assert isinstance(read, dict)
    return read


def test_import_answers_with_its_documented_keys(business: Path, kpay: Kpay) -> None:
    found = answer(kpay("import", "orders", "-", "--json", home=business, input=ORDERS))
    assert found["schema"] == "kpay.import/1"
    assert (found["kind"], found["rows"], found["bad"]) == ("orders", 3, [])
    assert (found["created"], found["updated"], found["unchanged"]) == (3, 0, 0)
    assert found["gross_by_currency"] == {
        "eur": {"gross_minor": 800}, "usd": {"gross_minor": 2500},
    }  # fmt: skip
    assert found["seconds"] >= 0


def test_importing_again_says_nothing_to_do(business: Path, kpay: Kpay) -> None:
    path = business / "orders.csv.gz"
    path.write_bytes(gzip.compress(ORDERS.encode()))
    assert "3 new" in kpay("import", "orders", str(path), home=business).stdout
    again = kpay("import", "orders", str(path), home=business)
    assert (again.exit_code, "nothing to do" in again.stdout) == (0, True)


def test_bad_rows_can_be_left_out(business: Path, kpay: Kpay) -> None:
    bad = ORDERS + "3,nobody,2026-09-01,1,usd,,\n"
    refused = kpay("import", "orders", "-", home=business, input=bad)
    assert refused.exit_code == 65
    assert "stdin:5: email: 'nobody' is not an email address" in refused.stderr
    assert "next: kpay import orders FILE --skip-bad" in refused.stderr
    found = answer(kpay("import", "orders", "-", "--skip-bad", "--json", home=business, input=bad))
    assert found["bad"] == [
        {"line": 5, "column": "email", "problem": "'nobody' is not an email address"}
    ]
    assert found["created"] == 3


@pytest.mark.parametrize("word", ["nonsense", "=amount", "Total="])
def test_a_map_that_is_none_is_refused(business: Path, kpay: Kpay, word: str) -> None:
    result = kpay("import", "orders", "-", "--map", word, home=business, input=ORDERS)
    assert result.exit_code == 2
    assert "COLUMN=FIELD" in result.stderr


def test_a_rehearsed_import_leaves_no_customer(business: Path, kpay: Kpay) -> None:
    kpay("import", "orders", "-", "--dry-run", home=business, input=ORDERS)
    assert answer(kpay("customer", "list", "--json", home=business))["total"] == 0


def test_an_export_is_what_was_imported(business: Path, kpay: Kpay, tmp_path: Path) -> None:
    kpay("import", "orders", "-", home=business, input=ORDERS)
    out = tmp_path / "out.csv"
    assert kpay("export", "orders", "--out", str(out), home=business).exit_code == 0
    result = kpay("import", "orders", str(out), "--json", home=business)
    assert answer(result)["unchanged"] == 3
    assert kpay("export", "orders", home=business).stdout == out.read_text(encoding="utf-8")


def test_parquet_goes_to_a_file(business: Path, kpay: Kpay) -> None:
    result = kpay("export", "orders", "--format", "parquet", home=business)
    assert (result.exit_code, "--out orders.parquet" in result.stderr) == (2, True)


@pytest.mark.skipif(find_spec("pyarrow") is not None, reason="the extra is installed")
def test_parquet_names_the_extra_it_needs(business: Path, kpay: Kpay, tmp_path: Path) -> None:
    out = str(tmp_path / "orders.parquet")
    result = kpay("export", "orders", "--format", "parquet", "--out", out, home=business)
    assert (result.exit_code, 'pip install "kpay[parquet]"' in result.stderr) == (78, True)


def test_a_customer_shows_what_they_bought(business: Path, kpay: Kpay) -> None:
    (business / "content" / "rain.md").write_text(ARTICLE, encoding="utf-8")
    kpay("publish", home=business)
    kpay("import", "orders", "-", home=business, input=ORDERS)
    found = answer(kpay("customer", "show", "ANA@example.com", "--json", home=business))
    assert found["spent"] == {"usd": {"total_minor": 2500}}
    assert [right["title"] for right in found["rights"]] == ["Rain"]
    assert [order["total_minor"] for order in found["order_list"]] == [2500]
    listed = answer(kpay("customer", "list", "-n", "1", "--json", home=business))
    assert (listed["total"], [one["name"] for one in listed["customers"]]) == (2, ["李雷"])


def test_a_mistyped_address_says_who_was_meant(business: Path, kpay: Kpay) -> None:
    kpay("import", "orders", "-", home=business, input=ORDERS)
    result = kpay("customer", "show", "ana@exmple.com", home=business)
    assert result.exit_code == 4
    assert "next: kpay customer show ana@example.com" in result.stderr


def test_the_mailing_list_is_kept_by_hand(business: Path, kpay: Kpay) -> None:
    added = answer(
        kpay("subscriber", "add", "Ana@Example.com", "--source", "fair", "--json", home=business)
    )
    assert added["created"] is True
    assert "nothing to do" in kpay("subscriber", "add", "ana@example.com", home=business).stdout
    (one,) = answer(kpay("subscriber", "list", "--json", home=business))["subscribers"]
    assert (one["email"], one["status"], one["consent_source"]) == (
        "ana@example.com", "subscribed", "fair",
    )  # fmt: skip


def test_who_left_stays_away(business: Path, kpay: Kpay) -> None:
    kpay("subscriber", "add", "ana@example.com", home=business)
    assert "off the list" in kpay("subscriber", "remove", "ana@example.com", home=business).stdout
    assert "nothing to do" in kpay("subscriber", "remove", "ana@example.com", home=business).stdout
    assert kpay("subscriber", "add", "ana@example.com", home=business).exit_code == 4
    assert kpay("subscriber", "remove", "who@example.com", home=business).exit_code == 4
    assert kpay("subscriber", "add", "nobody", home=business).exit_code == 2


def test_publishing_without_a_key_keeps_the_work_and_says_what_is_missing(
    business: Path, kpay: Kpay
) -> None:
    (business / "content" / "salt.md").write_text(EBOOK, encoding="utf-8")
    result = kpay("publish", "--json", home=business)
    found = answer(result, 78)
    assert (found["new"], found["not_on_sale"]) == (1, ["salt"])
    error = json.loads(result.stderr)["error"]
    assert "published here" in error["message"]
    assert "KPAY_STRIPE_KEY" in error["hint"]
    assert answer(kpay("content", "list", "--json", home=business))["content"][0]["slug"] == "salt"


def test_publishing_twice_says_nothing_to_do(business: Path, kpay: Kpay) -> None:
    (business / "content" / "rain.md").write_text(ARTICLE, encoding="utf-8")
    assert "1 piece published" in kpay("publish", home=business).stdout
    assert "nothing to do" in kpay("publish", home=business).stdout


def test_a_wrong_moment_is_refused(business: Path, kpay: Kpay) -> None:
    (business / "content" / "rain.md").write_text(ARTICLE, encoding="utf-8")
    assert kpay("publish", "--at", "soon", home=business).exit_code == 2
    assert kpay("publish", "--at", "2027-01-01", "--draft", home=business).exit_code == 2
    scheduled = answer(kpay("publish", "--at", "2027-01-01", "--json", home=business))
    assert scheduled["pieces"][0]["status"] == "scheduled"


def test_a_piece_is_shown_with_its_versions(business: Path, kpay: Kpay) -> None:
    (business / "content" / "rain.md").write_text(ARTICLE, encoding="utf-8")
    kpay("publish", home=business)
    kpay("import", "orders", "-", home=business, input=ORDERS)
    found = answer(kpay("content", "show", "rain", "--json", home=business))
    assert (found["sold"], found["revenue"]) == (1, {"usd": {"gross_minor": 1999}})
    assert [version["version"] for version in found["versions"]] == [1]
    missing = kpay("content", "show", "rian", home=business)
    assert (missing.exit_code, "kpay content show rain" in missing.stderr) == (4, True)
