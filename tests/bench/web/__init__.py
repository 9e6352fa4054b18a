"""What the page takes over a full store (make bench-web)."""
