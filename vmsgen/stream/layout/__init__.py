"""Reading device state without a vmdesc: the search for the one layout that fits a section."""
