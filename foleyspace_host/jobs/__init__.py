"""Jobs that are never lost: kept in SQLite, run by processes that may die, each ended exactly once."""
