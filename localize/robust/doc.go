// Package robust estimates poses and points from correspondences of which many
// are wrong: absolute pose of a camera or a rig, relative pose of two cameras,
// and triangulation.
//
// # Method
//
// Minimal samples go through the solvers of package solver; models are scored
// by MSAC, the sum of squared errors in pixels cut off at the threshold (Torr
// and Zisserman, MLESAC, CVIU 2000); each new best one is refined on its inliers
// (LO-RANSAC; Chum, Matas and Kittler, DAGM 2003); and the search ends when the
// chance to have missed a sample without outliers is below 1 − Confidence. The
// result is a least-squares fit (Levenberg–Marquardt) to the inliers in pixels
// of the distorted image.
//
// # Determinism
//
// The result depends on the set of correspondences, on the options and on the
// seed, not on the order of the correspondences: they are sorted before they
// are sampled. World coordinates are centred first, so those of UTM size lose
// nothing. Correspondences with a number that is not finite are never inliers.
//
// # Failure
//
// Where there is no result, a reason says why in words. No more inliers than
// chance would gather is a failure, and so are inliers that leave the pose
// undetermined, such as points on one line.
package robust
