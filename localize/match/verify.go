package match

import (
	"fmt"
	"hash/fnv"

	"locbench/kapture"
	"locbench/kapture/camera"
	"locbench/localize/robust"
)

// MinInliers is how many matches must agree for two images to be verified:
// COLMAP's default, with which the published tables were made.
const MinInliers = 15

// View is what verification needs of an image.
type View struct {
	Image     string
	Camera    *camera.Camera // nil: not known
	Keypoints [][2]float64   // pixels of the distorted image
	Path      string         // the file of the keypoints, for messages
}

// Verifier keeps the matches that agree with one relative pose.
type Verifier struct {
	Options    robust.Options // its Seed is mixed with the names of the images
	MinInliers int
}

// NewVerifier returns a verifier with the options of the published tables.
func NewVerifier(seed uint64) Verifier {
	o := robust.RelativeDefaults()
	o.Seed = seed
	return Verifier{Options: o, MinInliers: MinInliers}
}

// Verify returns the matches that fit the geometry of two images, in their
// order; none, with the reason, if there are too few. The result depends on the
// seed and the pair alone. A keypoint beyond an image's last one is an
// InputError that names matches and keypoints.
func (v Verifier) Verify(first, second View, matches []kapture.Match) (kept []kapture.Match, reason string, err error) {
	p := robust.RelativeProblem{Camera1: first.Camera, Camera2: second.Camera}
	for _, m := range matches {
		if err := checkKeypoint(first, second, m.Keypoint1); err != nil {
			return nil, "", err
		}
		if err := checkKeypoint(second, first, m.Keypoint2); err != nil {
			return nil, "", err
		}
		p.Pixels1 = append(p.Pixels1, first.Keypoints[m.Keypoint1])
		p.Pixels2 = append(p.Pixels2, second.Keypoints[m.Keypoint2])
	}
	if len(matches) < v.MinInliers {
		return nil, fmt.Sprintf("%d matches, %d needed", len(matches), v.MinInliers), nil
	}
	o := v.Options
	o.Seed ^= pairHash(first.Image, second.Image)
	// Fewer inliers than needed are not worth finding.
	o.MinInlierRatio = max(o.MinInlierRatio, float64(v.MinInliers)/float64(len(matches)))
	r, reason := robust.EstimateRelative(p, o)
	if reason != "" {
		return nil, reason, nil
	}
	if r.NumInliers < v.MinInliers {
		return nil, fmt.Sprintf("%d matches agree, %d needed", r.NumInliers, v.MinInliers), nil
	}
	for i, m := range matches {
		if r.Inliers[i] {
			kept = append(kept, m)
		}
	}
	return kept, "", nil
}

func checkKeypoint(of, other View, index int) error {
	if index < len(of.Keypoints) {
		return nil
	}
	return &kapture.InputError{Path: of.Path, Msg: fmt.Sprintf("want keypoint %d, which is matched with %s, found %d keypoints", index, other.Image, len(of.Keypoints))}
}

// pairHash is the same for a pair whichever way round it comes.
func pairHash(a, b string) uint64 {
	h := fnv.New64a()
	h.Write([]byte(min(a, b)))
	h.Write([]byte{0})
	h.Write([]byte(max(a, b)))
	return h.Sum64()
}
