"""From names to classes: imported when asked for, several of one name, what is nearest to what is not there."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from vmsgen.library import REGISTRY
from vmsgen.runtime.errors import VmsgenError
from vmsgen.runtime.facts import Facts, Unanswered
from vmsgen.runtime.registry import Entry, Registry
from vmsgen.runtime.state import VMState
from vmsgen.stream.machine.targets import ARCHITECTURES

CLONE = Path(__file__).parents[3]


def test_a_module_is_imported_when_its_state_is_asked_for() -> None:
    code = (
        "import sys, generated\n"
        "def there(name): return any(key.endswith(name) for key in sys.modules)\n"
        "assert not there('.net.e1000') and not there('.timer.hpet')\n"
        "cls = generated.lookup('e1000')\n"
        "assert cls.__name__ == 'E1000' and there('.net.e1000') and not there('.timer.hpet')\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CLONE, check=True)


def test_every_entry_is_what_it_says() -> None:
    for entry in REGISTRY.entries:
        cls = REGISTRY.load(entry)
        assert issubclass(cls, VMState)
        assert (cls.__name__, cls.VMSTATE, cls.TAG) == (entry.type_name, entry.name, entry.tag)
        assert REGISTRY.by_tag(entry.tag) is cls
        assert cls in REGISTRY.candidates(entry.name)
        assert REGISTRY.lookup(entry.type_name) is cls
    assert list(REGISTRY) == [REGISTRY.load(entry) for entry in REGISTRY.entries]
    assert len({entry.tag for entry in REGISTRY.entries}) == len(REGISTRY.entries)


def test_names_with_a_path() -> None:
    hpet = REGISTRY.lookup("hpet")
    assert REGISTRY.candidates("0000:00:03.0/e1000") == [REGISTRY.lookup("e1000")]
    assert REGISTRY.candidates("a/b/c/hpet") == [hpet]
    assert REGISTRY.candidates("hpet/") == []
    assert REGISTRY.candidates("xhpet") == []
    assert REGISTRY.candidates("") == [] and REGISTRY.candidates("/") == []
    assert REGISTRY.candidates("/" * 255) == []


def test_several_states_of_one_name() -> None:
    found = REGISTRY.candidates("vga")
    assert sorted(cls.__name__ for cls in found) == ["Vga", "VgaPci"]
    with pytest.raises(VmsgenError, match="several states are called 'vga': Vga, VgaPci; look one up by its class"):
        REGISTRY.lookup("vga")
    assert REGISTRY.lookup("VgaPci").__name__ == "VgaPci"
    on_pci = Facts({"section.bus": "pci"})
    assert [cls.__name__ for cls in REGISTRY.candidates("vga", on_pci)] == ["VgaPci"]
    assert REGISTRY.lookup("vga", on_pci).__name__ == "VgaPci"


def test_what_the_facts_exclude_is_not_imported() -> None:
    code = (
        "import sys, generated\n"
        "from vmsgen.runtime.facts import Facts\n"
        "found = generated.REGISTRY.candidates('cpu', Facts({'target.arch': 'x86'}))\n"
        "assert [cls.__name__ for cls in found] == ['X86Cpu']\n"
        "assert 'generated.cpu.x86' in sys.modules and 'generated.cpu.arm' not in sys.modules\n"
        "assert len(generated.REGISTRY.candidates('cpu')) > 10 and 'generated.cpu.arm' in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=CLONE, check=True)


def test_entries_match_as_their_classes() -> None:
    matching = [entry for entry in REGISTRY.entries if entry.match is not None]
    assert len(matching) > 20
    for entry in matching:
        assert entry.match is not None
        for name in ("target.arch", "section.bus"):
            for value in (*ARCHITECTURES, "pci", "mmio"):
                facts = Facts({name: value})
                try:
                    fits = entry.match(facts)
                except Unanswered:
                    with pytest.raises(Unanswered):
                        REGISTRY.load(entry).matches(facts)
                else:
                    assert REGISTRY.load(entry).matches(facts) is fits


def test_what_is_not_there() -> None:
    with pytest.raises(VmsgenError, match=r"^no state is called 'e100'; did you mean 'e1000'"):
        REGISTRY.lookup("e100")
    with pytest.raises(VmsgenError, match=r"^no state is called 'zzzzzzzzzz'$"):
        REGISTRY.lookup("zzzzzzzzzz")
    assert REGISTRY.by_tag(1) is None


def test_older_names() -> None:
    package = REGISTRY.package
    hpet = next(entry for entry in REGISTRY.entries if entry.name == "hpet")
    registry = Registry(package, [Entry("hpet", ("hpet-old", "timer/hpet"), hpet.module, hpet.type_name, hpet.tag)])
    assert registry.names() == ["hpet", "hpet-old", "timer/hpet"]
    cls = REGISTRY.load(hpet)
    for name in ("hpet", "hpet-old", "a/timer/hpet"):
        assert registry.candidates(name) == [cls], name
