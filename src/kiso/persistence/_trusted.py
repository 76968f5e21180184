"""The closed registry: every type that a model file may name, and every way to build one.

A file that names anything else is refused before any of it is built. A new estimator, or a
new transformer of the pipeline, adds its line here.
"""

from __future__ import annotations

KISO_TYPES = frozenset(
    {
        "kiso.cluster._kmeans.KMeans",
        "kiso.cluster._mini_batch.MiniBatchKMeans",
        "kiso.comparison._dates.DateParts",
        "kiso.decomposition._incremental.IncrementalPCA",
        "kiso.decomposition._incremental.Seen",
        "kiso.decomposition._pca.PCA",
        "kiso.decomposition._spectrum.Spectrum",
        "kiso.ensemble._forest.RandomForestClassifier",
        "kiso.ensemble._forest.RandomForestRegressor",
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
        "kiso.linear_model._perceptron.Perceptron",
        "kiso.linear_model._ridge.Ridge",
        "kiso.linear_model._sgd.SGDClassifier",
        "kiso.linear_model._sgd_regressor.SGDRegressor",
        "kiso.neighbors._brute.Reference",
        "kiso.neighbors._choice.TreeChoice",
        "kiso.neighbors._classifier.KNeighborsClassifier",
        "kiso.neighbors._metrics.Metric",
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
        "kiso.nn._activations.GELU",
        "kiso.nn._activations.LeakyReLU",
        "kiso.nn._activations.ReLU",
        "kiso.nn._activations.Sigmoid",
        "kiso.nn._activations.Softplus",
        "kiso.nn._activations.Tanh",
        "kiso.nn._adversary.AdversarialTraining",
        "kiso.nn._affine.Affine",
        "kiso.nn._affine_augment.RandomAffine",
        "kiso.nn._augment.RandomCrop",
        "kiso.nn._augment.RandomFlip",
        "kiso.nn._augment.RandomShift",
        "kiso.nn._convolution.Conv2D",
        "kiso.nn._convolution.ConvTranspose2D",
        "kiso.nn._convolution_1d.Conv1D",
        "kiso.nn._dropout.Dropout",
        "kiso.nn._flatten.Flatten",
        "kiso.nn._flatten.Reshape",
        "kiso.nn._network.Network",
        "kiso.nn._normalise.BatchNorm",
        "kiso.nn._normalise.LayerNorm",
        "kiso.nn._pooling.AveragePool",
        "kiso.nn._pooling.GlobalAveragePool",
        "kiso.nn._pooling.MaxPool",
        "kiso.nn._windows.Window",
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
