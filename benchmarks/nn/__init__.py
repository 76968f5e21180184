"""Cases of kiso.nn."""
