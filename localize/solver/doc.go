// Package solver holds the minimal and linear solvers of multi-view geometry:
// absolute pose (P3P, P4Pf, generalized P3P), relative pose (five-point
// essential, seven-point fundamental), homographies and triangulation.
//
// A solver takes exactly the data it needs, writes all solutions to an array
// and returns how many there are: 0 where the data determine none. It allocates
// nothing and knows no errors, noise or outliers; those are the business of
// package robust.
//
// # Coordinates
//
// World points X are in metres; their origin should be near the points (subtract
// a centre from coordinates of UTM size first). Rays x are in the camera frame:
// unit vectors where they are r3.Vec, points (x, y) of the plane z = 1 where
// they are [2]float64. A pose maps world to camera; a relative pose maps the
// frame of camera 1 to that of camera 2, with a translation of unit length.
package solver
