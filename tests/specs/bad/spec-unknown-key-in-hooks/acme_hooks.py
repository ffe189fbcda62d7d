def rearm(state, version):
    """No timer to arm."""
