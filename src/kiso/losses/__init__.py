"""Loss functions: value and gradient, stateless."""
