"""What the pipeline adds to the models' own time: `python -m tests.bench.pipeline` (make bench)."""
