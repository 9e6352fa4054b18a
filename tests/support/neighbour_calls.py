"""What swe-ai-fleet's services call things: its calls, and the fields of what concerns councils.

Read on 29 November 2026 in underpass-ai/swe-ai-fleet, `specs/fleet/*/v*/*.proto` and `specs/asyncapi.yaml`, most
of them at 090b47c08.
"""

from __future__ import annotations

CALLS = {
    "OrchestratorService": "Deliberate DeliberateForBacklogReview Orchestrate StreamDeliberation"
    " GetDeliberationResult RegisterAgent CreateCouncil ListCouncils DeleteCouncil UnregisterAgent"
    " ProcessPlanningEvent DeriveSubtasks GetTaskContext GetStatus GetMetrics",
    "RayExecutorService": "ExecuteDeliberation ExecuteBacklogReviewDeliberation GetDeliberationStatus GetStatus"
    " GetActiveJobs",
    "PlanningService": "CreateProject GetProject ListProjects CreateEpic GetEpic ListEpics CreateStory ListStories"
    " TransitionStory ApproveDecision RejectDecision GetStory CreateTask GetTask ListTasks"
    " CreateBacklogReviewCeremony GetBacklogReviewCeremony ListBacklogReviewCeremonies AddStoriesToReview"
    " RemoveStoryFromReview AddAgentDeliberation StartBacklogReviewCeremony ApproveReviewPlan RejectReviewPlan"
    " CompleteBacklogReviewCeremony CancelBacklogReviewCeremony Transition GetPlan",
    "PlanningCeremonyProcessor": "StartPlanningCeremony GetPlanningCeremonyInstance ListPlanningCeremonyInstances",
    "ContextService": "GetContext UpdateContext RehydrateSession ValidateScope CreateStory CreateTask"
    " AddProjectDecision TransitionPhase GetGraphRelationships",
    "TaskDerivationPlanningService": "GetPlanContext CreateTasks ListStoryTasks SaveTaskDependencies",
    "WorkflowOrchestrationService": "GetWorkflowState RequestValidation GetPendingTasks ClaimTask GetStats",
    "StoryCoachService": "ScoreStory RefineStory SuggestStory",
    "WorkspaceService": "ScoreWorkspace",
    "UserService": "CreateUser GetUser GetUserByClientID UpdateUser ListUsers",
    "EnrollmentService": "Enroll Renew",
    "FleetCommandService": "CreateProject CreateEpic CreateStory TransitionStory CreateTask StartPlanningCeremony"
    " StartBacklogReview ApproveDecision RejectDecision",
    "FleetQueryService": "ListProjects ListEpics ListStories ListTasks GetCeremonyInstance ListCeremonyInstances"
    " WatchEvents",
}
"""Service → its calls."""

FIELDS = {
    "DeliberateRequest": "task_id task_description role constraints rounds num_agents",
    "DeliberateResponse": "task_id results winner_id duration_ms metadata",
    "GetDeliberationResultResponse": "status error_message",
    "OrchestrateRequest": "case_id story_id plan_id context_options",
    "OrchestrateResponse": "winner candidates execution_id",
    "TaskConstraints": "rubric requirements metadata max_iterations timeout_seconds max_retries",
    "OrchestratorOptions": "enable_peer_review deliberation_rounds enable_architect_selection custom_params",
    "DeliberationResult": "proposal checks score rank reasoning agent_id",
    "Proposal": "author_id author_role content created_at_ms revisions",
    "CheckSuite": "policy lint dryrun additional_checks all_passed passed violations message error_count"
    " warning_count errors output exit_code check_type details",
    "OrchestratorMetadata": "orchestrator_version timestamp_ms tags",
    "DeliberationUpdate": "progress_percent current_step current_agent partial_result",
    "RegisterAgentRequest": "capabilities endpoint supported_tasks model_profile max_concurrent_tasks languages",
    "CouncilConfig": "agent_type council_id agents_created agent_ids agents_removed success role_filter"
    " include_agents councils agents model",
    "PlanningEventRequest": "from_state to_state derived_task_ids",
    "GetTaskContextResponse": "context_text blocks token_count version_hash",
    "GetMetricsRequest": "metric_type time_range_ms include_stats uptime_seconds stats performance agents_per_role"
    " health_per_council",
    "ExecuteDeliberationRequest": "vllm_url vllm_model prompt_template",
    "JobInfo": "job_id submission_id runtime start_time end_time",
    "PlanPreliminary": "title description acceptance_criteria technical_notes roles estimated_complexity"
    " dependencies tasks_outline task_decisions",
    "ApproveReviewPlanRequest": "approved_by po_notes po_concerns priority_adjustment po_priority_reason",
    "StoryReviewResult": "architect_feedback qa_feedback devops_feedback recommendations",
    "ApproveDecisionRequest": "decision_id rejected_by comment reason",
    "AddProjectDecisionRequest": "decision_type rationale alternatives_considered",
    "EventEnvelope": "event_type payload idempotency_key correlation_id timestamp producer causation_id",
    "EventBase": "event_id ts trace_id",
    "BacklogReviewStoryReviewed": "failed_agents total_agents successful_responses failed_responses completed_at",
    "AgentResponse": "error error_type artifacts summary metrics workspace_report",
    "deliberation.completed": "decisions id type affected_subtask",
}
"""Message → fields of it that are about a council, a plan or a decision; each name once, where it comes first."""
