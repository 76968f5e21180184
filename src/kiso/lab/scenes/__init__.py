"""One scene a file: each has a `SCENE`, a subclass of `kiso.lab.Scene`."""

# the order of the start page
ORDER = {
    name: number
    for number, name in enumerate(
        [
            "kmeans",
            "kmeans-plus-plus",
            "gradient-descent",
            "regression",
            "bayes",
            "classifiers",
            "pca",
            "neighbours",
            "network",
            "convolution",
            "approximation",
            "gan",
            "adversarial",
            "no-free-lunch",
            "one-shot",
        ]
    )
}
