"""Where in the store everything lies; the one place that spells keys."""

from __future__ import annotations

from dataclasses import dataclass

from domain.identity import digest

PREFIX = "conclave:"
"""Begins every key, so that an ACL can name them all and a database can be shared."""


@dataclass(frozen=True)
class Keys:
    """Names of keys under one prefix; braces hold what would decide a cluster's slot."""

    prefix: str = PREFIX

    @property
    def councils(self) -> str:
        """Hash: role → council."""
        return f"{self.prefix}councils"

    @property
    def access_tokens(self) -> str:
        """Hash: digest → access token."""
        return f"{self.prefix}tokens"

    @property
    def undispatched(self) -> str:
        """Sorted set: ids of undispatched plan requests, by when they were saved or taken."""
        return f"{self.prefix}requests:undispatched"

    @property
    def publishers(self) -> str:
        """Set: whose plans hold places, or wait for them."""
        return f"{self.prefix}requests:publishers"

    def places(self, publisher: str) -> str:
        """Sorted set: ids of the publisher's plan requests that hold a place, by when they got it."""
        return f"{self.prefix}requests:places:{{{digest(publisher)}}}"

    def waiting(self, publisher: str) -> str:
        """Sorted set: ids of the publisher's plan requests that wait for a place, by whose turn it is."""
        return f"{self.prefix}requests:waiting:{{{digest(publisher)}}}"

    @property
    def counters(self) -> str:
        """Hash: counter → integer; never expires."""
        return f"{self.prefix}tally"

    @property
    def open(self) -> str:
        """Sorted set: open deliberations by their last write."""
        return f"{self.prefix}deliberations:open"

    @property
    def sweeps(self) -> str:
        """Hash: when the last sweep began, and since when they began without a gap."""
        return f"{self.prefix}deliberations:sweeps"

    @property
    def continuity(self) -> str:
        """Hash: the run of the server that was compared with the streams, and until when the store is whole."""
        return f"{self.prefix}deliberations:continuity"

    @property
    def newest(self) -> str:
        """Sorted set: deliberations by their opening."""
        return f"{self.prefix}deliberations:newest"

    @property
    def outbox_order(self) -> str:
        """Sorted set: unpublished events by when they happened."""
        return f"{self.prefix}outbox:order"

    @property
    def outbox_events(self) -> str:
        """Hash: event id → unpublished event."""
        return f"{self.prefix}outbox:events"

    @property
    def outbox_postponed(self) -> str:
        """Sorted set: ids of unpublished events by when to try them again."""
        return f"{self.prefix}outbox:postponed"

    @property
    def outbox_put_ids(self) -> str:
        """Sorted set: event ids by when they were put last, published or not."""
        return f"{self.prefix}outbox:known"

    @property
    def verdicts_awaited(self) -> str:
        """Sorted set: deliberations whose decision awaits a verdict, by when that is due."""
        return f"{self.prefix}verdicts:awaited"

    @property
    def verdict_counters(self) -> str:
        """Hash: counter → integer, of verdicts; never expires."""
        return f"{self.prefix}verdicts:tally"

    def verdicts(self, deliberation_id: str) -> str:
        """Hash: verdict id → verdict."""
        return f"{self.prefix}verdicts:of:{{{deliberation_id}}}"

    def deliberation(self, deliberation_id: str) -> str:
        """Hash: entry key → entry, and under `#fence` the newest fencing token."""
        return f"{self.prefix}deliberation:{{{deliberation_id}}}"

    def request(self, request_id: str) -> str:
        """String: a plan request."""
        return f"{self.prefix}request:{{{request_id}}}"

    def latest_request(self, plan_id: str) -> str:
        """String: id of the plan's request saved last. A publisher's plan id can be any text, hence the digest."""
        return f"{self.prefix}plan:{{{digest(plan_id)}}}:request"

    def of_plan(self, plan_id: str) -> str:
        """Sorted set: the plan's deliberations by their opening."""
        return f"{self.prefix}plan:{{{digest(plan_id)}}}:deliberations"
