"""The pages that people see: each reads ports, has the domain compute, and renders a template."""
