"""Files that hold a stream inside: qcow2 snapshots, libvirt's save images."""
