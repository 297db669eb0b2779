package synth

import (
	"cmp"
	"math"
	"math/rand/v2"
	"slices"

	"gonum.org/v1/gonum/spatial/r3"
)

// descriptorSize is the dimension of the simulated descriptors.
const descriptorSize = 32

// What the simulated detector does, by day and by night.
const (
	pixelNoise   = 0.7 // standard deviation in x and in y, pixels
	missedDay    = 0.15
	missedNight  = 0.35
	clutterDay   = 0.10 // of all keypoints
	clutterNight = 0.25
)

// features are the keypoints and descriptors of one image, in the same order.
type features struct {
	keypoints   []float32 // x, y
	descriptors []float32
	ids         []int32 // the spot of each keypoint; -1: clutter
}

// sighting is a spot that a camera really sees.
type sighting struct {
	id    int32
	u, v  float64
	score float64
}

// detect simulates the local features of a picture, at most limit of them.
func (p *plan) detect(q *picturePlan, limit int, seed uint64) *features {
	r := q.rand(seed, "features")
	missed, clutter := missedDay, clutterDay
	if q.weather.night {
		missed, clutter = missedNight, clutterNight
	}
	n := int(float64(limit)*(1-clutter) + 0.5)
	seen := p.sightings(q, r, missed, n)
	d := newDescriber(q, r, seed)
	f := new(features)
	for _, s := range seen {
		x, y := s.u+pixelNoise*r.NormFloat64(), s.v+pixelNoise*r.NormFloat64()
		if x >= 0 && y >= 0 && x < float64(q.lens.width) && y < float64(q.lens.height) {
			f.add(x, y, s.id, d.describe(s.id, &p.spots.all[s.id]))
		}
	}
	for range int(float64(len(seen)) * clutter / (1 - clutter)) {
		x, y := r.Float64()*float64(q.lens.width), r.Float64()*float64(q.lens.height)
		f.add(x, y, -1, d.noise())
	}
	f.shuffle(r)
	return f
}

func (f *features) add(x, y float64, id int32, descriptor []float64) {
	f.keypoints = append(f.keypoints, float32(x), float32(y))
	f.ids = append(f.ids, id)
	for _, v := range descriptor {
		f.descriptors = append(f.descriptors, float32(v))
	}
}

// shuffle puts the keypoints into random order, so that a keypoint's row says
// nothing about what it is.
func (f *features) shuffle(r *rand.Rand) {
	var row [descriptorSize]float32
	r.Shuffle(len(f.ids), func(i, j int) {
		f.ids[i], f.ids[j] = f.ids[j], f.ids[i]
		k := f.keypoints
		k[2*i], k[2*i+1], k[2*j], k[2*j+1] = k[2*j], k[2*j+1], k[2*i], k[2*i+1]
		a, b := f.descriptors[i*descriptorSize:][:descriptorSize], f.descriptors[j*descriptorSize:][:descriptorSize]
		copy(row[:], a)
		copy(a, b)
		copy(b, row[:])
	})
}

// sightings returns the n surest spots that the picture shows, past
// everything that stands in the way.
func (p *plan) sightings(q *picturePlan, r *rand.Rand, missed float64, n int) []sighting {
	eye := q.pose.Center()
	var seen []sighting
	p.spots.near(eye, func(id int32, m *spot) {
		to := r3.Sub(eye, m.at)
		d := norm(to)
		slant := r3.Dot(to, m.normal) / d
		if d > spotReach || slant < 0.15 {
			return
		}
		u, v, ok := q.lens.camera.Project(q.pose.Apply(m.at))
		if !ok || u < 0 || v < 0 || u >= float64(q.lens.width) || v >= float64(q.lens.height) {
			return
		}
		// Near ones seen from the front are the surest.
		seen = append(seen, sighting{id: id, u: u, v: v, score: m.strength + 0.5*slant - d/spotReach})
	})
	slices.SortFunc(seen, func(a, b sighting) int {
		return cmp.Or(cmp.Compare(b.score, a.score), cmp.Compare(a.id, b.id))
	})
	kept := seen[:0]
	for _, s := range seen {
		if len(kept) == n {
			break
		}
		m := &p.spots.all[s.id]
		// Look a little short of the surface, lest it hide its own spot.
		before := r3.Add(eye, r3.Scale(0.998, r3.Sub(m.at, eye)))
		if p.town.visible(eye, before, q.extra) && r.Float64() >= missed {
			kept = append(kept, s)
		}
	}
	return kept
}

// describer makes the descriptors of one picture.
type describer struct {
	rand    *rand.Rand
	seed    uint64
	eye     r3.Vec
	hour    float64 // how the light differs from the mapping's
	corrupt float64 // share of descriptors that the light spoils
	out     [descriptorSize]float64
}

func newDescriber(q *picturePlan, r *rand.Rand, seed uint64) *describer {
	d := &describer{rand: r, seed: seed, eye: q.pose.Center()}
	switch {
	case q.weather.night:
		d.hour, d.corrupt = 0.6, between(r, 0.3, 0.5)
	case q.part == partDay:
		d.hour = 0.25 * r.NormFloat64()
	}
	return d
}

// describe returns the descriptor of a spot as seen in this picture: a
// direction of its own and of its class, bent by where it is seen from and by
// the light, and noise. The slice is valid until the next call.
func (d *describer) describe(id int32, m *spot) []float64 {
	to := r3.Sub(d.eye, m.at)
	far := norm(to)
	side := r3.Dot(to, r3.Vec{X: -m.normal.Y, Y: m.normal.X}) / far
	d.out = [descriptorSize]float64{}
	d.mixIn(m.class, 0, m.share)
	own := mix(d.seed ^ uint64(id)*0x9E3779B97F4A7C15)
	d.mixIn(own, 1, math.Sqrt(1-m.share*m.share))
	d.mixIn(own, 2, 0.5*side)
	d.mixIn(own, 3, 0.15*math.Log2(far/6))
	d.mixIn(own, 4, d.hour)
	noise := 0.45
	if d.rand.Float64() < d.corrupt {
		noise = 3
	}
	d.mixIn(d.rand.Uint64(), 5, noise)
	return d.unit()
}

// noise returns the descriptor of clutter.
func (d *describer) noise() []float64 {
	d.out = [descriptorSize]float64{}
	d.mixIn(d.rand.Uint64(), 5, 1)
	return d.unit()
}

// mixIn adds the random direction that belongs to a key, times w.
func (d *describer) mixIn(key, which uint64, w float64) {
	if w == 0 {
		return
	}
	r := rand.NewPCG(key, which)
	g := rand.New(r)
	w /= math.Sqrt(descriptorSize)
	for i := range d.out {
		d.out[i] += w * g.NormFloat64()
	}
}

func (d *describer) unit() []float64 {
	sum := 0.0
	for _, v := range d.out {
		sum += v * v
	}
	k := 1 / math.Sqrt(sum)
	for i := range d.out {
		d.out[i] *= k
	}
	return d.out[:]
}
