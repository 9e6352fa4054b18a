"""The domain's ports over real technology: one adapter per port, named after the port and the technology."""
