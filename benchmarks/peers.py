"""What vmsgen's codecs are compared with: asn1tools, pycrate, and the C code of asn1c, all from the schema that
vmsgen prints.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.measure import Contestant, Cost, calls

_LOOP = Path(__file__).with_name("asn1c_loop.c")


@dataclass(frozen=True)
class Encoded:
    """A value in BER, and the ASN.1 module and type that it is of."""

    module: str
    type: str
    data: bytes


def one_of(count: int, contestant: Contestant) -> Contestant:
    """A contestant that goes through ``count`` values, by what one of them costs."""

    def run() -> Cost:
        cost = contestant()
        return Cost(cost.seconds / count, cost.cpu / count)

    return run


def over(values: Sequence[Any], function: Callable[[Any], object]) -> Contestant:
    """What ``function`` costs for one of the values; what it gives is dropped at once, as C code frees it."""

    def run() -> None:
        for value in values:
            function(value)

    return one_of(len(values), calls(run))


def schema(folder: Path, roots: Iterable[str]) -> dict[str, str]:
    """The modules ``roots`` of a generated schema and all that they import, by name."""
    found: dict[str, str] = {}
    wanted = list(roots)
    while wanted:
        name = wanted.pop()
        if name not in found:
            found[name] = (folder / f"{name}.asn1").read_text()
            imports = re.search(r"IMPORTS(.*?);", found[name], re.DOTALL)
            wanted += re.findall(r"FROM ([\w-]+)", imports[1]) if imports else []
    return found


def with_asn1tools(texts: dict[str, str], values: Sequence[Encoded]) -> dict[str, Contestant]:
    """asn1tools, which checks neither ranges nor order."""
    import asn1tools

    compiled = asn1tools.compile_string("\n".join(texts.values()), "ber")
    trees = [(each.type, compiled.decode(each.type, each.data)) for each in values]
    if [compiled.encode(name, tree) for name, tree in trees] != [each.data for each in values]:
        raise SystemExit("asn1tools does not write what vmsgen writes")
    return {
        "encode": over(trees, lambda each: compiled.encode(*each)),
        "decode": over(values, lambda each: compiled.decode(each.type, each.data)),
    }


def with_pycrate(texts: dict[str, str], values: Sequence[Encoded], folder: Path) -> dict[str, Contestant]:
    """pycrate; one schema for a process, since it keeps its types in modules."""
    from pycrate_asn1c.asnproc import PycrateGenerator, compile_text, generate_modules

    path = folder / "pycrate_schema.py"
    with contextlib.redirect_stdout(io.StringIO()):
        compile_text(list(texts.values()))
        generate_modules(PycrateGenerator, str(path))
    spec = importlib.util.spec_from_file_location("pycrate_schema", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    def type_of(each: Encoded) -> Any:
        return getattr(getattr(module, each.module.replace("-", "_")), each.type.replace("-", "_"))

    def decoded(each: Encoded) -> Any:
        type_ = type_of(each)
        type_.from_ber(each.data)
        return type_.get_val()

    def encoded(each: Encoded, tree: Any) -> Any:
        type_ = type_of(each)
        type_.set_val(tree)
        return type_.to_ber()

    trees = [(each, decoded(each)) for each in values]
    return {
        "encode": over(trees, lambda each: encoded(*each)),
        "decode": over(values, decoded),
    }


def has_asn1c() -> bool:
    """Whether asn1c and a C compiler are installed."""
    return shutil.which("asn1c") is not None and shutil.which("gcc") is not None


def with_asn1c(texts: dict[str, str], values: Sequence[Encoded], folder: Path, *, wide: bool) -> dict[str, Contestant]:
    """asn1c's C, compiled by gcc -O2; ``wide``: integers of any size, without which it holds 63 bits."""
    sources = folder / "asn1"
    sources.mkdir(parents=True)
    for name, text in texts.items():
        (sources / f"{name}.asn1").write_text(text)
    options = ["-fwide-types"] if wide else []
    command = ["asn1c", "-fcompound-names", *options, "-pdu=all", *map(str, sorted(sources.iterdir()))]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    (folder / "converter-sample.c").unlink(missing_ok=True)
    shutil.copy(_LOOP, folder)
    flags = ["-w", "-O2", "-std=gnu99", "-I.", "-o", "loop"]
    subprocess.run(["gcc", *flags, *(path.name for path in folder.glob("*.c")), "-lm"], cwd=folder, check=True)
    with (folder / "records").open("wb") as out:
        for each in values:
            out.write(f"{each.type} {len(each.data)}\n".encode() + each.data)
    process = subprocess.Popen(
        [str(folder / "loop"), str(folder / "records")], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdin is not None and process.stdout is not None
    answers, commands = process.stdout, process.stdin
    if (line := answers.readline().strip()) != "ready":
        raise SystemExit(f"asn1c: {line}")

    def runner(what: str) -> Contestant:
        rounds = 0

        def run() -> Cost:
            nonlocal rounds
            rounds = rounds or max(1, round(0.05 / max(seconds(3) / 3, 1e-6)))
            clock = time.perf_counter()
            cpu = seconds(rounds)
            return Cost((time.perf_counter() - clock) / rounds, cpu / rounds)

        def seconds(times: int) -> float:
            commands.write(f"{what} {times}\n")
            commands.flush()
            return float(answers.readline()) / 1e9

        return one_of(len(values), run)

    return {"encode": runner("encode"), "decode": runner("decode")}
