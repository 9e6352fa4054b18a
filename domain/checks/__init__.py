"""The gate before ranking: named checks on a proposal, each a small class, and what follows from them."""
