// Package localize estimates the pose of a query image from the mapping images
// that retrieval found for it.
//
// A [Localizer] is one method. This package holds the three of paradigm 1 of
// Pion, Humenberger, Csurka, Cabon, Sattler: Benchmarking Image Retrieval for
// Visual Localization (3DV 2020), which approximate the query's pose by a
// weighted mean of the retrieved poses:
//
//   - [EWB], equal weights: wᵢ = 1/k;
//   - [BDI], weights that best rebuild the query's descriptor:
//     min |q − Σ wᵢdᵢ|² subject to Σ wᵢ = 1;
//   - [CSI], weights by similarity: wᵢ ∝ (q·dᵢ)^α.
//
// # Coordinates
//
// Poses are world→camera, as everywhere in locbench. The mean is taken over
// camera→world: the centre is Σ wᵢcᵢ and the rotation the eigenvector of
// Σ wᵢqᵢqᵢᵀ ([geom.MeanRotation]); the result is turned round again.
//
// # Results
//
// An error means that the input is broken. A query that cannot be localized is
// a [Result] with OK false and the reason in Why.
//
// [WriteSubmission] writes poses in the text format of visuallocalization.net.
package localize
