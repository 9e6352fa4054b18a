"""Live-looking credentials remove a proposal; what documentation shows in their place does not.

Every value here is invented. They are put together at run time, so that scanners of this repository stay calm.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.checks.check import CheckResult, PlanFacts
from domain.checks.secrets import Secrets, is_stand_in

RANDOM = "q7Rz2LmX9vKd4TnWb8YcJ3hPf6SgA1eUo5ViZ0"
"""Forty characters without a pattern."""
UPPER = "Q7RZ2LMX4VKD4TNW"
LIVE = {
    "an AWS access key id": "AKI" + "A" + UPPER,
    "an AWS secret access key": "aws_secret_access_key = '" + RANDOM + "+/'",
    "a private key": "-----BEGIN RSA " + "PRIVATE KEY-----\nMIIEpAIBAAKCAQEA" + RANDOM + RANDOM,
    "a GitHub token": "gh" + "p_" + RANDOM[:36],
    "a GitLab token": "gl" + "pat-" + RANDOM[:20],
    "a Slack token": "xo" + "xb-27364918" + RANDOM[:24],
    "a Slack webhook": "https://hooks.slack" + ".com/services/T03KQ9ZLM/B07RWX2VN/" + RANDOM[:24],
    "an API key": "s" + "k-proj-" + RANDOM,
    "a Hugging Face token": "h" + "f_" + RANDOM[:34],
    "a Google API key": "AI" + "za" + RANDOM[:35],
    "a Stripe key": "s" + "k_live_" + RANDOM[:24],
    "an npm token": "np" + "m_" + RANDOM[:36],
    "a JSON web token": "ey" + f"J{RANDOM}.ey" + f"J{RANDOM}{RANDOM}.{RANDOM}",
    "a connection string with a password": "postgres" + "://shop:Tr0ub4dor-3@db.internal:5432/shop",
}
HARMLESS = [
    "AKIA" + "IOSFODNN7EXAMPLE",
    "export AWS_SECRET_ACCESS_KEY=<your key>",
    "aws_secret_access_key = " + "x" * 40,
    "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOC" + RANDOM,
    "ghp_" + "x" * 36,
    "ghp_yourPersonalAccessTokenGoesHere0000000000",
    "sk-" + "0" * 48,
    "sk-your-openai-api-key-goes-right-here-please",
    "OPENAI_API_KEY=sk-...",
    "sk-learn-based-pipelines-for-every-team-of-the-company",
    "a task-based-approach-with-many-hyphenated-words-in-a-row",
    "desk-and-risk-assessment-of-the-whole-warehouse-floor",
    "Authorization: Bearer eyJhbGciOi...",
    "postgresql://user:password@localhost/db",
    "amqp://guest:guest@rabbit:5672//",
    "redis://:${REDIS_PASSWORD}@valkey:6379/0",
    "mongodb://<user>:<password>@host",
    "postgres://orders:orders@db/orders",
    "mysql://root:%s@db",
    "https://example.org:8443/path@v2",
    "postgres://db:5432/app?user=x@y",
    "mailto:ada@example.org, ssh://git@github.com/a/b",
    "See https://docs.python.org/3/library/secrets.html: use secrets.token_urlsafe(32).",
    "commit 3f786850e387550fdab836ed7e6dc881de23001b, sha256:" + "ab12cd34" * 8,
    "The password must not be stored in plain text.",
]


def look(text: str) -> CheckResult:
    return Secrets().run(text, PlanFacts())


@pytest.mark.parametrize("kind", LIVE)
def test_a_live_looking_credential_removes_and_is_named_by_kind_and_line(kind: str) -> None:
    result = look(f"Plan\n\nUse this: {LIVE[kind]} and go on.")

    assert (result.passed, result.hard, result.cap) == (False, True, None)
    assert result.reason == f"contains {kind} in line 3"


@pytest.mark.parametrize("kind", LIVE)
def test_it_is_found_in_code_in_quotes_and_with_hidden_characters_inside(kind: str) -> None:
    secret = LIVE[kind]

    assert not look(f'```yaml\nvalue: "{secret}"\n```').passed
    assert not look(f"{secret[:9]}\u200b{secret[9:]}").passed


@pytest.mark.parametrize("text", HARMLESS)
def test_stand_ins_and_textbook_values_pass(text: str) -> None:
    assert look(f"Run `{text}` first.\n{text}\n").passed


def test_the_reason_never_quotes_the_secret() -> None:
    reason = look("\n".join(LIVE.values())).reason

    assert not [secret for secret in LIVE.values() if secret in reason]
    assert RANDOM[:12] not in reason
    assert all(kind in reason for kind in LIVE)


def test_a_stand_in_does_not_hide_the_real_one_after_it() -> None:
    assert not look("AKIA" + "IOSFODNN7EXAMPLE\n" + LIVE["an AWS access key id"]).passed


@given(st.text(alphabet="abcdefghijklmnopqrstuvwxyz .,\n-", max_size=300))
def test_plain_prose_holds_no_secret(text: str) -> None:
    assert look(text).passed


@pytest.mark.parametrize("value", ["changeme", "PASSWORD", "${TOKEN}", "xxxxxxxxxxxx", "<token>", "your-key"])
def test_a_value_that_says_it_is_made_up_is_a_stand_in(value: str) -> None:
    assert is_stand_in(value)
