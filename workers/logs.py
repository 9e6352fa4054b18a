"""Log lines: one JSON object each in services, readable on a terminal; prompts and proposals never reach them."""

from __future__ import annotations

import logging
import sys
import traceback

import structlog
from structlog.typing import EventDict, ExcInfo, Processor

from domain.text.visible import escaped, escaped_line

SHARED: tuple[Processor, ...] = (
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.StackInfoRenderer(),
)

FRAMES, CAUSES, CHARS = 6, 3, 4000
"""Bounds of one traceback: of each exception the innermost frames, of a chain the latest exceptions, characters in
all. It is written under a lock that every thread waits for, so it must stay short."""

TRACES = ("exception", "stack")

CHATTY = ("asyncio", "celery.worker.strategy", "celery.app.trace", "httpx2")
"""Loggers that write a line per call or task at INFO; a step has one line of its own."""

ROUTINE = "Scheduler: Sending due task sweep (deliberation.sweep)"
"""Beat's line for what it sends every few seconds; it is written at DEBUG alone."""


def configure(*, level: str = "INFO", as_json: bool | None = None) -> None:
    """Send structlog and the standard library's logging through one formatter to standard error.

    `as_json` None means text on a terminal and JSON elsewhere. Calling it again replaces the earlier set-up.
    """
    wants_json = not sys.stderr.isatty() if as_json is None else as_json
    structlog.configure(
        processors=[*SHARED, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(_formatter(wants_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("celery.beat").addFilter(_is_not_routine)


def _is_not_routine(record: logging.LogRecord) -> bool:
    return record.getMessage() != ROUTINE or logging.getLogger().isEnabledFor(logging.DEBUG)


def configure_command() -> None:
    """Let a command write its errors alone, as text on standard error: standard output is for what it prints."""
    structlog.configure(
        processors=[structlog.stdlib.add_log_level, *_as_text()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR),
        logger_factory=lambda *_: structlog.PrintLogger(sys.stderr),
    )


def short_traceback(exc_info: ExcInfo) -> str:
    """Return the end of a traceback, bounded, and without local variables, which hold passwords and plans."""
    if exc_info[0] is None:  # `exc_info=True` where no exception is being handled
        return ""
    told = traceback.TracebackException(
        *exc_info, limit=-FRAMES, compact=True, max_group_width=3, max_group_depth=2
    )
    _forget_outer_causes(told)
    text = "".join(told.format()).rstrip()
    half = CHARS // 2
    return text if len(text) <= CHARS else f"{text[:half]}\n  [...]\n{text[-half:]}"


def _forget_outer_causes(told: traceback.TracebackException) -> None:
    for _ in range(CAUSES - 1):
        inner = told.__cause__ or told.__context__
        if inner is None:
            return
        told = inner
    told.__cause__ = told.__context__ = None


def _formatter(wants_json: bool) -> logging.Formatter:
    last = [_with_exception, structlog.processors.JSONRenderer()] if wants_json else _as_text()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=list(SHARED),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
    )


def _as_text() -> list[Processor]:
    # The renderer's own way of showing an exception is rich's: with local variables, and seconds long.
    plain = structlog.dev.ConsoleRenderer(
        colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
    )
    return [_with_exception, _without_foreign_escapes, plain]


def _without_foreign_escapes(logger: object, method: str, line: EventDict) -> EventDict:
    """Escape what the renderer would write as it is: strings. A traceback alone has line ends of its own."""
    for name, value in line.items():
        if name in TRACES:
            line[name] = escaped(str(value))
        elif name == "event" or isinstance(value, str):
            line[name] = escaped_line(str(value))
    return line


_with_exception = structlog.processors.ExceptionRenderer(short_traceback)
