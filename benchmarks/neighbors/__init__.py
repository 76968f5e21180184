"""Cases of kiso.linear_model."""
