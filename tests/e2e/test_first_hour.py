"""What a newcomer types in the first hour, right or wrong: plain words, and steps that can be pasted."""

from __future__ import annotations

import json
import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kpay.registry import BY_NAME

SALT = "---\ntitle: Salt, and when to leave it out\nkind: ebook\nprice: free\n{slug}---\nText.\n"


def next_step(text: str) -> str:
    return next(line.removeprefix("next: ") for line in text.splitlines() if "next: " in line)


@pytest.mark.parametrize(
    ("words", "said", "step"),
    [
        (("import", "order", "x"), "did you mean 'orders'", "kpay import --help"),
        (("import",), "one of customers, orders", "kpay import --help"),
        (("train", "--threads", "0"), "1 is the least", "kpay train --help"),
        (("recommend", "-n", "x"), "a whole number is wanted", "kpay recommend --help"),
        (("content", "lst"), "did you mean 'list'", "kpay content --help"),
        (("train", "--horizn", "3d"), "did you mean --horizon", "kpay train --help"),
        (("config", "name", "more"), "one word too many: 'more'", "kpay config --help"),
        (("sync", "--only"), "requires an argument", "kpay sync --help"),
        (("train", "--horizon", "foo"), "'foo' is not a length", "kpay train --horizon 90d"),
        (
            ("forecast", "--horizon=x", "--freq", "week"),
            "'x' is not a length",
            "kpay forecast --horizon 90d --freq week",
        ),
        (("report", "--month", "May"), "'May' is not a month", "kpay report --month 2026-10"),
        (
            ("report", "revenue", "--until", "2026-03-05"),
            "--until needs --since",
            "kpay report revenue --until 2026-03-05 --since 2026-03-01",
        ),
        (("campaign", "new", "Big Launch"), "'Big Launch'", "kpay campaign new big-launch"),
        (("nothing",), "there is no command 'nothing'", "kpay --help"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_named_plainly_and_the_step_is_a_command(
    words: tuple[str, ...], said: str, step: str, kpay, business: Path
) -> None:
    result = kpay(*words, env={"KPAY_HOME": str(business)})
    assert result.exit_code == 2
    assert said in result.stderr
    assert next_step(result.stderr) == step
    first, *rest = result.stderr.splitlines()
    assert first.startswith("error: ")
    assert len(rest) == 1
    for jargon in ("Value error", "Input should", "Choose from"):
        assert jargon not in result.stderr


def test_a_noun_alone_shows_its_help_and_is_a_refusal_for_programs(kpay, business: Path) -> None:
    for_people = kpay("campaign", home=business)
    assert for_people.exit_code == 0
    assert for_people.stdout.startswith("Usage: kpay campaign")
    assert for_people.stderr == ""
    for_programs = kpay("campaign", "--json", home=business)
    assert for_programs.exit_code == 2
    assert json.loads(for_programs.stderr)["error"]["hint"] == "kpay campaign --help"


def test_help_shows_examples_before_options(kpay) -> None:
    text = kpay("train", "--help").stdout
    assert text.index("Examples:") < text.index("Options:") < text.index("Everywhere:")


def test_a_question_nobody_answers_names_the_command_that_does(kpay, business: Path) -> None:
    (business / "campaigns" / "hello.md").write_text(
        "---\nsubject: Hi\naudience: all\nholdout: 0\n---\nHello\n", encoding="utf-8"
    )
    people = "email,consent_source\nana@example.com,form\n"
    kpay("import", "subscribers", "-", home=business, input=people)
    letterhead = {"KPAY_MAIL_FROM": "ana@example.com", "KPAY_POSTAL_ADDRESS": "1 Street"}
    refused = kpay("campaign", "send", "hello", home=business, env=letterhead)
    assert refused.exit_code == 2
    words = shlex.split(next_step(refused.stderr))
    assert words == ["kpay", "campaign", "send", "hello", "--yes", "--home", str(business)]
    assert kpay(*words[1:], env=letterhead).exit_code == 0


def test_a_named_folder_that_is_no_business_is_refused(kpay, tmp_path: Path) -> None:
    result = kpay("config", home=tmp_path)
    assert result.exit_code == 78
    assert next_step(result.stderr).startswith("kpay init")


def test_init_does_not_send_one_where_one_is(kpay, tmp_path: Path, monkeypatch) -> None:
    elsewhere = kpay("init", str(tmp_path / "my shop"))
    assert f"next: cd '{tmp_path / 'my shop'}'" in elsewhere.stdout
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    assert "next: cd" not in kpay("init").stdout


def test_init_refuses_a_file(kpay, tmp_path: Path) -> None:
    (tmp_path / "shop").write_text("", encoding="utf-8")
    result = kpay("init", str(tmp_path / "shop"))
    assert result.exit_code == 4
    assert "is a file, not a folder" in result.stderr


def test_the_name_of_a_file_leads_to_the_slug_of_its_title(kpay, business: Path) -> None:
    (business / "content" / "salt.md").write_text(SALT.format(slug=""), encoding="utf-8")
    kpay("publish", home=business)
    shown = kpay("content", "show", "salt", home=business)
    assert shown.exit_code == 4
    assert next_step(shown.stderr) == "kpay content show salt-and-when-to-leave-it-out"
    drafted = kpay("campaign", "new", "launch", "--about", "salt", home=business)
    assert drafted.exit_code == 4
    step = next_step(drafted.stderr)
    assert step == "kpay campaign new launch --about salt-and-when-to-leave-it-out"
    assert kpay(*shlex.split(step)[1:], home=business).exit_code == 0


def test_a_slug_of_ones_own_is_the_name_everywhere(kpay, business: Path) -> None:
    (business / "content" / "salt.md").write_text(SALT.format(slug="slug: salt\n"), "utf-8")
    kpay("publish", home=business)
    assert kpay("content", "show", "salt", home=business).exit_code == 0
    rehearsed = kpay("publish", "--dry-run", home=business)
    assert "nothing to do" in rehearsed.stdout
    assert "next:" not in rehearsed.stdout


def test_a_table_without_rows_is_a_sentence(kpay, business: Path) -> None:
    (business / "content" / "salt.md").write_text(
        SALT.format(slug="slug: salt\n").replace("free", "9 usd"), encoding="utf-8"
    )
    line = "1,ana@example.com,2026-09-01,9.00,usd,salt\n"
    orders = "order_id,email,ordered_at,amount,currency,product\n" + line
    kpay("import", "orders", "-", home=business, input=orders)
    trained = kpay("train", home=business)
    assert trained.exit_code == 0
    assert "AUC" not in trained.stdout
    assert "No past window could be tested yet" in trained.stdout


@pytest.mark.parametrize("name", BY_NAME)
def test_examples_name_options_that_exist(name: str, kpay) -> None:
    """An example in a command's help is parsed by that command: no option in it is unknown."""
    entry = BY_NAME[name]
    for words in [(name, verb) for verb, _ in entry.verbs] or [(name,)]:
        text = kpay(*words, "--help").stdout
        shown = text.split("Examples:")[1].split("\n\n")[0]
        everywhere = text.split("Everywhere:")[1]
        for option in {word for word in shown.split() if word.startswith("--") and word != "--"}:
            known = text.split("Examples:")[0] + text.split(shown)[1] + everywhere
            assert option in known or "-- " in shown, (words, option)


ORDERS = "order_id,email,ordered_at,amount,currency"
LINE = "1,ana@example.com,2026-01-01,1.00,usd"


@pytest.mark.parametrize(
    ("written", "step"),
    [
        ((ORDERS.replace("email", "E-Mail") + f"\n{LINE}\n").encode(),
         "kpay import orders orders.csv --map E-Mail=email"),
        (f"{ORDERS},email\n{LINE},x@example.com\n".encode(), "head -1 orders.csv"),
        (f"{ORDERS},name\n{LINE},René\n".encode("cp1252"),
         "iconv -f cp1252 -t utf-8 orders.csv > orders-utf8.csv"),
        (f"{ORDERS}\n{LINE}\n".encode("utf-16"),
         "iconv -f utf-16 -t utf-8 orders.csv > orders-utf8.csv"),
    ],
    ids=["another name", "twice", "windows", "utf-16"],
)  # fmt: skip
def test_a_table_from_elsewhere_comes_with_the_step_that_mends_it(
    written: bytes, step: str, kpay, business: Path, monkeypatch
) -> None:
    monkeypatch.chdir(business)
    (business / "orders.csv").write_bytes(written)
    refused = kpay("import", "orders", "orders.csv")
    assert refused.exit_code == 65
    assert next_step(refused.stderr) == step
    if step.startswith("head"):
        return
    subprocess.run(step, shell=True, check=True) if "iconv" in step else None
    mended = (
        shlex.split(step)[1:] if "iconv" not in step else ["import", "orders", step.split()[-1]]
    )
    assert kpay(*mended).exit_code == 0


def test_wrong_front_matter_leads_to_its_file(kpay, business: Path) -> None:
    path = business / "content" / "salt.md"
    path.write_text("---\ntitle: Salt\nknd: article\nprice: free\n---\nText.\n", encoding="utf-8")
    assert next_step(kpay("publish", home=business).stderr) == f"$EDITOR {path}"


KPAY = str(Path(sys.executable).with_name("kpay"))


def test_quiet_is_silent_when_a_deed_went_well_and_answers_what_was_asked(
    kpay, business: Path
) -> None:
    (business / "content" / "salt.md").write_text(SALT.format(slug=""), encoding="utf-8")
    for _ in range(2):
        done = kpay("publish", "--quiet", home=business)
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "")
    assert "salt" in kpay("content", "list", "--quiet", home=business).stdout
    refused = kpay("content", "show", "nothing", "--quiet", home=business)
    assert refused.stderr.startswith("error: ")


def test_a_reader_who_leaves_in_the_middle_of_a_long_answer_is_no_failure(
    kpay, business: Path
) -> None:
    lines = "".join(f"reader{n}@example.com,form\n" for n in range(4000))
    people = f"email,consent_source\n{lines}"
    assert kpay("import", "subscribers", "-", home=business, input=people).exit_code == 0
    command = f"'{KPAY}' export subscribers --home '{business}' | head -1"
    done = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")


def test_ctrl_c_is_one_sentence_and_the_command_to_go_on_with(business: Path) -> None:
    child = subprocess.Popen(
        [KPAY, "import", "orders", "-", "--home", str(business)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env={**os.environ},
    )  # fmt: skip
    time.sleep(2.5)  # it waits for its input
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    assert child.returncode == 130
    assert out == ""
    assert err.splitlines() == [
        "error: interrupted; it is safe to run this again",
        f"next: kpay import orders - --home {business}",
    ]
