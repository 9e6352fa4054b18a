"""What changed between two looks at a deliberation, as lines: the live view where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterator

from domain.views.progress import DeliberationView, MemberView


def changes(before: DeliberationView | None, after: DeliberationView) -> Iterator[str]:
    """Name what is new, one line each; everything so far where there was no look before."""
    if before is None:
        yield f"{after.deliberation_id} {after.role}: {after.title}"
    members = {member.agent_id: member for member in before.members} if before else {}
    for member in after.members:
        yield from _member(members.get(member.agent_id), member)
    statuses = {stage.name: stage.status for stage in before.stages} if before else {}
    for stage in after.stages:
        if stage.status not in {"waiting", "running", statuses.get(stage.name)}:
            yield f"{stage.name} {stage.status}: {stage.done}/{stage.total} in {stage.seconds:.1f} s"
    if after.closed and not (before and before.closed):
        reason = f": {after.reason}" if after.reason else ""
        yield f"{after.state} after {after.elapsed_s:.1f} s{reason}"


def _member(before: MemberView | None, after: MemberView) -> Iterator[str]:
    if after.proposal_s is not None and (before is None or before.proposal_s is None):
        tokens = after.first_tokens
        outcome = f"failed ({after.detail})" if after.status == "failed" else f"proposed {tokens} tokens"
        yield f"{after.agent_id} {outcome} in {after.proposal_s:.1f} s"
    ballots = after.ballots - (before.ballots if before else 0)
    if ballots:
        yield f"{after.agent_id} handed in {ballots} ballot{'s' * (ballots > 1)}"
    if after.ballots_missing > (before.ballots_missing if before else 0):
        yield f"{after.agent_id}: {after.detail}"
