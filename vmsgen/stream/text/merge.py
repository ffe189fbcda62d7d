"""RAM records in one canonical form: zero pages that follow each other are one run, however the input had them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from vmsgen.stream.items import LIST, SIZE, ZERO, Record

__all__ = ["merged"]


def merged(batches: Iterable[list[Record]], page_size: int = 4096) -> Iterator[list[Record]]:
    """The same records with neighbouring runs of zero pages joined. Each batch is good until the next one is asked
    for.
    """
    run: tuple[int, int] | None = None  # address and pages of a run that may go on
    for records in batches:
        joined: list[Record] = []
        for record in records:
            if record[0] == ZERO:
                if run is not None and record[1] == run[0] + run[1] * page_size:
                    run = (run[0], run[1] + record[2])
                    continue
                if run is not None:
                    joined.append((ZERO, *run))
                run = (record[1], record[2])
                continue
            if run is not None:
                joined.append((ZERO, *run))
                run = None
            if record[0] == LIST:
                page_size = record[1].page_size
            elif record[0] == SIZE:
                page_size = record[2]
            joined.append(record)
        yield joined
    if run is not None:
        yield [(ZERO, *run)]
