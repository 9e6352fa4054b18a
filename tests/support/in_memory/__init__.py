"""The ports in memory: for tests and for programs that need no durability. Thread-safe, lost with the process."""
