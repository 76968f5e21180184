"""The closed registry: every type that a model file may name, and every way to build one.

A file that names anything else is refused before any of it is built. A new estimator, or a
new transformer of the pipeline, adds its line here.
"""

from __future__ import annotations

KISO_TYPES = frozenset(
    {
        "kiso.cluster._kmeans.KMeans",
        "kiso.cluster._mini_batch.MiniBatchKMeans",
        "kiso.comparison._blend.BlendClassifier",
        "kiso.comparison._blend.BlendRegressor",
        "kiso.comparison._calibrated.CalibratedClassifier",
        "kiso.comparison._dates.DateParts",
        "kiso.comparison._text_features.TextFeatures",
        "kiso.comparison._threshold.ThresholdClassifier",
        "kiso.decomposition._incremental.IncrementalPCA",
        "kiso.decomposition._incremental.Seen",
        "kiso.decomposition._pca.PCA",
        "kiso.decomposition._spectrum.Spectrum",
        "kiso.ensemble._forest.RandomForestClassifier",
        "kiso.ensemble._forest.RandomForestRegressor",
        "kiso.ensemble._hist_boosting.HistGradientBoostingClassifier",
        "kiso.ensemble._hist_boosting.HistGradientBoostingRegressor",
        "kiso.few_shot._hausdorff.ModifiedHausdorffClassifier",
        "kiso.few_shot._hausdorff.PointSets",
        "kiso.few_shot._nearest.NearestExampleClassifier",
        "kiso.few_shot._prototypical.PrototypicalNetwork",
        "kiso.few_shot._siamese.SiameseNetwork",
        "kiso.linear_model._bayes.BayesianLinearRegression",
        "kiso.linear_model._least_squares.LinearRegression",
        "kiso.linear_model._local.LocallyWeightedRegression",
        "kiso.linear_model._local_loops.Rows",
        "kiso.linear_model._local_solver.LocalFit",
        "kiso.linear_model._logistic.LogisticRegression",
        "kiso.linear_model._logistic_cv.LogisticRegressionCV",
        "kiso.linear_model._perceptron.Perceptron",
        "kiso.linear_model._ridge.Ridge",
        "kiso.linear_model._ridge_classifier.RidgeClassifier",
        "kiso.linear_model._ridge_cv.RidgeCV",
        "kiso.linear_model._ridge_cv.RidgeClassifierCV",
        "kiso.linear_model._sgd.SGDClassifier",
        "kiso.linear_model._sgd_regressor.SGDRegressor",
        "kiso.neighbors._brute.Reference",
        "kiso.neighbors._choice.TreeChoice",
        "kiso.neighbors._classifier.KNeighborsClassifier",
        "kiso.neighbors._maps.Binary",
        "kiso.neighbors._maps.OnSphere",
        "kiso.neighbors._maps.Scaled",
        "kiso.neighbors._maps.Unit",
        "kiso.neighbors._maps.Whitened",
        "kiso.neighbors._metrics.Metric",
        "kiso.neighbors._pairs.Counted",
        "kiso.neighbors._pairs.FromSciPy",
        "kiso.neighbors._query_loops.Tree",
        "kiso.neighbors._radius_classifier.RadiusNeighborsClassifier",
        "kiso.neighbors._radius_regressor.RadiusNeighborsRegressor",
        "kiso.neighbors._regressor.KNeighborsRegressor",
        "kiso.neighbors._rows.HeldRows",
        "kiso.neighbors._sparse.SparseRows",
        "kiso.neighbors._sparse_loops.Lists",
        "kiso.neighbors._sparse_loops.Rows",
        "kiso.neural_network._conv_classifier.ConvClassifier",
        "kiso.neural_network._mlp_classifier.MLPClassifier",
        "kiso.neural_network._mlp_regressor.MLPRegressor",
        "kiso.scattering._transform.ScatteringTransform",
        "kiso.svm._linear_svc.LinearSVC",
        "kiso.svm._linear_svr.LinearSVR",
        "kiso.svm._one_class.OneClassSVM",
        "kiso.svm._svc.SVC",
        "kiso.svm._svr.SVR",
        "kiso.tree._classifier.DecisionTreeClassifier",
        "kiso.tree._columns.Columns",
        "kiso.tree._forest.RandomForestClassifier",  # files written before 0.2
        "kiso.tree._forest.RandomForestRegressor",
        "kiso.tree._regressor.DecisionTreeRegressor",
        "kiso.tree._tree.Tree",
    }
)

# layers hold arrays and numbers, and nothing that runs when they are built
LAYER_TYPES = frozenset(
    {
        "kiso.nn.layers.activations.GELU",
        "kiso.nn.layers.activations.LeakyReLU",
        "kiso.nn.layers.activations.ReLU",
        "kiso.nn.layers.activations.Sigmoid",
        "kiso.nn.layers.activations.Softplus",
        "kiso.nn.layers.activations.Tanh",
        "kiso.nn.layers.affine.Affine",
        "kiso.nn.layers.affine_augment.RandomAffine",
        "kiso.nn.layers.augment.RandomCrop",
        "kiso.nn.layers.augment.RandomFlip",
        "kiso.nn.layers.augment.RandomShift",
        "kiso.nn.layers.convolution.Conv2D",
        "kiso.nn.layers.convolution.ConvTranspose2D",
        "kiso.nn.layers.convolution_1d.Conv1D",
        "kiso.nn.layers.dropout.Dropout",
        "kiso.nn.layers.flatten.Flatten",
        "kiso.nn.layers.flatten.Reshape",
        "kiso.nn.layers.normalise.BatchNorm",
        "kiso.nn.layers.normalise.LayerNorm",
        "kiso.nn.layers.pooling.AveragePool",
        "kiso.nn.layers.pooling.GlobalAveragePool",
        "kiso.nn.layers.pooling.MaxPool",
        "kiso.nn.layers.windows.Window",
        "kiso.nn.training.adversarial_examples.AdversarialTraining",
        "kiso.nn.training.network.Network",
    }
)

PIPELINE_TYPES = frozenset(
    {
        "sklearn.compose._column_transformer.ColumnTransformer",
        "sklearn.compose._column_transformer._RemainderColsList",
        "sklearn.compose._target.TransformedTargetRegressor",
        "sklearn.dummy.DummyClassifier",
        "sklearn.dummy.DummyRegressor",
        "sklearn.feature_selection._variance_threshold.VarianceThreshold",
        "sklearn.impute._base.MissingIndicator",
        "sklearn.impute._base.SimpleImputer",
        "sklearn.pipeline.FeatureUnion",
        "sklearn.pipeline.Pipeline",
        "sklearn.preprocessing._data.MaxAbsScaler",
        "sklearn.preprocessing._data.StandardScaler",
        "sklearn.preprocessing._encoders.OneHotEncoder",
        "sklearn.preprocessing._encoders.OrdinalEncoder",
        "sklearn.preprocessing._label.LabelEncoder",
    }
)

PLAIN_TYPES = frozenset(
    {f"builtins.{name}" for name in ("bool", "bytes", "dict", "float", "int", "list", "set")}
    | {f"builtins.{name}" for name in ("slice", "str", "tuple")}
    | {
        "collections.OrderedDict",
        "collections.defaultdict",
        "numpy.bool",
        "numpy.bool_",
        "numpy.dtype",
        "numpy.float32",
        "numpy.float64",
        "numpy.int32",
        "numpy.int64",
        "numpy.ndarray",
        "numpy.object_",
        "numpy.random._generator.Generator",
        "numpy.random._pcg64.PCG64",
        "numpy.str_",
        "scipy.sparse._csr.csr_array",
        "scipy.sparse._csr.csr_matrix",
    }
)

TYPES = KISO_TYPES | LAYER_TYPES | PIPELINE_TYPES | PLAIN_TYPES

# Of skops' ways to build an object; those that import or call functions are not among them.
LOADERS = frozenset(
    {
        "BytesNode",
        "DTypeNode",
        "DefaultDictNode",
        "DictNode",
        "JsonNode",
        "ListNode",
        "NdArrayNode",
        "ObjectNode",
        "RandomGeneratorNode",
        "SetNode",
        "SliceNode",
        "SparseMatrixNode",
        "TupleNode",
        "TypeNode",
        "CachedNode",
    }
)

# Where modules of types stood in earlier versions, and where they stand now: files that name
# the old place keep opening.
MOVED_MODULES = {
    "kiso.nn._activations": "kiso.nn.layers.activations",
    "kiso.nn._adversary": "kiso.nn.training.adversarial_examples",
    "kiso.nn._affine": "kiso.nn.layers.affine",
    "kiso.nn._affine_augment": "kiso.nn.layers.affine_augment",
    "kiso.nn._augment": "kiso.nn.layers.augment",
    "kiso.nn._convolution": "kiso.nn.layers.convolution",
    "kiso.nn._convolution_1d": "kiso.nn.layers.convolution_1d",
    "kiso.nn._dropout": "kiso.nn.layers.dropout",
    "kiso.nn._flatten": "kiso.nn.layers.flatten",
    "kiso.nn._network": "kiso.nn.training.network",
    "kiso.nn._normalise": "kiso.nn.layers.normalise",
    "kiso.nn._pooling": "kiso.nn.layers.pooling",
    "kiso.nn._windows": "kiso.nn.layers.windows",
}
