"""What vmsgen does, once through, with a stream that was recorded from a real QEMU guest.

Runs the same commands that a user would type, in a folder that is thrown away at the end, and says
in ten lines what came of it. Ends with exit code 1 at the first thing that is not as it should be.
"""

from __future__ import annotations

import json
import lzma
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SAMPLE = ROOT / "examples" / "sample.mig.xz"


def vmsgen(*words: str | Path) -> str:
    """Output of a vmsgen command; its own words on stderr stay visible when it fails."""
    done = subprocess.run(
        [sys.executable, "-m", "vmsgen", *map(str, words)], cwd=ROOT, capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(f"vmsgen {' '.join(map(str, words))} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
    return done.stdout


def main() -> None:
    """Builds, opens, converts, verifies, converts back, compares."""
    begin = time.perf_counter()
    print("vmsgen demo: one description of each device, and everything else comes from it.")
    vmsgen("build")
    specs = len(list((ROOT / "device-specs").rglob("*.yaml")))
    schemas = len(list((ROOT / "generated" / "asn1").rglob("*.asn1")))
    print(f"  1. vmsgen build: {specs} specs in device-specs/ gave classes, codecs and {schemas} ASN.1 modules.")
    with tempfile.TemporaryDirectory(prefix="vmsgen-demo") as work:
        stream, ber, again = (Path(work) / name for name in ("sample.mig", "sample.ber", "again.mig"))
        stream.write_bytes(lzma.decompress(SAMPLE.read_bytes()))
        size = stream.stat().st_size
        print(f"  2. {SAMPLE.relative_to(ROOT)}: {size:,} bytes, written by QEMU 7.2 for a small PC.")
        sections = json.loads(vmsgen("show", stream, "--format", "json"))["sections"]
        print(f"  3. vmsgen show: {len(sections)} sections, among them cpu, e1000, ide and the serial port.")
        stats = json.loads(vmsgen("show", stream, "--stats", "--format", "json"))
        print(f"  4. Of its bytes {stats['ram']:,} are memory, {stats['typed']:,} named and typed device state,")
        print(f"     {stats['framing']:,} framing and {stats['opaque']:,} of unknown meaning.")
        vmsgen("convert", stream, ber, "--to", "ber")
        print(f"  5. vmsgen convert --to ber: {ber.stat().st_size:,} bytes of ASN.1 BER, any ASN.1 tool reads them.")
        vmsgen("verify", ber)
        print("  6. vmsgen verify: asn1tools decoded every section by the generated schema, value by value.")
        vmsgen("convert", ber, again, "--to", "binary")
        print(f"  7. vmsgen convert --to binary: {again.stat().st_size:,} bytes, in QEMU's own format.")
        if again.read_bytes() != stream.read_bytes():
            sys.exit("  8. They differ from what QEMU wrote!")
        print(f"  8. Byte for byte what QEMU wrote. Done in {time.perf_counter() - begin:.1f} s.")


if __name__ == "__main__":
    main()
