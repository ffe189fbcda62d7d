"""The shortest spec in which a rule finds something, for the page of the rule.

A part of a spec stands for the whole, as in docs/language.md: entries of ``fields:``, or keys. Rules about several
files, the lock, or what cannot be shown have none.
"""

from __future__ import annotations

EXAMPLES: dict[str, str] = {
    "yaml/syntax": "- speed: uint8\n  doc: a rate: of bits\n",
    "yaml/duplicate-key": "- speed: uint8\n  doc: a rate\n  doc: of bits\n",
    "yaml/flow-brackets": "fields:\n  - {ring: uint8[4], doc: the ring}\n",
    "yaml/feature": "- speed: &type uint8\n- rate: *type\n",
    "yaml/comment": "- speed: uint8\n  doc: see #12 of the manual\n",
    "spec/unknown-key": "- speed: uint8\n  docs: a rate\n",
    "spec/shape": "fields:\n  speed: uint8\n",
    "spec/value": "version: two\nfields:\n  - speed: uint8\n",
    "spec/no-type": "- speed:\n",
    "spec/two-states": "vmsgen: 1\nvmstate: acme\nsection: acme-old\nfields:\n  - speed: uint8\n",
    "spec/missing-key": "vmsgen: 1\nvmstate: acme\n",
    "name/unknown-type": "- speed: byte\n",
    "name/unknown": "- ring: uint8[size]\n",
    "name/collision": "- tx.size: uint16\n- tx_size: uint16\n",
    "name/shadow": "- n: uint8\n- port:\n  - n: uint8\n  - ring: uint8[n]\n",
    "name/later": "- ring: uint8[n]\n- n: uint8\n",
    "name/outer": "fields:\n  - n: uint8\n  - port: Port\nstructs:\n  Port:\n    - ring: uint8[n]\n",
    "name/wire-spelling": "- tx.size: uint8\n- ring: uint8[tx.size]\n",
    "name/unused": "- n: uint8\n- let double: n * 2\n",
    "import/missing": "import:\n  qemu/pci/device: [PCIDevise]\nfields:\n  - parent_obj: PCIDevise\n",
    "type/syntax": "- speed: uint8 sinc 2\n",
    "type/double-bracket": "- table: uint8[2][3]\n",
    "type/arguments": (
        "fields:\n  - port: Port\nstructs:\n  Port:\n    params: {n: int}\n    fields:\n      - ring: uint8[n]\n"
    ),
    "type/recursion": "fields:\n  - node: Node\nstructs:\n  Node:\n    - next: Node\n",
    "type/width": "- speed: uint(12)\n",
    "type/null": "- speed: uint8?\n",
    "type/union": "- kind: uint8\n- body: union(kind)\n",
    "type/ends": "fields:\n  - ring: Entry[until uint32 0]\nstructs:\n  Entry:\n    - id: uint16\n",
    "type/pad": "- unused: pad[uint32]\n",
    "type/order": "- mac: bytes[6] little-endian\n",
    "view/only": "fields:\n  - head: Head\nstructs:\n  Head:\n    - id: uint16 at 4\n",
    "expr/syntax": "- ring: uint8[1 +]\n",
    "expr/operator": "- n: uint8\n- ring: uint8 when n && 1\n",
    "expr/type": "- n: uint8\n- extra: uint8 when n\n",
    "expr/absent": "- n: uint8\n- size: uint8 when n != 0\n- ring: uint8[size]\n",
    "expr/constant": "- speed: uint8 when 1 == 2\n",
    "cond/version": "version: 2\nfields:\n  - speed: uint8 since 3\n",
    "check/impossible": "- speed: uint8\n  check: it > 300\n",
    "count/unbounded": "- log: bytes[uint32]\n",
    "sub/prefix": "fields:\n  - speed: uint8\nsubsections:\n  - other/state:\n    - level: uint8\n",
    "sub/duplicate": (
        "fields:\n  - speed: uint8\nsubsections:\n  - example/a:\n    - x: uint8\n  - example/a:\n    - x: uint8\n"
    ),
    "sub/ambiguous": (
        "fields:\n  - speed: uint8\n"
        "subsections:\n  - example/rx:\n    - x: uint8\n  - example/rx-queue:\n    - y: uint8\n"
    ),
    "sub/guest-bytes": (
        "fields:\n  - port: Port\n  - buffer: bytes[64]\n"
        "structs:\n  Port:\n    vmstate: port\n    fields:\n      - level: uint8\n"
    ),
    "version/nested": (
        "fields:\n  - port: Port\n"
        "structs:\n  Port:\n    version: 2\n    fields:\n      - x: uint8\n      - y: uint8 since 2\n"
    ),
    "version/order": "version: 1\nminimum_version: 2\nfields:\n  - speed: uint8\n",
    "tag/range": "tag: 20104\nfields:\n  - speed: uint8\n",
    "compat/stale": "- link_speed: uint32\n  was: speed\n- speed: uint8\n",
    "unknown/open": "- extra: uint32 when unknown\n",
    "hook/missing": "- parser: hook(parser)\n",
    "doc/missing": "- speed: uint8\n",
    "doc/opaque": "- table: bytes[256]\n",
    "doc/source": "props:\n  queues: {type: 1..16, default: 1}\nfields:\n  - ring: uint8[props.queues]\n",
    "doc/summary": "vmsgen: 1\nvmstate: acme-nic\nfields:\n  - speed: uint8\n",
    "count/stored": "- n: uint8\n- ring: uint8[n]\n",
    "ignore/unused": "- speed: uint8  # vmsgen: ignore[doc/opaque] nobody knows\n",
    "ignore/reason": "- table: bytes[256]  # vmsgen: ignore[doc/opaque]\n",
    "ignore/unknown": "- table: bytes[256]  # vmsgen: ignore everything\n",
}
