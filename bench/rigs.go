package bench

import (
	"context"
	"fmt"
	"strconv"

	"locbench/kapture/geom"
	"locbench/localize"
)

// joins reports whether a method estimates one pose for the cameras of a rig.
func joins(method string) bool { return method == "local-sfm+" || method == "global-map" }

// team are queries that are localized together: the images that a rig took at one
// time, or one query by itself.
type team struct {
	queries []int       // indices
	mounts  []geom.Pose // rig → camera, of each; nil for a query by itself
}

// teams groups the queries by rig and time, in their order.
func (p *Plan) teams() []team {
	type moment struct {
		rig string
		at  int64
	}
	type mount struct {
		rig  string
		pose geom.Pose
		ok   bool
	}
	known := map[[2]string]mount{} // by dataset and camera
	at := map[moment]int{}
	var out []team
	for i, im := range p.queries {
		camera := [2]string{p.scene.Dataset(im), im.Camera}
		m, seen := known[camera]
		if !seen {
			m.rig, m.pose, m.ok = p.scene.Rig(im)
			known[camera] = m
		}
		key := moment{m.rig, im.Timestamp}
		t, ok := at[key]
		if !ok || !m.ok {
			t = len(out)
			out = append(out, team{})
		}
		if m.ok {
			at[key] = t
		}
		out[t].queries, out[t].mounts = append(out[t].queries, i), append(out[t].mounts, m.pose)
	}
	for i := range out {
		if len(out[i].queries) == 1 {
			out[i].mounts = nil
		}
	}
	return out
}

// together are the groups of queries that a method takes at once.
func (p *Plan) together(l localize.Localizer) []team {
	if _, ok := l.(localize.RigLocalizer); ok && !p.o.Alone {
		return p.teams()
	}
	out := make([]team, len(p.queries))
	for i := range out {
		out[i].queries = []int{i}
	}
	return out
}

// rigs counts the groups of several queries that are localized together.
func (p *Plan) rigs() int {
	n := 0
	for _, t := range p.teams() {
		if t.mounts != nil && !p.o.Alone {
			n++
		}
	}
	return n
}

// rigsHash is a hash of what is localized together, and how it is mounted.
func (p *Plan) rigsHash() string {
	d := newDigest("rigs", strconv.FormatBool(p.o.Alone))
	for _, t := range p.teams() {
		for j, m := range t.mounts {
			d.add(p.queries[t.queries[j]].Name, fmt.Sprint(m))
		}
		d.add("")
	}
	return d.sum()
}

// localize estimates the poses for each of ks and puts them into results, which
// are by k, then by query.
func (t *team) localize(ctx context.Context, l localize.Localizer, queries []localize.Query, ks []int, results [][]localize.Result) error {
	if t.mounts == nil {
		found, err := localize.TopK(ctx, l, queries[t.queries[0]], ks)
		for ki := range found {
			results[ki][t.queries[0]] = found[ki]
		}
		return err
	}
	members := make([]localize.RigMember, len(t.queries))
	for j, q := range t.queries {
		members[j] = localize.RigMember{Query: queries[q], Mount: t.mounts[j]}
	}
	found, err := l.(localize.RigLocalizer).LocalizeRig(ctx, members, ks)
	for ki := range found {
		for j, q := range t.queries {
			results[ki][q] = found[ki][j]
		}
	}
	return err
}
