package synth

import (
	"context"
	"fmt"
	"math/rand/v2"

	"gonum.org/v1/gonum/spatial/r3"

	"locbench/kapture/geom"
)

// part is one of the scene's datasets.
type part uint8

const (
	partMapping part = iota
	partDay
	partNight
	parts
)

// folders holds the parts' folders in the scene, and the first element of
// their images' names.
var folders = [parts]string{"mapping", "query_day", "query_night"}

// picturePlan is everything that decides one image.
type picturePlan struct {
	view
	part      part
	name      string // unique in the scene
	timestamp int64
	index     int // in the plan
}

// plan is a scene before it is rendered.
type plan struct {
	town    *town
	rig     []lens
	hand    []lens
	stops   []geom.Pose // of the rig
	mounts  [2]geom.Pose
	mapping []picturePlan
	queries []picturePlan
	// near holds the mapping images by the square of the ground, matchReach
	// wide, that they stand on.
	near map[[2]int][]int
	// spots is nil if no local features are asked for.
	spots *spots
}

// picture returns picture i: the mapping first, then the queries.
func (p *plan) picture(i int) *picturePlan {
	if i < len(p.mapping) {
		return &p.mapping[i]
	}
	return &p.queries[i-len(p.mapping)]
}

// all returns all pictures in the order of their index.
func (p *plan) all() []*picturePlan {
	out := make([]*picturePlan, len(p.mapping)+len(p.queries))
	for i := range out {
		out[i] = p.picture(i)
	}
	return out
}

// rand is the generator of everything in picture i of a part: apart from its
// place, which the plan decides.
func (q *picturePlan) rand(seed uint64, what string) *rand.Rand {
	return generator(seed, what, q.index)
}

// newPlan builds the town and places all cameras, which takes a while for
// thousands of them: if ctx is done, it returns its error.
func newPlan(ctx context.Context, o Options) (*plan, error) {
	n := (o.Mapping + 1) / 2
	p := &plan{
		town: newTown(o.Seed, metresPerPose*float64(n)),
		rig:  rigLenses(o.Width, o.Height), hand: handLenses(o.Width, o.Height), mounts: mounts(),
	}
	for _, lenses := range [][]lens{p.rig, p.hand} {
		for i := range lenses {
			if err := lenses[i].trace(); err != nil {
				return nil, fmt.Errorf("camera %s: %w", lenses[i].id, err)
			}
		}
	}
	p.stops = p.town.drive(n)
	for i := range o.Mapping {
		p.addMapping(i)
	}
	p.indexMapping()
	for i := range o.Queries {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		p.addQuery(o, i)
	}
	if o.LocalFeatures > 0 {
		places := make([]r3.Vec, n)
		for i, s := range p.stops {
			places[i] = s.Center()
		}
		p.spots = p.town.findSpots(o.LocalFeatures, places)
	}
	return p, nil
}

// frameTime is the time between two stops or two queries, in the unit of
// kapture's timestamps that these scenes use: milliseconds.
const frameTime = 500

func (p *plan) addMapping(i int) {
	stop, side := i/2, i%2
	l := &p.rig[side]
	p.mapping = append(p.mapping, picturePlan{
		view: view{lens: l, pose: p.stops[stop].Then(p.mounts[side]), weather: mappingDay(), photo: mappingExposure()},
		part: partMapping, name: fmt.Sprintf("mapping/%s/%05d.jpg", l.id, stop), timestamp: int64(stop+1) * frameTime, index: i,
	})
}

// addQuery places query i of o.Queries: every third is by night.
func (p *plan) addQuery(o Options, i int) {
	r := generator(o.Seed, "query", i)
	near := min(int((float64(i)+r.Float64())/float64(o.Queries)*float64(o.Mapping)), o.Mapping-1)
	q := picturePlan{part: partDay, timestamp: int64(len(p.stops)+10+i) * frameTime, index: o.Mapping + i}
	q.lens = &p.hand[r.IntN(len(p.hand))]
	if i%3 == 2 {
		q.part = partNight
		q.weather, q.photo = queryNight(r), nightExposure(r)
	} else {
		q.weather, q.photo = queryDay(r), dayExposure(r)
	}
	q.name = fmt.Sprintf("%s/%s/%05d.jpg", folders[q.part], q.lens.id, i)
	s := p.findStand(r, near, q.lens)
	q.pose = s.pose
	q.extra = p.town.passersBy(r, r3.Vec{X: s.eye.X, Y: s.eye.Y}, s.ahead)
	p.queries = append(p.queries, q)
}
