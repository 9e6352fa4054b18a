"""How variables are named and read: both spellings, one database, and no word lost on what sets nothing."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from pydantic import ValidationError

from domain.engine import EngineKind
from workers.composition import engine_of
from workers.processes.guard import MARK
from workers.settings import Settings, sentence, unknown_settings
from workers.variables import NO_SETTINGS, replaced, variable, walk


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("CONCLAVE_")]:
        monkeypatch.delenv(name)


def test_no_two_settings_or_groups_have_the_same_variable() -> None:
    names = [variable(*path) for path, _ in walk(Settings)]
    assert len(names) == len(set(names))
    assert not [name for name in names if "__" in name]


@pytest.mark.parametrize(
    "name",
    [
        "CONCLAVE_POLICY_LIMITS_ROUNDS",
        "CONCLAVE_POLICY__LIMITS__ROUNDS",
        "CONCLAVE_POLICY_LIMITS__ROUNDS",
        "conclave_policy__limits_rounds",
    ],
)
def test_one_underscore_or_two_between_parts_are_the_same(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "2")
    assert Settings().policy.limits.rounds == 2
    assert unknown_settings() == []


def test_of_two_spellings_the_one_with_single_underscores_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_POLICY__ROUNDS", "1")
    monkeypatch.setenv("CONCLAVE_POLICY_ROUNDS", "2")
    assert Settings().policy.rounds == 2
    monkeypatch.setenv("CONCLAVE_POLICY_ROUNDS", "")
    assert Settings().policy.rounds == 1


@pytest.mark.parametrize("group", ["CONCLAVE_POLICY_LIMITS", "CONCLAVE_POLICY__LIMITS"])
@pytest.mark.parametrize("single", ["CONCLAVE_POLICY_LIMITS_ROUNDS", "CONCLAVE_POLICY__LIMITS__ROUNDS"])
def test_a_group_may_be_json_and_a_setting_of_it_goes_before(
    group: str, single: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(single, "2")
    monkeypatch.setenv(group, '{"rounds": 1, "roles": 7}')
    assert (Settings().policy.limits.rounds, Settings().policy.limits.roles) == (2, 7)


def test_an_argument_goes_before_the_environment_setting_by_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_NATS_URL", "nats://set:1")
    monkeypatch.setenv("CONCLAVE_NATS_USER", "set")
    nats = Settings.model_validate({"nats": {"url": "nats://given:1"}}).nats
    assert (nats.url, nats.user) == (("nats://given:1",), "set")


def test_an_argument_that_is_no_setting_is_refused() -> None:
    with pytest.raises(ValidationError):
        Settings.model_validate({"nats_url": "nats://a"})


@pytest.mark.parametrize("text", ["nats://a:1, tls://b:2", '["nats://a:1", "tls://b:2"]'])
def test_several_nats_servers_are_separated_by_commas_or_json(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CONCLAVE_NATS_URL", text)
    assert Settings().nats.url == ("nats://a:1", "tls://b:2")


def test_a_variable_replaces_every_spelling_of_its_setting() -> None:
    environ = {"CONCLAVE_ENGINE__URL": "http://old", "conclave_engine_url": "http://older", "PATH": "/bin"}
    assert replaced(environ, {"CONCLAVE_ENGINE_URL": ""}) == {"CONCLAVE_ENGINE_URL": "", "PATH": "/bin"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("CONCLAVE_NATS_URLS", "CONCLAVE_NATS_URLS is no setting; the nearest is CONCLAVE_NATS_URL"),
        (
            "CONCLAVE_POLICY__ROUNDZ",
            "CONCLAVE_POLICY__ROUNDZ is no setting; the nearest is CONCLAVE_POLICY_ROUNDS",
        ),
        (
            "CONCLAVE_DUPLICATE_WINDOW_S",
            "CONCLAVE_DUPLICATE_WINDOW_S is no setting; the nearest is CONCLAVE_STREAM_DUPLICATE_WINDOW_S",
        ),
        ("CONCLAVE_XYZZY", "CONCLAVE_XYZZY is no setting"),
    ],
)
def test_a_variable_that_sets_nothing_is_named_with_the_nearest_and_stops_nothing(
    name: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, "1")
    assert unknown_settings() == [said]
    assert Settings() == Settings.model_validate({})


def test_what_our_processes_set_for_one_another_and_what_is_empty_is_not_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert {MARK} == NO_SETTINGS
    monkeypatch.setenv(MARK, "1")
    monkeypatch.setenv("CONCLAVE_XYZZY", "")
    assert unknown_settings() == []


@pytest.mark.parametrize(
    ("url", "read"),
    [
        ("redis://h", "redis://h"),
        ("valkey://u:p@h:1/3/", "redis://u:p@h:1/3"),
        ("valkeys://h/3?ssl_cert_reqs=required", "rediss://h/3?ssl_cert_reqs=required"),
        ("sentinel://a:1;sentinel://b:2/3", "sentinel://a:1/3;sentinel://b:2/3"),
        ("sentinel://:a;b@a:1/3;sentinel://b:2/3", "sentinel://:a;b@a:1/3;sentinel://b:2/3"),
    ],
)
def test_a_number_behind_the_host_is_the_database_of_every_server(url: str, read: str) -> None:
    assert Settings.model_validate({"redis_url": url}).redis_url.get_secret_value() == read


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("redis://:hunter2@h/three", "the number of a database"),
        ("redis://:hun/ter2@h", "percent-encoded"),
        ("redis://h?db=3", "not in an option"),
        ("sentinel://a/1;sentinel://b/2", "1 and 2; name one"),
        ("redis://[hunter2/1", "can't be understood"),
    ],
)
def test_a_database_that_can_not_be_meant_is_one_sentence_without_the_password(url: str, words: str) -> None:
    with pytest.raises(ValidationError) as refused:
        Settings.model_validate({"redis_url": url})
    told = sentence(refused.value)
    assert told.startswith("CONCLAVE_REDIS_URL can't be used: ")
    assert words in told
    assert "hun" not in told


def test_celery_says_the_same_sentence_and_ends() -> None:
    found = subprocess.run(
        [sys.executable, "-m", "celery", "-A", "workers.app", "report"],
        env={**os.environ, "CONCLAVE_REDIS_URL": "redis://host/three"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert found.returncode == 1
    (line,) = found.stderr.splitlines()
    assert line.startswith("conclave: CONCLAVE_REDIS_URL can't be used: ")


def test_an_engine_is_external_where_it_has_a_url_and_only_such_a_one_gets_the_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("CONCLAVE_ENGINE_KEY", "s3cret")
    assert (Settings().engine.kind, engine_of(Settings()).spec.key.get_secret_value()) == (EngineKind.VLLM, "")
    monkeypatch.setenv("CONCLAVE_ENGINE_URL", "http://gpu/v1")
    spec = engine_of(Settings()).spec
    assert (spec.kind, spec.key.get_secret_value()) == (EngineKind.EXTERNAL, "s3cret")


def test_reading_settings_loads_neither_nats_nor_celery() -> None:
    script = "import sys, workers.settings; print({'nats', 'celery', 'kombu', 'redis'} & set(sys.modules))"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("URL", "gpu:8000/v1", "it must begin with http:// or https://, as in http://host:8000/v1"),
        ("URL", "http://gpu/v1/chat/completions", "without /chat/completions"),
        ("EXTRA_BODY", '{"model": "other"}', "it must not set model, which each request has of its own"),
    ],
)
def test_an_engine_that_cannot_be_called_so_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, words: str
) -> None:
    monkeypatch.setenv(f"CONCLAVE_ENGINE_{name}", value)
    with pytest.raises(ValidationError) as refused:
        Settings()
    assert sentence(refused.value).startswith(f"CONCLAVE_ENGINE_{name} can't be used")
    assert words in sentence(refused.value)
