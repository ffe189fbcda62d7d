"""A stream on its way: passed on untouched, while a process of its own decodes and logs it."""
