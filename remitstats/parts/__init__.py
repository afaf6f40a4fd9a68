"""Building blocks of the models, each with a log density that a test checks against NumPy.

Gaussian effects, all of them scaled so that a standard deviation means the same everywhere:

- `structure`: the common form of a Gaussian effect: density, draws, Kronecker products
- `icar`: neighbours alike (intrinsic conditional autoregression), by component, with islands
- `bym2`: a spatial and an unstructured effect that share one standard deviation
- `random_walk`: paths of first and second order, at regular or irregular times
- `autoregression`: stationary AR(1)
- `interaction`: space by time, the four types of Knorr-Held
- `pooling`: exchangeable groups, and groups nested in groups

Likelihoods, and what stands behind the numbers:

- `likelihood`: what an engine asks of a likelihood; the normal and Student's t
- `sampling_error`: what a percentage of a census sample is worth
- `overdispersion`: cell effects and the beta-binomial

Dynamics of a panel, with states, levels and means integrated out:

- `nested_normal`: measurements that share effects of blocks and groups, collapsed on a tree
- `dynamic_panel`: what lasts and what one wave passes on, on that tree (`panel_kernel` compiled,
  `panel_operation` for PyMC)
- `grouped_paths`: many series around paths of states and nation, collapsed by kind and by what is
  missing (`path_kernel` compiled)
- `correlation`: covariances from partial correlations, with an LKJ prior
- `factor`: one factor behind several indicators

What holds a model together:

- `priors`: scales, shares, ratios, locations and correlations, in words a user can weigh
- `latent_gaussian`: the model that both engines read
- `collapsed_density`: the same for a model whose Gaussian part is integrated out
- `density_operation`: such a density, written in NumPy, for PyMC
- `selected_inverse`: variances from a sparse precision
"""
