"""What parallel generation, compact ballots and a shared prefix are worth: `python -m tests.bench.vllm`."""
