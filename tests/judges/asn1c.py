"""asn1c as a judge: one C program for all types of a schema, kept running; and its XER read back into values."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_MAIN = Path(__file__).with_name("judge_main.c")
_COMPILE = ["gcc", "-w", "-O0", "-std=c99", "-D_DEFAULT_SOURCE", "-I."]


class Asn1cError(Exception):
    """asn1c or the C compiler refused the schema."""


def is_there() -> bool:
    """Whether asn1c and a C compiler are installed."""
    return shutil.which("asn1c") is not None and shutil.which("gcc") is not None


def compile_schema(texts: Mapping[str, str], folder: Path) -> Path:
    """Builds the judge of the modules ``{name: text}`` in an empty folder; gives the program. Raises Asn1cError."""
    sources = folder / "asn1"
    sources.mkdir(parents=True)
    for name, text in texts.items():
        (sources / f"{name}.asn1").write_text(text)
    # -fwide-types: else INTEGER (0..MAX) becomes a long, which cannot hold 2^63
    command = ["asn1c", "-fcompound-names", "-fwide-types", "-pdu=all", *(str(path) for path in sources.iterdir())]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if made.returncode:
        raise Asn1cError(made.stderr[-4000:])
    (folder / "converter-sample.c").unlink(missing_ok=True)
    shutil.copy(_MAIN, folder / "judge_main.c")
    halves: list[list[str]] = [[], []]
    for number, path in enumerate(sorted(folder.glob("*.c"))):
        halves[number % 2].append(path.name)
    running = [subprocess.Popen([*_COMPILE, "-c", *half], cwd=folder, stderr=subprocess.PIPE) for half in halves]
    for process in running:
        _, errors = process.communicate()
        if process.returncode:
            raise Asn1cError(errors.decode("utf-8", "replace")[-4000:])
    objects = [path.name for path in sorted(folder.glob("*.o"))]
    subprocess.run(["gcc", "-o", "judge", *objects, "-lm"], cwd=folder, check=True)
    return folder / "judge"


class Judge:
    """A running judge program. ``decode`` raises Asn1cError with its words when it refuses."""

    def __init__(self, program: Path) -> None:
        self._folder = program.parent
        self._process = subprocess.Popen(
            [str(program)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def decode(self, type_name: str, data: bytes) -> tuple[ElementTree.Element, bytes]:
        """The value as XER, and the same value in DER."""
        source, xer, der = (self._folder / name for name in ("in.ber", "out.xer", "out.der"))
        source.write_bytes(data)
        assert self._process.stdin is not None and self._process.stdout is not None
        self._process.stdin.write(f"{type_name} {source} {xer} {der}\n")
        self._process.stdin.flush()
        answer = self._process.stdout.readline().strip()
        if answer != "ok":
            raise Asn1cError(answer or "the judge died")
        return ElementTree.fromstring(xer.read_text()), der.read_bytes()

    def close(self) -> None:
        """Ends the program."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)


def same(element: ElementTree.Element, value: Any) -> str | None:
    """Where XER differs from a value tree of asn1tools; None if it does not. Text (UTF8String) is left to the DER."""
    if isinstance(value, dict):
        children = {child.tag: child for child in element}
        if children.keys() != value.keys():
            return f"{element.tag}: {sorted(children)} against {sorted(value)}"
        return next((found for key, item in value.items() if (found := same(children[key], item))), None)
    if isinstance(value, list):
        children_ = list(element)
        if len(children_) != len(value):
            return f"{element.tag}: {len(children_)} elements against {len(value)}"
        return next((found for child, item in zip(children_, value, strict=True) if (found := same(child, item))), None)
    if isinstance(value, tuple):
        # a CHOICE: its alternative stands in it; one in a list stands for itself
        name, inner = value
        child = element if element.tag == name else next(iter(element), None)
        if child is None or child.tag != name:
            return f"{element.tag}: alternative {child.tag if child is not None else None} against {name}"
        return None if inner is None else same(child, inner)
    return _leaf(element, value)


def _leaf(element: ElementTree.Element, value: Any) -> str | None:
    if isinstance(value, str):
        return None
    found: Any = (element.text or "").strip()
    if isinstance(value, bool):
        # in a list a BOOLEAN is the bare <true/>
        name = element.tag if element.tag in ("true", "false") else element[0].tag if len(element) else ""
        found = {"true": True, "false": False}.get(name)
    elif isinstance(value, int):
        found = _integer(element, str(found))
    elif isinstance(value, bytes | bytearray):
        found = bytes.fromhex("".join(str(found).split()))
    return None if found == value else f"{element.tag}: {found!r} against {value!r}"


def _integer(element: ElementTree.Element, text: str) -> int | str | None:
    """Decimal, or octets in hex where it does not fit a long; a named number stands as an element of its name."""
    if ":" in text:
        return int.from_bytes(bytes.fromhex(text.replace(":", "")), "big", signed=True)
    try:
        return int(text)
    except ValueError:
        return text or None
