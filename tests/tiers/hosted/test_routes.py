"""Names of models lead to their providers."""

from dataclasses import replace

import pytest

from pennyproof.settings import ModelSettings, Provider
from pennyproof.tiers.hosted.requests import DEEPSEEK, LLAMA_CPP, OPENAI, Capabilities
from pennyproof.tiers.hosted.routes import connect, route
from tests.standin import Reply, Script, Standin
from tests.tiers.hosted.paid import CHAT, Records, ask

SETTINGS = ModelSettings(
    providers=(
        Provider(name="house", base_url="http://127.0.0.1:8080/v1", key_env="HOUSE_KEY", kind="llamacpp"),
        Provider(name="router", base_url="https://router.example/api/v1"),
    )
)


@pytest.mark.parametrize(
    ("settings", "name", "provider", "url", "able", "model"),
    [
        (SETTINGS, "deepseek-flash", "deepseek", "https://api.deepseek.com", DEEPSEEK, "deepseek-flash"),
        (SETTINGS, "house/qwen", "house", "http://127.0.0.1:8080", LLAMA_CPP, "qwen"),
        (SETTINGS, "router/deepseek/v4", "router", "https://router.example/api", OPENAI, "deepseek/v4"),
        (SETTINGS, "deepseek/v4", "deepseek", "https://api.deepseek.com", DEEPSEEK, "deepseek/v4"),
        (SETTINGS, "house", "deepseek", "https://api.deepseek.com", DEEPSEEK, "house"),
        (
            ModelSettings(provider="llamacpp", base_url="http://127.0.0.1:9931/beta"),
            "qwen",
            "llamacpp",
            "http://127.0.0.1:9931",
            LLAMA_CPP,
            "qwen",
        ),
    ],
)
def test_route(settings: ModelSettings, name: str, provider: str, url: str, able: Capabilities, model: str) -> None:
    found = route(settings, name)
    assert (found.provider.name, found.provider.endpoint.url, found.provider.able) == (provider, url, able)
    assert found.model == model


@pytest.mark.parametrize(
    ("named", "environ"),
    [
        ("deepseek-flash", {"DEEPSEEK_API_KEY": "right", "MINE": "wrong"}),
        ("mine/deepseek-flash", {"DEEPSEEK_API_KEY": "wrong", "MINE": "right"}),
    ],
)
def test_a_call_goes_to_its_provider_and_is_recorded_under_its_name(named: str, environ: dict[str, str]) -> None:
    with Standin(Script((Reply("yes"),), key="right")) as standin:
        mine = Provider(name="mine", base_url=standin.url, key_env="MINE", kind="deepseek")
        settings = ModelSettings(base_url=standin.url, providers=(mine,))
        found = route(settings, named)
        records, hosted = Records(), connect(settings, found.provider, environ)
        assert ask(hosted, replace(CHAT, model=found.model), records).text == "yes"
        hosted.close()
    assert [entry.model for entry in records.entries] == [named]
