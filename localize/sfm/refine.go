package sfm

import (
	"math"
	"slices"

	"gonum.org/v1/gonum/mat"
	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

const (
	refineReach  = 2.5 // times the threshold: correspondences beyond do not count
	refineRounds = 30
	refineKeeps  = 0.9 // of the inliers at least, or the fit went astray
	// cauchyScale is that of 95 % efficiency at Gaussian noise (Holland and
	// Welsch, Robust regression using iteratively reweighted least-squares,
	// Communications in Statistics 1977).
	cauchyScale = 2.385
)

// refine fits the pose of a camera, or of a rig of several, to the
// correspondences near it by iteratively reweighted least squares in pixels of the distorted image. A residual counts by its
// covariance,
//
//	S = σ²·(I + J·C·Jᵀ),
//
// of the keypoint's noise σ, which is estimated, and of the point's own
// uncertainty C as the image sees it (J: pixels by metres), so that a point whose
// depth is hardly known does not pull at the pose: to first order this is bundle
// adjustment of pose and points. Cauchy's weights tame what is no noise. Without
// enough correspondences, or where the fit loses inliers, the pose stays as it
// was.
func refine(pose geom.Pose, views []*resection, maxErrorPx float64) geom.Pose {
	f := &fit{views: views, limit: refineReach * maxErrorPx}
	refined := pose
	for range refineRounds {
		if !f.linearize(refined) {
			return pose
		}
		step, ok := f.step()
		if !ok {
			return pose
		}
		refined = refined.Then(geom.Pose{R: geom.Exp(step.turn), T: step.move})
		if r3.Norm(step.turn) < 1e-10 && r3.Norm(step.move) < 1e-9 {
			break
		}
	}
	refined.R, _ = geom.Normalize(refined.R)
	before, after := 0, 0
	for _, r := range views {
		n, _ := r.inliers(pose, maxErrorPx)
		before += n
		n, _ = r.inliers(refined, maxErrorPx)
		after += n
	}
	if float64(after) >= refineKeeps*float64(before) {
		return refined
	}
	return pose
}

// inliers counts the correspondences within a distance of the projections from
// the pose of the camera's rig, and returns the root of their mean squared
// distance.
func (r *resection) inliers(pose geom.Pose, maxErrorPx float64) (n int, rmse float64) {
	pose = pose.Then(r.mount)
	sum := 0.0
	for _, c := range r.from {
		px := r.query.Keypoints[c.keypoint]
		u, v, ok := r.query.Camera.Project(pose.Apply(c.point))
		if d := math.Hypot(u-px[0], v-px[1]); ok && d <= maxErrorPx {
			n++
			sum += d * d
		}
	}
	return n, math.Sqrt(sum / float64(max(1, n)))
}

// fit is the least-squares problem about one pose.
type fit struct {
	views []*resection
	limit float64
	rows  []fitRow
	sizes []float64
}

// fitRow is a correspondence near a pose.
type fitRow struct {
	residual [2]float64    // px
	jacobian [2][6]float64 // by a small rotation, then a small translation, in the rig's frame
	inverse  [3]float64    // of I + J·C·Jᵀ: xx, xy, yy
	square   float64       // residualᵀ·inverse·residual
}

// motion is a small rotation (rad) and translation (m) in the rig's frame, which
// is that of a camera by itself.
type motion struct{ turn, move r3.Vec }

// linearize computes residuals and derivatives; false for too few.
func (f *fit) linearize(pose geom.Pose) bool {
	f.rows = f.rows[:0]
	for _, r := range f.views {
		f.linearizeView(r, pose)
	}
	return len(f.rows) >= 6
}

func (f *fit) linearizeView(r *resection, pose geom.Pose) {
	toRig, toWorld := geom.Matrix(r.mount.R), geom.Matrix(pose.R)
	toRig, toWorld = toRig.Transpose(), toWorld.Transpose()
	for i := range r.from {
		c := &r.from[i]
		px := r.query.Keypoints[c.keypoint]
		x := pose.Apply(c.point)
		u, v, j, ok := r.query.Camera.ProjectJacobian(r.mount.Apply(x))
		row := fitRow{residual: [2]float64{u - px[0], v - px[1]}}
		if !ok || !(math.Hypot(row.residual[0], row.residual[1]) <= f.limit) {
			continue
		}
		var world [2]r3.Vec // derivatives by the point in the world
		for k := range 2 {
			d := toRig.Apply(r3.Vec{X: j[3*k], Y: j[3*k+1], Z: j[3*k+2]})
			turn := r3.Cross(x, d)
			row.jacobian[k] = [6]float64{turn.X, turn.Y, turn.Z, d.X, d.Y, d.Z}
			world[k] = toWorld.Apply(d)
		}
		row.weigh(world, (*geom.Mat3)(&c.covariance))
		f.rows = append(f.rows, row)
	}
}

func (row *fitRow) weigh(world [2]r3.Vec, covariance *geom.Mat3) {
	xx := 1 + r3.Dot(world[0], covariance.Apply(world[0]))
	xy := r3.Dot(world[0], covariance.Apply(world[1]))
	yy := 1 + r3.Dot(world[1], covariance.Apply(world[1]))
	det := xx*yy - xy*xy
	row.inverse = [3]float64{yy / det, -xy / det, xx / det}
	a, b := row.residual[0], row.residual[1]
	row.square = a*a*row.inverse[0] + 2*a*b*row.inverse[1] + b*b*row.inverse[2]
}

// step solves the weighted normal equations.
func (f *fit) step() (motion, bool) {
	f.sizes = f.sizes[:0]
	for i := range f.rows {
		f.sizes = append(f.sizes, f.rows[i].square)
	}
	slices.Sort(f.sizes)
	// The median of the squared length of a two-dimensional normal vector is
	// 2·ln 2 variances.
	variance := max(f.sizes[len(f.sizes)/2]/(2*math.Ln2), 1e-12)
	var a [36]float64
	var b [6]float64
	for i := range f.rows {
		f.rows[i].add(&a, &b, 1/(1+f.rows[i].square/(variance*cauchyScale*cauchyScale)))
	}
	var chol mat.Cholesky
	if !chol.Factorize(mat.NewSymDense(6, a[:])) {
		return motion{}, false
	}
	x := mat.NewVecDense(6, nil)
	if err := chol.SolveVecTo(x, mat.NewVecDense(6, b[:])); err != nil {
		return motion{}, false
	}
	return motion{r3.Vec{X: -x.AtVec(0), Y: -x.AtVec(1), Z: -x.AtVec(2)}, r3.Vec{X: -x.AtVec(3), Y: -x.AtVec(4), Z: -x.AtVec(5)}}, true
}

// add adds a row to the normal equations a·x = b, weighted.
func (row *fitRow) add(a *[36]float64, b *[6]float64, weight float64) {
	j, s := &row.jacobian, &row.inverse
	for k := range 6 {
		p := weight * (s[0]*j[0][k] + s[1]*j[1][k])
		q := weight * (s[1]*j[0][k] + s[2]*j[1][k])
		for l := range 6 {
			a[6*k+l] += p*j[0][l] + q*j[1][l]
		}
		b[k] += p*row.residual[0] + q*row.residual[1]
	}
}
