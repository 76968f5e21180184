"""Trees and forests against their peers."""
