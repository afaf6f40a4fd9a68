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

What holds a model together:

- `priors`: scales, shares, ratios, locations and correlations, in words a user can weigh
- `latent_gaussian`: the model that both engines read
- `selected_inverse`: variances from a sparse precision
"""
