"""Keys are found where they should be, and shown nowhere."""

import json
import logging
import pickle
import sys
import types
from collections.abc import Callable

import pytest

from pennyproof.errors import UsageError
from pennyproof.settings import ModelSettings, Provider
from pennyproof.tiers.hosted.keys import Key, KeyFilter, find_key, scrub

OTHERS = ModelSettings(providers=(Provider(name="house", base_url="https://house.example", key_env="HOUSE_KEY"),))
ELSEWHERE = ModelSettings(provider="house", base_url="https://house.example")


@pytest.fixture(autouse=True)
def _no_keyring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)


@pytest.mark.parametrize(
    ("model", "provider", "environ", "bearer"),
    [
        (OTHERS, "deepseek", {"DEEPSEEK_API_KEY": "a", "PENNYPROOF_API_KEY": "b", "HOUSE_KEY": "c"}, "Bearer a"),
        (OTHERS, "deepseek", {"PENNYPROOF_API_KEY": " b\n", "HOUSE_KEY": "c"}, "Bearer b"),
        (OTHERS, "deepseek", {"DEEPSEEK_API_KEY": "", "HOUSE_KEY": "c"}, None),
        (OTHERS, "house", {"DEEPSEEK_API_KEY": "a", "PENNYPROOF_API_KEY": "b", "HOUSE_KEY": "c"}, "Bearer c"),
        (OTHERS, "house", {"DEEPSEEK_API_KEY": "a", "PENNYPROOF_API_KEY": "b"}, None),
        (OTHERS, "unknown", {"DEEPSEEK_API_KEY": "a", "PENNYPROOF_API_KEY": "b"}, None),
        (ELSEWHERE, "house", {"DEEPSEEK_API_KEY": "a", "PENNYPROOF_API_KEY": "b"}, "Bearer b"),
        (ELSEWHERE, "house", {"DEEPSEEK_API_KEY": "a"}, None),
    ],
)
def test_each_provider_has_its_own_key(
    model: ModelSettings, provider: str, environ: dict[str, str], bearer: str | None
) -> None:
    key = find_key(model, provider, environ)
    assert (key and key.bearer()) == bearer


def keyring(get_password: Callable[[str, str], str | None]) -> types.ModuleType:
    module = types.ModuleType("keyring")
    module.__dict__["get_password"] = get_password
    return module


def test_the_keyring_comes_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "keyring", keyring(lambda service, user: f"{service}-{user}"))
    found = find_key(OTHERS, "house", {})
    assert found is not None
    assert (found.bearer(), found.source) == ("Bearer pennyproof-house", "the system's keyring")
    first = find_key(OTHERS, "house", {"HOUSE_KEY": "c"})
    assert first is not None
    assert first.source == "HOUSE_KEY"


def test_a_keyring_that_fails_is_no_failure(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    def locked(service: str, user: str) -> str:
        raise RuntimeError("recognisable-key")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setitem(sys.modules, "keyring", keyring(locked))
    assert find_key(OTHERS, "deepseek", {}) is None
    assert "RuntimeError" in caplog.text
    assert "recognisable-key" not in caplog.text


def test_a_key_is_shown_nowhere() -> None:
    key = Key("recognisable-key", "DEEPSEEK_API_KEY")
    shown = [repr(key), str(key), f"{key}", f"{key:>60}", "%s %r" % (key, key), repr([key]), repr({"key": key})]  # noqa: UP031 (logging formats so)
    assert "recognisable" not in " ".join(shown)
    with pytest.raises(TypeError):
        pickle.dumps(key)
    with pytest.raises(TypeError):
        json.dumps(key)
    with pytest.raises(TypeError):
        vars(key)


@pytest.mark.parametrize("secret", ["with blank", "ünicode", "line\nbreak", "nul\x00"])
def test_what_no_header_could_hold_is_refused_without_being_shown(secret: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_key(OTHERS, "deepseek", {"DEEPSEEK_API_KEY": secret})
    assert str(caught.value) == "DEEPSEEK_API_KEY holds characters that no key has; set it again"


def test_scrub() -> None:
    key = Key("recognisable-key", "test")
    assert (
        scrub("a recognisable-key b bearer abcdefgh12 c sk-12345678 d risk-free", key)
        == "a [key] b [key] c [key] d risk-free"
    )
    assert scrub("a recognisable-key b sk-12345678", None) == "a recognisable-key b [key]"


def test_the_filter_takes_the_key_out_of_records(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("test.keys")
    logger.addFilter(KeyFilter(Key("recognisable-key", "test")))
    caplog.set_level(logging.DEBUG)
    logger.debug("headers %r", {"authorization": "Bearer recognisable-key"})
    assert "recognisable" not in caplog.text
    assert "[key]" in caplog.text
