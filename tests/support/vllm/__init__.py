"""The real vLLM for tests: how its environment is built and how its weights come to be."""
