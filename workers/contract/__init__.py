"""The published contract as documents: JSON Schema and AsyncAPI, and what would break its readers."""
