"""Councils as files: the shipped default, and reading those that operators write. Knows no store."""
