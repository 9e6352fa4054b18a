"""The blind review: what reviewers see, in which order, and how their answers become scores."""
