"""One migration written in another shape: plain, mapped-ram."""
