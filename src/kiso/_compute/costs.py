"""Where one way of computing becomes faster than another: every measured crossover.

A crossover is a size: of the data from which a second thread pays, of a matrix from which
another solver does, of what stays in a cache. They were measured on two-core x86-64 machines of
Intel and AMD, by timing both ways at sizes round the value with the benchmark that stands over
each group; near a crossover both ways take nearly the same time, so that none has to be exact,
and none changes a result by more than rounding. Modules read `costs.NAME` when they run, and
tests that want the other way set it here.
"""

from __future__ import annotations

# Threads and products (`_compute`)
# Measured with `python -m benchmarks linear_model decomposition`: one lane against two at sizes
# round it, float32 and float64.
GRAM_LANE_ROWS = 2048  # of a lane; fewer are over before a thread has begun
GRAM_HELD_BYTES = 1 << 26  # that lanes may hold; half the size of the data where that is more
PRODUCT_SMALL = 1 << 16  # m n k up to which NumPy's call is faster
PRODUCT_FEW_ROWS = 4  # of A: fewer are a matter of reading B
PRODUCT_LANE_WORK = 1 << 24  # m n k that is worth a lane
QR_BLOCK_ROWS = 128  # rows of a block whose triangle is found at once, at least
ROWS_BLOCK_BYTES = 1 << 19  # of rows that are read at once: what stays in a core's second cache
RULE_LANE_NUMBERS = 1 << 18  # numbers that are worth a thread

# k-means (`cluster`)
# Measured with `python -m benchmarks cluster`: blobs and real rows of 2 to 784 features, 2 to 256
# clusters.
ASSIGN_LANE_WORK = 1 << 20  # rows × features × clusters that are worth a lane of their own
UNBOUNDED_WORK = 1500  # features × clusters up to which bounds cost more than they save
ASSIGN_CALL_WORK = 1 << 27  # rows × features × points of a call: Ctrl-C waits for its end
CLUSTER_LANE_ROWS = 2048  # of a lane of rows
PACKED_BYTES = 1 << 25  # of rows that are packed once: what caches hold; more would cost memory
TILE_BYTES = 1 << 15  # of a tile of distances: half a core's first cache
SHARED_TILE_BYTES = 1 << 17  # where several runs or candidates share it
RESTARTS_BYTES = 1 << 26  # of runs that are seeded together
RESTARTS_CENTERS = 96  # centres, of all runs that share a pass: beyond, distances leave the cache
SEEDING_SHARING = 48  # candidates, of several runs, that share a tile
SEEDING_LANE_WORK = 1 << 22  # rows × features × candidates that are worth a lane of their own

# Principal components (`decomposition`)
# Measured with `python -m benchmarks decomposition`: each solver on one matrix at sizes round it.
EIGEN_SMALL_SIDE = 256  # sides up to here are decomposed before BLAS's threads have met
EIGEN_FEW_SHARE = 4  # of d eigenvectors, fewer than d / 4 are cheaper one by one (LAPACK's evr)
RANDOMIZED_LANE_ROWS = 512  # of a lane of the randomised range finder
PROJECTION_LANE_ROWS = 1024  # of a lane of `transform`
PCA_GRAM_SIDE = 1000  # up to here a matrix of inner products is always the cheapest
PCA_SPARSE_COLUMNS = 2000  # up to here the scatter of sparse data is formed

# Linear models (`linear_model`)
# Measured with `python -m benchmarks linear_model`: each path on dense and sparse rows at sizes
# round it.
CURVATURE_ROWS_PER_PARAMETER = 8  # of the sample that a curvature is taken from
CURVATURE_SAMPLE_ROWS = 4096  # of that sample, at least
CURVATURE_FULL_SIDE = 1200  # K·p up to which all classes are factored together
CURVATURE_BLOCK_SIDE = 2000  # p up to which a class is factored
CONJUGATE_LANE_ENTRIES = 1 << 19  # entries of X that are worth a thread: a millisecond
EPOCH_LANE_ENTRIES = 1 << 16  # entries of an epoch below which one thread is faster than many
NORMAL_FEW_COLUMNS = 1500  # columns up to which X'X is factored before rows are looked at again
LOGISTIC_NEWTON_PARAMETERS = 256  # parameters up to which 'auto' may choose Newton
RIDGE_SPARSE_COLUMNS = 1024  # up to here the Gram matrix of sparse data is formed
RIDGE_ROUGH_COLUMNS = 256  # from here float32 products save more than the refinement takes
LOGISTIC_LANE_ENTRIES = 1 << 16  # of the data, in a lane: less is over before a thread has begun

# Neighbours (`neighbors`)
# Measured with `python -m benchmarks neighbors`: brute force against KD tree, and each one's
# lanes, 2 to 784 features.
KD_SMALL_ROWS = 4096  # rows that one thread arranges before another has begun
KD_SUBTREES = 2  # lanes for each thread: subtrees are equally large
KD_LANE_QUERIES = 64  # of a lane of queries
BRUTE_SMALL_ROWS = 512  # rows of a tile whose distances are added up feature by feature
BRUTE_FEW_QUERIES = 128  # queries of it; the distances are 512 KiB
BRUTE_LANE_QUERIES = 256  # of a lane of products
BRUTE_CHUNK_QUERIES = 8192  # queries for which rows that are held are read once
KD_MOST_FEATURES = 48  # beyond, no data met pruned enough to pay for trying
KD_LEAST_ROWS = 256  # rows from which a tree is tried
KD_PROBES = 32  # queries that are tried, to count what a tree prunes
SPARSE_BLOCK_ROWS = 1 << 14  # rows whose sums stay in cache together
SPARSE_TILE_QUERIES = 64  # of a tile of hits

# Support vector machines (`svm`)
# Measured with `python -m benchmarks svm`: a9a, ijcnn1 and made rows, dense and sparse.
KERNEL_DENSE_SHARE = 0.2  # of entries that are not zero, from which a dense product is faster
KERNEL_DENSE_BYTES = 1 << 28  # as far as sparse rows may be made dense for it
DUAL_LANE_ENTRIES = 1 << 18  # of the data, in a lane: less is over before a thread has begun
DUAL_SMALL_ENTRIES = 1 << 16  # entries of a pass that takes no longer than calling it
DUAL_CHUNK_ENTRIES = 1 << 25  # entries after which a chunk ends anyway: some 50 ms
LINEAR_SVM_NEWTON_COLUMNS = 512  # features of sparse data up to which 'auto' takes Newton's method
GRAM_TILE_ROWS = 256  # columns of the Gram matrix in a tile
GRAM_TILE_COLUMNS = 512  # rows of the segment in a tile: it stays in a core's cache
KERNEL_LANE_ROWS = 512  # of a lane of kernel values
KERNEL_DEAR_FEATURES = 128  # features from which a kernel value is dearer than a read from memory
KERNEL_BLOCKS_BYTES = 1 << 26  # as far as blocks of sparse rows are kept dense
SHRINKING_LEAST_ROWS = 1000  # fewer than these are not worth it
SHRINKING_SHARE = 0.75  # of the rows that are left, from which leaving the others out pays
NEWTON_CHOLESKY_COLUMNS = 512  # columns of H up to which it is formed

# Trees and ensembles (`tree`, `ensemble`)
# Measured with `python -m benchmarks tree`: made and real tables of 150 to 150,000 rows.
TREE_LANE_ENTRIES = 30_000  # rows × features below which threads do not pay
BOOSTING_LANE_ENTRIES = 40_000  # rows × features of a node below which threads do not pay
FOREST_BATCH = 64  # trees that threads share out among them

# Networks (`nn`)
# Measured with `python -m benchmarks nn`: dense nets of 10 to 1,000 units, convolutions of 28 ×
# 28 and 32 × 32 pictures.
INFERENCE_LANE_ROWS = 512  # of a dense network: values between its layers stay in a core's cache
INFERENCE_LANE_WORK = 1 << 24  # rows × parameters that are worth a lane
INFERENCE_LANE_IMAGES = 64  # that share one reading of the weights of dense layers, at least
GAN_SMALL_WORK = 1 << 23  # parameters × samples of a batch up to which BLAS gets one thread
AFFINE_FEW_SAMPLES = 4  # samples of a batch that are a matter of reading W
AUGMENT_LANE_IMAGES = 64  # images that are worth a lane
STEP_TINY_WORK = 1 << 10  # parameters × samples of a step up to which single samples win
STEP_ONE_THREAD_WORK = 1 << 22  # parameters × samples of a step up to which one thread is enough
STEP_MOST_LANES = 16  # lanes of a step at most, whatever the number of threads
BLAS_ONE_THREAD_WORK = 1 << 18  # m n k of a product up to which OpenBLAS takes one thread itself
BLAS_ONE_THREAD_NUMBERS = 10_000  # numbers of a vector up to which it does
TRAINING_CALL_WORK = 1 << 31  # parameters × samples of one compiled call: Ctrl-C waits for it
TRAINING_STEP_WORK = 1 << 15  # what the smallest step counts for in that
TRAINING_COPY_BYTES = 1 << 28  # bytes of data in another dtype that are worth a copy
GAN_LANE_ROWS = 128  # samples of a batch that are worth a lane
GAN_MOST_NUMBERS = 1 << 22  # parameters of a network up to which each lane has its own gradient
GAN_CHUNK_BYTES = 1 << 22  # of random numbers that are drawn ahead
GAN_CALL_WORK = 1 << 29  # parameters × samples of one compiled call: Ctrl-C waits for it
STRIPS_BYTES = 640 << 10  # of a convolution's strips, which stay in a core's second cache
CONVOLUTION_LANE_WORK = 10_000_000  # multiplications and additions that are worth a lane
CONVOLUTION_LANE_BYTES = 64 << 20  # of the lanes' ∂C/∂W together
NARROW_PLANES_RATIO = 1.13  # positions over outputs from which planes are made narrow
CONVOLUTION_LENGTH = 1024  # of the long loops: four such rows stay in a core's first cache
NORMALISE_LANE_NUMBERS = 1 << 16  # numbers that are worth a thread
