"""The units of many modules, generated in several processes where that pays."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor

from vmsgen.emit.templates import Templates
from vmsgen.emit.units import Rendered, render
from vmsgen.spec.model import Model, Module

#: With fewer modules than this, other processes take longer to start than they save.
FEWEST = 128
#: A process is handed so many modules at a time.
_SHARE = 8


def render_all(model: Model, modules: Iterable[Module], templates: Templates) -> list[Rendered]:
    """The units of the modules, in their order; over all processors if there are many. Raises TemplateError."""
    asked = list(modules)
    processes = min(_processors(), len(asked) // FEWEST + 1)
    if processes < 2 or not _can_fork():
        return [render(model, module, templates) for module in asked]
    # Forked processes have the model already; what comes back is plain text.
    global _shared
    _shared = (model, asked, templates)
    pool = ProcessPoolExecutor(processes, multiprocessing.get_context("fork"), initializer=_leave_signals)
    try:
        return list(pool.map(_render_shared, range(len(asked)), chunksize=_SHARE))
    finally:
        pool.shutdown(cancel_futures=True)
        _shared = None


_shared: tuple[Model, list[Module], Templates] | None = None


def _render_shared(position: int) -> Rendered:
    assert _shared is not None
    model, modules, templates = _shared
    return render(model, modules[position], templates)


def _leave_signals() -> None:
    """Ctrl-C and other signals end the process that builds, which then ends these."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


def _can_fork() -> bool:
    """Whether forking is possible and safe: a thread may hold a lock that nobody would give free in the child."""
    return "fork" in multiprocessing.get_all_start_methods() and threading.active_count() == 1


def _processors() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
