"""Cases of kiso.optim."""
