"""A whole QEMU migration stream: framing, RAM, configuration and vmdesc, in QEMU's binary format and in BER.

Both formats are read into the same items (:mod:`vmsgen.stream.items`) and written from them, one at a time, so that
memory does not depend on the size of the guest. The classes of device state come as a registry; nothing here imports
generated code.
"""
