package trainset

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// Near says which images of a scene with poses show the same. Two images are
// positive if all holds that is asked for: their poses are near, and they see
// the same points. They are negative if their centres are farther apart than
// FarMeters and they have no point in common. What is neither is ignored.
type Near struct {
	Meters  float64 `yaml:"meters"`  // centres are at most so far apart; 0: the pose does not count
	Degrees float64 `yaml:"degrees"` // and the cameras turned by at most this
	// IoU is the least share of points that both see among those that one of
	// them sees (co-visibility); 0: points do not count.
	IoU       float64 `yaml:"iou"`
	FarMeters float64 `yaml:"far_meters"`
	// Observations is the dataset below the source's path whose observations
	// name the images; empty: those of each dataset.
	Observations string `yaml:"observations"`
}

// DefaultNear asks for poses within 5 m and 30°, the first threshold of
// retrieval recall, and takes what is beyond 25 m for negative.
func DefaultNear() Near { return Near{Meters: 5, Degrees: 30, FarMeters: 25} }

func (n Near) check() error {
	var errs []error
	if !(n.Meters >= 0 && n.Degrees >= 0 && n.Degrees <= 180 && n.FarMeters >= n.Meters) {
		errs = append(errs, fmt.Errorf("near: want meters of at least 0, degrees of 0 to 180 and far_meters of at least meters, found %v, %v and %v",
			n.Meters, n.Degrees, n.FarMeters))
	}
	if !(n.IoU >= 0 && n.IoU <= 1) {
		errs = append(errs, fmt.Errorf("near: want an iou of 0 to 1, found %v", n.IoU))
	}
	if n.Meters == 0 && n.IoU == 0 {
		errs = append(errs, errors.New("near: want meters, iou or both, found neither"))
	}
	return errors.Join(errs...)
}

// related returns the positive and the ignored pairs of images with poses; seen
// has what they see, or is nil.
func (n Near) related(poses []geom.Pose, seen *covisibility) (positive, ignored [][2]int32) {
	add := func(i int, j int32, near bool, overlap float64) {
		pair := [2]int32{int32(i), j}
		if near && overlap >= n.IoU {
			positive = append(positive, pair)
		} else {
			ignored = append(ignored, pair)
		}
	}
	limit := geom.Threshold{Meters: n.Meters, Degrees: n.Degrees}
	for i, others := range within(poses, n.FarMeters) {
		var row map[int32]float64 // what later images have in common with image i
		if seen != nil {
			row = seen.overlaps(i)
		}
		for _, j := range others {
			add(i, j, n.Meters == 0 || limit.Within(geom.Error(poses[i], poses[j])), row[j])
			delete(row, j)
		}
		for j, overlap := range row { // far apart, with a view of the same
			add(i, j, n.Meters == 0, overlap)
		}
	}
	return positive, ignored
}

// within returns for each image the later ones whose centre is at most meters
// away.
func within(poses []geom.Pose, meters float64) [][]int32 {
	centers := make([]r3.Vec, len(poses))
	order := make([]int32, len(poses)) // along x, so that few have to be looked at
	for i, p := range poses {
		centers[i], order[i] = p.Center(), int32(i)
	}
	slices.SortFunc(order, func(a, b int32) int {
		return cmp.Or(cmp.Compare(centers[a].X, centers[b].X), cmp.Compare(a, b))
	})
	out := make([][]int32, len(poses))
	for k, i := range order {
		for _, j := range order[k+1:] {
			if centers[j].X-centers[i].X > meters {
				break
			}
			if r3.Norm(r3.Sub(centers[i], centers[j])) <= meters {
				a, b := min(i, j), max(i, j)
				out[a] = append(out[a], b)
			}
		}
	}
	return out
}
