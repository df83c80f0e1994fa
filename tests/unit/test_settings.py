from __future__ import annotations

from pathlib import Path

import pytest

from kpay import config, secrets
from kpay.errors import BusinessNotFound, CredentialsMissing, SettingsInvalid


def write(home: Path, text: str) -> Path:
    (home / "kpay.toml").write_text(text, encoding="utf-8")
    return home


def test_the_environment_goes_before_the_file_and_the_file_before_the_default(
    tmp_path: Path,
) -> None:
    home = write(tmp_path, 'timezone = "Europe/Berlin"\nname = "Ana"\n')
    settings = config.load(home, {"KPAY_TIMEZONE": "Asia/Shanghai", "HOME": str(tmp_path)})
    assert (settings.timezone, settings.name, settings.base_currency) == (
        "Asia/Shanghai",
        "Ana",
        "usd",
    )
    assert settings.origins["timezone"] == "KPAY_TIMEZONE"
    assert settings.origins["name"] == "kpay.toml"
    assert settings.origins["base_currency"] == "default"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('timezon = "UTC"', "did you mean 'timezone'"),
        ('timezone = "Mars/Olympus"', "not a time zone"),
        ('base_currency = "dollars"', "three-letter"),
        ('live = "yes"', "true or false"),
        ('mail = "pigeon"', "neither outbox nor smtp"),
        ('refund_days = "30"', "a whole number"),
        ("refund_days = 1.5", "a whole number"),
        ("refund_days = true", "a whole number"),
        ("refund_days = -1", "cannot be counted"),
        ("name = ", "cannot be read"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(SettingsInvalid, match=said):
        config.load(write(tmp_path, text), {"HOME": str(tmp_path)})


def test_the_business_is_found_upward(tmp_path: Path) -> None:
    inner = write(tmp_path, "") / "content" / "drafts"
    inner.mkdir(parents=True)
    assert config.find_home(None, {}, inner) == tmp_path


def test_a_named_folder_without_settings_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BusinessNotFound):
        config.find_home(str(tmp_path), {}, tmp_path)


def test_a_secret_comes_from_the_environment_or_a_private_file(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text('stripe_key = "sk_test_file"\n', encoding="utf-8")
    path.chmod(0o600)
    assert secrets.require("stripe_key", tmp_path, {}).reveal() == "sk_test_file"
    found = secrets.require("stripe_key", tmp_path, {"KPAY_STRIPE_KEY": "sk_test_env"})
    assert found.reveal() == "sk_test_env"
    assert "sk_test" not in repr(found)


def test_a_secrets_file_that_others_can_read_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "secrets.toml"
    path.write_text('stripe_key = "sk_test_file"\n', encoding="utf-8")
    path.chmod(0o644)
    with pytest.raises(SettingsInvalid, match="read by others"):
        secrets.find("stripe_key", tmp_path, {})


def test_a_missing_secret_says_where_to_put_it(tmp_path: Path) -> None:
    with pytest.raises(CredentialsMissing) as caught:
        secrets.require("stripe_key", tmp_path, {})
    assert "KPAY_STRIPE_KEY" in caught.value.message


def test_a_number_of_days_comes_from_the_file_or_the_environment(tmp_path: Path) -> None:
    home = write(tmp_path, "refund_days = 14\n")

    assert config.load(home, {"HOME": str(tmp_path)}).refund_days == 14
    environment = {"HOME": str(tmp_path), "KPAY_REFUND_DAYS": " 60 "}
    assert config.load(home, environment).refund_days == 60
    with pytest.raises(SettingsInvalid, match="a whole number"):
        config.load(home, environment | {"KPAY_REFUND_DAYS": "a month"})
