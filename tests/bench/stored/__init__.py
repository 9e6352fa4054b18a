"""What many stored deliberations cost who reads the store: `python -m tests.bench.stored` (make bench-stored)."""
