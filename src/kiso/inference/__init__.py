"""Maximum likelihood, conjugate Bayes and information measures."""
