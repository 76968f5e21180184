"""Cases of kiso.inference."""
