"""Data from outside against the models that it must fit, and every mistake in it as a sentence."""
