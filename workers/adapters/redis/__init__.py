"""The stores over Redis or Valkey: councils, plans, deliberations, their index and the outbox.

One server or a Sentinel-guarded one. Redis Cluster is not supported, as Celery's broker isn't either: one
atomic step touches a deliberation, the index and the outbox, which a cluster would spread over slots.
"""
