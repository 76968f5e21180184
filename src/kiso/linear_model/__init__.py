"""Linear models: scikit-learn's names, kiso's speed, and every fit open to inspection."""
