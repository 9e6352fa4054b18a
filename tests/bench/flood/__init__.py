"""What others can do to honest plans under the shipped logins (make bench-flood)."""
