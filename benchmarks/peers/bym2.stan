// The model of benchmarks/bym2.py, non-centred, the ICAR by its edges.
data {
  int<lower=1> areas;
  int<lower=1> states;
  int<lower=1> pairs;
  vector[areas] receiving;
  vector[areas] effective;
  array[areas] int state_of;
  array[pairs] int first;
  array[pairs] int second;
  real scaling;
  real mean_logit;
  real intercept_sd;
  real state_rate;
  real sd_rate;
  real share_alpha;
  real share_beta;
}
parameters {
  real<lower=0> state_sd;
  real<lower=0> municipality_sd;
  real<lower=0, upper=1> municipality_share;
  real a;
  vector[states] b;
  sum_to_zero_vector[areas] f;
  vector[areas] v;
}
transformed parameters {
  vector[areas] eta = mean_logit + intercept_sd * a + state_sd * b[state_of]
    + municipality_sd * (sqrt(municipality_share) * f + sqrt(1 - municipality_share) * v);
}
model {
  state_sd ~ exponential(state_rate);
  municipality_sd ~ exponential(sd_rate);
  municipality_share ~ beta(share_alpha, share_beta);
  a ~ std_normal();
  b ~ std_normal();
  v ~ std_normal();
  target += -0.5 * scaling * dot_self(f[first] - f[second]);
  target += dot_product(receiving, eta) - dot_product(effective, log1p_exp(eta));
}
