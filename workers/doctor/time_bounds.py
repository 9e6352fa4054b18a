"""Settings that do not nest: model call < deadline < retention, and what must notice a failure in time."""

from __future__ import annotations

from domain.finding import Findings, fail, ok, warn
from workers.settings import Settings


def examine_settings(settings: Settings) -> Findings:
    """Compare the bounds that must hold one another."""
    policy, rules = settings.effective_policy, settings.redeliberation
    faults = [
        (
            policy.call_timeout_s >= policy.deadline_s,
            fail,
            f"call_timeout_s {policy.call_timeout_s:g} is not below deadline_s {policy.deadline_s:g}: "
            "one slow call would eat the whole deliberation; lower CONCLAVE_POLICY_CALL_TIMEOUT_S",
        ),
        (
            policy.model_wait_s >= policy.deadline_s,
            warn,
            f"model_wait_s {policy.model_wait_s:g} is not below deadline_s {policy.deadline_s:g}: "
            "a model that no engine serves is only noticed at the deadline; lower CONCLAVE_POLICY_MODEL_WAIT_S",
        ),
        (
            policy.sweep_after_s >= policy.deadline_s,
            warn,
            f"sweep_after_s {policy.sweep_after_s:g} is not below deadline_s {policy.deadline_s:g}: "
            "what a crash left undone is only noticed at the deadline; lower CONCLAVE_POLICY_SWEEP_AFTER_S",
        ),
        (
            settings.engine.stall_s >= policy.call_timeout_s,
            warn,
            f"an engine may hang for {settings.engine.stall_s:g} s before it is replaced, and its calls end after "
            f"call_timeout_s {policy.call_timeout_s:g}; lower CONCLAVE_ENGINE_STALL_S",
        ),
        (
            settings.retention_s <= policy.deadline_s,
            fail,
            f"retention_s {settings.retention_s:g} is not above deadline_s {policy.deadline_s:g}: "
            "records would vanish while they are needed; raise CONCLAVE_RETENTION_S",
        ),
        (
            settings.retention_s <= settings.bridge.ack_wait_s * settings.bridge.max_deliver,
            fail,
            "retention_s is shorter than all redeliveries of one message: the same approval could run twice; "
            "raise CONCLAVE_RETENTION_S",
        ),
        (
            policy.token_budget < 16 * policy.max_tokens,
            warn,
            f"token_budget {policy.token_budget} is below sixteen proposals of {policy.max_tokens} tokens: "
            "large councils lose ballots; raise CONCLAVE_POLICY_TOKEN_BUDGET",
        ),
        (
            rules.stale_after_s is not None and rules.cool_down_s > rules.stale_after_s,
            warn,
            f"cool_down_s {rules.cool_down_s:g} is above stale_after_s: decisions are repeated later than stale",
        ),
    ]
    found = [make("settings", text) for wrong, make, text in faults if wrong]
    yield from found or [ok("settings", "time-outs, budgets and retention nest")]
