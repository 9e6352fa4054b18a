"""Does a proposal give away a credential? It would be published in an event."""

from __future__ import annotations

import re
from collections.abc import Iterator

from domain.checks.check import CheckResult, PlanFacts
from domain.text.visible import visible

# Each is anchored at its left end by a fixed prefix and a boundary, and every repetition is possessive or
# bounded: the time is proportional to the text. The secret itself is the group named `secret`.
_KINDS: tuple[tuple[str, str], ...] = (
    ("an AWS access key id", r"(?<![A-Z0-9])(?P<secret>(?:AKIA|ASIA)[A-Z2-7]{16})(?![A-Z0-9])"),
    (
        "an AWS secret access key",
        r"(?i:aws_?secret_?access_?key)[\"']?[ \t]{0,4}[=:][ \t]{0,4}[\"']?"
        r"(?P<secret>[A-Za-z0-9/+]{40})(?![A-Za-z0-9/+])",
    ),
    (
        "a private key",
        r"-----BEGIN (?:[A-Z]{2,10} ){0,2}PRIVATE KEY(?: BLOCK)?-----"
        r"(?:\\n|\s){1,4}(?:[A-Za-z-]{1,20}: [^\n]{0,80}\n){0,4}+\s{0,4}(?P<secret>[A-Za-z0-9+/=]{40})",
    ),
    ("a GitHub token", r"(?<![A-Za-z0-9_])(?P<secret>gh[opsur]_[A-Za-z0-9]{36}|github_pat_[A-Za-z0-9_]{40})"),
    ("a GitLab token", r"(?<![A-Za-z0-9_-])(?P<secret>gl(?:pat|dt|rt|ptt|ft|cbt)-[A-Za-z0-9_-]{20})"),
    ("a Slack token", r"(?<![A-Za-z0-9-])(?P<secret>xox[abeoprs]-[A-Za-z0-9-]{20})"),
    (
        "a Slack webhook",
        r"https://hooks\.slack\.com/(?:services|workflows)/(?P<secret>[A-Z0-9]{8,12}/[A-Z0-9]{8,12}/[A-Za-z0-9]{20})",
    ),
    (
        "an API key",
        r"(?<![A-Za-z0-9_-])(?P<secret>sk-(?=[A-Za-z_-]{0,31}\d)[A-Za-z0-9_-]{32})",
    ),
    ("a Hugging Face token", r"(?<![A-Za-z0-9_])(?P<secret>hf_[A-Za-z0-9]{34})(?![A-Za-z0-9])"),
    ("a Google API key", r"(?<![A-Za-z0-9_-])(?P<secret>AIza[A-Za-z0-9_-]{35})(?![A-Za-z0-9_-])"),
    ("a Stripe key", r"(?<![A-Za-z0-9_])(?P<secret>[rs]k_live_[A-Za-z0-9]{24})"),
    ("an npm token", r"(?<![A-Za-z0-9_])(?P<secret>npm_[A-Za-z0-9]{36})(?![A-Za-z0-9])"),
    (
        "a JSON web token",
        r"(?<![A-Za-z0-9_.-])(?P<secret>eyJ[A-Za-z0-9_-]{10,2000}+\.eyJ[A-Za-z0-9_-]{10,4000}+\.[A-Za-z0-9_-]{20})",
    ),
    (
        "a connection string with a password",
        r"(?<![A-Za-z0-9+.-])[a-z][a-z0-9+.-]{1,20}+://(?P<user>[^\s:/@\"'`]{0,64}+):(?!(?P=user)@)"
        r"(?P<secret>[^\s/@\"'`]{3,128}+)@[A-Za-z0-9\[]",
    ),
)
_PATTERNS = tuple((kind, re.compile(pattern)) for kind, pattern in _KINDS)

_STAND_IN = re.compile(
    r"example|sample|placeholder|your|change|replace|insert|dummy|fake|redacted|masked|hidden|x{4}|\*{3}|\.{3}"
    r"|\u2026|1234567|abcdef|[<>{}]|\$[({A-Z]|%[(s]|test(?:ing)?[_-]?(?:key|token)",
    re.IGNORECASE,
)
_NO_PASSWORD = frozenset(
    {"password", "passwd", "pass", "passw0rd", "pwd", "pw", "secret", "mysecret", "mypassword", "admin", "root"}
    | {"guest", "user", "username", "postgres", "mysql", "rabbitmq", "redis", "mongo", "minio", "test", "testing"}
    | {"token", "key", "none", "null", "empty", "default", "local", "localdev", "dev", "foo", "bar", "docker"}
)


class Secrets:
    """Removes a proposal that contains a live-looking credential; stand-ins and textbook passwords are let pass.

    The reason names the kind and the line, never the value. Hidden characters are dropped before looking.
    """

    name = "secrets"
    hard = True

    def run(self, proposal_text: str, plan_facts: PlanFacts) -> CheckResult:
        """Look for every kind and name the first of each."""
        secrets = list(_secrets(visible(proposal_text)))
        if not secrets:
            return CheckResult(name=self.name, passed=True, score=1.0)
        reason = "contains " + ", ".join(f"{kind} in line {line}" for kind, line in secrets)
        return CheckResult(name=self.name, passed=False, hard=True, score=0.0, reason=reason)


def _secrets(text: str) -> Iterator[tuple[str, int]]:
    for kind, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            if not is_stand_in(match["secret"]):
                yield kind, text.count("\n", 0, match.start()) + 1
                break


def is_stand_in(secret: str) -> bool:
    """Tell whether a value was plainly made up for an example: says so, is a textbook password, hardly varies."""
    distinct = len(set(secret.lower()))
    return (
        secret.lower() in _NO_PASSWORD
        or _STAND_IN.search(secret) is not None
        or (len(secret) >= 16 and distinct < 8)
        or distinct < 3
    )
