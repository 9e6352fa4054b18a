"""Who may see the page, and what browsers may do with it."""
