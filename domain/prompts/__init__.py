"""A deliberation's questions to models: the prompt, the entry made of the answer, the question after it."""
