"""Model engines: how each kind is started, asked, kept to a form and watched, and the worker that owns one."""
