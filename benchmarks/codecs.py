"""How fast the generated codecs are, as ratios to peers in the same run.

``python -m benchmarks codecs`` measures

* a record of 100 fields (``specs/record.yaml``: 70 unsigned and 18 signed integers of all sizes, 8 booleans, two
  buffers, an array, a nested struct), filled with values of which, where their type holds it, 70 % are small, 20 % have
  16 bits and 10 % all bits (of 64, 63: asn1c's native integers hold no more);
* arrays of 1,024 numbers of 64 bits: of all sizes, as in the record, and of full width;
* all device states of a q35 and of a pseries, where their streams were captured.

Every subject is read and written in BER and in binary, by the methods that users call. Peers of BER are asn1tools,
pycrate and asn1c's C (where they are installed); of binary, ``struct`` and building an object of the same slots.
"""

from __future__ import annotations

import importlib.util
import random
import struct
import tempfile
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from operator import call
from pathlib import Path
from types import ModuleType
from typing import Any

import vmsgen
from benchmarks.captured import captured
from benchmarks.measure import Contestant, Row, by_turns, row, table
from benchmarks.peers import Encoded, has_asn1c, over, schema, with_asn1c, with_asn1tools, with_pycrate
from vmsgen.building.build import build
from vmsgen.packages import asn1_folder, generated_package, shipped_library
from vmsgen.runtime.state import VMState
from vmsgen.settings import project

SPECS = Path(__file__).with_name("specs")
BITS = {"B": 8, "H": 16, "I": 32, "Q": 64, "b": 8, "h": 16, "i": 32, "q": 64}
CODES = {"uint8": "B", "uint16": "H", "uint32": "I", "uint64": "Q", "int8": "b", "int16": "h", "int32": "i"}
RECORDS, ARRAYS = 256, 16


#: what is to be reached: our time by the peer's, by what is done and the peer
AIMS = {
    "record": {
        ("encode", "asn1tools"): 0.1,
        ("encode", "asn1c -fwide-types"): 0.7,
        ("decode", "asn1tools"): 1 / 6,
        ("decode", "asn1c -fwide-types"): 1.0,
        ("save", "struct"): 1.5,
        ("load", "struct"): 1.5,
    },
    "1024 uint64": {("encode", "asn1tools"): 0.1, ("decode", "asn1tools"): 0.1},
}


# ---------------------------------------------------------------------------------------------- subjects


def number(chance: random.Random, code: str) -> int:
    """A value of a type: 70 % small, 20 % of 16 bits, 10 % of all bits but the 64th of an unsigned one."""
    bits, signed = BITS[code], code.islower()
    kind = chance.random()
    width = min(bits, 7 if kind < 0.7 else 16 if kind < 0.9 else 63)
    if not signed:
        return chance.getrandbits(width)
    return chance.randrange(-1 << width - 1, 1 << width - 1) if width > 7 else chance.randrange(-64, 64)


def field_kinds() -> dict[str, str]:
    """The fields of the record and their types as its spec has them."""
    lines = (SPECS / "record.yaml").read_text().partition("fields:")[2].partition("structs:")[0]
    return dict(line.strip().removeprefix("- ").split(": ") for line in lines.strip().splitlines())


def record(chance: random.Random, cls: type[Any]) -> VMState:
    """A record with values as devices have them."""
    value = cls()
    for name, kind in field_kinds().items():
        if kind in CODES or kind == "int64":
            setattr(value, name, number(chance, CODES.get(kind, "q")))
        elif kind == "bool":
            setattr(value, name, chance.random() < 0.5)
    value.mac, value.key = chance.randbytes(6), chance.randbytes(16)
    value.legs = [number(chance, "H") for _ in range(4)]
    value.link.speed, value.link.duplex, value.link.errors = 1000, True, number(chance, "H")
    return value  # type: ignore[no-any-return]


def array(chance: random.Random, cls: type[Any], kind: str) -> VMState:
    """An array of numbers of one kind."""
    draw: dict[str, Callable[[], int]] = {
        "mixed": lambda: number(chance, "Q"),
        "wide": lambda: chance.getrandbits(64) | 1 << 63,
        "any": lambda: chance.getrandbits(chance.randrange(1, 65)),
    }
    return cls(numbers=[draw[kind]() for _ in range(1024)])  # type: ignore[no-any-return]


def ber(values: Sequence[VMState]) -> dict[str, Contestant]:
    """Our BER."""
    encoded = [(type(value).from_ber, value.to_ber()) for value in values]
    assert [read(data) for read, data in encoded] == list(values)
    return {
        "encode": over(values, lambda value: value.to_ber()),
        "decode": over(encoded, lambda each: each[0](each[1])),
    }


def binary(values: Sequence[VMState]) -> dict[str, Contestant]:
    """Our binary form."""
    saved = [partial(type(v).from_binary, v.to_binary(), version=v.section_version, facts=v.facts) for v in values]
    return {
        "save": over(values, lambda value: value.to_binary()),
        "load": over(saved, call),
    }


def bare_record(values: Sequence[Any]) -> dict[str, Contestant]:
    """``struct`` and a class with slots, straight-line code as one would write it by hand."""
    kinds = field_kinds()
    names = [name for name in kinds if name not in ("legs", "link")]
    code = {"bool": "?", "int64": "q", "bytes[6]": "6s", "bytes[16]": "16s"} | CODES
    parts = {name: [f"self.{name}"] for name in names}
    formats = {name: code[kinds[name]] for name in names}
    parts |= {"legs": ["*self.legs"], "link": ["self.link.speed", "self.link.duplex", "self.link.errors"]}
    formats |= {"legs": "4H", "link": "I?H"}
    layout = ">" + "".join(formats[name] for name in kinds)
    packed = ", ".join(part for name in kinds for part in parts[name])
    taken = packed.replace("*self.legs", "a, b, c, d")
    source = f"""
class Link:
    __slots__ = ("speed", "duplex", "errors")

class Record:
    __slots__ = {tuple(kinds)}

    def save(self):
        return form.pack({packed})

    @classmethod
    def load(cls, data):
        self = cls.__new__(cls)
        self.link = Link()
        {taken} = form.unpack(data)
        self.legs = [a, b, c, d]
        return self
"""
    names_: dict[str, Any] = {"form": struct.Struct(layout)}
    exec(source, names_)
    load = names_["Record"].load
    saved = [value.to_binary() for value in values]
    objects = [load(data) for data in saved]
    assert [each.save() for each in objects] == saved
    return {
        "save": over(objects, lambda each: each.save()),
        "load": over(saved, load),
    }


def bare_array(values: Sequence[Any]) -> dict[str, Contestant]:
    """``struct`` over one list."""
    form = struct.Struct(">1024Q")
    lists = [value.numbers for value in values]
    saved = [form.pack(*numbers) for numbers in lists]
    return {
        "save": over(lists, lambda numbers: form.pack(*numbers)),
        "load": over(saved, lambda data: list(form.unpack(data))),
    }


# ---------------------------------------------------------------------------------------------- the runs


def states_of(path: Path) -> list[VMState]:
    """The typed device states of a stream."""
    with vmsgen.open(path) as migration:
        found = [section.state for section in migration.devices]
    # a class that a stream's own description gave has no schema
    return [each for each in found if isinstance(each, VMState) and type(each).__module__.startswith("vmsgen.library")]


def asn1_module(folder: Path, value: VMState) -> tuple[str, str]:
    """The ASN.1 module and the type of a state: those that have its tag."""
    head = f" ::= [APPLICATION {value.TAG}] SEQUENCE"
    for path in folder.glob("Vmsgen-Dev-*.asn1"):
        for line in path.read_text().splitlines():
            if head in line:
                return path.stem, line.split()[0]
    raise SystemExit(f"no type of the schema has the tag {value.TAG}")


def compared(
    name: str, values: Sequence[VMState], asn1: Path, folder: Path, bare: Callable[..., Any] | None = None
) -> Iterator[Row]:
    """BER and binary of some values, with all peers."""
    encoded = [Encoded(*asn1_module(asn1, value), value.to_ber()) for value in values]
    texts = schema(asn1, {each.module for each in encoded})
    peers = {"asn1tools": with_asn1tools(texts, encoded)}
    if name == "record" and importlib.util.find_spec("pycrate_asn1c") is not None:
        peers["pycrate"] = with_pycrate(texts, encoded, folder)
    if has_asn1c():
        peers["asn1c -fwide-types"] = with_asn1c(texts, encoded, folder / f"{name} wide", wide=True)
        if name == "record":
            peers["asn1c"] = with_asn1c(texts, encoded, folder / f"{name} native", wide=False)
    for ours, others in ((ber(values), peers), (binary(values), {"struct": bare(values)} if bare else {})):
        for what, contestant in ours.items():
            against = {peer: contestants[what] for peer, contestants in others.items()}
            runs = by_turns({"": contestant, **against}, rounds=9)
            for peer in against or [""]:
                aim = AIMS.get(name.partition(",")[0], {}).get((what, peer))
                yield row(f"{name}: {what}", runs, "", peer, aim=aim)


def built(folder: Path) -> ModuleType:
    """The classes of the benchmark's specs, which are built in an empty folder; their schema is there too."""
    specs = folder / "device-specs"
    specs.mkdir()
    for path in SPECS.glob("*.yaml"):
        (specs / path.name).write_text(path.read_text())
    if build(project(folder)).failed:
        raise SystemExit("the specs of the benchmark are not built")
    return generated_package(str(folder / "generated"))


def rows() -> Iterator[Row]:
    """The record, the arrays, the streams."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        package = built(folder)
        asn1 = folder / "generated" / "asn1"
        chance = random.Random(1)
        records = [record(chance, package.lookup("bench-record")) for _ in range(RECORDS)]
        yield from compared("record", records, asn1, folder, bare_record)
        for kind in ("mixed", "any", "wide"):
            arrays = [array(chance, package.lookup("bench-array"), kind) for _ in range(ARRAYS)]
            yield from compared(f"1024 uint64, {kind}", arrays, asn1, folder, bare_array)
        library = shipped_library()
        assert library is not None, "a clone that was built"
        for name in ("q35-7.2", "pseries-slof"):
            if (path := captured(name)) is not None:
                yield from compared(name, states_of(path), Path(str(asn1_folder(library))), folder)


if __name__ == "__main__":
    found = []
    for each in rows():
        found.append(each)
        print(table([each]).splitlines()[-1], flush=True)
    print()
    print(table(found))
